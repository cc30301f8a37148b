"""Raw TCP: turns, what they look like in a case, and what is answered."""

from __future__ import annotations

import pytest

from tests.laws.book import Book
from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.raw import CODEC, MAX_MESSAGE, PATIENCE, PAUSE, RawResponder, RawTap

C, S = Side.CLIENT, Side.SERVER


def read(*chunks: tuple[Side, bytes, float], tap: RawTap | None = None) -> list[Interaction]:
    tap = tap or RawTap()
    found = [each for side, data, at in chunks for each in tap.feed(side, data, at)]
    return found + list(tap.close(9.0))


def said(*chunks: tuple[Side, bytes, float]) -> list[tuple[str, object]]:
    return [(each.operation, each.fields) for each in read(*chunks)]


def test_turns_are_readable() -> None:
    assert said((C, b"EHLO x\r\n", 1), (S, b"250-a\r\n", 1), (S, b"250 b\r\n", 1), (C, b"QUIT\r\n", 2)) == [
        ("EHLO x\r\n", {"reply": "250-a\r\n250 b\r\n"}),
        ("QUIT\r\n", {}),
    ]
    assert said((C, b"\0\1", 1), (S, b"\xff", 1)) == [("send", {"sent": b"\0\1", "reply": b"\xff"})]


def test_times_are_those_of_the_first_and_the_last_byte() -> None:
    (turn,) = read((C, b"a", 1.0), (C, b"b", 1.1), (S, b"c", 1.2), (S, b"d", 1.5))
    assert (turn.operation, turn.started, turn.ended) == ("ab", 1.0, 1.5)


def test_a_greeting_is_a_fact() -> None:
    tap = RawTap()
    assert read((S, b"220 hello\r\n", 1), (C, b"QUIT\r\n", 2), tap=tap)[0].fields == {}
    assert tap.facts == {"greeting": "220 hello\r\n"}
    assert CODEC.responder(tap.facts, Book(CODEC, []), "x").greet() == b"220 hello\r\n"


def test_a_one_way_stream_falls_into_its_messages() -> None:
    assert [each for each, _ in said((C, b"a:1", 1), (C, b"|c", 1 + PAUSE / 2), (C, b"b:1|c", 3))] == ["a:1|c", "b:1|c"]


def test_how_the_server_ended() -> None:
    for reset in (False, True):
        tap = RawTap()
        list(tap.feed(C, b"whois x\r\n", 1))
        list(tap.feed(S, b"nobody\r\n", 1))
        tap.server_ended(reset=reset)
        (turn,) = tap.close(2)
        assert turn.fields == ({"reply": "nobody\r\n"} if reset else {"reply": "nobody\r\n", "closes": True})
        assert turn.incomplete == ("the server reset the connection" if reset else "")


def test_too_much_is_an_error() -> None:
    tap = RawTap()
    list(tap.feed(C, b"x" * MAX_MESSAGE, 1))
    with pytest.raises(DecodeError, match="more than"):
        list(tap.feed(C, b"x", 1))


def responder(*calls: Call) -> tuple[RawResponder, Book]:
    book = Book(CODEC, calls)
    return RawResponder({}, book, "x"), book


def test_equal_bytes_are_answered_however_they_come() -> None:
    one, book = responder(
        Call(target="x", operation="GET a\r\n", fields={"reply": "1\r\n"}),
        Call(target="x", operation="send", fields={"sent": b"\0\1", "reply": b"\2"}),
        Call(target="x", operation="QUIT\r\n", fields={"closes": True}),
    )
    assert one.receive(b"GET a\r\n") == b"1\r\n"
    assert [one.receive(b"\0"), one.receive(b"\1")] == [b"", b"\2"]
    assert one.pause is None
    assert one.receive(b"QUIT\r\n") == b""
    assert one.closed
    assert book.misses == []


def test_an_edited_reply_is_served_as_text_or_bytes() -> None:
    one, _ = responder(Call(target="x", operation="a", fields={"reply": "größer\n"}))
    assert one.receive(b"a") == "größer\n".encode()


def test_what_nothing_equals_is_waited_for_and_then_missed() -> None:
    one, book = responder(Call(target="x", operation="GET a\r\n", fields={"reply": "1"}))
    assert one.receive(b"GET ") == b""
    first = one.pause
    assert first is not None
    assert first >= PATIENCE
    assert one.receive(b"b\r\n") == b""
    assert one.pause != first  # the wait begins anew
    assert one.tick() == b""
    assert one.closed
    assert [ask.operation for ask in book.misses] == ["GET b\r\n"]
    assert one.receive(b"more") == b""


def test_too_long_a_message_is_a_miss_at_once() -> None:
    one, book = responder()
    one.receive(b"\0" * (MAX_MESSAGE + 1))
    assert one.closed
    assert len(book.misses) == 1


@pytest.mark.parametrize(
    ("fields", "path"),
    [({"reply": 1}, "reply"), ({"sent": []}, "sent"), ({"closes": "x"}, "closes"), ({"answer": "x"}, "answer")],
)
def test_what_cannot_be_served(fields: dict[str, object], path: str) -> None:
    (problem,) = CODEC.check(Call(target="x", operation="a", fields=fields))  # type: ignore[arg-type]
    assert problem.path == path
