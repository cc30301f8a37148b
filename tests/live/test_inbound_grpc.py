"""A gRPC service: each kind of call recorded off the wire, replayed against the same build, and against one that differs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from tests.live.inbound import exchanges, replay, stored
from tests.live.relay import Relay
from tests.live.servers.grpc_service import number_field, serve, text_field
from wiretape.case import Case

NAME = text_field(1, "lampe")


def session(port: int, compression: grpc.Compression) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}", compression=compression) as channel:
        assert channel.unary_unary("/shop.Shop/Get")(NAME).startswith(NAME)
        assert len(list(channel.unary_stream("/shop.Shop/List")(NAME))) == 5
        assert channel.stream_unary("/shop.Shop/Collect")(iter([NAME, NAME, b""])) == number_field(1, 3)
        assert list(channel.stream_stream("/shop.Shop/Echo")(iter([NAME, number_field(3, 7)]))) == [NAME, number_field(3, 7)]
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/shop.Shop/Get")(text_field(1, "missing"))
        left = channel.unary_stream("/shop.Shop/List")(NAME)
        assert next(left).startswith(NAME)
        left.cancel()


@pytest.fixture(params=[grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"])
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Case]:
    with serve() as service, Relay(service.port) as relay:
        session(relay.port, request.param)
    return {case.name: case for case in stored(exchanges(relay.connections), tmp_path)}


def test_the_same_build_passes(suite: dict[str, Case]) -> None:
    assert suite["post-shop-shop-collect-200"].request.body.value == [{"1": "lampe"}, {"1": "lampe"}, {}]
    assert suite["post-shop-shop-list-200"].response.body.value == [{"1": "lampe", "3": n} for n in range(5)]
    assert ("grpc-status", "5") in suite["post-shop-shop-get-200-2"].response.headers
    with serve() as service:
        for name, one in replay(list(suite.values()), service.port).items():
            assert one.changes == (), name


class _Other(grpc.GenericRpcHandler):
    """The same service gone wrong."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        match details.method.rpartition("/")[2]:
            case "Get":
                return grpc.unary_unary_rpc_method_handler(self.get)
            case "List":
                return grpc.unary_stream_rpc_method_handler(
                    lambda request, _: iter([request + number_field(3, n) for n in (0, 1, 9, 3, 4)])
                )
            case "Collect":
                return grpc.stream_unary_rpc_method_handler(lambda requests, _: number_field(1, 2 * sum(1 for _ in requests)))
            case "Echo":
                return grpc.stream_stream_rpc_method_handler(lambda requests, _: iter(list(requests)[:1]))
        return None

    def get(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if b"missing" in request:
            context.abort(grpc.StatusCode.INTERNAL, "null pointer")
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "not yours")
        raise AssertionError


@contextmanager
def other() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Other(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()


def test_regressions_are_found_at_their_places(suite: dict[str, Case]) -> None:
    with other() as port:
        found = replay(list(suite.values()), port)
    places = {name: [change.path for change in one.changes] for name, one in found.items()}
    assert places["post-shop-shop-list-200"] == ["response.headers.x-first", "response.body[2].3"]
    assert places["post-shop-shop-collect-200"] == ["response.body[0].1"]
    assert places["post-shop-shop-echo-200"] == ["response.body[1]"]
    assert "response.trailers.grpc-status" in places["post-shop-shop-get-200"]
    assert any("NOT_FOUND became INTERNAL" in line for line in found["post-shop-shop-get-200-2"].lines)
    assert any("OK became PERMISSION_DENIED" in line for line in found["post-shop-shop-get-200"].lines)
