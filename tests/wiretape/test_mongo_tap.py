"""What the tap makes of a conversation, told message by message."""

from __future__ import annotations

import zlib
from typing import Any

import bson
import pytest

from tests.wiretape.mongo import asked, cursor, replied
from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.mongo import reading
from wiretape.protocols.mongo.messages import (
    EXHAUST,
    MORE_TO_COME,
    OP_COMPRESSED,
    OP_MSG,
    OP_QUERY,
    OP_REPLY,
    OpCompressed,
    OpQuery,
    OpReply,
    frame,
)
from wiretape.protocols.mongo.tap import MongoTap

C, S = Side.CLIENT, Side.SERVER
FIND = {"find": "u", "filter": {}}


def more(number: int, **body: Any) -> dict[str, Any]:
    return {"getMore": bson.Int64(number), "collection": "u", **body}


def told(*said: tuple[Side, bytes], close: bool = True) -> tuple[list[Interaction], MongoTap]:
    tap = MongoTap()
    out = [one for at, (side, data) in enumerate(said) for one in tap.feed(side, data, float(at))]
    return out + (list(tap.close(99.0)) if close else []), tap


def brief(found: list[Interaction]) -> list[tuple[str, dict[str, Any]]]:
    return [(one.operation, dict(one.fields)) for one in found]


def test_a_reply_belongs_to_the_request_it_names() -> None:
    found, _ = told(
        (C, asked(1, {"count": "a"})), (C, asked(2, {"count": "b"})),
        (S, replied(2, {"n": 2, "ok": 1.0})), (S, replied(1, {"n": 1, "ok": 1.0})),
    )  # fmt: skip
    assert brief(found) == [("count shop.b", {"reply": {"n": 2}}), ("count shop.a", {"reply": {"n": 1}})]
    assert [(one.started, one.ended) for one in found] == [(1.0, 2.0), (0.0, 3.0)]


def test_what_every_reply_has_is_left_out() -> None:
    noise = {"ok": 1.0, "$clusterTime": {}, "operationTime": bson.Timestamp(1, 1), "electionId": bson.ObjectId(), "opTime": {}}
    found, _ = told((C, asked(1, {"insert": "u"}, documents=[{"a": 1}])), (S, replied(1, {"n": 1, **noise})))
    assert brief(found) == [("insert shop.u", {"documents": [{"a": 1}], "reply": {"n": 1}})]


def test_a_failure_is_an_error() -> None:
    body = {"ok": 0.0, "errmsg": "no", "code": 59, "codeName": "CommandNotFound"}
    found, _ = told((C, asked(1, {"odd": "u"})), (S, replied(1, body)))
    assert brief(found) == [("odd shop.u", {"error": {"errmsg": "no", "code": 59, "codeName": "CommandNotFound"}})]


def test_batches_of_a_cursor_are_told_by_its_number_whichever_connection_they_come_over() -> None:
    found, _ = told(
        (C, asked(1, {**FIND, "batchSize": 1})), (S, replied(1, cursor([{"a": 1}], 7))),
        (C, asked(2, more(7))), (S, replied(2, cursor([{"a": 2}], 7, "nextBatch"))),
        (C, asked(3, {"killCursors": "u", "cursors": [bson.Int64(7)]})), (S, replied(3, {"ok": 1.0})),
        (C, asked(4, more(8))), (S, replied(4, cursor([], 0, "nextBatch"))),
        close=False,
    )  # fmt: skip
    assert brief(found) == [
        ("find shop.u", {"found": [{"a": 1}], "cursor": 7}),
        ("getMore shop.u", {"cursor": 7, "found": [{"a": 2}]}),
        ("getMore shop.u", {"cursor": 8, "found": [], "exhausted": True}),
    ]


def test_a_cursor_that_fails_later_is_a_call_of_its_own() -> None:
    failure = {"ok": 0.0, "code": 43, "codeName": "CursorNotFound"}
    found, _ = told(
        (C, asked(1, FIND)), (S, replied(1, cursor([{"a": 1}], 7))), (C, asked(2, more(7))), (S, replied(2, failure))
    )  # fmt: skip
    assert brief(found) == [
        ("find shop.u", {"found": [{"a": 1}], "cursor": 7}),
        ("getMore shop.u", {"cursor": 7, "error": {"code": 43, "codeName": "CursorNotFound"}}),
    ]


@pytest.mark.parametrize("chained", [True, False])
def test_what_one_request_exhausts_is_one_batch(chained: bool) -> None:
    found, _ = told(
        (C, asked(1, FIND)), (S, replied(1, cursor([{"a": 1}], 7))),
        (C, asked(2, more(7), EXHAUST)),
        (S, replied(2, cursor([{"a": 2}], 7, "nextBatch"), MORE_TO_COME, request=50)),
        (S, replied(50 if chained else 2, cursor([{"a": 3}], 0, "nextBatch"))),
    )  # fmt: skip
    assert brief(found) == [
        ("find shop.u", {"found": [{"a": 1}], "cursor": 7}),
        ("getMore shop.u", {"cursor": 7, "found": [{"a": 2}, {"a": 3}], "exhausted": True}),
    ]
    assert [one.incomplete for one in found] == ["", ""]


@pytest.mark.parametrize(
    "body", [{"find": "u", "tailable": True, "awaitData": True}, {"aggregate": "u", "pipeline": [{"$changeStream": {}}]}]
)
def test_news_are_calls_of_their_own_and_no_news_are_none(body: dict[str, Any]) -> None:
    found, _ = told(
        (C, asked(1, body)), (S, replied(1, cursor([], -7))),
        (C, asked(2, more(-7))), (S, replied(2, cursor([], -7, "nextBatch"))),
        (C, asked(3, more(-7))), (S, replied(3, cursor([{"a": 1}], -7, "nextBatch"))),
    )  # fmt: skip
    assert [(one.operation, one.fields["found"], one.fields["cursor"]) for one in found] == [
        (found[0].operation, [], 7),
        ("getMore shop.u", [{"a": 1}], 7),
    ]
    assert found[1].started == found[1].ended == 5.0


def test_writes_without_a_reply_are_whole_at_once() -> None:
    body = {"insert": "u", "writeConcern": {"w": 0}}
    found, _ = told((C, asked(1, body, MORE_TO_COME, documents=[{"a": 1}])), close=False)
    assert brief(found) == [("insert shop.u", {"query": {"writeConcern": {"w": 0}}, "documents": [{"a": 1}]})]


def test_transactions_are_numbered() -> None:
    session = {"lsid": {"id": bson.Binary(bytes(16), 4)}, "autocommit": False}
    bodies: list[dict[str, Any]] = [
        {"insert": "u", **session, "txnNumber": bson.Int64(1), "startTransaction": True},
        {"count": "u"},
        {"commitTransaction": 1, **session, "txnNumber": bson.Int64(1)},
        {"insert": "u", **session, "txnNumber": bson.Int64(2), "startTransaction": True},
        {"abortTransaction": 1, **session, "txnNumber": bson.Int64(2)},
    ]
    found, _ = told(*(both for n, body in enumerate(bodies) for both in ((C, asked(n, body)), (S, replied(n, {"ok": 1.0})))))
    assert [(one.transaction, one.role) for one in found] == [
        (0, "query"), (None, "query"), (0, "end"), (1, "query"), (1, "end")
    ]  # fmt: skip


def test_chatter_is_not_a_call_but_tells_facts() -> None:
    hello = {"ok": 1.0, "maxWireVersion": 21, "minWireVersion": 0, "setName": "rs0", "hosts": ["a:1"], "topologyVersion": {}}
    query = OpQuery(collection="admin.$cmd", documents=(bson.encode({"isMaster": 1}),)).body()
    reply = OpReply(documents=(bson.encode(hello),)).body()
    found, tap = told(
        (C, frame(OP_QUERY, query, request=1)), (S, frame(OP_REPLY, reply, request=1, response_to=1)),
        (C, asked(2, {"ping": 1})), (S, replied(2, {"ok": 1.0})),
        (C, asked(3, {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": b"n,,"})), (S, replied(3, {"ok": 1.0})),
        (C, asked(4, {"buildInfo": 1})), (S, replied(4, {"version": "8.0.1", "ok": 1.0, "storageEngines": []})),
        (C, asked(5, {"endSessions": []}, MORE_TO_COME)),
        (C, asked(6, {"hello": 1})), (S, replied(6, {**hello, "ok": 1.0})),
    )  # fmt: skip
    assert found == []
    assert tap.facts == {
        "hello": {"maxWireVersion": 21, "minWireVersion": 0, "setName": "rs0", "hosts": ["a:1"]},
        "auth": "SCRAM-SHA-256",
        "buildInfo": {"version": "8.0.1"},
    }


def test_what_a_driver_asks_of_a_server_is_housekeeping() -> None:
    found, _ = told((C, asked(1, {"hostInfo": 1})), (S, replied(1, {"system": {}, "ok": 1.0})))
    assert [(one.operation, one.role) for one in found] == [("hostInfo shop", "housekeeping")]


def test_an_answer_that_never_came_is_said_to_be_missing() -> None:
    found, _ = told((C, asked(1, {"count": "u"})))
    assert [(one.operation, one.incomplete) for one in found] == [("count shop.u", reading.UNANSWERED)]
    streamed = replied(2, cursor([{"a": 1}], 7, "nextBatch"), MORE_TO_COME, request=50)
    found, _ = told((C, asked(2, more(7), EXHAUST)), (S, streamed))
    assert [(one.operation, one.incomplete) for one in found] == [("getMore shop.u", reading.UNANSWERED)]
    assert told((C, asked(1, {"hello": 1})))[0] == []


def test_compressed_messages_are_read_like_others() -> None:
    def compressed(data: bytes) -> bytes:
        message = OpCompressed(opcode=OP_MSG, size=len(data) - 16, compressor=2, data=zlib.compress(data[16:]))
        request, to = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8))
        return frame(OP_COMPRESSED, message.body(), request=request, response_to=to)

    found, _ = told((C, compressed(asked(1, {"count": "u"}))), (S, compressed(replied(1, {"n": 3, "ok": 1.0}))))
    assert brief(found) == [("count shop.u", {"reply": {"n": 3}})]


def test_what_was_read_before_the_bytes_went_wrong_is_not_lost() -> None:
    tap = MongoTap()
    list(tap.feed(C, asked(1, {"count": "u"}), 0.0))
    found = tap.feed(S, replied(1, {"n": 1, "ok": 1.0}) + bytes(16), 1.0)
    out = [next(iter(found))]
    with pytest.raises(DecodeError, match=r"no message has the opcode 0 at byte \d\d"):
        list(found)
    assert brief(out) == [("count shop.u", {"reply": {"n": 1}})]
    assert list(tap.feed(C, asked(2, {"count": "u"}), 2.0)) == []
    assert list(tap.close(3.0)) == []


def test_a_reply_to_what_was_asked_before_the_recording_is_passed_over() -> None:
    assert told((S, replied(9, {"ok": 1.0})))[0] == []


def test_requests_without_replies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.protocols.mongo.tap._MOST_WAITING", 3)
    with pytest.raises(DecodeError, match="more than 3 requests without a reply"):
        told(*((C, asked(n, {"count": "u"})) for n in range(4)))
