"""A mock's side of an HTTP/1.x connection: requests in order, replies as recorded."""

from __future__ import annotations

from dataclasses import dataclass

from wiretape import body as bodies
from wiretape.case import Call, Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.http.exchange import SWITCHING
from wiretape.protocols.http.forms import NO_ANSWER
from wiretape.protocols.http.framing import Data, End, Framing, Head, Reader
from wiretape.protocols.http.h1 import request_framing
from wiretape.protocols.http.replies import MAX_REQUEST, Desk, Received, Reply, refusal
from wiretape.protocols.http.wsserver import SocketServer, accepted

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_OWN = frozenset(("connection", "content-length", "transfer-encoding", "keep-alive"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The connection goes on as HTTP/2 with this request as its stream 1; `rest` has been read already."""

    request: Received
    settings: str
    rest: bytes


class Http1Server:
    """One connection. `socket` is set where it became a WebSocket, `upgrade` where HTTP/2, `tunnel` after CONNECT.

    `upgrades`: a client that asks for HTTP/2 gets it. `origin` stands before every path where it came through a tunnel.
    """

    def __init__(self, desk: Desk, origin: str = "", *, upgrades: bool = False) -> None:
        self._desk, self._origin, self._upgrades = desk, origin, upgrades
        self._reader = Reader(requests=True)
        self._head: Head | None = None
        self._body = bytearray()
        self._waiting: tuple[Head, Received] | None = None
        self.waiting: Ask | None = None
        self.socket: SocketServer | None = None
        self.upgrade: Upgrade | None = None
        self.tunnel = ""
        self.closed = False
        self._silent = False

    def receive(self, data: bytes) -> bytes:
        """Bytes to send back."""
        if self.socket is not None:
            return self._from_socket(self.socket.receive(data))
        if self.closed or self._silent:
            return b""
        self._reader.feed(data)
        return self._go_on()

    def resume(self, answer: Call | Miss) -> bytes:
        """Go on with the answer that was waited for."""
        assert self._waiting is not None
        (head, request), self._waiting, self.waiting = self._waiting, None, None
        return self._reply(head, request, self._desk.reply(request, answer)) + self._go_on()

    def rest(self) -> bytes:
        """What was read too far, where the connection goes on in another protocol."""
        return self._reader.rest()

    def _go_on(self) -> bytes:
        parts: list[bytes] = []
        try:
            while not self._stopped and (self._head is not None or self._reader.pending):
                event = self._reader.next()
                if event is None:
                    break
                parts.append(self._take(event))
        except DecodeError as error:
            parts.append(self._refuse(f"wiretape: {error}", 400))
        return b"".join(parts)

    @property
    def _stopped(self) -> bool:
        return bool(self.closed or self._silent or self.waiting or self.socket or self.upgrade or self.tunnel)

    def _refuse(self, text: str, status: int) -> bytes:
        self.closed = True
        return encode(refusal(text, status), "GET", "HTTP/1.1", close=True)

    def _take(self, event: Head | Data | End) -> bytes:
        match event:
            case Head():
                framing = request_framing(event)
                self._head = event
                self._reader.expect(framing)
                expects = bodies.header(event.headers, "expect").lower() == "100-continue"
                return _CONTINUE if expects and (framing is Framing.CHUNKED or framing) else b""
            case Data():
                self._body += event.data
                return self._refuse("wiretape: a mock takes no larger body", 413) if len(self._body) > MAX_REQUEST else b""
            case End():
                return self._ask()

    def _ask(self) -> bytes:
        head, self._head = self._head, None
        data = bytes(self._body)
        self._body.clear()
        assert head is not None
        method, url, _ = head.start
        if method == "CONNECT":
            self.tunnel = url
            return b"HTTP/1.1 200 Connection established\r\n\r\n"
        request = Received(method=method, url=self._origin + url if url[:1] == "/" else url, headers=head.headers, body=data)
        if self._upgrades and (settings := _settings(head)):
            self.upgrade = Upgrade(request=request, settings=settings, rest=self._reader.rest())
            return b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        found = self._desk.take(request)
        if isinstance(found, Ask):
            self._waiting, self.waiting = (head, request), found
            return b""
        return self._reply(head, request, found)

    def _reply(self, head: Head, request: Received, reply: Reply) -> bytes:
        method, _, version = head.start
        if reply.status == SWITCHING:
            return self._switch(head, request, reply)
        if reply.status == NO_ANSWER:
            self.closed = True
            return b""
        close = _ends(head)
        out = encode(reply, method, version, close=close)
        self._silent = reply.unfinished
        self.closed = self.closed or (close and not reply.unfinished)
        return out

    def _switch(self, head: Head, request: Received, reply: Reply) -> bytes:
        handshake = accepted(head.headers)
        if handshake is None:
            return self._refuse("wiretape: the recorded answer is a WebSocket, and this request opens none", 502)
        lines = _lines("HTTP/1.1", reply, (*handshake, *(pair for pair in reply.headers if pair[0].lower() not in _OWN)))
        self.socket = SocketServer(self._desk, request, reply.messages)
        return lines + self._from_socket(self.socket.greet() + self.socket.receive(self._reader.rest()))

    def _from_socket(self, out: bytes) -> bytes:
        assert self.socket is not None
        self.closed = self.socket.closed
        return out


def _settings(head: Head) -> str:
    """The settings of a request that asks for HTTP/2 (RFC 7540 section 3.2); empty where it does not."""
    wanted = bodies.header(head.headers, "upgrade").lower()
    return bodies.header(head.headers, "http2-settings") if "h2c" in [word.strip() for word in wanted.split(",")] else ""


def _ends(head: Head) -> bool:
    """Whether the connection ends with this request (RFC 9112 section 9.3)."""
    words = {word.strip().lower() for name, value in head.headers if name.lower() == "connection" for word in value.split(",")}
    return "close" in words or (head.start[2] == "HTTP/1.0" and "keep-alive" not in words)


def encode(reply: Reply, method: str, version: str, *, close: bool) -> bytes:
    """A reply as it goes over the wire: a length computed, or chunks where they were recorded or are needed."""
    old = version == "HTTP/1.0"
    bare = method == "HEAD" or reply.status in (204, 304)
    coding = [pair for pair in reply.headers if pair[0].lower() == "transfer-encoding"]
    chunked = not old and (_in_chunks(reply.headers) or bool(reply.trailers) or reply.unfinished) and not (bare and not coding)
    kept = [pair for pair in reply.headers if pair[0].lower() not in _OWN]
    if bare:
        kept += [pair for pair in reply.headers if pair[0].lower() == "content-length"]
    if chunked:
        kept += coding or [("transfer-encoding", "chunked")]
    elif not (bare or reply.unfinished):
        kept.append(("content-length", str(len(reply.body))))
    if close or (old and reply.unfinished):
        kept.append(("connection", "close"))
    elif old:
        kept.append(("connection", "keep-alive"))
    head = _lines("HTTP/1.1", reply, tuple(kept))
    if bare:
        return head
    return head + (_chunks(reply) if chunked else reply.body)


def _in_chunks(headers: Headers) -> bool:
    event_stream = bodies.media_type(headers) == "text/event-stream"
    return event_stream or bodies.header(headers, "transfer-encoding").lower().endswith("chunked")


def _chunks(reply: Reply) -> bytes:
    data = b"%x\r\n%b\r\n" % (len(reply.body), reply.body) if reply.body else b""
    if reply.unfinished:
        return data
    trailers = "".join(f"{name}: {value}\r\n" for name, value in reply.trailers)
    return data + b"0\r\n" + trailers.encode("latin-1", "replace") + b"\r\n"


def _lines(version: str, reply: Reply, headers: Headers) -> bytes:
    lines = [f"{version} {reply.status} {reply.phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")
