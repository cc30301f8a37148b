"""One-step falsifications of a recorded response: what a regression might do to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from normalizers.pipeline import volatile_header
from wiretape.case import Body, Response
from wiretape.tree import Path, Tree, same, spell, walk

# Of a long list of equal things more says nothing new.
_MOST: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`path` is a selector within the case, `what` was done there."""

    path: str
    what: str


def of_response(response: Response) -> Iterator[tuple[Mutation, Response]]:
    """Every mutation of a response, with the response it makes."""
    other = 500 if response.status < 500 else 200
    yield Mutation(path="response.status", what=f"{response.status} becomes {other}"), replace(response, status=other)
    yield from _headers(response)
    lists = _lists(response.body.value) if response.body.kind == "json" else iter(())
    for count, (path, what, value) in enumerate((*_trees(response.body.value), *lists)):
        if count == _MOST:
            break
        body = _with(response.body, value)
        yield Mutation(path=spell(("response", "body", *path)), what=what), replace(response, body=body)


def _with(body: Body, value: Tree) -> Body:
    """`raw` holds the recorded bytes, which no longer mean the value."""
    return replace(body, value=value, raw=b"")


def _headers(response: Response) -> Iterator[tuple[Mutation, Response]]:
    for at, (name, value) in enumerate(response.headers):
        if volatile_header(name) or name.lower() in ("content-type", "content-encoding"):
            continue  # what a body is read by: another type is another body
        path = spell(("response", "headers", name))
        gone = (*response.headers[:at], *response.headers[at + 1 :])
        yield Mutation(path=path, what="is removed"), replace(response, headers=gone)
        changed = (*response.headers[:at], (name, f"{value}~"), *response.headers[at + 1 :])
        yield Mutation(path=path, what="is changed"), replace(response, headers=changed)


def _trees(tree: Tree) -> Iterator[tuple[Path, str, Tree]]:
    """Every way to falsify one thing in a tree: the place, what was done, and the whole tree with it."""
    if tree is None:
        return
    if isinstance(tree, dict):
        yield (), "gains a field", {**tree, "wiretape_audit": 1}
    for path, value in walk(tree):
        if isinstance(value, dict | list):
            continue
        yield path, "is changed", _put(tree, path, changed(value))
        yield path, "is retyped", _put(tree, path, retyped(value))
        if path:
            yield path, "is removed", _put(tree, path, _GONE)


def _lists(tree: Tree) -> Iterator[tuple[Path, str, Tree]]:
    """The lists of a JSON tree, each in another order, and without its last item."""
    for path, value in walk(tree):
        if isinstance(value, list) and value:
            if not same(value, value[::-1]):
                yield path, "is put in another order", _put(tree, path, value[::-1])
            yield path, "loses its last item", _put(tree, path, value[:-1])


_GONE: Final = object()


def _put(tree: Tree, path: Path, value: object) -> Tree:
    if not path:
        return value  # type: ignore[return-value]  # only what stands within a container is removed
    step, *rest = path
    if isinstance(tree, dict):
        entries = {key: _put(item, tuple(rest), value) if key == step else item for key, item in tree.items()}
        return {key: item for key, item in entries.items() if item is not _GONE}
    assert isinstance(tree, list)
    items = [_put(item, tuple(rest), value) if at == step else item for at, item in enumerate(tree)]
    return [item for item in items if item is not _GONE]


def changed(value: Tree) -> Tree:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, bytes):
        return value + b"~"
    return "wiretape" if value is None else f"{value}~"


def retyped(value: Tree) -> Tree:
    """A value of another type."""
    if isinstance(value, bool) or value is None:
        return "wiretape"
    if isinstance(value, int | float):
        return str(value)
    return 0
