"""What connections tell of a server, put together: the newest word on a setting counts, and no type is forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from wiretape.tree import Tree


def merge_types(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> dict[str, Tree]:
    """Two descriptions of a database's types: a driver may tell more of one than another driver does."""
    out = dict(old)
    for name, told in new.items():
        before = out.get(name)
        same = isinstance(before, Mapping) and isinstance(told, Mapping) and before.get("oid") == told.get("oid")
        out[name] = {**before, **told} if same and isinstance(before, Mapping) and isinstance(told, Mapping) else told
    return out


def merge(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The facts of two connections to one server. TLS is offered if it was once."""
    out: dict[str, Tree] = {**old, **new}
    before, after = old.get("parameters"), new.get("parameters")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        out["parameters"] = {**before, **after}
    before, after = old.get("types"), new.get("types")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        out["types"] = merge_types(before, after)
    if old.get("tls") or new.get("tls"):
        out["tls"] = True
    return out
