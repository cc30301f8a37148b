"""A gRPC service with messages of its own type (tests/wiretape/shop.proto), made without generated code; and its client."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

PROTO = Path(__file__).parents[2] / "wiretape" / "shop.proto"


@cache
def types() -> tuple[Any, Any]:
    """The classes of `Ask` and `Order`."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set.binpb"
        include = Path(protoc.__file__).parent / "_proto"
        words = [f"-I{PROTO.parent}", f"-I{include}", "--include_imports", f"--descriptor_set_out={out}", str(PROTO)]
        assert protoc.main(["protoc", *words]) == 0
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)  # type: ignore[no-untyped-call]
    make = message_factory.GetMessageClass
    return tuple(make(pool.FindMessageTypeByName(f"shop.v1.{name}")) for name in ("Ask", "Order"))  # type: ignore[return-value, no-untyped-call]


class _Orders(grpc.GenericRpcHandler):
    def __init__(self, wrong: bool) -> None:
        self.wrong = wrong

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        ask, order = types()
        how = {"request_deserializer": ask.FromString, "response_serializer": order.SerializeToString}
        if details.method == "/shop.v1.Orders/Get":
            return grpc.unary_unary_rpc_method_handler(self.get, **how)
        if details.method == "/shop.v1.Orders/Watch":
            return grpc.unary_stream_rpc_method_handler(self.watch, **how)
        return None

    def get(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.id == 404:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
        _, order = types()
        lines = [{"sku": "A1", "qty": 2, "price": 19.9}, {"sku": "B2", "qty": 1, "price": 5}]
        found = order(id=request.id, customer="Jos\u00e9", state="OPEN", lines=lines, stock={"A1": 3})
        found.made.GetCurrentTime()
        if self.wrong:
            found.lines[1].qty = 7
        return found

    def watch(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        _, order = types()
        for state in ("STATE_UNKNOWN", "OPEN", "LOST"):
            yield order(id=request.id, state=state)
        while context.is_active() and request.id == 9:  # until the client leaves
            time.sleep(0.01)


@contextmanager
def serve(*, wrong: bool = False) -> Iterator[int]:
    """The port of the service until the block ends."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Orders(wrong),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()


def session(port: int) -> None:
    """What a client asks."""
    ask, order = types()
    how = {"request_serializer": ask.SerializeToString, "response_deserializer": order.FromString}
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/shop.v1.Orders/Get", **how)(ask(id=7)).customer == "Jos\u00e9"
        assert len(list(channel.unary_stream("/shop.v1.Orders/Watch", **how)(ask(id=7)))) == 3
        with pytest.raises(grpc.RpcError, match="no such order"):
            channel.unary_unary("/shop.v1.Orders/Get", **how)(ask(id=404))
        left = channel.unary_stream("/shop.v1.Orders/Watch", **how)(ask(id=9))
        assert [next(left).state for _ in range(3)] == [0, 1, -1]
        left.cancel()
