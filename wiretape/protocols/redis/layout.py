"""A command and its call: where the keys stand, what the headline says, and back to the very arguments of the wire."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.redis.commands import SUBSCRIBING, Command, Options, command, named
from wiretape.protocols.redis.requests import Argv, quoted, words
from wiretape.protocols.redis.types import data, text
from wiretape.tree import Tree

FUNCTIONS = ("FCALL", "FCALL_RO")

type _Cut = tuple[Sequence[bytes], Sequence[bytes]]  # the keys, and the other arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A command taken apart. `keys` and `args` in the order of the wire; `script` is the source, hash or name of what is run.

    `loose`: its arguments are not as the table has them, so that none is known to be a key.
    """

    command: Command
    keys: Sequence[bytes] = ()
    args: Sequence[bytes] = ()
    script: bytes | None = None
    loose: bool = False

    @property
    def headline(self) -> str:
        """The command with its keys."""
        return " ".join((self.command.name, *map(quoted, self.keys)))


class _Odd(Exception):
    """Arguments that do not fit their command's layout."""


def _first(count: int) -> Callable[[Sequence[bytes]], _Cut]:
    return lambda args: (args[:count], args[count:])


def _all_but_last(args: Sequence[bytes]) -> _Cut:
    if len(args) < 2:
        raise _Odd
    return args[:-1], args[-1:]


def _every_other(args: Sequence[bytes]) -> _Cut:
    if len(args) % 2:
        raise _Odd
    return args[::2], args[1::2]


def _count(args: Sequence[bytes], at: int) -> int:
    if at >= len(args) or not args[at].isdigit() or len(args[at]) > 7 or args[at] != b"%d" % int(args[at]):
        raise _Odd
    number = int(args[at])
    if number > len(args) - at - 1:
        raise _Odd
    return number


def _numbered(args: Sequence[bytes]) -> _Cut:
    number = _count(args, 0)
    return args[1 : 1 + number], args[1 + number :]


def _destined(args: Sequence[bytes]) -> _Cut:
    number = _count(args, 1)
    return (args[0], *args[2 : 2 + number]), args[2 + number :]


def _timed(args: Sequence[bytes]) -> _Cut:
    number = _count(args, 1)
    return args[2 : 2 + number], (args[0], *args[2 + number :])


def _streams(args: Sequence[bytes]) -> _Cut:
    at = next((at for at, word in enumerate(args) if word.upper() == b"STREAMS"), len(args))
    number = len(args) - at - 1
    if number < 2 or number % 2:
        raise _Odd
    middle = at + 1 + number // 2
    return args[at + 1 : middle], (*args[: at + 1], *args[middle:])


def _streams_back(keys: Sequence[bytes], args: Sequence[bytes]) -> Sequence[bytes]:
    at = len(args) - len(keys)
    return (*args[:at], *keys, *args[at:])


_CUTS: Mapping[str, Callable[[Sequence[bytes]], _Cut]] = MappingProxyType(
    {
        "none": _first(0), "key": _first(1), "two": _first(2), "keys": lambda args: (args, ()), "keys-1": _all_but_last,
        "pairs": _every_other, "numkeys": _numbered, "dest": _destined, "timeout": _timed, "streams": _streams,
    }
)  # fmt: skip
_JOINS: Mapping[str, Callable[[Sequence[bytes], Sequence[bytes]], Sequence[bytes]]] = MappingProxyType(
    {
        "pairs": lambda keys, args: [word for pair in zip(keys, args, strict=False) for word in pair],
        "numkeys": lambda keys, args: (b"%d" % len(keys), *keys, *args),
        "dest": lambda keys, args: (keys[0], b"%d" % (len(keys) - 1), *keys[1:], *args),
        "timeout": lambda keys, args: (*args[:1], b"%d" % len(keys), *keys, *args[1:]),
        "streams": _streams_back,
    }
)


def cut(argv: Argv) -> Parts:
    """A command as it was sent, taken apart."""
    name, size = named(argv)
    known = command(name)
    rest = argv[size:]
    if name in SUBSCRIBING:
        return Parts(command=known, keys=rest)
    try:
        if known.layout == "script":
            number = _count(rest, 1)
            return Parts(command=known, keys=rest[2 : 2 + number], args=rest[2 + number :], script=rest[0])
        keys, args = _CUTS[known.layout](rest)
    except _Odd:
        return Parts(command=known, args=rest, loose=True)
    return Parts(command=known, keys=keys, args=_capitals(known, args))


def option_places(options: Options, args: Sequence[bytes]) -> tuple[list[int], int]:
    """Where the options stand among the arguments, and where they end."""
    places: list[int] = []
    owed = 0 if options.lead else options.skip
    for at, word in enumerate(args):
        exact = word in (b"=", b"~")  # says how a limit is meant, and stands between it and its option
        arity = options.arity.get(word.upper().decode("latin-1")) if exact or not owed else None
        if arity is not None:
            places.append(at)
            owed = owed if exact else arity
        elif owed:
            owed -= 1
        elif options.lead:
            return places, at
    return places, len(args)


def _capitals(known: Command, args: Sequence[bytes]) -> Sequence[bytes]:
    """Options in capitals, whatever way the client writes them."""
    if known.options is None:
        return args
    places = frozenset(option_places(known.options, args)[0])
    return [word.upper() if at in places else word for at, word in enumerate(args)]


def join(parts: Parts) -> Argv:
    """The command as it is sent."""
    name = tuple(word.encode() for word in parts.command.name.split(" "))
    if parts.script is not None:
        return (*name, parts.script, b"%d" % len(parts.keys), *parts.keys, *parts.args)
    joined = _JOINS.get(parts.command.layout) if parts.keys and not parts.loose else None
    return (*name, *joined(parts.keys, parts.args)) if joined else (*name, *parts.keys, *parts.args)


def digest(script: bytes) -> bytes:
    """The name a script has on the server."""
    return hashlib.sha1(script, usedforsecurity=False).hexdigest().encode()


def call_fields(parts: Parts, scripts: Mapping[bytes, bytes]) -> dict[str, Tree]:
    """What a call's fields say of the command. `scripts`: the sources that are known, by digest."""
    fields: dict[str, Tree] = {}
    if parts.script is not None:
        fields.update(_script_field(parts, scripts))
    if parts.args:
        fields["args"] = [scalar(word) for word in parts.args]
    return fields


def _script_field(parts: Parts, scripts: Mapping[bytes, bytes]) -> dict[str, Tree]:
    script = parts.script or b""
    name = parts.command.name
    if name in FUNCTIONS:
        return {"function": text(script)}
    source = scripts.get(script.lower()) if name.startswith("EVALSHA") else script
    return {"sha": text(script.lower())} if source is None else {"script": text(source)}


def scalar(word: bytes) -> Tree:
    """An argument as a person writes it: a number where it is one, text, or bytes."""
    if word.isdigit() or (word[:1] == b"-" and word[1:].isdigit()):
        number = int(word) if len(word) < 19 else 0
        if b"%d" % number == word:
            return number
    return text(word)


def parts_of(call: Call) -> Parts:
    """A recorded call, taken apart. Raises EncodeError where it cannot be read."""
    found = words(call.operation.encode("utf-8", "surrogateescape"))
    if not found:
        raise EncodeError("operation", f"{call.operation!r} is no command: a quote is not closed, or nothing is there")
    name, size = named(found)
    keys, fields = found[size:], call.fields
    given = fields.get("args", [])
    if not isinstance(given, list):
        raise EncodeError("args", "expected a list")
    args = [_argument(value, at) for at, value in enumerate(given)]
    known = command(name)
    if known.layout == "script":
        script = _script(call, known.name)
        if script is not None:
            return Parts(command=known, keys=keys, args=args, script=script)
    if not keys and known.layout != "none":
        return Parts(command=known, args=args, loose=True)
    return Parts(command=known, keys=keys, args=_capitals(known, args))


def _argument(value: Tree, at: int) -> bytes:
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        raise EncodeError(f"args[{at}]", "expected a text or a number; put it in quotes")
    return data(value, ("args", at))


def _script(call: Call, name: str) -> bytes | None:
    wanted = ("function",) if name in FUNCTIONS else ("script", "sha")
    for field in wanted:
        value = call.fields.get(field)
        if value is not None:
            script = data(value, (field,))
            return digest(script) if field == "script" and name.startswith("EVALSHA") else script
    return None
