"""Golden transcripts of MongoDB's drivers; `record_transcripts.py` writes them."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.live.relay import Chunk, Relay
from tests.live.servers import secantus
from wiretape.protocols.base import Side
from wiretape.protocols.mongo import documents, replies
from wiretape.protocols.mongo.framing import Stream
from wiretape.protocols.mongo.messages import OP_MSG, OpMsg
from wiretape.protocols.mongo.tap import MongoTap

PROGRAMS = Path(__file__).parents[1] / "compat" / "programs" / "mongo"
# Name of the transcript -> the program that makes it.
SCENARIOS: Mapping[str, str] = MappingProxyType(
    {
        "pymongo": "pymongo.py",
        "pymongo-async": "pymongo_async.py",
        "node": "mongodb.mjs",
        "transactions": "transactions.py",
        "corners": "corners.py",
    }
)
_COMMANDS = MappingProxyType({".py": (sys.executable, "-P"), ".mjs": ("node",)})


def record(name: str) -> Iterator[list[Chunk]]:
    """The connections of a scenario on which more was said than that both are there."""
    program = PROGRAMS / SCENARIOS[name]
    with secantus.serve(replicas=True) as server, Relay(server.port) as relay:
        command = [*_COMMANDS[program.suffix], str(program), server.at(relay.port)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}, timeout=60)
    for chunks in relay.connections:
        tap = MongoTap()
        if [one for side, data in chunks for one in tap.feed(side, data, 0.0)]:
            yield renumbered(chunks)


def renumbered(chunks: list[Chunk]) -> list[Chunk]:
    """The same with cursors numbered 1, 2, 3 as they were opened, as a mock does: those of servers are drawn at random."""
    stream, numbers = Stream(Side.SERVER), dict[int, int]()
    for side, data in chunks:
        if side is Side.SERVER:
            stream.push(data)
            while frame := stream.next():
                if frame.opcode == OP_MSG:
                    body = OpMsg.decode(frame.body).sections[0].documents[0]
                    number = (replies.batch(documents.read(body)) or ([], 0))[1]
                    if number:
                        numbers.setdefault(number, len(numbers) + 1)
    out = []
    for side, data in chunks:
        for old, new in numbers.items():
            data = data.replace(struct.pack("<q", old), struct.pack("<q", new))
        out.append((side, data))
    return out
