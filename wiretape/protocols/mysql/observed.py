"""What a tap knows of the server it watches: the facts a mock is made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wiretape.protocols.mysql.asks import Plan
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.handshake import Greeting
from wiretape.protocols.mysql.reading import Reading
from wiretape.tree import Tree

_MOST_VARIABLES: Final = 64  # a list of all of them is no answer to what a driver asks
_ITEM = re.compile(r"(?:^select |, )(@@[\w.`]+|\w+ \([^()]*\)(?: is not null)?|[\w?]+)(?: (?:as )?[^ ,]+)?(?=,|$| limit)")
_SCOPE = re.compile(r"^@@(?:session\.|global\.|local\.)?`?(\w+)`?$")
# These are the connection's own, or different every time.
_PASSING = frozenset(
    ("autocommit", "character_set_client", "character_set_connection", "character_set_results", "collation_connection",
     "pseudo_thread_id", "timestamp", "rand_seed1", "rand_seed2", "last_insert_id", "identity", "gtid_current_pos",
     "gtid_binlog_pos", "gtid_slave_pos", "last_gtid", "server_uid", "in_transaction", "error_count", "warning_count",
     "insert_id", "hostname", "datadir", "socket", "pid_file", "port", "uptime")
)  # fmt: skip


class Observed:
    """One connection's server."""

    def __init__(self) -> None:
        self._facts: dict[str, Tree] = {}
        self._variables: dict[str, Tree] = {}

    @property
    def facts(self) -> dict[str, Tree]:
        """`server_version`, `collation` and `plugin` of the greeting, `tls`, `variables`."""
        return self._facts | ({"variables": dict(self._variables)} if self._variables else {})

    def greet(self, greeting: Greeting) -> None:
        """The server has greeted."""
        self._facts = {"server_version": greeting.version, "collation": greeting.collation, "plugin": greeting.plugin}
        if greeting.capabilities & Cap.SSL:
            self._facts["tls"] = True

    def learn(self, asked: Plan, reading: Reading) -> None:
        """The server's variables, where a driver has just asked for some."""
        if asked.role != "housekeeping" or len(asked.statements) != 1 or not reading.done or reading.done[0].columns is None:
            return
        rows = reading.done[0].rows
        shape = asked.statements[0].shape
        if re.match(r"show (?:session |global )?variables", shape):
            found = [(str(row[0]), row[1]) for row in rows if isinstance(row, list) and len(row) == 2]
            if len(found) <= _MOST_VARIABLES:
                self._keep(found)
        elif len(rows) == 1 and isinstance(row := rows[0], list):
            self._keep(zip(selected(shape), row, strict=False))

    def _keep(self, found: Sequence[tuple[str, Tree]] | Iterator[tuple[str, Tree]]) -> None:
        for name, value in found:
            if name and name.lower() not in _PASSING:
                self._variables[name.lower()] = value


def selected(shape: str) -> list[str]:
    """The variable that each item of a SELECT without FROM asks for; empty where it asks for something else."""
    return [scope[1] if (scope := _SCOPE.match(item)) else "" for item in _ITEM.findall(shape)]


def merge(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The facts of two connections to one server: the newest word counts. TLS is offered if it was once."""
    out: dict[str, Tree] = {**old, **new}
    before, after = old.get("variables"), new.get("variables")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        out["variables"] = {**before, **after}
    if old.get("tls") or new.get("tls"):
        out["tls"] = True
    return out
