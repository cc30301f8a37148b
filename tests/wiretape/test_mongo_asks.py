"""What a command asks: its headline, its fields without noise, its shape and its values."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import Int64, ObjectId

from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols.mongo.asks import ask, live, more
from wiretape.protocols.mongo.commands import Command, read
from wiretape.protocols.mongo.messages import EXHAUST, MORE_TO_COME, OP_MSG, OP_QUERY, OpMsg, OpQuery, Section
from wiretape.tree import Tree

ID = ObjectId("6b05804dd8efd8f3bd1c17cd")
NOISE: dict[str, Any] = {
    "lsid": {"id": bson.Binary(bytes(16), 4)},
    "$clusterTime": {"clusterTime": bson.Timestamp(1, 1)},
    "$db": "shop",
    "txnNumber": Int64(3),
    "maxTimeMS": 4711,
}


def command(body: dict[str, Any], *, flags: int = 0, **sequences: list[dict[str, Any]]) -> Command:
    sections = [Section(documents=(bson.encode({**body, "$db": "shop"}),))]
    sections += [Section(name=name, documents=tuple(map(bson.encode, items))) for name, items in sequences.items()]
    return read(OP_MSG, OpMsg(flags=flags, sections=tuple(sections)).body())


def said(body: dict[str, Any], **sequences: list[dict[str, Any]]) -> tuple[str, dict[str, Tree]]:
    found = command(body, **sequences)
    return found.operation, dict(found.fields)


@pytest.mark.parametrize(
    ("body", "operation", "fields"),
    [
        ({"find": "users", "filter": {"a": 1}, **NOISE}, "find shop.users", {"query": {"filter": {"a": 1}}}),
        ({"find": "users", "filter": {}, "skip": 0, "limit": Int64(0), "batchSize": 5}, "find shop.users", {}),
        (
            {"find": "users", "filter": {"a": 1}, "limit": Int64(1), "singleBatch": True, "projection": {}},
            "find shop.users",
            {"query": {"filter": {"a": 1}, "limit": 1}},
        ),
        ({"find": "u.v w", "$readPreference": {"mode": "primaryPreferred"}}, "find shop.u.v w", {}),
        (
            {"find": "u", "$readPreference": {"mode": "secondary"}},
            "find shop.u",
            {"query": {"$readPreference": {"mode": "secondary"}}},
        ),
        ({"find": "u", "readConcern": {"afterClusterTime": bson.Timestamp(1, 1)}}, "find shop.u", {}),
        (
            {"find": "u", "readConcern": {"level": "majority", "afterClusterTime": bson.Timestamp(1, 1)}},
            "find shop.u",
            {"query": {"readConcern": {"level": "majority"}}},
        ),
        ({"aggregate": 1, "pipeline": [], "cursor": {"batchSize": 3}}, "aggregate shop", {"query": {"pipeline": []}}),
        ({"getMore": Int64(77), "collection": "users", "batchSize": 3}, "getMore shop.users", {"cursor": 77}),
        ({"dropDatabase": 1.0}, "dropDatabase shop", {}),
        ({"findandmodify": "u", "query": {"a": 1}, "remove": True, "new": False}, "findAndModify shop.u",
         {"query": {"query": {"a": 1}, "remove": True}}),
        ({"explain": {"find": "u"}, "verbosity": "x"}, "explain shop", {"query": {"explain": {"find": "u"}, "verbosity": "x"}}),
        ({"commitTransaction": 1, "autocommit": False, "recoveryToken": {}}, "commitTransaction", {}),
        ({"create": "log", "capped": True, "limit": 0}, "create shop.log", {"query": {"capped": True, "limit": 0}}),
        ({"find": "u", "apiVersion": "1"}, "find shop.u", {"query": {"apiVersion": "1"}}),
    ],
)  # fmt: skip
def test_a_command_is_told_without_noise(body: dict[str, Any], operation: str, fields: dict[str, Tree]) -> None:
    assert said(body) == (operation, fields)


def test_sequences_are_documents_beside_the_query() -> None:
    assert said({"insert": "u", "ordered": True}, documents=[{"a": 1}, {}]) == ("insert shop.u", {"documents": [{"a": 1}, {}]})
    assert said({"insert": "u", "ordered": False, "documents": [{"a": 1}]}) == (
        "insert shop.u",
        {"query": {"ordered": False}, "documents": [{"a": 1}]},
    )
    update = {"q": {"a": 1}, "u": {"$set": {"b": 2}}, "multi": False, "upsert": False}
    assert said({"update": "u"}, updates=[update, {"q": {}, "u": {}, "multi": True}]) == (
        "update shop.u",
        {"updates": [{"q": {"a": 1}, "u": {"$set": {"b": 2}}}, {"q": {}, "u": {}, "multi": True}]},
    )
    assert said({"delete": "u"}, deletes=[{"q": {}, "limit": 0}]) == ("delete shop.u", {"deletes": [{"q": {}, "limit": 0}]})


def test_a_sequence_may_come_before_the_body() -> None:
    body = Section(documents=(bson.encode({"insert": "u", "$db": "shop"}),))
    before = Section(name="documents", documents=(bson.encode({"a": 1}),))
    found = read(OP_MSG, OpMsg(sections=(before, body)).body())
    assert (found.operation, found.fields) == ("insert shop.u", {"documents": [{"a": 1}]})


def test_flags_tell_what_the_client_waits_for() -> None:
    assert command({"ping": 1}).acknowledged
    assert not command({"insert": "u"}, flags=MORE_TO_COME).acknowledged
    assert command({"getMore": Int64(1), "collection": "u"}, flags=EXHAUST).exhaust


def test_a_legacy_query_is_a_command_of_its_database() -> None:
    data = bson.encode({"isMaster": 1, "helloOk": True})
    found = read(OP_QUERY, OpQuery(collection="admin.$cmd", documents=(data,)).body())
    assert (found.name, found.database) == ("isMaster", "admin")
    wrapped = bson.encode({"$query": {"count": "u"}, "$readPreference": {"mode": "secondary"}})
    assert read(OP_QUERY, OpQuery(collection="shop.$cmd", documents=(wrapped,)).body()).operation == "count shop.u"


@pytest.mark.parametrize(
    ("opcode", "body", "reason"),
    [
        (
            OP_QUERY,
            OpQuery(collection="shop.users", documents=(bson.encode({}),)).body(),
            "an OP_QUERY on shop.users is not read",
        ),
        (OP_QUERY, OpQuery(collection="shop.$cmd", documents=()).body(), "an OP_QUERY on"),
        (OP_MSG, OpMsg(sections=(Section(documents=(bson.encode({}),)),)).body(), "a command without a name"),
        (OP_MSG, OpMsg(sections=(Section(documents=(bson.encode({"$db": "x"}),)),)).body(), "a command without a name"),
        (
            OP_MSG,
            OpMsg(
                sections=(
                    Section(documents=(bson.encode({"insert": "u"}),)),
                    Section(name="documents", documents=()),
                    Section(name="documents", documents=()),
                )
            ).body(),
            "documents is in the message twice",
        ),
    ],
)
def test_what_is_no_command_is_said_to_be_none(opcode: int, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason.replace("$", r"\$")):
        read(opcode, body)


def test_the_shape_names_places_and_the_values_stand_in_them() -> None:
    found = live(
        "main",
        command(
            {
                "find": "users",
                "filter": {
                    "age": {"$gte": 5.0},
                    "_id": ID,
                    "address.city": "Bern",
                    "tags": {"$in": ["a", "b"]},
                    "$or": [{"x": 1}, {}],
                },
                "sort": {"b": 1, "a": -1},
                "comment": "trace 7",
            }
        ),
    )
    assert found.operation == "find shop.users"
    assert found.shape == (
        'find shop.users filter.$or[0].x filter.$or[1]{} filter._id:oid filter["address.city"] filter.age.$gte '
        "filter.tags.$in[] sort.b sort.a"
    )
    assert found.values == (1, {}, str(ID), "Bern", 5, ["a", "b"], 1, -1)
    assert found.labels == (
        "filter.$or[0].x", "filter.$or[1]", "filter._id", 'filter["address.city"]', "filter.age.$gte", "filter.tags.$in",
        "sort.b", "sort.a",
    )  # fmt: skip
    assert (found.writes, found.role) == (False, "query")


def test_live_and_recorded_ask_alike() -> None:
    asked = command({"insert": "u"}, documents=[{"_id": ID, "a": Int64(1)}, {"_id": ID, "a": 2}])
    call = Call(target="main", operation=asked.operation, fields={**asked.fields, "reply": {"n": 2}})
    assert ask(call) == live("main", asked)
    assert ask(call).shape == "insert shop.u documents[0]._id:oid documents[0].a"
    assert ask(call).values == (str(ID), 1, str(ID), 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"filter": {"a": 1, "b": 2}}, {"filter": {"b": 2, "a": 1}}),
        ({"filter": {"a": 1}}, {"filter": {"a": Int64(1)}}),
        ({"filter": {"a": 1}}, {"filter": {"a": 1.0}}),
        ({"filter": {"a": 1}, "batchSize": 2}, {"filter": {"a": 1}, "comment": "x"}),
        ({"limit": 1, "singleBatch": True}, {"filter": {}, "limit": Int64(1)}),
    ],
)
def test_drivers_may_say_the_same_in_other_words(one: dict[str, Any], other: dict[str, Any]) -> None:
    left, right = (live("main", command({"find": "u", **body})) for body in (one, other))
    assert (left.shape, left.values) == (right.shape, right.values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"filter": {"a": ID}}, {"filter": {"a": str(ID)}}),
        ({"filter": {"a.b": 1}}, {"filter": {"a": {"b": 1}}}),
        ({"filter": {"$or": [{"a": 1}, {"b": 2}]}}, {"filter": {"$or": [{"a": 1, "b": 2}]}}),
        ({"filter": {"a": []}}, {"filter": {"a": {}}}),
        ({"filter": {"a": {}}}, {"filter": {"a": {"b": {}}}}),
        ({"sort": {"a": 1, "b": 1}}, {"sort": {"b": 1, "a": 1}}),
        ({"filter": {"a": 1}}, {"filter": {"a": 1}, "limit": 1}),
        ({"filter": {"a": [1, 2]}}, {"filter": {"a": [[1, 2]]}}),
        ({"filter": {"a": [{}, {}]}}, {"filter": {"a": [{}]}}),
        ({"filter": {"a": [{"b": 1}, {"b": 1}]}}, {"filter": {"a": [{"b": 1}]}}),
        ({"filter": {"a": None}}, {"filter": {}}),
        ({"filter": {"a": True}}, {"filter": {"a": 1}}),
    ],
)
def test_what_means_something_else_is_another_ask(one: dict[str, Any], other: dict[str, Any]) -> None:
    left, right = (live("main", command({"find": "u", **body})) for body in (one, other))
    assert (left.shape, repr(left.values)) != (right.shape, repr(right.values))


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        (bson.DatetimeMS(0), ":date", "1970-01-01T00:00:00Z"),
        (bson.Decimal128("1.50"), ":numberDecimal", "1.50"),
        (bson.Binary(bytes(16), 4), ":uuid", "00000000-0000-0000-0000-000000000000"),
        (bson.Binary(b"x", 9), ":binary", b"x"),
        (bson.Regex("a", "i"), ":regularExpression", "/a/i"),
        (bson.Timestamp(1, 2), ":timestamp", "1:2"),
        (bson.Code("f"), ":code", "f"),
        (bson.MinKey(), ":minKey", {"$minKey": 1}),
        (Int64(3), "", 3),
        (2**53 + 0.0, "", 2**53),
        (1e300, "", 1e300),
        (b"x", "", b"x"),
    ],
)
def test_values_are_compared_without_their_wrapper(value: Any, kind: str, plain: Tree) -> None:
    found = live("main", command({"find": "u", "filter": {"a": value}}))
    assert (found.shape, found.values) == (f"find shop.u filter.a{kind}", (plain,))
    listed = live("main", command({"find": "u", "filter": {"a": [value, value]}}))
    assert (listed.shape, listed.values) == (f"find shop.u filter.a[]{kind}", ([plain, plain],))


def test_a_thousand_documents_have_the_shape_of_one() -> None:
    many = live("main", command({"insert": "u"}, documents=[{"a": n, "b": {"c": n}} for n in range(1000)]))
    assert many.shape == "insert shop.u documents[0].a documents[0].b.c"
    assert len(many.values) == len(many.labels) == 2000
    assert many.labels[-1] == "documents[999].b.c"


@pytest.mark.parametrize(
    ("body", "role", "writes"),
    [
        ({"insert": "u"}, "query", True),
        ({"aggregate": "u", "pipeline": [{"$match": {}}]}, "query", False),
        ({"aggregate": "u", "pipeline": [{"$match": {}}, {"$out": "v"}]}, "query", True),
        ({"whatIsThis": 1}, "query", True),
        ({"listCollections": 1}, "query", False),
        ({"commitTransaction": 1}, "end", False),
        ({"abortTransaction": 1}, "end", False),
        ({"hostInfo": 1}, "housekeeping", False),
    ],
)
def test_roles_and_writes(body: dict[str, Any], role: str, writes: bool) -> None:
    found = live("main", command(body))
    assert (found.role, found.writes) == (role, writes)


def test_a_cursor_is_what_a_get_more_asks_of() -> None:
    found = live("main", command({"getMore": Int64(77), "collection": "u"}))
    assert (found.shape, found.values) == ("getMore shop.u 77", ())
    recorded = Call(target="main", operation="getMore shop.u", fields={"cursor": 77, "found": [], "exhausted": True})
    assert (ask(recorded).shape, ask(recorded).writes) == (found.shape, False)
    assert (more("main", "getMore shop.u", 77).shape, more("main", "getMore shop.u", 77).writes) == (found.shape, True)
    assert more("main", "getMore shop.u", 77, 0.5).writes is False


def test_a_transaction_is_named_by_session_and_number() -> None:
    def named(**more: Any) -> str:
        return command({"insert": "u", **more}).transaction

    session = {"id": bson.Binary(bytes(16), 4)}
    assert named(lsid=session, txnNumber=Int64(1)) == ""
    one = named(lsid=session, txnNumber=Int64(1), autocommit=False, startTransaction=True)
    assert one
    assert named(lsid=session, txnNumber=Int64(1), autocommit=False) == one
    assert named(lsid=session, txnNumber=Int64(2), autocommit=False) != one
