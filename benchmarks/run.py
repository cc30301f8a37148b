"""Runs every benchmark and prints one table: what wiretape does, against what, and the ratio aimed at.

    python benchmarks/run.py [--rounds N] [--seconds S] [NAME...]

Exits 1 if an aim is not met, 2 if a benchmark could not run.
"""

from __future__ import annotations

import argparse
import sys

import cases_per_second
import database_recording
import help_time
import http_recording
import mock_queries
import mock_redis
import parallel_replay
from harness import Result, Unavailable, table

BENCHMARKS = {
    "help": help_time.measure,
    "http": http_recording.measure,
    "database": database_recording.measure,
    "mock": mock_queries.measure,
    "redis": mock_redis.measure,
    "cases": cases_per_second.measure,
    "parallel": parallel_replay.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure wiretape.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all if none is given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="how long each contender runs in each round")
    args = parser.parse_args()
    if unknown := set(args.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    results: list[Result] = []
    failed = False
    for name in args.names or BENCHMARKS:
        try:
            results += BENCHMARKS[name](args.rounds, args.seconds)
        except Unavailable as error:
            failed = True
            sys.stderr.write(f"bench {name}: NOT RUN: {error}\n")
    if results:
        sys.stdout.write(table(results) + "\n")
    if failed:
        sys.exit(2)
    sys.exit(not all(result.met for result in results))


if __name__ == "__main__":
    main()
