"""websockets, with its compression: `websockets_client.py URL` prints one JSON line for each step."""

import asyncio
import json
import sys

import websockets


async def main(url: str) -> None:
    async with websockets.connect(f"ws{url.removeprefix('http')}/chat") as socket:
        told = [json.loads(await socket.recv())]
        for text in ("one", "a longer text, a longer text, a longer text", "ü"):
            await socket.send(text)
            told += [json.loads(await socket.recv()), json.loads(await socket.recv())]
        await socket.send(json.dumps({"op": "subscribe", "id": 7}))
        told += [json.loads(await socket.recv()), json.loads(await socket.recv())]
        await socket.send([b"in ", b"pieces"])
        told.append((await socket.recv()).decode())  # type: ignore[union-attr]
        await socket.ping()
        print(json.dumps(["told", told]), flush=True)
    print(json.dumps(["closed", socket.close_code]), flush=True)
    async with websockets.connect(f"ws{url.removeprefix('http')}/plain", compression=None) as socket:
        print(json.dumps(["hello", await socket.recv()]), flush=True)
        await socket.send("bye")
        try:
            await socket.recv()
        except websockets.ConnectionClosedOK as closed:
            print(json.dumps(["bye", closed.rcvd and closed.rcvd.code, closed.rcvd and closed.rcvd.reason]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
