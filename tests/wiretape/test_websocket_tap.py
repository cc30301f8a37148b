"""WebSockets off the wire: frames in, one exchange with its messages out."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http import Exchange, HttpTap

type Talk = list[tuple[Side, bytes]]
C, S = Side.CLIENT, Side.SERVER
ASK = (C, b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n")


def answer(extensions: str = "") -> tuple[Side, bytes]:
    more = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    return S, f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n{more}\r\n".encode()


def frame(opcode: int, data: bytes, *, final: bool = True, packed: bool = False, mask: bytes = b"") -> bytes:
    head = bytes([opcode | (final << 7) | (packed << 6)])
    length = len(data) if len(data) < 126 else 126 if len(data) < 65536 else 127
    number = len(data).to_bytes({126: 2, 127: 8}[length]) if length > 125 else b""
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)) if mask else data
    return head + bytes([length | (bool(mask) << 7)]) + number + mask + masked


def sent(opcode: int, data: bytes, **more: bool) -> tuple[Side, bytes]:
    return C, frame(opcode, data, mask=b"\x01\x02\x03\x04", **more)


def told(opcode: int, data: bytes, **more: bool) -> tuple[Side, bytes]:
    return S, frame(opcode, data, **more)


class Packer:
    def __init__(self, *, forgets: bool = False) -> None:
        self._forgets = forgets
        self._deflate = zlib.compressobj(wbits=-15)

    def __call__(self, text: bytes) -> bytes:
        data = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self._forgets:
            self._deflate = zlib.compressobj(wbits=-15)
        return data[:-4]


def plain() -> Talk:
    return [
        ASK,
        answer(),
        told(1, b"hello"),
        sent(1, "grüße".encode()),
        sent(9, b"ping"),
        told(10, b"ping"),
        sent(1, b"in ", final=False),
        sent(9, b""),
        sent(0, b"pie", final=False),
        sent(0, b"ces"),
        told(2, b"\x00" * 70_000),
        told(2, b"\x01" * 200),
        sent(8, b"\x03\xe8bye"),
        told(8, b"\x03\xe8"),
    ]


def deflated(client: str, server: str) -> Talk:
    to, back = Packer(forgets=bool(client)), Packer(forgets=bool(server))
    talk = [ASK, answer("; ".join(filter(None, ["permessage-deflate", client, server])))]
    for turn in range(3):
        talk.append(sent(1, to(b"the same words again and again %d" % turn), packed=True))
        talk.append(told(1, back(b"other words again and again %d" % turn), packed=True))
    piece = to(b"in pieces")
    talk += [sent(1, piece[:4], final=False, packed=True), sent(0, piece[4:])]
    return [*talk, told(1, b"not compressed")]


TALKS = {
    "plain": plain(),
    "deflate": deflated("", ""),
    "deflate, forgetful": deflated("client_no_context_takeover", "server_no_context_takeover"),
}


def read(talk: Talk, max_body: int = 100_000) -> list[Exchange]:
    tap = HttpTap(max_body)
    found = [each for side, data in talk for each in tap.feed(side, data, 1.0)]
    return found + list(tap.close(1.0))


def spoken(exchange: Exchange) -> list[tuple[str, str, bytes]]:
    return [(message.side.value[0], message.kind, message.data) for message in exchange.messages]


def test_a_plain_conversation() -> None:
    (each,) = read(TALKS["plain"])
    assert (each.status, each.target, each.incomplete, each.is_websocket) == (101, "/ws", "", True)
    assert spoken(each) == [
        ("s", "text", b"hello"),
        ("c", "text", "grüße".encode()),
        ("c", "text", b"in pieces"),
        ("s", "binary", b"\x00" * 70_000),
        ("s", "binary", b"\x01" * 200),
        ("c", "close", b"\x03\xe8bye"),
        ("s", "close", b"\x03\xe8"),
    ]


@pytest.mark.parametrize("name", ["deflate", "deflate, forgetful"])
def test_compressed_messages(name: str) -> None:
    (each,) = read(TALKS[name])
    said = [data for side, _, data in spoken(each) if side == "c"]
    assert said == [*(b"the same words again and again %d" % turn for turn in range(3)), b"in pieces"]
    assert spoken(each)[-1] == ("s", "text", b"not compressed")
    assert not each.incomplete


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(TALKS)), st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_any_split_gives_the_same_messages(name: str, sizes: list[int]) -> None:
    pieces: Talk = []
    for side, data in TALKS[name]:
        rest, turn = data, 0
        while rest:
            size = sizes[turn % len(sizes)]
            pieces.append((side, rest[:size]))
            rest, turn = rest[size:], turn + 1
    assert read(pieces) == read(TALKS[name])


def test_frames_right_behind_the_handshake() -> None:
    (each,) = read([ASK, (S, answer()[1] + frame(1, b"at once"))])
    assert spoken(each) == [("s", "text", b"at once")]


def test_the_exchange_ends_with_both_goodbyes() -> None:
    tap = HttpTap(1000)
    found: list[list[Exchange]] = []
    for side, data in [ASK, answer(), sent(8, b""), told(8, b"")]:
        assert tap.endless == (len(found) > 1)
        found.append(list(tap.feed(side, data, 1.0)))
    assert [len(each) for each in found] == [0, 0, 0, 1]
    assert tap.idle


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        ([told(1, b"hello")[1][:-1]], "the connection ended within a WebSocket message"),
        ([told(1, b"hello", final=False)[1]], "the connection ended within a WebSocket message"),
        ([told(1, b"hello")[1]], ""),
        ([told(1, b"x" * 2000)[1]], "WebSocket messages of 2064 bytes are over the limit of 1000 (--max-body)"),
        ([told(1, b"")[1] * 20], "WebSocket messages of 1280 bytes are over the limit of 1000 (--max-body)"),
    ],
)
def test_what_is_cut_or_too_large_is_said(talk: list[bytes], reason: str) -> None:
    (each,) = read([ASK, answer(), *((S, data) for data in talk)], max_body=1000)
    assert each.incomplete == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (told(3, b"")[1], "not a WebSocket frame"),
        (told(1, b"x", packed=True)[1], "not a WebSocket frame"),
        (told(0, b"x")[1], "a WebSocket message that begins within another"),
        (told(1, b"x", final=False)[1] + told(2, b"y")[1], "a WebSocket message that begins within another"),
        (told(9, b"x" * 126)[1], "a control frame"),
        (told(8, b"", final=False)[1], "a control frame"),
        (b"\x82\x7f" + b"\xff" * 8, "a WebSocket frame longer than any can be"),
    ],
)
def test_what_is_no_websocket(data: bytes, reason: str) -> None:
    tap = HttpTap(1000)
    for side, chunk in (ASK, answer()):
        assert list(tap.feed(side, chunk, 1.0)) == []
    feed = tap.feed(S, data, 1.0)
    assert next(feed).incomplete.startswith(f"cannot read the WebSocket: {reason}")
    with pytest.raises(DecodeError, match=reason):
        next(feed)


def test_bytes_that_do_not_decompress() -> None:
    talk = [ASK, answer("permessage-deflate"), told(1, b"\xff\xff\xff\xff", packed=True)]
    with pytest.raises(DecodeError, match="does not decompress"):
        read(talk)


def test_a_bomb_costs_no_memory() -> None:
    packed = Packer()(b"\x00" * 50_000_000)
    assert len(packed) < 100_000
    (each,) = read([ASK, answer("permessage-deflate"), told(2, packed, packed=True)], max_body=1000)
    assert each.incomplete == "WebSocket messages of 50000064 bytes are over the limit of 1000 (--max-body)"
    assert each.messages == ()


def test_a_frame_of_an_exabyte_costs_nothing() -> None:
    (each,) = read([ASK, answer(), (S, b"\x82\x7f" + (1 << 60).to_bytes(8) + b"abc")])
    assert each.incomplete == "the connection ended within a WebSocket message"
