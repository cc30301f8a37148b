"""A service that answers in every kind there is: pages, XML, events, WebSocket, uploads, downloads, GraphQL; in several builds.

`serve("total")` is the build with the regression of that name; `serve()` the one without.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import hypercorn.asyncio
import hypercorn.config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PIXELS = b"\x89PNG\r\n\x1a\n" + zlib.compress(bytes(range(256)) * 64) * 4
PAGE = """<!doctype html>
<html><head><title>Orders</title><script nonce="{nonce}">window.at = "{at}"</script></head>
<body class="wide orders"><form method="post"><input type="hidden" name="csrf" value="{token}"></form>
<table>
<tr><th>item</th><th>total</th></tr>
<tr><td>Lamp</td><td>{total}</td></tr>
<tr><td>Chair</td><td>10.00</td></tr>
</table></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A running service."""

    url: str
    port: int


class _Build:
    """The handlers of one build: `wrong` names what it gets wrong."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def has(self, fault: str) -> bool:
        return self.wrong == fault

    async def page(self, request: Request) -> Response:
        total = "41.00" if self.has("page") else "39.80"
        now = datetime.now(UTC).isoformat()
        return HTMLResponse(PAGE.format(nonce=secrets.token_urlsafe(24), token=secrets.token_hex(32), at=now, total=total))

    async def feed(self, request: Request) -> Response:
        price = "2" if self.has("feed") else "1"
        text = f'<feed made="{datetime.now(UTC).isoformat()}"><item id="1"><price>{price}</price></item><item id="2"/></feed>'
        return Response(text, media_type="application/xml")

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._events(request.query_params.get("end") != "never"), media_type="text/event-stream")

    async def _events(self, ends: bool) -> AsyncIterator[str]:
        yield "retry: 3000\n\n: hello\n\n"
        for n in range(3):
            price = 9 if n == 1 and self.has("events") else n
            yield f"event: tick\nid: {n}\ndata: {json.dumps({'n': n, 'price': price})}\n\n"
        if ends:
            yield "data: [DONE]\n\n"
            return
        n = 3
        while True:
            await asyncio.sleep(0.01)
            yield f'event: tick\nid: {n}\ndata: {{"n": {n}, "price": {n}}}\n\n'
            n += 1

    async def lines(self, request: Request) -> Response:
        rows = [{"id": n, "stock": -1 if n == 2 and self.has("lines") else n} for n in range(4)]
        return Response("".join(json.dumps(row) + "\n" for row in rows), media_type="application/x-ndjson")

    async def upload(self, request: Request) -> Response:
        data = await request.body()
        kind = request.headers.get("content-type", "")
        size = len(data) + (1 if self.has("upload") else 0)
        return JSONResponse({"size": size, "multipart": kind.startswith("multipart/"), "checksum": zlib.crc32(data)}, 201)

    async def download(self, request: Request) -> Response:
        data = PIXELS[:40] + b"\xff" + PIXELS[41:] if self.has("download") else PIXELS
        return Response(data, media_type="image/png", headers={"content-disposition": 'attachment; filename="p.png"'})

    async def graphql(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if asked.get("operationName") == "GetOrder":
            total = 41 if self.has("graphql") else 40
            return JSONResponse({"data": {"order": {"id": asked["variables"]["id"], "total": total}}})
        return JSONResponse({"data": None, "errors": [{"message": "no such operation", "path": ["order"]}]})

    async def notes(self, request: Request) -> Response:
        lines = [f"note {n}" for n in range(60)]
        if self.has("notes"):
            lines[30] = "note thirty"
        return PlainTextResponse("\n".join(lines) + "\n")

    async def order(self, request: Request) -> Response:
        await request.body()  # hypercorn trips over the end of a request that was answered before
        where = "/carts/7" if self.has("order") else f"/orders/{uuid4()}"
        return RedirectResponse(where, 303)

    async def chat(self, socket: WebSocket) -> None:
        await socket.accept()
        session = str(uuid4())
        await socket.send_json({"session": session})
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if message.get("bytes") is not None:
                    await socket.send_bytes(message["bytes"][::-1])
                    continue
                asked = json.loads(message["text"])
                if asked.get("session") != session:
                    await socket.close(4001, "not your session")
                    return
                if asked.get("bye"):
                    await socket.close(1000, "bye")
                    return
                await socket.send_json({"n": 1, "working": True})
                await socket.send_json({"n": 2, "total": asked["qty"] * (3 if self.has("chat") else 2)})
        except WebSocketDisconnect:
            return


def _app(wrong: str) -> Starlette:
    build = _Build(wrong)
    gets = ("page", "feed", "events", "lines", "download", "notes")
    posts = ("upload", "graphql", "order")
    return Starlette(
        routes=[
            *(Route(f"/{name}", getattr(build, name)) for name in gets),
            *(Route(f"/{name}", getattr(build, name), methods=["POST"]) for name in posts),
            WebSocketRoute("/chat", build.chat),
        ]
    )


@contextmanager
def serve(wrong: str = "", home: Path | None = None) -> Iterator[Shop]:
    """The build until the block ends; with TLS (a certificate of the CA in `home`) where `home` is given."""
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
        loop.run_until_complete(hypercorn.asyncio.serve(_app(wrong), config, shutdown_trigger=stop.wait, mode="asgi"))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield Shop(url=f"http{'s' if home else ''}://127.0.0.1:{port}", port=port)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
