"""A connection is told what others notify, when its turn has come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from tests.conftest import Postgres
from tests.live.drivers import SETUP, dsn
from tests.live.relay import Relay
from tests.live.replayed import playing, taped
from wiretape.protocols import codec

CODEC = codec("postgres")


def talk(port: int) -> list[Any]:
    """One connection listens, the other writes and notifies."""
    with psycopg.connect(dsn(port), autocommit=True) as listener, psycopg.connect(dsn(port), autocommit=True) as writer:
        listener.execute("LISTEN bell")
        writer.execute("INSERT INTO line (id) VALUES (%s)", (1,))
        writer.execute("SELECT pg_notify('bell', 'first')")
        heard = [(told.channel, told.payload) for told in listener.notifies(timeout=10, stop_after=1)]
        with writer.transaction():
            writer.execute("NOTIFY bell, 'second'")
            writer.execute("NOTIFY bell, 'third'")
        heard += [(told.channel, told.payload) for told in listener.notifies(timeout=10, stop_after=2)]
        heard += listener.execute("SELECT count(*) FROM line").fetchall()
        return heard


def test_notifications_of_others_are_played_back(postgres: Postgres, tmp_path: Path) -> None:
    with psycopg.connect(dsn(postgres.port), autocommit=True) as admin:
        admin.execute(SETUP.encode())
    with Relay(postgres.port) as relay:
        recorded = talk(relay.port)
    tape = taped(CODEC, relay)
    assert [one.operation for one in tape.interactions if one.role == "push"] == ["NOTIFY bell"] * 3
    with playing(CODEC, tape, tmp_path) as mock:
        assert talk(mock.port) == recorded == [("bell", "first"), ("bell", "second"), ("bell", "third"), (1,)]
    assert mock.outcome is not None
    assert mock.outcome.misses == ()
    assert [entry.used for entry in mock.outcome.expected] == [1] * len(mock.outcome.expected)
