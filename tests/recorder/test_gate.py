"""`--serialize`: one request in the service at a time, whatever the clients do."""

from __future__ import annotations

import http.client
import select
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recorder import gate as gates
from recorder.capture import SERVER_CLOSED, Kind
from recorder.gate import Gate, Pass


def test_turns() -> None:
    gate, called = Gate(), []
    passes = [Pass(lambda number=number: called.append(number)) for number in range(4)]
    assert [gate.ask(one) for one in passes] == [True, False, False, False]
    gate.leave(passes[0])
    assert called == [1]
    gate.leave(passes[2])  # gave up waiting
    assert called == [1]
    gate.leave(passes[1])
    assert called == [1, 3]
    gate.leave(passes[3])
    assert gate.ask(passes[0])


def test_force_does_not_wait_and_then_counts() -> None:
    gate, called = Gate(), []
    first, second, third = (Pass(lambda number=number: called.append(number)) for number in range(3))
    assert gate.ask(first)
    assert not gate.ask(second)
    assert gate.force(second)
    assert not gate.force(second)
    assert not gate.ask(third)
    gate.leave(first)
    assert called == []
    gate.leave(second)
    assert called == [2]


class Service:
    """Counts how many requests are inside at once; those to `/reset` go on after their connection is gone, and do not count."""

    def __init__(self, delay: float = 0.01) -> None:
        self.lock = threading.Lock()
        self.inside = self.most = self.served = 0
        self.pause = threading.Event()
        self.delay = delay
        self.then = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def __call__(self, sock: socket.socket) -> None:
        data = b""
        while part := sock.recv(65536):
            data += part
            while b"\r\n\r\n" in data:
                head, _, data = data.partition(b"\r\n\r\n")
                counts = int(b"/reset" not in head)
                with self.lock:
                    self.inside += counts
                    self.most = max(self.most, self.inside)
                self.pause.wait(self.delay)
                with self.lock:
                    self.inside -= counts
                    self.served += 1
                sock.sendall(self.then)


def get(port: int, times: int = 1) -> list[int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    statuses = []
    for _ in range(times):
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return statuses


def test_one_at_a_time(recorder, front, serve) -> None:
    service = Service()
    port, _ = serve(service)
    running = recorder(front(port, gate=Gate()))
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(lambda _: get(running.port(), 3), range(10))) == [[200] * 3] * 10
    assert (service.most, service.served) == (1, 30)


def test_the_service_is_busy_without_a_gate(recorder, front, serve) -> None:
    service = Service()
    port, _ = serve(service)
    running = recorder(front(port))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: get(running.port(), 3), range(10)))
    assert service.most > 1


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_survives_clients_that_leave(recorder, front, serve) -> None:
    """No turn is lost, and a client that closes in an orderly way keeps its turn until the service has answered.

    How long the service works on after a reset is its own affair: no wire tells.
    """
    service = Service()
    port, _ = serve(service)
    running = recorder(front(port, gate=Gate()))

    def leave(how: int) -> None:
        path = b"/reset" if how % 3 else b"/closed"
        sock = socket.create_connection(("127.0.0.1", running.port()), 10)
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"[: None if how % 2 else -3] % path)
        if how % 3:
            reset(sock)
        else:
            sock.close()

    with ThreadPoolExecutor(12) as pool:
        leaving = [pool.submit(leave, how) for how in range(24)]
        staying = [pool.submit(get, running.port(), 2) for _ in range(8)]
        assert [one.result(30) for one in staying] == [[200, 200]] * 8
        assert [one.result(30) for one in leaving] == [None] * 24
    assert service.most == 1
    assert get(running.port()) == [200]


def test_a_turn_lasts_until_the_service_can_know_that_the_client_left(recorder, front, serve) -> None:
    accepted: list[socket.socket] = []
    asked, over = threading.Event(), threading.Event()
    hung_up: list[bool] = []

    class Watched(Gate):
        def leave(self, one: Pass) -> None:
            if not hung_up:
                poll = select.poll()
                poll.register(accepted[0], select.POLLIN)
                hung_up.append(bool(poll.poll(0)))
            super().leave(one)

    def service(sock: socket.socket) -> None:
        accepted.append(sock)
        if sock.recv(65536).startswith(b"GET /left"):
            asked.set()
            over.wait(10)
        else:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    port, _ = serve(service)
    running = recorder(front(port, gate=Watched()))
    left = socket.create_connection(("127.0.0.1", running.port()), 10)
    left.sendall(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
    assert asked.wait(10)
    reset(left)
    assert get(running.port()) == [200]
    over.set()
    assert hung_up == [True]


def test_a_stream_lets_the_next_in(recorder, front, serve) -> None:
    def stream(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        sock.recv(1)

    port, _ = serve(stream)
    running = recorder(front(port, gate=Gate()))
    open_ = [socket.create_connection(("127.0.0.1", running.port()), 10) for _ in range(3)]
    for sock in open_:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
    for sock in open_:
        sock.close()


def test_a_service_that_calls_itself_goes_on_after_a_while(recorded, front, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LONGEST", 0.3)
    ports: list[int] = []

    def service(sock: socket.socket) -> None:
        request = sock.recv(65536)
        if request.startswith(b"GET /outer"):
            connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=10)
            connection.request("GET", "/inner")
            connection.getresponse().read()
            connection.close()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    port, _ = serve(service)
    with recorded(front(port, gate=Gate())) as running:
        ports.append(running.port())
        connection = http.client.HTTPConnection("127.0.0.1", running.port(), timeout=10)
        connection.request("GET", "/outer")
        assert connection.getresponse().status == 200
        connection.close()
    assert len(running.said) == 1
    assert running.said[0].startswith("the service: a request waited 0.3 s for the one before it and was let through")
    marks = [record.data for record in running.records() if record.kind == Kind.MARK]
    assert [mark for mark in marks if mark != SERVER_CLOSED] == [b"not serialized: it waited too long"]


def test_a_large_upload_waits_without_filling_the_memory(recorder, front, serve) -> None:
    go = threading.Event()
    sizes = []

    def service(sock: socket.socket) -> None:
        size = 0
        while size < 20_000_000 and (part := sock.recv(1 << 20)):
            size += len(part)
            if part.startswith(b"GET"):
                go.wait(10)
                break
        sizes.append(size)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    port, _ = serve(service)
    running = recorder(front(port, gate=Gate()))
    first = socket.create_connection(("127.0.0.1", running.port()), 10)
    first.sendall(b"GET / HTTP/1.1\r\n\r\n")
    second = socket.create_connection(("127.0.0.1", running.port()), 10)
    head = b"PUT / HTTP/1.1\r\nContent-Length: 20000000\r\n\r\n"
    second.sendall(head)
    second.settimeout(0.5)
    with pytest.raises(TimeoutError):
        second.sendall(b"x" * 20_000_000)  # the kernel's buffers and the megabyte held are full
    first.close()
    go.set()
    second.close()
