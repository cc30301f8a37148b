"""Matching: calls of one kind against the requests that still lack calls of that kind."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping


def assign(
    candidates: Mapping[int, tuple[int, ...]], lacking: Mapping[int, int | None], contents: Mapping[int, Hashable]
) -> dict[int, int]:
    """Which request each call must belong to, where that follows.

    It follows within a group of calls and requests connected by candidacy if the calls are just as many as the requests lack:
    then every call has its place. A request is decided where only calls of equal `contents` can be its own.
    """
    decided: dict[int, int] = {}
    for calls, windows in _groups(candidates):
        room = {window: lacking[window] for window in windows}
        if None in room.values() or sum(filter(None, room.values())) != len(calls):
            continue
        group = {call: candidates[call] for call in calls}
        placed = _match(group, {window: free or 0 for window, free in room.items()})
        if placed is not None:
            decided |= _certain(group, placed, contents)
    return decided


def _groups(candidates: Mapping[int, tuple[int, ...]]) -> Iterator[tuple[list[int], set[int]]]:
    """The connected parts of the graph."""
    of_window: dict[int, list[int]] = defaultdict(list)
    for call, windows in candidates.items():
        for window in windows:
            of_window[window].append(call)
    left = set(candidates)
    while left:
        calls: list[int] = []
        reached: set[int] = set()
        queue = [left.pop()]
        while queue:
            call = queue.pop()
            calls.append(call)
            for window in candidates[call]:
                if window not in reached:
                    reached.add(window)
                    queue += [other for other in of_window[window] if other in left]
                    left.difference_update(of_window[window])
        yield sorted(calls), reached


def _match(candidates: Mapping[int, tuple[int, ...]], room: Mapping[int, int]) -> dict[int, int] | None:
    """Every call at a request that has room for it, or None where that is impossible (augmenting paths, breadth first)."""
    placed: dict[int, int] = {}
    held: dict[int, set[int]] = {window: set() for window in room}
    for call in candidates:
        came: dict[int, int] = {}  # window -> the call that would move there
        queue = deque((call,))
        free = -1
        while queue and free < 0:
            mover = queue.popleft()
            for window in candidates[mover]:
                if window in came:
                    continue
                came[window] = mover
                if len(held[window]) < room[window]:
                    free = window
                    break
                queue.extend(held[window])
        if free < 0:
            return None
        while True:
            mover = came[free]
            before = placed.get(mover)
            held[free].add(mover)
            placed[mover] = free
            if before is None:
                break
            held[before].discard(mover)
            free = before
    return placed


def _certain(
    candidates: Mapping[int, tuple[int, ...]], placed: Mapping[int, int], contents: Mapping[int, Hashable]
) -> dict[int, int]:
    """The calls whose request holds the same contents in every matching: moving along a circle of moves gives another one."""
    moves: dict[int, set[int]] = defaultdict(set)
    for call, window in placed.items():
        moves[window].update(other for other in candidates[call] if other != window)
    circle = _circles(set(placed.values()), moves)
    possible: dict[int, set[Hashable]] = defaultdict(set)
    for call, window in placed.items():
        for other in candidates[call]:
            if other == window or circle.get(other) == circle[window]:
                possible[other].add(contents[call])
    return {call: window for call, window in placed.items() if len(possible[window]) == 1}


def _circles(nodes: Iterable[int], edges: Mapping[int, set[int]]) -> dict[int, int]:
    """A number for each strongly connected component (Kosaraju)."""
    order: list[int] = []
    seen: set[int] = set()
    for node in nodes:
        _visit(node, edges, seen, order)
    backwards: dict[int, set[int]] = defaultdict(set)
    for node, to in edges.items():
        for other in to:
            backwards[other].add(node)
    component: dict[int, int] = {}
    seen = set()
    for number, node in enumerate(reversed(order)):
        reached: list[int] = []
        _visit(node, backwards, seen, reached)
        component.update(dict.fromkeys(reached, number))
    return component


def _visit(start: int, edges: Mapping[int, set[int]], seen: set[int], out: list[int]) -> None:
    """Depth first from `start`; nodes are added to `out` as they are left."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(edges.get(start, ())))]
    while stack:
        node, further = stack[-1]
        step = next((other for other in further if other not in seen), None)
        if step is None:
            stack.pop()
            out.append(node)
        else:
            seen.add(step)
            stack.append((step, iter(edges.get(step, ()))))
