"""grpcio: `grpc_client.py URL` prints one JSON line for each step."""

import json
import sys
from queue import SimpleQueue
from urllib.parse import urlsplit

import grpc


def text_field(number: int, text: str) -> bytes:
    data = text.encode()
    return bytes((number << 3 | 2, len(data))) + data


def main(url: str) -> None:
    with grpc.insecure_channel(urlsplit(url).netloc) as channel:
        get = channel.unary_unary("/shop.v1.Shop/Get")
        for name in ("a1", "b2", "a1"):
            print(json.dumps(["get", get(text_field(1, name), timeout=10, metadata=(("x-tenant", "t1"),)).hex()]), flush=True)
        try:
            get(text_field(1, "missing"), timeout=10)
        except grpc.RpcError as error:
            print(json.dumps(["error", error.code().name, error.details(), dict(error.trailing_metadata())]), flush=True)  # type: ignore[attr-defined]
        stream = channel.unary_stream("/shop.v1.Shop/List")(text_field(1, "all"), timeout=10)
        print(json.dumps(["list", [one.hex() for one in stream], stream.initial_metadata()[0]]), flush=True)
        collect = channel.stream_unary("/shop.v1.Shop/Collect")
        print(json.dumps(["collect", collect(iter([text_field(1, "a"), text_field(1, "b")]), timeout=10).hex()]), flush=True)
        echo = channel.stream_stream("/shop.v1.Shop/Echo")
        print(
            json.dumps(["echo", [one.hex() for one in echo(iter([text_field(1, "a"), text_field(1, "b")]), timeout=10)]]),
            flush=True,
        )

        talk(echo)


def talk(echo: grpc.StreamStreamMultiCallable) -> None:
    """Says the next word only once the one before it was answered."""
    words: SimpleQueue[bytes | None] = SimpleQueue()
    told = []
    answers = echo(iter(words.get, None), timeout=10)
    for word in ("one", "two", "three"):
        words.put(text_field(1, word))
        told.append(next(answers).hex())
    words.put(None)
    print(json.dumps(["talk", told, [one.hex() for one in answers]]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
