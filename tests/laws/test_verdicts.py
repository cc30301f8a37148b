"""What verdicts may never depend on: how many cases run at once, the recording compared with itself, one rule more; and what
the book never answers.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS, names_one
from replayer import diff
from replayer.bindings import Bindings
from replayer.book import Book
from replayer.calls import compare as compare_calls
from replayer.calls.known import Known
from replayer.noise import Rules
from replayer.overlay import Overlay
from replayer.received import Received
from tests.laws import arbitrary, transcripts
from tests.laws.book import calls
from tests.laws.simulated import Route, record, replay
from tests.replayer.conftest import TOY, toy_ask, toy_call
from wiretape.case import Call, Case, Noise, Request, Response, Suite
from wiretape.noisekinds import FORMED
from wiretape.protocols import CODECS, codec
from wiretape.protocols.base import Ask
from wiretape.tree import Selector, Tree, same

EMPTY = Case(name="", request=Request(method="GET", target="/"), response=Response(status=200))

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


@cache
def recorded_calls() -> Mapping[str, tuple[Call, ...]]:
    """The calls of the golden transcripts, by codec."""
    found: dict[str, tuple[Call, ...]] = {}
    for name in CODECS:
        made: list[Call] = []
        for transcript in transcripts.of(name):
            tap = codec(name).tap()
            read = [one for side, data in transcript.chunks for one in tap.feed(side, data, 0.0)]
            made += calls([*read, *tap.close(0.0)], name)
        found[name] = tuple(made)
    return found


CODECS_BY_TARGET = {"toy": TOY} | {name: codec(name) for name in CODECS}
WHEN = When(recorded=1_795_000_000.0, live=1_795_100_000.0)
some_calls = st.sampled_from(list(CODECS)).flatmap(lambda name: st.lists(st.sampled_from(recorded_calls()[name]), max_size=6))


def opened(made: Sequence[Call], noise: Sequence[Noise] = (), others: Sequence[Sequence[Call]] = ()) -> Book:
    """A book at a case with these calls."""
    cases = [replace(EMPTY, name=f"case-{number}", calls=tuple(each)) for number, each in enumerate((made, *others))]
    book = Book(Suite(root=Path("suite"), cases=tuple(cases)), CODECS_BY_TARGET)
    book.begin(cases[0], WHEN, Rules(noise, NORMALIZERS))
    return book


def findings(book: Book) -> object:
    """What is found about the calls that were made."""
    outcome = book.end()
    return compare_calls(outcome, Known(CODECS_BY_TARGET, ()), book.bindings.alike(WHEN)), outcome.misses


@settings(max_examples=300, deadline=None)
@given(data=st.data(), both=arbitrary.responses(), made=some_calls)
def test_a_recording_compared_with_itself_passes_under_any_rules(
    data: st.DataObject, both: tuple[Response, Received], made: list[Call]
) -> None:
    noise = data.draw(st.lists(arbitrary.rules(*arbitrary.shown(*both)), max_size=3))
    noise += data.draw(st.lists(rules_of_calls(made), max_size=2))
    assert changes(*both, noise) == ()
    book = opened(made, noise)
    for call in made:
        ask = CODECS_BY_TARGET[call.target].ask(call)
        if ask.role == "push":
            (due, *_) = book.due()
            assert book.push(due, lambda _: True, 1)
        else:
            book.answers(1).take(ask)
    assert findings(book) == ((), ())


def changes(response: Response, live: Received, noise: Sequence[Noise]) -> object:
    by = diff.Comparison(bindings=Bindings(), rules=Rules(noise, NORMALIZERS), when=WHEN)
    return diff.compare(response, live, by)


def rules_of_calls(made: Sequence[Call]) -> st.SearchStrategy[Noise]:
    """A rule for one of the values that calls ask with, or for all."""
    asked = [CODECS_BY_TARGET[call.target].ask(call).values for call in made]
    places = [f"calls[{at}].values[{number}]" for at, values in enumerate(asked) for number in range(len(values))]
    places += ["calls[].values[]", "calls[0].**", "calls[].params[]", "calls[].values"]
    return st.builds(Noise, selector=st.sampled_from(places).map(Selector.parse), kind=arbitrary.KINDS)


def test_every_form_of_a_rule_is_among_the_arbitrary_ones() -> None:
    assert set(arbitrary.FORMS) == set(FORMED)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), tree=arbitrary.trees)
def test_one_rule_more_never_fails_a_response_that_passed(data: st.DataObject, tree: Tree) -> None:
    response, _ = arbitrary.answered(200, tree)
    _, live = arbitrary.answered(data.draw(st.sampled_from((200, 200, 200, 404))), data.draw(arbitrary.varied(tree)))
    places = arbitrary.shown(response, live)
    noise = data.draw(st.lists(arbitrary.rules(*places), max_size=4))
    assume(changes(response, live, noise) == ())
    event(f"the same: {same(*places)}")
    more = data.draw(arbitrary.rules(*places))
    at = data.draw(st.integers(0, len(noise)))
    assert changes(response, live, [*noise[:at], more, *noise[at:]]) == ()


IDS = tuple(str(uuid.UUID(int=number, version=4)) for number in range(1, 4))
alike_calls = st.lists(
    st.builds(
        lambda ident, word: Call(target="toy", operation=f"SELECT t '{ident}' '{word}'", fields={"rows": [[word]]}),
        st.sampled_from(IDS),
        st.sampled_from(("a", "b", "c", "1")),
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), made=some_calls | alike_calls)
def test_one_rule_more_never_fails_calls_that_passed(data: st.DataObject, made: list[Call]) -> None:
    asks = [CODECS_BY_TARGET[call.target].ask(call) for call in made]
    assume(made and all(ask.role != "push" and ask.blocks is None for ask in asks))
    live = [data.draw(other_values(ask)) for ask in asks]
    order = data.draw(st.permutations(range(len(live)))) if data.draw(st.booleans()) else range(len(live))
    noise = data.draw(st.lists(rules_of_calls(made), max_size=3))

    def found(rules: Sequence[Noise]) -> object:
        book = opened(made, rules)
        for at in order:
            book.answers(1).take(live[at])
        return findings(book)

    assume(found(noise) == ((), ()))
    event(f"the same: {live == asks}, in order: {list(order) == sorted(order)}")
    assert found([*noise, data.draw(rules_of_calls(made))]) == ((), ())


@st.composite
def other_values(draw: st.DrawFn, ask: Ask) -> Ask:
    """The ask with perhaps some of its values otherwise."""
    values = list(ask.values)
    for at, value in enumerate(values):
        if draw(st.integers(0, 3)) == 0:
            values[at] = draw(st.just(str(uuid.uuid4())) if names_one(value) else st.sampled_from(values) | arbitrary.scalars)
    return replace(ask, values=tuple(values))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_book_never_answers_another_ask(data: st.DataObject) -> None:
    """With one case under way or several, over every codec."""
    name = data.draw(st.sampled_from(list(CODECS)))
    pool = recorded_calls()[name]
    suites = data.draw(st.lists(st.lists(st.sampled_from(pool), max_size=6), min_size=1, max_size=3))
    cases = [replace(EMPTY, name=f"case-{number}", calls=tuple(each)) for number, each in enumerate(suites)]
    session = tuple(data.draw(st.lists(st.sampled_from(pool), max_size=2)))
    book = Book(Suite(root=Path("suite"), cases=tuple(cases), session=session), CODECS_BY_TARGET, when=WHEN)
    alone = data.draw(st.booleans())
    for case in cases[:1] if alone else cases:
        book.begin(case, WHEN, beside=None if alone else Overlay(book.bindings))
    desks = [book.answers() for _ in range(3)]
    near = [call for each in (*suites, session) for call in each] or list(pool)
    for _ in range(data.draw(st.integers(1, 12))):
        call = data.draw(st.sampled_from(near) | st.sampled_from(pool))
        ask = data.draw(other_values(codec(name).ask(replace(call, target=name))))
        answer = data.draw(st.sampled_from(desks)).take(ask)
        if isinstance(answer, Call):
            served = codec(name).ask(answer)
            event(f"answered, as recorded: {served.values == ask.values}")
            assert (answer.target, served.shape) == (ask.target, ask.shape)
            assert Bindings().meet_all(served.values, ask.values, WHEN), (served.values, ask.values)
