"""What a statement does, told from its shape: whether it writes, which role it plays, what it does to a transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wiretape.protocols.base import Role
from wiretape.protocols.mysql.shape import Slot

_BEGIN = re.compile(r"begin\b(?! not atomic)|start transaction\b|xa (?:start|begin)\b")
_END = re.compile(r"commit\b|rollback\b|xa (?:commit|rollback)\b")
_CONTROL = re.compile(r"savepoint\b|release savepoint\b|rollback (?:work )?to\b|xa (?:end|prepare)\b")
_SETTING = re.compile(r"set (?!(?:global|persist|persist_only|password|default role|role)\b|@(?!@)|@@(?:global|persist))")
_SHOW = re.compile(
    r"show (?:(?:session|global|local) )?(?:variables|status|warnings|errors|collation|character set|charset|engines|plugins"
    r"|storage engines|count \(\*\) warnings|count \(\*\) errors|max_statement_time)\b"
)
_NAMES = r"(?:version|database|schema|user|current_user|session_user|system_user|connection_id|current_role) \(\)|current_user"
_ITEM = rf"(?:@@[\w.`]+|{_NAMES}|convert_tz \(\?, \?, \?\) is not null|\?)(?: as)?(?: (?:`[^`]*`|[\w$]+|\?))?"
_SESSION_QUERY = re.compile(rf"select {_ITEM}(?:, {_ITEM})*(?: limit \?)?")
_PROBE = re.compile(r"select \?|select cast \(\? as char \(\?\)\) as \w+|/\* ping \*/.*|do \?")
_FUNCTION = re.compile(rf"@@|{_NAMES}")
_WRITING_VERBS = frozenset(
    ("insert", "update", "delete", "replace", "truncate", "create", "alter", "drop", "rename", "grant", "revoke", "load",
     "call", "optimize", "repair", "install", "uninstall", "handler", "import", "xa")
)  # fmt: skip
_WRITING_PART = re.compile(r"(?:\(|[()] |^explain |^analyze )(?:insert into|update|delete from|replace into) \S")
MAIN_VERBS = frozenset(("select", "insert", "update", "delete", "replace", "values", "table"))
# An implicit commit goes before these.
_COMMITTING = frozenset(
    ("create", "alter", "drop", "rename", "truncate", "grant", "revoke", "lock", "analyze", "optimize", "repair", "flush")
)


def role_of(verb: str, shape: str, slots: Sequence[Slot]) -> Role:
    """What the statement is to the service: its own query, transaction control, or housekeeping of the driver or pool."""
    if _BEGIN.match(shape):
        return "begin"
    if _CONTROL.match(shape):
        return "control"
    if _END.match(shape):
        return "end"
    if not shape or verb in ("use", "kill") or _SETTING.match(shape) or _SHOW.match(shape):
        return "housekeeping"
    if verb in ("select", "do") and (_is_probe(shape, slots) or _is_chatter(shape)):
        return "housekeeping"
    return "query"


def _is_probe(shape: str, slots: Sequence[Slot]) -> bool:
    """What pools ask to see whether a connection lives."""
    return _PROBE.fullmatch(shape) is not None and (slots[:1] in (("1",), (1,)) or "as char" in shape)


def _is_chatter(shape: str) -> bool:
    return _FUNCTION.search(shape) is not None and _SESSION_QUERY.fullmatch(shape) is not None


def does_write(verb: str, shape: str) -> bool:
    """Whether the statement changes state on the server, as far as its text tells: a function it calls may do anything."""
    if verb in _WRITING_VERBS or verb == "commit":
        return not shape.startswith("create temporary")
    if verb == "set":
        return re.match(r"set (?:global|persist|password|@@(?:global|persist))", shape) is not None
    if shape.startswith("with ") or verb in ("explain", "analyze"):
        return _WRITING_PART.search(shape) is not None
    return verb == "select" and re.search(r" into (?:outfile|dumpfile)\b", shape) is not None


def commits(verb: str) -> bool:
    """Whether the statement ends a transaction before it begins."""
    return verb in _COMMITTING
