"""Real MongoDB drivers do the same against a real server and, with that stopped, against its recording: same answers, no
misses, no findings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.calls import compare
from replayer.mocks import Mocks
from tests.live.relay import Relay
from tests.live.replayed import listening
from tests.live.servers import secantus
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.casedump import case_text
from wiretape.casefile import read_case
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction
from wiretape.tree import Tree
from wiretape.yamlio import load

CODEC = codec("mongo")
PROGRAMS = Path(__file__).parents[1] / "compat" / "programs" / "mongo"
SECONDS = 120
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("mongo-java-driver", "bson"))
COMMANDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        ".py": (sys.executable, "-P"),
        ".mjs": ("node",),
        ".rb": ("ruby",),
        ".php": ("php",),
        ".pl": ("perl",),
        ".go": ("go", "run"),
        ".java": ("java", "-XX:TieredStopAtLevel=1", "-cp", JARS),
    }
)
GO: Mapping[str, str] = MappingProxyType(
    {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": f"{tempfile.gettempdir()}/wiretape-{os.getuid()}-go"}
)

ALIKE = ("pymongo.py", "pymongo_async.py", "motor.py", "mongodb.mjs")  # they take the same walk
OTHERS = ("mongodb.php", "mongo.rb", "mongodb.pl", "mongodb.go", "MongoJava.java")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    output: str
    interactions: Sequence[Interaction]
    facts: Mapping[str, Tree]
    case: Case


def run(program: str, url: str) -> str:
    """What a program of the compatibility table prints."""
    file = PROGRAMS / program
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", **GO}
    done = subprocess.run(
        [*COMMANDS[file.suffix], str(file), url], env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def record(server: secantus.Secantus, program: str) -> Recording:
    with Relay(server.port) as relay:
        output = run(program, server.at(relay.port))
    taps = [CODEC.tap() for _ in relay.connections]
    interactions = [
        one for at, (number, side, data) in enumerate(relay.all) for one in taps[number].feed(side, data, float(at))
    ]
    interactions += [one for tap in taps for one in tap.close(float(len(relay.all)))]
    interactions.sort(key=lambda one: one.started)
    facts: Mapping[str, Tree] = {}
    for tap in taps:
        facts = CODEC.merge_facts(facts, tap.facts)
    calls = tuple(
        Call(target="main", operation=one.operation, fields=one.fields) for one in interactions if one.role != "housekeeping"
    )
    return Recording(output=output, interactions=interactions, facts=facts, case=written(calls))


def written(calls: tuple[Call, ...]) -> Case:
    """A case of these calls, as it is on disk."""
    text, _ = case_text(
        Case(name="walk", request=Request(method="GET", target="/"), response=Response(status=200), calls=calls), "walk"
    )
    return read_case(load(text.encode(), "walk.yaml")).sound("walk.yaml")


def replay(recording: Recording, program: str, url: str, **told: Tree) -> tuple[str, list[str]]:
    """What a program prints where only the recording answers, and all that was not as recorded. `told`: facts besides."""
    book = Book(Suite(root=Path(), cases=(recording.case,)), {"main": CODEC})
    book.begin(recording.case, When(recorded=time.time(), live=time.time()))
    with mocked(book, {**recording.facts, **told}) as port:
        output = run(program, url.format(port=port))
    outcome = book.end()
    return output, [miss.explain() for miss in outcome.misses] + [repr(one) for one in compare(outcome)]


@contextmanager
def mocked(book: Book, facts: Mapping[str, Tree]) -> Iterator[int]:
    """The replay's mocks, in a thread of their own: the port they listen on."""
    target = Target(name="main", protocol="mongo", listen=Address(host="127.0.0.1", port=0))
    mocks = Mocks({"main": target}, {"main": facts}, {"main": CODEC}, book, Path())
    with listening(mocks) as port:
        yield port


def answered(recording: Recording, program: str, server: secantus.Secantus, **told: Tree) -> None:
    """The program gets what the real server answered, and asks nothing else."""
    output, problems = replay(recording, program, server.at(0).replace(":0/", ":{port}/"), **told)
    assert output == recording.output
    assert problems == []


@pytest.fixture(scope="module")
def walks(mongo: secantus.Secantus) -> Mapping[str, Recording]:
    return {program: record(mongo, program) for program in ALIKE}


@pytest.mark.parametrize("played", ALIKE)
@pytest.mark.parametrize("made", ALIKE)
def test_drivers_are_served_what_another_recorded(
    mongo: secantus.Secantus, walks: Mapping[str, Recording], made: str, played: str
) -> None:
    assert not [one for one in walks[made].interactions if one.incomplete]
    answered(walks[made], played, mongo)


@pytest.mark.parametrize("program", [*OTHERS, "crowd.py"])
def test_a_driver_gets_the_recorded_answers(mongo: secantus.Secantus, program: str) -> None:
    answered(record(mongo, program), program, mongo)


@pytest.mark.parametrize("program", ["transactions.py", "corners.py", "streams.py", "mongodb.mjs", "mongodb.go"])
def test_a_replica_sets_answers_are_played_back(mongo_replicas: secantus.Secantus, program: str) -> None:
    answered(record(mongo_replicas, program), program, mongo_replicas)


def test_recorded_calls_can_be_served(walks: Mapping[str, Recording]) -> None:
    for recording in walks.values():
        assert [problem for call in recording.case.calls for problem in CODEC.check(call, recording.facts)] == []


def test_a_replica_set_is_found_where_the_mock_listens(mongo_replicas: secantus.Secantus) -> None:
    recording = record(mongo_replicas, "mongodb.mjs")
    book = Book(Suite(root=Path(), cases=(recording.case,)), {"main": CODEC})
    book.begin(recording.case, When(recorded=time.time(), live=time.time()))
    facts: dict[str, Tree] = dict(recording.facts)
    with mocked(book, facts) as port:
        facts["address"] = f"127.0.0.1:{port}"
        assert run("mongodb.mjs", f"mongodb://127.0.0.1:{port}/app?replicaSet=secantus") == recording.output
    assert book.end().misses == ()


@pytest.fixture(scope="module")
def guarded() -> Iterator[secantus.Secantus]:
    with secantus.serve(auth=True) as server:
        yield server


@pytest.mark.parametrize("program", ["pymongo.py", "mongodb.mjs", "mongodb.go", "mongodb.php", "mongodb.pl"])
def test_a_client_that_proves_its_password_is_let_in_where_the_mock_knows_it(guarded: secantus.Secantus, program: str) -> None:
    recording = record(guarded, program)
    assert recording.facts["auth"] == "SCRAM-SHA-256"
    answered(recording, program, guarded, password=secantus.PASSWORD)


def test_a_client_is_told_what_to_do_about_its_password(guarded: secantus.Secantus) -> None:
    program, server = "mongodb.mjs", guarded
    recording = record(server, program)
    with pytest.raises(AssertionError, match="another password than the target"):
        answered(recording, program, server, password="another")
    with pytest.raises(AssertionError, match="set the target's password"):
        answered(recording, program, server)
