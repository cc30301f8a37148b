"""The least HTTP service there is, so that what is measured is not it: `python trivial.py PORT` says the same JSON to all."""

from __future__ import annotations

import asyncio
import sys

BODY = b'{"id": 17, "sku": "LAMP-01", "name": "Desk lamp", "price": "39.90", "tags": ["desk", "led"], "available": 50}'
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Trivial(asyncio.Protocol):
    """Counts blank lines: one request each, as none of them has a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        *requests, self.rest = (self.rest + data).split(b"\r\n\r\n")
        self.transport.write(RESPONSE * len(requests))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Trivial, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
