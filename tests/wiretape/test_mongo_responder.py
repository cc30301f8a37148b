"""What the mock answers, told message by message."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import bson
import pytest
from scramp import ScramClient

from tests.wiretape.mongo import asked, read
from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss, Waiting
from wiretape.protocols.mongo.asks import ask
from wiretape.protocols.mongo.handshake import merge
from wiretape.protocols.mongo.messages import EXHAUST, MORE_TO_COME, OP_QUERY, OpQuery, frame
from wiretape.protocols.mongo.responder import MongoResponder
from wiretape.tree import Tree


def call(operation: str, **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields=fields)


class Recorded:
    """Calls by what they ask, each once. `waits`: what blocks is told to wait."""

    def __init__(self, *calls: Call, waits: bool = True) -> None:
        self.calls = list(calls)
        self.asks: list[Ask] = []
        self.waits = waits
        self.memory: dict[str, object] = {}

    def peek(self, asked: Ask) -> Call | None:
        return None

    def take(self, asked: Ask) -> Call | Miss | Waiting:
        self.asks.append(asked)
        for one in self.calls:
            told = ask(one)
            if (told.shape, told.values) == (asked.shape, asked.values) and not asked.blocks:
                self.calls.remove(one)
                return one
        return Waiting() if asked.blocks is not None and self.waits else Miss(ask=asked)


class Remembering(Recorded):
    def __init__(self, *calls: Call) -> None:
        super().__init__(*calls)
        self.memory: dict[str, object] = {}


def answers(responder: MongoResponder, *requests: bytes) -> list[Any]:
    return [document for request in requests for _, _, document in read(responder.receive(request))]


def made(*calls: Call, **facts: Tree) -> MongoResponder:
    return MongoResponder(facts, Recorded(*calls), "main")


NUMBERS: list[Tree] = [{"a": n} for n in range(5)]
FIND = {"find": "u", "filter": {}}


def more(number: int, **body: Any) -> dict[str, Any]:
    return {"getMore": bson.Int64(number), "collection": "u", **body}


def batch(reply: Any) -> tuple[list[int], bool]:
    """What a batch holds, and whether there is more."""
    cursor = reply["cursor"]
    documents = cursor.get("firstBatch", cursor.get("nextBatch"))
    return [document["a"] for document in documents], cursor["id"] != 0


def test_a_reply_is_the_recorded_one_with_what_every_reply_has() -> None:
    responder = made(call("count shop.u", reply={"n": {"$numberLong": 3}}))
    ((to, flags, reply),) = read(responder.receive(asked(9, {"count": "u"})))
    assert (to, flags, reply) == (9, 0, {"n": 3, "ok": 1.0})
    assert isinstance(reply["n"], bson.Int64)


def test_a_recorded_error_is_served() -> None:
    failure: Tree = {"errmsg": "no", "code": 26, "codeName": "NamespaceNotFound"}
    assert answers(made(call("drop shop.u", error=failure)), asked(1, {"drop": "u"})) == [
        {"ok": 0.0, "errmsg": "no", "code": 26, "codeName": "NamespaceNotFound"}
    ]


def test_a_miss_is_the_protocols_own_error() -> None:
    (reply,) = answers(made(), asked(1, FIND))
    assert (reply["ok"], reply["code"], reply["codeName"]) == (0.0, 77001, "WiretapeMiss")
    assert reply["errmsg"] == "wiretape: no recorded call on main answers: find shop.u (WT001)"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"found": [{"a": {"$oid": "x"}}]}, "found[0].a: this is no $oid"),
        ({"found": [1]}, "found[0]: expected a document"),
        ({"found": 1}, "found: expected a list"),
        ({"reply": 1}, "reply: expected a mapping"),
        ({"reply": {"a": 2**70}}, "does not fit in 64 bits"),
    ],
)
def test_what_cannot_be_served_is_said(fields: dict[str, Tree], reason: str) -> None:
    (reply,) = answers(made(call("find shop.u", **fields)), asked(1, FIND))
    assert reply["codeName"] == "WiretapeUnservable"
    assert reason in reply["errmsg"]


def test_a_write_without_acknowledgement_gets_no_reply() -> None:
    responder = made(call("insert shop.u", documents=[{"a": 1}]))
    assert responder.receive(asked(1, {"insert": "u"}, MORE_TO_COME, documents=[{"a": 1}])) == b""
    assert responder.receive(asked(2, {"insert": "u"}, MORE_TO_COME, documents=[{"a": 2}])) == b""


@pytest.mark.parametrize(
    ("first", "then", "batches"),
    [
        (2, 2, [([0, 1], True), ([2, 3], True), ([4], False)]),
        (0, 3, [([], True), ([0, 1, 2], True), ([3, 4], False)]),
        (5, None, [([0, 1, 2, 3, 4], True), ([], False)]),
        (9, None, [([0, 1, 2, 3, 4], False)]),
        (None, None, [([0, 1, 2, 3, 4], False)]),
        (2, None, [([0, 1], True), ([2, 3, 4], False)]),
    ],
)
def test_a_result_is_dealt_in_the_batches_asked_for(first: int | None, then: int | None, batches: Sequence[object]) -> None:
    book = Remembering(call("find shop.u", found=NUMBERS))
    body: dict[str, Any] = FIND if first is None else {**FIND, "batchSize": first}
    replies = answers(MongoResponder({}, book, "main"), asked(1, body))
    while number := replies[-1]["cursor"]["id"]:
        another = MongoResponder({}, book, "main")  # each time over another connection
        replies += answers(another, asked(1, more(number, **({} if then is None else {"batchSize": then}))))
    assert [batch(reply) for reply in replies] == batches


def test_a_limit_ends_the_cursor() -> None:
    book = Remembering(call("find shop.u", query={"limit": 5}, found=NUMBERS))
    (reply,) = answers(MongoResponder({}, book, "main"), asked(1, {**FIND, "limit": 5, "batchSize": 5}))
    assert batch(reply) == ([0, 1, 2, 3, 4], False)


def test_a_single_batch_leaves_no_cursor() -> None:
    book = Remembering(call("find shop.u", query={"singleBatch": True}, found=NUMBERS))
    (reply,) = answers(MongoResponder({}, book, "main"), asked(1, {**FIND, "singleBatch": True, "batchSize": 2}))
    assert batch(reply) == ([0, 1], False)


def test_an_exhausted_cursor_comes_without_being_asked_for_each_batch() -> None:
    responder = MongoResponder({}, Remembering(call("find shop.u", found=NUMBERS)), "main")
    (first,) = answers(responder, asked(1, {**FIND, "batchSize": 2}))
    found = read(responder.receive(asked(2, more(first["cursor"]["id"], batchSize=2), EXHAUST)))
    assert [(flags, batch(reply)) for _, flags, reply in found] == [(MORE_TO_COME, ([2, 3], True)), (0, ([4], False))]
    assert [to for to, _, _ in found] == [2, 2]  # the second answers the first, which was the connection's second message


def test_killed_cursors_are_gone() -> None:
    responder = MongoResponder({}, Remembering(call("find shop.u", found=NUMBERS)), "main")
    (first,) = answers(responder, asked(1, {**FIND, "batchSize": 2}))
    number = first["cursor"]["id"]
    (killed,) = answers(responder, asked(2, {"killCursors": "u", "cursors": [number]}))
    assert killed["cursorsKilled"] == [number]
    (reply,) = answers(responder, asked(3, more(number)))
    assert reply["codeName"] == "WiretapeMiss"


PARTS = (
    call("find shop.u", found=NUMBERS[:1], cursor=77),
    call("getMore shop.u", cursor=77, found=NUMBERS[1:4]),
    call("getMore shop.u", cursor=77, found=NUMBERS[4:], exhausted=True),
)


def test_recorded_batches_are_dealt_anew() -> None:
    book = Remembering(*PARTS)
    replies = answers(MongoResponder({}, book, "main"), asked(1, {**FIND, "batchSize": 2}))
    while number := replies[-1]["cursor"]["id"]:
        replies += answers(MongoResponder({}, book, "main"), asked(1, more(number, batchSize=2)))
    assert [batch(reply) for reply in replies] == [([0, 1], True), ([2, 3], True), ([4], False)]
    assert book.calls == []


def test_a_result_of_several_batches_is_whole_again_when_asked_again() -> None:
    book = Remembering(*PARTS)
    for _ in range(2):
        (reply,) = answers(MongoResponder({}, book, "main"), asked(1, FIND))
        assert batch(reply) == ([0, 1, 2, 3, 4], False)
        book.calls.append(PARTS[0])


@pytest.mark.parametrize("kind", [Recorded, Remembering])
def test_a_cursor_fails_where_it_failed(kind: type[Recorded]) -> None:
    failure: Tree = {"code": 43, "codeName": "CursorNotFound"}
    book = kind(PARTS[0], PARTS[1], call("getMore shop.u", cursor=77, error=failure))
    responder = MongoResponder({}, book, "main")
    (first,) = answers(responder, asked(1, FIND))
    assert batch(first) == ([0, 1, 2, 3], True)
    replies = answers(responder, asked(2, more(first["cursor"]["id"])), asked(3, more(first["cursor"]["id"])))
    assert [reply["codeName"] for reply in replies] == ["CursorNotFound", "WiretapeMiss"]


@pytest.mark.parametrize("kind", [Recorded, Remembering])
def test_what_comes_later_in_a_cursor_is_served_later(kind: type[Recorded]) -> None:
    book = kind(PARTS[0])
    (first,) = answers(MongoResponder({}, book, "main"), asked(1, FIND))
    assert batch(first) == ([0], True)
    book.calls += PARTS[1:]
    (rest,) = answers(MongoResponder({}, book, "main"), asked(2, more(first["cursor"]["id"])))
    assert batch(rest) == ([1, 2, 3, 4], False)


@pytest.mark.parametrize("kind", [Recorded, Remembering])
def test_a_cursor_read_further_than_recorded_is_a_miss(kind: type[Recorded]) -> None:
    book = kind(call("find shop.u", found=NUMBERS, cursor=77))
    (first,) = answers(MongoResponder({}, book, "main"), asked(1, FIND))
    (reply,) = answers(MongoResponder({}, book, "main"), asked(1, more(first["cursor"]["id"])))
    assert reply["codeName"] == "WiretapeMiss"


@pytest.mark.parametrize("kind", [Recorded, Remembering])
def test_who_waits_for_news_is_answered_when_they_come_or_when_time_is_up(kind: type[Recorded]) -> None:
    query: Tree = {"pipeline": [{"$changeStream": {}}]}
    book = kind(call("aggregate shop.u", query=query, found=[], cursor=77))
    first = MongoResponder({}, book, "main")
    (opened,) = answers(first, asked(1, {"aggregate": "u", "pipeline": [{"$changeStream": {}}], "cursor": {}}))
    assert opened["operationTime"]
    number = opened["cursor"]["id"]
    other = MongoResponder({}, book, "main")
    assert other.receive(asked(5, more(number, maxTimeMS=250)) + asked(6, {"ping": 1})) == b""
    waiting = other.waiting
    assert waiting is not None
    assert (waiting.blocks, waiting.shape, other.pause) == (0.25, "getMore shop.u 77", 0.25)
    late, pong = read(other.tick())
    assert (late[0], batch(late[2]), pong[0]) == (5, ([], True), 6)
    assert (other.waiting, other.pause) == (None, None)
    assert other.receive(asked(7, more(number))) == b""
    assert other.pause == 1.0
    (news,) = read(other.resume(call("getMore shop.u", cursor=77, found=[{"a": 9}])))
    assert (news[0], batch(news[2])) == (7, ([9], True))
    assert other.receive(asked(8, more(number))) == b""
    assert (other.resume(call("x")) != b"", other.resume(call("x")), other.tick()) == (True, b"", b"")


def test_the_end_of_a_transaction_needs_no_recording() -> None:
    session = {"lsid": {"id": bson.Binary(bytes(16), 4)}, "txnNumber": bson.Int64(1), "autocommit": False}
    assert answers(made(), asked(1, {"commitTransaction": 1, **session}), asked(2, {"abortTransaction": 1, **session})) == [
        {"ok": 1.0}, {"ok": 1.0}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"ping": 1}, {"ok": 1.0}),
        ({"endSessions": []}, {"ok": 1.0}),
        ({"hostInfo": 1}, {"system": {"hostname": "wiretape"}, "os": {"type": "wiretape"}, "extra": {}, "ok": 1.0}),
        ({"connectionStatus": 1}, {"authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": []}, "ok": 1.0}),
        ({"getParameter": 1, "featureCompatibilityVersion": 1}, {"featureCompatibilityVersion": {"version": "7.1"}, "ok": 1.0}),
    ],
)
def test_chatter_is_answered_where_nothing_is_recorded(body: dict[str, Any], told: dict[str, Any]) -> None:
    assert answers(made(buildInfo={"version": "7.1.3-rc0"}), asked(1, body)) == [told]


def test_the_version_is_the_recorded_one() -> None:
    (reply,) = answers(made(buildInfo={"version": "7.1.3-rc0"}), asked(1, {"buildInfo": 1}))
    assert (reply["version"], reply["versionArray"]) == ("7.1.3-rc0", [7, 1, 3, 0])
    (reply,) = answers(made(), asked(1, {"getParameter": 1, "odd": 1}))
    assert (reply["ok"], reply["code"]) == (0.0, 72)


RS: dict[str, Tree] = {"setName": "rs0", "hosts": ["db:27017", "db2:27017"], "maxWireVersion": 17}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, {"maxWireVersion": 25}),
        ({"hello": {"maxWireVersion": 17}}, {"maxWireVersion": 17}),
        ({"hello": RS}, {"setName": "rs0", "hosts": ["db:27017"], "me": "db:27017", "primary": "db:27017"}),
        ({"hello": RS, "address": "127.0.0.1:5"}, {"setName": "rs0", "hosts": ["127.0.0.1:5"], "me": "127.0.0.1:5"}),
        ({"hello": {**RS, "hosts": []}}, {"setName": "rs0", "hosts": []}),
        ({"hello": {"msg": "isdbgrid", "setName": "x"}}, {"msg": "isdbgrid"}),
    ],
)
def test_hello_tells_the_recorded_servers_kind(facts: dict[str, Tree], told: dict[str, Any]) -> None:
    for body in ({"hello": 1}, {"ismaster": 1, "helloOk": True}):
        (reply,) = answers(MongoResponder(facts, Recorded(), "main"), asked(1, {**body, "compression": ["zlib"]}))
        assert {name: reply.get(name) for name in told} == told
        assert (reply["ok"], reply["ismaster"], reply["logicalSessionTimeoutMinutes"]) == (1.0, True, 30)
        assert not {"topologyVersion", "compression"} & reply.keys()
        assert ("setName" in reply) == ("setName" in told)


def test_a_legacy_hello_gets_a_legacy_reply() -> None:
    query = OpQuery(collection="admin.$cmd", documents=(bson.encode({"isMaster": 1}),)).body()
    ((to, flags, reply),) = read(made().receive(frame(OP_QUERY, query, request=3)))
    assert (to, flags, reply["ismaster"]) == (3, 8, True)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 16, frame(2013, b"\0" * 9, request=4)])
def test_garbage_is_refused_and_the_connection_closed(data: bytes) -> None:
    responder = made()
    ((_, _, reply),) = read(responder.receive(data))
    assert (reply["ok"], reply["codeName"], responder.closed) == (0.0, "InvalidBSON", True)
    assert responder.receive(asked(1, {"ping": 1})) == b""


def authenticated(responder: MongoResponder, mechanism: str, password: str) -> Any:
    client = ScramClient([mechanism], "ann", password)
    first = {"saslStart": 1, "mechanism": mechanism, "payload": client.get_client_first().encode()}
    (reply,) = answers(responder, asked(1, first))
    if not reply["ok"]:
        return reply
    client.set_server_first(reply["payload"].decode())
    (reply,) = answers(responder, asked(2, {"saslContinue": 1, "payload": client.get_client_final().encode()}))
    if reply["ok"]:
        client.set_server_final(reply["payload"].decode())
    return reply


def test_a_client_is_let_in_that_knows_the_targets_password() -> None:
    assert authenticated(made(password="secret"), "SCRAM-SHA-256", "secret")["done"] is True
    hashed = hashlib.md5(b"ann:mongo:secret").hexdigest()
    assert authenticated(made(password="secret"), "SCRAM-SHA-1", hashed)["done"] is True
    assert authenticated(made(password="secret"), "SCRAM-SHA-1", "secret")["code"] == 18
    assert "another password" in authenticated(made(password="secret"), "SCRAM-SHA-256", "wrong")["errmsg"]
    assert "set the target's password" in authenticated(made(), "SCRAM-SHA-256", "secret")["errmsg"]


@pytest.mark.parametrize("payload", [b"", b"junk", b"\xff", "text", 5, b"n,,n=ann"])
def test_a_proof_that_is_none_is_refused(payload: Any) -> None:
    start = {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": payload}
    (reply,) = answers(made(password="secret"), asked(1, start))
    assert (reply["ok"], reply["code"]) == (0.0, 18)
    (reply,) = answers(made(password="secret"), asked(1, {"saslContinue": 1, "payload": payload}))
    assert reply["ok"] == 1.0


def test_what_proves_no_password_is_let_in() -> None:
    (reply,) = answers(made(), asked(1, {"saslStart": 1, "mechanism": "PLAIN", "payload": b"\0ann\0secret"}))
    assert (reply["done"], reply["ok"]) == (True, 1.0)


def test_facts_of_connections_are_put_together() -> None:
    first = {"hello": {"maxWireVersion": 17, "saslSupportedMechs": ["SCRAM-SHA-1"]}, "tls": True, "auth": "SCRAM-SHA-1"}
    second = {"hello": {"maxWireVersion": 21}, "buildInfo": {"version": "8"}}
    assert merge(first, second) == {
        "hello": {"maxWireVersion": 21, "saslSupportedMechs": ["SCRAM-SHA-1"]},
        "tls": True,
        "auth": "SCRAM-SHA-1",
        "buildInfo": {"version": "8"},
    }
    assert merge({}, {"tls": True})["tls"] is True
    assert merge(second, {}) == second
