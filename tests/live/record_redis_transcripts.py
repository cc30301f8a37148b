"""Records Redis's golden transcripts anew; run by hand: `python tests/live/record_redis_transcripts.py [NAME]...`.

The programs of the driver table do their walk against a real server, through a relay; and a person types. The password inside
is that of the throwaway server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.laws import transcripts  # noqa: E402
from tests.live.relay import Relay  # noqa: E402
from tests.live.servers import redis as redis_server  # noqa: E402
from wiretape.protocols.redis.resp import INCOMPLETE, Reader  # noqa: E402

PROGRAMS = ROOT / "tests/compat/programs/redis"
LONG = "30"  # tens of characters: a transcript is to be read

# name -> the words before the program, the program, what its environment says
DRIVERS: Mapping[str, tuple[tuple[str, ...], str, Mapping[str, str]]] = {
    "redis-py-resp3": ((sys.executable,), "redis_sync.py", {"PROTOCOL": "3"}),
    "redis-py-resp2": ((sys.executable,), "redis_sync.py", {"PROTOCOL": "2"}),
    "ioredis": (("node",), "ioredis.mjs", {}),
    "node-redis": (("node",), "node_redis.mjs", {"PROTOCOL": "3"}),
    "phpredis": (("php",), "redis.php", {}),
}
# What no driver says by itself: each line is sent as it stands, and all that it is answered with is waited for.
TYPED: Mapping[str, tuple[tuple[str, int], ...]] = {
    "inline": (
        ("AUTH secret\r\n", 1),
        ("PING\r\nPING hello\r\n", 2),
        ('set wt:typed "a b\\x41\\n"\r\n', 1),
        ("get wt:typed\n", 1),
        ("\r\n\r\n", 0),
        ("DEL wt:typed\r\n*1\r\n$4\r\nPING\r\n", 2),
        ("QUIT\r\n", 1),
    ),
    "silence": (
        ("HELLO 3 AUTH default secret SETNAME typed\r\n", 1),
        ("CLIENT GETNAME\r\n", 1),
        ("CLIENT REPLY SKIP\r\nINCR wt:c\r\nINCR wt:c\r\n", 1),
        ("CLIENT REPLY OFF\r\nINCR wt:c\r\nCLIENT REPLY SKIP\r\nINCR wt:c\r\nCLIENT REPLY ON\r\n", 1),
        ("GET wt:c\r\n", 1),
        ("DEL wt:c\r\n", 1),
        ("RESET\r\n", 1),
        ("AUTH secret\r\n", 1),
        ("SELECT 5\r\nSET wt:c 1\r\nMULTI\r\nSELECT 6\r\nGET wt:c\r\nPING\r\nEXEC\r\nGET wt:c\r\n", 8),
        ("SELECT 5\r\nDEL wt:c\r\n", 2),
    ),
    "transactions": (
        ("AUTH secret\r\nMULTI\r\nMULTI\r\nSET wt:c 1\r\nNOSUCH\r\nEXEC\r\nEXEC\r\nDISCARD\r\n", 8),
        ("WATCH wt:c\r\nUNWATCH\r\n", 2),
        ("MULTI\r\nSET wt:c 1\r\nDISCARD\r\nMULTI\r\nEXEC\r\n", 5),
        ("MULTI\r\nBLPOP wt:none 0\r\nWATCH a\r\nEXEC\r\nDEL wt:c\r\n", 5),
        ("WATCH wt:c\r\nSET wt:c 2\r\nMULTI\r\nGET wt:c\r\nEXEC\r\nDEL wt:c\r\n", 6),
    ),
    "listening": (
        ("AUTH secret\r\n", 1),
        ("SUBSCRIBE wt:a wt:b\r\n", 2),
        ("PSUBSCRIBE wt:*\r\nPING\r\nPING x\r\nGET wt:c\r\n", 4),
        ("UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nUNSUBSCRIBE\r\n", 4),
        ("GET wt:none\r\n", 1),
    ),
}


def write(name: str, relay: Relay) -> None:
    for number, chunks in enumerate(relay.connections):
        suffix = f"-{number + 1}" if number else ""
        path = transcripts.FOLDER / "redis" / f"{name}{suffix}.transcript"
        path.parent.mkdir(parents=True, exist_ok=True)
        transcripts.write(path, f"{name} and Redis, recorded by tests/live/record_redis_transcripts.py", chunks)
        print(path.relative_to(ROOT), sum(len(data) for _, data in chunks), "bytes")


def typed(port: int, lines: tuple[tuple[str, int], ...]) -> None:
    reader = Reader()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for line, answers in lines:
            connection.sendall(line.encode())
            while answers:
                while reader.value() is not INCOMPLETE:
                    answers -= 1
                if answers:
                    reader.push(connection.recv(65536))


def main() -> None:
    wanted = sys.argv[1:] or [*DRIVERS, *TYPED]
    with redis_server.serve() as server:
        for name in wanted:
            with Relay(server.port) as relay:
                if name in TYPED:
                    typed(relay.port, TYPED[name])
                else:
                    words, program, environ = DRIVERS[name]
                    command = [*words, str(PROGRAMS / program), server.at(relay.port)]
                    subprocess.run(
                        command, env={**os.environ, "LONG": LONG, **environ}, check=True, stdout=subprocess.DEVNULL, timeout=60
                    )
            write(name, relay)


if __name__ == "__main__":
    main()
