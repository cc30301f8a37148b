"""A document being read: mappings, lists, texts and pairs of the right type, every mistake noted with its place."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Headers
from wiretape.casekeys import VERSION
from wiretape.problems import Problem, Read, unknown
from wiretape.tree import Path, Tree, kind
from wiretape.yamlio import Document

_ARTICLES: Mapping[str, str] = MappingProxyType(
    {"array": "a list", "object": "a mapping", "integer": "an integer", "null": "empty"}
)


class Reader:
    """One document being read: every method returns something of the right type and notes what is wrong."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[Problem] = []

    def result[T](self, value: T) -> Read[T]:
        return Read(value=value, problems=tuple(sorted(self._problems, key=lambda one: (one.line, one.column))))

    def fail(self, path: Path, reason: str, *, key: bool = False, version: bool = False) -> None:
        mark = self.document.mark(path, key=key)
        self._problems.append(Problem(line=mark.line, column=mark.column, reason=reason, version=version))

    def top(self, known: Collection[str], needs: Collection[str] = ()) -> Mapping[str, Tree]:
        if self.document.value is None:
            self.fail((), f"the file is empty; it starts with `wiretape: {VERSION}`")
            return {}
        if not isinstance(self.document.value, dict):
            self.mismatch((), "a mapping", self.document.value)
            return {}
        top = self.document.value
        version = top.get("wiretape")
        if "wiretape" not in top:
            self.fail((), f"the format's version is missing; start the file with `wiretape: {VERSION}`")
        elif type(version) is not int:
            self.fail(("wiretape",), f"the format's version must be {VERSION}")
        elif version != VERSION:
            # Another version has other keys: to report those as well would only hide what is the matter.
            self.fail(("wiretape",), f"format version {version} is not one this wiretape reads ({VERSION})", version=True)
            return {}
        self._known((), top, known)
        misspelt = [name for name in top if name not in known]
        for name in needs:
            if name not in top and not difflib.get_close_matches(name, misspelt):
                self.fail((), f"`{name}` is missing")
        return top

    def mapping(self, path: Path, value: Tree, known: Collection[str] | None = None) -> Mapping[str, Tree]:
        if isinstance(value, dict):
            if known is not None:
                self._known(path, value, known)
            return value
        if value is not None:
            self.mismatch(path, "a mapping", value)
        return {}

    def _known(self, path: Path, value: Mapping[str, Tree], known: Collection[str]) -> None:
        for name in value:
            if name not in known:
                self.fail((*path, name), unknown(name, known, "key"), key=True)

    def mismatch(self, path: Path, wanted: str, value: Tree) -> None:
        got = kind(value)
        self.fail(path, f"{named(path)} must be {wanted}, not {_ARTICLES.get(got, 'a ' + got)}")

    def list(self, path: Path, value: Tree) -> list[Tree]:
        if isinstance(value, list):
            return value
        if value is not None:
            self.mismatch(path, "a list", value)
        return []

    def text(self, path: Path, value: Tree) -> str:
        """A string; a number or a boolean stands for how it is written, as a person would expect of `reason: 200`."""
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case int() | float():
                return str(value)
        self.mismatch(path, "a string" + (' (write "" for an empty one)' if value is None else ""), value)
        return ""

    def word(self, within: Mapping[str, Tree], path: Path, name: str) -> str:
        return self.text((*path, name), within[name]) if name in within else ""

    def pairs(self, path: Path, value: Tree) -> Headers:
        """Names with values, in order: a mapping (a list of values repeats the name) or a list of [name, value]."""
        return tuple(self._pairs(path, value))

    def _pairs(self, path: Path, value: Tree) -> Iterator[tuple[str, str]]:
        if isinstance(value, list):
            for index, pair in enumerate(value):
                if isinstance(pair, list) and len(pair) == 2:
                    yield self.text((*path, index, 0), pair[0]), self.text((*path, index, 1), pair[1])
                else:
                    self.fail((*path, index), "an entry of this list must be [name, value]")
            return
        for name, given in self.mapping(path, value).items():
            if isinstance(given, list):
                for index, one in enumerate(given):
                    yield name, self.text((*path, name, index), one)
            else:
                yield name, self.text((*path, name), given)


def named(path: Path) -> str:
    """How a message names a place: its last word, as written in the file."""
    words = [step for step in path if isinstance(step, str)]
    return f"`{words[-1]}`" if words else "the file"
