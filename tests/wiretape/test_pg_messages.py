"""Every message round-trips, and no length or count in one is believed before it is checked."""

from __future__ import annotations

import inspect
import struct
import typing
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.postgres import backend, frontend, messages
from wiretape.protocols.postgres.framing import MAX_MESSAGE, Stream
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.wire import Cursor, Message

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
NAME = TEXT.filter(bool)
# the wires of these fields take less than their Python type
SPECIAL: dict[tuple[str, str], st.SearchStrategy[object]] = {
    ("AuthenticationMD5Password", "salt"): st.binary(min_size=4, max_size=4),
    ("AuthenticationSASL", "mechanisms"): st.lists(NAME, max_size=3).map(tuple),
    ("StartupMessage", "parameters"): st.lists(st.tuples(NAME, TEXT), max_size=3).map(tuple),
    ("ReadyForQuery", "status"): st.sampled_from([b"I", b"T", b"E"]),
    ("Describe", "kind"): st.sampled_from([b"S", b"P"]),
    ("Close", "kind"): st.sampled_from([b"S", b"P"]),
    ("ErrorResponse", "fields"): st.lists(st.tuples(st.sampled_from([b"S", b"C", b"M"]), TEXT), max_size=3).map(tuple),
    ("NoticeResponse", "fields"): st.lists(st.tuples(st.sampled_from([b"S", b"C", b"M"]), TEXT), max_size=3).map(tuple),
}
BYTES = st.binary(max_size=8)
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(0, 127),
    str: TEXT,
    bytes: BYTES,
    bytes | None: st.none() | BYTES,
    tuple[int, ...]: st.lists(st.integers(0, 127), max_size=4).map(tuple),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
    tuple[bytes | None, ...]: st.lists(st.none() | BYTES, max_size=4).map(tuple),
}


def kinds() -> Iterator[type[PgMessage]]:
    for module in (frontend, backend, messages):
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, PgMessage) and found is not PgMessage and found.__module__ == module.__name__:
                yield found


KINDS = list(kinds())


def strategy(kind: type[Message]) -> st.SearchStrategy[Message]:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {}
    for name, _ in kind.plan:
        plain = typing.get_args(hints[name])[0]
        if plain == tuple[backend.Column, ...]:
            fields[name] = st.lists(strategy(backend.Column), max_size=3).map(tuple)
        else:
            special = SPECIAL.get((kind.__name__, name))
            fields[name] = BY_TYPE[plain] if special is None else special
    return st.builds(kind, **fields)


def test_all_messages_of_the_protocol_are_there() -> None:
    assert len(KINDS) == 51
    assert len(frontend.FRONTEND) == 14
    assert len(backend.BACKEND) == 24


@given(st.sampled_from(KINDS).flatmap(strategy))
def test_every_message_round_trips(message: PgMessage) -> None:
    data = message.encode()
    assert data.startswith(message.tag)
    (length,) = struct.unpack_from(">I", data, len(message.tag))
    assert length == len(data) - len(message.tag)
    assert type(message).decode(data[len(message.tag) + 4 :]) == message


@given(st.sampled_from(KINDS), BYTES)
def test_any_body_is_a_message_or_a_decode_error(kind: type[PgMessage], body: bytes) -> None:
    try:
        message = kind.decode(body)
    except DecodeError:
        return
    assert kind.decode(message.encode()[len(kind.tag) + 4 :]) == message


@given(st.sampled_from(KINDS).flatmap(strategy))
def test_bytes_too_many_or_too_few_are_an_error(message: PgMessage) -> None:
    body = message.encode()[len(message.tag) + 4 :]
    swallows_the_rest = any(name in ("data", "key") for name, _ in message.plan)
    if not swallows_the_rest:
        with pytest.raises(DecodeError):
            type(message).decode(body + b"\1")
    if body and not swallows_the_rest:
        with pytest.raises(DecodeError):
            type(message).decode(body[:-1])


def test_a_count_is_checked_before_anything_is_allocated() -> None:
    with pytest.raises(DecodeError, match="65535 items in 2 bytes"):
        backend.DataRow.decode(b"\xff\xff\0\0")
    with pytest.raises(DecodeError, match="need 1073741824 bytes, have 0"):
        backend.DataRow.decode(b"\0\1\x40\0\0\0")
    with pytest.raises(DecodeError, match="need -2 bytes"):
        backend.DataRow.decode(b"\0\1\xff\xff\xff\xfe")


def test_text_keeps_bytes_that_are_no_utf8() -> None:
    assert frontend.Query.decode(b"\xe9\xff\0").encode() == b"Q\0\0\0\x07\xe9\xff\0"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (backend.CommandComplete(command="a\0b"), "CommandComplete.command"),
        (frontend.Execute(portal="", limit=1 << 31), "Execute.limit"),
        (backend.ReadyForQuery(status=b""), "ReadyForQuery.status"),
        (frontend.Parse(name="", sql="", types=(0,) * 65536), "Parse.types"),
        (backend.AuthenticationSASL(mechanisms=("",)), "AuthenticationSASL.mechanisms"),
    ],
)
def test_a_value_that_does_not_fit_is_named(message: PgMessage, field: str) -> None:
    with pytest.raises(EncodeError) as caught:
        message.encode()
    assert caught.value.path == field


def test_a_cursor_stops_at_its_end() -> None:
    cursor = Cursor(b"ab\0c")
    assert cursor.until(b"\0") == b"ab"
    assert cursor.left == 1
    with pytest.raises(DecodeError, match="missing terminator"):
        cursor.until(b"\0")


# Framing.


def test_messages_are_cut_wherever_the_bytes_are() -> None:
    data = frontend.Query(sql="select 1").encode() + frontend.Sync().encode()
    stream, found = Stream(), []
    for at in range(len(data)):
        stream.push(data[at : at + 1])
        while message := stream.message(frontend.FRONTEND):
            found.append((message, stream.offset))
    assert found == [((ord("Q"), b"select 1\0"), 14), ((ord("S"), b""), 19)]
    assert stream.left == 0


@pytest.mark.parametrize("length", [0, 3, MAX_MESSAGE + 1, 1 << 30, 0xFFFFFFFF])
def test_a_hostile_length_is_an_error_at_once(length: int) -> None:
    stream = Stream()
    stream.push(b"Q" + struct.pack(">I", length))
    with pytest.raises(DecodeError, match=f"a message of {length} bytes") as caught:
        stream.message(frontend.FRONTEND)
    assert caught.value.offset == 1


def test_an_unknown_tag_is_an_error_at_once() -> None:
    stream = Stream()
    stream.push(b"!")
    with pytest.raises(DecodeError, match="no message has the tag b'!' at byte 0"):
        stream.message(frontend.FRONTEND)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\n", "this is not PostgreSQL"),
        (b"\x16\x03\x01\x02\x00", "this connection is encrypted"),
        (b"\0\0\0\7", "cannot be 7 bytes long"),
        (b"\x40\0\0\0", "cannot be 1073741824 bytes long"),
    ],
)
def test_a_start_that_is_none_is_an_error_at_once(data: bytes, reason: str) -> None:
    stream = Stream()
    stream.push(data)
    with pytest.raises(DecodeError, match=reason):
        stream.startup()
