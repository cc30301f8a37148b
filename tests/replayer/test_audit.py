"""A weak suite is told from a strict one, and what makes it weak is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from replayer.audit.audit import Report, audit
from replayer.audit.text import lines
from replayer.suitecli import audit as command
from tests.replayer.conftest import toy_call, toy_case
from wiretape.case import Case, Noise, Suite
from wiretape.protocols.base import Codec
from wiretape.tree import Selector, Tree

BODY: Tree = {"id": 17, "total": "39.80", "paid": True, "items": [{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": 1}]}
CALLS = (toy_call("BEGIN"), toy_call("INSERT order 'A1' 2"), toy_call("SELECT total WHERE id = 17"), toy_call("COMMIT"))


def audited(case: Case, codecs: Mapping[str, Codec], *suite_noise: Noise) -> Report:
    return audit(Suite(root=Path("suite"), cases=(case,), noise=suite_noise), codecs, lambda _: 0.0)


def rule(selector: str, kind: str = "any") -> Noise:
    return Noise(selector=Selector.parse(selector), kind=kind)


def strict() -> Case:
    case = toy_case("order", *CALLS, body=BODY)
    return replace(case, response=replace(case.response, headers=(*case.response.headers, ("location", "/orders/17"))))


def test_a_suite_without_noise_finds_everything(codecs: Mapping[str, Codec]) -> None:
    report = audited(strict(), codecs)
    assert (report.share, report.slips, report.empty, report.dead) == (100.0, [], [], [])
    assert report.tried["order"] == 41


WEAK: Mapping[str, tuple[tuple[str, ...], str]] = {
    "blanket": (("response.body.**",), "noise: response.body.** hides"),
    "everything": (("**",), "noise: ** hides"),
    "status": (("response.status",), "order: response.status 200 becomes 500 (noise: response.status)"),
    "headers": (("response.headers.*",), "response.headers.location is removed (noise: response.headers.*)"),
    "items": (("response.body.items[].*",), "response.body.items[0].qty is retyped (noise: response.body.items[].*)"),
    "any key": (("response.body.*",), "response.body.total is changed (noise: response.body.*)"),
    "values of calls": (("calls[].**",), "hides"),
    "asserts nothing": (("response.**", "calls.**"), "noise: response.** hides"),
}


@pytest.mark.parametrize("name", WEAK)
def test_weak_rules_are_named(codecs: Mapping[str, Codec], name: str) -> None:
    selectors, said = WEAK[name]
    case = replace(strict(), noise=tuple(map(rule, selectors)))
    if "calls" in "".join(selectors):  # what a rule for calls says is held against their fields
        case = replace(case, calls=(*CALLS, toy_call("SELECT x WHERE id = 5", params=["5"])))
    report = audited(case, codecs)
    text = "\n".join(lines(report, everything=True))
    assert report.share < 99
    assert said in text


def test_a_blanket_rule_of_the_suite_is_named(codecs: Mapping[str, Codec]) -> None:
    report = audited(strict(), codecs, rule("response.body.**"))
    assert report.share < 70
    assert {slip.hidden_by for slip in report.slips} == {("noise: response.body.**",)}


def test_calls_that_are_ambiguous_are_not_missed(codecs: Mapping[str, Codec]) -> None:
    ambiguous = tuple(replace(call, ambiguous=("other",)) for call in CALLS)
    slips = audited(replace(strict(), calls=ambiguous), codecs).slips
    assert any(slip.mutation.what == "is no longer made: INSERT order 'A1' 2" for slip in slips)


def test_cases_that_assert_nothing_and_rules_that_match_nothing(codecs: Mapping[str, Codec]) -> None:
    idle = replace(toy_case("idle", body=BODY), noise=(rule("response.**"), rule("response.body.nothing")))
    report = audited(idle, codecs, rule("response.body.neither"))
    assert report.empty == ["idle"]
    assert [line.partition(";")[0] for line in report.dead] == [
        "idle: noise response.body.nothing matches nothing, neither recorded nor live",
        "suite.yaml: noise response.body.neither matches nothing in any case",
    ]


def test_a_typed_rule_still_finds_what_is_of_another_kind(codecs: Mapping[str, Codec]) -> None:
    case = toy_case("made", body={"at": "2026-11-20T10:00:00Z"})
    assert audited(replace(case, noise=(rule("response.body.at", "timestamp"),)), codecs).share == 100.0


def test_cases_that_are_not_replayed_are_said(codecs: Mapping[str, Codec]) -> None:
    report = audited(replace(strict(), incomplete="the connection broke"), codecs)
    assert report.skipped == ["order: the connection broke"]
    assert report.share == 0


def suite(folder: Path, noise: str = "") -> Any:
    (folder / "suite").mkdir()
    (folder / "suite/get.yaml").write_text(
        "wiretape: 1\nname: get\nrequest: {method: GET, path: /}\n"
        f"response: {{status: 200, headers: {{content-type: application/json}}, body: {{id: 1, name: x}}}}\n{noise}"
    )
    return CliRunner().invoke(command, ["--suite", str(folder / "suite"), "--min", "95"])


def test_the_command(tmp_path: Path) -> None:
    result = suite(tmp_path)
    assert (result.exit_code, result.output) == (0, "8 of 8 mutations of 1 cases would be found: 100.0 %\n")


def test_the_command_fails_below_the_minimum(tmp_path: Path) -> None:
    result = suite(tmp_path, "noise:\n- response.body.id: any\n")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "5 of 8 mutations of 1 cases would be found: 62.5 %",
        "noise: response.body.id hides 3 mutations",
        "not found: get: response.body.id is changed (noise: response.body.id)",
        "not found: get: response.body.id is retyped (noise: response.body.id)",
        "not found: get: response.body.id is removed (noise: response.body.id)",
    ]
