"""The tap: what a conversation was, in the words of a case."""

from __future__ import annotations

import struct

import pytest

from tests.wiretape.mysqltalk import (
    AUTO,
    CLASSIC,
    MODERN,
    Talk,
    column,
    command,
    err,
    greeting,
    login,
    ok,
    packed,
    query,
    result,
    text_row,
)
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.mysql.constants import Cap, Kind, Status
from wiretape.protocols.mysql.tap import MysqlTap

IN = AUTO | Status.IN_TRANSACTION
NUMBER = [column("n")]


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_a_query_with_rows(capabilities: int) -> None:
    talk = Talk(capabilities)
    columns = [column("id"), column("name", Kind.VAR_STRING)]
    talk.ask(query("SELECT id, name FROM t"), *result(columns, [text_row("1", "Zoë"), text_row(None, "")], capabilities))
    (one,) = talk.close()
    assert one.operation == "SELECT id, name FROM t"
    assert one.fields == {"columns": {"id": "int", "name": "varchar(11)"}, "rows": [[1, "Zoë"], [None, ""]]}
    assert (one.role, one.transaction, one.incomplete) == ("query", None, "")
    assert (one.started, one.ended) == (4, 5)


def test_what_an_ok_tells() -> None:
    talk = Talk()
    talk.ask(query("INSERT INTO t VALUES (1)"), ok(1, 17))
    talk.ask(query("INSERT INTO t VALUES (1), (2)"), ok(2, 18, info="Records: 2  Duplicates: 0  Warnings: 0"))
    talk.ask(query("UPDATE t SET a = 1"), ok(3, info="Rows matched: 3  Changed: 3  Warnings: 0"))
    talk.ask(query("UPDATE t SET a = 1"), ok(0, info="Rows matched: 3  Changed: 0  Warnings: 0"))
    talk.ask(query("DROP TABLE t"), ok())
    assert [one.fields for one in talk.close()] == [
        {"affected": 1, "last_insert_id": 17},
        {"affected": 2, "last_insert_id": 18},
        {"affected": 3},
        {"info": "Rows matched: 3  Changed: 0  Warnings: 0"},
        {},
    ]


def test_an_error() -> None:
    talk = Talk()
    talk.ask(query("INSERT INTO t VALUES (1)"), err(1062, "23000", "Duplicate entry"))
    (one,) = talk.close()
    assert one.fields == {"error": {"code": 1062, "state": "23000", "message": "Duplicate entry"}}


def test_an_error_among_the_rows() -> None:
    talk = Talk()
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, [text_row("1")])[:-1], err(1969, "70100", "killed"))
    (one,) = talk.close()
    assert one.fields["rows"] == [[1]]
    assert one.fields["error"]


def test_several_statements_and_results() -> None:
    talk = Talk()
    more = AUTO | Status.MORE_RESULTS
    talk.ask(
        query("INSERT INTO t VALUES (1); SELECT n FROM t"), ok(1, 5, more), *result(NUMBER, [text_row("1")])
    )  # fmt: skip
    (one,) = talk.close()
    assert one.fields == {
        "results": [{"affected": 1, "last_insert_id": 5}, {"columns": {"n": "int"}, "rows": [[1]]}],
    }


def test_a_procedure() -> None:
    talk = Talk()
    more = AUTO | Status.MORE_RESULTS
    talk.ask(query("CALL one()"), *result(NUMBER, [text_row("1")], status=more), ok())
    talk.ask(query("CALL two()"), *result(NUMBER, [], status=more), *result(NUMBER, [text_row("2")], status=more), ok(3))
    talk.ask(query("CALL none()"), ok())
    assert [one.fields for one in talk.close()] == [
        {"columns": {"n": "int"}, "rows": [[1]]},
        {
            "results": [
                {"columns": {"n": "int"}, "rows": []},
                {"columns": {"n": "int"}, "rows": [[2]]},
                {"affected": 3},
            ]
        },
        {},
    ]


def test_names_that_repeat_and_tables_of_a_join() -> None:
    talk = Talk()
    columns = [column("id", table=b"a"), column("id", table=b"b"), column("n")]
    talk.ask(query("SELECT a.id, b.id, 1 AS n FROM a JOIN b"), *result(columns, [text_row("1", "2", "3")]))
    (one,) = talk.close()
    assert one.fields["columns"] == [["id", "int"], ["id", "int"], ["n", "int"]]
    assert one.fields["tables"] == ["a", "b", ""]


def test_transactions_are_numbered() -> None:
    talk = Talk()
    talk.ask(query("INSERT INTO t VALUES (0)"), ok(1))
    talk.ask(query("BEGIN"), ok(status=IN))
    talk.ask(query("INSERT INTO t VALUES (1)"), ok(1, status=IN))
    talk.ask(query("INSERT INTO t VALUES (1)"), err(1062, "23000", "no"))
    talk.ask(query("SAVEPOINT a"), ok(status=IN))
    talk.ask(query("COMMIT AND CHAIN"), ok(status=IN))
    talk.ask(query("ROLLBACK"), ok())
    talk.ask(query("INSERT INTO t VALUES (2)"), ok(1))
    talk.close()
    assert [(one.role, one.transaction) for one in talk.out] == [
        ("query", None), ("begin", 1), ("query", 1), ("query", 1), ("control", 1), ("end", 1), ("end", 2), ("query", None),
    ]  # fmt: skip


def test_without_autocommit_transactions_begin_by_themselves() -> None:
    talk = Talk()
    talk.ask(query("SET autocommit=0"), ok(status=0))
    talk.ask(query("ROLLBACK"), ok(status=0))
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, [], status=int(Status.IN_TRANSACTION)))
    talk.ask(query("COMMIT"), ok(status=0))
    talk.ask(query("COMMIT"), ok(status=0))
    talk.ask(query("INSERT INTO t VALUES (1)"), err(1062, "23000", "no"))
    talk.ask(query("ROLLBACK"), ok(status=0))
    talk.close()
    assert [(one.role, one.transaction) for one in talk.out] == [
        ("housekeeping", None), ("housekeeping", None), ("query", 1), ("end", 1), ("housekeeping", None), ("query", 2),
        ("housekeeping", 2),
    ]  # fmt: skip


def test_warnings_belong_to_their_statement() -> None:
    talk = Talk()
    told = [column("Level", Kind.VAR_STRING), column("Code"), column("Message", Kind.VAR_STRING)]
    rows = [text_row("Warning", "1265", "Data truncated")]
    talk.ask(query("UPDATE t SET a = 'x'"), ok(1, warnings=1, info="Rows matched: 1  Changed: 1  Warnings: 1"))
    assert talk.out == []
    talk.ask(command(0x0E), ok())
    talk.ask(query("SHOW WARNINGS"), *result(told, rows))
    talk.ask(query("UPDATE t SET a = 'x'"), ok(1, warnings=2, info="Rows matched: 1  Changed: 1  Warnings: 2"))
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    first, shown, second, _ = talk.close()
    assert first.fields == {
        "affected": 1,
        "warnings": [{"level": "Warning", "code": 1265, "message": "Data truncated"}],
    }
    assert shown.role == "housekeeping"
    assert second.fields == {"affected": 1, "warnings": 2}


def prepared(number: int, columns: list[object], parameters: int, capabilities: int = MODERN) -> list[bytes]:
    from wiretape.protocols.mysql.packets import encode_eof

    end = [] if capabilities & Cap.DEPRECATE_EOF else [encode_eof(AUTO, 0)]
    head = b"\0" + struct.pack("<IHHBH", number, len(columns), parameters, 0, 0)
    out = [head, *[column("?").encode(capabilities)] * parameters, *(end if parameters else [])]
    return [*out, *(one.encode(capabilities) for one in columns), *(end if columns else [])]  # type: ignore[attr-defined]


def execute(number: int, parameters: bytes = b"", flags: int = 0) -> bytes:
    return command(0x17, struct.pack("<IBI", number, flags, 1) + parameters)


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_a_prepared_statement_used_twice(capabilities: int) -> None:
    talk = Talk(capabilities)
    columns = [column("n"), column("d", Kind.DOUBLE, decimals=31)]
    talk.ask(command(0x16, b"SELECT n, d FROM t WHERE n = ? AND m < ?"), *prepared(5, columns, 2, capabilities))
    row = b"\0\0" + struct.pack("<id", 7, 2.5)
    first = b"\0\x01" + b"\x08\x00" + b"\xfd\x00" + struct.pack("<q", 7) + b"\x01x"
    talk.ask(execute(5, first), *result(columns, [row], capabilities))
    talk.ask(execute(5, b"\x02\x00" + struct.pack("<q", 8)), *result(columns, [b"\0\x08" + struct.pack("<i", 8)], capabilities))
    talk.client(command(0x19, struct.pack("<I", 5)))
    one, two = talk.close()
    assert one.operation == "SELECT n, d FROM t WHERE n = ? AND m < ?"
    assert one.fields == {"params": [7, "x"], "columns": {"n": "int", "d": "double"}, "rows": [[7, 2.5]]}
    assert two.fields["params"] == [8, None]
    assert two.fields["rows"] == [[8, None]]


def test_a_statement_that_cannot_be_prepared() -> None:
    talk = Talk()
    talk.ask(command(0x16, b"SELECT x FROM t WHERE a = ?"), err(1054, "42S22", "Unknown column"))
    (one,) = talk.close()
    assert one.fields == {"error": {"code": 1054, "state": "42S22", "message": "Unknown column"}, "stage": "prepare"}


def test_long_values_come_in_pieces() -> None:
    talk = Talk()
    talk.ask(command(0x16, b"UPDATE t SET a = ? WHERE b = ?"), *prepared(1, [], 2))
    talk.client(command(0x18, struct.pack("<IH", 1, 0) + b"\x89PN"))
    talk.client(command(0x18, struct.pack("<IH", 1, 0) + b"G"))
    talk.ask(execute(1, b"\0\x01" + b"\xfc\x00\x01\x00" + b"\x07"), ok(1, info="Rows matched: 1  Changed: 1  Warnings: 0"))
    (one,) = talk.close()
    assert one.fields == {"params": [b"\x89PNG", 7], "affected": 1}


@pytest.mark.parametrize("capabilities", [MODERN, CLASSIC], ids=["deprecated-eof", "classic"])
def test_rows_fetched_through_a_cursor_are_one_result(capabilities: int) -> None:
    from wiretape.protocols.mysql.packets import encode_eof

    talk = Talk(capabilities)
    talk.ask(command(0x16, b"SELECT n FROM t"), *prepared(1, NUMBER, 0, capabilities))
    opened = AUTO | Status.CURSOR_EXISTS
    last = AUTO | Status.LAST_ROW_SENT

    def end(status: int) -> bytes:
        return result(NUMBER, [], capabilities, status)[-1]

    def row(number: int) -> bytes:
        return b"\0\0" + struct.pack("<i", number)

    head = result(NUMBER, [], capabilities)[:2]
    described = [*head, end(opened)] if capabilities & Cap.DEPRECATE_EOF else [*head, encode_eof(opened, 0)]
    fetch = command(0x1C, struct.pack("<II", 1, 2))
    talk.ask(execute(1, flags=1), *described)
    talk.ask(fetch, row(1), row(2), end(opened))
    talk.ask(fetch, row(3), end(last))
    talk.ask(execute(1, flags=1), *described)
    talk.ask(fetch, row(1), row(2), end(opened))
    talk.ask(command(0x1A, struct.pack("<I", 1)), ok())
    whole, part = talk.close()
    assert whole.fields == {"columns": {"n": "int"}, "rows": [[1], [2], [3]]}
    assert part.fields == {"columns": {"n": "int"}, "rows": [[1], [2]], "suspended": True}


def test_local_infile_is_marked() -> None:
    talk = Talk()
    talk.ask(query("LOAD DATA LOCAL INFILE 'x' INTO TABLE t"), b"\xfbx")
    talk.client(packed(b"1,2\n", b"", sequence=2))
    talk.server(packed(ok(1), sequence=4))
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    loaded, after = talk.close()
    assert "LOCAL INFILE" in loaded.incomplete
    assert after.incomplete == ""


def test_the_database_in_use() -> None:
    talk = Talk()
    talk.ask(query("USE `other`"), ok())
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    talk.ask(command(0x02, b"third"), ok())
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    talk.ask(query("CALL go()"), ok(status=AUTO, schema=b"fourth"))
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    talk.ask(command(0x02, b"app"), ok())
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    found = [one.fields.get("database") for one in talk.close() if one.operation.startswith("SELECT")]
    assert found == ["other", "third", "fourth", None]


def test_character_sets() -> None:
    talk = Talk(collation=8)
    latin = [column("name", Kind.VAR_STRING, collation=8, length=10)]
    talk.ask(query("SELECT 'Zoë' AS name".encode("cp1252")), *result(latin, [text_row("Zoë".encode("cp1252"))]))
    talk.ask(query("SET NAMES utf8mb4"), ok())
    wide = [column("name", Kind.VAR_STRING, collation=45, length=40)]
    talk.ask(query("SELECT 'Zoë ☃' AS name"), *result(wide, [text_row("Zoë ☃")]))
    first, _, second = talk.close()
    assert (first.operation, first.fields) == ("SELECT 'Zoë' AS name", {"columns": {"name": "varchar(10)"}, "rows": [["Zoë"]]})
    assert (second.operation, second.fields["rows"]) == ("SELECT 'Zoë ☃' AS name", [["Zoë ☃"]])


def test_bytes_in_the_text_of_a_query_stand_there_in_hexadecimal() -> None:
    talk = Talk()
    talk.ask(query(b"INSERT INTO t VALUES (_binary'\xff\x00', 'x')"), ok(1))
    (one,) = talk.close()
    assert one.operation == "INSERT INTO t VALUES (x'ff00', 'x')"


def test_query_attributes_are_passed_over() -> None:
    talk = Talk(MODERN | Cap.QUERY_ATTRIBUTES)
    talk.ask(command(3, b"\x00\x01SELECT n FROM t"), *result(NUMBER, []))
    attribute = b"\x01\x01" + b"\0\x01" + b"\xfd\x00" + b"\x04name" + b"\x05value"
    talk.ask(command(3, attribute + b"SELECT n FROM t"), *result(NUMBER, []))
    talk.ask(command(0x16, b"SELECT n FROM t WHERE n = ?"), *prepared(1, NUMBER, 1))
    values = b"\x02" + b"\0\x01" + b"\x08\x00\x00" + b"\xfd\x00\x04name" + struct.pack("<q", 7) + b"\x05value"
    talk.ask(execute(1, values, flags=8), *result(NUMBER, []))
    found = talk.close()
    assert [one.operation for one in found] == ["SELECT n FROM t", "SELECT n FROM t", "SELECT n FROM t WHERE n = ?"]
    assert found[-1].fields["params"] == [7]


def test_mariadb_pipelines_and_names_the_last_statement() -> None:
    mariadb = MODERN & ~Cap.LONG_PASSWORD | Cap.EXTENDED_METADATA | Cap.PROGRESS
    talk = Talk(mariadb, version="5.5.5-10.11.6-MariaDB")
    talk.client(command(0x16, b"SELECT n FROM t") + execute(0xFFFFFFFF))
    talk.server(packed(*prepared(9, NUMBER, 0, mariadb), sequence=1))
    progress = b"\xff\xff\xff\x01\x01\x01\0\0\0\x04copy"
    talk.server(packed(progress, *result(NUMBER, [b"\0\0" + struct.pack("<i", 4)], mariadb), sequence=1))
    talk.client(command(0x16, b"SELECT x FROM t") + execute(0xFFFFFFFF))
    talk.server(packed(err(1054, "42S22", "Unknown column"), sequence=1))
    talk.server(packed(err(1243, "HY000", "Unknown prepared statement"), sequence=1))
    first, refused, *_ = talk.close()
    assert first.fields["rows"] == [[4]]
    assert refused.fields["stage"] == "prepare"


def test_extended_types_have_their_own_names() -> None:
    mariadb = MODERN & ~Cap.LONG_PASSWORD | Cap.EXTENDED_METADATA
    talk = Talk(mariadb, version="5.5.5-10.11.6-MariaDB")
    columns = [
        column("doc", Kind.BLOB, collation=45, length=2**32 - 1, extended={"format": "json"}),
        column("id", Kind.STRING, length=144, extended={"type": "uuid"}),
        column("at", Kind.GEOMETRY, extended={"type": "point"}),
    ]
    talk.ask(query("SELECT doc, id, at FROM t"), *result(columns, [], mariadb))
    (one,) = talk.close()
    assert one.fields["columns"] == {"doc": "json", "id": "uuid", "at": "point"}


def test_metadata_that_is_sent_once() -> None:
    mariadb = MODERN & ~Cap.LONG_PASSWORD | Cap.CACHE_METADATA
    talk = Talk(mariadb, version="5.5.5-10.11.6-MariaDB")
    talk.ask(command(0x16, b"SELECT n FROM t"), *prepared(1, NUMBER, 0, mariadb))
    row = b"\0\0" + struct.pack("<i", 4)
    end = result(NUMBER, [])[-1]
    talk.ask(execute(1), b"\x01\x00", row, end)
    talk.ask(query("SELECT n FROM t"), b"\x01\x01", column("n").encode(mariadb), text_row("4"), end)
    first, second = talk.close()
    assert first.fields == second.fields == {"columns": {"n": "int"}, "rows": [[4]]}


@pytest.mark.parametrize(
    "exchange",
    [
        [(Side.SERVER, packed(ok(), sequence=2))],
        [(Side.SERVER, packed(b"\xfecaching_sha2_password\0" + b"s" * 20 + b"\0", sequence=2)),
         (Side.CLIENT, packed(b"h" * 32, sequence=3)),
         (Side.SERVER, packed(b"\x01\x03", ok(), sequence=4))],
        [(Side.SERVER, packed(b"\x01\x04", sequence=2)),
         (Side.CLIENT, packed(b"\x02", sequence=3)),
         (Side.SERVER, packed(b"\x01-----BEGIN PUBLIC KEY-----", sequence=4)),
         (Side.CLIENT, packed(b"r" * 256, sequence=5)),
         (Side.SERVER, packed(ok(), sequence=6))],
        [(Side.SERVER, packed(b"\x01\x04", sequence=2)),
         (Side.CLIENT, packed(b"secret\0", sequence=3)),
         (Side.SERVER, packed(ok(), sequence=4))],
    ],
    ids=["at once", "switched, fast", "full, RSA", "full, TLS"],
)  # fmt: skip
def test_any_way_to_log_in_is_read_past(exchange: list[tuple[Side, bytes]]) -> None:
    tap = MysqlTap()
    steps = [(Side.SERVER, greeting()), (Side.CLIENT, login()), *exchange, (Side.CLIENT, query("SELECT n FROM t")),
             (Side.SERVER, packed(*result(NUMBER, [text_row("1")]), sequence=1))]  # fmt: skip
    found = [one for side, data in steps for one in tap.feed(side, data, 0.0)]
    assert [one.fields["rows"] for one in found] == [[[1]]]


def test_a_new_user_begins_anew() -> None:
    talk = Talk()
    talk.ask(query("BEGIN"), ok(status=IN))
    talk.client(command(0x11, b"other\0\x00elsewhere\0\x08\x00mysql_native_password\0"))
    talk.server(packed(b"\xfemysql_native_password\0" + b"s" * 20 + b"\0", sequence=1))
    talk.client(packed(b"h" * 20, sequence=2))
    talk.server(packed(ok(), sequence=3))
    talk.ask(query("SELECT n FROM t"), *result(NUMBER, []))
    talk.ask(command(0x1F), ok())
    _, one = talk.close()
    assert one.transaction is None
    assert "database" not in one.fields


def test_refused_connections_say_nothing() -> None:
    tap = MysqlTap()
    assert list(tap.feed(Side.SERVER, packed(b"\xff\x10\x04Too many connections"), 0.0)) == []
    assert list(tap.close(1.0)) == []
    tap = MysqlTap()
    for side, data in (
        (Side.SERVER, greeting()),
        (Side.CLIENT, login()),
        (Side.SERVER, packed(err(1045, "28000", "Access denied"), sequence=2)),
    ):
        assert list(tap.feed(side, data, 0.0)) == []
    assert tap.facts["server_version"] == "8.0.36"


def test_encryption_is_said() -> None:
    tap = MysqlTap()
    list(tap.feed(Side.SERVER, greeting(MODERN | Cap.SSL), 0.0))
    request = packed(struct.pack("<IIB", MODERN | Cap.SSL, 1 << 24, 45) + bytes(23), sequence=1)
    with pytest.raises(DecodeError, match="this connection is encrypted"):
        list(tap.feed(Side.CLIENT, request, 0.0))


def test_compression_is_said() -> None:
    tap = MysqlTap()
    list(tap.feed(Side.SERVER, greeting(MODERN | Cap.COMPRESS), 0.0))
    with pytest.raises(DecodeError, match="this connection is compressed"):
        list(tap.feed(Side.CLIENT, login(MODERN | Cap.COMPRESS), 0.0))


@pytest.mark.parametrize(
    ("client", "server", "reason"),
    [
        (b"", packed(b"\x09old"), "protocol version 9"),
        (query("SELECT 1"), packed(ok(), ok(), sequence=1), "did not ask"),
        (command(0x12), b"", "replication"),
        (query("SELECT n FROM t"), packed(b"", sequence=1), "empty packet"),
        (query("SELECT n FROM t"), packed(b"\xfe" + struct.pack("<Q", 2**40) + b"\0", sequence=1), "columns"),
        (query("SELECT n FROM t"), packed(*result(NUMBER, [text_row("1", "2")]), sequence=1), "too many"),
        (query("SELECT n FROM t"), packed(*result(NUMBER, [b"\x05abc"]), sequence=1), "need 5 bytes"),
    ],
)
def test_what_is_no_mysql_is_said(client: bytes, server: bytes, reason: str) -> None:
    def converse() -> None:
        if not client:
            list(MysqlTap().feed(Side.SERVER, server, 0.0))
        else:
            talk = Talk()
            talk.client(client)
            talk.server(server)

    with pytest.raises(DecodeError, match=reason):
        converse()


def test_what_was_under_way_when_it_ended() -> None:
    talk = Talk()
    talk.client(query("SELECT n FROM t"))
    talk.server(packed(*result(NUMBER, [text_row("1")])[:-1], sequence=1))
    talk.client(query("SELECT m FROM t"))
    first, second = talk.close()
    assert (first.fields["rows"], bool(first.incomplete)) == ([[1]], True)
    assert (second.operation, bool(second.incomplete)) == ("SELECT m FROM t", True)


def test_facts() -> None:
    talk = Talk(version="5.5.5-10.11.6-MariaDB")
    names = [column("@@sql_mode", Kind.VAR_STRING), column("x"), column("version()", Kind.VAR_STRING)]
    talk.ask(
        query("SELECT @@sql_mode, @@session.wait_timeout AS x, VERSION()"), *result(names, [text_row("STRICT", "60", "v")])
    )
    pairs = [column("Variable_name", Kind.VAR_STRING), column("Value", Kind.VAR_STRING)]
    talk.ask(query("SHOW VARIABLES LIKE 'l%'"), *result(pairs, [text_row("license", "GPL"), text_row("hostname", "h")]))
    talk.close()
    assert talk.tap.facts == {
        "server_version": "5.5.5-10.11.6-MariaDB",
        "collation": 45,
        "plugin": "mysql_native_password",
        "variables": {"sql_mode": "STRICT", "wait_timeout": 60, "license": "GPL"},
    }
