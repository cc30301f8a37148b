"""An ASGI application: GET /now, /pause. For uvicorn, on uvloop and on asyncio."""

import asyncio
import time
from datetime import UTC, datetime


async def app(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while True:
            await send({"type": f"{(await receive())['type']}.complete"})
    if scope["path"] == "/pause":
        began = time.monotonic()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(time.sleep, 0.05)
        body = b"waited" if 0.08 < time.monotonic() - began < 5 else b"did not wait"
    else:
        body = f"{datetime.now(UTC):%Y/%m/%d %Hh%M}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
