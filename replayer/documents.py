"""HTML and XML documents compared by their elements: structure, attributes and texts, each difference at its place. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from replayer import trees
from replayer.align import align
from replayer.events import Change
from replayer.trees import Comparison
from wiretape.body import markup
from wiretape.body.markup import Element
from wiretape.tree import Path, Tree, same


def compare(path: Path, recorded: Element, live: Element, by: Comparison) -> Iterator[Change]:
    """The differences of two elements of the same name, `path` being theirs."""
    yield from _attributes(path, recorded[1], live[1], by)
    if same(recorded[2:], live[2:]):
        return
    left, right = markup.children(recorded), markup.children(live)
    mine, theirs = [child for _, child in left], [child for _, child in right]
    stood = by.bindings.stand(mine)
    shared = trees.strings(stood) & trees.strings(theirs)
    for was, now in align(stood, theirs, lambda item: trees.canonical(item, shared)):
        here = left[was] if was is not None else None
        there = right[now] if now is not None else None
        yield from _child(path, here, there, by, alone=markup.is_text_only(recorded))


def _attributes(path: Path, recorded: Tree, live: Tree, by: Comparison) -> Iterator[Change]:
    was = recorded if isinstance(recorded, dict) else {}
    now = live if isinstance(live, dict) else {}
    for name in dict.fromkeys([*was, *now]):
        place = (*path, f"@{name}")
        if name in was and name in now:
            yield from trees.values(place, was[name], now[name], by)
        else:
            yield from trees.one(place, was.get(name, trees.GONE), now.get(name, trees.GONE), by)


def _child(
    path: Path, recorded: tuple[Path, Tree] | None, live: tuple[Path, Tree] | None, by: Comparison, *, alone: bool
) -> Iterator[Change]:
    if recorded is None or live is None or not _comparable(recorded[1], live[1]):
        if recorded is not None:
            yield from trees.one((*path, *recorded[0]), _shown(recorded[1]), trees.GONE, by)
        if live is not None:
            yield from trees.one((*path, *live[0]), trees.GONE, _shown(live[1]), by)
        return
    steps, was = recorded
    now = live[1]
    if isinstance(was, list) and isinstance(now, list):
        yield from compare((*path, *steps), was, now, by)
    else:
        yield from trees.values(path if alone else (*path, *steps), was, now, by)


def _comparable(left: Tree, right: Tree) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return left[0] == right[0]
    return isinstance(left, str) and isinstance(right, str)


def _shown(child: Tree) -> Tree:
    return markup.write(child) if isinstance(child, list) else child
