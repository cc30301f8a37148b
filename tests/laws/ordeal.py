"""What a codec must bear of one connection's bytes, however broken: the law of the fuzzer and of everything it has found.

The tap gives interactions or DecodeError, the responder bytes; what came out can be asked, checked, merged and served; any
other split of the bytes reads the same; all of it in bounded time and memory.
"""

from __future__ import annotations

import signal
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType, TracebackType

from tests.laws.book import Book, calls
from tests.laws.test_codec_laws import cut, recording
from tests.laws.transcripts import Chunk
from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols import codec as codec_called
from wiretape.protocols.base import Ask, Codec, Interaction, Miss, Responder, Side, Waiting
from wiretape.tree import Tree

ROOT = Path(__file__).parents[2]
FEED_SECONDS = 2.0  # of processor time, for one chunk
HANG_SECONDS = 10.0  # of processor time, for the whole input
SPARE_BYTES = 48 << 20  # what any input may take, whatever its size
BYTES_PER_BYTE = 600  # what a byte of input may take beyond that
TIMED_OUT = 40  # asks that block, answered by their time limit before the client is taken to be looping


class Failure(AssertionError):
    """A law was broken. `signature` is the same for the same fault."""

    def __init__(self, signature: str, reason: str) -> None:
        super().__init__(f"{signature}: {reason}")
        self.signature = signature


class Hang(BaseException):
    """The input takes too long; not an Exception, so that nothing on the way swallows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an input led to: words that tell one kind of behaviour from another."""

    features: frozenset[str]


class Waits(Book):
    """A prepared book that lets an ask that blocks wait where it has no answer."""

    def __init__(self, prepared: Book) -> None:
        self._by_shape, self._used, self.misses, self.memory = prepared._by_shape, set(), [], {}

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        answer = super().take(ask)
        return Waiting() if isinstance(answer, Miss) and ask.blocks is not None else answer


@cache
def prepared(name: str) -> tuple[Book, list[Call], Mapping[str, Tree]]:
    codec = codec_called(name)
    recorded, facts = recording(name)
    pushes = [call for call in recorded if codec.ask(call).role == "push"]
    return Book(codec, recorded), pushes[:3], facts


def bear(codec: Codec, chunks: Sequence[Chunk], *, split: Random | None = None, measured: bool = False) -> Outcome:
    """Put the codec to the ordeal. With `split`, other splits are compared; with `measured`, memory is. Raises Failure."""
    if measured:
        with _memory(sum(len(data) for _, data in chunks)):
            return bear(codec, chunks, split=split)
    with _hang():
        found, error, facts = _tapped(codec, chunks)
        book, pushes, known = prepared(codec.name)
        features = {f"tap {_said(error)}" if error else "tap"}
        features |= {f"{one.role} {_said(one.incomplete)}" for one in found}
        features.add(_responded(codec, known, Waits(book), pushes, chunks))
        served = _judged(codec, found, facts)
        if served:
            with _law("its own recording"):
                own = Book(codec, served)
                merged = codec.merge_facts(known, facts)
            features.add("own " + _responded(codec, merged, Waits(own), pushes, chunks))
        if split is not None:
            _compare_splits(codec, chunks, (found, error), split)
    return Outcome(features=frozenset(features))


def _tapped(codec: Codec, chunks: Sequence[Chunk]) -> tuple[list[Interaction], str, Mapping[str, Tree]]:
    """What a tap makes of it: interactions, the DecodeError that ended it, facts."""
    tap, found, error = codec.tap(), list[Interaction](), ""
    for number, (side, data) in enumerate(chunks):
        try:
            with _law("tap.feed"), _quick("tap.feed"):
                found.extend(tap.feed(side, data, float(number)))
        except DecodeError as raised:
            error = str(raised)
            break
    with _law("tap.close"), _quick("tap.close"):
        found.extend(tap.close(float(len(chunks))))
    with _law("tap.facts"):
        facts = dict(tap.facts)
    return found, error, facts


def _judged(codec: Codec, found: list[Interaction], facts: Mapping[str, Tree]) -> list[Call]:
    """The calls that can be served; every whole interaction can be asked and checked."""
    served = []
    for call in calls(found):
        with _law("ask"), _quick("ask"):
            ask = codec.ask(call)
        if not isinstance(ask.shape, str) or len(ask.labels) > len(ask.values):
            raise Failure("ask is not sound", repr(ask)[:300])
        with _law("check"), _quick("check"):
            problems = codec.check(call) + codec.check(call, facts)
        if not problems:
            served.append(call)
    with _law("merge_facts"):
        codec.merge_facts({}, facts)
    return served


def _responded(codec: Codec, facts: Mapping[str, Tree], book: Waits, pushes: list[Call], chunks: Sequence[Chunk]) -> str:
    """Play the server to the client's bytes; a word for how that ended."""
    with _law("responder"):
        responder = codec.responder(facts, book, "main")
    _bytes(responder.greet, "responder.greet")
    for data in (data for side, data in chunks if side is Side.CLIENT):
        if responder.closed:
            break
        _bytes(lambda data=data: responder.receive(data), "responder.receive")  # type: ignore[misc]
        _settle(responder, pushes)
    return f"served {responder.closed} {min(len(book.misses), 3)}"


def _settle(responder: Responder, pushes: list[Call]) -> None:
    """What the transport does between two reads: upgrade, time limits, late answers, pushes."""
    if responder.upgrade:
        with _law("responder.upgraded"):
            responder.upgraded()
    for _ in range(TIMED_OUT):
        ask = responder.waiting
        if ask is None or responder.closed:
            break
        if responder.pause is not None:
            _bytes(responder.tick, "responder.tick")
        else:
            _bytes(lambda ask=ask: responder.resume(Miss(ask=ask)), "responder.resume")  # type: ignore[misc]
    if responder.waiting is None and responder.pause is not None and not responder.closed:
        _bytes(responder.tick, "responder.tick")  # a time limit that no ask waits for
    for call in pushes:
        with _law("responder.push"):
            given = responder.push(call)
        if given is not None and not isinstance(given, bytes):
            raise Failure("responder.push gives no bytes", repr(given)[:200])


def _bytes(produce: object, where: str) -> None:
    with _law(where), _quick(where):
        given = produce()  # type: ignore[operator]
    if not isinstance(given, bytes):
        raise Failure(f"{where} gives no bytes", repr(given)[:200])


def _compare_splits(codec: Codec, chunks: Sequence[Chunk], whole: tuple[list[Interaction], str], random: Random) -> None:
    """Another split of the same bytes reads the same, and fails where the whole does."""
    timed = [(side, data, float(number)) for number, (side, data) in enumerate(chunks)]
    size = sum(len(data) for _, data in chunks)
    places = [random.randrange(1, size) for _ in range(random.randrange(1, 60))] if size > 1 else []
    tap, found, error = codec.tap(), list[Interaction](), ""
    with _law("tap.feed of another split"):
        try:
            for side, data, at in cut(timed, places):
                found.extend(tap.feed(side, data, at))
        except DecodeError as raised:
            error = str(raised)
        found.extend(tap.close(float(len(chunks))))
    if bool(error) != bool(whole[1]):
        raise Failure("a split is refused or not", f"whole: {whole[1] or 'read'}; split at {sorted(places)}: {error or 'read'}")
    if repr(found) != repr(whole[0]):  # by what is written: NaN is not itself
        raise Failure("a split reads otherwise", f"split at {sorted(places)}: {found!r:.300} instead of {whole[0]!r:.300}")


def _said(text: str) -> str:
    """A message without what is particular about it."""
    return "".join(letter for letter in text[:60] if not letter.isdigit())


class _law:  # noqa: N801 - used like a function
    """Any exception but DecodeError from a tap's feed is a Failure that names its place."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, Failure) or (isinstance(error, DecodeError) and "tap.feed" in self._where):
            return
        if isinstance(error, Hang):
            raise Failure(f"{self._where} hangs in {_place(trace)}", f"over {HANG_SECONDS} s") from None
        if isinstance(error, Exception):
            raise Failure(f"{self._where} raises {type(error).__name__} in {_place(trace)}", str(error)[:300]) from error


def _place(trace: TracebackType | None) -> str:
    """The last function of the product in a traceback."""
    place = "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        if str(ROOT / "wiretape") in code.co_filename:
            place = f"{Path(code.co_filename).relative_to(ROOT)}:{code.co_name}"
        trace = trace.tb_next
    return place


@contextmanager
def _quick(where: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    if (took := time.process_time() - begun) > FEED_SECONDS:
        raise Failure(f"{where} is slow", f"{took:.1f} s of processor time")


@contextmanager
def _hang() -> Iterator[None]:
    """Hang in whatever runs once it has taken too much processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _memory(size: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > SPARE_BYTES + BYTES_PER_BYTE * size:
        raise Failure("memory without bound", f"{peak >> 20} MiB for {size} bytes")
