"""HTTP requests a second: straight, through stock mitmdump that only passes them on, and through wiretape recording them,
as they come and with ids added (--trace).

It is checked that wiretape has recorded every one.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from harness import BIN, ROOT, WIRETAPE, Result, Unavailable, free_port, in_turn, running

CONNECTIONS = 16


class Client(asyncio.Protocol):
    """Sends the next request when the response to the last one is whole."""

    def __init__(self, request: bytes) -> None:
        self.request, self.seen, self.done, self.going = request, b"", 0, True
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.seen += data
        head, blank, body = self.seen.partition(b"\r\n\r\n")
        if not blank or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.lost.set_exception(RuntimeError(head.decode()))
            return
        self.seen, self.done = b"", self.done + 1
        if self.going:
            self.transport.write(self.request)
        elif not self.lost.done():
            self.lost.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_exception(error or ConnectionError("the connection was closed"))


async def load(port: int, seconds: float) -> tuple[int, float]:
    """Requests, and requests a second, over CONNECTIONS kept-alive connections."""
    loop = asyncio.get_running_loop()
    request = b"GET /products/LAMP-01 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept: */*\r\nuser-agent: bench\r\n\r\n" % port
    clients = [(await loop.create_connection(lambda: Client(request), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    for client in clients:
        client.going = False
    await asyncio.gather(*(client.lost for client in clients))
    done, took = sum(client.done for client in clients), time.perf_counter() - began
    for client in clients:
        client.transport.close()
    return done, done / took


def measure(rounds: int, seconds: float) -> list[Result]:
    ports = {name: free_port() for name in ("direct", "mitmdump", "wiretape", "traced")}
    url = f"http://127.0.0.1:{ports['direct']}"
    sent = dict.fromkeys(ports, 0)

    def contender(name: str) -> float:
        done, rate = asyncio.run(load(ports[name], seconds))
        sent[name] += done
        return rate

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-bench-"))
        stack.enter_context(
            running([sys.executable, str(ROOT / "benchmarks/trivial.py"), str(ports["direct"])], ports["direct"])
        )
        stock = [str(BIN / "mitmdump"), "-q", "--set", f"confdir={folder}/ca", "--mode", f"reverse:{url}@{ports['mitmdump']}"]
        stack.enter_context(running(stock, ports["mitmdump"]))
        recorders = {}
        for name, options in (("wiretape", []), ("traced", ["--trace"])):
            ours = [*WIRETAPE, "record", "--service", f"{url}@{ports[name]}", "--sample", "0", *options]
            home = Path(folder, name)
            home.mkdir()
            recorders[name] = stack.enter_context(running(ours, ports[name], cwd=home))
        found = in_turn(rounds, {name: partial(contender, name) for name in ports})
        said = {name: recorder.interrupt() for name, recorder in recorders.items()}
    for name, words in said.items():
        if f"{sent[name]} requests" not in words:
            raise Unavailable(f"{sent[name]} requests were sent through wiretape, but it says: {words}")
    shared = {"unit": "req/s", "ours": found["wiretape"]}
    return [
        Result(
            name="HTTP, recording",
            other=found["mitmdump"],
            aim=1.7,
            other_name="mitmdump reverse:http, not recording",
            **shared,
        ),
        Result(name="HTTP, recording", other=found["direct"], aim=0, other_name="no proxy", **shared),
        Result(
            name="HTTP, recording with --trace",
            unit="req/s",
            ours=found["traced"],
            other=found["wiretape"],
            aim=0.75,
            other_name="wiretape without it",
        ),
    ]
