"""The state of a session that a mock plays, and the variables it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wiretape.protocols.mysql.constants import Status
from wiretape.protocols.mysql.sql import Statement
from wiretape.protocols.mysql.state import State, filled
from wiretape.tree import Tree

DEFAULT_VERSION: Final = "8.0.36"
_STRICT = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION"
# What drivers ask for, with the values of a fresh server.
VARIABLES: Mapping[str, Tree] = MappingProxyType(
    {
        "auto_increment_increment": 1, "auto_increment_offset": 1, "character_set_server": "utf8mb4",
        "character_set_database": "utf8mb4", "collation_server": "utf8mb4_general_ci",
        "collation_database": "utf8mb4_general_ci", "default_storage_engine": "InnoDB", "foreign_key_checks": 1,
        "group_concat_max_len": 1048576, "have_ssl": "DISABLED", "init_connect": "", "innodb_lock_wait_timeout": 50,
        "interactive_timeout": 28800, "license": "GPL", "lc_time_names": "en_US", "lock_wait_timeout": 86400,
        "lower_case_table_names": 0, "max_allowed_packet": 16777216, "max_connections": 151, "max_execution_time": 0,
        "max_statement_time": 0, "net_buffer_length": 16384, "net_read_timeout": 30, "net_write_timeout": 60,
        "performance_schema": 0, "protocol_version": 10, "query_cache_size": 0, "query_cache_type": "OFF",
        "read_only": 0, "sql_auto_is_null": 0, "sql_big_selects": 1, "sql_mode": _STRICT, "sql_notes": 1,
        "sql_quote_show_create": 1, "sql_safe_updates": 0, "sql_select_limit": 18446744073709551615, "sql_warnings": 0,
        "system_time_zone": "UTC", "time_zone": "SYSTEM", "transaction_isolation": "REPEATABLE-READ",
        "transaction_read_only": 0, "tx_isolation": "REPEATABLE-READ", "tx_read_only": 0, "unique_checks": 1,
        "version_comment": "played back by wiretape", "wait_timeout": 28800, "session_track_schema": 1,
        "session_track_system_variables": "", "local_infile": 0,
    }
)  # fmt: skip
_ALIKE = MappingProxyType({"transaction_isolation": "tx_isolation", "transaction_read_only": "tx_read_only"})
_ASSIGNED = re.compile(r"(?:@@)?(?:(?:session|local)[ .])?`?(\w+)`? :?= (.*)", re.DOTALL)
_ISOLATION = re.compile(r"set (?:session |local )?transaction .*?isolation level ([\w ]+)")
_READ_ONLY = re.compile(r"set (?:session |local )?transaction .*?read (only|write)")


class Session(State):
    """One connection's state, as its statements change it."""

    def __init__(self, facts: Mapping[str, Tree]) -> None:
        super().__init__()
        told = facts.get("variables")
        self._start = {**VARIABLES, **(told if isinstance(told, Mapping) else {})}
        self.version = str(facts.get("server_version") or DEFAULT_VERSION)
        self._start["version"] = self.version.removeprefix("5.5.5-")
        self.user = ""
        self.warnings: list[Tree] = []
        self._variables = dict(self._start)

    @property
    def is_mariadb(self) -> bool:
        """Whether the server that was recorded is MariaDB."""
        return "mariadb" in self.version.lower()

    @property
    def status(self) -> int:
        """What OK and EOF packets say of the session."""
        return (Status.AUTOCOMMIT if self.autocommit else 0) | (Status.IN_TRANSACTION if self.open else 0)

    def tracked(self) -> dict[str, bytes]:
        """What clients may follow: the database, and variables that sessions often set."""
        names = ("autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone")
        out = {name: str(self.variable(name)).encode() for name in names}
        return out | {"autocommit": b"ON" if self.autocommit else b"OFF", "schema": self.asking.encode(self.database)}

    def variable(self, name: str) -> Tree:
        """A variable's value. KeyError where it is not known."""
        match name:
            case "autocommit":
                return int(self.autocommit)
            case "character_set_client" | "character_set_connection":
                return self.asking.name
            case "character_set_results":
                return self.answering.name
            case "collation_connection":
                return f"{self.asking.name}_general_ci"
            case "warning_count" | "error_count":
                return len(self.warnings)
            case "in_transaction":
                return int(self.open)
        return self._variables[name]

    def variables(self) -> dict[str, Tree]:
        """All that are known."""
        own = (
            "autocommit",
            "character_set_client",
            "character_set_connection",
            "character_set_results",
            "collation_connection",
        )
        return self._variables | {name: self.variable(name) for name in own}

    def reset(self) -> None:
        super().reset()
        self._variables, self.warnings = dict(self._start), []

    def apply(self, statement: Statement, values: Sequence[Tree], sql: str) -> None:
        super().apply(statement, values, sql)
        if statement.verb == "SET" and statement.role == "housekeeping":
            self._assign(filled(statement.shape, values))

    def _assign(self, told: str) -> None:
        if found := _ISOLATION.match(told):
            self._both("transaction_isolation", found[1].strip().upper().replace(" ", "-"))
        if found := _READ_ONLY.match(told):
            self._both("transaction_read_only", int(found[1] == "only"))
        for part in _parts(told.removeprefix("set ")):
            if (found := _ASSIGNED.fullmatch(part)) and found[1] in self._variables:
                value = found[2].strip("'\"` ")
                before = self._start.get(found[1])
                new = before if value == "default" else int(value) if isinstance(before, int) and value.isdecimal() else value
                self._both(found[1], new)

    def _both(self, name: str, value: Tree) -> None:
        """Some variables have an old name and a new one."""
        self._variables[name] = value
        for new, old in _ALIKE.items():
            if name in (new, old):
                self._variables[new] = self._variables[old] = value


def _parts(told: str) -> list[str]:
    """`a = 1, b = 2` in parts. Commas in values stay where they stand before no assignment."""
    return re.split(r", (?=(?:@@|session |local )?[\w.`]+ :?=)", told)
