"""Which target an address is, where no listener of its own tells: one that is configured, else one named by the host."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from recorder.wire import Listener
from wiretape.casefile import CALL_WORDS
from wiretape.config import Address
from wiretape.options import LOOPBACK
from wiretape.protocols import CODECS, codec

type Via = Literal["proxy", "local"]

_USUAL_PORTS = (80, 443)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How what is found is treated: `passthrough` are globs of hosts whose TLS is not read; the rest as of a Listener."""

    passthrough: Sequence[str] = ()
    verify: bool = True
    ca: Path | None = None


class Directory:
    """Knows every listener there is; those it makes join `listeners`."""

    def __init__(self, listeners: list[Listener], via: Via, terms: Terms) -> None:
        self._listeners = listeners
        self._via = via
        self._terms = terms
        self._found: dict[tuple[str, int], Listener] = {}

    def find(self, host: str, port: int, protocol: str, name: str = "") -> Listener:
        """Whose address it is, upstream or of our own listener. A new target speaks `protocol`, and is called `name` or by its
        host."""
        known = self._found.get((host, port))
        if known is None:
            at = Address(host=host, port=port)
            known = next((one for one in self._listeners if _is_at(one, at)), None)
            known = self._found[host, port] = known or self._new(at, protocol, name)
        return known

    def _new(self, at: Address, protocol: str, name: str) -> Listener:
        terms = self._terms
        unread = any(fnmatchcase(at.host, each) for each in terms.passthrough)
        made = Listener(
            target=free_name(name or name_of(at), at, {one.target for one in self._listeners}),
            protocol=protocol,
            listen=Address(host=LOOPBACK, port=0),
            upstream=at,
            tls="passthrough" if unread else "auto",
            verify=terms.verify,
            ca=terms.ca,
            via=self._via,
        )
        self._listeners.append(made)
        return made


def _is_at(one: Listener, at: Address) -> bool:
    return (one.target != "" and one.upstream == at) or (one.via == "" and one.listen == at)


def name_of(at: Address) -> str:
    """`api-example-com` for api.example.com:443; `localhost-8080` where the port is none of HTTP's own."""
    words = re.sub(r"[^a-z0-9]+", "-", at.host.lower()).strip("-")
    name = words if at.port in _USUAL_PORTS else f"{words}-{at.port}"
    return name if name[:1].isalpha() else f"host-{name}"


def free_name(name: str, at: Address, taken: Collection[str]) -> str:
    """`name`, or one like it, that is no other target's and means nothing else in a call."""
    words = {*CALL_WORDS, *(word for each in CODECS for word in codec(each).schema)}
    tries = (name, f"{name}-{at.port}", *(f"{name}-{at.port}-{number}" for number in range(2, len(taken) + 4)))
    return next(each for each in tries if each not in taken and each not in words)
