"""Names for what local capture found: a database is called by its protocol, a web host by its name, the rest by address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from recorder.directory import free_name, name_of
from recorder.taps import Seen
from wiretape.config import Address
from wiretape.options import address
from wiretape.protocols import RAW

_BY_HOST = ("http", RAW)


def name_found(seen: Seen) -> None:
    """Rename the targets that local capture found, throughout."""
    local = sorted(target for target, opening in seen.found.items() if opening.via == "local")
    taken = {*seen.facts, *(one.target for one in seen.outbound)} - set(local)
    names: dict[str, str] = {}
    for target in local:
        at = address(seen.found[target].upstream)
        names[target] = free_name(_wanted(target, at, seen), at, taken)
        taken.add(names[target])
    _rename(seen, names)


def _wanted(target: str, at: Address, seen: Seen) -> str:
    protocol = str(seen.facts.get(target, {}).get("protocol", RAW))
    if protocol not in _BY_HOST:
        return protocol
    host = seen.hosts.get(target)
    return name_of(replace(at, host=host)) if host else target


def _rename(seen: Seen, names: Mapping[str, str]) -> None:
    seen.outbound[:] = [replace(one, target=names.get(one.target, one.target)) for one in seen.outbound]
    for loss in seen.losses:
        loss.target = names.get(loss.target, loss.target)
    _rename_keys(seen.facts, names)
    _rename_keys(seen.codecs, names)
    _rename_keys(seen.spoken, names)
    _rename_keys(seen.found, names)
    seen.raw = {names.get(target, target) for target in seen.raw}


def _rename_keys[T](table: dict[str, T], names: Mapping[str, str]) -> None:
    renamed = {names.get(name, name): value for name, value in table.items()}
    table.clear()
    table.update(renamed)
