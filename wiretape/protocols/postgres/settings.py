"""A session's settings: what the server reports of them (ParameterStatus), and what they mean for text on the wire."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wiretape.protocols.postgres.values import Style

# What PostgreSQL 18 reports at start-up, in its order, with the values of a fresh cluster. Drivers act on them.
REPORTED: Mapping[str, str] = MappingProxyType(
    {
        "in_hot_standby": "off",
        "integer_datetimes": "on",
        "TimeZone": "Etc/UTC",
        "IntervalStyle": "postgres",
        "search_path": '"$user", public',
        "is_superuser": "off",
        "application_name": "",
        "default_transaction_read_only": "off",
        "scram_iterations": "4096",
        "DateStyle": "ISO, MDY",
        "standard_conforming_strings": "on",
        "session_authorization": "",
        "client_encoding": "UTF8",
        "server_version": "18.0",
        "server_encoding": "UTF8",
    }
)
# What SHOW tells of settings that are not reported.
UNREPORTED: Mapping[str, str] = MappingProxyType(
    {
        "transaction_isolation": "read committed",
        "default_transaction_isolation": "read committed",
        "transaction_read_only": "off",
        "transaction_deferrable": "off",
        "max_identifier_length": "63",
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "jit": "on",
        "row_security": "on",
        "ssl": "off",
    }
)

# Names of encodings that Python spells otherwise; squeezed to letters and digits.
_ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "utf8": "utf-8", "unicode": "utf-8", "sqlascii": "utf-8", "win": "cp1251", "win866": "cp866", "alt": "cp866",
        "win874": "cp874", "abc": "cp1258", "koi8": "koi8-r", "koi8r": "koi8-r", "koi8u": "koi8-u", "euccn": "gb2312",
        "sjis": "cp932", "mskanji": "cp932", "win932": "cp932", "uhc": "cp949", "win949": "cp949", "win936": "gbk",
        "win950": "big5", "latin5": "iso8859-9", "latin6": "iso8859-10", "latin7": "iso8859-13", "latin8": "iso8859-14",
        "latin9": "iso8859-15", "latin10": "iso8859-16",
    }
)  # fmt: skip
_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)")


def encoding(name: str) -> str:
    """Python's codec for a `client_encoding`; UTF-8 where there is none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain.startswith("win125"):
        return "cp" + plain[3:]
    try:
        return codecs.lookup(_ENCODINGS.get(plain, plain)).name
    except LookupError:
        return "utf-8"


def spelled(name: str) -> str:
    """A `client_encoding` as the server reports it."""
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    return {"UNICODE": "UTF8", "SQLASCII": "SQL_ASCII", "ISO88591": "LATIN1"}.get(plain, plain)


def style(parameters: Mapping[str, str]) -> Style:
    """How this session's server writes values as text."""
    return Style(
        timezone=parameters.get("TimeZone", "UTC"),
        datestyle=parameters.get("DateStyle", "ISO, MDY"),
        interval=parameters.get("IntervalStyle", "postgres"),
        bytea="hex",
    )


def canonical_name(name: str, known: Mapping[str, str]) -> str:
    """A setting's name as the server spells it: names are case-insensitive."""
    if name in known:
        return name
    folded = name.lower()
    return next((spelling for spelling in known if spelling.lower() == folded), folded)


def options(text: str) -> Iterator[tuple[str, str]]:
    """The settings in the start-up parameter `options` (`-c name=value --name=value`)."""
    for name, value in _OPTION.findall(text):
        yield name.replace("-", "_"), re.sub(r"\\(.)", r"\1", value)
