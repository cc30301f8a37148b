"""The clock of a service whose time is frozen: where it stands at each case, and what is said of answers by another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayer import clock as clocks
from replayer.app import chosen
from replayer.clock import FrozenClock, RealClock, clock
from replayer.material import recorded_at
from wiretape.case import Body, Case, Request, Response
from wiretape.config import Service
from wiretape.errors import ConfigError, TargetError
from wiretape.faketime import Faketime

NOON = 1_709_208_000.0  # 2024-02-29T12:00:00Z
SERVICE = Service(url="http://127.0.0.1:1", command=("true",), freeze_time=True, ready_timeout=30.0)


def case(at: float | None, name: str = "case") -> Case:
    recorded = "" if at is None else datetime.fromtimestamp(at, UTC).isoformat()
    response = Response(status=200, headers=(), body=Body(value=None))
    return Case(name=name, recorded=recorded, request=Request(method="GET", target="/"), response=response)


class Standing:
    """A clock that moves only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None, at: float) -> None:
        self.at = at
        if monkeypatch is not None:
            monkeypatch.setattr(clocks.time, "time", lambda: self.at)


def frozen(folder: Path, times: Sequence[float | None], ahead: float = 0.0) -> FrozenClock:
    return FrozenClock([case(at) for at in times], SERVICE, Faketime(library=Path("/lib/x.so"), ahead=ahead), folder)


def offset(folder: Path) -> float:
    return float((folder / clocks.FILE).read_text())


def test_the_service_starts_before_the_first_case_and_stands_at_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Standing(monkeypatch, 1_800_000_000.0)
    made = frozen(tmp_path, [NOON, NOON + 86400])
    assert offset(tmp_path) == NOON - 30 - real.at
    assert (made.opening.recorded, made.opening.live) == (NOON, NOON - 30)
    assert made.span == (NOON, NOON + 86400)
    real.at += 2.5  # it took so long to start
    for at in (NOON, NOON + 86400.25):
        when = made.at(case(at))
        assert (when.recorded, when.live) == (at, at)
        assert offset(tmp_path) == pytest.approx(at - real.at, abs=1e-6)
        real.at += 0.1
    assert [path.name for path in tmp_path.iterdir()] == [clocks.FILE]


def test_it_goes_back_within_a_second_only_unless_it_is_far_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Standing(monkeypatch, 1_800_000_000.0)
    made = frozen(tmp_path, [NOON])
    assert made.at(case(NOON + 0.2)).live == NOON + 0.2
    real.at += 0.3
    assert made.at(case(NOON + 0.3)).live == NOON + 0.3
    real.at += 0.9  # now it is 12:00:01.2
    assert made.at(case(NOON + 0.4)).live == NOON + 1.0
    real.at += 0.1
    assert made.at(case(NOON + 0.5)).live == NOON + 1.0
    real.at += 1.5 + 0.1  # now it is 12:00:02.6
    assert made.at(case(NOON + 0.6)).live == NOON + 0.6
    assert made.at(case(NOON - 3600)).live == NOON - 3600


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 0.9)), min_size=1, max_size=30))
def test_however_long_cases_take_no_second_comes_twice(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[float, float]]
) -> None:
    """Each case is recorded so long after the one before, and takes so long."""
    folder = tmp_path_factory.mktemp("clock")
    with pytest.MonkeyPatch.context() as patch:
        real = Standing(patch, 1_800_000_000.0)
        made, at, last = frozen(folder, [NOON]), NOON, 0.0
        for after, takes in cases:
            at += after
            live = made.at(case(at)).live
            assert live >= at - 1e-6
            assert live < at + clocks.REWIND
            assert int(live + 1e-6) >= int(last) or last - at >= clocks.REWIND
            real.at += takes
            last = live + takes


def test_a_tester_s_own_faketime_is_taken_into_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Standing(monkeypatch, 1_800_000_000.0)
    frozen(tmp_path, [NOON], ahead=-86400.0)  # the real clock is a day behind the tester's
    assert offset(tmp_path) == NOON - 30 - (real.at - 86400)


@pytest.mark.parametrize("late", [0.0, 4.0, -4.0, -29.0])
def test_a_date_of_the_frozen_time_is_right_though_a_server_keeps_it_for_a_while(tmp_path: Path, late: float) -> None:
    made = frozen(tmp_path, [NOON])
    made.at(case(NOON))
    dated = format_datetime(datetime.fromtimestamp(NOON + late, UTC), usegmt=True)
    assert made.check(case(NOON), [("Date", dated)]) == ()


@pytest.mark.parametrize("late", [7.0, -36.0, 3600.0])
def test_another_date_ends_the_run(tmp_path: Path, late: float) -> None:
    made = frozen(tmp_path, [NOON, NOON + 7200])
    made.at(case(NOON))
    dated = datetime.fromtimestamp(NOON + late, UTC)
    with pytest.raises(TargetError) as error:
        made.check(case(NOON), [("Date", format_datetime(dated, usegmt=True))])
    assert str(error.value) == (
        "the service's time is not frozen: case was recorded at 2024-02-29 12:00:00 UTC, and its answer is dated "
        f"{dated:%Y-%m-%d %H:%M:%S} UTC; a static or Go program, a container or a proxy in front keeps the real time: "
        "start the service itself, or leave out --freeze-time"
    )


@pytest.mark.parametrize("headers", [[], [("Date", "today")]])
def test_without_a_date_it_is_said_that_nothing_could_be_checked(tmp_path: Path, headers: list[tuple[str, str]]) -> None:
    made = frozen(tmp_path, [NOON])
    (said,) = made.check(case(NOON), headers)
    assert said == "whether the service's time is frozen could not be checked: no Date in its answer, no process to look at"


def test_cases_without_a_time_follow_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Standing(monkeypatch, 1_800_000_000.0)
    made = frozen(tmp_path, [None, NOON, None])
    made.at(case(NOON))
    real.at += 1.0
    when = made.at(case(None))
    assert (when.recorded, when.live) == (NOON + 1.0, NOON + 1.0)
    when = frozen(tmp_path, [None, NOON]).at(case(None))
    assert (when.recorded, when.live) == (NOON, NOON)
    with pytest.raises(ConfigError, match="no case says when it was recorded"):
        frozen(tmp_path, [None])


def test_without_the_option_the_clock_is_the_machine_s(tmp_path: Path) -> None:
    made = clock(Service(url="http://127.0.0.1:1"), [case(NOON)], tmp_path)
    assert isinstance(made, RealClock)
    when = made.at(case(NOON))
    assert when.recorded == recorded_at(case(NOON)) == NOON
    assert abs(when.live - time.time()) < 60
    assert made.span is None
    assert not made.surroundings({"FAKETIME": "+1d"})
    assert not made.without({"FAKETIME": "+1d"})
    assert not list(tmp_path.iterdir())


def test_only_a_service_that_is_started_can_be_frozen() -> None:
    assert chosen(SERVICE, "", (), allow_remote=False).freeze_time
    assert not chosen(SERVICE, "", (), allow_remote=False, freeze=False).freeze_time
    assert chosen(replace(SERVICE, freeze_time=False), "", ("app",), allow_remote=False, freeze=True).freeze_time
    assert not chosen(SERVICE, "http://127.0.0.1:2", (), allow_remote=False, freeze=False).freeze_time
    for freeze in (None, True):
        with pytest.raises(ConfigError) as error:
            chosen(SERVICE, "http://127.0.0.1:2", (), allow_remote=False, freeze=freeze)
        assert str(error.value) == (
            "the time of a service that already runs (http://127.0.0.1:2) cannot be frozen; give the command that starts it "
            "after --, or --no-freeze-time"
        )
