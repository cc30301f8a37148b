"""What a reply means, whichever protocol it was sent in: per command, how RESP2 and RESP3 write the same thing.

A form is a small expression: `plain` as it stands, `bulk` a text, `texts` texts however deep, `simple` a status, `text` a
verbatim text, `double`, `boolean`, `set`, `map:F`, `pairs:F` (a list of pairs, flat in RESP2), `keyed:F` (a map, a list of
pairs in RESP2), `list:F`; and `*` after it where RESP2's null is the null array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from wiretape.protocols.redis.commands import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form: its `kind`, the forms within it, and whether its null is an array."""

    kind: str
    parts: tuple[Form, ...] = ()
    null_array: bool = False


def _form(kind: str, *parts: Form, null_array: bool = False) -> Form:
    return Form(kind=kind, parts=parts, null_array=null_array)


PLAIN: Final = _form("plain")
BULK: Final = _form("bulk")
TEXTS: Final = _form("texts")
DOUBLE: Final = _form("double")
_SCORED: Final = _form("pairs", DOUBLE)
_POSITION: Final = _form("tuple", DOUBLE, DOUBLE, null_array=True)

_NAMED: Mapping[str, Form] = MappingProxyType(
    {
        "geopos": _form("list", _POSITION),
        "bzpop": _form("tuple", BULK, BULK, DOUBLE),
        "zmpop": _form("tuple", BULK, _form("list", _form("tuple", BULK, DOUBLE))),
    }
)


@cache
def parse(text: str) -> Form:
    """The form an expression of the table says."""
    kind, _, rest = text.removesuffix("*").partition(":")
    found = _NAMED.get(kind) or _form(kind, *((parse(rest),) if rest else ()))
    return Form(kind=found.kind, parts=found.parts, null_array=text.endswith("*"))


def _set(args: Sequence[bytes]) -> Form:
    return BULK if b"GET" in args[1:] else parse("simple")


def _pop(args: Sequence[bytes]) -> Form:
    return parse("texts*") if args else BULK


def _spop(args: Sequence[bytes]) -> Form:
    return parse("set") if args else BULK


def _zpop(args: Sequence[bytes]) -> Form:
    return _SCORED if args else _form("tuple", BULK, DOUBLE)


def _zadd(args: Sequence[bytes]) -> Form:
    return DOUBLE if b"INCR" in args else PLAIN


def _scores(args: Sequence[bytes]) -> Form:
    return _SCORED if b"WITHSCORES" in args else TEXTS


def _zrank(args: Sequence[bytes]) -> Form:
    return _form("tuple", PLAIN, DOUBLE, null_array=True) if b"WITHSCORE" in args else PLAIN


def _hrandfield(args: Sequence[bytes]) -> Form:
    return _form("pairs", BULK) if b"WITHVALUES" in args else TEXTS


def _lcs(args: Sequence[bytes]) -> Form:
    return parse("map:plain") if b"IDX" in args else PLAIN


def _geo(args: Sequence[bytes]) -> Form:
    extra = [form for word, form in _GEO if word in args]
    return _form("list", _form("tuple", BULK, *extra)) if extra else PLAIN


_GEO: Final = ((b"WITHDIST", BULK), (b"WITHHASH", PLAIN), (b"WITHCOORD", _form("tuple", DOUBLE, DOUBLE)))
_CHOSEN: Mapping[str, Callable[[Sequence[bytes]], Form]] = MappingProxyType(
    {
        "?set": _set, "?pop": _pop, "?spop": _spop, "?zpop": _zpop, "?zadd": _zadd, "?scores": _scores, "?zrank": _zrank,
        "?hrandfield": _hrandfield, "?lcs": _lcs, "?geo": _geo,
    }
)  # fmt: skip


def form_of(command: Command, args: Sequence[bytes]) -> Form:
    """The form of a command's reply. `args` are its arguments without the keys, options in capitals."""
    chosen = _CHOSEN.get(command.form)
    return chosen(args) if chosen else parse(command.form)
