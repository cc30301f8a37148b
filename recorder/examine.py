"""One target's upstream, as a driver would meet it: reached, spoken to over TLS where that is to be, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.config import Target
from wiretape.protocols import CODECS, codec
from wiretape.schemes import AUTO

_LIMIT = 3.0
_GREETING = 0.5
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
# OP_MSG: hello, as a driver begins.
_HELLO = b"\x10hello\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00"
_HELLO = struct.pack("<i", len(_HELLO) + 4) + _HELLO
_OP_MSG = struct.pack("<iiii", 21 + len(_HELLO), 1, 0, 2013) + b"\0\0\0\0\0" + _HELLO

# What to say to a server that waits, and how it is known by its answer. Nothing here changes anything.
_QUESTIONS: Mapping[str, tuple[bytes, Callable[[bytes], bool]]] = MappingProxyType(
    {
        "postgres": (_SSL_REQUEST, lambda answer: answer[:1] in (b"S", b"N") and len(answer) == 1),
        "redis": (b"PING\r\n", lambda answer: answer[:1] in (b"+", b"-") and answer.endswith(b"\r\n")),
        "mongo": (_OP_MSG, lambda answer: answer[12:16] in (struct.pack("<i", 2013), struct.pack("<i", 1))),
        "http": (b"OPTIONS * HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n", lambda answer: answer.startswith(b"HTTP/")),
    }
)


@dataclass(slots=True, kw_only=True)
class Examined:
    """What was found. `speaks` is a codec's name, empty where it cannot be told. `certificate_ends` is seconds since the
    epoch."""

    at: str
    unreachable: str = ""
    tls_failed: str = ""
    tls_advice: str = ""
    certificate: str = ""
    certificate_ends: float = 0.0
    speaks: str = ""
    advice: str = ""


async def examine(target: Target) -> Examined:
    """Connect once or twice, and say nothing that changes anything."""
    found = Examined(at=str(target.upstream))
    try:
        async with asyncio.timeout(_LIMIT):
            async with _connected(target):
                pass
    except TimeoutError:
        found.unreachable = f"no answer within {_LIMIT:g} s"
    except OSError as error:
        found.unreachable = (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)).lower()
    if not found.unreachable:
        await _ask(target, found)
    return found


@contextlib.asynccontextmanager
async def _connected(
    target: Target, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, really closed in the end: TLS takes a moment to say goodbye."""
    at = target.upstream
    assert at is not None
    if at.path:
        reader, writer = await asyncio.open_unix_connection(at.path)
    else:
        name = at.host if tls else None
        reader, writer = await asyncio.open_connection(at.host, at.port, ssl=tls, server_hostname=name)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GREETING):
                await writer.wait_closed()
        writer.transport.abort()


async def _ask(target: Target, found: Examined) -> None:
    tls = None
    if target.secure:
        tls = await _handshake(target, found)
        if tls is None:
            return
    names = [target.protocol] if target.protocol != AUTO else list(_QUESTIONS)
    for name in names:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LIMIT):
                found.speaks = await _spoken(target, tls, name)
        if found.speaks:
            return
    found.advice = "check that upstream is its address"


async def _spoken(target: Target, tls: ssl.SSLContext | None, name: str) -> str:
    """What the server speaks: by its greeting, or by its answer to what `name`'s clients begin with."""
    async with _connected(target, tls) as (reader, writer):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GREETING if name not in _QUESTIONS or name == AUTO else _GREETING / 5):
                greeting = await reader.read(4096)
                return next((each for each in CODECS if greeting and codec(each).recognises(b"", greeting)), "")
        if name not in _QUESTIONS:
            return ""
        question, known = _QUESTIONS[name]
        writer.write(question.replace(b"%b", _host(target)))
        answer = await reader.read(4096)
        return name if known(answer) else next((each for each, (_, is_it) in _QUESTIONS.items() if is_it(answer)), "")


def _host(target: Target) -> bytes:
    assert target.upstream is not None
    return (target.upstream.host or "localhost").encode()


async def _handshake(target: Target, found: Examined) -> ssl.SSLContext | None:
    """TLS as the recorder would speak it; None where it would fail."""
    open_ = ssl.create_default_context()
    open_.check_hostname = False
    open_.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_LIMIT):
            async with _connected(target, open_) as (_, writer):
                _describe(writer.get_extra_info("ssl_object").getpeercert(binary_form=True), found)
            if not target.verify:
                return open_
            strict = ssl.create_default_context()
            if target.ca is not None:
                strict.load_verify_locations(target.ca)
            async with _connected(target, strict):
                return strict
    except ssl.SSLCertVerificationError as error:
        found.tls_failed = f"its certificate is not trusted ({error.verify_message})"
        found.tls_advice = "give the authority that signed it as `ca`, or `verify: false`"
    except ssl.SSLError as error:
        found.tls_failed = (error.reason or str(error)).lower().replace("_", " ")
        found.tls_advice = "if it speaks no TLS there, take the protocol's name without it"
    except (OSError, TimeoutError) as error:
        found.tls_failed = str(error) or "no answer"
        found.tls_advice = "if it speaks no TLS there, take the protocol's name without it"
    return None


def _describe(der: bytes, found: Examined) -> None:
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    names: list[str] = []
    with contextlib.suppress(x509.ExtensionNotFound):
        told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(each.value) for each in told]
    found.certificate_ends = certificate.not_valid_after_utc.timestamp()
    found.certificate = f"for {', '.join(names) or 'no name'}, until {certificate.not_valid_after_utc:%Y-%m-%d}"
