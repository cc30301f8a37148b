"""Responses compared by meaning: status, headers, body. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from normalizers.base import Normalizer, When
from normalizers.pipeline import NORMALIZERS, volatile_header
from replayer.align import align
from replayer.bindings import Bindings
from replayer.events import Change
from replayer.noise import Rules
from replayer.received import Received
from wiretape import body as bodies
from wiretape.case import Headers, Response
from wiretape.tree import Path, Tree, kind, same, spell, walk

_GONE = object()
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What comparing needs besides the two responses."""

    bindings: Bindings
    rules: Rules
    when: When


def compare(recorded: Response, live: Received, by: Comparison) -> tuple[Change, ...]:
    """Every difference: status, headers, body, trailers. Fresh ids of the body are bound before headers are read."""
    body = list(_body(recorded, live, by))
    status = list(_values(("response", "status"), recorded.status, live.status, by))
    headers = _headers(("response", "headers"), recorded.headers, live.headers, by)
    trailers = _headers(("response", "trailers"), recorded.trailers, live.trailers, by)
    return (*status, *headers, *body, *trailers)


def tree_of(headers: Headers, body: Tree, status: int, trailers: Headers) -> dict[str, Tree]:
    """A response as the tree that selectors speak of."""
    tree: dict[str, Tree] = {"status": status, "headers": _gathered(headers), "body": body}
    return tree | ({"trailers": _gathered(trailers)} if trailers else {})


def meaning(data: bytes, headers: Headers) -> Tree:
    """What a body says; a form whose names are all different is a mapping, as in the case's file."""
    value = bodies.meaning(data, headers)
    if isinstance(value, list) and bodies.media_type(headers) == _FORM:
        pairs = [(str(pair[0]), pair[1]) for pair in value if isinstance(pair, list)]
        if len(dict(pairs)) == len(pairs):
            return dict(pairs)
    return value


def recorded_tree(response: Response) -> dict[str, Tree]:
    """The recorded response as the tree that selectors speak of."""
    body = meaning(bodies.write(response.body, response.headers), response.headers)
    return tree_of(response.headers, body, response.status, response.trailers)


def live_tree(response: Received) -> dict[str, Tree]:
    """The live response as the tree that selectors speak of."""
    return tree_of(response.headers, meaning(response.body, response.headers), response.status, response.trailers)


def _body(recorded: Response, live: Received, by: Comparison) -> Iterator[Change]:
    was = bodies.write(recorded.body, recorded.headers)
    path: Path = ("response", "body")
    left, right = meaning(was, recorded.headers), meaning(live.body, live.headers)
    if left is None and right is not None and not same(left, right):
        yield from _one(path, _GONE, right, by) if not was else _values(path, left, right, by)
    elif right is None and left is not None and not live.body:
        yield from _one(path, left, _GONE, by)
    else:
        yield from _values(path, left, right, by)


# Headers


def _gathered(headers: Headers) -> dict[str, Tree]:
    """Name, as first written -> value, or the list of values where the name repeats."""
    names: dict[str, str] = {}
    found: dict[str, list[Tree]] = {}
    for name, value in headers:
        found.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _headers(path: Path, recorded: Headers, live: Headers, by: Comparison) -> Iterator[Change]:
    left = {name.lower(): (name, value) for name, value in _gathered(recorded).items()}
    right = {name.lower(): (name, value) for name, value in _gathered(live).items()}
    for name in dict.fromkeys([*left, *right]):
        if volatile_header(name):
            continue
        mine, theirs = left.get(name), right.get(name)
        spelled = (mine or theirs or (name, None))[0]
        place = (*path, spelled)
        if name == "set-cookie":
            yield from _cookies(place, mine[1] if mine else _GONE, theirs[1] if theirs else _GONE, by)
        elif mine and theirs:
            yield from _values(place, _header_value(name, mine[1]), _header_value(name, theirs[1]), by)
        else:
            yield from _one(place, mine[1] if mine else _GONE, theirs[1] if theirs else _GONE, by)


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
            yield from _one(place, mine.whole if mine else _GONE, theirs.whole if theirs else _GONE, by, f"cookie {name}")
            continue
        reasons = list(_cookie_reasons(mine, theirs, by))
        if reasons and not _allowed(mine.place, theirs.whole, by.rules):
            yield Change(
                path=spell(mine.place),
                kind="changed",
                recorded=mine.whole,
                live=theirs.whole,
                reason=f"cookie {name}: {', '.join(reasons)}",
            )


def _by_name(path: Path, value: object) -> dict[str, _Cookie]:
    items = value if isinstance(value, list) else [] if value is _GONE else [value]
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
    if not by.bindings.meet(mine.value, theirs.value, by.when) and not _allowed(mine.place, theirs.value, by.rules):
        yield "value"
    for name in dict.fromkeys([*mine.attributes, *theirs.attributes]):
        was, now = mine.attributes.get(name), theirs.attributes.get(name)
        if was is None or now is None:
            yield f"attribute {name} {'added' if was is None else 'removed'}"
        elif was.lower() != now.lower() and not by.bindings.meet(was, now, by.when):
            yield f"attribute {name} was {was!r}, is {now!r}"


# Trees


def _values(path: Path, recorded: Tree, live: Tree, by: Comparison) -> Iterator[Change]:
    if _agree(path, recorded, live, by):
        return
    if isinstance(recorded, dict) and isinstance(live, dict):
        yield from _objects(path, recorded, live, by)
    elif isinstance(recorded, list) and isinstance(live, list):
        yield from _arrays(path, recorded, live, by)
    else:
        yield from _one(path, recorded, live, by)


def _objects(path: Path, recorded: dict[str, Tree], live: dict[str, Tree], by: Comparison) -> Iterator[Change]:
    for key, value in recorded.items():
        if key in live:
            yield from _values((*path, key), value, live[key], by)
        else:
            yield from _one((*path, key), value, _GONE, by)
    for key, value in live.items():
        if key not in recorded:
            yield from _one((*path, key), _GONE, value, by)


def _arrays(path: Path, recorded: list[Tree], live: list[Tree], by: Comparison) -> Iterator[Change]:
    stood = by.bindings.stand(recorded)
    shared = _strings(stood) & _strings(live)
    for mine, theirs in align(stood, live, lambda item: _canonical(item, shared)):
        if mine is None:
            assert theirs is not None
            yield from _one((*path, theirs), _GONE, live[theirs], by)
        elif theirs is None:
            yield from _one((*path, mine), recorded[mine], _GONE, by)
        else:
            yield from _values((*path, mine), recorded[mine], live[theirs], by)


def _strings(tree: Tree) -> set[str]:
    return {value for _, value in walk(tree) if isinstance(value, str)}


def _canonical(value: Tree, shared: Set[str]) -> str:
    """Text that is equal for values which may mean the same: a volatile one that only one side has is only its kind."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{_canonical(value[key], shared)}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item, shared) for item in value) + "]"
    if isinstance(value, str) and value not in shared:
        found = next((each.name for each in NORMALIZERS.values() if each.unasked and each.recognises(value)), None)
        return f"<{found}>" if found else repr(value)
    return f"{kind(value)} {value!r}"


def _agree(path: Path, recorded: Tree, live: Tree, by: Comparison) -> bool:
    """Whether nothing differs from here on down; nothing is bound if something does."""
    if same(recorded, live):
        return True
    mark = by.bindings.mark()
    if _agrees(path, recorded, live, by):
        return True
    by.bindings.undo(mark)
    return False


def _agrees(path: Path, recorded: Tree, live: Tree, by: Comparison) -> bool:
    if isinstance(recorded, dict) and isinstance(live, dict):
        fits = recorded.keys() == live.keys() and all(
            _agrees((*path, key), value, live[key], by) for key, value in recorded.items()
        )
    elif isinstance(recorded, list) and isinstance(live, list):
        pairs = enumerate(zip(recorded, live, strict=False))
        fits = len(recorded) == len(live) and all(_agrees((*path, at), *pair, by) for at, pair in pairs)
    else:
        fits = same(recorded, live) or by.bindings.meet(recorded, live, by.when)
    return fits or _allowed(path, live, by.rules)


def _allowed(path: Path, live: Tree, rules: Rules) -> bool:
    return any(each.recognises(live) for each in rules.at(path))


def _one(path: Path, recorded: object, live: object, by: Comparison, reason: str = "") -> Iterator[Change]:
    """The change at one place, unless a noise rule allows it."""
    kinds = list(by.rules.at(path))
    if live is _GONE:
        if not any(each.name == "any" for each in kinds):
            yield Change(path=spell(path), kind="removed", recorded=recorded, reason=reason)  # type: ignore[arg-type]
    elif not any(each.recognises(live) for each in kinds):  # type: ignore[arg-type]
        yield _change(path, recorded, live, kinds, reason)  # type: ignore[arg-type]


def _change(path: Path, recorded: Tree, live: Tree, kinds: Sequence[Normalizer], reason: str) -> Change:
    if kinds and not reason:
        reason = f"no longer {_a(kinds[0].name)}"
    if recorded is _GONE:
        return Change(path=spell(path), kind="added", live=live, reason=reason if not kinds else f"not {_a(kinds[0].name)}")
    retyped = kind(recorded) != kind(live)
    return Change(path=spell(path), kind="retyped" if retyped else "changed", recorded=recorded, live=live, reason=reason)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"
