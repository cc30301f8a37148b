"""A dependency that goes away while recording: the client sees what it would see without us, and the case says so."""

from __future__ import annotations

import functools
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from recorder.taps import Seen, watch
from tests.conftest import Postgres, serve_postgres
from tests.laws import transcripts
from tests.recorder.tlsservers import Authority, dial, over_tls
from wiretape.protocols import CODECS, codec
from wiretape.protocols.base import Side

HALF = b"$100\r\nhalf of it"


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answers_half(end: Callable[[socket.socket], object]) -> Callable[[socket.socket], object]:
    """A server that ends, in this way, in the middle of its answer, once the client has had the first half."""

    def handle(sock: socket.socket) -> None:
        sock.recv(100)
        sock.sendall(HALF)
        sock.recv(100)
        end(sock)

    return handle


def experience(sock: socket.socket) -> list[object]:
    """What a client sees of such a server."""
    seen: list[object] = []
    sock.sendall(b"GET a\r\n")
    got = b""
    while len(got) < len(HALF):
        got += sock.recv(100)
    seen.append(got)
    sock.sendall(b"go")
    try:
        seen.append(sock.recv(100))
    except OSError as error:
        seen.append(type(error).__name__)
    return seen


def seen(recorder) -> Seen:
    return watch(recorder.records(), 10_000)


@pytest.mark.parametrize(("end", "way"), [(reset, "ConnectionResetError"), (socket.socket.close, b"")])
@pytest.mark.parametrize("protocol", ["raw", "auto", "redis", "http"])
def test_plain(end, way: object, protocol: str, recorded, front, serve) -> None:
    port, _ = serve(answers_half(end))
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        assert experience(sock) == [HALF, way]
    with (
        recorded(front(port, "cache", protocol=protocol)) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        assert experience(sock) == [HALF, way]
    if protocol in ("auto", "raw"):  # the first line may be of several protocols, so it is taken for none
        turns = [(one.interaction.fields, one.interaction.incomplete) for one in seen(recorder).outbound]
        assert turns[0] == ({"reply": HALF.decode()}, "")
        assert turns[1] == (({}, "the server reset the connection") if end is reset else ({"closes": True}, ""))


@pytest.mark.parametrize("end", [reset, socket.socket.close])
def test_inside_tls(end, recorded, front, serve, tmp_path: Path) -> None:
    port, _ = serve(over_tls(Authority(tmp_path / "other").serving(), answers_half(end)))
    with dial(port) as sock:
        direct = experience(sock)  # Python 3.12 tells no reset from an end inside TLS
    assert direct[0] == HALF
    with recorded(front(port, "cache", protocol="redis")) as recorder, dial(recorder.port()) as sock:
        assert experience(sock) == direct
    (call,) = [one for one in seen(recorder).outbound if one.interaction.incomplete]
    assert call.interaction.operation.startswith("GET")


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A PostgreSQL to be killed. It restarts by itself, and can be stopped only then."""
    for server in serve_postgres("--tls"):
        yield server
        again(functools.partial(psycopg.connect, server.url)).close()


def again[T](work: Callable[[], T]) -> T:
    """`work`, once the server is there again."""
    for _ in range(400):
        try:
            return work()
        except psycopg.OperationalError:
            signal.sigtimedwait([], 0.05)
    raise AssertionError("it did not come back")


def killed_mid_result(port: int, mode: str) -> tuple[str, int]:
    """The driver's error, and how many rows it had had."""
    rows = 0
    with psycopg.connect(f"host=127.0.0.1 port={port} user=app dbname=app password=secret sslmode={mode}") as link:
        pid = link.info.backend_pid
        try:
            for _ in link.cursor().stream("select repeat('x', 1000) from generate_series(1, 10000000)"):
                rows += 1
                if rows == 100:
                    os.kill(pid, signal.SIGKILL)
        except psycopg.OperationalError as error:
            return str(error).splitlines()[0], rows
    raise AssertionError("it was not killed")


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_postgres_killed_in_the_middle_of_a_result(mode: str, mortal: Postgres, recorded, front) -> None:
    with recorded(front(mortal.port, "main", protocol="postgres")) as recorder:
        through, rows = killed_mid_result(recorder.port(), mode)
        assert rows >= 100
    direct, _ = again(lambda: killed_mid_result(mortal.port, mode))
    assert through.split(":")[0] == direct.split(":")[0]
    (call,) = [one for one in seen(recorder).outbound if "generate_series" in one.interaction.operation]
    assert call.interaction.incomplete


@pytest.mark.parametrize("name", [name for name in CODECS if name != "raw" and any(transcripts.of(name))])
def test_every_codec_says_what_an_end_in_an_answer_left_unfinished(name: str) -> None:
    found = set()
    for transcript in transcripts.of(name):
        for at, (side, data) in enumerate(transcript.chunks):
            if side is Side.SERVER and len(data) > 1:
                tap = codec(name).tap()
                chunks = [*transcript.chunks[:at], (side, data[: len(data) // 2])]
                told = [each for side_, part in chunks for each in tap.feed(side_, part, 1.0)]
                found |= {each.incomplete for each in [*told, *tap.close(2.0)]}
    assert found - {""}
