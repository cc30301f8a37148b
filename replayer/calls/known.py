"""What is known besides the calls of one case: what asks are about, and what the whole suite touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from wiretape.case import Call, Case
from wiretape.protocols.base import About, Ask, Codec, about_nothing


class Known:
    """Asks are read when a finding needs it: a case without findings costs nothing. `suite` is every recorded call there is."""

    def __init__(self, codecs: Mapping[str, Codec] = MappingProxyType({}), suite: Iterable[Call] = ()) -> None:
        self._codecs, self._suite = codecs, suite
        self._touched: Mapping[str, frozenset[str]] | None = None

    def about(self, ask: Ask) -> About:
        """What an ask is about."""
        codec = self._codecs.get(ask.target)
        return (codec.about if codec else about_nothing)(ask)

    def new_to_the_suite(self, ask: Ask) -> tuple[str, ...]:
        """What of that which an ask touches no recorded call of its target touches."""
        touched = self._everywhere().get(ask.target, frozenset())
        return tuple(name for name in self.about(ask).touches if name not in touched)

    def _everywhere(self) -> Mapping[str, frozenset[str]]:
        if self._touched is None:
            found: dict[str, set[str]] = {}
            for call in self._suite:
                codec = self._codecs[call.target]
                found.setdefault(call.target, set()).update(codec.about(codec.ask(call)).touches)
            self._touched = {target: frozenset(names) for target, names in found.items()}
        return self._touched


def all_calls(session: Iterable[Call], cases: Iterable[Case]) -> Iterable[Call]:
    """Every call of a suite."""
    return [*session, *(call for case in cases for call in case.calls)]
