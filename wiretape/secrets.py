"""Keeping secrets out of cases: `${secret:name}` stands in their strings for values that live elsewhere.

In a stored string `${secret:name}` is a secret, `$${` is the text `${` (one more `$` than is meant, whatever their number),
and `${$}` is a `$` that happens to stand before a secret. Values come from `.wiretape/secrets.yaml`, which only its owner may
read, or from the environment.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from wiretape.case import Body, Call, Case, Headers, Linked, Suite
from wiretape.errors import ConfigError, StoreError
from wiretape.links import settle
from wiretape.sources import opened
from wiretape.store import SESSION_FILE, replace_file
from wiretape.tree import Tree, walk
from wiretape.yamldump import dump

FILE = "secrets.yaml"
PREFIX = "WIRETAPE_SECRET_"
SHORTEST_PART = 8  # a secret shorter than this is replaced only where it is a whole string

_REFERENCE = re.compile(r"(?P<dollars>\$+)\{(?:(?P<word>secret:(?P<name>[^{}\s]*)|\$)\})?")
_LITERAL = re.compile(r"\$+(?=\{)")
_EVIDENCE = re.compile(r"[^\s(),]+")  # a value that `attributed` names, each a whole string of its own


def protect[T: (Case, Call, Suite)](recorded: T, secrets: Mapping[str, str]) -> T:
    """The same with every secret's value replaced by `${secret:name}`, and what only looks like that escaped.

    A value is replaced where it is a whole string, and inside of strings where it has SHORTEST_PART characters or more. Facts
    are left alone: they are what a server tells anyone.
    """
    return _Protector(secrets).recorded(recorded)


def reveal(suite: Suite, secrets: Mapping[str, str]) -> Suite:
    """The suite as it was recorded: the inverse of `protect`.

    Raises ConfigError naming every secret that is missing, where it is used and how to supply it, or a `${…}` without
    meaning.
    """
    missing: dict[str, Path] = {}
    revealer = partial(_Revealer, secrets, missing)
    revealed = replace(
        suite,
        cases=settle([revealer(case.path or Path(case.name)).recorded(case) for case in suite.cases]),
        session=revealer(suite.root / SESSION_FILE).calls(suite.session),
    )
    if missing:
        names = ", ".join(f"{name} (used in {file})" for name, file in missing.items())
        first = next(iter(missing))
        raise ConfigError(
            f"secrets without a value: {names}; set {variable(first)} or put {first} into {Path('.wiretape') / FILE}"
        )
    return revealed


def variable(name: str) -> str:
    """The environment variable that supplies a secret."""
    return PREFIX + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def load_secrets(home: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What is known of secrets, the environment before the file. Raises ConfigError for a file that cannot be used."""
    stored = _stored(home)
    known = {name: environ.get(variable(name)) or value for name, value in stored.items()}
    spelled = {variable(name) for name in stored}
    for name, value in environ.items():
        if name.startswith(PREFIX) and value and name not in spelled:
            known[name.removeprefix(PREFIX).lower().replace("_", "-")] = value
    return MappingProxyType(known)


def _stored(home: Path) -> dict[str, str]:
    file = home / FILE
    if not file.exists():
        return {}
    document = opened(file)
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise ConfigError(f"{document.error((), 'must be a mapping of names to values')}")
    for name, one in value.items():
        if not isinstance(one, str | int | float) or isinstance(one, bool):
            raise ConfigError(f"{document.error((name,), f'the secret {name} must be a string; quote it')}")
    return {name: str(one) for name, one in value.items()}


def save_secrets(home: Path, secrets: Mapping[str, str]) -> None:
    """Add secrets to the file, readable by its owner only. Raises StoreError where it cannot be written."""
    if not secrets:
        return
    merged: dict[str, Tree] = {**_stored(home), **secrets}
    try:
        ensure_home(home)
        replace_file(home / FILE, dump(merged, block=lambda path: not path).encode(), mode=0o600)
    except OSError as error:
        raise StoreError(f"cannot write {home / FILE}: {error.strerror or error}") from None


def ensure_home(home: Path) -> Path:
    """The folder for what must not be committed or read by others; git is told so. Raises OSError."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return home


class Rewriter(ABC):
    """Rewrites every string of what was recorded that may hold a secret."""

    @abstractmethod
    def text(self, text: str) -> str:
        """The string as it should be."""

    def raw(self, body: Body, value: Tree) -> bytes:  # noqa: ARG002 - for who must look at it
        """What becomes of a body's raw bytes."""
        return body.raw

    def recorded[T: (Case, Call, Suite)](self, recorded: T) -> T:
        if isinstance(recorded, Call):
            return replace(
                recorded,
                operation=self.text(recorded.operation),
                fields=self._mapping(recorded.fields),
                attributed=_EVIDENCE.sub(lambda word: self.text(word[0]), recorded.attributed),
            )
        if isinstance(recorded, Case):
            return self._case(recorded)
        return replace(
            recorded,
            cases=tuple(map(self._case, recorded.cases)),
            session=self.calls(recorded.session),
        )

    def calls(self, calls: Iterable[Call]) -> tuple[Call, ...]:
        return tuple(map(self.recorded, calls))

    def _case(self, case: Case) -> Case:
        request, response = case.request, case.response
        return replace(
            case,
            request=replace(
                request,
                target=self.text(request.target),
                headers=self._headers(request.headers),
                body=self._body(request.body),
                trailers=self._headers(request.trailers),
            ),
            response=replace(
                response,
                headers=self._headers(response.headers),
                body=self._body(response.body),
                reason=self.text(response.reason),
                trailers=self._headers(response.trailers),
            ),
            messages=tuple(replace(message, value=self.tree(message.value)) for message in case.messages),
            calls=self.calls(case.calls),
            links=tuple(map(self._linked, case.links)),
        )

    def _linked(self, linked: Linked) -> Linked:
        return replace(linked, pieces=tuple(self.piece(one) if isinstance(one, str) else one for one in linked.pieces))

    def piece(self, text: str) -> str:
        """What stands beside a link."""
        return self.text(text)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.text(value)) for name, value in headers)

    def _body(self, body: Body) -> Body:
        value = self.tree(body.value)
        return replace(body, value=value, raw=self.raw(body, value))

    def _mapping(self, mapping: Mapping[str, Tree]) -> dict[str, Tree]:
        return {self.text(name): self.tree(value) for name, value in mapping.items()}

    def tree(self, tree: Tree) -> Tree:
        """A value with its strings as they should be."""
        if isinstance(tree, str):
            return self.text(tree)
        if isinstance(tree, list):
            return [self.tree(one) for one in tree]
        return self._mapping(tree) if isinstance(tree, dict) else tree


class _Protector(Rewriter):
    """Rewrites recorded strings to stored ones."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names = {value: name for name, value in reversed(list(secrets.items())) if value}
        parts = sorted((value for value in self._names if len(value) >= SHORTEST_PART), key=len, reverse=True)
        self._parts = re.compile("|".join(map(re.escape, parts))) if parts else None

    def text(self, text: str) -> str:
        if text in self._names:
            return self._reference(text)
        if self._parts is None:
            return _escape(text)
        out: list[str] = []
        done = 0
        for found in self._parts.finditer(text):
            before = _escape(text[done : found.start()])
            plain = before.rstrip("$")
            out += [plain, "${$}" * (len(before) - len(plain)), self._reference(found[0])]
            done = found.end()
        return "".join([*out, _escape(text[done:])])

    def piece(self, text: str) -> str:
        """A `$` at its end would turn the link that follows into a text."""
        stored = self.text(text)
        plain = stored.rstrip("$")
        return plain + "${$}" * (len(stored) - len(plain))

    def raw(self, body: Body, value: Tree) -> bytes:
        """Compressed bytes may hold the secret, too: where the value does, they are not kept."""
        strings = (one for _, one in walk(value) if isinstance(one, str))
        return b"" if any(name for one in strings for _, name in unresolved(one)) else body.raw

    def _reference(self, value: str) -> str:
        return f"${{secret:{self._names[value]}}}"


def _escape(text: str) -> str:
    return _LITERAL.sub(lambda found: found[0] + "$", text) if "${" in text else text


class _Revealer(Rewriter):
    """Rewrites stored strings to recorded ones; notes which secrets are missing."""

    def __init__(self, secrets: Mapping[str, str], missing: dict[str, Path], file: Path) -> None:
        self._secrets = secrets
        self._spelled = {variable(name): value for name, value in secrets.items()}
        self._file = file
        self._missing = missing

    def text(self, text: str) -> str:
        return _REFERENCE.sub(self._value, text) if "${" in text else text

    def _value(self, found: re.Match[str]) -> str:
        if len(found["dollars"]) > 1:
            return found[0][1:]
        if found["word"] == "$":
            return "$"
        name = found["name"]
        if not name:
            raise ConfigError(
                f"{self._file}: `{found[0]}…` stands for nothing; write ${{secret:NAME}}, or $${{ for the text ${{"
            )
        value = self._secrets.get(name, self._spelled.get(variable(name)))
        if value is None:
            self._missing.setdefault(name, self._file)
            return ""
        return value


def unresolved(text: str) -> Iterator[tuple[str, str]]:
    """Of a stored string, each `${…}` as written with the secret it names; empty where it names none."""
    for found in _REFERENCE.finditer(text):
        if len(found["dollars"]) == 1 and found["word"] != "$":
            yield found[0], found["name"] or ""
