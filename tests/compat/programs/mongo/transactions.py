"""pymongo: transactions that commit and abort, and what a session sees in between."""

from __future__ import annotations

import json
import sys
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

PLAIN = {"_id": 0}


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], sort_keys=True), flush=True)


def main(url: str) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    accounts = client.get_default_database()["accounts"]
    accounts.drop()
    accounts.create_index("owner", unique=True)
    accounts.insert_many([{"owner": "ann", "sum": 100}, {"owner": "bob", "sum": 0}])

    def move(session: ClientSession) -> int:
        accounts.update_one({"owner": "ann"}, {"$inc": {"sum": -30}}, session=session)
        accounts.update_one({"owner": "bob"}, {"$inc": {"sum": 30}}, session=session)
        return len(list(accounts.find({}, session=session, batch_size=1)))

    with client.start_session() as session:
        show("moved", session.with_transaction(move))
        show("sums", list(accounts.find({}, PLAIN, session=session).sort("owner")))
        session.start_transaction()
        accounts.insert_one({"owner": "eve", "sum": 1}, session=session)
        show("inside", accounts.count_documents({}, session=session))
        session.abort_transaction()
        show("outside", accounts.count_documents({}))
        try:
            with session.start_transaction():
                accounts.insert_one({"owner": "ann"}, session=session)
        except DuplicateKeyError as error:
            show("duplicate", error.code)
        with session.start_transaction():
            pass
    with client.start_session(causal_consistency=True) as session:
        accounts.update_one({"owner": "ann"}, {"$set": {"seen": True}}, session=session)
        show("causal", accounts.find_one({"owner": "ann"}, PLAIN, session=session))
    try:
        client.admin.command("commitTransaction")
    except OperationFailure as error:
        show("no transaction", error.code is not None)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
