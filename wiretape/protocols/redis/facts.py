"""What is known of a server: `server_version`, `mode`, `modules`, whether it speaks RESP3, whether it took TLS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from wiretape.protocols.redis import resp
from wiretape.protocols.redis.resp import Value
from wiretape.tree import Tree

DEFAULT_VERSION: Final = "7.2.0"

_INFO = re.compile(rb"(?m)^(redis_version|redis_mode):([^\r\n]+)")
_NO_HELLO = re.compile(rb"(?i)ERR unknown command|NOPROTO")


def of_hello(reply: Value) -> dict[str, Tree]:
    """What a server's answer to HELLO tells."""
    if isinstance(reply, resp.Error):
        return {"resp3": False} if _NO_HELLO.match(reply) else {}
    if not isinstance(reply, list):
        return {}
    said = dict(zip((key for key in reply[::2] if isinstance(key, bytes)), reply[1::2], strict=False))
    out: dict[str, Tree] = {}
    for key, fact in ((b"version", "server_version"), (b"mode", "mode")):
        value = said.get(key)
        if isinstance(value, bytes):
            out[fact] = str(value, "utf-8", "replace")
    modules = said.get(b"modules")
    if isinstance(modules, list) and (names := [name for module in modules if (name := _name(module))]):
        out["modules"] = list(names)
    return out


def _name(module: Value) -> str:
    if not isinstance(module, list):
        return ""
    name = dict(zip(map(repr, module[::2]), module[1::2], strict=False)).get(repr(b"name"))
    return str(name, "utf-8", "replace") if isinstance(name, bytes) else ""


def of_info(reply: Value) -> dict[str, Tree]:
    """What a server's answer to INFO tells."""
    if not isinstance(reply, bytes):
        return {}
    said = {key: str(value, "utf-8", "replace") for key, value in _INFO.findall(reply)}
    names = ((b"redis_version", "server_version"), (b"redis_mode", "mode"))
    return {fact: said[key] for key, fact in names if key in said}


def merge(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> dict[str, Tree]:
    """Facts of two connections to one server. TLS is offered if it was once; RESP3 is spoken if it was once."""
    out: dict[str, Tree] = {**old, **new}
    if old.get("tls") or new.get("tls"):
        out["tls"] = True
    if "server_version" in old and "resp3" not in old:
        out.pop("resp3", None)
    return out
