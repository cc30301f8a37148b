"""What a server says of itself (`hello`): what a tap remembers of it, and what a mock says in its place.

Facts: `hello` holds what the server said in its own words, `auth` the mechanism clients proved themselves with, `buildInfo` the
server's version. A mock is told `password` (a client checks that the server knows it, too), and `address`, where it listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from wiretape.protocols.mongo.commands import Command, whole
from wiretape.protocols.mongo.replies import OK
from wiretape.tree import Tree

HELLO: Final = frozenset(("hello", "isMaster"))
_NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "maxBsonObjectSize": 16 * 1024 * 1024,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": 0,
        "maxWireVersion": 25,
    }
)
_WORDS = ("setName", "hosts", "msg", "saslSupportedMechs")
_VERSION: Final = "8.0.0"
_BUILD = ("version", "versionArray", "gitVersion", "modules", "bits", "debug", "maxBsonObjectSize")


def observed(command: Command, reply: Mapping[str, Tree]) -> dict[str, Tree]:
    """The facts that an exchange of the handshake tells."""
    if command.name in HELLO and reply.get("ok"):
        said: dict[str, Tree] = {name: number for name in _NUMBERS if (number := whole(reply.get(name))) is not None}
        facts: dict[str, Tree] = {"hello": said | {name: reply[name] for name in _WORDS if name in reply}}
        speculative = command.body.get("speculativeAuthenticate")
        return facts | (_mechanism(speculative) if "speculativeAuthenticate" in reply else {})
    if command.name in ("saslStart", "authenticate") and reply.get("ok"):
        return _mechanism(dict(command.body))
    if command.name == "buildInfo" and reply.get("ok"):
        return {"buildInfo": {name: reply[name] for name in _BUILD if name in reply}}
    return {}


def _mechanism(asked: Tree) -> dict[str, Tree]:
    name = asked.get("mechanism") if isinstance(asked, Mapping) else None
    return {"auth": name} if isinstance(name, str) else {}


def merge(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The facts of two connections to one server: the newest word counts. TLS is taken if it was once."""
    before, after = old.get("hello"), new.get("hello")
    out: dict[str, Tree] = {**old, **new}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        # only the first hello of a connection of a known user is told the mechanisms
        out["hello"] = {**{name: before[name] for name in ("saslSupportedMechs",) if name in before}, **after}
    if old.get("tls") or new.get("tls"):
        out["tls"] = True
    return out


def hello(facts: Mapping[str, Tree], command: Command) -> dict[str, Tree]:
    """The reply to a hello.

    There is no topologyVersion in it, so that drivers poll instead of waiting for news, and no compression.
    """
    told = facts.get("hello")
    said: Mapping[str, Tree] = told if isinstance(told, Mapping) else {}
    reply: dict[str, Tree] = {"isWritablePrimary": True} if command.name == "hello" else {}
    reply |= {"ismaster": True, "helloOk": True}
    for name, usual in _NUMBERS.items():
        number = whole(said.get(name, usual))
        reply[name] = usual if number is None else number
    reply["readOnly"] = False
    reply |= _topology(facts, said)
    if "saslSupportedMechs" in command.body and "saslSupportedMechs" in said:
        reply["saslSupportedMechs"] = said["saslSupportedMechs"]
    return reply | {"connectionId": 1, "ok": OK}


def _topology(facts: Mapping[str, Tree], said: Mapping[str, Tree]) -> dict[str, Tree]:
    """A replica set of one, a mongos, or nothing more to say. A driver goes on with the `hosts` it is told, so these must lead
    here: where the mock listens is the first choice, what the recorded server said the second."""
    if isinstance(said.get("msg"), str):
        return {"msg": said["msg"]}
    name = said.get("setName")
    if not isinstance(name, str):
        return {}
    address, hosts = facts.get("address"), said.get("hosts")
    here = [address] if isinstance(address, str) else hosts[:1] if isinstance(hosts, list) else []
    reply: dict[str, Tree] = {"setName": name, "setVersion": 1, "secondary": False, "hosts": [*here]}
    return reply | ({"primary": here[0], "me": here[0]} if here else {})


def build_info(facts: Mapping[str, Tree]) -> dict[str, Tree]:
    """The reply to a buildInfo."""
    told = facts.get("buildInfo")
    known: Mapping[str, Tree] = told if isinstance(told, Mapping) else {}
    version = known.get("version", _VERSION)
    numbers: list[Tree] = [int(part) for part in str(version).split("-")[0].split(".") if part.isdigit()]
    made: dict[str, Tree] = {"version": version, "versionArray": [*numbers, 0], "bits": 64, "debug": False}
    return made | {"maxBsonObjectSize": _NUMBERS["maxBsonObjectSize"], **known, "ok": OK}
