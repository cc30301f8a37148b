"""Packets: framing, the log-in, and that every message survives its own encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wiretape.mysqltalk import CLASSIC, MODERN, greeting, login, packed, unpacked
from wiretape.errors import DecodeError
from wiretape.protocols import recognised
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.fields import read_lenenc, read_text, write_lenenc, write_text
from wiretape.protocols.mysql.framing import MAX_PAYLOAD, WHOLE, Packer, Stream, recognises
from wiretape.protocols.mysql.handshake import Greeting, Login, clear_capabilities
from wiretape.protocols.mysql.packets import Column, Err, Ok
from wiretape.protocols.wire import Cursor


@pytest.mark.parametrize("size", [0, 1, 250, 251, WHOLE - 1, WHOLE, WHOLE + 1, 2 * WHOLE])
def test_payloads_of_any_size(size: int) -> None:
    payload = b"x" * size
    data = Packer(255).pack(payload)
    assert data[3] == 255
    assert unpacked(data) == [payload]
    stream = Stream()
    for at in range(0, len(data), 1 << 20):
        assert stream.packet() is None
        stream.push(data[at : at + (1 << 20)])
    assert stream.packet() == (255, payload)


def test_a_payload_that_never_ends_is_refused() -> None:
    stream = Stream()
    part = b"\xff\xff\xff\x00" + bytes(WHOLE)
    for _ in range(MAX_PAYLOAD // WHOLE):
        stream.push(part)
        assert stream.packet() is None
    stream.push(part)
    with pytest.raises(DecodeError, match="a packet of more than"):
        stream.packet()


@given(st.integers(0, 2**64 - 1))
def test_numbers_with_their_length(value: int) -> None:
    assert read_lenenc(Cursor(write_lenenc(value))) == value


@given(st.binary(max_size=300))
def test_texts_with_their_length(value: bytes) -> None:
    assert read_text(Cursor(write_text(value))) == value


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**16 - 1),
    st.binary(max_size=9),
)
def test_ok_survives(affected: int, inserted: int, status: int, warnings: int, info: bytes) -> None:
    told = Ok(affected=affected, last_insert_id=inserted, status=status & ~0x4000, warnings=warnings, info=info)
    assert Ok.decode(told.encode(), Cap.SESSION_TRACK) == told
    assert Ok.decode(told.encode(), 0) == told


def test_changes_of_a_session_survive() -> None:
    told = Ok(changes={"schema": b"app", "autocommit": b"OFF"}, status=0x4002)
    assert Ok.decode(told.encode(), Cap.SESSION_TRACK) == told


def test_errors_survive() -> None:
    for told in (Err(code=1062, state="23000", message=b"x"), Err(code=1040, state="", message=b"Too many connections")):
        assert Err.decode(told.encode()) == told
    with pytest.raises(ValueError, match="SQLSTATE"):
        Err(code=1, state="abc", message=b"").encode()


@pytest.mark.parametrize("capabilities", [0, Cap.EXTENDED_METADATA])
def test_columns_survive(capabilities: int) -> None:
    told = Column(
        name=b"n", kind=3, collation=63, length=11, flags=3, decimals=2, table=b"a", org_table=b"t", org_name=b"o", schema=b"s",
        extended={"type": "uuid"} if capabilities else {},
    )  # fmt: skip
    assert Column.decode(told.encode(capabilities), capabilities) == told


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC & ~Cap.LONG_PASSWORD | Cap.EXTENDED_METADATA | Cap.CACHE_METADATA])
def test_greetings_survive_and_lose_what_is_cleared(capabilities: int) -> None:
    (payload,) = unpacked(greeting(capabilities))
    told = Greeting.decode(payload)
    assert told.encode() == payload
    assert told.capabilities == capabilities
    unwanted = Cap.SESSION_TRACK | Cap.CACHE_METADATA | Cap.MULTI_RESULTS
    cleared = clear_capabilities(payload, unwanted)
    assert Greeting.decode(cleared).capabilities == capabilities & ~unwanted
    assert len(cleared) == len(payload)
    assert clear_capabilities(payload, 0) == payload


def test_log_ins() -> None:
    (payload,) = unpacked(login(MODERN, secret=b"hash"))
    told = Login.decode(payload)
    assert (told.user, told.secret, told.database, told.plugin) == (b"app", b"hash", b"app", "mysql_native_password")
    with pytest.raises(DecodeError, match=r"before MySQL 4\.1"):
        Login.decode(bytes(40))


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (b"", b"", None),
        (b"", greeting(), True),
        (b"", greeting()[:5], None),
        (b"", packed(b"\xff\x10\x04Too many connections"), True),
        (b"", b"+OK hello\r\n", False),
        (b"", b"220 mail\r\n", False),
        (b"GET / HTTP/1.1\r\n", b"", False),
    ],
)
def test_recognising(client: bytes, server: bytes, expected: bool | None) -> None:
    assert recognises(client, server) is expected


def test_no_other_codec_takes_a_greeting_for_its_own() -> None:
    assert recognised(b"", greeting()) == "mysql"
