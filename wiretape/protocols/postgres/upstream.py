"""A client of the real server, for what no recording answers (`--on-miss passthrough`).

It asks with text parameters over the extended protocol, and has a tap read the conversation: an answer is then in the words of
a recording. The only randomness in a codec is here, the nonce that SCRAM demands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wiretape.case import Call
from wiretape.errors import DecodeError, TargetError
from wiretape.protocols.base import Ask, Side
from wiretape.protocols.postgres import backend, diagnostics, frontend
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.framing import Stream
from wiretape.protocols.postgres.meaning import written
from wiretape.protocols.postgres.messages import PROTOCOL_3_0
from wiretape.protocols.postgres.tap import PgTap
from wiretape.tree import Tree

if TYPE_CHECKING:
    from scramp import ScramClient

_MECHANISM = "SCRAM-SHA-256"


class PgUpstream:
    """One connection to the real server (`wiretape.protocols.base.Upstream`).

    `options`: `user`, `password`, `database` (by default the user's name). `receive` raises TargetError where the server does
    not let us in, and DecodeError where it is no PostgreSQL.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._user = options.get("user", "") or "postgres"
        self._password = options.get("password", "")
        self._database = options.get("database", "") or self._user
        self._stream = Stream()
        self._tap = PgTap()
        self._scram: ScramClient | None = None
        self._asked: Ask | None = None
        self._ready = False

    @property
    def ready(self) -> bool:
        return self._ready

    def greet(self) -> bytes:
        parameters = (
            ("user", self._user),
            ("database", self._database),
            ("application_name", "wiretape"),
            ("client_encoding", "UTF8"),
        )
        return self._send(frontend.StartupMessage(version=PROTOCOL_3_0, parameters=parameters).encode())

    def ask(self, ask: Ask) -> bytes:
        self._asked, self._ready = ask, False
        asked = plan(ask.operation)
        if len(asked.statements) > 1:
            return self._send(frontend.Query(sql=ask.operation).encode())
        params = _params(ask)
        bind = frontend.Bind(
            portal="",
            statement="",
            formats=tuple(int(isinstance(value, bytes)) for value in params),
            parameters=tuple(value if isinstance(value, bytes) or value is None else str(value).encode() for value in params),
            results=(),
        )
        messages = (
            frontend.Parse(name="", sql=ask.operation, types=()),
            bind,
            frontend.Describe(kind=b"P", name=""),
            frontend.Execute(portal="", limit=0),
            frontend.Sync(),
        )
        return self._send(b"".join(message.encode() for message in messages))

    def receive(self, data: bytes) -> tuple[bytes, Call | None]:
        self._stream.push(data)
        answer = None
        for interaction in self._tap.feed(Side.SERVER, data, 0.0):
            if self._asked is not None:
                answer = Call(target=self._asked.target, operation=self._asked.operation, fields=interaction.fields)
                self._asked = None
        out = b""
        while found := self._stream.message(backend.BACKEND):
            tag, body = found
            if tag == ord("R"):
                out += self._send(self._authenticate(body))
            elif tag == ord("Z"):
                self._ready = True
            elif tag == ord("E") and not self._ready and self._asked is None and answer is None:
                raise TargetError(f"the real server refuses the connection of user {self._user}: {_message(body)}")
        return out, answer

    def _send(self, data: bytes) -> bytes:
        list(self._tap.feed(Side.CLIENT, data, 0.0))
        return data

    def _authenticate(self, body: bytes) -> bytes:
        kind = backend.AUTHENTICATION.get(int.from_bytes(body[:4]))
        message = kind.decode(body) if kind else None
        match message:
            case backend.AuthenticationOk() | backend.AuthenticationSASLFinal():
                return b""
            case backend.AuthenticationCleartextPassword():
                return frontend.PasswordMessage(password=self._password).encode()
            case backend.AuthenticationMD5Password(salt=salt):
                return frontend.PasswordMessage(password=self._hashed(salt)).encode()
            case backend.AuthenticationSASL(mechanisms=mechanisms) if _MECHANISM in mechanisms:
                from scramp import ScramClient

                self._scram = ScramClient([_MECHANISM], self._user, self._password)
                first = self._scram.get_client_first().encode()
                return frontend.SASLInitialResponse(mechanism=_MECHANISM, data=first).encode()
            case backend.AuthenticationSASLContinue(data=data) if self._scram is not None:
                return frontend.SASLResponse(data=self._prove(self._scram, data)).encode()
        wanted = kind.__name__ if kind else f"method {body[:4].hex()}"
        raise TargetError(f"the real server asks for {wanted}, which wiretape cannot give: use a password, MD5 or SCRAM")

    def _hashed(self, salt: bytes) -> str:
        inner = hashlib.md5((self._password + self._user).encode(), usedforsecurity=False).hexdigest()
        return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()

    def _prove(self, scram: ScramClient, challenge: bytes) -> bytes:
        from scramp import ScramException

        try:
            scram.set_server_first(challenge.decode())
            return bytes(scram.get_client_final().encode())
        except (ScramException, UnicodeDecodeError) as error:
            raise DecodeError(f"the server's SCRAM challenge cannot be read: {error}", 0) from error


def _params(ask: Ask) -> list[Tree]:
    """The values of `$1`, `$2` …: `ask.values` holds those of literals, too."""
    places = zip(plan(ask.operation).statements[0].literals, ask.values, strict=False)
    found = {slot: written(value) for slot, value in places if isinstance(slot, int)}
    return [found.get(number) for number in range(1, max(found, default=0) + 1)]


def _message(body: bytes) -> str:
    return str(diagnostics.to_tree(backend.ErrorResponse.decode(body).fields).get("message", ""))
