"""pymongo, asyncio: many cursors at once, whose batches come over whichever connection is free."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pymongo import AsyncMongoClient


async def main(url: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    things = client.get_default_database()["things"]
    await things.drop()
    await things.insert_many([{"n": n, "group": n % 8} for n in range(240)])

    async def walk(group: int) -> list[int]:
        found = []
        async for thing in things.find({"group": group}, batch_size=2).sort("n", 1):
            found.append(thing["n"])
            await asyncio.sleep(0.001 * (1 + (group + len(found)) % 3))  # another takes this one's connection meanwhile
        return found

    for found in await asyncio.gather(*map(walk, range(8))):
        print(json.dumps(found))
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
