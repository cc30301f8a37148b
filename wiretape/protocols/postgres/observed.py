"""What a tap knows of the session it watches: its settings, its types, its encoding; and the facts a mock is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wiretape.errors import EncodeError
from wiretape.protocols.postgres import diagnostics, facts, typeinfo
from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.reading import Reading
from wiretape.protocols.postgres.results import Wording
from wiretape.protocols.postgres.settings import encoding, style
from wiretape.protocols.postgres.types import Catalog
from wiretape.tree import Tree


class Observed:
    """The session as far as it was seen."""

    def __init__(self) -> None:
        self._settings: dict[str, str] = {}
        self._greeting: Mapping[str, str] | None = None
        self._types: dict[str, Tree] = {}
        self.wording = Wording(catalog=Catalog.of({}), style=style({}))

    @property
    def greeted(self) -> bool:
        """Whether the server has been ready once."""
        return self._greeting is not None

    def greet(self) -> None:
        """The server is ready for the first time: what it said of itself until now is its greeting."""
        self._greeting = dict(self._settings)

    @property
    def facts(self) -> dict[str, Tree]:
        """`server_version`, `parameters` (but for the name the client gave itself) and `types`."""
        out: dict[str, Tree] = {}
        said: dict[str, Tree] = {name: value for name, value in (self._greeting or {}).items() if name != "application_name"}
        if version := said.pop("server_version", ""):
            out["server_version"] = version
        if said:
            out["parameters"] = said
        if self._types:
            out["types"] = dict(self._types)
        return out

    def set(self, name: str, value: str) -> None:
        """A setting, as the start-up packet asks for it or the server reports it."""
        self._settings[name] = value
        self.wording = Wording(
            catalog=self.wording.catalog,
            style=style(self._settings),
            encoding=encoding(self._settings.get("client_encoding", "UTF8")),
        )

    def learn(self, reading: Reading) -> None:
        """The database's own types, where a driver's introspection has just described some."""
        for result in reading.done:
            if isinstance(result.columns, dict) and "oid" in result.columns:
                learnt = typeinfo.learn(self.wording.catalog, list(result.columns), result.rows)
                if learnt:
                    self._adopt(facts.merge_types(self._types, learnt))

    def _adopt(self, types: dict[str, Tree]) -> None:
        try:
            catalog = Catalog.of(types)
        except EncodeError:  # half an introspection, of types that refer to others: those may still come
            return
        self._types = types
        self.wording = replace(self.wording, catalog=catalog)

    def text(self, text: str) -> str:
        """Text of a message, in the client's encoding."""
        return self.wording.said(text)

    def columns(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """Columns with their names as `text`."""
        if all(column.name.isascii() for column in columns):
            return columns
        return tuple(replace(column, name=self.text(column.name)) for column in columns)

    def diagnostic(self, fields: Iterable[tuple[bytes, str]]) -> dict[str, Tree]:
        """An error or notice as it stands in a case."""
        return diagnostics.to_tree((letter, self.text(text)) for letter, text in fields)
