"""The mock: what a client is answered, and how the session it thinks it has changes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from tests.laws.book import Book
from tests.wiretape.mysqltalk import AUTO, CLASSIC, MODERN, command, login, packed, query, text_row, unpacked
from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.protocols.mysql.constants import Cap, Kind, Status
from wiretape.protocols.mysql.handshake import Greeting
from wiretape.protocols.mysql.packets import Column, Err, Ok
from wiretape.tree import Tree

CODEC = codec("mysql")
MARIADB = {"server_version": "5.5.5-10.11.6-MariaDB"}


def call(operation: str, **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields=fields)


class Client:
    """Speaks to a mock made of these calls. `capabilities` are those both sides have."""

    def __init__(self, *calls: Call, capabilities: int = MODERN, facts: dict[str, Tree] | None = None, **more: object) -> None:
        self.book = Book(CODEC, calls)
        self.responder = CODEC.responder(facts or {}, self.book, "main")
        self.greeting = Greeting.decode(unpacked(self.responder.greet())[0])
        self.capabilities = capabilities & self.greeting.capabilities
        self.welcome = unpacked(self.responder.receive(login(capabilities, **more)))  # type: ignore[arg-type]

    def send(self, data: bytes) -> list[bytes]:
        return unpacked(self.responder.receive(data))

    def query(self, sql: str | bytes) -> list[bytes]:
        return self.send(query(sql))

    def ok(self, sql: str) -> Ok:
        (payload,) = self.query(sql)
        assert payload[0] == 0, payload
        return Ok.decode(payload, self.capabilities)

    def error(self, sql: str) -> Err:
        payload = self.query(sql)[-1]
        assert payload[0] == 0xFF, payload
        return Err.decode(payload)

    def rows(self, sql: str) -> tuple[list[Column], list[bytes]]:
        return self.cut(self.query(sql))

    def cut(self, payloads: Sequence[bytes]) -> tuple[list[Column], list[bytes]]:
        """Columns and rows of one result set's packets."""
        count = payloads[0][0]
        columns = [Column.decode(payload, self.capabilities) for payload in payloads[1 : count + 1]]
        rest = payloads[count + 1 :] if self.capabilities & Cap.DEPRECATE_EOF else payloads[count + 2 :]
        assert rest[-1][0] == 0xFE
        return columns, list(rest[:-1])


READ = call("SELECT id, name FROM t", columns={"id": "int", "name": "varchar(40)"}, rows=[[1, "Zoë"], [2, None]])


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_a_query_is_answered_as_text(capabilities: int) -> None:
    columns, rows = Client(READ, capabilities=capabilities).rows("select id, name from t -- now")
    assert [(one.name, one.kind, one.collation, one.length, one.table) for one in columns] == [
        (b"id", Kind.LONG, 63, 11, b"t"), (b"name", Kind.VAR_STRING, 45, 160, b"t"),
    ]  # fmt: skip
    assert rows == [text_row("1", "Zoë"), text_row("2", None)]


def test_text_comes_in_the_clients_character_set() -> None:
    client = Client(READ, collation=8)
    columns, rows = client.rows("SELECT id, name FROM t")
    assert (columns[1].collation, columns[1].length) == (8, 40)
    assert rows[0] == text_row("1", b"Zo\xeb")
    client.ok("SET NAMES utf8mb4")
    assert client.rows("SELECT id, name FROM t")[1][0] == text_row("1", "Zoë")


def test_what_an_ok_tells() -> None:
    made = call("INSERT INTO t VALUES (1)", affected=1, last_insert_id=17)
    many = call("INSERT INTO t VALUES (1), (2)", affected=2, last_insert_id=18)
    changed = call("UPDATE t SET a = 1", affected=3, warnings=[{"level": "Note", "code": 1, "message": "x"}])
    said = call("UPDATE t SET a = 2", info="Rows matched: 3  Changed: 0  Warnings: 0")
    client = Client(made, many, changed, said)
    assert client.ok("INSERT INTO t VALUES (1)") == Ok(affected=1, last_insert_id=17, status=AUTO)
    assert client.ok("INSERT INTO t VALUES (1), (2)").info == b"Records: 2  Duplicates: 0  Warnings: 0"
    told = client.ok("UPDATE t SET a = 1")
    assert (told.affected, told.warnings, told.info) == (3, 1, b"Rows matched: 3  Changed: 3  Warnings: 1")
    assert client.rows("SHOW WARNINGS")[1] == [text_row("Note", "1", "x")]
    assert client.ok("UPDATE t SET a = 2").info == b"Rows matched: 3  Changed: 0  Warnings: 0"
    assert client.rows("SHOW WARNINGS")[1] == []


def test_errors() -> None:
    client = Client(call("INSERT INTO t VALUES (1)", error={"code": 1062, "state": "23000", "message": "Duplicate"}))
    assert client.error("INSERT INTO t VALUES (1)") == Err(code=1062, state="23000", message=b"Duplicate")
    missed = client.error("INSERT INTO t VALUES (2)")
    assert (missed.code, missed.state) == (1105, "HY000")
    assert b"wiretape: no recorded call on main answers: INSERT INTO t VALUES (2) (WT001); values '2'" in missed.message
    assert client.error("").code == 1065
    assert b"LOCAL INFILE is not played back" in client.error("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").message
    assert client.error("SELECT @@no_such_thing").code == 1193


def test_what_cannot_be_served_is_said() -> None:
    client = Client(call("SELECT id FROM t", columns={"id": "int"}, rows=[["x"]]))
    assert b"cannot be served: rows[0][0]: x is not int" in client.error("SELECT id FROM t").message


def test_the_state_of_a_transaction() -> None:
    write = call("INSERT INTO t VALUES (1)", affected=1)
    client = Client(write)
    open_, none = AUTO | Status.IN_TRANSACTION, AUTO
    assert [client.ok(sql).status for sql in (
        "BEGIN", "INSERT INTO t VALUES (1)", "SAVEPOINT a", "ROLLBACK TO a", "COMMIT", "INSERT INTO t VALUES (1)",
        "START TRANSACTION", "COMMIT AND CHAIN", "ROLLBACK",
    )] == [open_, open_, open_, open_, none, none, open_, open_, none]  # fmt: skip
    changes = client.ok("SET autocommit=0")
    assert (changes.status & AUTO, changes.changes) == (0, {"autocommit": b"OFF"})
    assert [client.ok(sql).status for sql in ("COMMIT", "INSERT INTO t VALUES (1)", "ROLLBACK")] == [
        0,
        Status.IN_TRANSACTION,
        0,
    ]


def test_the_end_of_nothing_does_not_use_up_what_was_recorded() -> None:
    client = Client(call("COMMIT"))
    client.ok("COMMIT")
    client.ok("BEGIN")
    assert [ask.operation for ask in client.book.misses] == ["BEGIN"]
    client.ok("COMMIT")
    assert [ask.operation for ask in client.book.misses] == ["BEGIN"]


def test_several_statements() -> None:
    together = call(
        "INSERT INTO t VALUES (1); SELECT n FROM t", results=[{"affected": 1}, {"columns": {"n": "int"}, "rows": [[1]]}]
    )
    alone = call("SELECT n FROM u", columns={"n": "int"}, rows=[[7]])
    failing = call("SELECT x FROM u", error={"code": 1054, "state": "42S22", "message": "no"})
    client = Client(together, alone, failing)
    first, *second = client.query("INSERT INTO t VALUES (1); SELECT n FROM t")
    assert Ok.decode(first, client.capabilities).status == AUTO | Status.MORE_RESULTS
    assert client.cut(second)[1] == [text_row("1")]
    parts = client.query("SELECT n FROM u; SELECT x FROM u; SELECT n FROM u")
    assert client.cut(parts[:4])[1] == [text_row("7")]
    assert Err.decode(parts[4]).code == 1054
    assert len(parts) == 5


def test_a_procedure_ends_in_an_ok() -> None:
    client = Client(call("CALL p(1)", columns={"n": "int"}, rows=[[1]]))
    *rows, last = client.query("CALL p(1)")
    assert client.cut(rows)[1] == [text_row("1")]
    assert Ok.decode(rows[-1], client.capabilities).status == AUTO | Status.MORE_RESULTS
    assert Ok.decode(last, client.capabilities).status == AUTO


def number_of(prepared: bytes) -> int:
    return int(struct.unpack_from("<I", prepared, 1)[0])


def execute(number: int, parameters: bytes = b"", flags: int = 0) -> bytes:
    return command(0x17, struct.pack("<IBI", number, flags, 1) + parameters)


INSERT = call("INSERT INTO t (a, b, c) VALUES (1, 2.50, 'x')", affected=1, last_insert_id=3)


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_prepared_statements(capabilities: int) -> None:
    client = Client(READ, INSERT, capabilities=capabilities)
    ends = 0 if capabilities & Cap.DEPRECATE_EOF else 1
    prepared = client.send(command(0x16, b"SELECT id, name FROM t"))
    assert struct.unpack_from("<HH", prepared[0], 5) == (2, 0)
    assert len(prepared) == 3 + ends
    _, rows = client.cut(client.send(execute(number_of(prepared[0]))))
    assert rows == [b"\0\0" + struct.pack("<i", 1) + "\x04Zoë".encode(), b"\0\x08" + struct.pack("<i", 2)]
    prepared = client.send(command(0x16, b"INSERT INTO t (a, b, c) VALUES (?, ?, ?)"))
    assert struct.unpack_from("<HH", prepared[0], 5) == (0, 3)
    assert len(prepared) == 4 + ends
    number = number_of(prepared[0])
    values = b"\0\x01" + b"\x05\x00\x05\x00\xfd\x00" + struct.pack("<dd", 1, 2.5) + b"\x01x"
    (done,) = client.send(execute(number, values))
    assert Ok.decode(done, client.capabilities).last_insert_id == 3
    assert client.send(command(0x19, struct.pack("<I", number))) == []
    (gone,) = client.send(execute(number, values))
    assert Err.decode(gone).code == 1243


def test_a_statement_refused_when_it_was_prepared() -> None:
    refused = call("SELECT x FROM t WHERE a = ?", error={"code": 1054, "state": "42S22", "message": "no"}, stage="prepare")
    client = Client(refused)
    (answer,) = client.send(command(0x16, b"SELECT x FROM t WHERE a = ?"))
    assert Err.decode(answer).code == 1054


def test_long_values_in_pieces() -> None:
    client = Client(call("UPDATE t SET a = ?", params=[b"\x89PNG"], affected=1))
    number = number_of(client.send(command(0x16, b"UPDATE t SET a = ?"))[0])
    for _ in range(2):
        for piece in (b"\x89P", b"NG"):
            assert client.send(command(0x18, struct.pack("<IH", number, 0) + piece)) == []
        (done,) = client.send(execute(number, b"\0\x01\xfc\x00"))
        assert done[0] == 0


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_cursors(capabilities: int) -> None:
    client = Client(READ, capabilities=capabilities)
    number = number_of(client.send(command(0x16, b"SELECT id, name FROM t"))[0])
    opened = client.send(execute(number, flags=1))
    assert len(opened) == 4
    one = client.send(command(0x1C, struct.pack("<II", number, 1)))
    two = client.send(command(0x1C, struct.pack("<II", number, 5)))
    assert (len(one), len(two)) == (2, 2)
    (over,) = client.send(command(0x1C, struct.pack("<II", number, 5)))
    assert Err.decode(over).code == 1421


def test_housekeeping() -> None:
    client = Client(facts={**MARIADB, "variables": {"sql_mode": "ANSI", "wait_timeout": 60}})
    columns, rows = client.rows("SELECT @@sql_mode, @@SESSION.wait_timeout AS t, VERSION(), DATABASE() `d`, 1")
    assert [one.name for one in columns] == [b"@@sql_mode", b"t", b"VERSION()", b"d", b"1"]
    assert rows == [text_row("ANSI", "60", "10.11.6-MariaDB", "app", "1")]
    assert client.rows("SHOW VARIABLES LIKE 'wait\\_time%'")[1] == [text_row("wait_timeout", "60")]
    assert client.rows("SHOW VARIABLES WHERE Variable_name = 'sql_mode'")[1] == [text_row("sql_mode", "ANSI")]
    client.ok("SET SESSION wait_timeout = 5, sql_mode = 'A,B', time_zone = '+01:00'")
    assert client.rows("SELECT @@wait_timeout, @@sql_mode, @@time_zone")[1] == [text_row("5", "A,B", "+01:00")]
    client.ok("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    assert client.rows("SELECT @@transaction_isolation, @@tx_isolation")[1] == [text_row("READ-COMMITTED", "READ-COMMITTED")]
    client.ok("SET wait_timeout = DEFAULT")
    assert client.rows("SELECT @@wait_timeout")[1] == [text_row("60")]
    assert client.ok("USE other").changes == {"schema": b"other"}
    assert client.rows("SELECT DATABASE()")[1] == [text_row("other")]
    assert client.ok("SET NAMES latin1").changes["character_set_client"] == b"latin1"
    for shown in ("SHOW COLLATION", "SHOW CHARACTER SET", "SHOW ENGINES", "SHOW STATUS LIKE 'x'"):
        client.rows(shown)


def test_small_commands() -> None:
    client = Client(call("SELECT n FROM t", database="other", columns={"n": "int"}, rows=[[1]]))
    for number in (0x0E, 0x07, 0x0C, 0x1F):
        (done,) = client.send(command(number, b"\0\0\0\0"))
        assert done[0] == 0
    (done,) = client.send(command(0x1B, b"\0\0"))
    assert done[0] == 0xFE
    (done,) = client.send(command(0x09))
    assert done.startswith(b"Uptime")
    (done,) = client.send(command(0x04, b"t\0"))
    assert done[0] == 0xFE
    client.error("SELECT n FROM t")
    (done,) = client.send(command(0x02, b"other"))
    assert Ok.decode(done, client.capabilities).changes == {"schema": b"other"}
    assert client.rows("SELECT n FROM t")[1] == [text_row("1")]
    (unknown,) = client.send(command(0x12))
    assert Err.decode(unknown).code == 1047
    assert client.send(command(0x01)) == []
    assert client.responder.closed


@pytest.mark.parametrize(
    ("plugin", "secret", "packets"),
    [
        ("mysql_native_password", b"x" * 20, 1),
        ("caching_sha2_password", b"x" * 32, 2),
        ("caching_sha2_password", b"", 1),
    ],
)
def test_any_password_is_accepted(plugin: str, secret: bytes, packets: int) -> None:
    client = Client(plugin=plugin, secret=secret, facts={"plugin": "caching_sha2_password"})
    assert client.greeting.plugin == "caching_sha2_password"
    assert len(client.welcome) == packets
    assert client.welcome[-1][0] == 0


def test_other_ways_to_log_in_are_switched() -> None:
    client = Client(plugin="client_ed25519")
    assert client.welcome[0].startswith(b"\xfemysql_native_password\0")
    assert unpacked(client.responder.receive(packed(b"h" * 20, sequence=3)))[0][0] == 0
    assert client.rows("SELECT 1")[1] == [text_row("1")]


def test_a_new_user() -> None:
    client = Client()
    client.ok("BEGIN")
    parts = client.send(command(0x11, b"other\0\x02xxelsewhere\0\x08\x00caching_sha2_password\0"))
    assert [part[0] for part in parts] == [1, 0]
    assert Ok.decode(parts[-1], client.capabilities).status == AUTO
    assert client.rows("SELECT DATABASE(), USER()")[1] == [text_row("elsewhere", "other@localhost")]


def test_what_is_offered() -> None:
    mysql, mariadb = Client().greeting, Client(facts={**MARIADB, "tls": True}).greeting
    assert mysql.capabilities & Cap.LONG_PASSWORD
    assert not mysql.capabilities & Cap.SSL
    assert mariadb.version == "5.5.5-10.11.6-MariaDB"
    assert mariadb.capabilities & Cap.EXTENDED_METADATA
    assert mariadb.capabilities & Cap.SSL
    for greeting in (mysql, mariadb):
        assert not greeting.capabilities & (Cap.COMPRESS | Cap.ZSTD | Cap.CACHE_METADATA | Cap.STMT_BULK)


def test_json_has_its_own_type_where_the_server_has_one() -> None:
    read = call("SELECT d FROM t", columns={"d": "json"}, rows=[['{"a": 1}']])
    mysql, _ = Client(read).rows("SELECT d FROM t")
    assert mysql[0].kind == Kind.JSON
    capabilities = MODERN & ~Cap.LONG_PASSWORD | Cap.EXTENDED_METADATA
    mariadb, _ = Client(read, facts=MARIADB, capabilities=capabilities).rows("SELECT d FROM t")
    assert (mariadb[0].kind, mariadb[0].extended) == (Kind.BLOB, {"format": "json"})


def test_tls_begins_at_the_clients_word() -> None:
    responder = CODEC.responder({"tls": True}, Book(CODEC, ()), "main")
    responder.greet()
    request = packed(struct.pack("<IIB", MODERN | Cap.SSL, 1 << 24, 45) + bytes(23), sequence=1)
    assert responder.receive(request + b"\x16\x03\x01") == b""
    assert responder.upgrade
    assert responder.upgraded() == b"\x16\x03\x01"
    assert not responder.upgrade
    answer = unpacked(responder.receive(login(MODERN | Cap.SSL)))
    assert answer[0][0] == 0


def test_tls_that_was_not_offered() -> None:
    responder = CODEC.responder({}, Book(CODEC, ()), "main")
    responder.greet()
    request = packed(struct.pack("<IIB", MODERN | Cap.SSL, 1 << 24, 45) + bytes(23), sequence=1)
    assert b"was not offered" in responder.receive(request)
    assert responder.closed


def test_garbage_is_an_error_and_the_end() -> None:
    client = Client()
    assert b"need 4 bytes" in client.responder.receive(command(0x17, b"x"))
    assert client.responder.closed


def test_answers_of_16_mib_and_more_are_split() -> None:
    big = "x" * (2**24 + 10)
    client = Client(call("SELECT b FROM t", columns={"b": "longtext"}, rows=[[big]]))
    data = client.responder.receive(query("SELECT b FROM t"))
    assert unpacked(data)[2] == text_row(big)
    at = data.index(b"\xff\xff\xff\x03")
    assert data[at + 4 + 0xFFFFFF :][3] == 4
