"""pymongo: what is seldom asked. Writes without a reply, cursors left early, exhausted, tailed; change streams; GridFS."""

from __future__ import annotations

import json
import sys
from typing import Any

import gridfs
from bson import ObjectId
from pymongo import CursorType, MongoClient, WriteConcern
from pymongo.errors import CollectionInvalid, PyMongoError

PLAIN = {"_id": 0}


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], sort_keys=True, default=str), flush=True)


def main(url: str) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    db = client.get_default_database()
    things = db["odd things"]
    things.drop()
    db["events"].drop()
    db["fs.files"].drop()
    db["fs.chunks"].drop()
    quiet = things.with_options(write_concern=WriteConcern(w=0))
    quiet.insert_many([{"n": n, "a.b" if n == 3 else "ab": {"c": [[n], []]}} for n in range(250)])
    show("quiet", quiet.update_one({"n": 1}, {"$set": {"x": 1}}).acknowledged)
    show("all", sum(thing["n"] for thing in things.find({}, PLAIN)))
    with things.find({}, PLAIN, batch_size=3).sort("n", 1) as cursor:
        show("left early", [next(cursor)["n"] for _ in range(4)])
    exhausted = things.find({"n": {"$lt": 9}}, PLAIN, batch_size=4, cursor_type=CursorType.EXHAUST)
    show("exhausted", sorted(thing["n"] for thing in exhausted))
    show("grouped", len(list(things.aggregate([{"$group": {"_id": "$n"}}], batchSize=100))))
    with things.watch(max_await_time_ms=300) as stream:
        show("no news", stream.try_next())
        things.insert_one({"n": 1000})
        things.update_one({"n": 1000}, {"$set": {"x": 2}})
        seen = [next(stream) for _ in range(2)]
        show("news", [[one["operationType"], one.get("fullDocument", {}).get("n")] for one in seen])
    try:
        db.create_collection("events", capped=True, size=100000)
    except CollectionInvalid as error:
        show("there already", str(error))
    db["events"].insert_many([{"n": n} for n in range(3)])
    tail = db["events"].find({}, cursor_type=CursorType.TAILABLE_AWAIT)
    show("tail", [next(tail)["n"] for _ in range(3)])
    db["events"].insert_one({"n": 3})
    show("news of the tail", next(tail)["n"])
    tail.close()
    files = gridfs.GridFS(db)
    number = files.put(b"x" * 600_000, filename="big.bin", _id=ObjectId("6b05804dd8efd8f3bd1c17ce"))
    show("file", [len(files.get(number).read()), files.list()])
    show("collections", sorted(db.list_collection_names()))
    show("elsewhere", client["other"]["things"].find_one({"n": 1}))
    show("databases", db.name in client.list_database_names())
    try:
        things.find_one({"$nonsense": 1})
    except PyMongoError as error:
        show("wrong", getattr(error, "code", None))
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
