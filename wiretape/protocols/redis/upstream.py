"""A client of the real server, for what no recording answers (`--on-miss passthrough`).

It speaks RESP3 where the server does, and has a tap read the conversation: an answer is then in the words of a recording.
"""

from __future__ import annotations

from collections.abc import Mapping

from wiretape.case import Call
from wiretape.errors import TargetError
from wiretape.protocols.base import Ask, Side
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.asks import Headline
from wiretape.protocols.redis.layout import join, parts_of
from wiretape.protocols.redis.requests import Argv
from wiretape.protocols.redis.resp import INCOMPLETE, Reader
from wiretape.protocols.redis.tap import RedisTap


class RedisUpstream:
    """One connection to the real server (`wiretape.protocols.base.Upstream`).

    `options`: `user`, `password`, `database` (its number). `receive` raises TargetError where the server does not let us in,
    and DecodeError where it is no Redis.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._user, self._password = options.get("user", ""), options.get("password", "")
        self._db = options.get("database", "") or "0"
        self._reader, self._tap = Reader(), RedisTap()
        self._greeting: list[Argv] = []
        self._owed = 0  # answers to commands of our own that are still to come
        self._selected = "0"
        self._asked: Ask | None = None

    @property
    def ready(self) -> bool:
        return not self._greeting and not self._owed and self._asked is None

    def greet(self) -> bytes:
        login: Argv = (b"AUTH", (self._user or "default").encode(), self._password.encode()) if self._password else ()
        self._greeting = [(b"HELLO", b"3", *login)]
        return self._send(self._greeting[0])

    def ask(self, ask: Ask) -> bytes:
        self._asked = ask
        db = _database(ask, self._db)
        out = b""
        if db != self._selected:
            self._selected = db
            self._owed += 1
            out = self._send((b"SELECT", db.encode()))
        return out + self._send(_argv(ask))

    def receive(self, data: bytes) -> tuple[bytes, Call | None]:
        self._reader.push(data)
        answer, out = None, b""
        for interaction in self._tap.feed(Side.SERVER, data, 0.0):
            if self._asked is not None and interaction.role != "push":
                answer = Call(target=self._asked.target, operation=self._asked.operation, fields=interaction.fields)
                self._asked = None
        while (value := self._reader.value()) is not INCOMPLETE:
            if self._greeting:
                out += self._greeted(value)
            elif self._owed:
                self._owed -= 1
                if isinstance(value, resp.Error):
                    raise TargetError(f"the real server has no database {self._selected}: {_said(value)}")
        return out, answer

    def _greeted(self, value: resp.Value) -> bytes:
        sent = self._greeting.pop(0)
        if not isinstance(value, resp.Error):
            return b""
        if sent[0] == b"HELLO" and not value.startswith((b"WRONGPASS", b"NOAUTH", b"DENIED")):
            if not self._password:
                return b""  # an old server, which needs no greeting
            self._greeting = [(b"AUTH", *((self._user.encode(),) if self._user else ()), self._password.encode())]
            return self._send(self._greeting[0])
        raise TargetError(f"the real server refuses the connection: {_said(value)}")

    def _send(self, argv: Argv) -> bytes:
        data = resp.encode(list(argv), 2)
        list(self._tap.feed(Side.CLIENT, data, 0.0))
        return data


def _argv(ask: Ask) -> Argv:
    if isinstance(ask.operation, Headline):
        return ask.operation.argv
    return join(parts_of(Call(target=ask.target, operation=ask.operation)))


def _database(ask: Ask, default: str) -> str:
    return next((word[1:] for word in ask.shape.split(" ")[1:] if word.startswith("@")), default)


def _said(error: bytes) -> str:
    return error.decode("utf-8", "replace")
