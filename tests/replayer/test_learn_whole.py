"""`wiretape learn` as a person runs it, on a service that answers a little otherwise each time."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVICE = Path(__file__).with_name("noisy.py")
ROOT = Path(__file__).parents[2]
REPORT = """\
# what the cities report
wiretape: 1
name: report
recorded: "2026-11-20T10:00:00Z"
request: {method: GET, path: /report}
response:
  status: 200   # fine
  headers: {content-type: application/json}
  body:
    total: 6
    cities:
    - {city: Aachen, share: 0.5001, unit: "%"}
    - {city: Bonn, share: 0.5001, unit: "%"}
    - {city: Celle, share: 0.5001, unit: "%"}
    - {city: Dessau, share: 0.5001, unit: "%"}
    - {city: Essen, share: 0.5001, unit: "%"}
    - {city: Fulda, share: 0.5001, unit: "%"}
    by: worker-0a1b2c3d
"""
PLAIN = """\
wiretape: 1
name: plain
recorded: "2026-11-20T10:00:01Z"
request: {method: GET, path: /plain}
response: {status: 200, headers: {content-type: application/json}, body: {ok: true}}
"""
ORDER = """\
wiretape: 1
name: order
recorded: "2026-11-20T10:00:02Z"
request: {method: GET, path: /order}
response:
  status: 200
  headers: {content-type: application/json}
  body: {number: N-0a1b2c3d, cities: [Aachen, Bonn]}
calls:
- main: SELECT name, size FROM cities WHERE name IN ($1, $2, $3, $4, $5, $6) AND size > $7
  params: [Aachen, Bonn, Celle, Dessau, Essen, Fulda, 10]
  columns: {name: text, size: int4}
  rows:
  - [Aachen, 20]
  - [Bonn, 30]
- main: INSERT INTO orders (number, size) VALUES ($1, $2)
  params: [N-0a1b2c3d, 10]
  tag: INSERT 0 1
"""


@dataclass(kw_only=True)
class Home:
    folder: Path
    port: int

    def __call__(self, command: str, *words: str, behaviour: str = "") -> subprocess.CompletedProcess[str]:
        service = [sys.executable, str(SERVICE), str(self.port), *([behaviour] if behaviour else [])]
        return subprocess.run(
            [sys.executable, "-m", "wiretape", command, *words, *(["--", *service] if command in ("learn", "replay") else [])],
            cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT), "WIRETAPE_DEBUG": "1"}, text=True,
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip

    def case(self, name: str) -> str:
        return (self.folder / f"suite/{name}.yaml").read_text()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "suite").mkdir()
    (tmp_path / "wiretape.yaml").write_text(
        "wiretape: 1\nsuite: suite\n"
        f"service: {{url: 'http://127.0.0.1:{port}', env: {{DATABASE_URL: 'postgresql://app@127.0.0.1:${{main.port}}/app'}}}}\n"
        "targets: {main: {protocol: postgres}}\n"
    )
    for text in (REPORT, PLAIN):
        (tmp_path / f"suite/{text.split('name: ')[1].split()[0]}.yaml").write_text(text)
    return Home(folder=tmp_path, port=port)


def test_what_varies_is_written_once_and_what_is_constant_stays_compared(home: Home) -> None:
    before = home("learn")
    assert before.returncode == 0, before.stderr
    assert home.case("report") == REPORT
    assert re.fullmatch(
        r"suite/report.yaml:\n"
        r"- response.body.cities: unordered by city  # 3 runs: \[\w+(, \w+)*…?\] \| .*\n"
        r"- response.body.cities\[\].share: within 0.001  # 3 runs: 0.5\d*, 0.5\d*, 0.5\d*; so do 5 more places\n"
        r"- response.body.by: like worker-\{8 hex\}  # 3 runs: worker-\w{8}, worker-\w{8}, worker-\w{8}\n"
        r"3 rules proposed after \d+ runs; with them every case passes; --write puts them into the files\n",
        "".join(sorted(before.stdout.splitlines(keepends=True), key=_as_told)),
    ), before.stdout

    written = home("learn", "--write")
    assert "3 rules written after" in written.stdout
    text = home.case("report")
    assert text.startswith(REPORT)
    rules = r"noise:\n(- response\.body\S+: .*  # 3 runs: .*\n){3}"
    assert re.fullmatch(rules, text.removeprefix(REPORT)), text
    assert home.case("plain") == PLAIN
    assert home("lint").returncode == 0

    again = home("learn", "--write")
    assert again.stdout == "after 3 runs: nothing differs from run to run\n"
    assert home.case("report") == text
    assert home("replay").returncode == 0


def _as_told(line: str) -> int:
    words = ("suite/", "- response.body.cities:", "- response.body.cities[", "- response.body.by", "3 rules")
    return next(at for at, start in enumerate(words) if line.startswith(start))


def test_a_constant_that_is_not_what_was_recorded_is_no_noise(home: Home) -> None:
    done = home("learn", "--write", behaviour="other")
    assert done.returncode == 1
    assert "\nand not noise:\n- report: response.body.total constant over " in done.stdout
    assert " runs, but not what was recorded: 7, recorded 6; not noise\n" in done.stdout
    assert done.stdout.endswith("; with them 1 case fails all the same\n")
    assert "total:" not in home.case("report").partition("noise:")[2]


def test_a_status_that_comes_and_goes_is_no_noise(home: Home) -> None:
    done = home("learn", "--case", "plain", "--runs", "6", behaviour="flapping")
    assert done.returncode == 1
    assert "plain: response.status differs from run to run, but a status is never noise; not noise" in done.stdout
    assert "1 case fails all the same; nothing of it is noise" in done.stdout


def test_calls_made_with_random_values_and_in_any_order(home: Home) -> None:
    (home.folder / "suite/order.yaml").write_text(ORDER)
    done = home("learn", "--case", "order", "--write", "--runs", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    text = home.case("order")
    assert text.startswith(ORDER)
    for at in range(6):
        assert f"- calls[0].params[{at}]: unordered  # " in text
    assert "params[6]" not in text
    assert "- calls[1].params[0]: like N-{8 hex}  # 4 runs: N-" in text
    assert "- response.body.number: like N-{8 hex}  # 4 runs: N-" in text
    assert "calls[1].params[1]" not in text
    assert home("lint").returncode == 0
    assert home("replay", "--case", "order").returncode == 0

    found = home("replay", "--case", "order", behaviour="write")
    assert found.returncode == 1
    assert "value 2 (size): recorded '10', live '11'" in found.stdout
    audited = home("audit", "--case", "order")
    assert audited.returncode == 0, audited.stdout


def test_a_write_with_another_value_is_no_noise(home: Home) -> None:
    (home.folder / "suite/order.yaml").write_text(ORDER)
    done = home("learn", "--case", "order", "--write", behaviour="write")
    assert done.returncode == 1
    assert "- order: calls[1].params[1] changed call on main: INSERT INTO orders (number, size) VALUES ($1, $2) " in done.stdout
    assert "calls[1].params[1]" not in home.case("order")


def test_a_number_of_calls_that_differs_is_told_not_hidden(home: Home) -> None:
    (home.folder / "suite/order.yaml").write_text(ORDER)
    done = home("learn", "--case", "order", "--runs", "5", behaviour="calls")
    assert done.returncode == 1
    told = r"calls\[1\] retried call on main: INSERT INTO orders .*: in \d of 5 runs, which calls are made differs; not noise"
    assert re.search(told, done.stdout), done.stdout


def test_what_cannot_be_learned_from(home: Home) -> None:
    one = home("learn", "--runs", "1")
    assert (one.returncode, "2" in one.stderr) == (2, True)
    none = home("learn", "--case", "nothing")
    assert none.returncode == 2
    assert "no case is called nothing" in none.stderr
