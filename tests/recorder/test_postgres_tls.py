"""PostgreSQL through the recorder with real drivers: every TLS mode works as without it, and what flows is readable."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pg8000.dbapi
import psycopg
import pytest

from recorder.capture import Kind, Record
from recorder.pgauth import error_code, startup_parameters, whole_message
from recorder.wire import Listener
from wiretape.ca import ensure_ca

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the drivers

ROOT = Path(__file__).parent.parent.parent
MARKER = "wiretape was here"


@pytest.fixture(scope="module")
def hostssl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that lets no one in without TLS; its port."""
    rules = tmp_path_factory.mktemp("hba") / "pg_hba.conf"
    rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    for folder in rules.parents[: rules.parents.index(Path(tempfile.gettempdir()))]:
        folder.chmod(0o755)
    rules.chmod(0o644)
    command = ["python", str(ROOT / "fixtures/demo/database.py"), "--tls", "--option", f"hba_file={rules}"]
    yield from _started(command)


@pytest.fixture(scope="module")
def md5() -> Iterator[int]:
    yield from _started(["python", str(ROOT / "fixtures/demo/database.py"), "--tls", "--auth", "md5"])


def _started(command: list[str]) -> Iterator[int]:
    import sys

    command[0] = sys.executable
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield int(urlsplit(server.stdout.readline().removeprefix("ready ")).port or 0)
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture
def plain(postgres) -> int:
    return postgres.port


@pytest.fixture
def tls(postgres_tls) -> int:
    return postgres_tls.port


def with_psycopg(port: int, password: str = "secret", **options: object) -> tuple[object, bool]:
    with psycopg.connect(
        host="127.0.0.1", port=port, user="app", dbname="app", password=password, connect_timeout=10, **options
    ) as connection:
        row = connection.execute(f"select 'answer', '{MARKER}'").fetchone()
        assert row
        return row[0], connection.pgconn.ssl_in_use


def with_asyncpg(port: int, mode: object) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="app", database="app", password="secret", ssl=mode, timeout=10
        )
        try:
            return await connection.fetchval(f"select 'answer' /* {MARKER} */")
        finally:
            await connection.close()

    return asyncio.run(run())


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def with_pg8000(port: int, context: object) -> object:
    connection = pg8000.dbapi.connect(
        host="127.0.0.1", port=port, user="app", database="app", password="secret", ssl_context=context, timeout=10
    )
    try:
        cursor = connection.cursor()
        cursor.execute(f"select 'answer' /* {MARKER} */")
        return cursor.fetchone()[0]
    finally:
        connection.close()


def sent(records: list[Record], kind: Kind = Kind.CLIENT) -> bytes:
    return b"".join(record.data for record in records if record.kind == kind)


def database(front: Callable[..., Listener], port: int, **more: object) -> Listener:
    return front(port, "main", protocol="postgres", **more)


def readable(records: list[Record]) -> bool:
    """The statement is there in clear, and start-up begins with the StartupMessage on both sides."""
    clients: dict[int, bytes] = {}
    servers: dict[int, bytes] = {}
    for record in records:
        if record.kind in (Kind.CLIENT, Kind.SERVER):
            side = clients if record.kind == Kind.CLIENT else servers
            side[record.connection] = side.get(record.connection, b"") + record.data
    assert all(data[4:8] == b"\0\3\0\0" for data in clients.values())
    assert all(data[:1] in (b"R", b"E") for data in servers.values())
    return MARKER.encode() in sent(records)


@pytest.mark.parametrize(
    ("server", "options", "encrypted"),
    [
        ("plain", {"sslmode": "disable"}, False),
        ("plain", {"sslmode": "prefer"}, False),
        ("tls", {"sslmode": "disable"}, False),
        ("tls", {"sslmode": "allow"}, False),
        ("tls", {"sslmode": "prefer"}, True),
        ("tls", {"sslmode": "require"}, True),
        ("tls", {"sslmode": "require", "channel_binding": "disable"}, True),
        ("tls", {"sslmode": "require", "sslnegotiation": "direct"}, True),
        ("hostssl", {"sslmode": "allow"}, True),
        ("hostssl", {"sslmode": "prefer"}, True),
        ("hostssl", {"sslmode": "require"}, True),
        ("hostssl", {"sslmode": "require", "sslnegotiation": "direct"}, True),
        ("md5", {"sslmode": "require"}, True),
    ],
)
def test_psycopg(server: str, options: dict[str, str], encrypted: bool, recorded, front, request) -> None:
    port = request.getfixturevalue(server)
    with recorded(database(front, port)) as recorder:
        for _ in range(2):  # the second time what was learned is used
            assert with_psycopg(recorder.port(), **options) == ("answer", encrypted)
    assert recorder.said == []
    assert readable(recorder.records())
    assert b"secret" not in sent(recorder.records())


@pytest.mark.parametrize("server", ["plain", "tls", "hostssl"])
@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_asyncpg(server: str, mode: str, recorded, front, request) -> None:
    port = request.getfixturevalue(server)
    works = {("plain", "require"): False, ("hostssl", "disable"): False}.get((server, mode), True)
    with recorded(database(front, port)) as recorder:
        if works:
            assert with_asyncpg(recorder.port(), mode) == "answer"
        else:
            with pytest.raises((OSError, asyncpg.InvalidAuthorizationSpecificationError)):
                with_asyncpg(recorder.port(), mode)
    assert recorder.said == []
    assert readable(recorder.records()) == works


@pytest.mark.parametrize("server", ["tls", "hostssl"])
def test_pg8000_which_binds_to_the_certificate(server: str, recorded, front, request) -> None:
    with recorded(database(front, request.getfixturevalue(server))) as recorder:
        assert with_pg8000(recorder.port(), unverified()) == "answer"
    assert readable(recorder.records())


def test_verify_full_with_our_authority(recorder, front, tls: int, tmp_path: Path) -> None:
    running = recorder(database(front, tls))
    authority = tmp_path / "ca" / "mitmproxy-ca-cert.pem"
    assert with_psycopg(running.port(), sslmode="verify-full", sslrootcert=str(authority)) == ("answer", True)


def test_a_client_that_does_not_trust_us_is_told_how(recorder, front, tls: int, tmp_path: Path) -> None:
    running = recorder(database(front, tls))
    another = ensure_ca(tmp_path / "another") / "mitmproxy-ca-cert.pem"
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        with_psycopg(running.port(), sslmode="verify-full", sslrootcert=str(another))
    for _ in range(100):
        if running.said:
            break
        threading.Event().wait(0.02)
    assert len(running.said) == 1
    assert f"have it trust {tmp_path / 'ca' / 'mitmproxy-ca-cert.pem'}" in running.said[0]


@pytest.mark.parametrize("server", ["plain", "tls", "hostssl"])
def test_wrong_password_is_the_servers_own_error(server: str, recorder, front, request) -> None:
    running = recorder(database(front, request.getfixturevalue(server)))
    with pytest.raises(psycopg.OperationalError, match='FATAL:  password authentication failed for user "app"'):
        with_psycopg(running.port(), password="wrong")
    assert with_psycopg(running.port())[0] == "answer"


def test_no_plain_text_is_the_servers_own_error(recorder, front, hostssl: int) -> None:
    running = recorder(database(front, hostssl))
    with pytest.raises(psycopg.OperationalError, match=r"FATAL:  no pg_hba\.conf entry for host .* no encryption"):
        with_psycopg(running.port(), sslmode="disable")


@pytest.mark.parametrize("server", ["tls", "hostssl"])
def test_channel_binding_required_is_said(server: str, recorder, front, request) -> None:
    running = recorder(database(front, request.getfixturevalue(server)))
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        with_psycopg(running.port(), sslmode="require", channel_binding="require")
    for _ in range(100):
        if running.said:
            break
        threading.Event().wait(0.02)
    assert "channel_binding=require" in running.said[0]
    assert "then give the server's key and chain as `certificate`" in running.said[0]


def pair_of(port: int, tmp_path: Path) -> Path:
    """The server's own key and certificate, from where the server says they are."""
    with psycopg.connect(host="127.0.0.1", port=port, user="app", dbname="app", password="secret", sslmode="require") as link:
        folder = link.execute("show data_directory").fetchone()
    assert folder
    pair = tmp_path / "pair.pem"
    pair.write_bytes(b"".join((Path(folder[0]) / name).read_bytes() for name in ("server.key", "server.crt")))
    return pair


@pytest.mark.parametrize("server", ["tls", "hostssl"])
@pytest.mark.parametrize("direct", [{}, {"sslnegotiation": "direct"}], ids=["", "direct"])
def test_channel_binding_with_the_servers_certificate(server, direct, recorded, front, request, tmp_path: Path) -> None:
    port = request.getfixturevalue(server)
    with recorded(database(front, port, certificate=pair_of(port, tmp_path))) as recorder:
        options = {"sslmode": "require", "channel_binding": "require", **direct}
        assert with_psycopg(recorder.port(), **options) == ("answer", True)
        assert with_pg8000(recorder.port(), unverified()) == "answer"
    assert recorder.said == []
    assert readable(recorder.records())


def test_refuse(recorded, front, tls: int) -> None:
    with recorded(database(front, tls, tls="refuse")) as recorder:
        assert with_psycopg(recorder.port(), sslmode="prefer") == ("answer", False)
        with pytest.raises(psycopg.OperationalError, match="server does not support SSL, but SSL was required"):
            with_psycopg(recorder.port(), sslmode="require")
    assert readable(recorder.records())


@pytest.mark.parametrize("direct", [{}, {"sslnegotiation": "direct"}], ids=["", "direct"])
def test_passthrough_is_said_and_never_recorded_blind(direct: dict[str, str], recorded, front, tls: int) -> None:
    with recorded(database(front, tls, tls="passthrough")) as recorder:
        options = {"sslmode": "require", "channel_binding": "require", **direct}
        assert with_psycopg(recorder.port(), **options) == ("answer", True)
        assert with_psycopg(recorder.port(), **options) == ("answer", True)
    assert recorder.said == ["target main: a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"]
    assert sent(recorder.records()) == sent(recorder.records(), Kind.SERVER) == b""
    assert sent(recorder.records(), Kind.UNREADABLE) == b"TLS passed through" * 2


def test_passthrough_of_a_plain_client_is_recorded(recorded, front, tls: int) -> None:
    with recorded(database(front, tls, tls="passthrough")) as recorder:
        assert with_psycopg(recorder.port(), sslmode="disable") == ("answer", False)
    assert recorder.said == []
    assert readable(recorder.records())


@pytest.mark.parametrize(("server", "mode"), [("tls", "disable"), ("tls", "require"), ("hostssl", "require")])
def test_cancel_copy_notify(server: str, mode: str, recorder, front, request) -> None:
    running = recorder(database(front, request.getfixturevalue(server)))
    link = psycopg.connect(
        host="127.0.0.1", port=running.port(), user="app", dbname="app", password="secret", sslmode=mode, autocommit=True
    )
    with link:
        timer = threading.Timer(0.2, link.cancel_safe)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            link.execute("select pg_sleep(10)")
        timer.join()
        link.execute("create temp table t (a int, b text)")
        rows = [(number, "x" * (number % 100)) for number in range(20_000)]
        cursor = link.cursor()
        with cursor.copy("copy t from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        with cursor.copy("copy t to stdout") as copy:
            copy.set_types(["int4", "text"])
            assert sorted(copy.rows()) == rows
        link.execute("listen news")
        link.execute("notify news, 'hello'")
        assert next(link.notifies(timeout=10)).payload == "hello"


def test_small_things() -> None:
    assert whole_message(b"E\0\0\0") is None
    assert whole_message(b"E\0\0\0\x05x!") == b"E\0\0\0\x05x"
    assert error_code(b"E\0\0\0\x05SFATAL\0C28000\0Mno\0\0") == "28000"
    assert error_code(b"E\0\0\0\x05\0") == ""
    assert startup_parameters(b"user\0a\0database\0b\0\0") == ("a", "b")
    assert startup_parameters(b"user\0a\0\0") == ("a", "a")
    assert startup_parameters(b"\0") == ("", "")
