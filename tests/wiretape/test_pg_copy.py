"""COPY: how its data is laid out, what a case shows of it, what a tap reads and a mock plays back."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.book import Book
from tests.wiretape.test_pg_responder import Wire, call
from tests.wiretape.test_pg_tap import Tape, done
from wiretape.errors import EncodeError
from wiretape.protocols import codec
from wiretape.protocols.base import Side
from wiretape.protocols.postgres import backend, copydata, copyreading
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.copylayout import Layout, layout_of
from wiretape.protocols.postgres.frontend import Bind, CopyFail, Execute, Parse, Query, Sync, Terminate
from wiretape.protocols.postgres.messages import CopyData, CopyDone, PgMessage
from wiretape.tree import Number, Tree

CODEC = codec("postgres")
C, S = Side.CLIENT, Side.SERVER
TAKES = backend.CopyInResponse(format=0, columns=(0,))
IDLE = backend.ReadyForQuery(status=b"I")
REFUSED = backend.ErrorResponse(fields=((b"S", "ERROR"), (b"C", "22P02"), (b"M", "bad")))
TEXT, CSV = Layout(direction="out"), Layout(direction="out", form="csv", delimiter=",", null="")
HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)


def layout(sql: str) -> Layout | None:
    return layout_of(plan(sql).statements[0])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("COPY t FROM STDIN", Layout(direction="in")),
        ("COPY s.t (a, b) FROM stdin", Layout(direction="in", columns=2)),
        ("copy \"T t\"(a) from stdin with csv header delimiter ';' quote as ''''", Layout(
            direction="in", form="csv", delimiter=";", null="", quote="'", escape="'", header=True, columns=1)),
        ("COPY t FROM STDIN WITH DELIMITER AS '|' NULL AS 'none'", Layout(direction="in", delimiter="|", null="none")),
        ("COPY t FROM STDIN (FORMAT 'CSV', NULL 'x', HEADER false, ESCAPE '\\')", Layout(
            direction="in", form="csv", delimiter=",", null="x", escape="\\")),
        ("COPY (SELECT 1 FROM a WHERE b = 'x to stdout') TO STDOUT (FORMAT binary)", Layout(direction="out", form="binary")),
        ("COPY BINARY t TO STDOUT", Layout(direction="out", form="binary")),
        ("COPY t TO STDOUT WITH BINARY", Layout(direction="out", form="binary")),
        ("COPY t FROM STDIN (ENCODING 'latin1') WHERE a > 3", Layout(direction="in", encoding="latin1")),
        ("COPY t TO STDIN", Layout(direction="out")),  # PHP writes it so
        ("COPY t FROM '/tmp/file'", None),
        ("COPY t FROM PROGRAM 'cat'", None),
        ("SELECT 1", None),
    ],
)  # fmt: skip
def test_the_statement_says_the_layout(sql: str, expected: Layout | None) -> None:
    assert layout(sql) == expected


@pytest.mark.parametrize(
    ("how", "data", "rows"),
    [
        (TEXT, b"1\ta\\tb\t\\N\n-0.50\t007\tt\n", [[1, "a\tb", None], [Number("-0.50"), "007", "t"]]),
        (TEXT, b"\\\\N\n", [["\\N"]]),
        (TEXT, b"\n", [[""]]),
        (TEXT, b"", []),
        (Layout(direction="out", delimiter="|", null="-"), b"a\\|b|-\n", [["a|b", None]]),
        (CSV, b'a,"b,c",,""\n"q""q","two\nlines",1,x\n', [["a", "b,c", None, ""], ['q"q', "two\nlines", 1, "x"]]),
        (Layout(direction="out", form="csv", delimiter=";", null="N", escape="\\"), b'"a\\"b";N;"N"\n', [['a"b', None, "N"]]),
    ],
)
def test_data_is_rows_and_becomes_data_again(how: Layout, data: bytes, rows: Tree) -> None:
    assert copydata.told(how, data, "utf-8") == rows
    assert b"".join(copydata.write(how, rows, "utf-8", "")) == data


@pytest.mark.parametrize(
    ("how", "data", "told"),
    [
        (CSV, b'"1","a"\n', '"1","a"\n'),  # all are quoted, which no writing again would do
        (CSV, b'"open\n', '"open\n'),
        (TEXT, b"\xff\n", b"\xff\n"),
        (TEXT, b"no end", "no end"),
        (TEXT, b"a\\\nb\n", "a\\\nb\n"),
    ],
)
def test_what_rows_would_not_give_again_is_kept_as_it_came(how: Layout, data: bytes, told: Tree) -> None:
    assert copydata.told(how, data, "utf-8") == told
    assert b"".join(copydata.write(how, told, "utf-8", "")) == data


@pytest.mark.parametrize(
    ("how", "data", "rows"),
    [
        (TEXT, b"1\t\\x41\\102\r\n\\.\n9\n", [[1, "AB"]]),
        (CSV, b'a"b c"d,\r\n', [["ab cd", None]]),
        (CSV, b"1,2", [[1, 2]]),
        (CSV, b"1,", [[1, None]]),
        (CSV, b"1\n\\.\n2\n", [[1]]),
    ],
)
def test_clients_write_more_ways_than_a_server(how: Layout, data: bytes, rows: Tree) -> None:
    assert copydata.read(how, data, "utf-8") == rows


CELLS = st.lists(
    st.lists(st.none() | st.text(max_size=8).filter(lambda text: "\0" not in text), min_size=2, max_size=2), max_size=4
)


@given(CELLS, st.sampled_from([TEXT, CSV, Layout(direction="out", delimiter=";", null="null")]))
def test_any_rows_are_read_back(rows: list[list[str | None]], how: Layout) -> None:
    rows = [[None if cell == how.null else cell for cell in row] for row in rows] if how.form == "text" else rows
    try:
        data = b"".join(copydata.write(how, rows, "utf-8", ""))  # type: ignore[arg-type]
    except EncodeError:  # a lone surrogate is no text
        return
    found = copydata.read(how, data, "utf-8")
    assert isinstance(found, list)
    assert [[None if cell is None else str(cell) for cell in row] for row in found] == rows  # type: ignore[union-attr]


def test_a_person_may_write_plain_yaml() -> None:
    assert copydata.write(TEXT, [[True, 1.5, b"\x01", None]], "utf-8", "") == [b"t\t1.5\t\\\\x01\t\\N\n"]
    with pytest.raises(EncodeError, match=r"copy_out\[0\]\[1\]"):
        copydata.write(TEXT, [[1, {"a": 1}]], "utf-8", "copy_out")


# The tap


def test_a_copy_from_the_client_is_read() -> None:
    (copied,) = Tape().say(
        (C, Query(sql="COPY t FROM STDIN")), (S, TAKES), (C, CopyData(data=b"1\tx")), (C, CopyData(data=b"\n2\t\\N\n")),
        (C, CopyDone()), (S, done("COPY 2")), (S, IDLE),
    )  # fmt: skip
    assert copied.fields == {"copy_in": [[1, "x"], [2, None]]}
    assert not copied.incomplete


def test_data_sent_before_the_server_takes_any_is_read_as_well() -> None:
    (copied,) = Tape().say(
        (C, Query(sql="COPY t FROM STDIN")), (C, CopyData(data=b"1\n")), (C, CopyDone()), (S, TAKES),
        (S, done("COPY 1")), (S, IDLE),
    )  # fmt: skip
    assert copied.fields == {"copy_in": [[1]]}


def test_data_of_a_copy_that_never_began_belongs_to_no_other() -> None:
    refused, copied = Tape().say(
        (C, Query(sql="COPY gone FROM STDIN")), (C, CopyData(data=b"1\n")), (C, CopyDone()), (S, REFUSED), (S, IDLE),
        (C, Query(sql="COPY t FROM STDIN")), (S, TAKES), (C, CopyData(data=b"2\n")), (C, CopyDone()),
        (S, done("COPY 1")), (S, IDLE),
    )  # fmt: skip
    assert "copy_in" not in refused.fields
    assert copied.fields == {"copy_in": [[2]]}


@pytest.mark.parametrize("late", [0, 1, 2])
def test_a_copy_that_the_server_refuses_holds_all_that_the_client_sent(late: int) -> None:
    """When the error crosses the rest of the data is chance: it must not show in the recording."""
    said: list[tuple[Side, PgMessage | bytes]] = [(C, CopyData(data=b"x\n")), (C, CopyData(data=b"y\n")), (C, CopyDone())]
    said[late:late] = [(S, REFUSED), (S, IDLE)]
    (copied,) = Tape().say((C, Query(sql="COPY t FROM STDIN")), (S, TAKES), *said)
    assert copied.fields["copy_in"] == [["x"], ["y"]]
    assert "error" in copied.fields


def test_a_client_that_gives_up() -> None:
    (copied,) = Tape().say(
        (C, Query(sql="COPY t FROM STDIN")), (S, TAKES), (C, CopyData(data=b"1\n")), (C, CopyFail(reason="no")),
        (S, REFUSED), (S, IDLE),
    )  # fmt: skip
    assert copied.fields["copy_in"] == [[1]]
    assert copied.fields["copy_fail"] is True


def test_a_server_that_goes_away_in_the_middle_of_a_copy_is_said() -> None:
    for way, sql, response in (
        ("in", "COPY t FROM STDIN", TAKES),
        ("out", "COPY t TO STDOUT", backend.CopyOutResponse(format=0, columns=(0,))),
    ):
        tape = Tape()
        assert tape.say((C, Query(sql=sql)), (S, response), (C if way == "in" else S, CopyData(data=b"1\n"))) == []
        (copied,) = tape.tap.close(1.0)
        assert copied.fields == {f"copy_{way}": [[1]]}
        assert copied.incomplete == "the connection ended before the answer was whole"


def test_more_data_than_is_kept_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copyreading, "MAX_DATA", 10)
    (copied,) = Tape().say(
        (C, Query(sql="COPY t TO STDOUT")), (S, backend.CopyOutResponse(format=0, columns=(0,))), (S, CopyData(data=b"1\n22")),
        (S, CopyData(data=b"33\n4\n")), (S, CopyData(data=b"5\n6\n7\n")), (S, CopyDone()), (S, done("COPY 6")), (S, IDLE),
    )  # fmt: skip
    assert copied.fields == {"copy_out": [[1], [2233], [4]], "tag": "COPY 6"}
    assert "more than" in copied.incomplete


def test_binary_values_of_unknown_types_stay_bytes() -> None:
    data = HEAD + struct.pack(">hii", 1, 4, 7) + struct.pack(">hi", 1, -1) + struct.pack(">h", -1)
    (copied,) = Tape().say(
        (C, Query(sql="COPY t TO STDOUT (FORMAT binary)")), (S, backend.CopyOutResponse(format=1, columns=(1,))),
        (S, CopyData(data=data)), (S, CopyDone()), (S, done("COPY 2")), (S, IDLE),
    )  # fmt: skip
    assert copied.fields == {"copy_out": [[b"\0\0\0\x07"], [None]]}


# The mock


def test_a_copy_to_the_client_is_played_back() -> None:
    wire = Wire(call("COPY t TO STDOUT", copy_out=[[1, "a"], [2, None]]))
    assert wire.query("COPY t TO STDOUT") == [
        backend.CopyOutResponse(format=0, columns=(0, 0)), CopyData(data=b"1\ta\n"), CopyData(data=b"2\t\\N\n"), CopyDone(),
        done("COPY 2"), IDLE,
    ]  # fmt: skip


def test_binary_is_made_from_text_where_types_are_known() -> None:
    wire = Wire(call("COPY t TO STDOUT (FORMAT binary)", columns={"n": "int4"}, copy_out=[[7], [None]]))
    said = wire.query("COPY t TO STDOUT (FORMAT binary)")
    data = b"".join(each.data for each in said if isinstance(each, CopyData))
    assert data == HEAD + struct.pack(">hii", 1, 4, 7) + struct.pack(">hi", 1, -1) + struct.pack(">h", -1)


COPIED = call("COPY t (n) FROM STDIN", copy_in=[[1], [2]])


def test_a_copy_from_the_client_is_compared_as_values() -> None:
    wire = Wire(COPIED)
    assert wire.query("copy t(n) from stdin") == [TAKES]
    assert wire.say(CopyData(data=b"1\n2"), CopyData(data=b"\n")) == []
    assert wire.say(CopyDone()) == [done("COPY 2"), IDLE]
    assert wire.book.misses == []


def test_other_data_is_a_miss_that_names_the_value() -> None:
    wire = Wire(COPIED)
    wire.query("COPY t (n) FROM STDIN")
    error, ready = wire.say(CopyData(data=b"1\n3\n"), CopyDone())
    assert isinstance(error, backend.ErrorResponse)
    assert ready == IDLE
    (missed,) = wire.book.misses
    assert dict(zip(missed.labels, missed.values, strict=True)) == {"copy_in[0][0]": "1", "copy_in[1][0]": "3"}


def test_a_copy_by_extended_query() -> None:
    wire = Wire(COPIED)
    bind = Bind(portal="", statement="", formats=(), parameters=(), results=())
    assert wire.say(Parse(name="", sql=COPIED.operation, types=()), bind, Execute(portal="", limit=0), Sync()) == [
        backend.ParseComplete(), backend.BindComplete(), TAKES,
    ]  # fmt: skip
    assert wire.say(CopyData(data=b"1\n2\n"), CopyDone()) == [done("COPY 2")]
    assert wire.say(Sync()) == [IDLE]


def test_an_error_recorded_for_the_data_comes_after_it() -> None:
    wire = Wire(call("COPY t FROM STDIN", copy_in=[["x"]], error={"code": "22P02", "message": "bad"}))
    wire.query("COPY t FROM STDIN")
    error, ready = wire.say(CopyData(data=b"x\n"), CopyDone())
    assert isinstance(error, backend.ErrorResponse)
    assert ready == IDLE


def test_a_client_may_give_up_as_it_did() -> None:
    wire = Wire(call("COPY t FROM STDIN", copy_in=[[1]], copy_fail=True, error={"code": "57014", "message": "COPY failed"}))
    wire.query("COPY t FROM STDIN")
    error, _ = wire.say(CopyData(data=b"1\n"), CopyFail(reason="x"))
    assert isinstance(error, backend.ErrorResponse)
    assert (b"C", "57014") in error.fields
    assert wire.book.misses == []


def test_what_has_no_place_in_a_copy_ends_it() -> None:
    wire = Wire(COPIED, call("SELECT 1 AS n", columns={"n": "int4"}, rows=[[1]]))
    wire.query("COPY t (n) FROM STDIN")
    error, ready = wire.query("SELECT 1 AS n")
    assert isinstance(error, backend.ErrorResponse)
    assert (b"C", "08P01") in error.fields
    assert ready == IDLE
    assert wire.query("SELECT 1 AS n")[-1] == IDLE
    wire.query("COPY t (n) FROM STDIN")
    wire.say(Terminate())
    assert wire.responder.closed


def test_a_copy_that_failed_at_once_fails_at_once() -> None:
    wire = Wire(call("COPY gone FROM STDIN", error={"code": "42P01", "message": "no such table"}))
    error, ready = wire.query("COPY gone FROM STDIN")
    assert isinstance(error, backend.ErrorResponse)
    assert ready == IDLE
    assert wire.say(CopyData(data=b"1\n"), CopyDone()) == []


def test_more_data_than_is_recorded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.protocols.postgres.copyin.MAX_DATA", 4)
    wire = Wire(COPIED)
    wire.query("COPY t (n) FROM STDIN")
    error, ready = wire.say(CopyData(data=b"12345\n"))
    assert isinstance(error, backend.ErrorResponse)
    assert ready == IDLE


def test_problems_are_found_before_a_run() -> None:
    wrong = call("COPY t FROM STDIN", copy_out=[[1]])
    assert [(each.path, each.reason) for each in CODEC.check(wrong)] == [
        ("copy_out", "the statement is no COPY in that direction")
    ]
    untyped = call("COPY t TO STDOUT (FORMAT binary)", copy_out=[["text"]])
    assert [each.path for each in CODEC.check(untyped)] == ["copy_out[0][0]"]
    assert CODEC.check(COPIED) == []


def test_a_statement_that_was_only_described_answers_no_execution() -> None:
    described = call("SELECT a FROM t", described=True, columns={"a": "int4"})
    book = Book(CODEC, [described])
    ask = CODEC.ask(call("SELECT a FROM t"))
    assert book.peek(ask) is None
    assert CODEC.ask(described).role == "housekeeping"
