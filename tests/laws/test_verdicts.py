"""What verdicts may never depend on: how many cases run at once, the recording compared with itself, one rule more; and what
the book never answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tests.laws.simulated import Route, record, replay
from tests.replayer.conftest import toy_ask, toy_call

TABLES = ("users", "goods", "orders")
LATE = "log"  # written after the answer, and only then: a call too many that comes late is anybody's
SESSION = ("SELECT jobs 0", "UPDATE beat 1")


@st.composite
def statements(draw: st.DrawFn) -> str:
    verb = draw(st.sampled_from(("SELECT", "SELECT", "SELECT", "UPDATE", "INSERT")))
    value = draw(st.sampled_from(("1", "1", "2", "3", "{id}")))
    return f"{verb} {draw(st.sampled_from(TABLES))} {value}"


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, ...]:
    """Statements, some of them in transactions."""
    made: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        group = draw(st.lists(statements(), min_size=1, max_size=3))
        made += ["begin", *group, "commit"] if draw(st.booleans()) else group
    return tuple(made)


@st.composite
def services(draw: st.DrawFn) -> tuple[Route, ...]:
    routes: list[Route] = []
    for number in range(draw(st.integers(2, 9))):
        uses = draw(st.none() | st.integers(0, number - 1)) if number else None
        if uses is not None and routes[uses].uses is not None:
            uses = routes[uses].uses
        late = (f"INSERT {LATE} {number}",) if draw(st.booleans()) else ()
        shared = ("SELECT users 1",) if draw(st.booleans()) else ()  # who is asking: the same in every request
        made = draw(steps())
        if made[:1] == ("begin",) and shared:
            made, shared = ("begin", *shared, *made[1:]), ()
        routes.append(Route((*shared, *made), uses=uses, late=late))
    return tuple(routes)


@st.composite
def regressed(draw: st.DrawFn, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The service with nothing to a few things wrong."""
    build = list(routes)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(build) - 1))
        build[at] = draw(regression(build[at]))
    return tuple(build)


@st.composite
def regression(draw: st.DrawFn, route: Route) -> Route:
    kind = draw(st.sampled_from(("status", "extra", "drop", "twice", "other", "new", "swap", "alone", "forget")))
    made = list(route.steps)
    places = [at for at, step in enumerate(made) if step not in ("begin", "commit")]
    if kind == "status":
        return replace(route, status=500)
    if kind == "extra":
        return replace(route, extra=1)
    if kind == "forget":
        return replace(route, late=())
    if kind == "alone":
        return replace(route, steps=tuple(step for step in made if step not in ("begin", "commit")))
    if kind == "new":
        made.insert(0, draw(statements()))
    elif places:
        at = draw(st.sampled_from(places))
        if kind == "drop":
            del made[at]
        elif kind == "twice":
            made.insert(at, made[at])
        elif kind == "other":
            made[at] = draw(statements())
        elif at + 1 in places:
            made[at], made[at + 1] = made[at + 1], made[at]
    return replace(route, steps=tuple(made))


def lost_and_gained(routes: Sequence[Route], build: Sequence[Route]) -> bool:
    """Whether one request no longer makes a call that another now makes in its place, so that all in all nothing changed."""
    lost: Counter[tuple[str, int]] = Counter()
    gained: Counter[tuple[str, int]] = Counter()
    for number, (before, after) in enumerate(zip(routes, build, strict=True)):
        was, now = (Counter(toy_ask(toy_call(each)).shape for each in (*one.steps, *one.late)) for one in (before, after))
        lost.update({(shape, number): count for shape, count in (was - now).items()})
        gained.update({(shape, number): count for shape, count in (now - was).items()})
    return any(shape == other and here != there for shape, here in lost for other, there in gained)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), at_once=st.sampled_from((2, 4, 8)), pools=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_verdicts_do_not_depend_on_how_many_cases_run_at_once(
    data: st.DataObject, at_once: int, pools: tuple[int, int]
) -> None:
    routes = data.draw(services())
    build = data.draw(regressed(routes))
    assume(not lost_and_gained(routes, build))
    seeds = data.draw(st.tuples(st.integers(0, 999), st.integers(0, 999)))
    poll = data.draw(st.sampled_from(("", *SESSION)))
    suite = record(routes, SESSION)
    one = replay(suite, build, at_once=1, pool=pools[0], seed=seeds[0], poll=poll)
    many = replay(suite, build, at_once=at_once, pool=pools[1], seed=seeds[1], poll=poll)
    event(f"beside others: {min(many.tally.beside, 5)}, tried again: {min(many.tally.again, 5)}")
    assert many.found == one.found
    if build == routes:
        assert {verdict for verdict, *_ in one.found.values()} == {"passed"}
