"""Ids that are made to be passed on with a request: in headers, and in the comments of SQL. Pure.

An id has one spelling here, whatever carried it: lower case, a UUID without its dashes. So what the recorder and the
replayer make is the same as trace-id of a `traceparent` and as request id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from wiretape.case import Headers, Request

TRACEPARENT: Final = "traceparent"
REQUEST_ID: Final = "x-request-id"
SIZE: Final = 16  # bytes of randomness that make an id

_LONGEST: Final = 4096  # characters of a comment: what is longer tells people something
_ZEROS = re.compile(r"0+")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.DOTALL)
_B3 = re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})-[0-9a-f]{16}(?:-.*)?", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}", re.IGNORECASE)
_JAEGER = re.compile(r"([0-9a-f]{1,32}):[0-9a-f]{1,16}:[0-9a-f]{1,16}:[0-9a-f]{1,2}", re.IGNORECASE)
_AMAZON = re.compile(r"(?:^|;)\s*(?:Root|Self)=1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)
_GOOGLE = re.compile(r"([0-9a-f]{32})(?:/.*)?", re.IGNORECASE | re.DOTALL)
_SENTRY = re.compile(r"([0-9a-f]{32})-[0-9a-f]{16}(?:-.*)?", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_GIVEN_ID = re.compile(r"[\w.:@+/=-]{16,200}")  # of 16 characters or more: nobody repeats it by accident

# `key='value'` (sqlcommenter: both URL-encoded, with \' for a quote), `key:value` (marginalia, Rails' query log tags), or
# `key=value`.
_PAIR = re.compile(
    r"""(?<![\w.%-])([A-Za-z][\w.%-]*+)\s*[=:]\s*(?:'((?:[^'\\]|\\.)*+)'|"([^"]*+)"|([^\s,;'"*]++))""", re.DOTALL
)


def trace_id(random: bytes) -> str:
    """A trace-id of `SIZE` random bytes: 32 hex digits, formed as a version 4 UUID for who wants a request id to be one."""
    number = int.from_bytes(random[:SIZE]) & ~(0xF000 << 64) & ~(0xC000 << 48)
    return f"{number | 0x4000 << 64 | 0x8000 << 48:032x}"


def traceparent(trace: str) -> str:
    """A traceparent of version 00 with this trace-id, sampled. Its parent-id is the end of the trace-id."""
    return f"00-{trace}-{trace[16:]}-01"


def request_id(trace: str) -> str:
    """The trace-id as a request id: a UUID."""
    return f"{trace[:8]}-{trace[8:12]}-{trace[12:16]}-{trace[16:20]}-{trace[20:]}"


def parent_trace(value: str) -> str:
    """The trace-id of a traceparent (W3C Trace Context, section 3.2.2); empty where it is none, and is to be ignored."""
    found = _TRACEPARENT.fullmatch(value.strip())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[4]):
        return ""
    return "" if _ZEROS.fullmatch(found[2]) or _ZEROS.fullmatch(found[3]) else found[2]


def _first(form: re.Pattern[str]) -> Callable[[str], str]:
    """Reads ids whose value has this form: its groups together."""

    def read(value: str) -> str:
        found = form.fullmatch(value)
        text = "".join(found.groups() or (found[0],)).lower() if found else ""
        return "" if _ZEROS.fullmatch(text) else text

    return read


def _jaeger(value: str) -> str:
    """The trace-id of `uber-trace-id`, which may be written without its leading zeros."""
    found = _JAEGER.fullmatch(value)
    text = found[1].lower() if found else ""
    return "" if _ZEROS.fullmatch(text) else text and text.zfill(16 if len(text) <= 16 else 32)


def _amazon(value: str) -> str:
    """The two parts of an X-Ray trace id, which together are the trace-id that OpenTelemetry makes of it."""
    found = _AMAZON.search(value)
    return (found[1] + found[2]).lower() if found else ""


def _given(value: str) -> str:
    """An id of anybody's make."""
    if not _GIVEN_ID.fullmatch(value) or not any(map(str.isdigit, value)):
        return ""
    return value.replace("-", "").lower() if _UUID.fullmatch(value) else value.lower()


# What carries an id -> how its value is read. In the order of trust: what names a trace, then what names a request.
_READERS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        TRACEPARENT: parent_trace,
        "b3": _first(_B3),
        "x-b3-traceid": _first(_HEX),
        "uber-trace-id": _jaeger,
        "sentry-trace": _first(_SENTRY),
        "x-cloud-trace-context": _first(_GOOGLE),
        "x-amzn-trace-id": _amazon,
        "trace-id": _first(_HEX),
        "traceid": _first(_HEX),
        "x-trace-id": _given,
        REQUEST_ID: _given,
        "request-id": _given,
        "requestid": _given,
        "x-correlation-id": _given,
        "correlation-id": _given,
    }
)
_NAMES = re.compile("|".join(name.replace("-", "[-_]?") for name in _READERS), re.IGNORECASE)


def in_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The ids that headers, or the like, carry; the most telling first."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        known = name.lower().replace("_", "-")
        if (read := _READERS.get(known)) and (text := read(value.strip())):
            found.setdefault(known, []).append(text)
    return tuple(dict.fromkeys(text for name in _READERS for text in found.get(name, ())))


def in_comment(text: str) -> tuple[str, ...]:
    """The ids that a comment carries: as pairs of any of the usual forms, or as a traceparent alone."""
    if len(text) > _LONGEST:
        return ()
    if alone := parent_trace(text.strip("/*-# \t\r\n")):
        return (alone,)
    return in_pairs(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for found in _PAIR.finditer(text):
        quoted, plain = found[2], found[3] if found[3] is not None else found[4]
        yield unquote(found[1]), unquote(re.sub(r"\\(.)", r"\1", quoted)) if quoted is not None else plain


def may_carry(sql: str) -> bool:
    """Whether it is worth looking for comments that carry an id."""
    return ("/*" in sql or "--" in sql or "#" in sql) and (TRACEPARENT in sql or bool(_NAMES.search(sql)))


def carries(name: str) -> bool:
    """Whether a header of this name carries an id."""
    return name.lower() in _READERS


def traced(request: Request, trace: str, *, added: bool = False) -> Request:
    """The request with a traceparent of this trace-id in place of its own. `added`: also where it has none, together with a
    request id, as `wiretape record --trace` adds them."""
    parent = traceparent(trace)
    headers = tuple((name, parent if name.lower() == TRACEPARENT else value) for name, value in request.headers)
    return replace(request, headers=headers + missing(headers, trace) if added else headers)


def missing(headers: Headers, trace: str) -> Headers:
    """The headers that make a request carry this trace-id, as far as it has none of the name."""
    present = {name.lower() for name, _ in headers}
    made = ((TRACEPARENT, traceparent(trace)), (REQUEST_ID, request_id(trace)))
    return tuple(pair for pair in made if pair[0] not in present)
