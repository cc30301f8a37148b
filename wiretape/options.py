"""What may be said of each option, wherever it is said: the file, a flag or an environment variable.

An option's reader takes a YAML value or a text and gives the value, or raises ValueError with the reason.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

type Option = Callable[[object], object]

LOOPBACK = "127.0.0.1"
_UNIX = "unix:"
_LONGEST_PATH = 107  # Linux's limit
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FLAGS: Mapping[str, bool] = MappingProxyType(
    {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A TCP endpoint, or the `path` of a Unix socket. `port` 0 in a `listen` means any free port, known once the listener is
    up."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{_UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(given: object) -> Address:
    """`PORT`, `HOST:PORT`, `[IPV6]:PORT` or `unix:/PATH`."""
    told = str(given).strip()
    if told.startswith(_UNIX):
        return _socket(told.removeprefix(_UNIX))
    found = re.fullmatch(r"(?:(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]/@]*)):)?(?P<port>[0-9]{1,5})", told)
    if not found or int(found["port"]) > 65535 or isinstance(given, bool):
        raise ValueError(f"{told!r} is not an address; write PORT or HOST:PORT (port 0 to 65535)")
    return Address(host=found["six"] or found["host"] or LOOPBACK, port=int(found["port"]))


def _socket(path: str) -> Address:
    if not path.startswith("/") or len(path.encode()) > _LONGEST_PATH:
        raise ValueError(f"{path!r} is not the path of a Unix socket; write unix:/PATH, {_LONGEST_PATH} bytes at most")
    return Address(path=path)


def upstream(given: object) -> Address:
    """As `address`; a HOST alone stands for its protocol's usual port (0 here)."""
    told = str(given).strip()
    alone = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*|\d+(?:\.\d+){3}|\[[0-9A-Fa-f:.]+\]", told)
    return Address(host=told.strip("[]"), port=0) if alone else address(given)


def url(given: object) -> str:
    """The service's base URL: scheme, host and port, nothing more."""
    told = str(given).strip()
    try:
        parts = urlsplit(told)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{told!r} is not a URL; write http://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{told!r} is more than http://HOST:PORT; the cases hold the paths")
    return f"{parts.scheme}://{parts.netloc}"


def words(given: object) -> tuple[str, ...]:
    """A list of strings; one string stands for a list of one."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence) or not all(isinstance(one, str | int | float) for one in given):
        raise ValueError("must be a list of strings")
    return tuple(map(text, given))


def command(given: object) -> tuple[str, ...]:
    """A list of words, or one string split as a shell would."""
    return tuple(shlex.split(given)) if isinstance(given, str) else words(given)


def text(given: object) -> str:
    """A string; numbers and booleans as they are written."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float):
        raise ValueError("must be a string")  # noqa: TRY004 - one kind of failure for the caller
    return str(given)


def texts(given: object) -> Mapping[str, str]:
    """A mapping of strings."""
    if not isinstance(given, Mapping):
        raise ValueError("must be a mapping")  # noqa: TRY004 - one kind of failure for the caller
    return MappingProxyType({str(name): text(value) for name, value in given.items()})


def path_of_ready(given: object) -> str:
    """A request path, or empty."""
    if not isinstance(given, str) or (given and not given.startswith("/")):
        raise ValueError("must be a path such as /health; leave it out to wait for the port")
    return given


def flag(given: object) -> bool:
    """true or false."""
    if isinstance(given, bool):
        return given
    if str(given).lower() not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[str(given).lower()]


def share(given: object) -> float:
    """A share, 0 to 1."""
    value = _number(given)
    if not 0 <= value <= 1:
        raise ValueError("must be a share from 0 to 1")
    return value


def seconds(given: object) -> float:
    """A time in seconds, more than 0."""
    value = _number(given)
    if not 0 < value < float("inf"):
        raise ValueError("must be a number of seconds, more than 0")
    return value


def size(given: object) -> int:
    """A number of bytes: `1048576`, `512 KiB`, `10MB`."""
    found = re.fullmatch(r"(\d+)\s*(?:([kmg])?(i)?b?)", str(given).strip(), re.IGNORECASE)
    if not found or isinstance(given, bool) or int(found[1]) == 0:
        raise ValueError("must be a size such as 1048576, 512KiB or 10MB")
    base = 1024 if found[3] else 1000
    power = "kmg".index(found[2].lower()) + 1 if found[2] else 0
    return int(found[1]) * int(base**power)


def tls(given: object) -> str:
    """auto, refuse or passthrough."""
    if given not in ("auto", "refuse", "passthrough"):
        raise ValueError("must be auto, refuse or passthrough")
    return str(given)


def target_name(given: object) -> str:
    """A word that cannot be mistaken for anything else in a case or in `${main.port}`."""
    if not _NAME.fullmatch(str(given)):
        raise ValueError(f"{given!r} is not a target's name; use letters, digits, - and _")
    return str(given)


def _number(given: object) -> float:
    try:
        return float("" if isinstance(given, bool) else str(given))
    except ValueError:
        raise ValueError("must be a number") from None


SERVICE_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "url": url, "listen": address, "ready": path_of_ready, "ready_timeout": seconds, "command": command, "env": texts,
        "protos": words, "freeze_time": flag, "faketime": text,
    }
)  # fmt: skip
TARGET_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "protocol": text, "listen": address, "upstream": upstream, "tls": tls, "verify": flag, "ca": text,
        "certificate": text, "user": text, "password": text, "database": text,
    }
)  # fmt: skip
PROXY_OPTIONS: Mapping[str, Option] = MappingProxyType({"listen": address, "passthrough": words, "verify": flag, "ca": text})
RECORD_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "serialize": flag,
        "trace": flag,
        "sample": share,
        "include": words,
        "exclude": words,
        "max_body": size,
        "dedupe": flag,
        "links": flag,
    }
)
