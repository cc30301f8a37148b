"""A small gRPC service for tests, without generated code: messages are bytes in protobuf's own form, written here by hand."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import grpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Grpc:
    """A running service."""

    port: int


def text_field(number: int, text: str) -> bytes:
    """A string field of a protobuf message of less than 128 bytes."""
    data = text.encode()
    return bytes((number << 3 | 2, len(data))) + data


def number_field(number: int, value: int) -> bytes:
    """An integer field of a protobuf message, below 128."""
    return bytes((number << 3, value))


class _Shop(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        match details.method.rpartition("/")[2]:
            case "Get":
                return grpc.unary_unary_rpc_method_handler(_get)
            case "List":
                return grpc.unary_stream_rpc_method_handler(_list)
            case "Collect":
                return grpc.stream_unary_rpc_method_handler(_collect)
            case "Echo":
                return grpc.stream_stream_rpc_method_handler(_echo)
        return None


def _get(request: bytes, context: grpc.ServicerContext) -> bytes:
    if b"missing" in request:
        context.set_trailing_metadata((("reason", "no such item"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "there is no such item: ü")
    return request + text_field(2, "Lamp") + number_field(3, 42)


def _list(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    context.send_initial_metadata((("x-first", "yes"),))
    for number in range(5):
        yield request + number_field(3, number)


def _collect(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return number_field(1, sum(1 for _ in requests))


def _echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


@contextmanager
def serve() -> Iterator[Grpc]:
    """The service until the block ends."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Shop(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Grpc(port=port)
    finally:
        server.stop(0).wait()
