"""A service with a login, CSRF tokens, tokens that expire, signed links and cursors, replayed on another day.

Recorded afresh, its servers stopped; then the whole of `wiretape replay` runs under the tester's faketime. Nothing is written
by hand: no template, no noise.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "fixtures/services/portal"
# Whose answers say what day it is. A link that had expired is asked for as it was, and has expired on any later day.
OF_THE_DAY = {"get-home-200", "get-home-200-2", "get-api-today-200"}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The suite as the recorder left it, beside a wiretape.yaml; the secrets as CI would give them."""

    folder: Path
    secrets: Mapping[str, str]

    def replay(
        self, place: Path, port: int, *options: str, source: Path = SERVICE, under: Sequence[str] = (), zone: str = "UTC"
    ) -> tuple[int, dict[str, str], str]:
        """Exit code, the verdict on each case, what was said. `under`: the tester's own faketime."""
        folder = shutil.copytree(self.folder, place / "suite-of")
        env = {**os.environ, **self.secrets, "PORT": str(port), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "TZ": zone}
        words = [
            *under, sys.executable, "-m", "wiretape", "replay", "-c", str(folder / "wiretape.yaml"), "--report", "terminal",
            "--report", f"json:{place / 'report.jsonl'}", *options, "--", sys.executable, "app.py",
        ]  # fmt: skip
        done = subprocess.run(
            words, cwd=source, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        events = [json.loads(line) for line in (place / "report.jsonl").read_text(encoding="utf-8").splitlines()]
        return done.returncode, {event["case"]: event["verdict"] for event in events if event["event"] == "case"}, done.stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    place = tmp_path_factory.mktemp("portal")
    script = ROOT / "fixtures/services/record.py"  # it makes sure that no server listens any more
    done = subprocess.run(
        [sys.executable, str(script), "portal", "--into", str(place)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(done.stdout, pytrace=False)
    lines = (place / "portal/secrets.env").read_text(encoding="utf-8").splitlines()
    return Recorded(
        folder=place / "portal", secrets={name: text.strip("'") for name, _, text in (line.partition("=") for line in lines)}
    )


def the_first_of_next_month() -> str:
    return f"{(datetime.now(UTC).replace(day=28) + timedelta(days=4)).replace(day=1):%Y-%m-%d} 00:10:00"


def the_night_summer_time_begins() -> str:
    """Of the next year, in Central Europe: half an hour after the clocks were put forward, on the last Sunday of March."""
    last = datetime(datetime.now(UTC).year + 1, 3, 31, tzinfo=UTC)
    return f"{last - timedelta(days=(last.weekday() + 1) % 7):%Y-%m-%d} 03:30:00"


DAYS = {
    "the same day": "",
    "a day later": "+1 day",
    "90 days later": "+90 days",
    "in another month": the_first_of_next_month(),
    "in summer time": the_night_summer_time_begins(),
    "a leap year later": "2028-02-29 23:59:50",
}


@pytest.mark.parametrize(("day", "zone"), [*((day, "UTC") for day in DAYS), ("in summer time", "Europe/Berlin")])
def test_it_is_green_on_another_day_with_its_time_frozen(
    recorded: Recorded, tmp_path: Path, free_port: Callable[[], int], day: str, zone: str
) -> None:
    under = ["faketime", DAYS[day]] if DAYS[day] else []
    code, verdicts, said = recorded.replay(tmp_path, free_port(), under=under, zone=zone)
    assert set(verdicts.values()) == {"passed"}, said
    assert len(verdicts) >= 40
    assert "warning" not in said
    assert code == 0


@pytest.mark.parametrize("shift", ["+1 day", "+13 days"])
def test_by_the_clock_only_what_says_the_day_differs(
    recorded: Recorded, tmp_path: Path, free_port: Callable[[], int], shift: str
) -> None:
    """Until the orders in the rows served are overdue, and the refresh tokens there have expired."""
    code, verdicts, said = recorded.replay(tmp_path, free_port(), "--no-freeze-time", under=["faketime", shift])
    assert {name for name, verdict in verdicts.items() if verdict != "passed"} == OF_THE_DAY, said
    assert code == 1


def test_nothing_was_written_by_hand(recorded: Recorded) -> None:
    settings = yaml.safe_load((recorded.folder / "suite/suite.yaml").read_text(encoding="utf-8"))
    assert set(settings) <= {"wiretape", "facts"}
    assert not yaml.safe_load((SERVICE / "service.yaml").read_text(encoding="utf-8")).get("noise")


# What is changed in which file, and the case that shows it.
REGRESSIONS = {
    "requests from anywhere": ("app.py", 'headers.get("X-CSRF-Token") != about["csrf"]', "method == 0", "post-api-token-403"),
    "any token in the form": ("signing.py", "bool(cookie) and hmac.compare_digest(", "bool(cookie) or bool(", "post-login-403"),
    "access for 20 minutes": ("signing.py", '"exp": now + ACCESS', '"exp": now + ACCESS + 300', "post-api-token-200"),
    "a token for another": ("signing.py", '"sub": str(user)', '"sub": str(user + 1)', "post-api-token-200"),
    "a session for a day": ("app.py", "SESSION = 3600", "SESSION = 86400", "post-login-303"),
    "a cookie that scripts can read": ("app.py", "httponly=True, ", "", "post-login-303"),
    "refreshing for ever": ("app.py", "timedelta(days=30)", "timedelta(days=3000)", "post-api-token-200"),
    "refreshing twice": ("app.py", 'found["used"] or ', "", "post-api-token-refresh-401"),
    "links for ever": ("signing.py", "int(expires) < time.time()", "int(expires) < 0", "get-download-id-401-2"),
    "any signature": ("signing.py", 'mac(f"{path}?{expires}"), signature', "signature, signature", "get-download-id-401"),
    "another's order": ("app.py", 'row is None or row["owner"] != owner', "row is None", "get-api-orders-id-404"),
    "a nonce twice": ("app.py", "store().getdel(", "store().get(", "post-api-transfers-201"),
    "the page begins too early": ("app.py", "(created, id) > (", "(created, id) >= (", "get-api-orders-200-3"),
    "a cursor without a time": ("app.py", '"created": page[-1]["created"].isoformat(), "id"', '"id"', "get-api-orders-200-2"),
    "due a day later": ("app.py", "timedelta(days=14)", "timedelta(days=15)", "post-api-orders-201"),
    "tomorrow": ("app.py", "day: date = datetime", "day: date = timedelta(days=1) + datetime", "get-api-today-200"),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_is_found_a_day_later(recorded: Recorded, tmp_path: Path, free_port: Callable[[], int], name: str) -> None:
    file, old, new, where = REGRESSIONS[name]
    source = shutil.copytree(SERVICE, tmp_path / "build", ignore=shutil.ignore_patterns("__pycache__"))
    text = (source / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (source / file).write_text(text.replace(old, new), encoding="utf-8")
    code, verdicts, said = recorded.replay(tmp_path, free_port(), source=source, under=["faketime", "+1 day"])
    assert verdicts[where] == "failed", said
    assert code == 1
