"""Fuzzes a codec; run by hand: `python tests/laws/fuzz.py CODEC [--minutes 10] [--seed N]`.

Golden transcripts are mutated; what reaches new lines of `wiretape/`, or makes the codec say something new, is mutated
further. A broken law is minimised and written to fixtures/fuzz/CODEC; a small corpus that reaches every line reached is kept
there. Exit code 1 where something was found.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import CodeType

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.laws import corpus, transcripts  # noqa: E402
from tests.laws.mutate import Connection, Mutator, shortened  # noqa: E402
from tests.laws.ordeal import Failure, Outcome, bear  # noqa: E402
from wiretape.protocols import CODECS  # noqa: E402
from wiretape.protocols import codec as codec_called  # noqa: E402

KEPT_BYTES = 150_000  # of the corpus, written out
HEAVY_KIB = 64 << 10  # growth of the process after which an input is measured exactly
TOOL = sys.monitoring.COVERAGE_ID

type Line = tuple[CodeType, int]


class Lines:
    """Which lines of the product run. A line costs something only once, until `again()`."""

    def __init__(self) -> None:
        self.seen: set[Line] = set()
        sys.monitoring.use_tool_id(TOOL, "fuzz")
        sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)

    def _line(self, code: CodeType, line: int) -> object:
        if "/wiretape/" in code.co_filename:
            self.seen.add((code, line))
        return sys.monitoring.DISABLE

    def again(self) -> None:
        self.seen = set()
        sys.monitoring.restart_events()


class Fuzzer:
    """One run over one codec."""

    def __init__(self, codec: str, random: Random) -> None:
        self.codec = codec_called(codec)
        self.random = random
        self.golden = [shortened(one.chunks) for one in transcripts.of(codec)]
        kept = [shortened(one.chunks) for one in corpus.corpus(codec) + corpus.findings(codec)]
        self.pool: list[Connection] = [*self.golden, *kept]
        self.findings: dict[str, Path] = {}
        self.features: set[str] = set()
        self.mutator = Mutator(random, self.golden)
        self.lines = Lines()
        self.executions = 0

    def run(self, until: float, say: Callable[[str], None]) -> None:
        begun = told = time.monotonic()
        for seed in list(self.pool):
            self._try(seed, keep=False)
        while (now := time.monotonic()) < until:
            if now - told > 15:
                told = now
                say(self.state(now - begun))
            parent, other = self._pick(), self.random.choice(self.pool)
            self._try(self.mutator.mutate(parent, other), keep=True)
        say(self.state(time.monotonic() - begun))

    def state(self, seconds: float) -> str:
        rate = self.executions / max(seconds, 0.001)
        return (
            f"{self.codec.name}: {seconds:.0f} s, {self.executions} executions ({rate:.0f}/s), pool {len(self.pool)}, "
            f"{len(self.lines.seen)} lines, {len(self.features)} features, {len(self.findings)} findings"
        )

    def _pick(self) -> Connection:
        """A parent: golden, recently found, or any."""
        dice = self.random.random()
        if dice < 0.25:
            return self.random.choice(self.golden)
        if dice < 0.5:
            return self.random.choice(self.pool[-40:])
        return self.random.choice(self.pool)

    def _try(self, connection: Connection, *, keep: bool) -> None:
        lines = len(self.lines.seen)
        before = _peak(reset=True)
        split = Random(self.random.random()) if self.executions % 8 == 0 or not keep else None
        self.executions += 1
        try:
            outcome = bear(self.codec, connection, split=split)
            if _peak() - before > HEAVY_KIB:
                bear(self.codec, connection, measured=True)
        except Failure as failure:
            self._found(connection, failure)
            return
        if (len(self.lines.seen) > lines or not outcome.features <= self.features) and keep:
            self.pool.append(connection)
        self.features |= outcome.features

    def _found(self, connection: Connection, failure: Failure) -> None:
        if failure.signature in self.findings:
            return
        self.findings[failure.signature] = Path()

        def same(candidate: Connection) -> bool:
            return _fails(lambda: self._anyhow(candidate, failure.signature)) == failure.signature

        small = minimised(connection, same) if same(connection) else connection
        name = re.sub(r"[^a-z0-9]+", "-", failure.signature.lower()).strip("-")[:70]
        name = f"{name}-{hashlib.sha256(failure.signature.encode()).hexdigest()[:6]}"
        self.findings[failure.signature] = corpus.write_finding(self.codec.name, name, failure.signature, small)
        print(f"FOUND {failure}\n  {self.findings[failure.signature].relative_to(ROOT)}", flush=True)

    def _anyhow(self, connection: Connection, signature: str) -> Outcome:
        """The ordeal with what the signature needs: several splits, or memory measured."""
        if "split" in signature:
            for seed in range(12):
                bear(self.codec, connection, split=Random(seed))
        return bear(self.codec, connection, measured="memory" in signature)

    def small_corpus(self) -> list[Connection]:
        """Connections, small ones, that together reach every line the pool does and the golden transcripts do not."""
        base: set[Line] = set().union(*(self._reach(one) for one in self.golden))
        reached = [(one, self._reach(one) - base) for one in self.pool[len(self.golden) :]]
        missing: set[Line] = set().union(*(lines for _, lines in reached)) if reached else set()
        chosen: list[Connection] = []
        size = 0
        while missing and reached:
            one, lines = max(reached, key=lambda each: (len(each[1] & missing), -_size(each[0])))
            wanted = lines & missing
            if not wanted:
                break
            small = minimised(one, lambda candidate, wanted=wanted: wanted <= self._reach(candidate))  # type: ignore[misc]
            missing -= self._reach(small)
            if size + len(corpus.text(small)) < KEPT_BYTES:
                size += len(corpus.text(small))
                chosen.append(small)
            missing -= wanted
        return chosen

    def _reach(self, connection: Connection) -> set[Line]:
        self.lines.again()
        _fails(lambda: bear(self.codec, connection))
        return self.lines.seen


def _fails(attempt: Callable[[], object]) -> str:
    """The signature of the Failure, or nothing."""
    try:
        attempt()
    except Failure as failure:
        return failure.signature
    return ""


def _size(connection: Sequence[transcripts.Chunk]) -> int:
    return sum(len(data) for _, data in connection)


def minimised(connection: Connection, good: Callable[[Connection], bool]) -> Connection:
    """A smaller connection that is still `good`: without chunks, then without pieces of chunks. Bounded in attempts."""
    attempts = 400
    step = max(len(connection) // 2, 1)
    while step and attempts > 0:
        at = 0
        while at < len(connection) and attempts > 0:
            candidate = connection[:at] + connection[at + step :]
            attempts -= 1
            if candidate and good(candidate):
                connection = candidate
            else:
                at += step
        step //= 2
    for number in range(len(connection)):
        side, data = connection[number]
        piece = len(data) // 2
        while piece and attempts > 0:
            at = 0
            while at < len(data) and attempts > 0:
                less = data[:at] + data[at + piece :]
                attempts -= 1
                if good((*connection[:number], (side, less), *connection[number + 1 :])):
                    data = less
                else:
                    at += piece
            piece //= 2
        connection = (*connection[:number], (side, data), *connection[number + 1 :])
    return tuple(chunk for chunk in connection if chunk[1])


def _peak(*, reset: bool = False) -> int:
    """The process's peak resident size in KiB, since the last reset; 0 where the system does not say."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        return int(Path("/proc/self/status").read_text().split("VmHWM:", 1)[1].split()[0])
    except (OSError, IndexError):
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("codec", choices=list(CODECS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-corpus", action="store_true", help="leave the kept corpus as it is")
    options = parser.parse_args()
    fuzzer = Fuzzer(options.codec, Random(options.seed))
    fuzzer.run(time.monotonic() + options.minutes * 60, lambda line: print(line, flush=True))
    if not options.no_corpus:
        kept = fuzzer.small_corpus()
        path = corpus.write_corpus(options.codec, kept)
        print(f"{path.relative_to(ROOT)}: {len(kept)} connections, {path.stat().st_size} bytes")
    return 1 if fuzzer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
