"""Protocols nobody named: found by the first bytes, and nothing waits for that."""

from __future__ import annotations

import socket
from pathlib import Path

import psycopg
import pytest

from recorder.capture import Kind, Opening, Record
from recorder.taps import Seen, watch
from tests.laws import transcripts
from tests.recorder.tlsservers import AUTHORITY, Authority, dial, over_tls
from wiretape.config import Address, Target, spoken
from wiretape.errors import ConfigError
from wiretape.protocols import CODECS, recognised
from wiretape.protocols.base import Side


def seen(records: list[Record]) -> Seen:
    return watch(records, 10_000)


def opening(number: int, protocol: str = "auto") -> Record:
    return Record(number, Kind.OPEN, 1.0, Opening(target="main", protocol=protocol).encode())


@pytest.mark.parametrize(
    ("server", "mode"), [("postgres", "disable"), ("postgres_tls", "disable"), ("postgres_tls", "require")]
)
def test_postgres(server: str, mode: str, recorded, front, request) -> None:
    port = request.getfixturevalue(server).port
    with recorded(front(port, "main", protocol="auto")) as recorder:
        url = f"host=127.0.0.1 port={recorder.port()} user=app dbname=app password=secret sslmode={mode}"
        with psycopg.connect(url) as link:
            assert link.execute("select 'found'").fetchone() == ("found",)
    found = seen(recorder.records())
    assert found.facts["main"]["protocol"] == "postgres"
    assert "select 'found'" in [one.interaction.operation for one in found.outbound]
    assert recorder.said == ["target main: speaks postgres"]


def test_a_server_that_speaks_first_is_heard_at_once(recorded, front, serve) -> None:
    port, _ = serve(lambda sock: (sock.sendall(b"hi"), sock.recv(10), sock.sendall(b"bye")))
    with (
        recorded(front(port, "main", protocol="auto")) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        assert sock.recv(10) == b"hi"
        sock.sendall(b"x\r\n")
        assert sock.recv(10) == b"bye"
    found = seen(recorder.records())
    assert found.facts["main"] == {"protocol": "raw", "greeting": "hi"}
    assert found.raw == {"main"}


def test_tls_is_looked_into(recorded, front, serve, tmp_path: Path) -> None:
    port, _ = serve(over_tls(Authority(tmp_path / "other").serving(), lambda sock: sock.sendall(sock.recv(100))))
    with (
        recorded(front(port, "main", protocol="auto")) as recorder,
        dial(recorder.port(), tmp_path / "ca" / AUTHORITY) as sock,
    ):
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"
    assert [(one.interaction.operation, one.interaction.fields) for one in seen(recorder.records()).outbound] == [
        ("hello", {"reply": "hello", "closes": True})
    ]


def test_a_client_that_trickles(recorded, front, postgres) -> None:
    """The first bytes of a PostgreSQL client, one by one: told only when they tell."""
    with (
        recorded(front(postgres.port, "main", protocol="auto")) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\0\0\0\x08\x04\xd2\x16\x2f":
            sock.sendall(bytes([byte]))
        assert sock.recv(1) == b"N"


def test_a_port_probe_tells_nothing() -> None:
    records = [opening(1), Record(1, Kind.MARK, 1.0, b"server closed"), Record(1, Kind.CLOSE, 1.0, b"")]
    assert seen(records).facts == {}


def test_connections_that_disagree() -> None:
    records = [
        opening(1),
        Record(1, Kind.CLIENT, 1.0, b"\0\0\0\x09\0\x03\0\0\0"),
        opening(2),
        Record(2, Kind.CLIENT, 2.0, b"GET"),
    ]
    found = seen(records)
    assert found.facts["main"]["protocol"] == "postgres"
    assert found.raw == set()
    assert [loss.reason for loss in found.losses] == [
        "a connection spoke raw, the others postgres; give each a target of its own"
    ]
    assert found.outbound == []


def test_what_is_recognised() -> None:
    assert recognised(b"\0\0", b"") == ""
    assert recognised(b"\0\0\0\x08\x04\xd2\x16\x2f", b"") == "postgres"
    assert recognised(b"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", b"") == "raw"


@pytest.mark.parametrize("name", [name for name in CODECS if name != "raw"])
def test_every_golden_transcript_is_recognised(name: str) -> None:
    for transcript in transcripts.of(name):
        client, server, found = b"", b"", ""
        for side, data in transcript.chunks:
            client, server = (client + data, server) if side is Side.CLIENT else (client, server + data)
            found = recognised(client, server)
            if found:
                break
        assert (transcript.name, found) == (transcript.name, name)


def test_replay_knows_what_was_found() -> None:
    targets = {"main": Target(name="main", protocol="auto", listen=Address(host="x", port=1))}
    assert spoken(targets, {"main": {"protocol": "postgres"}})["main"].protocol == "postgres"
    with pytest.raises(ConfigError, match="target main names no protocol, and no recording tells it; add `protocol` to"):
        spoken(targets, {})
