"""Which requests become cases: the filters a person writes, and the share they ask for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from wiretape.errors import ConfigError

_METHOD = re.compile(r"[A-Z][A-Z-]*$")
_STATUS = re.compile(r"[1-5](?:\d\d|[xX]{2})$")
_FORM = "write a method, a path and a status, each optional: GET /api/*, /health, 5xx, POST /orders 201"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`GET /api/* 2xx`: any of the three may be missing. `*` stands for anything; a pattern without `?` ignores the query."""

    method: str = ""
    path: str = ""
    status: str = ""

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Raises ConfigError, saying what a filter looks like."""
        found: dict[str, str] = {}
        for word in text.split():
            kind = _kind(word)
            if not kind or kind in found:
                raise ConfigError(f"cannot read the filter {text!r} at {word!r}; {_FORM}")
            found[kind] = word
        if not found:
            raise ConfigError(f"a filter cannot be empty; {_FORM}")
        return cls(method=found.get("method", ""), path=found.get("path", ""), status=found.get("status", "").lower())

    def matches(self, method: str, target: str, status: int) -> bool:
        """Whether a request with this target (path and query) and answer is meant."""
        if self.method and self.method != method:
            return False
        if self.status and not all(want in ("x", have) for want, have in zip(self.status, str(status), strict=False)):
            return False
        return not self.path or self._fits(target if "?" in self.path else target.partition("?")[0])

    def _fits(self, where: str) -> bool:
        return re.fullmatch(".*".join(map(re.escape, self.path.split("*"))), where, re.DOTALL) is not None


def _kind(word: str) -> str:
    if word.startswith(("/", "*")):
        return "path"
    if _STATUS.match(word):
        return "status"
    return "method" if _METHOD.match(word) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """All filters together: included by at least one (where there are any), excluded by none, and of the share wanted."""

    include: Sequence[Filter] = ()
    exclude: Sequence[Filter] = ()
    sample: float = 1.0

    @classmethod
    def parse(cls, include: Sequence[str], exclude: Sequence[str], sample: float) -> Choice:
        """Raises ConfigError for a filter or a share that is none."""
        if not 0 <= sample <= 1:
            raise ConfigError(f"sample {sample:g} is no share; give a number from 0 to 1, as 0.1 for one request in ten")
        return cls(include=[*map(Filter.parse, include)], exclude=[*map(Filter.parse, exclude)], sample=sample)

    def wants(self, method: str, target: str, status: int) -> bool:
        """Whether the filters let the request in."""
        meant = [any(one.matches(method, target, status) for one in some) for some in (self.include, self.exclude)]
        return (meant[0] or not self.include) and not meant[1]

    def draws(self, identity: str) -> bool:
        """Whether the request is of the sample. The same identity is always decided alike, so compiling again agrees."""
        drawn = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest()) / 2**64
        return drawn < self.sample
