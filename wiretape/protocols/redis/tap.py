"""Reads a Redis connection from both sides.

What the client asks queues up, and each of the server's values belongs to the head of that queue, but for what the server sends
unasked. The commands of a transaction come out when EXEC is answered, each with its own reply.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Role, Side
from wiretape.protocols.redis import commands, facts, resp
from wiretape.protocols.redis.asks import PUSHES, blocks, role_of
from wiretape.protocols.redis.forms import form_of
from wiretape.protocols.redis.layout import call_fields, cut, digest
from wiretape.protocols.redis.reading import plain, read
from wiretape.protocols.redis.requests import Argv, Requests
from wiretape.protocols.redis.resp import INCOMPLETE, NULL_ARRAY, Reader, Value
from wiretape.protocols.redis.types import text
from wiretape.tree import Tree

UNANSWERED: Final = "the connection ended before the answer was whole"
MONITORED: Final = "what MONITOR shows is not recorded"
REPLICATION: Final = "replication is not recorded"

_MESSAGES = {kind.encode(): len(names) + 1 for kind, names in PUSHES.items() if kind != "invalidate"}
_SUBSCRIPTIONS = {word.lower().encode(): word for word in commands.SUBSCRIBING}
_REPLICATION = frozenset({"SYNC", "PSYNC"})


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A command whose answer is to come. `left`: how many confirmations a subscription is still owed, -1 before the first."""

    argv: Argv
    name: str
    at: float
    left: int = -1


@dataclass(slots=True, kw_only=True)
class _Transaction:
    """What MULTI opened: the commands queued, each with the error that kept it from being queued."""

    opened: _Pending
    queued: list[tuple[_Pending, resp.Error | None]] = field(default_factory=list)


class RedisTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`)."""

    def __init__(self) -> None:
        self._requests, self._replies = Requests(), Reader()
        self._pending: deque[_Pending] = deque()
        self._done: list[Interaction] = []
        self._facts: dict[str, Tree] = {}
        self._protocol = 2
        self._db = 0
        self._scripts: dict[bytes, bytes] = {}
        self._multi: _Transaction | None = None
        self._number = 0
        self._watching = False
        self._silent = ""  # after CLIENT REPLY: off, skip (the next command is not answered)
        self._subscribed: dict[bytes, set[bytes]] = {b"": set(), b"p": set(), b"s": set()}
        self._asked = self._monitoring = self._over = False

    @property
    def facts(self) -> Mapping[str, Tree]:
        return dict(self._facts)

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        failure: DecodeError | None = None
        if not self._over:
            try:
                if side is Side.CLIENT:
                    self._client(data, at)
                else:
                    self._server(data, at)
            except DecodeError as error:
                failure, self._over = error, True
        return self._deliver(failure)

    def close(self, at: float) -> Iterator[Interaction]:
        if not self._over:
            self._over = True
            self._cut_off(at)
        return self._deliver(None)

    def _deliver(self, failure: DecodeError | None) -> Iterator[Interaction]:
        """What is whole, then the failure: an interaction read before the bytes went wrong is not lost with them."""
        done, self._done = self._done, []
        yield from done
        if failure:
            raise failure

    # The client asks.

    def _client(self, data: bytes, at: float) -> None:
        self._requests.push(data)
        while (argv := self._requests.next()) is not None:
            self._asked = True
            self._ask(_Pending(argv=argv, name=commands.named(argv)[0], at=at))

    def _ask(self, pending: _Pending) -> None:
        if pending.name in _REPLICATION:
            self._over = True
            self._emit(pending, pending.at, {}, incomplete=REPLICATION)
        elif pending.name == "CLIENT REPLY":
            self._silence(pending)
        elif self._silent:
            self._silent = "off" if self._silent == "off" else ""
            if role_of(pending.name) == "query":
                self._emit(pending, pending.at, {})
        else:
            self._pending.append(pending)

    def _silence(self, pending: _Pending) -> None:
        mode = pending.argv[2].lower() if len(pending.argv) == 3 else b""
        if mode in (b"off", b"skip"):
            self._silent = "off" if self._silent == "off" else mode.decode()
            return
        self._silent = ""
        self._pending.append(pending)

    # The server answers.

    def _server(self, data: bytes, at: float) -> None:
        self._replies.push(data)
        while not self._over and (value := self._replies.value()) is not INCOMPLETE:
            if isinstance(value, (resp.Map, resp.Set, resp.Push, resp.Double, resp.Verbatim, resp.BigNumber, bool)):
                self._protocol = 3
            attribute, self._replies.attribute = self._replies.attribute, None
            if not self._unasked(value, at):
                self._answer(value, attribute, at)

    def _unasked(self, value: Value, at: float) -> bool:
        """Takes what answers no command: messages, invalidations, what MONITOR shows. False where this answers one."""
        if self._monitoring and isinstance(value, resp.Simple):
            return True
        if not isinstance(value, list) or not value or not isinstance(value[0], bytes):
            return isinstance(value, resp.Push)
        kind = value[0]
        pushed = isinstance(value, resp.Push)
        if not pushed and not (self._protocol < 3 and any(self._subscribed.values())):
            return False
        if len(value) == _MESSAGES.get(kind):
            self._push(kind.decode(), dict(zip(PUSHES[kind.decode()], map(plain, value[1:]), strict=True)), at)
        elif pushed and kind == b"invalidate" and len(value) == 2:
            self._push("invalidate", {"keys": plain(value[1])}, at)
        elif kind in _SUBSCRIPTIONS and len(value) == 3:
            return not self._pending or self._pending[0].name not in commands.SUBSCRIBING  # a shard's may be ended unasked
        elif not pushed:
            return False
        return True

    def _push(self, operation: str, fields: dict[str, Tree], at: float) -> None:
        self._done.append(Interaction(operation=operation, fields=fields, started=at, ended=at, role="push"))

    def _answer(self, value: Value, attribute: resp.Attribute | None, at: float) -> None:
        if not self._pending:
            if isinstance(value, resp.Error):  # a server may refuse the connection, or close it, saying why
                self._over = True
                return
            raise DecodeError("the server answers nothing that was asked", self._replies.offset)
        head = self._pending[0]
        if head.name in commands.SUBSCRIBING and not isinstance(value, resp.Error) and not isinstance(value, resp.Simple):
            self._confirmed(head, value)
            return
        self._pending.popleft()
        if self._multi is not None and head.name not in ("EXEC", "DISCARD", "MULTI", "WATCH", "RESET"):
            self._queued(self._multi, head, value)
            return
        self._took_effect(head, value)
        fields: dict[str, Tree] = {} if attribute is None else {"attributes": plain(resp.Map(attribute))}
        match head.name:
            case "MULTI" if not isinstance(value, resp.Error):
                self._begin()
                self._multi = _Transaction(opened=head)
            case "EXEC" | "DISCARD" if self._multi is not None:
                self._end(self._multi, head, value, at)
            case _:
                self._reply(head, value, at, fields)

    def _queued(self, multi: _Transaction, pending: _Pending, value: Value) -> None:
        multi.queued.append((pending, value if isinstance(value, resp.Error) else None))

    def _begin(self) -> None:
        if not self._watching:
            self._number += 1

    def _end(self, multi: _Transaction, head: _Pending, value: Value, at: float) -> None:
        """EXEC or DISCARD is answered, and with it all that was queued."""
        self._multi = None
        number = self._number
        self._watching = False
        ran = [pending for pending, error in multi.queued if error is None]
        results = dict(zip(map(id, ran), value, strict=False)) if isinstance(value, list) else {}
        self._emit(multi.opened, at, {}, number=number)
        for pending, error in multi.queued:
            if error is not None:
                self._reply(pending, error, at, {"stage": "queue"}, number)
            elif id(pending) in results:
                self._took_effect(pending, results[id(pending)])
                self._reply(pending, results[id(pending)], at, {}, number)
            elif role_of(pending.name) == "query":
                self._emit(pending, at, {}, number=number)
        self._emit(head, at, _outcome(value), number=number)

    def _confirmed(self, head: _Pending, value: Value) -> None:
        """One of the answers to a (un)subscription: there are as many as channels."""
        if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], bytes):
            raise DecodeError(f"this does not answer {head.name}", self._replies.offset)
        kind = head.name.removesuffix("SUBSCRIBE").removesuffix("UN").lower().encode()
        channels = self._subscribed[kind]
        if head.left < 0:
            head.left = len(head.argv) - 1 or max(1, len(channels))
        if isinstance(value[1], bytes):
            (channels.discard if "UNSUB" in head.name else channels.add)(value[1])
        head.left -= 1
        if not head.left:
            self._pending.popleft()

    def _took_effect(self, head: _Pending, value: Value) -> None:
        """What a command changes on the connection, or tells of the server."""
        argv = head.argv
        match head.name:
            case "HELLO":
                self._facts.update(facts.of_hello(value))
                if len(argv) > 1 and not isinstance(value, resp.Error):
                    self._protocol = 3 if argv[1] == b"3" else 2
            case "INFO":
                self._facts.update(facts.of_info(value))
            case "SELECT" if value == b"OK" and len(argv) == 2 and argv[1].isdigit():
                self._db = int(argv[1])
            case "RESET":
                self._protocol, self._db, self._multi, self._watching = 2, 0, None, False
                self._monitoring = False
                self._subscribed = {b"": set(), b"p": set(), b"s": set()}
            case "WATCH" if value == b"OK" and not self._watching:
                self._watching = True
                self._number += 1
            case "SCRIPT LOAD" if len(argv) == 3:
                self._scripts[digest(argv[2])] = argv[2]
            case "EVAL" | "EVAL_RO" if len(argv) > 1:
                self._scripts[digest(argv[1])] = argv[1]
            case "MONITOR" if value == b"OK":
                self._monitoring = True

    def _reply(self, head: _Pending, value: Value, at: float, fields: dict[str, Tree], number: int | None = None) -> None:
        """A command with its own answer."""
        role = role_of(head.name)
        word = head.name.partition(" ")[0]
        if word in commands.STATE or head.name in commands.SCRIPTS:
            return
        started = head.at
        parts = cut(head.argv)
        if isinstance(value, resp.Error):
            fields["error"] = text(bytes(value))
            if isinstance(value, resp.BlobError):
                fields["as"] = "blob error"
            if value.startswith(b"NOSCRIPT"):
                role = "housekeeping"  # the client sends the script, then; whether it must is up to the server's memory
        else:
            reply, mark = read(form_of(parts.command, parts.args), value, self._protocol)
            fields["reply"] = reply
            if mark is not None:
                fields["as"] = mark
        if number is None and blocks(parts) is not None:
            started = at  # its wait belongs to no request
            if value is None or value is NULL_ARRAY:
                role = "housekeeping"
        if head.name in ("WATCH", "UNWATCH") and value == b"OK":
            del fields["reply"]
        if number is None and self._watching:
            number = self._number
        if head.name == "UNWATCH":
            self._watching = False
        self._emit(
            head, at, fields, role=role, started=started, number=number, incomplete=MONITORED if self._monitoring else ""
        )

    def _emit(
        self,
        head: _Pending,
        at: float,
        fields: dict[str, Tree],
        *,
        role: Role | None = None,
        started: float | None = None,
        number: int | None = None,
        incomplete: str = "",
    ) -> None:
        parts = cut(head.argv)
        told: dict[str, Tree] = {"db": self._db} if self._db and (role or role_of(head.name)) == "query" else {}
        self._done.append(
            Interaction(
                operation=parts.headline,
                fields={**told, **call_fields(parts, self._scripts), **fields},
                started=head.at if started is None else started,
                ended=at,
                transaction=number,
                role=role or role_of(head.name),
                incomplete=incomplete,
            )
        )

    def _cut_off(self, at: float) -> None:
        """The connection ended: what was under way is not whole. A command that was left waiting had nothing happen to it."""
        if self._multi is not None:
            left = [self._multi.opened, *(pending for pending, _ in self._multi.queued)]
            self._emit_cut(left, at, self._number)
        self._emit_cut([one for one in self._pending if blocks(cut(one.argv)) is None], at, None)

    def _emit_cut(self, left: list[_Pending], at: float, number: int | None) -> None:
        for pending in left:
            if pending.name.partition(" ")[0] not in commands.STATE and pending.name not in commands.SCRIPTS:
                self._emit(pending, at, {}, number=number, incomplete=UNANSWERED)


def _outcome(value: Value) -> dict[str, Tree]:
    """What EXEC or DISCARD says of the whole."""
    if isinstance(value, resp.Error):
        return {"error": text(bytes(value))}
    return {"reply": None} if value is None or value is NULL_ARRAY else {}
