"""SCRAM from the server's side (RFC 5802 as MongoDB speaks it): the client checks that the server knows the password, so the
mock must be told it. What asks for no such proof is let in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from scramp import ScramException, ScramMechanism

from wiretape.protocols.mongo.commands import Command
from wiretape.protocols.mongo.replies import OK, error
from wiretape.tree import Tree

_FAILED: Final = 18
_NONCE: Final = "wiretape"
_ROUNDS: Final = 4096  # the fewest that drivers take
# As long as MongoDB's own: libmongoc takes no other.
_SALTS: Mapping[str, bytes] = MappingProxyType(
    {"SCRAM-SHA-1": b"wiretape, replay", "SCRAM-SHA-256": b"wiretape, a mock of a replay"}
)
ADVICE: Final = (
    "wiretape: this client checks that the server knows its password, so the mock must know it, too: "
    "set the target's password (${ENV} keeps it out of the file), or replay without credentials in the connection string"
)
type Reply = dict[str, Tree]


@lru_cache(maxsize=64)
def _keys(mechanism: str, user: str, password: str) -> Any:
    """What a server keeps of a password. Costs milliseconds by design."""
    if mechanism == "SCRAM-SHA-1":
        password = hashlib.md5(f"{user}:mongo:{password}".encode(), usedforsecurity=False).hexdigest()
    return ScramMechanism(mechanism).make_auth_info(password, iteration_count=_ROUNDS, salt=_SALTS[mechanism])


class Authentication:
    """One connection's. `password` is empty where the mock was told none."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._server: Any = None

    def start(self, command: Command) -> Reply:
        """Answers saslStart."""
        mechanism, payload = command.body.get("mechanism"), command.body.get("payload")
        if mechanism not in _SALTS:
            return _step(b"", done=True)  # PLAIN, MONGODB-OIDC, MONGODB-X509: nothing of the server's is checked
        if not self._password:
            return error(_FAILED, "AuthenticationFailed", ADVICE)
        server = ScramMechanism(str(mechanism)).make_server(
            lambda user: _keys(str(mechanism), user, self._password), s_nonce=_NONCE
        )
        try:
            server.set_client_first(_text(payload))
            self._server = server
            return _step(server.get_server_first().encode())
        except (ScramException, ValueError) as problem:
            return error(_FAILED, "AuthenticationFailed", f"wiretape: {problem}")

    def go_on(self, command: Command) -> Reply:
        """Answers saslContinue."""
        server, payload = self._server, _text(command.body.get("payload"))
        if server is None or not payload:
            return _step(b"", done=True)
        self._server = None
        try:
            server.set_client_final(payload)
        except (ScramException, ValueError):
            return error(_FAILED, "AuthenticationFailed", "wiretape: the client has another password than the target here")
        # most drivers send one more, empty step unless told that this is the end
        return _step(server.get_server_final().encode(), done=True)


def _text(payload: Tree) -> str:
    """A payload, which drivers send as binary."""
    held = payload.get("$binary") if isinstance(payload, Mapping) else payload
    data = held.get("data") if isinstance(held, Mapping) else held
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data or "")


def _step(payload: bytes, *, done: bool = False) -> Reply:
    return {"conversationId": 1, "done": done, "payload": payload, "ok": OK}
