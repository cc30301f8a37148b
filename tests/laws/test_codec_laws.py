"""The laws every codec passes, over the golden transcripts of its protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.laws import transcripts
from tests.laws.book import Book, calls
from tests.laws.transcripts import Chunk, Transcript
from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols import CODECS, codec
from wiretape.protocols.base import Codec, Interaction, Side
from wiretape.tree import Tree

CASES = [(codec(name), transcript) for name in CODECS for transcript in transcripts.of(name)]
IDS = [f"{one.name}-{transcript.name}" for one, transcript in CASES]
every_transcript = pytest.mark.parametrize(("one", "transcript"), CASES, ids=IDS)
every_codec = pytest.mark.parametrize("one", [codec(name) for name in CODECS], ids=list(CODECS))
SMALL = [(one, transcript) for one, transcript in CASES if sum(len(data) for _, data in transcript.chunks) < 20_000]
GARBLED = 400


def read(one: Codec, chunks: Iterable[tuple[Side, bytes, float]]) -> list[Interaction]:
    tap = one.tap()
    out: list[Interaction] = []
    last = 0.0
    for side, data, at in chunks:
        out += tap.feed(side, data, at)
        last = at
    return out + list(tap.close(last))


def timed(transcript: Transcript) -> list[tuple[Side, bytes, float]]:
    return [(side, data, float(number)) for number, (side, data) in enumerate(transcript.chunks)]


def cut(chunks: Sequence[tuple[Side, bytes, float]], places: Iterable[int]) -> Iterator[tuple[Side, bytes, float]]:
    """The same bytes in other pieces: cut at `places`, counted over the whole connection."""
    wanted = sorted(set(places))
    start = 0
    for side, data, at in chunks:
        inner = [place - start for place in wanted if start < place < start + len(data)]
        for begin, end in zip([0, *inner], [*inner, len(data)], strict=True):
            yield side, data[begin:end], at
        start += len(data)


def test_every_codec_has_transcripts() -> None:
    assert {one.name for one, _ in CASES} == set(CODECS)


@every_transcript
def test_a_transcript_is_read_whole(one: Codec, transcript: Transcript) -> None:
    found = read(one, timed(transcript))
    assert found or "cancel" in transcript.name
    assert [each for each in found if each.incomplete] == []


@every_transcript
def test_byte_by_byte_gives_the_same_interactions(one: Codec, transcript: Transcript) -> None:
    whole = timed(transcript)
    single = [(side, data[at : at + 1], when) for side, data, when in whole for at in range(len(data))]
    assert read(one, single) == read(one, whole)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_split_gives_the_same_interactions(data: st.DataObject) -> None:
    one, transcript = data.draw(st.sampled_from(SMALL))
    whole = timed(transcript)
    size = sum(len(chunk) for _, chunk, _ in whole)
    places = data.draw(st.lists(st.integers(1, max(size - 1, 1)), max_size=40))
    assert read(one, cut(whole, places)) == read(one, whole)


def played(one: Codec, chunks: Sequence[Chunk], recorded: list[Interaction], facts: object) -> list[Interaction]:
    """What a tap reads where the responder answers the client's bytes."""
    responder = one.responder(facts, Book(one, calls(recorded)), "main")  # type: ignore[arg-type]
    tap = one.tap()
    out: list[Interaction] = list(tap.feed(Side.SERVER, responder.greet(), 0.0))
    for side, data in chunks:
        if side is Side.CLIENT and not responder.closed:
            out += tap.feed(Side.CLIENT, data, 0.0)
            out += tap.feed(Side.SERVER, responder.receive(data), 0.0)
    return out + list(tap.close(0.0))


@every_transcript
def test_the_tap_reads_back_what_the_responder_serves(one: Codec, transcript: Transcript) -> None:
    tap = one.tap()
    recorded = [each for side, data in transcript.chunks for each in tap.feed(side, data, 0.0)]
    recorded += tap.close(0.0)
    unrecordable = {each.operation for each in recorded if each.incomplete}

    def told(interactions: list[Interaction]) -> list[tuple[str, object]]:
        kept = (each for each in interactions if each.role != "push")  # nobody pushes here
        return [(each.operation, each.fields) for each in kept if each.operation not in unrecordable]

    bytewise = [(side, data[at : at + 1]) for side, data in transcript.chunks for at in range(len(data))]
    for chunks in (transcript.chunks, bytewise):
        assert told(played(one, chunks, recorded, tap.facts)) == told(recorded)


@st.composite
def garbled(draw: st.DrawFn) -> tuple[Codec, list[Chunk]]:
    """A transcript with a few bytes replaced, left out or put in, and chunks left out or repeated."""
    one, transcript = draw(st.sampled_from(SMALL))
    chunks = [(side, bytearray(data)) for side, data in transcript.chunks]
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(chunks) - 1))
        side, data = chunks[number]
        match draw(st.sampled_from(("replace", "cut", "insert", "drop", "repeat"))):
            case "replace" if data:
                data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
            case "cut" if data:
                at = draw(st.integers(0, len(data) - 1))
                del data[at : at + draw(st.integers(1, 8))]
            case "insert":
                at = draw(st.integers(0, len(data)))
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "drop":
                chunks[number] = (side, bytearray())
            case _:
                chunks.insert(number, (side, bytearray(data)))
    return one, [(side, bytes(data)) for side, data in chunks]


@cache
def recording(name: str) -> tuple[list[Call], Mapping[str, Tree]]:
    """The calls and the facts of all of a codec's transcripts."""
    one = codec(name)
    found: list[Interaction] = []
    facts: Mapping[str, Tree] = {}
    for transcript in transcripts.of(name):
        tap = one.tap()
        for side, data in transcript.chunks:
            found += tap.feed(side, data, 0.0)
        facts = one.merge_facts(facts, tap.facts)
    return calls(found), facts


def endure(one: Codec, chunks: Iterable[Chunk]) -> None:
    """Whatever comes: interactions or DecodeError from the tap, bytes from the responder."""
    recorded, facts = recording(one.name)
    tap, responder = one.tap(), one.responder(facts, Book(one, recorded), "main")
    alive = isinstance(responder.greet(), bytes)
    for side, data in chunks:
        if alive:
            try:
                list(tap.feed(side, data, 0.0))
            except DecodeError:
                alive = False
        if side is Side.CLIENT and not responder.closed:
            assert isinstance(responder.receive(data), bytes)
    list(tap.close(0.0))
    assert isinstance(tap.facts, dict)


@settings(max_examples=GARBLED, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(garbled())
def test_garbled_bytes_are_endured(broken: tuple[Codec, list[Chunk]]) -> None:
    endure(*broken)


@every_codec
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=60)), max_size=8))
def test_arbitrary_bytes_are_endured(one: Codec, chunks: list[Chunk]) -> None:
    endure(one, chunks)


@every_transcript
def test_a_connection_that_is_cut_off_is_endured(one: Codec, transcript: Transcript) -> None:
    for length in range(0, len(transcript.chunks), 3):
        chunks = [*transcript.chunks[:length], (transcript.chunks[length][0], transcript.chunks[length][1][:7])]
        endure(one, chunks)


@every_transcript
def test_recorded_calls_can_be_served(one: Codec, transcript: Transcript) -> None:
    assert [problem for call in calls(read(one, timed(transcript))) for problem in one.check(call)] == []
