"""pymongo, asyncio."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, DeleteOne, InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

PLAIN = {"_id": 0}


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], default=str, sort_keys=True), flush=True)


async def main(url: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, uuidRepresentation="standard", tz_aware=True)
    db = client.get_default_database()
    users, kinds = db["users"], db["kinds"]
    await users.drop()
    await kinds.drop()
    show(
        "index",
        [await users.create_index("email", unique=True), await users.create_index([("age", ASCENDING), ("name", DESCENDING)])],
    )
    show("indexes", sorted(await users.index_information()))
    await users.insert_one({"name": "Ann", "email": "ann@example.com", "age": 41})
    many = [{"name": f"n{i}", "email": f"n{i}@example.com", "age": i, "tags": ["a", f"t{i % 3}"]} for i in range(20)]
    show("insert many", len((await users.insert_many(many)).inserted_ids))
    show("find one", await users.find_one({"name": "Ann"}, PLAIN))
    show("nothing", await users.find_one({"name": "Nobody"}))
    show("find", await users.find({"age": {"$gte": 5, "$lt": 9}}, PLAIN).sort("age", -1).skip(1).limit(2).to_list())
    show("batches", [user["age"] async for user in users.find({}, PLAIN, batch_size=4).sort("age")])
    show("in", sorted([user["name"] async for user in users.find({"name": {"$in": ["n1", "n2", "x"]}})]))
    show("regex", sorted([user["name"] async for user in users.find({"name": {"$regex": "^n1", "$options": "i"}})]))
    done = await users.update_one({"name": "n1"}, {"$set": {"city": "Bern"}, "$inc": {"age": 1}})
    show("update one", [done.matched_count, done.modified_count])
    show("update many", (await users.update_many({"age": {"$gt": 15}}, {"$set": {"old": True}})).modified_count)
    done = await users.update_one({"name": "new"}, {"$set": {"email": "new@example.com", "age": 0}}, upsert=True)
    show("upsert", [done.matched_count, done.upserted_id is not None])
    show("replace", (await users.replace_one({"name": "n2"}, {"name": "n2", "email": "n2@x", "age": 2})).modified_count)
    after = await users.find_one_and_update(
        {"name": "n3"}, {"$inc": {"age": 10}}, projection=PLAIN, return_document=ReturnDocument.AFTER
    )
    show("find and modify", after)
    show("find and delete", await users.find_one_and_delete({"name": "n4"}, projection=PLAIN))
    show(
        "delete",
        [
            (await users.delete_one({"name": "n5"})).deleted_count,
            (await users.delete_many({"age": {"$gte": 18, "$lt": 40}})).deleted_count,
        ],
    )
    show("count", [await users.count_documents({"age": {"$lt": 10}}), await users.estimated_document_count()])
    show("distinct", sorted(await users.distinct("tags")))
    pipeline = [{"$match": {"age": {"$gte": 0}}}, {"$group": {"_id": "$old", "n": {"$sum": 1}}}, {"$sort": {"n": 1}}]
    show("aggregate", await (await users.aggregate(pipeline)).to_list())
    try:
        await users.insert_one({"name": "Ann 2", "email": "ann@example.com"})
    except DuplicateKeyError as error:
        show("duplicate", [error.code, (error.details or {}).get("keyValue")])
    try:
        await users.bulk_write([InsertOne({"email": "b1@x"}), InsertOne({"email": "ann@example.com"})], ordered=False)
    except BulkWriteError as error:
        show("bulk error", [error.details["nInserted"], [one["code"] for one in error.details["writeErrors"]]])
    bulk = await users.bulk_write(
        [InsertOne({"email": "b2@x"}), UpdateOne({"email": "b2@x"}, {"$set": {"b": 1}}), DeleteOne({"email": "b1@x"})]
    )
    show("bulk", [bulk.inserted_count, bulk.modified_count, bulk.deleted_count])
    try:
        await db.command("noSuchCommand")
    except OperationFailure as error:
        show("failure", error.code)
    identity = bson.ObjectId("6b05804dd8efd8f3bd1c17cd")
    await kinds.insert_one(
        {
            "_id": identity,
            "at": datetime(2026, 11, 20, 10, 0, 0, 123000, UTC),
            "binary": b"\x00\xff",
            "uuid": UUID("7b0e0000-0000-4000-8000-000000000001"),
            "price": bson.Decimal128("39.80"),
            "long": bson.Int64(5),
            "big": 2**40,
            "double": 5.0,
            "none": None,
            "yes": True,
            "nested": {"a": [1, {"b": "ü✓"}], "empty": {}, "list": []},
            "regex": bson.Regex("^a.c", "im"),
            "ts": bson.Timestamp(1795522637, 3),
            "code": bson.Code("function() {}"),
            "min": bson.MinKey(),
            "max": bson.MaxKey(),
        }
    )
    raw = kinds.with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
    show("kinds", (await raw.find_one({"_id": identity})).raw.hex())
    show(
        "by kinds",
        await kinds.count_documents({"price": bson.Decimal128("39.80"), "at": {"$gt": datetime(2026, 1, 1, tzinfo=UTC)}}),
    )
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
