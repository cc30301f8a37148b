"""What HTTP clients say to us that is meant for others: to a forward proxy (`HTTP_PROXY`), or to a listener that stands for a
host. Sans-IO."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from wiretape.body import header
from wiretape.errors import DecodeError
from wiretape.protocols.http.framing import Framing, Head, Reader

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_FOR_THE_PROXY = re.compile(rb"^proxy-[a-z-]+:[^\n]*\n", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(rb"^(host:[ \t]*)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a client wants to go. `tunnel`: by CONNECT, so that from here on the bytes are not HTTP to the proxy."""

    host: str
    port: int
    tunnel: bool = False


class _Heads:
    """The client's side of a connection cut where requests begin, with every byte kept."""

    def __init__(self) -> None:
        self._reader = Reader(requests=True)
        self._raw = bytearray()
        self._passed = 0
        self._free = False

    def pieces(self, data: bytes) -> Iterator[tuple[Head | None, bytes]]:
        """Each head with its bytes, other bytes with None. Raises DecodeError for what is no HTTP/1."""
        if self._free:
            yield None, data
            return
        self._raw += data
        self._reader.feed(data)
        while not self._free and (event := self._reader.next()) is not None:
            raw = self._take()
            if isinstance(event, Head):
                self._expect(event)
                yield event, raw
            elif raw:
                yield None, raw
        if rest := self.rest() if self._free else self._take():
            yield None, rest

    def rest(self) -> bytes:
        """What has not been passed on; from here on all bytes pass."""
        self._free = True
        rest = bytes(self._raw)
        self._raw.clear()
        return rest

    def _take(self) -> bytes:
        """The bytes the reader has read since the last time."""
        count = self._reader.offset - self._passed
        self._passed = self._reader.offset
        taken = bytes(self._raw[:count])
        del self._raw[:count]
        return taken

    def _expect(self, head: Head) -> None:
        if "chunked" in header(head.headers, "transfer-encoding").lower():
            self._reader.expect(Framing.CHUNKED)
        else:
            length = header(head.headers, "content-length") or "0"
            self._reader.expect(int(length) if length.isascii() and length.isdigit() else 0)
        self._free = head.start[0] == "CONNECT" or bool(header(head.headers, "upgrade"))


class Requests:
    """What a client says to a forward proxy."""

    def __init__(self) -> None:
        self._heads = _Heads()

    def feed(self, data: bytes) -> Iterator[tuple[Destination | None, bytes]]:
        """What the client said, in pieces to be passed on: the first of each request with its destination, the rest with None.

        Request targets become what an origin server expects, and headers that are for the proxy are taken out; all else stays
        as it was sent. Raises DecodeError for what no client says to a proxy.
        """
        for head, raw in self._heads.pieces(data):
            yield (None, raw) if head is None else _origin(head, raw)


class Hosts:
    """What a client says to a listener of ours that stands for `host`: the same, with the host it means in `Host`."""

    def __init__(self, host: str) -> None:
        self._host = host.encode()
        self._heads = _Heads()

    def feed(self, data: bytes) -> bytes:
        """The bytes for the server. What is no HTTP/1 passes as it is."""
        parts = []
        try:
            for head, raw in self._heads.pieces(data):
                parts.append(raw if head is None else _HOST.sub(rb"\g<1>" + self._host, raw, count=1))
        except DecodeError:
            parts.append(self._heads.rest())
        return b"".join(parts)


def _origin(head: Head, raw: bytes) -> tuple[Destination, bytes]:
    method, target, version = head.start
    if method == "CONNECT":
        return _authority(target, head.offset), b""
    where, path = _absolute(target, head.offset)
    fields = raw.partition(b"\n")[2]
    return where, f"{method} {path} {version}\r\n".encode("latin-1") + _FOR_THE_PROXY.sub(b"", fields)


def refusal(error: DecodeError) -> bytes:
    """The answer to what is no request to a proxy."""
    body = f"wiretape: this is a forward proxy, and {error.reason}\n".encode()
    return _BAD_REQUEST % len(body) + body


def _authority(target: str, offset: int) -> Destination:
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]/@]+)):(?P<port>\d{1,5})", target)
    if not found or not 0 < int(found["port"]) < 65536:
        raise DecodeError(f"{target[:100]!r} is not HOST:PORT", offset)
    return Destination(host=(found["six"] or found["host"]).lower(), port=int(found["port"]), tunnel=True)


def _absolute(target: str, offset: int) -> tuple[Destination, str]:
    try:
        parts = urlsplit(target)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme.lower() != "http":
        raise DecodeError(f"{target[:100]!r} is not an http:// URL", offset)
    rest = target[len(parts.scheme) + 3 + len(parts.netloc) :]
    return Destination(host=host, port=port), rest if rest.startswith("/") else f"/{rest}"
