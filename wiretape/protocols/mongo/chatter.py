"""What drivers ask by themselves, answered where no recording does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from wiretape.protocols.mongo import handshake
from wiretape.protocols.mongo.commands import Command
from wiretape.protocols.mongo.replies import OK, error
from wiretape.tree import Tree

type Facts = Mapping[str, Tree]
type Reply = dict[str, Tree]

_NOT_KNOWN = 72  # InvalidOptions, what servers answer to a getParameter of a name that does not exist


def _killed(_: Facts, command: Command) -> Reply:
    return {
        "cursorsKilled": command.body.get("cursors", []), "cursorsNotFound": [], "cursorsAlive": [], "cursorsUnknown": [],
    }  # fmt: skip


def _parameter(facts: Facts, command: Command) -> Reply:
    version = str(handshake.build_info(facts)["version"])
    if "featureCompatibilityVersion" in command.body:
        return {"featureCompatibilityVersion": {"version": ".".join(version.split(".")[:2])}}
    return error(_NOT_KNOWN, "InvalidOptions", "wiretape: no option found to get: no recording has this parameter")


_ANSWERS: Mapping[str, Callable[[Facts, Command], Reply]] = MappingProxyType(
    {
        "killCursors": _killed,
        "buildInfo": lambda facts, _: handshake.build_info(facts),
        "getParameter": _parameter,
        "hostInfo": lambda _, __: {"system": {"hostname": "wiretape"}, "os": {"type": "wiretape"}, "extra": {}},
        "connectionStatus": lambda _, __: {"authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": []}},
        "getLastError": lambda _, __: {"connectionId": 1, "n": 0, "err": None},
        "getnonce": lambda _, __: {"nonce": "0000000000000000"},
        "whatsmyuri": lambda _, __: {"you": "127.0.0.1:0"},
        "getCmdLineOpts": lambda _, __: {"argv": ["wiretape"], "parsed": {}},
        "getLog": lambda _, __: {"totalLinesWritten": 0, "log": []},
        "startSession": lambda _, __: {"id": {"id": {"$uuid": "00000000-0000-4000-8000-000000000000"}}, "timeoutMinutes": 30},
        "getFreeMonitoringStatus": lambda _, __: {"state": "disabled"},
    }
)


def answer(facts: Facts, command: Command) -> Reply:
    """The reply to a command of the driver's own; to the end of a transaction that no recording holds, too."""
    found = _ANSWERS.get(command.name)
    return {"ok": OK, **(found(facts, command) if found else {})}
