"""Which request caused which call, under load: how much is claimed, how much of it is right, what recording again brings.

    python benchmarks/attribution.py [--requests N] [--level N]... [--ids N]... [--seeds N] [--write]

--write puts the tables into docs/attribution.md. Exits 1 if an aim of the page is not met, 2 if something could not run.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from attribution_truth import Load, Score, record, score
from attribution_whole import Whole, measure
from harness import ROOT, Unavailable, postgres

_PAGE = ROOT / "docs/attribution.md"
# Level -> the least share of claimed calls that must be right, and the largest share of ambiguous cases with distinct and with
# colliding ids. At 64 no share of ambiguous cases is aimed at.
_AIMS = {1: (1.0, 0.0, 0.0), 4: (0.995, 0.04, 0.2), 16: (0.995, 0.04, 0.2), 64: (0.99, 1.0, 1.0)}
_HARD = 16  # requests in flight from which several seeds are measured, and the whole program
_DISTINCT, _COLLIDING = 2000, 20
_WAYS = (("pool", False, True), ("connection", False, True), ("pool", True, True), ("pool", True, False))


def way(load: Load) -> str:
    return ", ".join(
        [
            "pool of 8" if load.mode == "pool" else "a connection per query",
            *(["a poller every 20 ms"] if load.background else []),
            *([] if load.alone else ["no request ever alone"]),
        ]
    )


def scores(url: str, load: Load, count: int, seeds: Sequence[int]) -> Iterator[Score]:
    """One for each seed."""
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="wiretape-bench-") as folder:
            yield score(record(url, replace(load, seed=seed), count, Path(folder)))


def loads(levels: Sequence[int], ids: Sequence[int]) -> Iterator[Load]:
    for many in ids:
        for mode, background, alone in _WAYS:
            for level in levels:
                yield Load(level=level, ids=many, mode=mode, background=background, alone=alone)


def line(load: Load, found: Sequence[Score]) -> str:
    claimed = sum(one.calls for one in found)
    right = sum(one.right * one.calls for one in found) / max(claimed, 1)
    ambiguous = [one.ambiguous for one in found]
    guessed = sum(one.guessed for one in found) / len(found)
    spread = f"{min(ambiguous):.1%} to {max(ambiguous):.1%}" if max(ambiguous) > min(ambiguous) else f"{ambiguous[0]:.1%}"
    return (
        f"| {load.level} | 1 to {load.ids} | {way(load)} | {claimed:,} | {right:.2%} | {min(one.exact for one in found):.2%} "
        f"| {spread} | {guessed:.1%} |"
    )


def met(load: Load, found: Sequence[Score]) -> bool:
    right, distinct, colliding = _AIMS.get(load.level, (0.99, 1.0, 1.0))
    claimed = sum(one.calls for one in found)
    share = sum(one.right * one.calls for one in found) / max(claimed, 1)
    return share >= right and max(one.ambiguous for one in found) <= (colliding if load.ids == _COLLIDING else distinct)


def whole_line(level: int, ids: int, found: Whole) -> str:
    return (
        f"| {level} | 1 to {ids} | {found.cases} | {found.ambiguous} | {found.again} | {found.serialized} "
        f"| {found.false_alarms} in {found.replays} replays |"
    )


def written(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with the lines of the table after `<!-- NAME -->` replaced."""
    table = re.compile(rf"(<!-- {name} -->\n\|[^\n]*\n\|[^\n]*\n)(?:\|[^\n]*\n)*")
    if not table.search(page):
        raise Unavailable(f"{_PAGE} has no table {name}")
    return table.sub(lambda at: at[1] + "".join(f"{one}\n" for one in lines), page)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure attribution.")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--level", type=int, action="append")
    parser.add_argument("--ids", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=3, help="recordings for each line, where many requests are in flight")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    levels, ids = args.level or list(_AIMS), args.ids or [_DISTINCT, _COLLIDING]
    lines: list[str] = []
    wholes: list[str] = []
    fine = True

    def say(into: list[str], text: str) -> None:
        into.append(text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        with postgres() as url:
            for load in loads(levels, ids):
                seeds = range(1, 1 + (args.seeds if load.level >= _HARD else 1))
                found = list(scores(url, load, args.requests, seeds))
                fine = fine and met(load, found)
                say(lines, line(load, found))
        for level, many in ((level, many) for many in ids for level in levels if level >= _HARD):
            whole = measure(Load(level=level, ids=many), args.requests, replays=5)
            fine = fine and not (whole.again or whole.serialized or whole.false_alarms)
            say(wholes, whole_line(level, many, whole))
        if args.write:
            page = written(written(_PAGE.read_text(encoding="utf-8"), "claimed", lines), "again", wholes)
            _PAGE.write_text(page, encoding="utf-8")
    except Unavailable as error:
        sys.stderr.write(f"not run: {error}\n")
        sys.exit(2)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
