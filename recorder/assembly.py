"""One capture -> cases: its exchanges with the calls attributed to them, and the calls that no exchange caused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from recorder.attribute import Attributed, Outbound, Window, attribute
from recorder.evidence import Said, Told, said, told
from recorder.routes import Routes
from recorder.taps import Inbound, Seen
from wiretape.case import Call, Case
from wiretape.protobuf.registry import Registry
from wiretape.protocols.http import SWITCHING, Exchange, to_messages, to_request, to_response

# From the least certain way in which a call may have been attributed to the most certain one.
_WAYS: Final = ("ambiguous", "signature", "values")
_CERTAIN: Final = ("serialize", "in-flight", "trace", "transaction")
# A service may go on working for a client that has left, and no wire tells how long. In seconds.
_LINGERS: Final = 1.0


class Assembly:
    """`labels` are the names of the exchanges' cases: what other cases call them by."""

    def __init__(self, seen: Seen, labels: Sequence[str], types: Registry) -> None:
        self._seen = seen
        self._labels = labels
        self._types = types
        windows = [Window(started=one.started, ended=_over(one.exchange), serialized=one.serialized) for one in seen.inbound]
        self._result = attribute(windows, seen.outbound, Evidence(seen))

    def cases(self, wanted: Iterable[int]) -> Iterator[Case]:
        """The cases of these exchanges, by their places among all of the capture."""
        for index in wanted:
            yield self._case(self._labels[index], self._seen.inbound[index], self._result.windows[index])

    def session(self) -> Iterator[Call]:
        """The calls that no exchange caused."""
        return map(called, self._result.session)

    def _case(self, name: str, one: Inbound, calls: Sequence[Attributed]) -> Case:
        exchange = one.exchange
        how = _how(one, calls)
        grpc = exchange.target.partition("?")[0]
        return Case(
            name=name,
            request=to_request(exchange, self._types.inputs.get(grpc)),
            response=to_response(exchange, self._types.outputs.get(grpc)),
            messages=to_messages(exchange),
            calls=tuple(self._called(each, how) for each in calls),
            recorded=datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            attributed=how,
            incomplete="; ".join(dict.fromkeys(self._missing(one, calls))),
        )

    def _called(self, each: Attributed, how: str) -> Call:
        others = tuple(self._labels[other] for other in each.others)
        way = f"{each.how} ({each.because})" if each.because else each.how
        return replace(called(each.outbound), attributed="" if way == how else way, ambiguous=others)

    def _missing(self, one: Inbound, calls: Sequence[Attributed]) -> list[str]:
        """Why the case is not whole; empty if it is."""
        exchange = one.exchange
        reasons = [exchange.incomplete] if exchange.incomplete else []
        if exchange.status == SWITCHING and not exchange.is_websocket:
            reasons.append("the connection went on in another protocol, which was not recorded")
        outbound = (each.outbound for each in calls)
        reasons += (f"{one.target}: {one.interaction.incomplete}" for one in outbound if one.interaction.incomplete)
        losses = (loss for loss in self._seen.losses if loss.target and loss.touches(one.started, exchange.ended))
        return reasons + [f"{loss.target}: {loss.reason}" for loss in losses]


class Evidence:
    """What the exchanges and the interactions of a capture say."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._routes = Routes((one.exchange.method, one.exchange.target) for one in seen.inbound)

    def request(self, window: int) -> Said:
        one = self._seen.inbound[window]
        return said(one.exchange, self._routes, one.trace)

    def call(self, outbound: Outbound) -> Told:
        ask = self._seen.codecs[outbound.target].ask(called(outbound))
        return told(ask, outbound.interaction.fields)


def called(outbound: Outbound) -> Call:
    """The interaction as a call."""
    interaction = outbound.interaction
    return Call(target=outbound.target, operation=interaction.operation, fields=interaction.fields)


def _how(one: Inbound, calls: Sequence[Attributed]) -> str:
    """How the case's calls were found: the least certain way, as the rest says itself."""
    ways = {each.how for each in calls}
    found = next((way for way in (*_WAYS, *_CERTAIN) if way in ways), "")
    return found or ("serialize" if one.serialized else "in-flight")


def _over(exchange: Exchange) -> float:
    """When a request can no longer be the cause of a call, seconds since the epoch."""
    return exchange.ended if exchange.status else exchange.ended + _LINGERS
