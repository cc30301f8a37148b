"""The mutation bench: a sample of its regressions is made for real, and docs/mutations.md says what its lists hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "fixtures/mutants"
PAGE = (ROOT / "docs/mutations.md").read_text(encoding="utf-8")
LISTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(BENCH.glob("*.yaml"))}


def mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, told in LISTS.items():
        for entry in told["mutants"]:
            yield name, entry


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=600,
    )  # fmt: skip


def test_a_sample_of_regressions_is_found_at_the_right_place() -> None:
    done = run("--sample")
    sampled = [entry["id"] for _, entry in mutants() if entry.get("sampled")]
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r": found$", done.stdout, re.MULTILINE)) == len(sampled) >= 8


def test_a_regression_reported_elsewhere_is_no_success(tmp_path: Path) -> None:
    text = (BENCH / "mongo-library.yaml").read_text(encoding="utf-8")
    assert "post-books-id-loan-200:" in text
    (tmp_path / "mongo-library.yaml").write_text(text.replace("post-books-id-loan-200:", "get-years-200:"), encoding="utf-8")
    done = run("mongo-library/members-for-readers", "--lists", str(tmp_path))
    assert done.returncode == 1
    assert "members-for-readers: found, AT THE WRONG PLACE: get-years-200 did not fail" in done.stdout
    assert "post-books-id-loan-200 failed" in done.stdout


def test_a_list_that_is_wrong_about_responses_is_told_so(tmp_path: Path) -> None:
    entries = [entry for entry in LISTS["mongo-library"]["mutants"] if entry["id"] in ("loans-set", "unknown-titles-added")]
    assert {entry["visible"] for entry in entries} == {"calls", "later"}
    for entry in entries:
        entry = entry | ({"visible": "response"} if entry["id"] == "loans-set" else {})
        told = {"mutants": [entry], "equivalent": []}
        (tmp_path / "mongo-library.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
        done = run("--real", "--lists", str(tmp_path))
        right = entry["id"] == "unknown-titles-added"
        words = "a later response differs" if right else "NO RESPONSE DIFFERS, WHICH THE LIST DENIES"
        assert f"mongo-library/unchanged: no response differs\nmongo-library/{entry['id']}: {words}\n" in done.stdout
        assert done.returncode == (not right)


def test_a_change_that_does_not_fit_its_file_is_said(tmp_path: Path) -> None:
    told = {"mutants": [], "equivalent": [{"id": "odd", "what": "x", "file": "app.py", "old": "return", "new": "return 1;"}]}
    (tmp_path / "mongo-library.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    done = run("--lists", str(tmp_path))
    assert done.returncode == 1
    assert re.search(r"mongo-library: odd: app.py says 'return' \d+ times", done.stdout)


def test_a_pattern_that_fits_nothing_is_said() -> None:
    done = run("no-such-service/*")
    assert done.returncode == 1
    assert done.stdout.strip() == "no change is called no-such-service/*"


def test_the_page_holds_what_the_lists_hold() -> None:
    for name, told in LISTS.items():
        listed = {(entry["id"], entry["class"], entry["visible"]) for entry in told["mutants"]}
        assert {tuple(row[:3]) for row in rows(name)} == listed, f"{name}: run make mutants"
    nothing = {(name, entry["id"]) for name, told in LISTS.items() for entry in told["equivalent"]}
    assert {tuple(row[:2]) for row in rows("Changes that mean nothing")} == nothing
    assert {row[3] for row in rows("Changes that mean nothing")} == {"yes"}


def test_there_are_enough_of_them_over_enough_services_and_half_are_seen_in_calls_only() -> None:
    every = list(mutants())
    assert len(every) >= 60
    assert len({name for name, _ in every}) >= 4
    assert 2 * sum(entry["visible"] == "calls" for _, entry in every) >= len(every)


def test_nearly_all_are_found_at_the_right_place() -> None:
    verdicts = [row[4] for name in LISTS for row in rows(name)]
    assert verdicts.count("yes") >= 0.97 * len(verdicts)


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_name_cases_that_exist_and_never_one_id_twice(name: str) -> None:
    suite = ROOT / "fixtures/suites" / name / "suite"
    cases = {path.stem for path in suite.glob("*.yaml")}
    ids = [entry["id"] for entry in (*LISTS[name]["mutants"], *LISTS[name]["equivalent"])]
    assert len(ids) == len(set(ids))
    for entry in LISTS[name]["mutants"]:
        assert entry["found"], entry["id"]
        for pattern in (*entry["found"], *entry.get("also", ())):
            wanted = re.compile(re.escape(pattern).replace(r"\*", ".*"))
            assert any(wanted.fullmatch(case) for case in cases), f"{entry['id']}: {pattern}"
