"""pymongo: what is seldom asked. Writes without a reply, cursors left early or exhausted, GridFS, other databases."""

from __future__ import annotations

import json
import sys
from typing import Any

import gridfs
from bson import ObjectId
from pymongo import CursorType, MongoClient, WriteConcern
from pymongo.errors import PyMongoError

PLAIN = {"_id": 0}


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], sort_keys=True, default=str), flush=True)


def main(url: str) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    db = client.get_default_database()
    things = db["odd things"]
    things.drop()
    db["fs.files"].drop()
    db["fs.chunks"].drop()
    quiet = things.with_options(write_concern=WriteConcern(w=0))
    quiet.insert_many([{"n": n, "a.b" if n == 3 else "ab": {"c": [[n], []]}} for n in range(120)])
    show("quiet", quiet.update_one({"n": 1}, {"$set": {"x": 1}}).acknowledged)
    show("all", sum(thing["n"] for thing in things.find({}, PLAIN)))
    with things.find({}, PLAIN, batch_size=3).sort("n", 1) as cursor:
        show("left early", [next(cursor)["n"] for _ in range(4)])
    exhausted = things.find({"n": {"$lt": 9}}, PLAIN, batch_size=4, cursor_type=CursorType.EXHAUST)
    show("exhausted", sorted(thing["n"] for thing in exhausted))
    show("grouped", len(list(things.aggregate([{"$group": {"_id": "$n"}}], batchSize=50))))
    files = gridfs.GridFS(db)
    number = files.put(b"\x00x" * 1500, filename="big.bin", chunk_size=1000, _id=ObjectId("6b05804dd8efd8f3bd1c17ce"))
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
