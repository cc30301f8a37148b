"""How bad differences are, which of them fail a case, and which calls are compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from replayer.events import CallFinding, CallKind, Change
from replayer.severity import LEVELS, counted, fails, of_change, of_finding
from tests.replayer.conftest import toy_ask, toy_call
from wiretape.errors import CaseFormatError
from wiretape.protocols.base import Miss
from wiretape.store import load_suite

STATUS = Change(path="response.status", kind="changed", recorded=200, live=500)
TYPE = Change(path="response.headers.Content-Type", kind="changed", recorded="a/b", live="a/c")
VALUE = Change(path="response.body.total", kind="changed", recorded=1, live=2)
NEW = Change(path="response.body.extra", kind="added", live=1)
GONE = Change(path="response.body.total", kind="removed", recorded=1)


def finding(kind: Any, *, writes: bool) -> CallFinding:
    return CallFinding(kind=kind, target="main", operation="X", writes=writes)


@pytest.mark.parametrize(
    ("change", "severity"), [(STATUS, "high"), (TYPE, "high"), (GONE, "high"), (VALUE, "medium"), (NEW, "low")]
)
def test_changes(change: Change, severity: str) -> None:
    assert of_change(change) == severity


@pytest.mark.parametrize(
    ("kind", "writes", "severity"),
    [
        ("missing", True, "high"),
        ("missing", False, "medium"),
        ("extra", True, "high"),
        ("extra", False, "medium"),
        ("changed", True, "high"),
        ("changed", False, "medium"),
        ("statement", True, "high"),
        ("statement", False, "medium"),
        ("n+1", True, "high"),
        ("n+1", False, "medium"),
        ("new-table", True, "high"),
        ("new-table", False, "medium"),
        ("retry", True, "high"),
        ("retry", False, "low"),
        ("transaction", True, "high"),
        ("transaction", False, "low"),
        ("reordered", True, "medium"),
    ],
)
def test_calls_by_class_and_from_which_level_on_they_fail(kind: str, writes: bool, severity: str) -> None:
    one = finding(kind, writes=writes)
    assert of_finding(one) == severity
    levels = ["low", "medium", "high"]
    failing = [fails((), [one], (), level) for level in ("low", "medium", "high")]
    assert failing == [levels.index(level) <= levels.index(severity) for level in levels]


def test_every_class_is_graded() -> None:
    kinds = get_args(CallKind.__value__)
    assert {of_finding(finding(kind, writes=writes)) for kind in kinds for writes in (True, False)} == {*LEVELS}


def test_a_call_that_nothing_answers_is_always_grave() -> None:
    assert of_finding(replace(finding("changed", writes=False), miss=Miss(ask=toy_ask(toy_call("SELECT a"))))) == "high"


def test_what_fails() -> None:
    assert [fails([NEW], (), (), level) for level in ("low", "medium", "high")] == [True, False, False]
    assert [fails([NEW, VALUE], (), (), level) for level in ("low", "medium", "high")] == [True, True, False]
    assert fails((), [finding("missing", writes=True)], (), "high")
    assert not fails((), [finding("missing", writes=False)], (), "high")
    assert fails((), (), ["a miss"], "high")
    assert not fails((), (), ())


def test_which_calls_count() -> None:
    both = [finding("missing", writes=True), finding("extra", writes=False)]
    assert [len(counted(both, level)) for level in ("strict", "writes", "off")] == [2, 1, 0]


def suite(folder: Path, calls: str) -> Path:
    (folder / "suite.yaml").write_text(f"wiretape: 1\ncalls: {calls}\n")
    (folder / "get.yaml").write_text("wiretape: 1\nrequest: {method: GET, path: /}\nresponse: {status: 200}\n")
    return folder


def test_a_suite_says_which(tmp_path: Path) -> None:
    assert load_suite(suite(tmp_path, "writes")).calls == "writes"
    with pytest.raises(CaseFormatError, match=r"suite.yaml:2:.*calls.*strict \(all of them\), writes, or off"):
        load_suite(suite(tmp_path, "some"))
