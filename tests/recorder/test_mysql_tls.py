"""MySQL through the recorder with real drivers: TLS works as without it, and what flows is readable and replays."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mysql.connector
import pymysql
import pytest

from recorder.capture import Kind, Record
from recorder.taps import watch
from recorder.wire import Listener
from tests.live.servers import mariadb
from wiretape.protocols.base import Interaction

pytestmark = pytest.mark.skipif(not mariadb.installed(), reason="no mariadbd on this machine")
STATEMENT = "SELECT 'wiretape was here' AS marker"
LOGIN = {"host": "127.0.0.1", "user": mariadb.USER, "password": mariadb.PASSWORD, "database": mariadb.DATABASE}


@pytest.fixture(scope="module")
def plain() -> Iterator[int]:
    with mariadb.serve() as server:
        yield server.port


@pytest.fixture(scope="module")
def tls() -> Iterator[int]:
    with mariadb.serve(tls=True) as server:
        yield server.port


@pytest.fixture(scope="module")
def tls_only() -> Iterator[int]:
    with mariadb.serve(tls=True, options=("--require-secure-transport=ON",)) as server:
        yield server.port


def listener(front, port: int, **more: object) -> Listener:
    return front(port, "main", protocol="mysql", **more)


def with_pymysql(port: int, **options: object) -> tuple[object, bool]:
    connection = pymysql.connect(port=port, connect_timeout=10, **LOGIN, **options)
    with connection, connection.cursor() as cursor:
        cursor.execute(STATEMENT)
        return cursor.fetchone(), bool(connection._secure)


def with_connector(port: int, **options: object) -> tuple[object, bool]:
    connection = mysql.connector.connect(port=port, use_pure=True, connection_timeout=10, **LOGIN, **options)
    cursor = connection.cursor()
    cursor.execute(STATEMENT)
    row = cursor.fetchone()
    secure = connection._ssl_active
    connection.close()
    return row, bool(secure)


def with_cli(port: int, *options: str) -> str:
    command = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", f"-u{mariadb.USER}", f"-p{mariadb.PASSWORD}", *options]
    done = subprocess.run(
        [*command, "-N", "-e", STATEMENT, mariadb.DATABASE], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def trusting_no_one() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def sent(records: list[Record], kind: Kind = Kind.CLIENT) -> bytes:
    return b"".join(record.data for record in records if record.kind == kind)


def queries(records: list[Record]) -> list[Interaction]:
    """The statements of the service itself; there is no loss."""
    seen = watch(records, 1 << 20)
    assert [loss.reason for loss in seen.losses] == []
    found = [one.interaction for one in seen.outbound if one.interaction.role != "housekeeping"]
    assert [one.incomplete for one in found if one.incomplete] == []
    return found


ROW = ("wiretape was here",)


@pytest.mark.parametrize(
    ("server", "options", "encrypted"),
    [
        ("plain", {}, False),
        ("plain", {"ssl_disabled": True}, False),
        ("tls", {"ssl_disabled": True}, False),
        ("tls", {"ssl": trusting_no_one()}, True),
        ("tls_only", {"ssl": trusting_no_one()}, True),
    ],
    ids=["plain", "plain-off", "tls-off", "tls", "tls-only"],
)
def test_pymysql(server: str, options: dict[str, object], encrypted: bool, recorded, front, request) -> None:
    with recorded(listener(front, request.getfixturevalue(server))) as recorder:
        for _ in range(2):
            assert with_pymysql(recorder.port(), **options) == (ROW, encrypted)
    assert recorder.said == []
    assert [one.operation for one in queries(recorder.records())] == [STATEMENT] * 2


@pytest.mark.parametrize(
    ("server", "options", "encrypted"),
    [("plain", {}, False), ("tls", {"ssl_disabled": True}, False), ("tls", {}, True), ("tls_only", {}, True)],
)
def test_connector(server: str, options: dict[str, object], encrypted: bool, recorded, front, request) -> None:
    with recorded(listener(front, request.getfixturevalue(server))) as recorder:
        assert with_connector(recorder.port(), **options) == (ROW, encrypted)
    assert [one.operation for one in queries(recorder.records())] == [STATEMENT]
    facts = watch(recorder.records(), 1 << 20).facts["main"]
    assert facts.get("tls", False) == (server != "plain")


@pytest.mark.parametrize(
    "options", [(), ("--skip-ssl",), ("--ssl",), ("--compress",)], ids=["default", "plain", "tls", "compress"]
)
def test_cli(options: tuple[str, ...], recorded, front, tls: int) -> None:
    with recorded(listener(front, tls)) as recorder:
        assert with_cli(recorder.port(), *options) == ROW[0]
    assert [one.operation for one in queries(recorder.records())] == [STATEMENT]


def test_no_password_is_recorded_even_where_it_is_sent_in_clear(recorded, front, tls: int) -> None:
    with recorded(listener(front, tls)) as recorder:
        with pytest.raises(pymysql.err.OperationalError):
            pymysql.connect(
                **{**LOGIN, "password": "this is a secret"}, port=recorder.port(), ssl=trusting_no_one(),
                auth_plugin_map={"mysql_native_password": Clear},
            )  # fmt: skip
        assert with_pymysql(recorder.port(), ssl=trusting_no_one())[0] == ROW
    assert b"this is a secret" not in sent(recorder.records())
    assert STATEMENT.encode() in sent(recorder.records())


class Clear:
    """Sends the password as it is, whatever the server asks for."""

    def __init__(self, connection: object) -> None:
        self.connection = connection

    def authenticate(self, packet: object) -> object:
        self.connection.write_packet(b"this is a secret\0")  # type: ignore[attr-defined]
        answer = self.connection._read_packet()  # type: ignore[attr-defined]
        answer.check_error()
        return answer


def test_clients_that_verify_trust_our_authority(recorder, front, tls: int, tmp_path: Path) -> None:
    running = recorder(listener(front, tls))
    authority = tmp_path / "ca" / "mitmproxy-ca-cert.pem"
    assert with_pymysql(running.port(), ssl={"ca": str(authority)}) == (ROW, True)


def test_refuse(recorded, front, tls: int) -> None:
    with recorded(listener(front, tls, tls="refuse")) as recorder:
        assert with_connector(recorder.port()) == (ROW, False)
    assert [one.operation for one in queries(recorder.records())] == [STATEMENT]


def test_passthrough_is_said_and_never_recorded_blind(recorded, front, tls: int) -> None:
    with recorded(listener(front, tls, tls="passthrough")) as recorder:
        assert with_connector(recorder.port()) == (ROW, True)
        assert with_connector(recorder.port(), ssl_disabled=True) == (ROW, False)
    assert recorder.said == ["target main: a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"]
    assert sent(recorder.records()).count(STATEMENT.encode()) == 1


def test_a_wrong_password_is_the_servers_own_error(recorder, front, tls: int) -> None:
    running = recorder(listener(front, tls))
    with pytest.raises(pymysql.err.OperationalError, match="Access denied for user 'app'"):
        pymysql.connect(**{**LOGIN, "password": "wrong"}, port=running.port())
    assert with_pymysql(running.port())[0] == ROW


def test_a_server_that_is_down_is_a_close(recorder, front) -> None:
    running = recorder(listener(front, 1))
    with pytest.raises(pymysql.err.OperationalError, match="Lost connection"):
        with_pymysql(running.port())
    assert "cannot reach the upstream" in running.said[0]


def test_a_protocol_nobody_named_is_recognised(recorded, front, tls: int) -> None:
    with recorded(front(tls, "main", protocol="auto")) as recorder:
        assert with_connector(recorder.port()) == (ROW, True)
    assert STATEMENT.encode() in sent(recorder.records())
