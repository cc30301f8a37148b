"""Real drivers do the same against a real server and against its recording, and get the same answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import psycopg
import pytest

from tests.conftest import Postgres
from tests.laws.book import Book, calls
from tests.live.drivers import DATABASE, PASSWORD, SCENARIOS, SETUP, USER, Answers, dsn, psycopg_steps, psycopg_types
from tests.live.mock import Mock
from tests.live.relay import Relay
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction
from wiretape.tree import Tree

CODEC = codec("postgres")
RECORDED = list(SCENARIOS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a driver was answered by the real server, and what the tap made of it."""

    answers: Answers
    interactions: Sequence[Interaction]
    facts: Mapping[str, Tree]


def record(port: int, scenario: Callable[[int], Answers]) -> Recording:
    with psycopg.connect(dsn(port), autocommit=True) as admin:
        admin.execute(SETUP.encode())
    with Relay(port) as relay:
        answers = scenario(relay.port)
    interactions: list[Interaction] = []
    facts: Mapping[str, Tree] = {}
    for chunks in relay.connections:
        tap = CODEC.tap()
        for side, data in chunks:
            interactions += tap.feed(side, data, 0.0)
        interactions += tap.close(0.0)
        facts = CODEC.merge_facts(facts, tap.facts)
    return Recording(answers=answers, interactions=interactions, facts=facts)


def replay(recording: Recording, scenario: Callable[[int], Answers]) -> tuple[Answers, Book]:
    book = Book(CODEC, calls(recording.interactions))
    with Mock(CODEC, recording.facts, book) as mock:
        return scenario(mock.port), book


@pytest.mark.parametrize("name", RECORDED)
def test_a_driver_gets_the_recorded_answers(postgres: Postgres, name: str) -> None:
    recording = record(postgres.port, SCENARIOS[name])
    assert not [one for one in recording.interactions if one.incomplete]
    answers, book = replay(recording, SCENARIOS[name])
    assert answers == recording.answers
    assert book.misses == []


WAYS: Mapping[str, Callable[[int], Answers]] = {
    name: SCENARIOS[name] for name in ("psycopg3-text", "psycopg3-binary", "psycopg3-prepared", "psycopg3-unprepared")
}


def untyped(answers: Answers) -> str:
    """Answers without the generated names in them."""
    return re.sub(r"_pg3_\w+", "", repr(answers))


@pytest.mark.parametrize("made", WAYS)
@pytest.mark.parametrize("served", WAYS)
def test_formats_and_preparing_may_change(postgres: Postgres, made: str, served: str) -> None:
    recording = record(postgres.port, WAYS[made])
    answers, book = replay(recording, WAYS[served])
    assert untyped(answers) == untyped(recording.answers)
    # a driver that prepares deallocates, too: that is answered by the mock itself
    assert {ask.role for ask in book.misses} <= {"housekeeping"}


def test_asyncpg_is_served_what_psycopg_recorded(postgres: Postgres) -> None:
    """The other driver asks for everything in binary, describes statements first, and looks types up by itself."""

    def ask(port: int) -> Answers:
        with psycopg.connect(dsn(port), autocommit=True) as connection:
            rows = connection.execute("SELECT id, name, price, made FROM thing WHERE id = %s", (1,)).fetchall()
            try:
                connection.execute("INSERT INTO thing (name) VALUES (%s)", ("bolt",))
            except psycopg.Error as error:
                return [*rows, error.sqlstate]
        return []

    async def ask_async(port: int) -> Answers:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False
        )
        try:
            rows = await connection.fetch("SELECT id, name, price, made FROM thing WHERE id = $1", 1)
            try:
                await connection.execute("INSERT INTO thing (name) VALUES ($1)", "bolt")
            except asyncpg.PostgresError as error:
                return [*map(tuple, rows), error.sqlstate]
        finally:
            await connection.close()
        return []

    recording = record(postgres.port, ask)
    answers, book = replay(recording, lambda port: asyncio.run(ask_async(port)))
    assert answers == recording.answers
    assert book.misses == []


def test_types_of_the_database_are_known_on_other_connections(postgres: Postgres) -> None:
    recording = record(postgres.port, psycopg_types)
    types = recording.facts["types"]
    assert isinstance(types, dict)
    assert set(types) == {"mood", "point2", "floatspan"}
    answers, _ = replay(recording, psycopg_types)
    assert answers == recording.answers


def test_a_miss_is_the_protocols_own_error(postgres: Postgres) -> None:
    recording = record(postgres.port, psycopg_steps)
    book = Book(CODEC, calls(recording.interactions))
    with Mock(CODEC, recording.facts, book) as mock, psycopg.connect(dsn(mock.port)) as connection:
        with pytest.raises(psycopg.DatabaseError, match="no recorded call on main answers: SELECT unheard") as caught:
            connection.execute("SELECT unheard")
        assert caught.value.sqlstate == "WT001"
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT name FROM thing WHERE id = %s", (1,))
        connection.rollback()
        assert connection.execute("SELECT name FROM thing WHERE id = %s", (1,)).fetchone() == ("bolt",)


def test_asyncpg_learns_the_types_of_another_drivers_recording(postgres: Postgres) -> None:
    async def ask(port: int) -> Answers:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False
        )
        try:
            return [tuple(row) for row in await connection.fetch("SELECT id, m, p, e, f, ms FROM kind ORDER BY id")]
        finally:
            await connection.close()

    recording = record(postgres.port, psycopg_types)
    answers, book = replay(recording, lambda port: asyncio.run(ask(port)))
    assert answers[0] == (1, "happy", (1, "one"), "a@b", asyncpg.Range(1.5, 2.5), ["sad", "ok"])
    assert {ask.role for ask in book.misses} == {"housekeeping"}


def test_any_password_is_accepted() -> None:
    with Mock(CODEC, {}, Book(CODEC, ())) as mock:
        wrong = dsn(mock.port).replace(PASSWORD, "wrong")
        with psycopg.connect(wrong, autocommit=True) as connection:
            assert connection.execute("SHOW TimeZone").fetchone() == ("Etc/UTC",)
