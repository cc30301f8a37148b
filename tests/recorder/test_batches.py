"""Calls made for several requests at once."""

from __future__ import annotations

from recorder.batches import Batches
from recorder.evidence import Said, Told

LOOKUP = "main select ? = any(?)"


def asks(*texts: str, route: str = "GET /items/{} 200") -> Said:
    return Said(route=route, asked={"path.2": frozenset(texts)}, answered={})


def lookup(*given: str, shape: str = LOOKUP) -> Told:
    return Told(shape=shape, given=given, found={})


REQUESTS = [asks("1"), asks("2"), asks("3"), asks("2", route="GET /health 200"), asks("1"), asks("9")]
EVERYONE = {1, 2, 3, 4, 5}


def served(call: Told, *others: tuple[int, Told], around: set[int] = EVERYONE) -> tuple[int, ...]:
    return Batches(REQUESTS, [(0, call), *others]).served(call, 0, sorted(around))


def test_who_asked_for_a_value_and_made_no_call_had_it_from_this_one() -> None:
    assert served(lookup("{1,2,3}")) == (1, 2, 4)  # 4 asked for what its owner did; 3 is of a route that makes no such calls
    assert served(lookup("1", "2", "3")) == (1, 2, 4)
    assert served(lookup("{1,2,3}"), around={1, 5}) == (1,)


def test_who_makes_such_calls_itself_has_its_own() -> None:
    call = lookup("{1,2}")
    assert served(call, (1, lookup("{2}"))) == ()
    assert served(call, (1, lookup("{2}", shape="main select other"))) == (1, 4)


def test_a_call_of_its_owner_alone_is_its_own() -> None:
    assert served(lookup("1")) == ()  # one value, and another asks for it: a cache may well answer that one
    assert served(lookup("1", "7")) == ()
    assert served(lookup("1", "1")) == ()
