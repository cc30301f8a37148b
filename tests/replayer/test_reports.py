"""What people and programs read after a run."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replayer.curl import curl
from replayer.events import CallFinding, CaseFinished, Change, SuiteFinished, SuiteStarted
from replayer.masking import Mask
from replayer.report import REPORTS, make
from replayer.report.places import Places
from replayer.report.text import details
from replayer.report.values import pair, show
from tests.replayer.conftest import toy_ask, toy_call, toy_case
from wiretape.case import Body, Request
from wiretape.protocols.base import Miss
from wiretape.tree import Number

MISS = Miss(
    ask=toy_ask(toy_call("SELECT a FROM t")),
    nearest=toy_call("SELECT a FROM t WHERE on"),
    where="calls[1] at b.yaml:7",
    used="that one has answered already",
    differences=("WHERE on is gone",),
    advice="the very same call is recorded in case b, not in this case",
)
FAILED = CaseFinished(
    case=toy_case("a"),
    verdict="failed",
    changes=(
        Change(path="response.body.id", kind="retyped", recorded=1, live="1"),
        Change(path="response.body.total", kind="changed", recorded=Number("12.50"), live=Number("12.60")),
        Change(path="response.body.at", kind="changed", recorded="2026", live="soon", reason="no longer a timestamp"),
        Change(path="response.body.gone", kind="removed", recorded=[1, None]),
        Change(path="response.body.new", kind="added", live={"k": b"\x00\xff"}),
    ),
    calls=(
        CallFinding(
            kind="extra",
            target="main",
            operation="SELECT\n  1",
            live=toy_ask(toy_call("SELECT 1")),
            details=("asked 3 times",),
            count=3,
            place="calls[2]",
        ),
        CallFinding(kind="missing", target="main", operation="INSERT x", recorded=toy_call("INSERT x"), place="calls[3]"),
    ),
    elapsed=0.0123,
    rerun="wiretape replay --case a",
    curl="curl http://h/",
    warnings=("noise x matches nothing",),
)
MISSED = CaseFinished(
    case=toy_case("m"),
    verdict="failed",
    changes=(Change(path="response.status", kind="changed", recorded=200, live=500),),
    calls=(
        CallFinding(
            kind="statement",
            target="main",
            operation="SELECT a FROM t WHERE on",
            live=MISS.ask,
            details=("WHERE on is gone",),
            place="calls[1].params[0]",
            miss=MISS,
        ),
    ),
    misses=(MISS,),
)
PASSED = CaseFinished(case=toy_case("fine"), verdict="passed", elapsed=0.001)
BROKEN = CaseFinished(case=toy_case("b"), verdict="broken", reason="the service exited with code 7")
CLOSING = SuiteFinished(passed=1, failed=2, broken=1, skipped=0, elapsed=1.25, stray=(MISS,))

TEXT = """\
FAILED a  (12 ms)
  response.body.id changed its type  (high)
    recorded  1  integer
    live      "1"  string
  response.body.total  (medium)
    recorded  12.50
    live      12.60
  response.body.at: no longer a timestamp  (medium)
    recorded  "2026"
    live      "soon"
  response.body.gone is gone  (high)
    recorded  [1, null]
  response.body.new is new  (low)
    live      {"k": 2 bytes 00ff}
  extra call on main ×3: SELECT 1  (medium)
    after calls[2], case a
    asked 3 times
  missing call on main: INSERT x  (medium)
    calls[3], case a
  warning: noise x matches nothing
  curl http://h/
  rerun: wiretape replay --case a

FAILED m  (0 ms)
  changed statement on main: SELECT a FROM t WHERE on  (high)
    calls[1].params[0], case m
    WHERE on is gone
    nothing recorded answers it, so the service got an error
    the very same call is recorded in case b, not in this case
  response.status  (high)
    recorded  200
    live      500

BROKEN b  (0 ms)
  the service exited with code 7

outside of any case:
  no recorded call on main answers: SELECT a FROM t
    nearest recorded: SELECT a FROM t WHERE on, calls[1] at b.yaml:7
    WHERE on is gone
    that one has answered already
    the very same call is recorded in case b, not in this case
1 passed, 2 failed, 1 broken, 0 skipped in 1.2 s
"""


def written(kind: str) -> str:
    stream = io.StringIO()
    report = make(kind, stream)
    for event in (SuiteStarted(total=4), PASSED, FAILED, MISSED, BROKEN, CLOSING):
        report.on(event)
    report.close()
    report.close()
    return stream.getvalue()


def test_the_terminal_shows_every_failure_and_no_success() -> None:
    assert written("terminal") == TEXT


def test_the_terminal_has_colours_and_a_bar_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Tty()
    report = make("terminal", stream)
    report.on(SuiteStarted(total=100))
    for event in (PASSED, FAILED, CLOSING):
        report.on(event)
    assert "\x1b[" in stream.getvalue()
    assert "FAILED a" in stream.getvalue()
    assert "replaying" in stream.getvalue()


def test_json_lines() -> None:
    lines = [json.loads(line) for line in written("json").splitlines()]
    assert [line["event"] for line in lines] == ["case", "case", "case", "case", "suite"]
    assert [(line["case"], line["verdict"]) for line in lines[:-1]] == [
        ("fine", "passed"),
        ("a", "failed"),
        ("m", "failed"),
        ("b", "broken"),
    ]
    assert lines[0] == {
        "event": "case",
        "case": "fine",
        "verdict": "passed",
        "changes": [],
        "calls": [],
        "misses": [],
        "elapsed": 0.001,
    }
    assert lines[1]["changes"][0] == {
        "path": "response.body.id",
        "kind": "retyped",
        "severity": "high",
        "recorded": 1,
        "live": "1",
    }
    assert lines[1]["changes"][4] == {
        "path": "response.body.new",
        "kind": "added",
        "severity": "low",
        "live": {"k": {"base64": "AP8="}},
    }
    assert lines[1]["calls"][0]["count"] == 3
    assert (lines[1]["calls"][0]["place"], lines[1]["calls"][0]["severity"]) == ("calls[2]", "medium")
    assert lines[2]["misses"] == []  # it is told with the finding
    assert lines[2]["calls"][0]["severity"] == "high"
    assert lines[2]["calls"][0]["miss"] == {
        "target": "main",
        "operation": "SELECT a FROM t",
        "values": [],
        "differences": ["WHERE on is gone"],
        "nearest": {"operation": "SELECT a FROM t WHERE on"},
        "where": "calls[1] at b.yaml:7",
        "used": "that one has answered already",
        "advice": "the very same call is recorded in case b, not in this case",
    }
    assert lines[3]["reason"] == "the service exited with code 7"
    assert {key: lines[4][key] for key in ("passed", "failed", "broken", "skipped")} == {
        "passed": 1, "failed": 2, "broken": 1, "skipped": 0,
    }  # fmt: skip


def test_junit() -> None:
    root = ET.fromstring(written("junit"))
    (suite,) = root
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "4", "failures": "2", "errors": "1", "skipped": "0", "time": "1.250",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite}
    assert list(cases["fine"]) == []
    (failure,) = cases["a"]
    assert (failure.tag, failure.get("message")) == ("failure", "response.body.id changed its type  (high)")
    assert 'live      "1"  string' in str(failure.text)
    assert next(iter(cases["b"])).tag == "error"


def test_junit_says_what_happened_to_a_call_and_how_bad_it_is() -> None:
    root = ET.fromstring(written("junit"))
    (failure,) = next(case for case in root[0] if case.get("name") == "m")
    assert failure.get("message") == "changed statement on main: SELECT a FROM t WHERE on  (high)"
    assert "    calls[1].params[0], case m\n    WHERE on is gone\n" in str(failure.text)


def test_junit_holds_what_xml_cannot() -> None:
    stream = io.StringIO()
    report = make("junit", stream)
    report.on(CaseFinished(case=toy_case("x"), verdict="broken", reason="\x00 \x1b[31m <&> ü"))
    report.close()
    assert "� �[31m <&> ü" in "".join(ET.fromstring(stream.getvalue()).itertext())


MARKDOWN = r"""### wiretape: 1 passed, 2 failed, 1 broken, 0 skipped

| case | what | severity | where |
|---|---|---|---|
| a | extra call on main ×3: SELECT 1 | medium | case a |
|  | missing call on main: INSERT x | medium | case a |
|  | response.body.id changed its type | high | case a |
|  | response.body.total | medium | case a |
|  | response.body.at: no longer a timestamp | medium | case a |
|  | response.body.gone is gone | high | case a |
|  | response.body.new is new | low | case a |
| m | changed statement on main: SELECT a FROM t WHERE on | high | case m |
|  | response.status | high | case m |
| b | the service exited with code 7 | broken | case b |

<details><summary>failed a</summary>

```
  response.body.id changed its type  (high)
"""


def test_markdown() -> None:
    text = written("markdown")
    assert text.startswith(MARKDOWN)
    assert text.count("<details>") == text.count("</details>") == 3


def test_markdown_shows_what_would_be_markup_as_it_is() -> None:
    change = Change(path="response.body", kind="changed", recorded="```", live="<b>|x|</b>", reason="*is* | <new>")
    stream = io.StringIO()
    report = make("markdown", stream)
    report.on(CaseFinished(case=toy_case("a_b"), verdict="failed", changes=(change,)))
    report.close()
    text = stream.getvalue()
    assert "### wiretape: the run was broken off" in text
    assert r"| a\_b | response.body: \*is\* \| &lt;new&gt; | medium | case a\_b |" in text
    assert text.count("````") == 2  # the fence is longer than what it holds


def test_github() -> None:
    assert written("github").splitlines() == [
        "::error title=wiretape%3A a::extra call on main ×3: SELECT 1; asked 3 times (medium)",
        "::error title=wiretape%3A a::missing call on main: INSERT x (medium)",
        "::error title=wiretape%3A a::response.body.id changed its type (high)",
        "::error title=wiretape%3A a::response.body.total: recorded 12.50, live 12.60 (medium)",
        '::error title=wiretape%3A a::response.body.at: no longer a timestamp: recorded "2026", live "soon" (medium)',
        "::error title=wiretape%3A a::response.body.gone is gone (high)",
        "::warning title=wiretape%3A a::response.body.new is new (low)",
        "::error title=wiretape%3A m::changed statement on main: SELECT a FROM t WHERE on; WHERE on is gone (high)",
        "::error title=wiretape%3A m::response.status: recorded 200, live 500 (high)",
        "::error title=wiretape%3A b::the service exited with code 7 (high)",
    ]


FILE = """\
wiretape: 1
name: a
request: {method: GET, path: /}
response:
  status: 200
  headers:
    Content-Type: application/json
  body:
    items:
    - {id: 1, name: x}
    - id: 2
      "odd key": y
calls:
- main: SELECT a FROM t
- main: SELECT b FROM t
  params:
  - 7
  - 8
"""


def test_places_are_lines_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "suite/a.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    monkeypatch.chdir(tmp_path)
    places = Places(replace(toy_case("a"), path=path))
    lines = {
        "response.status": 5,
        "response.headers.content-type": 7,
        "response.body.items[0].name": 10,
        'response.body.items[1]["odd key"]': 12,
        "response.body.items[1].gone": 11,
        "response.body.items[7]": 9,
        "calls": 13,
        "calls[0]": 14,
        "calls[1].params[1]": 18,
        "calls[1].params[9]": 16,
        "nowhere.at.all": 1,
        "": 1,
        "no [ selector": 1,
    }
    assert {place: places.line(place) for place in lines} == lines
    assert places.name("calls[1]") == "suite/a.yaml:15"
    path.unlink()
    assert Places(replace(toy_case("a"), path=path)).name("calls[1]") == "suite/a.yaml"


def test_annotations_and_json_stand_at_the_line_of_the_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a,b.yaml"
    path.write_text(FILE)
    monkeypatch.chdir(tmp_path)
    finding = CallFinding(kind="changed", target="main", operation="SELECT b\nFROM t", place="calls[1].params[0]")
    event = CaseFinished(
        case=replace(toy_case("a"), path=path),
        verdict="failed",
        changes=(Change(path="response.body.items[0].id", kind="changed", recorded=1, live="50%\n"),),
        calls=(finding,),
    )
    stream = io.StringIO()
    make("github", stream).on(event)
    assert stream.getvalue().splitlines() == [
        "::error file=a%2Cb.yaml,line=17,title=wiretape%3A a::changed call on main: SELECT b FROM t (medium)",
        '::error file=a%2Cb.yaml,line=10,title=wiretape%3A a::response.body.items[0].id: recorded 1, live "50%25\\n" (medium)',
    ]
    stream = io.StringIO()
    make("json", stream).on(event)
    line = json.loads(stream.getvalue())
    assert (line["calls"][0]["line"], line["changes"][0]["line"]) == (17, 10)
    assert "    calls[1].params[0], a,b.yaml:17" in [text for _, text in details(event)]


def test_every_report_of_the_table_can_be_made() -> None:
    for kind in REPORTS:
        make(kind, io.StringIO()).close()


def test_long_lines_about_calls_are_cut_when_they_are_written() -> None:
    operation = "SELECT " + "a, " * 500
    finding = CallFinding(kind="missing", target="main", operation=operation, details=(f"with values '{'x' * 900}'",))
    event = CaseFinished(case=toy_case("a"), verdict="failed", calls=(finding,))
    lines = [line for _, line in details(event)]
    assert max(map(len, lines)) < 500
    assert "… (1506 characters)  (medium)" in lines[0]
    assert lines[2].endswith("… (914 characters)")


def test_long_texts_show_where_they_differ() -> None:
    recorded, live = "x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500
    first, second = pair(recorded, live)
    assert first == f'recorded  …"{"x" * 40}a{"y" * 39}"…  at character 501'
    assert second == f'live      …"{"x" * 40}b{"y" * 39}"…'
    assert show("z" * 1000).endswith("… (1002 characters)")


def test_secrets_are_named_everywhere() -> None:
    mask = Mask({"token": "s3cret-value", "short": "abc"})
    change = mask.change(Change(path="p", kind="changed", recorded="abc", live={"Bearer s3cret-value": ["abcabc", "abc"]}))
    assert (change.recorded, change.live) == ("${secret:short}", {"Bearer ${secret:token}": ["abcabc", "${secret:short}"]})
    miss = mask.miss(
        Miss(ask=toy_ask(toy_call("SELECT 's3cret-value'")), nearest=toy_call("x", rows=["abc"]), advice="s3cret-value")
    )
    assert "s3cret" not in repr(miss)
    assert "'abc'" not in repr(miss)
    keys = Mask({"key": "-----BEGIN KEY-----\nMII\"x'y"})
    assert keys.text("recorded " + repr("-----BEGIN KEY-----\nMII\"x'y")) == "recorded '${secret:key}'"
    assert mask.text("value 1: recorded 'abc', live 'abcd'") == "value 1: recorded '${secret:short}', live 'abcd'"
    finding = CallFinding(
        kind="extra",
        target="main",
        operation="s3cret-value",
        miss=Miss(ask=toy_ask(toy_call("SELECT 's3cret-value'")), differences=("recorded 's3cret-value'",)),
        recorded=toy_call("s3cret-value"),
        details=("value s3cret-value",),
    )
    assert "s3cret" not in repr(mask.finding(finding))


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (Request(method="GET", target="/a?b=1&c=2"), "curl -i --path-as-is 'http://h:1/a?b=1&c=2'"),
        (Request(method="HEAD", target="/"), "curl -i --path-as-is -I http://h:1/"),
        (
            Request(
                method="POST",
                target="/",
                headers=(
                    ("Authorization", "Bearer ${secret:alice-token}"),
                    ("X-Empty", ""),
                    ("Content-Type", "application/json"),
                ),
                body=Body(kind="json", value={"it's": 1}),
            ),
            "curl -i --path-as-is -X POST -H 'Authorization: Bearer '\"$WIRETAPE_SECRET_ALICE_TOKEN\"'' -H 'X-Empty;' "
            "-H 'Content-Type: application/json' --data-raw '{\"it'\"'\"'s\":1}' http://h:1/",
        ),
        (
            Request(method="PUT", target="/", body=Body(kind="binary", value=b"\x00\xff")),
            "echo AP8= | base64 -d | curl -i --path-as-is -X PUT --data-binary @- http://h:1/",
        ),
    ],
)
def test_curl(request_: Any, line: str) -> None:
    assert curl(request_, "http://h:1/") == line


def test_the_file_is_named(tmp_path: Path) -> None:
    stream = io.StringIO()
    make("json", stream).on(replace(PASSED, case=replace(PASSED.case, path=tmp_path / "fine.yaml")))
    assert json.loads(stream.getvalue())["file"] == str(tmp_path / "fine.yaml")


def test_texts_of_several_lines_are_shown_as_the_lines_that_differ() -> None:
    was = "".join(f"line {n}\n" for n in range(100))
    change = Change(path="response.body", kind="changed", recorded=was, live=was.replace("line 50", "LINE 50"))
    lines = [line for _, line in details(CaseFinished(case=toy_case("a"), verdict="failed", changes=(change,)))]
    assert lines == [
        "  response.body  (medium)",
        "    - recorded, + live",
        "    @@ -50,3 +50,3 @@",
        "     line 49",
        "    -line 50",
        "    +LINE 50",
        "     line 51",
    ]
