"""Who caused what under load: in a simulated shop whose truth is known, nothing is claimed that is not so."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recorder.attribute import Outbound, attribute
from recorder.slots import assign
from tests.recorder.shop import Recording, Shop


def content(outbound: Outbound) -> tuple[str, str]:
    return outbound.interaction.operation, repr(outbound.interaction.fields)


def measured(recording: Recording) -> tuple[int, int, float]:
    """Cases claimed, those of them that are exactly right, and the share said to be ambiguous.

    Right is a case with just the calls its request made; two requests that were told the very same may have swapped them.
    """
    truth: dict[int, Counter[tuple[str, str]]] = {}
    for one in recording.outbound:
        truth.setdefault(recording.truth[id(one.interaction)], Counter())[content(one)] += 1
    result = attribute(recording.windows, recording.outbound, recording)
    claimed = {n: calls for n, calls in enumerate(result.windows) if not any(call.others for call in calls)}
    right = sum(Counter(content(call.outbound) for call in calls) == truth.get(n, Counter()) for n, calls in claimed.items())
    return len(claimed), right, 1 - len(claimed) / len(result.windows)


@pytest.mark.parametrize("background", [False, True], ids=["quiet", "poller"])
@pytest.mark.parametrize("ids", [20, 2000])
@pytest.mark.parametrize("load", [1, 4, 16, 64])
def test_with_a_few_requests_of_each_route_alone_everything_follows(load: int, ids: int, background: bool) -> None:
    claimed, right, ambiguous = measured(Shop(load=load, requests=300, ids=ids, background=background, seed=load).run())
    assert right == claimed
    assert ambiguous < 0.04


@pytest.mark.parametrize("ids", [20, 2000])
@pytest.mark.parametrize("load", [4, 16, 64])
def test_with_no_request_ever_alone_the_recording_as_a_whole_tells(load: int, ids: int) -> None:
    claimed, right, ambiguous = measured(Shop(load=load, requests=300, ids=ids, seed=load, warm=0).run())
    assert right == claimed
    assert ambiguous < {4: 0.01, 16: 0.05, 64: 1.0}[load]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("load", [8, 24])
def test_where_many_requests_ask_for_the_very_same_line_by_line_nothing_is_claimed_that_is_not_so(load: int, seed: int) -> None:
    claimed, right, ambiguous = measured(Shop(load=load, requests=120, ids=4, seed=seed, baskets=True).run())
    assert right == claimed
    assert ambiguous < 0.9


@pytest.mark.parametrize(
    ("load", "requests", "ids", "warm", "background", "seed"),
    [
        (16, 300, 10, 1, False, 208148),
        (8, 60, 100, 3, False, 663755),
        (4, 20, 4, 3, True, 111440),
        (16, 300, 10, 0, True, 134655),
        (8, 120, 4, 0, False, 285859),
        (8, 300, 2000, 0, True, 547934),
        (1, 120, 4, 0, True, 141134),
    ],
)
def test_what_once_went_wrong(load: int, requests: int, ids: int, warm: int, background: bool, seed: int) -> None:
    """Habits and numbers taken from too few, and a poller as fast as a client that waits for its answers."""
    shop = Shop(load=load, requests=requests, ids=ids, warm=warm, background=background, baskets=True, seed=seed)
    claimed, right, _ = measured(shop.run())
    assert right == claimed


def test_where_nothing_tells_nothing_is_claimed() -> None:
    """A handful of requests: too few for a pattern, none of them alone, all with the same values."""
    claimed, right, ambiguous = measured(Shop(load=16, requests=16, ids=1, seed=1, warm=0).run())
    assert right == claimed
    assert ambiguous > 0.9


def test_a_poller_belongs_to_nobody_even_when_one_request_is_in_flight() -> None:
    recording = Shop(load=1, requests=100, ids=2000, background=True).run()
    result = attribute(recording.windows, recording.outbound, recording)
    polls = [one for one in recording.outbound if recording.truth[id(one.interaction)] < 0]
    assert len(polls) > 20
    assert [one.interaction.operation for one in result.session] == [one.interaction.operation for one in polls]


def test_evidence_is_named() -> None:
    recording = Shop(load=4, requests=100, ids=2000).run()
    result = attribute(recording.windows, recording.outbound, recording)
    assert {call.how for calls in result.windows for call in calls} == {"in-flight", "signature", "transaction", "values"}
    because = {call.because for calls in result.windows for call in calls if call.how == "values"}
    assert "request body.sku SKU13, request body.user_id 324" in because


@st.composite
def groups(draw: st.DrawFn) -> tuple[dict[int, tuple[int, ...]], dict[int, str]]:
    size = draw(st.integers(1, 5))
    candidates = {
        call: tuple(sorted(draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=size)))) for call in range(size)
    }
    return candidates, {call: draw(st.sampled_from("ab")) for call in range(size)}


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(groups())
def test_only_what_is_the_same_in_every_matching_is_decided(group: tuple[dict[int, tuple[int, ...]], dict[int, str]]) -> None:
    candidates, contents = group
    windows = sorted({window for each in candidates.values() for window in each})
    decided = assign(candidates, dict.fromkeys(windows, 1), contents)
    assume(len(windows) == len(candidates))
    whole = [
        order for order in permutations(windows) if all(order[call] in candidates[call] for call in range(len(candidates)))
    ]
    assume(whole)
    held = {window: {contents[order.index(window)] for order in whole} for window in windows}
    assert set(decided.values()) == {window for window in windows if len(held[window]) == 1}
    assert all(contents[call] in held[window] for call, window in decided.items())


def test_calls_of_varying_number_are_not_matched() -> None:
    assert assign({0: (0, 1), 1: (0, 1)}, {0: None, 1: 1}, {0: "a", 1: "a"}) == {}
    assert assign({0: (0, 1), 1: (0, 1)}, {0: 2, 1: 1}, {0: "a", 1: "a"}) == {}
