"""`wiretape audit` as a person runs it: the demo's suite is strict, and each way to weaken it is found and named."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDERS = ROOT / "fixtures/suites/orders"


def secrets() -> Mapping[str, str]:
    lines = (ORDERS / "secrets.env").read_text().splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def audit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **secrets(), "PYTHONPATH": str(ROOT), "PORT": "1", "DB_PORT": "2"}
    return subprocess.run(
        [sys.executable, "-m", "wiretape", "audit", *words], cwd=folder, env=env, text=True, capture_output=True, timeout=120
    )


def share(output: str) -> float:
    found = re.search(r"of 10 cases would be found: ([\d.]+) %", output)
    assert found, output
    return float(found[1])


def noise(*rules: str) -> Callable[[Path], None]:
    def weaken(folder: Path) -> None:
        with (folder / "suite/suite.yaml").open("a") as file:
            file.write("noise:\n" + "".join(f"- {rule}\n" for rule in rules))

    return weaken


def calls(strictness: str) -> Callable[[Path], None]:
    def weaken(folder: Path) -> None:
        with (folder / "suite/suite.yaml").open("a") as file:
            file.write(f"calls: {strictness}\n")

    return weaken


def both(*several: Callable[[Path], None]) -> Callable[[Path], None]:
    def weaken(folder: Path) -> None:
        for each in several:
            each(folder)

    return weaken


def ambiguous(folder: Path) -> None:
    case = folder / "suite/post-orders-201.yaml"
    text = case.read_text()
    insert = "- main: INSERT INTO outbox (topic, payload) VALUES ($1, $2)\n"
    assert insert in text
    case.write_text(text.replace(insert, f"{insert}  ambiguous: [post-orders-409]\n"))


def nothing(folder: Path) -> None:
    assert folder.is_dir()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weak:
    """How the suite is weakened, what of it audit must say, and the most that may be found: 100 where the weakness is not in
    what is found."""

    how: Callable[[Path], None]
    says: str
    most: float = 94.9
    least: str = "95"
    words: tuple[str, ...] = ()


WEAK: Mapping[str, Weak] = {
    "blanket noise": Weak(how=noise("response.body.**: any"), says=r"^noise: response\.body\.\*\* hides \d{2,} mutations$"),
    "ignored status": Weak(
        how=noise("response.status: any"),
        says=r"^noise: response\.status hides 10 mutations$",
        most=98,
        least="99",
    ),
    "asserting nothing": Weak(
        how=both(noise("response.**: any"), calls("off")),
        says=r"^get-orders-401: nothing that could change in it would be found$"
    ),
    "wildcard match": Weak(how=noise("'**': any"), says=r"^noise: \*\* hides \d{2,} mutations$"),
    "calls off": Weak(how=calls("off"), says=r"^calls: off in suite\.yaml lets \d{2,} mutations through$"),
    "calls of writes only": Weak(how=calls("writes"), says=r"^calls: writes in suite\.yaml lets \d{2,} mutations through$"),
    "headers ignored": Weak(
        how=noise("response.headers.*: any"),
        says=r"^noise: response\.headers\.\* hides \d+ mutations$",
        most=99.6,
        least="99.9",
    ),
    "anything in every field": Weak(
        how=noise("response.body.*: any", "response.body.items[].*: any"),
        says=r"^noise: response\.body\.\* hides \d{2,} mutations$"
    ),
    "any string in every field": Weak(
        how=noise("response.body.*: string", "response.body.items[].*: string"),
        says=r"^noise: response\.body\.\* hides \d+ mutations$",
        most=97,
        least="98",
    ),
    "any values of calls": Weak(how=noise("calls[].params[]: any"), says=r"^noise: calls\[\]\.params\[\] hides \d+ mutations$"),
    "lists in any order": Weak(
        how=noise("response.body.items: unordered"),
        says=r"^not found: get-products-200: response\.body\.items is put in another order \(noise: response\.body\.items\)$",
        most=99.9,
        least="100",
    ),
    "dead rules": Weak(
        how=noise("response.body.nowhere: any"),
        says=r"^suite\.yaml: noise response\.body\.nowhere matches nothing in any case; correct or remove it$",
        most=100,
    ),
    "calls that nobody needs": Weak(
        how=ambiguous,
        says=r"^post-orders-201: calls\[8\] is ambiguous \(post-orders-409\), so nobody misses it: INSERT INTO outbox",
        most=99.9,
    ),
    "only what is grave fails": Weak(
        how=nothing, says=r"^--fail-on high lets \d{3,} mutations through$", words=("--fail-on", "high")
    ),
}  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copytree(ORDERS, tmp_path / "orders")
    return tmp_path / "orders"


def test_the_demo_suite_is_strict(suite: Path) -> None:
    done = audit(suite, "--min", "95")
    assert (done.returncode, done.stderr) == (0, "")
    assert share(done.stdout) > 95


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_suite_is_found_and_told_why(suite: Path, name: str) -> None:
    weak = WEAK[name]
    weak.how(suite)
    done = audit(suite, "--min", weak.least, "--all", *weak.words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(weak.says, done.stdout, re.MULTILINE), done.stdout[:2000]
    assert share(done.stdout) <= weak.most
