"""What statements do to a connection, as far as both a tap and a mock must know: its database, its transaction, its character
sets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wiretape.protocols.mysql.charsets import UTF8MB4, Charset, of_collation, of_name
from wiretape.protocols.mysql.effects import commits
from wiretape.protocols.mysql.sql import Statement
from wiretape.tree import Tree

_AUTOCOMMIT = re.compile(r"(?:@@)?(?:session\.|local\.|session |local )?`?autocommit`? :?= (\S+?)(?:,|$)")
_NAMES = re.compile(
    r"^set (?:names|character set|charset) (\S+)|(?:@@)?(?:session[. ])?character_set_(client|results) = (\S+?)(?:,|$)"
)
_USE = re.compile(r"\s*use\s+(`(?:[^`]|``)+`|[^\s;]+)", re.IGNORECASE)
_TABLELESS = frozenset(("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "SET", "HELP"))
_ON = frozenset(("1", "on", "true", "default"))


class State:
    """One connection. `asking` is the character set of what the client sends, `answering` of what it is sent."""

    def __init__(self) -> None:
        self.asking: Charset = UTF8MB4
        self.answering: Charset = UTF8MB4
        self.database = ""
        self.autocommit = True
        self.open = False
        self._own = ""

    def login(self, database: str, collation: int) -> None:
        """The client has introduced itself."""
        self.database = self._own = database
        if collation:
            self.asking = self.answering = of_collation(collation)
        self.autocommit, self.open = True, False

    def reset(self) -> None:
        """The session begins anew, with the database it is in."""
        self.autocommit, self.open = True, False

    def told(self, changes: Mapping[str, bytes]) -> None:
        """What the server itself says changed."""
        if schema := changes.get("schema"):
            self.database = schema.decode("utf-8", "replace")
        if charset := of_name(changes.get("character_set_client", b"").decode("ascii", "replace")):
            self.asking = charset
        if charset := of_name(changes.get("character_set_results", b"").decode("ascii", "replace")):
            self.answering = charset

    @property
    def elsewhere(self) -> str:
        """The database in use, where that is not the connection's own."""
        return self.database if self.database != self._own else ""

    def is_idle_end(self, statement: Statement) -> bool:
        """Whether a statement ends a transaction that is not there."""
        return statement.role == "end" and not self.open

    def apply(self, statement: Statement, values: Sequence[Tree], sql: str) -> None:
        """A statement was done. `values` are its literals and parameters, `sql` the text it stood in."""
        match statement.role:
            case "begin":
                self.open = True
            case "end":
                self.open = "and chain" in statement.shape and "no chain" not in statement.shape
            case "query":
                if commits(statement.verb.lower()):
                    self.open = False
                elif not self.autocommit and statement.verb not in _TABLELESS:
                    self.open = True
            case "housekeeping":
                self._set(statement, values, sql)

    def _set(self, statement: Statement, values: Sequence[Tree], sql: str) -> None:
        if statement.verb == "USE" and (found := _USE.match(sql)):
            self.database = _unquoted(found[1])
        if statement.verb != "SET":
            return
        told = filled(statement.shape, values)
        if found := _AUTOCOMMIT.search(told):
            before, self.autocommit = self.autocommit, found[1].lower() in _ON
            if self.autocommit and not before:
                self.open = False
        for all_of_them, which, one in _NAMES.findall(told):
            charset = of_name((all_of_them or one).strip("'\"`"))
            if charset is not None and which != "results":
                self.asking = charset
            if charset is not None and which != "client":
                self.answering = charset


def filled(shape: str, values: Sequence[Tree]) -> str:
    """A shape with its values in place again."""
    given = iter(values)
    return re.sub(r"\?", lambda _: str(next(given, "")), shape)


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
