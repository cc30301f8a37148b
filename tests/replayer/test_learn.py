"""From what several runs had at a place to the narrowest rule that covers it, or to why there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizers.base import takes
from normalizers.pipeline import NORMALIZERS
from replayer.learn.classify import classify, varies
from replayer.learn.evidence import Series
from replayer.learn.forms import form_of, moment_format
from replayer.learn.generalise import proposals
from replayer.learn.text import evidence
from replayer.masking import Mask
from replayer.trees import GONE
from tests.replayer.conftest import TOY, toy_call, toy_case
from wiretape.tree import Selector

BODY = ("response", "body")


def series(recorded: Any, *lives: Any, path: tuple[str | int, ...] = ("response", "body", "x"), case: str = "one") -> Series:
    arranged = isinstance(recorded, list)
    return Series(case=case, path=path, recorded=recorded, arranged=arranged, lives=dict(enumerate(lives, 1)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((0.5021, 0.5022, 0.5019, 0.502), "within 0.01"),
        ((1200.5, 1201.25, 1199.75, 1200.0), "within 10"),
        ((0.13, 0.92, 0.5, 0.77), "number"),
        ((3, 9, 1, 4), "integer"),
        ((102_400, 102_410, 102_396, 102_400), "within 100"),
        ((1, 1.5, 0.9, 1.2), "number"),
        ((12, 13.0, 14.0), "number"),
        ((12.0, 13, 13.5), "within 10"),
        ((True, False, True), "boolean"),
        (("39.90", "39.91", "39.90"), "within 0.1"),
        (("0.0079", "8.5092", "4.3409"), "like {1-2 digits}.{4 digits}"),
        (("14c-8b98ae1673a5196e", "153-41ae875743f27966", "1f0-0badc0de87654321"), "like {1-4 hex}-{16 hex}"),
        (("04c-8b98ae1673a5196e", "153-41ae875743f27966", "1f0-0badc0de87654321"), "like {3 hex}-{16 hex}"),
        (("ORD-7F3A9C", "ORD-00K2MM", "ORD-ZZ19QA"), "like ORD-{6 BASE36}"),
        (("sess_0a1b2c3d4e5f", "sess_99ff00aa11bb", "sess_0123456789ab"), "like sess_{12 hex}"),
        (("2026-11-24T10:00:00Z", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"), "timestamp"),
        (("24/11/2026 10:00:01", "24/11/2026 10:00:05", "24/11/2026 10:00:09"), "timestamp %d/%m/%Y %H:%M:%S"),
        (("GET, POST, HEAD", "HEAD, GET, POST", "POST, GET, HEAD"), "unordered"),
        (("hello", "good day to you", "hi!"), "string"),
        ((1_795_168_800, 1_795_000_000, 1_794_000_000), "epoch"),
        (([1, 2, 3], [3, 2, 1], [2, 1, 3]), "unordered"),
        (([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}], [{"id": 1}, {"id": 2}]), "unordered by id"),
        (("few", GONE, "few"), "optional"),
        ((GONE, "few", GONE, "few"), "optional like few"),
        ((GONE, 1, GONE, 7), "optional integer"),
        ((GONE, {"a": 1}, GONE), "optional any"),
    ],
)
def test_the_narrowest_kind(values: tuple[Any, ...], kind: str) -> None:
    found = classify([series(*values)])
    assert (found.kind, found.reason) == (kind, "")
    for live in values[1:]:
        if live is not GONE and values[0] is not GONE and not kind.startswith("unordered by"):
            assert takes(NORMALIZERS[kind], values[0], live)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((1, "1", 1), "its type differs: integer, string"),
        ((None, "a", None), "its type differs: null, string"),
        (({"a": 1}, {"b": 2}), "its items differ"),
    ],
)
def test_what_is_no_noise(values: tuple[Any, ...], reason: str) -> None:
    assert classify([series(*values)]).reason == reason


def test_a_list_that_is_longer_now_and_then_is_no_noise() -> None:
    assert classify([series(GONE, 1, GONE, path=(*BODY, "items", 2))]).reason == "the number of items differs"


def test_places_that_count_on_within_a_run_are_a_counter() -> None:
    first, second = series(100, 7, 500, path=(*BODY, "a")), series(101, 9, 501, path=(*BODY, "b"))
    assert classify([first, second]).kind == "counter"
    assert classify([first, series(900, 2, 80_000, path=(*BODY, "b"))]).kind == "integer"


def test_a_tolerance_is_relative_where_sizes_differ() -> None:
    sizes = enumerate((1.0, 50.0, 9000.0, 1e6))
    assert classify([series(size, size * 1.001, size * 0.999, path=(*BODY, at)) for at, size in sizes]).kind == "within 1%"


def names(varying: list[Series], *cases: Any) -> list[tuple[str, str, str]]:
    found, refused = proposals(varying, {case.name: case for case in cases}, {"main": TOY})
    assert not refused
    return sorted((each.case, each.selector, each.kind) for each in found)


ITEMS = {"items": [{"score": at + 0.5, "unit": "m"} for at in range(3)]}
EACH = "response.body.items[].score"


def scores(case: str, *places: int) -> list[Series]:
    return [series(at + 0.5, at + 0.5001, at + 0.4999, path=(*BODY, "items", at, "score"), case=case) for at in places]


def test_one_rule_for_all_items_where_all_of_them_vary() -> None:
    assert names(scores("one", 0, 1, 2), toy_case("one", body=ITEMS)) == [("one", EACH, "within 0.001")]


def test_an_item_that_does_not_vary_keeps_being_compared() -> None:
    assert names(scores("one", 0, 2), toy_case("one", body=ITEMS)) == [
        ("one", "response.body.items[0].score", "within 0.001"),
        ("one", "response.body.items[2].score", "within 0.001"),
    ]


def test_of_rows_only_the_column_that_varies() -> None:
    body = {"rows": [[1.5, 1], [2.5, 1]]}
    varying = [series(at + 1.5, at + 1.5001, at + 1.4999, path=(*BODY, "rows", at, 0)) for at in (0, 1)]
    assert names(varying, toy_case("one", body=body)) == [("one", "response.body.rows[][0]", "within 0.001")]


def test_one_rule_for_the_suite_where_all_cases_that_have_the_place_vary_there() -> None:
    cases = [toy_case("one", body=ITEMS), toy_case("two", body=ITEMS), toy_case("three", body={"other": 1})]
    everywhere = [*scores("one", 0, 1, 2), *scores("two", 0, 1, 2)]
    assert names(everywhere, *cases) == [("", EACH, "within 0.001")]
    apart = [("one", EACH, "within 0.001"), ("two", EACH, "within 0.001")]
    assert names(everywhere, *cases, toy_case("four", body=ITEMS)) == apart


def test_a_case_that_was_not_run_may_be_constant_there() -> None:
    run = {"one": toy_case("one", body=ITEMS), "two": toy_case("two", body=ITEMS)}
    everywhere = [*scores("one", 0, 1, 2), *scores("two", 0, 1, 2)]
    found, _ = proposals(everywhere, run, {"main": TOY}, [toy_case("three", body=ITEMS)])
    assert {rule.case for rule in found} == {"one", "two"}


def test_short_lists_may_keep_their_order_by_chance_but_most_must_not() -> None:
    body = {"items": [{"tags": ["a", "b"]}, {"tags": ["a", "b"]}, {"tags": ["a", "b"]}, {"tags": ["a"]}]}

    def tags(*places: int) -> list[Series]:
        return [series(["a", "b"], ["b", "a"], ["a", "b"], path=(*BODY, "items", at, "tags")) for at in places]

    assert names(tags(0, 2), toy_case("one", body=body)) == [("one", "response.body.items[].tags", "unordered")]
    assert names(tags(0), toy_case("one", body=body)) == [("one", "response.body.items[0].tags", "unordered")]


def test_a_status_and_a_content_type_are_never_noise() -> None:
    status = series(200, 500, 200, path=("response", "status"))
    type_ = series("a/b", "a/c", "a/b", path=("response", "headers", "content-type"))
    found, refused = proposals([status, type_], {"one": toy_case("one", body={})}, {"main": TOY})
    assert not found
    assert [reason for _, reason in refused] == ["a status is never noise", "a content type is never noise"]


def values(case: str, position: int, *rows: tuple[Any, ...]) -> list[Series]:
    """Of each value of a call: recorded, then what the runs had."""
    return [
        Series(case=case, path=("calls", position, "values", at), recorded=row[0], lives=dict(enumerate(row[1:], 1)))
        for at, row in enumerate(rows)
    ]


def test_a_random_parameter_is_named_where_it_stands() -> None:
    case = toy_case("one", toy_call("get 'K-12ab90'", params=["K-12ab90"]))
    drawn = values("one", 0, ("K-12ab90", "K-0011ff", "K-99aa01"))
    assert names(drawn, case) == [("one", "calls[0].params[0]", "like K-{6 hex}")]


def test_a_parameter_that_stands_in_the_statement_is_named_by_its_number() -> None:
    case = toy_case("one", toy_call("get 'K-12ab90'"))
    drawn = values("one", 0, ("K-12ab90", "K-0011ff", "K-99aa01"))
    assert names(drawn, case) == [("one", "calls[0].values[0]", "like K-{6 hex}")]


def test_values_that_change_places_are_unordered() -> None:
    case = toy_case("one", toy_call("get 'a' 'b' 'c' 5", params=["a", "b", "c", 5]))
    swapped = values("one", 0, ("a", "b", "c"), ("b", "a", "a"), ("c", "c", "b"))
    assert names(swapped, case) == [("one", f"calls[0].params[{at}]", "unordered") for at in range(3)]
    alone = toy_case("one", toy_call("get 'a' 'b' 'c'", params=["a", "b", "c"]))
    assert names(swapped, alone) == [("one", "calls[0].params", "unordered")]


def test_what_was_the_same_in_every_run_does_not_vary() -> None:
    assert not varies(series(1, 2, 2, 2))
    assert varies(series(1, 2, 2, 1))
    assert not varies(series([1, 2], [2, 1], [2, 1]))
    assert varies(series("a", GONE, "a"))
    assert not varies(series("a", GONE, GONE))


def test_evidence_shows_no_secret_and_stays_on_its_line() -> None:
    def told(one: Series, **secrets: str) -> str:
        (rule,) = proposals([one], {"one": toy_case("one", body={})}, {"main": TOY})[0]
        return evidence(rule, Mask(secrets))

    hidden = "2 runs: a secret, another each time"
    assert told(series(0.5, 0.5001, 0.4999)) == "2 runs: 0.5001, 0.4999"
    assert told(series("a b c", "b\nc\x00d", "x" * 99)) == f"2 runs: b c?d, {'x' * 40}…"
    assert told(series("k-1", "k-2", "k-3"), key="k-1") == hidden
    assert told(series("pin1", "pin2", "pin3", path=(*BODY, "password"))) == hidden
    assert told(series("v=12", "v=22", "v=32", path=("response", "headers", "x-auth-token"))) == hidden


def test_moments_in_odd_forms() -> None:
    assert moment_format(["Tue Nov 24 16:18:56 2026", "Tue Nov 24 16:19:02 2026"]) == "timestamp %a %b %d %H:%M:%S %Y"
    assert moment_format(["20261124T161856Z", "20261124T161857Z"]) == "timestamp %Y%m%dT%H%M%SZ"
    assert moment_format(["24/Nov/2026:16:18:56 +0000"]) == "timestamp %d/%b/%Y:%H:%M:%S %z"
    assert moment_format(["16:18:56.123456", "16:18:57.000001"]) == "timestamp %H:%M:%S.%f"
    assert moment_format(["12345678", "87654321"]) == ""
    assert moment_format(["hello there"]) == ""


TEXTS = st.lists(st.text(alphabet="abcdef0129-_/ XYZ", min_size=1, max_size=12), min_size=2, max_size=5, unique=True)


@given(TEXTS, st.sampled_from(["", "id-", 'W/"', "Order "]), st.sampled_from(["", "-eu", '"']))
def test_a_form_takes_all_it_was_made_of(texts: list[str], before: str, behind: str) -> None:
    whole = [f"{before}{text}{behind}" for text in texts]
    form = form_of(whole)
    assert form == "" or all(NORMALIZERS[form].recognises(text) for text in whole)


@given(st.lists(st.floats(10, 1000, allow_nan=False) | st.integers(10, 1000), min_size=3, max_size=6, unique=True))
def test_a_kind_takes_all_it_was_made_of(values: list[float]) -> None:
    kind = NORMALIZERS[classify([series(*values)]).kind]
    assert all(takes(kind, values[0], value) for value in values[1:])


def test_a_selector_of_every_rule_can_be_read() -> None:
    odd = series(0.5, 0.5001, 0.4999, path=(*BODY, "odd key", 0, "x.y"))
    (rule,) = proposals([odd], {"one": toy_case("one", body={"odd key": [{"x.y": 0.5}]})}, {"main": TOY})[0]
    assert Selector.parse(rule.selector).matches(odd.path)


def test_an_entity_tag_is_opaque() -> None:
    tags = ('W/"14c-0a"', 'W/"14c-1b"', 'W/"14c-2c"')
    assert classify([series(*tags, path=("response", "headers", "ETag"))]).kind == "string"
    assert classify([series(*tags, path=("response", "headers", "X-Tag"))]).kind.startswith("like ")
