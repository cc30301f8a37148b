"""What a tap has read of one interaction so far, and the interaction it becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from wiretape.protocols.base import Interaction, Role
from wiretape.protocols.postgres import copydata
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.backend import Column, FunctionCallResponse
from wiretape.protocols.postgres.copyreading import MAX_DATA, CopyReading
from wiretape.protocols.postgres.results import Wording, columns_tree, derived, row_reader, tag_of
from wiretape.protocols.postgres.sql import Statement, tidy
from wiretape.tree import Tree

# Bytes of rows kept of one interaction: a test case that holds more is of no use to anybody.
MAX_ROWS: Final = 64 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class ResultSet:
    """One statement's result: its columns (None: it returns no rows), its rows, its tag once it is complete; or the data of
    its COPY."""

    columns: Tree = None
    rows: list[Tree] = field(default_factory=list)
    tag: str = ""
    read: Callable[[bytes], list[Tree]] | None = None
    copy: CopyReading | None = None


@dataclass(slots=True, kw_only=True)
class Reading:
    """One interaction under way. `simple`: it came as a Query, which may hold several statements. `ignored`: it is no
    interaction of its own. `open`: its answer is whole, but the client may still be sending the data of its COPY. `gave_up`:
    the client ended that by CopyFail. `described`: the statement was described, and not run. `cursor`: the query of
    the cursor that it reads."""

    sql: str
    simple: bool
    started: float
    ended: float = 0.0
    params: list[Tree] | None = None
    param_types: list[Tree] | None = None
    done: list[ResultSet] = field(default_factory=list)
    now: ResultSet | None = None
    error: dict[str, Tree] | None = None
    stage: str = ""
    notices: list[Tree] = field(default_factory=list)
    parameters: dict[str, Tree] = field(default_factory=dict)
    notifications: list[Tree] = field(default_factory=list)
    suspended: bool = False
    incomplete: str = ""
    transaction: int | None = None
    size: int = 0
    ignored: bool = False
    open: bool = False
    result: FunctionCallResponse | None = None
    gave_up: bool = False
    cursor: str = ""
    described: bool = False
    role: Role | None = None

    def describe(self, wording: Wording, columns: Sequence[Column], formats: Sequence[int]) -> None:
        """Rows of these columns follow."""
        self.now = ResultSet(columns=columns_tree(wording.catalog, columns), read=row_reader(wording, columns, formats))

    def row(self, body: bytes) -> None:
        """A DataRow. Raises DecodeError."""
        self.size += len(body)
        if self.size > MAX_ROWS:
            self.incomplete = (
                self.incomplete or f"the result is larger than {MAX_ROWS} bytes: the rest of its rows was not kept"
            )
            return
        if self.now is None or self.now.read is None:
            self.incomplete = self.incomplete or "rows came whose columns were described before the recording began"
            return
        self.now.rows.append(self.now.read(body))

    def copy(self, data: CopyReading) -> None:
        """The data of a COPY follows."""
        self.now = ResultSet(copy=data)

    def data(self, data: bytes) -> None:
        """A piece of the data of a COPY."""
        if self.now is not None and self.now.copy is not None:
            self.now.copy.add(data)
            if self.now.copy.cut:
                self.incomplete = self.incomplete or f"the COPY has more than {MAX_DATA} bytes: the rest of it was not kept"

    def complete(self, tag: str) -> None:
        """CommandComplete or, with no tag, EmptyQueryResponse. A portal drained bit by bit is one result."""
        result = self.now or ResultSet()
        result.tag = "" if self.suspended else tag  # it counts the last rows only
        self.done.append(result)
        self.now, self.suspended = None, False

    def fail(self, error: dict[str, Tree], stage: str) -> None:
        """An ErrorResponse."""
        self.error, self.suspended = error, False
        if not self.simple:
            self.stage = stage
        elif self.done and len(plan(self.sql).statements) == 1:
            self.stage = "sync"  # what it did was done; the transaction it ran in could not end

    def interaction(self, at: float) -> Interaction:
        """What was read, as it goes into a case."""
        asked = plan(self.sql)
        return Interaction(
            operation=tidy(self.sql),
            fields=self._fields(asked.statements),
            started=self.started,
            ended=self.ended or at,
            transaction=self.transaction,
            role=self.role or asked.role,
            incomplete=self.incomplete,
            traces=asked.traces,
        )

    def _fields(self, statements: Sequence[Statement]) -> dict[str, Tree]:
        out: dict[str, Tree] = {}
        if self.params:
            out["params"] = self.params
        if self.param_types:
            out["param_types"] = self.param_types
        if self.cursor:
            out["cursor"] = self.cursor
        if self.simple and len(statements) > 1:
            out["results"] = [_result(result, statements, index) for index, result in enumerate(self.done)]
        else:
            partial = [self.now] if self.now else []
            for result in [*self.done, *partial][:1]:
                out.update(_result(result, statements, 0))
        if self.result is not None:
            out["result"] = self.result.value
        if self.gave_up:
            out["copy_fail"] = True
        if self.described:
            out.pop("rows", None)
            out["described"] = True
        if self.error is not None:
            if out.get("rows") == []:
                del out["rows"]
            out["error"] = self.error
            if self.stage not in ("", "execute"):
                out["stage"] = self.stage
        rest: dict[str, Tree] = {
            "notices": self.notices, "parameters": self.parameters, "notifications": self.notifications,
            "suspended": self.suspended,
        }  # fmt: skip
        return out | {name: value for name, value in rest.items() if value}


def _result(result: ResultSet, statements: Sequence[Statement], index: int) -> dict[str, Tree]:
    """A result set's fields; its tag only where it cannot be told from the rest."""
    if result.copy is not None:
        return _copied(result.copy, result.tag)
    out: dict[str, Tree] = {}
    statement = statements[index] if index < len(statements) else None
    described = result.columns is not None
    if described:
        out["columns"] = result.columns
        out["rows"] = list(result.rows)
    if result.tag and not (derived(statement, described) and result.tag == tag_of(statement, described, len(result.rows))):
        out["tag"] = result.tag
    return out


def _copied(copy: CopyReading, tag: str) -> dict[str, Tree]:
    """The fields of a COPY; its tag only where its rows do not tell it."""
    out = copy.fields()
    counted = copydata.count(copy.layout, out[f"copy_{copy.layout.direction}"])
    return out | ({"tag": tag} if tag and tag != f"COPY {counted}" else {})
