"""aiohttp, with a WebSocket: `aiohttp_client.py URL` prints one JSON line for each step."""

import asyncio
import json
import sys

import aiohttp


async def show(name: str, request: object) -> None:
    async with request as response:  # type: ignore[attr-defined]
        kind = response.headers.get("content-type", "")
        data = await response.read()
        told = json.loads(data) if "json" in kind and data else data.decode() if "text" in kind else len(data)
        print(json.dumps([name, response.status, told]), flush=True)


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as client:
        await show("root", client.get(url))
        await show("head", client.head(url))
        await show("item", client.get(f"{url}/items/7"))
        await show("search", client.get(f"{url}/search", params={"q": "a b"}))
        await show("create", client.post(f"{url}/items", json={"name": "Lamp"}))
        await show("delete", client.delete(f"{url}/items/9"))
        await show("form", client.post(f"{url}/form", data={"a": "1", "b": "x y"}))
        form = aiohttp.FormData()
        form.add_field("f", b"file content", filename="a.txt")
        await show("upload", client.post(f"{url}/upload", data=form))
        await show("words", client.get(f"{url}/words"))
        await show("events", client.get(f"{url}/events"))
        await show("expect", client.post(f"{url}/items", json={"expect": True}, expect100=True))
        await asyncio.gather(*(show("gathered", client.get(f"{url}/items/5")) for _ in range(8)))
        async with client.ws_connect(f"{url}/ws", compress=15) as socket:
            told = [await socket.receive_json()]
            for text in ("one", "two " * 50, "three"):
                await socket.send_str(text)
                told += [await socket.receive_json(), await socket.receive_json()]
            await socket.send_bytes(b"\x00\x01\x02")
            told.append((await socket.receive_bytes()).hex())
            await socket.ping()
            await socket.send_str("bye")
            last = await socket.receive()
            print(json.dumps(["socket", told, last.type.name, socket.close_code]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
