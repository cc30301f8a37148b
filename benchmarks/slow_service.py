"""A service that takes its time: `python slow_service.py PORT DATABASE_URL [MILLISECONDS]` waits so long for each request,
reads who is asking and one thing, in a transaction over a pool, and answers. On asyncio and asyncpg: it does many at once.

    GET /things/N    the thing of that number
    POST /things/N   counts one up
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

import asyncpg

REASONS = {200: "OK", 201: "Created", 500: "Internal Server Error"}


class Service:
    """Answers over any number of connections at once."""

    def __init__(self, pool: asyncpg.Pool, delay: float) -> None:
        self._pool, self._delay = pool, delay

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, path, *_ = head.decode("latin-1").split()
                status, tree = await self.answer(method, path)
                body = json.dumps(tree).encode()
                lines = [f"HTTP/1.1 {status} {REASONS[status]}", "content-type: application/json"]
                lines += [f"content-length: {len(body)}", "", ""]
                writer.write("\r\n".join(lines).encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, method: str, path: str) -> tuple[int, object]:
        number = int(path.rpartition("/")[2])
        await asyncio.sleep(self._delay)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                who = await connection.fetchval("SELECT name FROM users WHERE token = $1", "t-1")
                if method == "POST":
                    made = str(uuid.uuid4())
                    await connection.execute("INSERT INTO things (id, number) VALUES ($1, $2)", made, number)
                    return 201, {"id": made, "by": who}
                row = await connection.fetchrow("SELECT number, name FROM things WHERE number = $1", number)
                return 200, {**row, "by": who}
        except asyncpg.PostgresError as error:
            return 500, {"error": str(error)}


async def main(port: int, database: str, delay: float) -> None:
    async with asyncpg.create_pool(database, min_size=2, max_size=8) as pool:
        server = await asyncio.start_server(Service(pool, delay).serve, "127.0.0.1", port, backlog=256)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0))
