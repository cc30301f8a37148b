"""What a command asks, without what differs from driver to driver and from run to run.

`Command` is a request as it came; `headline` and `told` are what a case says of it. Where a driver may say a thing or leave it
out, it is left out; what names a session, a transaction or a batch's size is no part of the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wiretape import tracing
from wiretape.errors import DecodeError
from wiretape.protocols.base import Role
from wiretape.protocols.mongo import documents
from wiretape.protocols.mongo.messages import EXHAUST, MORE_TO_COME, OP_MSG, OpMsg, OpQuery
from wiretape.tree import Tree

# Sequences of documents that a case shows beside the query, under their own name.
SEQUENCES: Mapping[str, str] = MappingProxyType({"insert": "documents", "update": "updates", "delete": "deletes"})

_SESSION = frozenset(
    ("$db", "lsid", "$clusterTime", "txnNumber", "autocommit", "startTransaction", "recoveryToken", "$audit", "$client")
)
_FILTERS = ("filter", "query")  # conditions, in which a comment may stand, too
_TRANSPORT = frozenset(("maxTimeMS", "batchSize"))
# What these say where they are not there at all.
_DEFAULTS: Mapping[str, Tree] = MappingProxyType(
    {
        "filter": {}, "query": {}, "projection": {}, "sort": {}, "fields": {}, "writeConcern": {}, "readConcern": {},
        "skip": 0, "limit": 0, "ordered": True, "bypassDocumentValidation": False, "upsert": False, "new": False,
        "remove": False, "multi": False, "tailable": False, "awaitData": False, "noCursorTimeout": False,
        "allowPartialResults": False, "returnKey": False, "showRecordId": False, "oplogReplay": False, "singleBatch": False,
        "nameOnly": False, "authorizedCollections": False,
    }
)  # fmt: skip
_DATA = frozenset(
    ("find", "aggregate", "insert", "update", "delete", "findAndModify", "count", "distinct", "listCollections", "listIndexes",
     "listDatabases", "bulkWrite")
)  # fmt: skip
_QUIET_PREFERENCES = ("primary", "primaryPreferred")

# Chatter that says nothing but that there is a connection: never an interaction.
CONNECTION: Final = frozenset(
    ("hello", "isMaster", "saslStart", "saslContinue", "authenticate", "getnonce", "logout", "ping", "endSessions",
     "refreshSessions", "killSessions", "killCursors", "buildInfo")
)  # fmt: skip
_HOUSEKEEPING = frozenset(
    ("getParameter", "hostInfo", "connectionStatus", "getLastError", "getPrevError", "whatsmyuri", "getCmdLineOpts", "getLog",
     "startSession", "getFreeMonitoringStatus", "features")
)  # fmt: skip
_ENDS = frozenset(("commitTransaction", "abortTransaction"))
_READS = frozenset(
    ("find", "count", "distinct", "listCollections", "listIndexes", "listDatabases", "explain", "dbStats", "collStats",
     "serverStatus", "dataSize", "validate", "currentOp", "dbHash", "listCommands", "usersInfo", "rolesInfo",
     "replSetGetStatus", "listSearchIndexes")
)  # fmt: skip
# The server takes these in capitals of the driver's choice.
_SPELLED: Mapping[str, str] = MappingProxyType(
    {name.lower(): name for name in ("isMaster", "findAndModify", "buildInfo", "dbStats", "collStats", "getLastError")}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request. `body` is the command as it came, its first key the command's name; `fields` is what a case says of it.

    `acknowledged`: the client waits for a reply; `exhaust`: it takes all batches of a cursor without asking for each.
    """

    name: str
    database: str
    body: Mapping[str, Tree]
    fields: Mapping[str, Tree]
    acknowledged: bool = True
    exhaust: bool = False

    @property
    def operation(self) -> str:
        """The headline: `find shop.users`; a command of the whole database names that alone."""
        if self.name in _ENDS:
            return self.name
        argument = self.argument if self.name != "getMore" else self.body.get("collection")
        place = f"{self.database}.{argument}" if isinstance(argument, str) else self.database
        return f"{self.name} {place}"

    @property
    def argument(self) -> Tree:
        """What stands behind the command's name: most often a collection."""
        return next(iter(self.body.values()), None)

    @property
    def traces(self) -> tuple[str, ...]:
        """The ids that its comments carry (`wiretape.tracing`)."""
        found = [_traces(self.body.get("comment"))]
        found += [_traces(_asked(self.body.get(place)).get("$comment")) for place in _FILTERS]
        return tuple(dict.fromkeys(trace for traces in found for trace in traces))

    @property
    def transaction(self) -> str:
        """Names the transaction it runs in; empty outside of one."""
        if self.body.get("autocommit") is not False:
            return ""
        return f"{self.body.get('lsid')!r}/{whole(self.body.get('txnNumber'))}"


def _asked(condition: Tree) -> Mapping[str, Tree]:
    return condition if isinstance(condition, dict) else {}


def _traces(comment: Tree) -> tuple[str, ...]:
    if isinstance(comment, dict):
        return tracing.in_pairs((name, value) for name, value in comment.items() if isinstance(value, str))
    return tracing.in_comment(comment) if isinstance(comment, str) else ()


def whole(value: Tree) -> int | None:
    """A number that a driver may have sent as any of three types; None where it is none."""
    if isinstance(value, dict):
        value = value.get("$numberLong")
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None


def read(opcode: int, body: bytes) -> Command:
    """The request in a client's message. Raises DecodeError."""
    return _of_message(OpMsg.decode(body)) if opcode == OP_MSG else _of_query(OpQuery.decode(body))


def _of_message(message: OpMsg) -> Command:
    body: dict[str, Tree] = {}
    for section in message.sections:
        if not section.name:
            body = {**documents.read(section.documents[0]), **body}
        elif section.name in body:
            raise DecodeError(f"{section.name} is in the message twice", 0)
        else:
            body[section.name] = [documents.read(data) for data in section.documents]
    database = body.get("$db")
    known = database if isinstance(database, str) else ""
    return _command(body, known, message.flags)


def _of_query(message: OpQuery) -> Command:
    database, _, collection = message.collection.partition(".")
    if collection != "$cmd" or not message.documents:
        raise DecodeError(f"an OP_QUERY on {message.collection} is not read: drivers of today speak OP_MSG", 0)
    body = documents.read(message.documents[0])
    wrapped = body.get("$query", body.get("query")) if next(iter(body), "") in ("$query", "query") else body
    return _command(wrapped if isinstance(wrapped, dict) else {}, database)


def _command(body: dict[str, Tree], database: str, flags: int = 0) -> Command:
    first = next(iter(body), "")
    if not first or first.startswith("$"):
        raise DecodeError("a command without a name", 0)
    name = _SPELLED.get(first.lower(), first)
    return Command(
        name=name,
        database=database,
        body=body,
        acknowledged=not flags & MORE_TO_COME,
        exhaust=bool(flags & EXHAUST),
        fields=told(name, body),
    )


def told(name: str, body: Mapping[str, Tree]) -> dict[str, Tree]:
    """What a case says of a command besides its headline: the query, and the sequence of documents if it has one."""
    first, *rest = body
    if name == "getMore":
        return {"cursor": abs(whole(body[first]) or 0)}
    argument = body[first]
    query: dict[str, Tree] = {} if isinstance(argument, str) or whole(argument) == 1 else {name: argument}
    for key in rest:
        if key not in _SESSION and key not in _TRANSPORT and not (name in _DATA and key == "cursor"):
            query[key] = body[key]
    _untrace(query)
    _quiet(name, query)
    sequence = SEQUENCES.get(name, "")
    fields: dict[str, Tree] = {}
    if isinstance(items := query.pop(sequence, None), list):
        fields[sequence] = [_without_defaults(item) for item in items] if name == "update" else items
    return ({"query": query} if query else {}) | fields


def _untrace(query: dict[str, Tree]) -> None:
    """Take out comments that carry an id of the request the command is sent for: they are new each time."""
    if _traces(query.get("comment")):
        del query["comment"]
    for place in _FILTERS:
        condition = _asked(query.get(place))
        if _traces(condition.get("$comment")):
            query[place] = {key: value for key, value in condition.items() if key != "$comment"}


def _quiet(name: str, query: dict[str, Tree]) -> None:
    preference = query.get("$readPreference")
    if isinstance(preference, dict) and preference.get("mode") in _QUIET_PREFERENCES:
        del query["$readPreference"]
    concern = query.get("readConcern")
    if isinstance(concern, dict):
        query["readConcern"] = {
            key: value for key, value in concern.items() if key not in ("afterClusterTime", "atClusterTime")
        }
    if name not in _DATA:
        return
    for key in ("limit", "skip"):
        if key in query and (number := whole(query[key])) is not None:
            query[key] = number
    if query.get("limit"):
        query.pop("singleBatch", None)  # a driver's way of saying that it will not come again
    for key in [key for key, value in query.items() if _is_default(key, value)]:
        del query[key]


def _is_default(key: str, value: Tree) -> bool:
    return key in _DEFAULTS and value == _DEFAULTS[key] and isinstance(value, type(_DEFAULTS[key]))


def _without_defaults(statement: Tree) -> Tree:
    if not isinstance(statement, dict):
        return statement
    return {key: value for key, value in statement.items() if not (key in ("multi", "upsert") and value is False)}


def role(name: str) -> Role:
    """What a command is to the service."""
    if name in CONNECTION or name in _HOUSEKEEPING:
        return "housekeeping"
    return "end" if name in _ENDS else "query"


def changes(name: str, query: Tree) -> bool:
    """Whether it changes something on the server; what is not known may."""
    if name == "aggregate":
        pipeline = query.get("pipeline") if isinstance(query, dict) else None
        stages = pipeline if isinstance(pipeline, list) else []
        return any(isinstance(stage, dict) and next(iter(stage), "") in ("$out", "$merge") for stage in stages)
    return name not in _READS and role(name) == "query"
