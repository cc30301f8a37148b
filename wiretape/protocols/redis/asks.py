"""From a command to what is asked: the form in which the book compares it, whichever way the client spells it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask, Role
from wiretape.protocols.redis import commands
from wiretape.protocols.redis.commands import Command
from wiretape.protocols.redis.forms import Form, form_of
from wiretape.protocols.redis.layout import FUNCTIONS, Parts, cut, digest, join, option_places, parts_of
from wiretape.protocols.redis.requests import Argv
from wiretape.protocols.redis.types import text
from wiretape.tree import Tree

# What a server sends unasked, and what each is about, in the order of the wire.
PUSHES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "message": ("channel", "message"),
        "pmessage": ("pattern", "channel", "message"),
        "smessage": ("channel", "message"),
        "invalidate": ("keys",),
    }
)
_BY_ONE: Mapping[str, str] = MappingProxyType({"INCR": "INCRBY", "DECR": "DECRBY"})
_LONGEST_KEPT: Final = 512  # bytes of a command
_LONGEST_SORTED: Final = 12  # what is longer may be a token, which stands where it was made
# Asked again with the same values these change nothing more. Drivers of queues declare what they use again and again (SADD).
_SETTLING = frozenset(
    [
        "DEL",
        "EXPIRE",
        "EXPIREAT",
        "HDEL",
        "HMSET",
        "HSET",
        "MSET",
        "PERSIST",
        "PEXPIRE",
        "PEXPIREAT",
        "PSETEX",
        "SADD",
        "SET",
        "SETEX",
        "SREM",
        "UNLINK",
        "ZADD",
        "ZREM",
    ]
)


class Headline(str):
    """A call's headline that remembers the whole command, for whoever puts it to the real server."""

    __slots__ = ("argv",)
    argv: Argv

    def __new__(cls, headline: str, argv: Argv) -> Headline:
        self = super().__new__(cls, headline)
        self.argv = argv
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A command, ready to be answered: `queued` is its ask inside MULTI, where nothing waits."""

    argv: Argv
    command: Command
    form: Form
    ask: Ask
    queued: Ask


def prepare(target: str, argv: Argv, db: int) -> Prepared:
    """What a command asks. Those that may well come again are kept."""
    if sum(map(len, argv)) <= _LONGEST_KEPT:
        return _kept(target, argv, db)
    return _prepare(target, argv, db)


def _prepare(target: str, argv: Argv, db: int) -> Prepared:
    parts = cut(argv)
    ask = make(target, parts, db)
    queued = ask if ask.blocks is None else make(target, parts, db, waits=False)
    return Prepared(argv=argv, command=parts.command, form=form_of(parts.command, parts.args), ask=ask, queued=queued)


_kept = lru_cache(maxsize=4096)(_prepare)


def ask(call: Call) -> Ask:
    """A recorded call as an ask. One that cannot be read asks what its words are (`check` tells what is wrong with it)."""
    kind = call.operation
    if kind in PUSHES:
        return Ask(
            target=call.target,
            operation=kind,
            shape=kind,
            values=tuple(call.fields.get(name) for name in PUSHES[kind]),
            labels=PUSHES[kind],
            role="push",
        )
    db = call.fields.get("db", 0)
    try:
        made = make(call.target, parts_of(call), db if isinstance(db, int) else 0)
    except EncodeError:
        return Ask(target=call.target, operation=call.operation, shape=call.operation, writes=True)
    if str(call.fields.get("error", "")).startswith("NOSCRIPT"):
        return Ask(
            target=made.target, operation=made.operation, shape=made.shape, values=made.values, labels=made.labels,
            writes=made.writes, role="housekeeping",
        )  # fmt: skip
    return made


def make(target: str, parts: Parts, db: int, *, waits: bool = True) -> Ask:
    """The ask of a command. `waits` False: inside a transaction, where nothing waits."""
    known = parts.command
    options, plain, labelled = _arranged(parts)
    labels, values = _keys(parts)
    for label, value in _plain(parts, plain):
        labels.append(label)
        values.append(value)
    for option, given in labelled:
        labels += [option] * len(given)
        values += (_number(word) for word in given)
    if known.name in _BY_ONE and len(parts.keys) == 1 and not parts.args:
        labels.append("value")
        values.append(1)
    words = [_base(known.name), *(f"@{db}" for _ in range(bool(db))), *options]
    if parts.script is not None:
        words.insert(1, str(len(parts.keys)))
    return Ask(
        target=target,
        operation=Headline(parts.headline, join(parts)),
        shape=" ".join(words),
        values=tuple(values),
        labels=tuple(labels),
        writes=known.writes,
        settles=known.name in _SETTLING and not options,
        role=role_of(known.name),
        blocks=blocks(parts) if waits else None,
    )


def role_of(name: str) -> Role:
    """What a command is to the service."""
    word = name.partition(" ")[0]
    if name in ("MULTI",):
        return "begin"
    if name in ("EXEC", "DISCARD"):
        return "end"
    if name in ("WATCH", "UNWATCH"):
        return "control"
    chatter = word in commands.STATE or {name, word} & commands.CHATTER or name in commands.SCRIPTS
    return "housekeeping" if chatter else "query"


def _base(name: str) -> str:
    """A script is the same whether it is sent or named; INCR is INCRBY of 1, and some drivers have only one of the two."""
    return name.replace("EVALSHA", "EVAL") if name.startswith("EVALSHA") else _BY_ONE.get(name, name)


def _arranged(parts: Parts) -> tuple[list[str], Sequence[bytes], list[tuple[str, Sequence[bytes]]]]:
    """The options in alphabetical order, the arguments that belong to none, and what each option is given."""
    known = parts.command.options
    if known is None or parts.loose:
        return [], parts.args, []
    places, end = option_places(known, parts.args)
    starts = [*places, end]
    groups = [
        (str(parts.args[at], "latin-1"), parts.args[at + 1 : until]) for at, until in zip(places, starts[1:], strict=True)
    ]
    groups.sort(key=lambda group: group[0])
    plain = parts.args[end:] if known.lead else parts.args[: starts[0]]
    return [name for name, _ in groups], plain, groups


def _keys(parts: Parts) -> tuple[list[str], list[Tree]]:
    labels: list[str] = []
    values: list[Tree] = []
    if parts.script is not None:
        labels.append("function" if parts.command.name in FUNCTIONS else "script")
        values.append(text(_identity(parts)))
    keys = _sorted(parts.keys) if parts.command.name in commands.UNORDERED else parts.keys
    if parts.command.layout == "pairs":
        keys = [key for key, _ in sorted(zip(parts.keys, parts.args, strict=False))]
    for at, key in enumerate(keys, 1):
        labels.append("key" if len(keys) == 1 else f"key {at}")
        values.append(text(key))
    return labels, values


def _identity(parts: Parts) -> bytes:
    """What names a script: its digest, or a function's name."""
    script = parts.script or b""
    if parts.command.name in FUNCTIONS:
        return script
    return script.lower() if parts.command.name.startswith("EVALSHA") else digest(script)


def _sorted(words: Sequence[bytes]) -> Sequence[bytes]:
    return words if any(len(word) >= _LONGEST_SORTED for word in words) else sorted(words)


def _plain(parts: Parts, words: Sequence[bytes]) -> list[tuple[str, Tree]]:
    """The arguments that belong to no option, each with what to call it."""
    name, numbers = parts.command.name, parts.command.numbers
    if name in ("MSET", "MSETNX"):
        return [(str(text(key)), text(value)) for key, value in sorted(zip(parts.keys, words, strict=False))]
    if name in commands.PAIRED and len(words) % 2 == 0:
        return _paired(name, words)
    if name in commands.UNORDERED:
        words = _sorted(words)
    many = len(words) > 1
    return [
        (f"argument {at + 1}" if many else "value", _number(word) if numbers == "*" or str(at) in numbers else text(word))
        for at, word in enumerate(words)
    ]


def _paired(name: str, words: Sequence[bytes]) -> list[tuple[str, Tree]]:
    if name == "ZADD":
        members = sorted(zip(words[1::2], words[::2], strict=True))
        return [pair for member, score in members for pair in (("member", text(member)), (str(text(member)), _number(score)))]
    fields = sorted(zip(words[::2], words[1::2], strict=True))
    return [pair for field, value in fields for pair in (("field", text(field)), (str(text(field)), text(value)))]


def _number(word: bytes) -> Tree:
    """A number whichever way it is written; the text where it is none."""
    try:
        value = float(word)
    except ValueError:
        return text(word)
    if math.isfinite(value) and value == int(value):
        return int(word) if word.lstrip(b"-").isdigit() and len(word) < 20 else int(value)
    return text(word) if math.isnan(value) or b"_" in word else value


def blocks(parts: Parts) -> float | None:
    """How many seconds a command waits for an answer; None where it does not."""
    name, args = parts.command.name, parts.args
    if name not in commands.BLOCKING:
        return None
    if name in ("XREAD", "XREADGROUP"):
        at = next((at for at, word in enumerate(args[:-1]) if word == b"BLOCK"), None)
        return None if at is None else _seconds(args[at + 1], 0.001)
    if not args:
        return None
    return _seconds(args[0] if parts.command.layout == "timeout" else args[-1], 1)


def _seconds(word: bytes, unit: float) -> float | None:
    try:
        value = float(word) * unit
    except ValueError:
        return None
    return None if math.isnan(value) or value < 0 else value or math.inf
