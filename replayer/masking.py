"""Secrets are named, never shown: findings as reports may print them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from replayer.events import CallFinding, Change
from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss
from wiretape.secrets import SHORTEST_PART
from wiretape.tree import Tree


class Mask:
    """Replaces the values of secrets by `${secret:name}` wherever they stand in a finding; short ones where they are a whole
    string, or stand in quotes. Nothing may be cut before that: of half a secret nobody knows that it is one."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        known = {value: name for name, value in secrets.items() if value}
        # As details spell them: a line end or a quote in it is written as an escape.
        spelled = {form: name for value, name in known.items() for form in (repr(value)[1:-1], json.dumps(value)[1:-1])}
        self._names = {**spelled, **known}
        longest_first = sorted(self._names, key=len, reverse=True)
        parts = [re.escape(value) for value in longest_first if len(value) >= SHORTEST_PART]
        parts += [f"(?<=['\"]){re.escape(value)}(?=['\"])" for value in longest_first if len(value) < SHORTEST_PART]
        self._parts = re.compile("|".join(parts)) if parts else None

    def text(self, text: str) -> str:
        """The text with secrets named."""
        if text in self._names:
            return self._reference(text)
        return self._parts.sub(lambda found: self._reference(found[0]), text) if self._parts else text

    def tree(self, tree: Tree) -> Tree:
        """The tree with secrets named."""
        if not self._names:
            return tree
        if isinstance(tree, str):
            return self.text(tree)
        if isinstance(tree, list):
            return [self.tree(item) for item in tree]
        if isinstance(tree, dict):
            return {self.text(key): self.tree(value) for key, value in tree.items()}
        return tree

    def change(self, change: Change) -> Change:
        """The change with secrets named."""
        return replace(
            change, recorded=self.tree(change.recorded), live=self.tree(change.live), reason=self.text(change.reason)
        )

    def finding(self, finding: CallFinding) -> CallFinding:
        """The finding with secrets named."""
        return replace(
            finding,
            operation=self.text(finding.operation),
            recorded=self._call(finding.recorded),
            live=self._ask(finding.live),
            details=tuple(map(self.text, finding.details)),
            miss=self.miss(finding.miss) if finding.miss else None,
        )

    def miss(self, miss: Miss) -> Miss:
        """The miss with secrets named."""
        ask = self._ask(miss.ask)
        assert ask is not None
        differences = tuple(map(self.text, miss.differences))
        return replace(miss, ask=ask, nearest=self._call(miss.nearest), differences=differences, advice=self.text(miss.advice))

    def _call(self, call: Call | None) -> Call | None:
        if call is None or not self._names:
            return call
        fields = {name: self.tree(value) for name, value in call.fields.items()}
        return replace(call, operation=self.text(call.operation), fields=fields)

    def _ask(self, ask: Ask | None) -> Ask | None:
        if ask is None or not self._names:
            return ask
        return replace(ask, operation=self.text(ask.operation), values=tuple(map(self.tree, ask.values)))

    def _reference(self, value: str) -> str:
        return f"${{secret:{self._names[value]}}}"
