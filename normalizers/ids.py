"""Identifiers that differ from run to run: UUID, ULID, ObjectId, the names processes give themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from normalizers.base import When
from wiretape.tree import Tree

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([0-9a-fA-F])[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_PLAIN_UUID1 = re.compile(r"[0-9a-f]{12}1[0-9a-f]{3}[89ab][0-9a-f]{15}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
# Celery's name for who sent a task: its process and its machine. No name a person would choose begins so.
_PROCESS = re.compile(r"gen\d{1,7}@[\w.-]+")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Both carry their time of birth; one outside of 2010 to 2100 is a look-alike. In seconds since the epoch.
_BORN = range(1_262_304_000, 4_102_444_800)
_GREGORIAN = 12_219_292_800  # seconds from 1582-10-15, where a UUID's time begins


def _uuid(value: str) -> str:
    """RFC 9562: the version must stay (7 sorts by time, 4 does not), and so must the letter case."""
    found = _UUID.fullmatch(value)
    if not found:
        return _plain_uuid1(value)
    return f"version {found[1]} {'upper' if value != value.lower() else 'lower'}"


def _plain_uuid1(value: str) -> str:
    """Version 1 without its hyphens (Python's `uuid1().hex`, a lock's token): mostly the machine's address, so that two are
    alike. It says when it was born, in 100 ns since 1582; other digits hardly ever do."""
    if not _PLAIN_UUID1.fullmatch(value):
        return ""
    ticks = int(value[13:16] + value[8:12] + value[:8], 16)
    return "version 1 plain" if ticks // 10_000_000 - _GREGORIAN in _BORN else ""


def _ulid(value: str) -> str:
    if not _ULID.fullmatch(value):
        return ""
    milliseconds = 0
    for digit in value[:10]:
        milliseconds = milliseconds * 32 + _CROCKFORD.index(digit)
    return "ulid" if milliseconds // 1000 in _BORN else ""


def _object_id(value: str) -> str:
    return "objectid" if _OBJECT_ID.fullmatch(value) and int(value[:8], 16) in _BORN else ""


@dataclass(frozen=True, slots=True)
class RandomId:
    """A kind of identifier. `form` says how a string is written as one, or nothing if it is none."""

    name: str
    form: Callable[[str], str]
    unasked: bool = True
    identity: bool = True

    def recognises(self, value: Tree) -> bool:
        return isinstance(value, str) and bool(self.form(value))

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - ids are read against no clock
        if not isinstance(recorded, str) or not isinstance(live, str):
            return False
        form = self.form(recorded)
        return bool(form) and form == self.form(live)


UUID = RandomId("uuid", _uuid)
ULID = RandomId("ulid", _ulid)
OBJECT_ID = RandomId("objectid", _object_id)
PROCESS = RandomId("process", lambda value: "process" if _PROCESS.fullmatch(value) else "")
