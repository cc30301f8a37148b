"""What the codec of one scalar type is: a reader of its binary form, a writer of it, and what a person should have written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The session settings that decide how a server spells a value: TimeZone, DateStyle, IntervalStyle and bytea_output."""

    timezone: str = "UTC"
    datestyle: str = "ISO, MDY"
    interval: str = "postgres"
    bytea: str = "hex"


class NoText(Exception):
    """A value that is valid but whose text form, as the server would spell it, is not known here."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions of one scalar type.

    `read` makes the server's text of its binary form; it raises ValueError, IndexError, struct.error or OverflowError on
    bytes that are not of the type, and NoText where only the server could say. `write` goes back and raises ValueError.
    `expects` completes the sentence "expected …".
    """

    read: Callable[[bytes, Style], str]
    write: Callable[[str, Style], bytes]
    expects: str


def plain(read: Callable[[bytes], str], write: Callable[[str], bytes], expects: str) -> Codec:
    """A codec that no session setting changes."""
    return Codec(lambda data, _style: read(data), lambda text, _style: write(text), expects)


def demand(held: object, reason: str) -> None:
    """ValueError with `reason` unless `held`."""
    if not held:
        raise ValueError(reason)
