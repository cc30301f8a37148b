"""The whole program: the demo's service is recorded with a real PostgreSQL behind it, then replayed without one."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures/demo"


def load_demo() -> ModuleType:
    """fixtures/demo/demo.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("wiretape_demo", DEMO / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo() -> Iterator[ModuleType]:
    yield load_demo()
    del sys.modules["wiretape_demo"]


@pytest.fixture(scope="module")
def recorded(demo: ModuleType, postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with the demo's recording; its database is dropped, and none is told of another."""
    url = postgres.url.removesuffix("/app") + "/orders"
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE orders")
        with psycopg.connect(url) as session:
            session.execute((DEMO / "schema.sql").read_text())  # type: ignore[call-overload]
        stage = demo.prepare(tmp_path_factory.mktemp("recorded"), url)
        stage.env["PYTHONPATH"] = str(ROOT)
        demo.record(stage)
        admin.execute("DROP DATABASE orders WITH (FORCE)")
    return stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one replay said."""

    code: int
    output: str
    cases: Mapping[str, dict[str, Any]]
    closing: Mapping[str, Any]

    @property
    def failed(self) -> dict[str, list[str]]:
        """The paths of the changes and the kinds of the call findings of each case that did not pass."""
        return {
            name: [change["path"] for change in event["changes"]] + [call["kind"] for call in event["calls"]]
            for name, event in self.cases.items()
            if event["verdict"] != "passed"
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A copy of the recording that a test may edit."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wiretape", *words], cwd=self.folder, env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip

    def replay(self, *words: str, build: str = "service/app.py", env: Mapping[str, str] | None = None) -> Replayed:
        report = self.folder / "report.jsonl"
        report.unlink(missing_ok=True)
        done = self.run("replay", "--report", f"json:{report}", *words, "--", sys.executable, str(DEMO / build), env=env)
        events = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        assert events, done.stdout
        cases = {event["case"]: event for event in events if event["event"] == "case"}
        return Replayed(code=done.returncode, output=done.stdout, cases=cases, closing=events[-1])

    def case(self, name: str) -> Path:
        return self.folder / f"suite/{name}.yaml"


@pytest.fixture
def project(recorded: Any, demo: ModuleType, tmp_path: Path) -> Project:
    """The recording under ports of its own, so that tests may run side by side."""
    shutil.copytree(recorded.folder, tmp_path, dirs_exist_ok=True)
    stage = demo.prepare(tmp_path, recorded.env["DATABASE_URL"])
    return Project(folder=tmp_path, env={**stage.env, "PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"DEMO_CURSOR": "binary"},
        {"DEMO_POOL": "1"},
        {"DEMO_POOL": "8", "DEMO_PREPARE": "0"},
        {"DEMO_PREPARE": "none"},
        {"DEMO_CURSOR": "binary", "DEMO_PREPARE": "0", "DEMO_POOL": "2"},
    ],
    ids=lambda change: " ".join(f"{name.removeprefix('DEMO_')}={value}" for name, value in change.items()) or "as recorded",
)
def test_the_recorded_build_passes_however_it_talks_to_its_database(project: Project, change: dict[str, str]) -> None:
    replayed = project.replay(env=change)
    assert replayed.failed == {}, replayed.output
    assert replayed.code == 0
    assert replayed.closing["passed"] == len(replayed.cases) > 40


def test_the_planted_regressions_are_found_and_nothing_else(demo: ModuleType, project: Project) -> None:
    stage = demo.Stage(folder=project.folder, front=0, env=dict(project.env))
    assert demo.second_build(stage) == (5, 5, 0)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("    - 39.90\n", "    - 41.90\n", "response.body.price"),
        ("status: 200", "status: 203", "response.status"),
        ("name: Desk lamp\n", "name: Desk lantern\n", "response.body.name"),
    ],
    ids=["a row", "the status", "a field of the body"],
)
def test_an_edit_by_hand_changes_just_what_it_should(project: Project, old: str, new: str, changed: str) -> None:
    name = "get-products-lamp-01-200"
    edit(project.case(name), old, new)
    replayed = project.replay()
    assert replayed.failed == {name: [changed]}, replayed.output
    assert replayed.code == 1


def test_comments_survive_accept(project: Project) -> None:
    name = "get-products-lamp-01-200"
    edit(project.case(name), "status: 200", "status: 203  # once it was cached")
    text = "# the lamp of the front page\n" + project.case(name).read_text()
    project.case(name).write_text(text)
    assert project.replay("--case", name).code == 1
    assert project.run("accept").returncode == 0
    assert project.case(name).read_text() == text.replace("status: 203 ", "status: 200 ")
    assert project.replay("--case", name).code == 0


def test_no_secret_reaches_a_case(project: Project) -> None:
    suite = "".join(path.read_text() for path in (project.folder / "suite").rglob("*.yaml"))
    kept = (project.folder / ".wiretape/secrets.yaml").read_text()
    for secret in ("correct horse battery", "staple-of-bob", "keys-of-the-shop"):
        assert secret not in suite
        assert secret in kept
    assert (project.folder / ".wiretape/secrets.yaml").stat().st_mode & 0o777 == 0o600


def test_secrets_come_from_the_environment(project: Project) -> None:
    secrets = project.folder / ".wiretape/secrets.yaml"
    import yaml

    named = yaml.safe_load(secrets.read_text())
    secrets.unlink()
    missing = project.run("replay", "--", sys.executable, str(DEMO / "service/app.py"))
    assert missing.returncode == 2
    assert "WIRETAPE_SECRET_" in missing.stdout
    given = {f"WIRETAPE_SECRET_{name.upper().replace('-', '_')}": str(value) for name, value in named.items()}
    assert project.replay(env=given).code == 0


def test_the_suite_is_clean(project: Project) -> None:
    done = project.run("lint")
    assert (done.returncode, done.stdout.count("error")) == (0, 0), done.stdout


def test_one_case_can_be_replayed_alone(project: Project) -> None:
    replayed = project.replay("--case", "get-products-lamp-*")
    assert replayed.code == 0
    assert list(replayed.cases) == ["get-products-lamp-01-200", "get-products-lamp-03-404"]


def test_the_committed_suite_replays(free_port: Callable[[], int], tmp_path: Path) -> None:
    """fixtures/suites/orders, its secrets from the environment as in CI."""
    shutil.copytree(ROOT / "fixtures/suites/orders", tmp_path, dirs_exist_ok=True)
    database = free_port()
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PORT": str(free_port()),
        "DB_PORT": str(database),
        "DATABASE_URL": f"postgresql://app:any@127.0.0.1:{database}/app",
        **dict(word.split("=", 1) for word in shlex.split((tmp_path / "secrets.env").read_text())),
    }
    replayed = Project(folder=tmp_path, env=env).replay()
    assert replayed.failed == {}, replayed.output
    assert (replayed.code, urlsplit(env["DATABASE_URL"]).port) == (0, database)
