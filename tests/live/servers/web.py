"""A small HTTP service for tests: HTTP/1.1, HTTP/2 (prior knowledge, upgrade, TLS) and WebSockets, on a free loopback port."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import brotli
import hypercorn.asyncio
import hypercorn.config

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]

WORDS = [{"id": number, "name": f"word {number}", "price": f"{number}.50"} for number in range(200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A running service."""

    url: str
    port: int


@contextmanager
def serve(home: Path | None = None) -> Iterator[Web]:
    """The service until the block ends; with TLS (a certificate of the CA in `home`) where `home` is given."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 0.2
    if home is not None:
        from wiretape.ca import ensure_ca, leaf

        config.certfile = config.keyfile = str(leaf(ensure_ca(home), ("localhost", "127.0.0.1")))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        loop.run_until_complete(hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi"))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield Web(url=f"http{'s' if home else ''}://127.0.0.1:{port}", port=port)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await _socket(scope, receive, send)
    elif scope["type"] == "http":
        await _request(scope, receive, send)
    else:
        await _lifespan(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while (event := await receive())["type"] != "lifespan.shutdown":
        await send({"type": event["type"] + ".complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _request(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while (event := await receive())["type"] == "http.request":
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    await _route(scope, body, send)


async def _route(scope: Scope, body: bytes, send: Send) -> None:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["path"].strip("/").split("/")
    if path[0] in _PAGES:
        await _PAGES[path[0]](send, headers)
    elif path[0] in _ACTIONS:
        await _ACTIONS[path[0]](send, headers, scope, body)
    else:
        await _json(send, 404, {"error": "not found", "path": scope["path"]})


async def _items(send: Send, headers: dict[str, str], scope: Scope, body: bytes) -> None:
    rest = scope["path"].strip("/").split("/")[1:]
    if scope["method"] == "DELETE":
        await _send(send, 204, [], b"")
    elif body:
        await _json(send, 201, {"path": rest, "got": json.loads(body), "key": headers.get("x-api-key")})
    else:
        await _json(send, 200, {"id": int(rest[0]), "tags": ["a", "b"], "price": 12.50, "none": None})


async def _search(send: Send, headers: dict[str, str], scope: Scope, body: bytes) -> None:
    await _json(send, 200, {"query": parse_qsl(scope["query_string"].decode(), keep_blank_values=True)})


async def _form(send: Send, headers: dict[str, str], scope: Scope, body: bytes) -> None:
    await _json(send, 200, {"form": parse_qsl(body.decode())})


async def _upload(send: Send, headers: dict[str, str], scope: Scope, body: bytes) -> None:
    await _json(send, 200, {"size": body.count(b"file content"), "parts": body.count(b"name=")})


async def _graphql(send: Send, headers: dict[str, str], scope: Scope, body: bytes) -> None:
    await _json(send, 200, {"data": {"item": {"id": json.loads(body)["variables"].get("id"), "name": "Lamp"}}})


async def _root(send: Send, headers: dict[str, str]) -> None:
    await _json(send, 200, {"hello": "world"})


async def _words(send: Send, headers: dict[str, str]) -> None:
    await _coded(send, headers.get("accept-encoding", ""), json.dumps(WORDS).encode())


async def _lines(send: Send, headers: dict[str, str]) -> None:
    await _stream(send, b"text/plain", [f"line {number}\n".encode() for number in range(5)])


async def _events(send: Send, headers: dict[str, str]) -> None:
    await _stream(send, b"text/event-stream", [f'id: {n}\ndata: {{"n": {n}}}\n\n'.encode() for n in range(3)])


async def _endless(send: Send, headers: dict[str, str]) -> None:
    await _stream(send, b"text/event-stream", [f"data: {n}\n\n".encode() for n in range(3)], ends=False)


async def _large(send: Send, headers: dict[str, str]) -> None:
    await _send(send, 200, [(b"content-type", b"application/octet-stream")], bytes(range(256)) * 4096)


async def _redirect(send: Send, headers: dict[str, str]) -> None:
    await _send(send, 302, [(b"location", b"/items/7")], b"")


async def _cookies(send: Send, headers: dict[str, str]) -> None:
    cookies = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Path=/")]
    await _send(send, 200, [*cookies, (b"content-type", b"text/plain")], headers.get("cookie", "none").encode())


async def _broken(send: Send, headers: dict[str, str]) -> None:
    await _json(send, 500, {"error": "broken"})


_PAGES = MappingProxyType(
    {
        "": _root,
        "words": _words,
        "stream": _lines,
        "events": _events,
        "endless": _endless,
        "large": _large,
        "redirect": _redirect,
        "cookies": _cookies,
        "broken": _broken,
    }
)
_ACTIONS = MappingProxyType({"items": _items, "search": _search, "form": _form, "upload": _upload, "graphql": _graphql})


async def _json(send: Send, status: int, value: object) -> None:
    await _send(send, status, [(b"content-type", b"application/json")], json.dumps(value).encode())


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if status != 204:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _coded(send: Send, accepted: str, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"vary", b"accept-encoding")]
    if "br" in accepted:
        await _send(send, 200, [*headers, (b"content-encoding", b"br")], brotli.compress(body))
    elif "gzip" in accepted:
        await _send(send, 200, [*headers, (b"content-encoding", b"gzip")], gzip.compress(body, mtime=0))
    else:
        await _send(send, 200, headers, body)


async def _stream(send: Send, kind: bytes, pieces: list[bytes], *, ends: bool = True) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
    if not ends:
        await asyncio.Event().wait()  # until the client leaves
    await send({"type": "http.response.body", "body": b""})


async def _socket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps({"hello": scope["path"]})})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("bytes") is not None:
            await send({"type": "websocket.send", "bytes": event["bytes"][::-1]})
        elif event["text"] == "bye":
            await send({"type": "websocket.close", "code": 1000, "reason": "bye"})
            return
        else:
            for turn in range(2):
                await send({"type": "websocket.send", "text": json.dumps({"turn": turn, "echo": event["text"]})})
