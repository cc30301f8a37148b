"""Headers and trailers compared by meaning: volatile ones left aside, cookies by their parts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from normalizers.pipeline import volatile_header
from replayer import trees
from replayer.events import Change
from replayer.trees import Comparison
from wiretape.case import Headers
from wiretape.tree import Path, Tree, spell


def gathered(headers: Headers) -> dict[str, Tree]:
    """Name, as first written -> value, or the list of values where the name repeats."""
    names: dict[str, str] = {}
    found: dict[str, list[Tree]] = {}
    for name, value in headers:
        found.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def headers(path: Path, recorded: Headers, live: Headers, by: Comparison) -> Iterator[Change]:
    """The differences of two lists of headers; the case of names means nothing."""
    left = {name.lower(): (name, value) for name, value in gathered(recorded).items()}
    right = {name.lower(): (name, value) for name, value in gathered(live).items()}
    for name in dict.fromkeys([*left, *right]):
        if volatile_header(name):
            continue
        mine, theirs = left.get(name), right.get(name)
        spelled = (mine or theirs or (name, None))[0]
        place = (*path, spelled)
        if name == "set-cookie":
            yield from _cookies(place, mine[1] if mine else trees.GONE, theirs[1] if theirs else trees.GONE, by)
        elif mine and theirs:
            yield from trees.values(place, _header_value(name, mine[1]), _header_value(name, theirs[1]), by)
        else:
            yield from trees.one(place, mine[1] if mine else trees.GONE, theirs[1] if theirs else trees.GONE, by)


def _header_value(name: str, value: Tree) -> Tree:
    """Spaces around the parameters of a media type and the case of its words mean nothing."""
    if name == "content-type" and isinstance(value, str):
        kind_, *parameters = [part.strip() for part in value.split(";")]
        return "; ".join([kind_.lower(), *(_lower_name(parameter) for parameter in parameters if parameter)])
    return value


def _lower_name(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    return f"{name.strip().lower()}={value.strip().lower() if name.strip().lower() == 'charset' else value.strip()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cookie:
    """One Set-Cookie header, and the place of it in the case's file."""

    place: Path
    whole: str
    value: str
    attributes: Mapping[str, str]


def _cookies(path: Path, recorded: object, live: object, by: Comparison) -> Iterator[Change]:
    left, right = _by_name(path, recorded), _by_name(path, live)
    for name in dict.fromkeys([*left, *right]):
        mine, theirs = left.get(name), right.get(name)
        if mine is None or theirs is None:
            cookie = mine or theirs
            assert cookie is not None
            place = cookie.place if mine else path
            yield from trees.one(
                place, mine.whole if mine else trees.GONE, theirs.whole if theirs else trees.GONE, by, f"cookie {name}"
            )
            continue
        reasons = list(_cookie_reasons(mine, theirs, by))
        if reasons and not by.rules.allow(mine.place, mine.whole, theirs.whole):
            yield Change(
                path=spell(mine.place),
                kind="changed",
                recorded=mine.whole,
                live=theirs.whole,
                reason=f"cookie {name}: {', '.join(reasons)}",
            )


def _by_name(path: Path, value: object) -> dict[str, _Cookie]:
    items = value if isinstance(value, list) else [] if value is trees.GONE else [value]
    cookies: dict[str, _Cookie] = {}
    for at, item in enumerate(items):
        first, *rest = str(item).split(";")
        name, _, content = first.partition("=")
        attributes = {
            key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in rest) if key.strip()
        }
        cookies[name.strip()] = _Cookie(
            place=(*path, at) if isinstance(value, list) else path,
            whole=str(item),
            value=content.strip(),
            attributes=attributes,
        )
    return cookies


def _cookie_reasons(mine: _Cookie, theirs: _Cookie, by: Comparison) -> Iterator[str]:
    if not by.bindings.meet(mine.value, theirs.value, by.when) and not by.rules.allow(mine.place, mine.value, theirs.value):
        yield "value"
    for name in dict.fromkeys([*mine.attributes, *theirs.attributes]):
        was, now = mine.attributes.get(name), theirs.attributes.get(name)
        if was is None or now is None:
            yield f"attribute {name} {'added' if was is None else 'removed'}"
        elif was.lower() != now.lower() and not by.bindings.meet(was, now, by.when):
            yield f"attribute {name} was {was!r}, is {now!r}"
