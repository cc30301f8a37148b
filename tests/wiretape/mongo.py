"""Hand-made messages of a MongoDB connection, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bson

from wiretape.protocols.base import Side
from wiretape.protocols.mongo.framing import Stream
from wiretape.protocols.mongo.messages import OP_MSG, OpMsg, OpReply, Section, frame

type Document = Mapping[str, Any]


def asked(request: int, body: Document, flags: int = 0, **sequences: Sequence[Document]) -> bytes:
    """A client's command on the database shop."""
    sections = [Section(documents=(bson.encode({**body, "$db": "shop"}),))]
    sections += [Section(name=name, documents=tuple(map(bson.encode, items))) for name, items in sequences.items()]
    return frame(OP_MSG, OpMsg(flags=flags, sections=tuple(sections)).body(), request=request)


def replied(to: int, body: Document, flags: int = 0, request: int = 0) -> bytes:
    """A server's reply."""
    message = OpMsg(flags=flags, sections=(Section(documents=(bson.encode(body),)),))
    return frame(OP_MSG, message.body(), request=request or 1000 + to, response_to=to)


def cursor(documents: Sequence[Document], number: int, name: str = "firstBatch") -> Document:
    """The body of a reply that holds a batch."""
    return {"cursor": {name: documents, "id": bson.Int64(number), "ns": "shop.u"}, "ok": 1.0}


def read(data: bytes) -> list[tuple[int, int, Document]]:
    """What a server sent: whom each message answers, its flags, its document."""
    stream, out = Stream(Side.SERVER), []
    stream.push(data)
    while one := stream.next():
        if one.opcode == OP_MSG:
            message = OpMsg.decode(one.body)
            out.append((one.response_to, message.flags, bson.decode(message.sections[0].documents[0])))
        else:
            reply = OpReply.decode(one.body)
            out.append((one.response_to, reply.flags, bson.decode(reply.documents[0])))
    return out
