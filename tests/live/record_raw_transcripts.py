"""Records the golden transcripts of raw TCP anew; run by hand: `python tests/live/record_raw_transcripts.py`.

A text protocol whose server speaks first, a binary one, and one in which the client speaks first.
"""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from tests.conftest import serve_postgres  # noqa: E402
from tests.laws import transcripts  # noqa: E402
from tests.live.relay import Relay  # noqa: E402
from tests.live.servers import smtp  # noqa: E402


def mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example") as client:
        client.sendmail("a@example", ["b@example"], "Subject: Grüße\r\n\r\nOne\r\n.\r\nTwo\r\n".encode())


def inline(port: int) -> None:
    """Commands as one types them into a Redis, some of them in one go."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        for said, answer in ((b"SET a 1\r\n", b"+OK\r\n"), (b"GET a\r\nGET a\r\n", b"$1\r\n1\r\n" * 2), (b"FOO\r\n", b"-ERR")):
            client.sendall(said)
            got = b""
            while not got.startswith(answer):
                got += client.recv(1000)


def binary(port: int) -> None:
    with psycopg.connect(f"host=127.0.0.1 port={port} user=app dbname=app password=secret sslmode=disable") as client:
        client.execute("select 1, 'x'").fetchall()


def write(name: str, about: str, relay: Relay) -> None:
    path = transcripts.FOLDER / "raw" / f"{name}.transcript"
    path.parent.mkdir(parents=True, exist_ok=True)
    transcripts.write(path, f"{about}, recorded by tests/live/record_raw_transcripts.py", relay.connections[0])


def main() -> None:
    with smtp.serve() as server:
        with Relay(server.port) as relay:
            mail(relay.port)
        write("smtp", "Python's smtplib and the small mail server of tests/live/servers", relay)
    for database in serve_postgres():
        with Relay(database.port) as relay:
            binary(relay.port)
        write("binary", "psycopg 3 and PostgreSQL 18, as bytes of no meaning", relay)
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        with subprocess.Popen(["redis-server", "--port", str(port), "--dir", folder, "--save", ""], stdout=-1) as redis:
            assert redis.stdout
            while b"Ready to accept" not in redis.stdout.readline():
                pass
            with Relay(port) as relay:
                inline(relay.port)
            redis.terminate()
    write("redis-inline", "commands typed into Redis 7", relay)


if __name__ == "__main__":
    main()
