"""Records the golden transcripts of HTTP anew; run by hand: `python tests/live/record_http_transcripts.py [NAME]...`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import aiohttp  # noqa: E402
import httpx  # noqa: E402
import requests  # noqa: E402

from tests.laws import transcripts  # noqa: E402
from tests.live.relay import Relay  # noqa: E402
from tests.live.servers.grpc_service import serve as serve_grpc  # noqa: E402
from tests.live.servers.web import serve as serve_web  # noqa: E402

PROGRAMS = ROOT / "tests/compat/programs/http"


def with_httpx(url: str, *, http2: bool) -> None:
    with httpx.Client(base_url=url, http1=not http2, http2=http2, headers={"x-api-key": "k1"}) as client:
        client.get("/")
        client.head("/")
        client.get("/search", params=[("q", "a b"), ("page", "2"), ("q", "ü&=")])
        client.post("/items", json={"name": "Lamp", "price": 1.50, "tags": ["x", None]})
        client.delete("/items/8")
        client.post("/form", data={"b": "2 3", "a": "ü"})
        client.get("/stream")
        client.get("/redirect", follow_redirects=True)
        client.get("/cookies")
        client.get("/cookies")
        client.get("/broken")
        client.get("/events")


def with_requests(url: str) -> None:
    with requests.Session() as client:
        client.headers["authorization"] = "Bearer token-1"
        client.get(f"{url}/items/7")
        client.post(f"{url}/items", data=iter([b'{"a"', b": 1}"]))
        client.post(f"{url}/upload", files={"f": ("a.txt", b"file content")})
        client.get(f"{url}/words?few")


def interleaved(url: str) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(base_url=url, http1=False, http2=True) as client:
            await client.get("/")
            await asyncio.gather(*(client.get(f"/items/{number}") for number in range(6)))
            async with client.stream("GET", "/endless") as stream:
                async for _ in stream.aiter_lines():
                    break

    asyncio.run(run())


def left(url: str) -> None:
    with httpx.stream("GET", f"{url}/endless") as stream:
        for _ in stream.iter_lines():
            break


def socket(url: str) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{url}/ws") as one:
            await one.receive_json()
            await one.send_json({"op": "subscribe", "to": ["a", "b"]})
            await one.receive_json()
            await one.receive_json()
            await one.send_bytes(b"\x00\x01")
            await one.receive_bytes()

    asyncio.run(run())


def program(name: str, *before: str) -> Callable[[str], None]:
    return lambda url: subprocess.run([*before, str(PROGRAMS / name), url], check=True, stdout=subprocess.DEVNULL) and None


def curl(*flags: str) -> Callable[[str], None]:
    return lambda url: subprocess.run(["curl", "-s", *flags, f"{url}/items/3"], check=True, stdout=subprocess.DEVNULL) and None


SCENARIOS: Mapping[str, Callable[[str], None]] = MappingProxyType(
    {
        "httpx": lambda url: with_httpx(url, http2=False),
        "httpx-h2": lambda url: with_httpx(url, http2=True),
        "httpx-h2-interleaved": interleaved,
        "httpx-left": left,
        "requests": with_requests,
        "curl-h2c-upgrade": curl("--http2"),
        "curl-http10": curl("--http1.0"),
        "curl-expect": curl("-H", "Expect: 100-continue", "-H", "content-type: application/json", "-d", '{"a": 1}'),
        "aiohttp-websocket": socket,
        "websockets-deflate": program("websockets_client.py", sys.executable),
        "grpc": program("grpc_client.py", sys.executable),
    }
)


def record(port: int, name: str) -> None:
    with Relay(port) as relay:
        SCENARIOS[name](f"http://127.0.0.1:{relay.port}")
    for number, chunks in enumerate(relay.connections):
        suffix = f"-{number + 1}" if number else ""
        path = transcripts.FOLDER / "http" / f"{name}{suffix}.transcript"
        path.parent.mkdir(parents=True, exist_ok=True)
        server = "grpcio" if name == "grpc" else "hypercorn"
        transcripts.write(path, f"{name} and {server}, recorded by tests/live/record_http_transcripts.py", chunks)
        print(path.relative_to(ROOT), sum(len(data) for _, data in chunks), "bytes")


def main() -> None:
    with serve_web() as web, serve_grpc() as service:
        for name in sys.argv[1:] or SCENARIOS:
            record(service.port if name == "grpc" else web.port, name)


if __name__ == "__main__":
    main()
