"""MongoDB's messages on the wire: each round-trips, limits hold, compressed ones are opened, others are told apart."""

from __future__ import annotations

import struct
import zlib

import bson
import pytest
import zstandard

from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.mongo.framing import MAX_MESSAGE, Stream, recognises
from wiretape.protocols.mongo.messages import (
    CHECKSUM,
    EXHAUST,
    MORE_TO_COME,
    OP_COMPRESSED,
    OP_MSG,
    OP_QUERY,
    OP_REPLY,
    OpCompressed,
    OpMsg,
    OpQuery,
    OpReply,
    Section,
    frame,
)
from wiretape.protocols.wire import Message

PING, PONG = bson.encode({"ping": 1, "$db": "admin"}), bson.encode({"ok": 1.0})
BODY = Section(documents=(PING,))
SEQUENCE = Section(name="documents", documents=(PONG, PING))


@pytest.mark.parametrize(
    "message",
    [
        OpMsg(sections=(BODY,)),
        OpMsg(flags=MORE_TO_COME | EXHAUST, sections=(SEQUENCE, BODY, Section(name="empty", documents=()))),
        OpMsg(flags=CHECKSUM, sections=(BODY, SEQUENCE), checksum=b"\x01\x02\x03\x04"),
        OpQuery(flags=4, collection="admin.$cmd", skip=1, count=-1, documents=(PING, PONG)),
        OpReply(flags=8, cursor=-5, start=1, count=1, documents=(PONG,)),
        OpCompressed(opcode=OP_MSG, size=70, compressor=2, data=b"\x00\x01"),
    ],
)
def test_a_message_round_trips(message: Message) -> None:
    assert type(message).decode(message.body()) == message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x04\0\0\0\0" + PING, "flags 0x4 that are not known"),
        (b"\0\0\0\0\x02" + PING, "a section of kind 2"),
        (b"\0\0\0\0", "a message must have one body"),
        (b"\0\0\0\0\0" + PING + b"\0" + PING, "a message must have one body"),
        (b"\0\0\0\0\0\x04\0\0\0", "a document of 4 bytes"),
        (b"\0\0\0\0\0\xff\xff\xff\x7f", "need 2147483647 bytes, have 4"),
        (b"\0\0\0\0\0\xff\xff\xff\xff", "a document of -1 bytes"),
        (b"\0\0\0\0\x01\x04\0\0\0", "a sequence of 4 bytes"),
        (b"\0\0\0\0\x01\xff\0\0\0ab\0", "need 251 bytes, have 3"),
        (b"\0\0\0\0\x01\x06\0\0\0ab", "missing terminator"),
        (b"\0\0\0\0\x01\x05\0\0\0\0", "a sequence of documents without a name"),
        (b"\x01\0\0\0\0", "need -3 bytes, have 1"),
    ],
)
def test_a_message_that_is_none_is_said_to_be(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        OpMsg.decode(data)


def packed(compressor: int, data: bytes, size: int | None = None, opcode: int = OP_MSG) -> bytes:
    body = OpMsg(sections=(BODY,)).body()
    message = OpCompressed(opcode=opcode, size=len(body) if size is None else size, compressor=compressor, data=data)
    return frame(OP_COMPRESSED, message.body(), request=7)


PLAIN = OpMsg(sections=(BODY,)).body()


@pytest.mark.parametrize(
    ("compressor", "data"), [(0, PLAIN), (2, zlib.compress(PLAIN)), (3, zstandard.ZstdCompressor().compress(PLAIN))]
)
def test_a_compressed_message_is_opened(compressor: int, data: bytes) -> None:
    stream = Stream(Side.CLIENT)
    stream.push(packed(compressor, data))
    found = stream.next()
    assert found is not None
    assert (found.opcode, found.body, found.request) == (OP_MSG, PLAIN, 7)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed(1, b"x"), "snappy cannot be read: take compressors=snappy out of the connection string"),
        (packed(9, b"x"), "there is no compressor 9"),
        (packed(2, b"no zlib"), "a compressed message cannot be read"),
        (packed(3, b"x"), "a compressed message cannot be read"),
        (packed(2, zlib.compress(PLAIN), size=5), "a compressed message has 6 bytes, not 5"),
        (packed(2, zlib.compress(PLAIN), size=MAX_MESSAGE + 1), "has 48000001 bytes uncompressed"),
        (packed(2, zlib.compress(PLAIN), size=-1), "has -1 bytes uncompressed"),
        (packed(2, zlib.compress(PLAIN), opcode=OP_COMPRESSED), "no message has the opcode 2012"),
        (packed(2, zlib.compress(PLAIN), opcode=OP_REPLY), "no message has the opcode 1"),
        (struct.pack("<iiii", MAX_MESSAGE + 1, 0, 0, OP_MSG), "a message of 48000001 bytes"),
        (struct.pack("<iiii", 16, 0, 0, OP_MSG), "a message of 16 bytes"),
        (struct.pack("<iiii", -1, 0, 0, OP_MSG), "a message of -1 bytes"),
        (struct.pack("<iiii", 99, 0, 0, 2002), "OP_INSERT is not read: drivers of today speak OP_MSG"),
        (b"\x16\x03\x01\x02\x00" + bytes(20), "this connection is encrypted"),
        (b"GET / HTTP/1.1\r\n", "no message has the opcode"),
    ],
)
def test_what_cannot_be_read_is_said_at_once(data: bytes, reason: str) -> None:
    stream = Stream(Side.CLIENT)
    stream.push(data)
    with pytest.raises(DecodeError, match=reason):
        stream.next()


def test_a_bomb_does_not_go_off() -> None:
    stream = Stream(Side.CLIENT)
    stream.push(packed(2, zlib.compress(bytes(100_000_000), 9), size=1000))
    with pytest.raises(DecodeError, match="a compressed message has 1001 bytes, not 1000"):
        stream.next()


def test_messages_come_out_however_they_arrive() -> None:
    data = frame(OP_MSG, PLAIN, request=1) + frame(OP_QUERY, OpQuery(collection="a.$cmd", documents=(PING,)).body(), request=2)
    stream, found = Stream(Side.CLIENT), []
    for byte in data:
        stream.push(bytes([byte]))
        while one := stream.next():
            found.append((one.opcode, one.request, one.at))
    assert found == [(OP_MSG, 1, 0), (OP_QUERY, 2, 16 + len(PLAIN))]


@pytest.mark.parametrize(
    ("client", "server", "answer"),
    [
        (b"", b"", None),
        (b"\x40", b"", None),
        (frame(OP_MSG, PLAIN, request=1)[:15], b"", None),
        (frame(OP_MSG, PLAIN, request=1), b"", True),
        (frame(OP_QUERY, b"x", request=1), b"", True),
        (frame(2004, b"x", request=1, response_to=9), b"", False),
        (b"", b"220 smtp", False),
        (b"GET / HTTP/1.1\r\n", b"", False),
        (b"*1\r\n$4\r\nPING\r\n", b"", False),
        (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"", False),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20), b"", False),
    ],
)
def test_a_connection_is_recognised_by_its_first_bytes(client: bytes, server: bytes, answer: bool | None) -> None:
    assert recognises(client, server) is answer
