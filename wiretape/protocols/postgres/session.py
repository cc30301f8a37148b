"""The state of a session that a mock plays: its settings, its transaction, its cursors; and what statements do to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from wiretape.protocols.postgres.backend import ParameterStatus
from wiretape.protocols.postgres.channels import Channels
from wiretape.protocols.postgres.cursors import Cursors, closed, declared
from wiretape.protocols.postgres.results import Wording
from wiretape.protocols.postgres.settings import (
    REPORTED,
    UNREPORTED,
    canonical_name,
    encoding,
    options,
    spelled,
    style,
)  # fmt: skip
from wiretape.protocols.postgres.sql import Statement, identifier
from wiretape.protocols.postgres.types import Catalog
from wiretape.tree import Tree

IDLE, ACTIVE, FAILED = b"I", b"T", b"E"
EXITS: Final = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})

_SET = re.compile(r"set (?:session |local )?(time zone|names|transaction|session|[\w.\"]+)(?: =| to)? ?(.*)")
_QUERY = re.compile(r"declare .*? cursor (?:with(?:out)? hold )?for (.*)", re.DOTALL)
_DEALLOCATE = re.compile(r"\s*deallocate\s+(?:prepare\s+)?(\"(?:[^\"]|\"\")+\"|[\w$]+)", re.IGNORECASE)
_ALIASES: Mapping[str, str] = MappingProxyType({"time zone": "TimeZone", "names": "client_encoding"})


class Session:
    """One connection's state, as its statements change it."""

    def __init__(self, facts: Mapping[str, Tree], catalog: Catalog) -> None:
        told = facts.get("parameters")
        base = {str(name): str(value) for name, value in told.items()} if isinstance(told, Mapping) else dict(REPORTED)
        for name in ("application_name", "session_authorization", "client_encoding", "server_version"):
            base.setdefault(name, REPORTED[name])
        if version := facts.get("server_version"):
            base["server_version"] = str(version)
        self._catalog = catalog
        self._recorded_style = style(base)
        self.parameters = base
        self._others = dict(UNREPORTED)
        self._start: Mapping[str, str] = {}
        self.status = IDLE
        self.cursors: Cursors[tuple[str, tuple[Tree, ...]]] = Cursors()  # the shape of each one's query, and its values
        self.channels = Channels()
        self._before: dict[str, str] | None = None  # the settings that the end of a transaction may bring back
        self._local: dict[str, str] = {}
        self._reword()
        self._changed: list[bytes] = []

    def greet(self, asked: Mapping[str, str]) -> bytes:
        """The start-up packet's parameters take effect; what the server reports of itself."""
        for name, value in options(asked.get("options", "")):
            self._assign(name, value)
        for name, value in asked.items():
            if name not in ("user", "database", "options", "replication") and not name.startswith("_pq_."):
                self._assign(name, value)
        if user := asked.get("user"):
            self.parameters["session_authorization"] = user
        self._start = {**self._others, **self.parameters}
        self._changed.clear()
        return b"".join(
            ParameterStatus(name=name, value=self.wording.spoken(value)).encode() for name, value in self.parameters.items()
        )

    def changed(self) -> bytes:
        """The reports of settings that changed since the last call."""
        out = b"".join(self._changed)
        self._changed.clear()
        return out

    def setting(self, name: str) -> str | None:
        """A setting's value; None where it is not known."""
        known = {**self._others, **self.parameters}
        return known.get(canonical_name(name, known))

    def _assign(self, name: str, value: str) -> None:
        value = value.replace("\0", "")  # which no text of a server has
        if name == "client_encoding":
            value = spelled(value)
        name = canonical_name(name, self.parameters)
        if name not in self.parameters:
            self._others[canonical_name(name, self._others)] = value
        elif self.parameters[name] != value:
            self.parameters[name] = value
            self._changed.append(ParameterStatus(name=name, value=self.wording.spoken(value)).encode())
            self._reword()

    def _reword(self) -> None:
        """How values are written now: `asking` as this client writes its own, `wording` as the recording has them."""
        code = encoding(self.parameters["client_encoding"])
        self.asking = Wording(catalog=self._catalog, style=style(self.parameters), encoding=code)
        self.wording = replace(self.asking, style=self._recorded_style)

    def report(self, fields: Mapping[str, Tree]) -> None:
        """What a recorded call says of the session: settings that changed, notifications of its own."""
        if "notifications" in fields:
            self.channels.own(fields["notifications"])
        parameters = fields.get("parameters")
        if isinstance(parameters, Mapping):
            for name, value in parameters.items():
                self._assign(name, str(value))

    # What statements do.

    def fail(self) -> None:
        """An error ends what a transaction can do."""
        if self.status == ACTIVE:
            self.status = FAILED

    def refuses(self, statement: Statement) -> bool:
        """Whether a failed transaction keeps this statement from being run."""
        return self.status == FAILED and statement.verb not in EXITS and not statement.shape.startswith("prepare transaction")

    def tag(self, statement: Statement, told: str) -> str:
        """The command tag: the end of a transaction says what became of it here, not what became of it in the recording."""
        if statement.verb in ("COMMIT", "END") or told in ("COMMIT", "PREPARE TRANSACTION"):
            return "ROLLBACK" if self.status == FAILED else "COMMIT" if told == "ROLLBACK" else told
        return told

    def apply(self, statement: Statement, values: tuple[Tree, ...], sql: str) -> None:
        """A statement was done. `values` are its literals and parameters, `sql` the text it stood in."""
        if statement.role == "begin":
            self._before = self._before or {**self._others, **self.parameters}
            self.channels.begin()
            self.status = ACTIVE
        elif statement.role == "end":
            self._end(kept=statement.verb in ("COMMIT", "END") and self.status == ACTIVE)
            self.status = ACTIVE if "and chain" in statement.shape and "no chain" not in statement.shape else IDLE
        elif statement.role == "control" and statement.verb == "ROLLBACK":
            self.status = ACTIVE
        elif statement.verb in ("SET", "RESET", "DISCARD"):
            self._apply_setting(statement, values)
            if statement.shape == "discard all":
                self.channels.apply(statement.shape)
        elif statement.verb in ("LISTEN", "UNLISTEN"):
            self.channels.apply(statement.shape)
        elif statement.verb == "DECLARE":
            self._declare(statement, values, sql)
        elif statement.verb == "CLOSE":
            self.cursors.close(closed(sql))
        elif "set_config (" in statement.shape:
            self._apply_set_config(statement, values)

    def _declare(self, statement: Statement, values: tuple[Tree, ...], sql: str) -> None:
        made, query = declared(sql), _QUERY.fullmatch(statement.shape)
        if made is not None:
            self.cursors.declare(made, (query[1] if query else "", values))

    def end_failed(self) -> None:
        """The end of a transaction failed (a deferred constraint, a serialization failure): it is over all the same."""
        self._end(kept=False)
        self.status = IDLE

    def _end(self, *, kept: bool) -> None:
        """Settings go back to what they were: all of them after a rollback, those made by SET LOCAL in any case."""
        back = self._local if kept else self._before or {}
        for name, value in back.items():
            self._assign(name, value)
        self._before, self._local = None, {}
        self.channels.end(kept=kept)
        self.cursors.end()

    def _apply_setting(self, statement: Statement, values: tuple[Tree, ...]) -> None:
        words = statement.shape.split()
        if statement.verb == "RESET" or statement.shape.startswith("discard all"):
            name = "all" if words[-1] == "all" else "time zone" if words[-1] == "zone" else words[-1]
            for known, value in self._start.items():
                if name in ("all", known.lower()) or _ALIASES.get(name) == known:
                    self._assign(known, value)
            return
        found = _SET.fullmatch(statement.shape)
        if not found or found[1] in ("transaction", "session"):
            return
        name = _ALIASES.get(found[1], found[1].strip('"'))
        if found[2] == "default":
            start = self._start.get(canonical_name(name, self._start))
            if start is not None:
                self._assign(name, start)
            return
        if statement.shape.startswith("set local "):
            if self._before is None:
                return
            known = canonical_name(name, self._before)
            self._local.setdefault(known, self._before.get(known, ""))
        given = iter(values)
        self._assign(name, re.sub(r"\?", lambda _: str(next(given, "")), found[2]).replace(" ,", ",").strip('"'))

    def _apply_set_config(self, statement: Statement, values: tuple[Tree, ...]) -> None:
        given = iter(values)
        for name, count in re.findall(r"(\w+) \(([^()]*)\)", statement.shape):
            arguments = [next(given, None) for _ in range(count.count("?"))]
            if name == "set_config" and len(arguments) > 1 and isinstance(arguments[0], str):
                self._assign(arguments[0], str(arguments[1] or ""))


def deallocated(sql: str) -> str | None:
    """The prepared statement that a DEALLOCATE names; empty for all of them, None where it is none."""
    found = _DEALLOCATE.match(sql)
    if not found:
        return None
    name = identifier(found[1])
    return "" if found[1].lower() == "all" else name
