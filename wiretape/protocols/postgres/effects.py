"""What a statement does, told from its shape: whether it writes, and which role it plays between service and server."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wiretape.protocols.base import Role
from wiretape.protocols.postgres.shape import Slot

_BEGIN = re.compile(r"begin\b|start transaction\b")
_END = re.compile(r"(?:commit|end|rollback|abort)\b(?! prepared)|prepare transaction\b")
_CONTROL = re.compile(r"savepoint\b|release\b|rollback (?:work |transaction )?to\b")
_SESSION_VERBS = frozenset(("set", "show", "reset", "discard", "deallocate", "listen", "unlisten"))
_SESSION_CALL = (
    r"(?:pg_catalog\.)?(?:version|current_schema|set_config|current_setting|pg_advisory_unlock_all|pg_is_in_recovery)"
    r" \([^()]*\)(?: as [^ ,]+)?"
)
_SESSION_QUERY = re.compile(rf"select {_SESSION_CALL}(?:, {_SESSION_CALL})*|select current_schema|close all")
_TYPE_QUERY = re.compile(r"\b(?:from|join) (?:pg_catalog\.)?pg_type\b")
_WRITING_VERBS = frozenset(
    ("insert", "update", "delete", "merge", "truncate", "create", "alter", "drop", "comment", "grant", "revoke", "reindex",
     "cluster", "vacuum", "refresh", "security", "import", "reassign", "call", "do", "notify",
     "functioncall")
)  # fmt: skip
_WRITING_PART = re.compile(
    r"(?:\(|[()] |^explain (?:analyze |verbose )*)(?:insert into|update|delete from|merge into) (?!set\b)\S"
)
_COPY_IN = re.compile(r"""copy (?:"(?:[^"]|"")*+"|[^\s"(])++ (?:\([^()]*\) )?from\b""")
MAIN_VERBS = frozenset(("select", "insert", "update", "delete", "merge", "values", "table"))


def role_of(verb: str, shape: str, slots: Sequence[Slot]) -> Role:
    """What the statement is to the service: its own query, transaction control, or housekeeping of the driver or pool."""
    if _BEGIN.match(shape):
        return "begin"
    if _CONTROL.match(shape):
        return "control"
    if _END.match(shape):
        return "end"
    if not shape or verb in _SESSION_VERBS or (shape == "select ?" and slots == ("1",)):
        return "housekeeping"
    if _SESSION_QUERY.fullmatch(shape) or (verb == "select" and _TYPE_QUERY.search(shape)):
        return "housekeeping"
    return "query"


def does_write(verb: str, shape: str) -> bool:
    """Whether the statement changes state on the server, as far as its text tells: a function it calls may do anything."""
    if verb in _WRITING_VERBS or verb in ("commit", "end") or shape.startswith("prepare transaction"):
        return True
    if verb == "copy":
        return _COPY_IN.match(shape) is not None
    if verb == "explain" and "analyze" not in shape:
        return False
    if shape.startswith("with ") or verb == "explain":
        return _WRITING_PART.search(shape) is not None
    return verb == "select" and (" into " in shape or "pg_notify (" in shape)
