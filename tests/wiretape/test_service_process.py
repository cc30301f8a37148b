"""The service as a process: started, waited for, stopped whole."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wiretape.config import Address
from wiretape.errors import ConfigError, TargetError
from wiretape.service import ServiceProcess, endpoint, expand, expand_command, expand_env

SERVER = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    count = 0
    def do_GET(self):
        H.count += 1
        self.send_response(503 if H.count < 3 else 404)
        self.end_headers()
    def log_message(self, *a): pass
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


def start(script: str, *args: object, output: io.BytesIO | None = None) -> asyncio.Future[ServiceProcess]:
    return asyncio.ensure_future(
        ServiceProcess.start([sys.executable, "-c", script, *map(str, args)], {"GREETING": "hello"}, None, output)
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("ready", ["", "/health"])
def test_ready_and_stopped(free_port: Callable[[], int], ready: str) -> None:
    async def run() -> bytes:
        port, output = free_port(), io.BytesIO()
        service = await start(SERVER, port, output=output)
        await service.wait_ready(f"http://127.0.0.1:{port}", ready, 20)
        assert service.returncode is None
        await service.stop()
        assert service.returncode is not None
        return output.getvalue()

    assert asyncio.run(run()) == b"started\n"


def test_exits_early_says_code_and_last_lines(free_port: Callable[[], int]) -> None:
    async def run() -> None:
        service = await start("import os; print('x\\nno such table', os.environ['GREETING']); raise SystemExit(7)")
        with pytest.raises(TargetError, match=r"exited with code 7 before it was ready.*\n  \| x\n  \| no such table hello"):
            await service.wait_ready(f"http://127.0.0.1:{free_port()}", "", 20)
        await service.stop()

    asyncio.run(run())


def test_never_ready(free_port: Callable[[], int]) -> None:
    async def run() -> None:
        service = await start("import time; time.sleep(60)")
        with pytest.raises(TargetError, match=r"not ready after 0\.2 s: .*/up gave connection refused; check service\.url"):
            await service.wait_ready(f"http://127.0.0.1:{free_port()}", "/up", 0.2)
        await service.stop()

    asyncio.run(run())


def test_stop_takes_grandchildren_that_ignore_term() -> None:
    script = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child: print(child, flush=True)
time.sleep(60)
"""

    async def run() -> None:
        output = io.BytesIO()
        service = await start(script, output=output)
        await until(lambda: output.getvalue().endswith(b"\n"))
        child = int(output.getvalue())
        assert alive(child)
        await service.stop(grace=0.2)
        await until(lambda: not alive(child))
        await service.stop()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_command_not_found() -> None:
    with pytest.raises(TargetError, match="cannot start the service: /no/such/thing: No such file or directory"):
        asyncio.run(ServiceProcess.start(["/no/such/thing"], {}))


def test_expand() -> None:
    where = {"main": Address(host="127.0.0.1", port=15432)}
    assert expand("postgres://${main.address}/x?p=${main.port}&h=${main.host}", where) == (
        "postgres://127.0.0.1:15432/x?p=15432&h=127.0.0.1"
    )
    assert expand_command(("a", "${main.port}", "$HOME", "${HOME}"), where) == ("a", "15432", "$HOME", "${HOME}")
    assert expand_env({"PGPORT": "${main.port}"}, where) == {"PGPORT": "15432"}
    with pytest.raises(ConfigError, match="there is no target named mian; did you mean main"):
        expand("${mian.port}", where)
    with pytest.raises(ConfigError, match="main has port, host, address, not prot"):
        expand("${main.prot}", where)


def test_endpoint() -> None:
    assert endpoint("http://[::1]:81/x") == Address(host="::1", port=81)
    assert endpoint("https://example.org").port == 443
