"""pymongo: what waits for news. A change stream, and a tailed cursor."""

from __future__ import annotations

import json
import sys
from typing import Any

from pymongo import CursorType, MongoClient


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], sort_keys=True), flush=True)


def main(url: str) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    db = client.get_default_database()
    things = db["things"]
    things.drop()
    db["events"].drop()
    things.insert_one({"n": 0})
    with things.watch(max_await_time_ms=300) as stream:
        show("no news", stream.try_next())
        things.insert_one({"n": 1000})
        things.update_one({"n": 1000}, {"$set": {"x": 2}})
        seen = [next(stream) for _ in range(2)]
        show("news", [[one["operationType"], one.get("fullDocument", {}).get("n")] for one in seen])
    db.create_collection("events", capped=True, size=100000)
    db["events"].insert_many([{"n": n} for n in range(3)])
    tail = db["events"].find({}, cursor_type=CursorType.TAILABLE_AWAIT)
    show("tail", [next(tail)["n"] for _ in range(3)])
    db["events"].insert_one({"n": 3})
    show("news of the tail", next(tail)["n"])
    tail.close()
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
