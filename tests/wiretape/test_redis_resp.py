"""RESP: every type there and back, whichever way the bytes arrive, and nothing that hostile bytes can do."""

from __future__ import annotations

import pytest

from wiretape.errors import DecodeError
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.buffer import MAX_LINE
from wiretape.protocols.redis.requests import MAX_INLINE, Requests, quoted, recognises, words
from wiretape.protocols.redis.resp import INCOMPLETE, NULL_ARRAY, Reader, Value, encode

VALUES: list[tuple[bytes, Value]] = [
    (b"+OK\r\n", resp.Simple(b"OK")),
    (b"-ERR no\r\n", resp.Error(b"ERR no")),
    (b":-42\r\n", -42),
    (b"$5\r\na\r\nb!\r\n", b"a\r\nb!"),
    (b"$0\r\n\r\n", b""),
    (b"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", [1, [b"x"]]),
    (b"*0\r\n", []),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b"#f\r\n", False),
    (b",1.50\r\n", resp.Double(b"1.50")),
    (b",-inf\r\n", resp.Double(b"-inf")),
    (b"(123456789012345678901234567890\r\n", resp.BigNumber(b"123456789012345678901234567890")),
    (b"!8\r\nERR a\r\nb\r\n", resp.BlobError(b"ERR a\r\nb")),
    (b"=6\r\ntxt:hi\r\n", resp.Verbatim(b"txt:hi")),
    (b"%1\r\n$1\r\na\r\n*1\r\n_\r\n", resp.Map([b"a", [None]])),
    (b"~2\r\n:1\r\n:2\r\n", resp.Set([1, 2])),
    (b">2\r\n$1\r\na\r\n:1\r\n", resp.Push([b"a", 1])),
]
STREAMED: list[tuple[bytes, Value]] = [
    (b"$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n", b"Hello"),
    (b"*?\r\n:1\r\n$?\r\n;2\r\nab\r\n;0\r\n.\r\n", [1, b"ab"]),
    (b"%?\r\n+a\r\n:1\r\n.\r\n", resp.Map([resp.Simple(b"a"), 1])),
    (b"$-1\r\n", None),
    (b"*-1\r\n", NULL_ARRAY),
]


def alike(left: Value, right: Value) -> bool:
    if isinstance(left, list):
        return type(left) is type(right) and len(left) == len(right) and all(map(alike, left, right))  # type: ignore[arg-type]
    return type(left) is type(right) and left == right


@pytest.mark.parametrize(("data", "value"), VALUES + STREAMED, ids=lambda each: repr(each)[:20])
def test_a_value_is_read_however_it_arrives(data: bytes, value: Value) -> None:
    whole, single = Reader(), Reader()
    whole.push(data + b":7\r\n")
    assert alike(whole.value(), value)
    assert whole.value() == 7
    for at in range(len(data)):
        assert single.value() is INCOMPLETE
        single.push(data[at : at + 1])
    assert alike(single.value(), value)


@pytest.mark.parametrize(("data", "value"), VALUES, ids=lambda each: repr(each)[:20])
def test_a_value_is_written_as_it_was_read(data: bytes, value: Value) -> None:
    assert encode(value, 3) == data


def test_resp2_has_other_words() -> None:
    value = resp.Map(
        [b"a", resp.Double(b"1.5"), b"b", resp.Set([True]), b"c", None, b"d", NULL_ARRAY, b"e", resp.Verbatim(b"txt:x")]
    )
    assert encode(value, 2) == (
        b"*10\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n*1\r\n:1\r\n$1\r\nc\r\n$-1\r\n$1\r\nd\r\n*-1\r\n$1\r\ne\r\n$1\r\nx\r\n"
    )
    assert encode(resp.BlobError(b"ERR a\r\nb"), 2) == b"-ERR a  b\r\n"


def test_an_attribute_stands_beside_its_value() -> None:
    reader = Reader()
    reader.push(b"|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n*1\r\n|1\r\n+a\r\n:1\r\n:5\r\n")
    assert reader.value() == b"x"
    assert reader.attribute == resp.Attribute([b"ttl", 3])
    assert reader.value() == [5]


@pytest.mark.parametrize(
    "data",
    [
        b"?\r\n",
        b"\r\n",
        b":x\r\n",
        b":\r\n",
        b"$x\r\n",
        b"$-2\r\n",
        b"$1\r\nabc",
        b"*-2\r\n",
        b"*99999999999\r\n",
        b"#x\r\n",
        b",x\r\n",
        b"(x\r\n",
        b"(" + b"9" * 5000 + b"\r\n",
        b"_x\r\n",
        b".\r\n",
        b";1\r\na\r\n",
        b"$300000000\r\n",
        b"*4194305\r\n",
        b"*1\r\n" * 65,
        b"*1\r\n.\r\n",
        b"%?\r\n:1\r\n.\r\n",
        b"+" + b"a" * (MAX_LINE + 1),
    ],
    ids=lambda data: repr(data[:16]),
)
def test_what_is_no_resp_is_said_to_be_none(data: bytes) -> None:
    reader = Reader()
    reader.push(data)
    with pytest.raises(DecodeError):
        list(iter(reader.value, INCOMPLETE))


def test_a_large_reply_in_many_pieces_is_read_once() -> None:
    """What was read of an aggregate is not read again: with quadratic work this would take minutes."""
    reader, item = Reader(), b"$3\r\nabc\r\n"
    reader.push(b"*300000\r\n")
    for _ in range(3000):
        assert reader.value() is INCOMPLETE
        reader.push(item * 100)
    value = reader.value()
    assert isinstance(value, list)
    assert len(value) == 300_000


REQUESTS = [
    (b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", (b"GET", b"a")),
    (b"PING\r\n", (b"PING",)),
    (b'\r\n\n  set a \'b c\' "d\\x41\\n\\""\n', (b"set", b"a", b"b c", b'dA\n"')),
    (b"*0\r\n*-1\r\n*1\r\n$0\r\n\r\n", (b"",)),
    (b"\r\n*1\r\n$4\r\nPING\r\n", (b"PING",)),
]


@pytest.mark.parametrize(("data", "argv"), REQUESTS)
def test_a_command_is_read_however_it_arrives(data: bytes, argv: tuple[bytes, ...]) -> None:
    whole, single = Requests(), Requests()
    whole.push(data * 2)
    assert [whole.next(), whole.next(), whole.next()] == [argv, argv, None]
    for at in range(len(data)):
        assert single.next() is None
        single.push(data[at : at + 1])
    assert single.next() == argv


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*1048577\r\n", "invalid multibulk length"),
        (b"*1\r\nGET\r\n", "expected '$', got 'G'"),
        (b"*1\r\n\r\n", "expected '$', got ' '"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$999999999\r\n", "invalid bulk length"),
        (b"get 'a\n", "unbalanced quotes"),
        (b'get "a"b\n', "unbalanced quotes"),
        (b"x" * (MAX_INLINE + 1), "too big inline request"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_command_is_said_in_the_servers_words(data: bytes, reason: str) -> None:
    requests = Requests()
    requests.push(data)
    with pytest.raises(DecodeError, match=f"^Protocol error: .*{reason}" if reason[0] != "e" else "Protocol error: expected"):
        requests.next()


@pytest.mark.parametrize(
    "word", [b"", b"a", b"a b", b'"', b"'a'", b"\xff\xfe", "é ✓".encode(), b"\n\t\\", b"a\x00b", "\u3000".encode()]
)
def test_a_quoted_word_is_read_back(word: bytes) -> None:
    assert words(f"GET {quoted(word)} end".encode()) == (b"GET", word, b"end")


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"*1\r\n$4\r\nPING\r\n", True),
        (b"*2\r\n$4\r\nAU", True),
        (b"PING\r\n", True),
        (b"hello 3\n", True),
        (b"*2\r", None),
        (b"", None),
        (b"PIN", None),
        (b"GET / HTTP/1.1\r\n", False),
        (b"POST / HTTP/1.1\r\n", False),
        (b"\x16\x03\x01", False),
        (b"\0\0\0\x08", False),
        (b"*x", False),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_connection_is_recognised_by_its_first_bytes(data: bytes, verdict: bool | None) -> None:
    assert recognises(data, b"") is verdict
