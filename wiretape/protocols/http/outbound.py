"""The tap of a dependency that speaks HTTP: exchanges -> interactions, and the facts of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.http.asks import asked
from wiretape.protocols.http.exchange import Exchange
from wiretape.protocols.http.forms import message_field, response_fields
from wiretape.protocols.http.tap import HttpTap
from wiretape.tree import Tree

MAX_BODY = 64 * 1024 * 1024  # bytes of one body; what is over it is cut and said


class CallTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`)."""

    def __init__(self) -> None:
        self._tap = HttpTap(MAX_BODY)
        self._versions: set[str] = set()

    @property
    def facts(self) -> Mapping[str, Tree]:
        return {"versions": list[Tree](sorted(self._versions))} if self._versions else {}

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        for exchange in self._tap.feed(side, data, at):
            yield self._interaction(exchange)

    def close(self, at: float) -> Iterator[Interaction]:
        for exchange in self._tap.close(at):
            yield self._interaction(exchange)

    def _interaction(self, exchange: Exchange) -> Interaction:
        if exchange.status:
            self._versions.add("2" if exchange.version == "2" else "1.1")
        request = asked(exchange.method, exchange.target, exchange.request_headers, exchange.request_body)
        fields = request.fields()
        fields["response"] = response_fields(exchange)
        if exchange.is_websocket:
            fields["messages"] = [message_field(message) for message in exchange.messages]
        return Interaction(
            operation=request.operation,
            fields=fields,
            started=exchange.started,
            ended=exchange.ended,
            role="housekeeping" if exchange.method == "CONNECT" else "query",
            incomplete=exchange.incomplete,
            traces=request.traces,
        )


def merge(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The facts of two connections to one server: every version it spoke; TLS is offered if it was once."""
    out: dict[str, Tree] = {**old, **new}
    spoken = [known for facts in (old, new) if isinstance(known := facts.get("versions"), list)]
    if spoken:
        out["versions"] = list[Tree](sorted({str(version) for versions in spoken for version in versions}))
    if old.get("tls") is True:
        out["tls"] = True
    return out
