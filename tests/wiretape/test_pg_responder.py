"""How the mock answers, message by message."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from tests.laws.book import Book
from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.protocols.base import Answers, Ask, Miss, Waiting
from wiretape.protocols.postgres import backend
from wiretape.protocols.postgres.frontend import (
    Bind,
    CancelRequest,
    Close,
    Describe,
    Execute,
    Flush,
    FunctionCall,
    GSSENCRequest,
    Parse,
    Query,
    SSLRequest,
    StartupMessage,
    Sync,
    Terminate,
)
from wiretape.protocols.postgres.messages import CopyData, PgMessage
from wiretape.protocols.postgres.responder import PgResponder
from wiretape.tree import Number, Tree

CODEC = codec("postgres")
SYNC, PORTAL, STATEMENT = Sync(), Describe(kind=b"P", name=""), Describe(kind=b"S", name="")
ALL = Execute(portal="", limit=0)
SELECT = "SELECT n, t FROM x WHERE n > $1"
ROWS: Tree = [[1, "a"], [2, None], [3, "c"]]
FOUND = {"params": [0], "columns": {"n": "int4", "t": "text"}, "rows": ROWS}
BAD = {"severity": "ERROR", "code": "22012", "message": "division by zero"}


def call(operation: str, **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields=fields)


class Wire:
    """A responder that was greeted; what it says is read back as messages."""

    def __init__(
        self, *calls: Call, facts: dict[str, Tree] | None = None, answers: Answers | None = None, **started: str
    ) -> None:
        self.book = Book(CODEC, calls)
        self.responder = PgResponder(facts or {}, answers or self.book, "main")
        self.greeting = self.raw(StartupMessage(version=3 << 16, parameters=(("user", "app"), *started.items())).encode())

    def raw(self, data: bytes) -> list[PgMessage]:
        return read(self.responder.receive(data))

    def say(self, *messages: PgMessage) -> list[PgMessage]:
        return self.raw(b"".join(message.encode() for message in messages))

    def query(self, sql: str) -> list[PgMessage]:
        return self.say(Query(sql=sql))

    def status(self) -> bytes:
        (ready,) = self.say(SYNC)
        assert isinstance(ready, backend.ReadyForQuery)
        return ready.status


def read(data: bytes) -> list[PgMessage]:
    out, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at + 1)
        kind = backend.BACKEND[data[at]]
        out.append(kind.decode(data[at + 5 : at + 1 + length]))
        at += 1 + length
    return out


def names(messages: Iterable[PgMessage]) -> str:
    """`1 2 T D C Z`."""
    return " ".join(message.tag.decode() for message in messages)


def error(messages: Iterable[PgMessage]) -> dict[str, str]:
    (found,) = [message for message in messages if isinstance(message, backend.ErrorResponse)]
    return {letter.decode(): text for letter, text in found.fields}


def tags(messages: Iterable[PgMessage]) -> list[str]:
    return [message.command for message in messages if isinstance(message, backend.CommandComplete)]


def rows(messages: Iterable[PgMessage]) -> list[tuple[bytes | None, ...]]:
    return [message.values for message in messages if isinstance(message, backend.DataRow)]


def parse(sql: str = SELECT, name: str = "", types: tuple[int, ...] = ()) -> Parse:
    return Parse(name=name, sql=sql, types=types)


def bind(*values: bytes | None, statement: str = "", portal: str = "", results: tuple[int, ...] = ()) -> Bind:
    return Bind(portal=portal, statement=statement, formats=(), parameters=values, results=results)


# Start-up.


def test_the_greeting_says_what_the_server_is() -> None:
    wire = Wire(facts={"server_version": "16.2", "parameters": {"TimeZone": "Asia/Tokyo"}}, application_name="me")
    assert names(wire.greeting) == "R S S S S S K Z"
    said = {message.name: message.value for message in wire.greeting if isinstance(message, backend.ParameterStatus)}
    assert said == {
        "TimeZone": "Asia/Tokyo",
        "application_name": "me",
        "session_authorization": "app",
        "client_encoding": "UTF8",
        "server_version": "16.2",
    }


def test_start_up_parameters_and_options_take_effect() -> None:
    wire = Wire(options=r"-c timezone=Europe/Paris --search_path=a,\ b -cother.thing=1", client_encoding="latin1")
    said = {message.name: message.value for message in wire.greeting if isinstance(message, backend.ParameterStatus)}
    assert (said["TimeZone"], said["search_path"], said["client_encoding"]) == ("Europe/Paris", "a, b", "LATIN1")
    assert rows(wire.query("SHOW other.thing")) == [(b"1",)]


@pytest.mark.parametrize(
    ("version", "options", "expected"),
    [
        (3 << 16, (), None),
        (3 << 16 | 2, (), None),
        (3 << 16 | 9, (), backend.NegotiateProtocolVersion(version=3 << 16 | 2, options=())),
        (3 << 16, (("_pq_.x", "1"),), backend.NegotiateProtocolVersion(version=3 << 16, options=("_pq_.x",))),
    ],
)
def test_the_version_is_negotiated(version: int, options: tuple[tuple[str, str], ...], expected: PgMessage | None) -> None:
    responder = PgResponder({}, Book(CODEC, ()), "main")
    said = read(responder.receive(StartupMessage(version=version, parameters=(("user", "app"), *options)).encode()))
    assert (said[0] if isinstance(said[0], backend.NegotiateProtocolVersion) else None) == expected
    assert said[-1] == backend.ReadyForQuery(status=b"I")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (StartupMessage(version=2 << 16, parameters=()).encode(), "unsupported frontend protocol 2.0"),
        (StartupMessage(version=3 << 16, parameters=()).encode(), "no PostgreSQL user name"),
        (b"GET / HTTP/1.1\r\n\r\n", "this is not PostgreSQL"),
        (b"\x40\0\0\0", "cannot be 1073741824 bytes long"),
    ],
)
def test_a_start_that_is_none_is_refused(data: bytes, message: str) -> None:
    responder = PgResponder({}, Book(CODEC, ()), "main")
    refused = error(read(responder.receive(data)))
    assert refused["S"] == "FATAL"
    assert message in refused["M"]
    assert responder.closed


def test_broken_facts_are_named() -> None:
    said = error(Wire(facts={"types": {"mood": {"oid": 20000, "kind": "wrong"}}}).greeting)
    assert said["C"] == "WT002"
    assert "the facts of main in suite.yaml are wrong: types.mood" in said["M"]


def test_tls_is_offered_where_the_server_did() -> None:
    responder = PgResponder({"tls": True}, Book(CODEC, ()), "main")
    assert responder.receive(GSSENCRequest().encode()) == b"N"
    assert responder.receive(SSLRequest().encode()) == b"S"
    assert responder.upgrade
    responder.upgraded()
    assert not responder.upgrade
    said = read(responder.receive(StartupMessage(version=3 << 16, parameters=(("user", "app"),)).encode()))
    assert names(said).startswith("R S")
    assert PgResponder({}, Book(CODEC, ()), "main").receive(SSLRequest().encode()) == b"N"


def test_plain_text_smuggled_in_before_encryption_is_refused() -> None:
    responder = PgResponder({"tls": True}, Book(CODEC, ()), "main")
    refused = error(read(responder.receive(SSLRequest().encode() + b"Q")))
    assert "unencrypted data" in refused["M"]
    assert responder.closed


def test_a_cancel_request_ends_the_connection() -> None:
    responder = PgResponder({}, Book(CODEC, ()), "main")
    assert responder.receive(CancelRequest(process=1, key=b"tape").encode()) == b""
    assert responder.closed


def test_bytes_that_are_no_message_end_the_connection() -> None:
    wire = Wire()
    assert error(wire.raw(Query(sql="SELECT 1").encode() + b"!!"))["C"] == "08P01"
    assert wire.responder.closed
    wire = Wire()
    assert "a message of 1073741824 bytes" in error(wire.raw(b"Q\x40\0\0\0"))["M"]


# Queries.


def test_a_query_both_ways_and_in_both_formats() -> None:
    wire = Wire(call(SELECT, **FOUND))
    simple = wire.query("select n, t from x where n > 0")
    assert names(simple) == "T D D D C Z"
    assert rows(simple) == [(b"1", b"a"), (b"2", None), (b"3", b"c")]
    assert tags(simple) == ["SELECT 3"]
    extended = wire.say(parse(), bind(b"0", results=(1, 0)), PORTAL, ALL, SYNC)
    assert names(extended) == "1 2 T D D D C Z"
    assert rows(extended)[0] == (b"\0\0\0\1", b"a")
    (described,) = [message for message in extended if isinstance(message, backend.RowDescription)]
    assert [(column.name, column.type, column.size, column.format) for column in described.columns] == [
        ("n", 23, 4, 1),
        ("t", 25, -1, 0),
    ]
    assert wire.book.misses == []


def test_binary_parameters_are_matched_by_meaning() -> None:
    wire = Wire(call(SELECT, **FOUND))
    for oid, data in ((21, b"\0\0"), (23, b"\0" * 4), (20, b"\0" * 8)):
        binary = Bind(portal="", statement="", formats=(1,), parameters=(data,), results=())
        assert tags(wire.say(parse(types=(oid,)), binary, ALL, SYNC)) == ["SELECT 3"]
    assert wire.book.misses == []


def test_rows_edited_by_hand_are_encoded_anew() -> None:
    edited = call("SELECT v", columns={"b": "bool", "n": "numeric", "a": "int4[]", "j": "jsonb", "t": "text"}, rows=[
        [True, Number("12.50"), [1, None], {"k": 1}, 5],
    ])  # fmt: skip
    assert rows(Wire(edited).query("SELECT v")) == [(b"t", b"12.50", b"{1,NULL}", b'{"k": 1}', b"5")]


@pytest.mark.parametrize("form", [0, 1])
def test_a_value_that_does_not_fit_is_named(form: int) -> None:
    wrong = call("SELECT v", columns={"t": "text", "n": "int4"}, rows=[["x", "abc"]])
    said = error(Wire(wrong).say(parse("SELECT v"), bind(results=(form,)), PORTAL, ALL, SYNC))
    assert said["C"] == "WT002"
    assert "rows[0][1]: " in said["M"]
    assert "abc" in said["M"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"columns": {"n": "int4"}, "rows": [[1, 2]]}, "rows[0]: 2 values for 1 columns"),
        ({"columns": {"n": "int5"}, "rows": []}, "columns.n: 'int5' is not a known type; did you mean"),
        ({"rows": [[1]]}, "rows: rows need columns"),
        ({"error": {"colour": "red"}}, "error.colour: an error has no such field"),
        ({"columns": 5}, "columns: expected a mapping"),
        ({"columns": {"n": "int4"}, "rows": 5}, "rows: expected a list"),
    ],
)
def test_a_call_that_cannot_be_served_says_where(fields: dict[str, Tree], path: str) -> None:
    assert path in error(Wire(call("SELECT v", **fields)).query("SELECT v"))["M"]


def test_tags_notices_and_errors() -> None:
    notice: Tree = {"severity": "NOTICE", "code": "00000", "message": "hello"}
    wire = Wire(
        call("UPDATE x SET n = 1", tag="UPDATE 7", notices=[notice]),
        call("SELECT 1/0", error={**BAD, "position": 8}),
        call("CREATE TABLE y (n int)"),
    )
    assert names(wire.query("UPDATE x SET n = 1")) == "N C Z"
    assert tags(wire.query("UPDATE x SET n = 1")) == ["UPDATE 7"]
    said = error(wire.query("SELECT 1/0"))
    assert said == {"S": "ERROR", "V": "ERROR", "C": "22012", "M": "division by zero", "P": "8"}
    assert tags(wire.query("CREATE TABLE y (n int)")) == ["CREATE TABLE"]


def test_several_statements() -> None:
    both = call("SELECT 1 AS a; UPDATE x SET n = 1", results=[{"columns": {"a": "int4"}, "rows": [[1]]}, {"tag": "UPDATE 2"}])
    wire = Wire(both, call("SELECT a FROM b", columns={"a": "int4"}, rows=[[5]]), call("DELETE FROM b", error=dict(BAD)))
    assert names(wire.query("SELECT 1 AS a; UPDATE x SET n = 1")) == "T D C C Z"
    # recorded one by one, asked together
    assert names(wire.query("SET a.b = '1'; SELECT a FROM b; DELETE FROM b; SELECT a FROM b")) == "C T D C E Z"
    assert wire.query("BEGIN; SELECT a FROM b; DELETE FROM b")[-1] == backend.ReadyForQuery(status=b"E")
    assert error(wire.say(parse("SELECT 1; SELECT 2"), SYNC))["C"] == "42601"


def test_very_many_statements() -> None:
    said = Wire().query(";".join(["SET a.b = 1"] * 20_000))
    assert len(said) == 20_001


def test_an_empty_query() -> None:
    wire = Wire()
    assert names(wire.query(" -- nothing\n")) == "I Z"
    assert names(wire.say(parse(""), bind(), PORTAL, ALL, SYNC)) == "1 2 n I Z"


def test_a_miss_is_an_error_that_explains() -> None:
    wire = Wire(call(SELECT, **FOUND))
    said = error(wire.query("SELECT other"))
    assert said["C"] == "WT001"
    assert said["M"].startswith("wiretape: no recorded call on main answers: SELECT other")
    assert said["H"] == "record it"
    assert [ask.operation for ask in wire.book.misses] == ["SELECT other"]


# Transactions and errors.


def test_the_state_of_the_transaction() -> None:
    wire = Wire(call("SELECT 1/0", error=dict(BAD)))
    assert wire.status() == b"I"
    assert tags(wire.query("BEGIN")) == ["BEGIN"]
    assert wire.status() == b"T"
    wire.query("SAVEPOINT a")
    wire.query("SELECT 1/0")
    assert wire.status() == b"E"
    assert error(wire.query("SELECT 1"))["C"] == "25P02"
    assert tags(wire.query("ROLLBACK TO SAVEPOINT a")) == ["ROLLBACK"]
    assert wire.status() == b"T"
    wire.query("SELECT 1/0")
    assert tags(wire.query("COMMIT")) == ["ROLLBACK"]
    assert wire.status() == b"I"


def test_transaction_control_where_it_makes_no_sense() -> None:
    wire = Wire()
    assert names(wire.query("COMMIT")) == "N C Z"
    wire.query("BEGIN")
    assert names(wire.query("BEGIN")) == "N C Z"
    assert tags(wire.query("COMMIT AND CHAIN")) == ["COMMIT"]
    assert wire.status() == b"T"
    wire.query("ROLLBACK")
    assert error(wire.query("SAVEPOINT a"))["C"] == "25P01"


def test_a_commit_that_fails_ends_the_transaction() -> None:
    wire = Wire(call("COMMIT", error=dict(BAD)))
    wire.query("BEGIN")
    assert names(wire.query("COMMIT")) == "E Z"
    assert wire.status() == b"I"


def test_after_an_error_all_is_skipped_up_to_sync() -> None:
    wire = Wire(call(SELECT, **FOUND))
    said = wire.say(parse("SELECT other"), bind(), ALL, parse(), bind(b"0"), ALL, Query(sql="SELECT 1"), SYNC)
    assert names(said) == "1 2 E Z"
    assert len(wire.book.misses) == 1
    assert tags(wire.say(parse(), bind(b"0"), ALL, SYNC)) == ["SELECT 3"]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("parse", "E Z"), ("bind", "1 E Z"), ("describe", "1 2 E Z"), ("execute", "1 2 T E Z"), ("sync", "1 2 T D D D C E Z")],
)
def test_errors_come_at_their_stage(stage: str, expected: str) -> None:
    shown: dict[str, Tree] = {**FOUND} if stage in ("execute", "sync") else {"params": [0]}
    if stage == "execute":
        del shown["rows"]
    wire = Wire(call(SELECT, **shown, error=dict(BAD), stage=stage))
    assert names(wire.say(parse(), bind(b"0"), PORTAL, ALL, SYNC)) == expected


def test_an_error_of_parse_comes_without_a_bind_too() -> None:
    wire = Wire(call("SELECT * FROM nowhere", error=dict(BAD), stage="parse"))
    for behind in (STATEMENT, Flush(), SYNC):
        said = wire.say(parse("SELECT * FROM nowhere"), behind)
        assert names(said).split()[0] == "E"
        wire.say(SYNC)


def test_a_fatal_error_hangs_up() -> None:
    wire = Wire(call("SELECT pg_sleep(9)", error={"severity": "FATAL", "code": "57P01", "message": "going"}))
    assert names(wire.query("SELECT pg_sleep(9)")) == "E"
    assert wire.responder.closed


def test_terminate_hangs_up() -> None:
    wire = Wire()
    assert wire.say(Terminate()) == []
    assert wire.responder.closed


# Prepared statements and portals.


def test_names_that_are_wrong() -> None:
    wire = Wire(call(SELECT, **FOUND))
    wire.say(parse(name="s"), SYNC)
    for messages, code in (
        ((parse(name="s"),), "42P05"),
        ((bind(b"0", statement="t"),), "26000"),
        ((Describe(kind=b"S", name="t"),), "26000"),
        ((Describe(kind=b"P", name="p"),), "34000"),
        ((Execute(portal="p", limit=0),), "34000"),
        ((bind(b"0", statement="s", portal="p"), bind(b"0", statement="s", portal="p")), "42P03"),
        ((bind(statement="s"),), "08P01"),
    ):
        assert error(wire.say(*messages, SYNC))["C"] == code, messages


def test_a_closed_statement_is_gone() -> None:
    wire = Wire(call(SELECT, **FOUND))
    for farewell in (
        Close(kind=b"S", name="s"),
        Query(sql="DEALLOCATE s"),
        Query(sql="DEALLOCATE ALL"),
        Query(sql="DISCARD ALL"),
    ):
        assert names(wire.say(parse(name="s"), SYNC)) == "1 Z"
        wire.say(farewell)
        assert error(wire.say(bind(b"0", statement="s"), SYNC))["C"] == "26000"
    assert names(wire.say(Close(kind=b"P", name="never"), SYNC)) == "3 Z"


def test_a_query_ends_the_unnamed_statement() -> None:
    wire = Wire(call(SELECT, **FOUND))
    wire.say(parse(), SYNC)
    wire.query("SELECT 1")
    assert error(wire.say(bind(b"0"), SYNC))["C"] == "26000"


def test_row_limits() -> None:
    wire = Wire(call(SELECT, **FOUND))
    wire.query("BEGIN")
    wire.say(parse(), bind(b"0", portal="c"), SYNC)
    two = Execute(portal="c", limit=2)
    assert names(wire.say(two, SYNC)) == "D D s Z"
    last = wire.say(two, SYNC)
    assert names(last) == "D C Z"
    assert tags(last) == ["SELECT 1"]
    assert tags(wire.say(two, SYNC)) == ["SELECT 0"]
    wire.query("COMMIT")
    assert error(wire.say(two, SYNC))["C"] == "34000"


def test_a_limit_that_is_met_exactly_suspends() -> None:
    wire = Wire(call(SELECT, **FOUND))
    said = wire.say(parse(), bind(b"0"), Execute(portal="", limit=3), Execute(portal="", limit=3), SYNC)
    assert names(said) == "1 2 D D D s C Z"


def test_a_limit_then_the_rest() -> None:
    wire = Wire(call(SELECT, **FOUND))
    said = wire.say(parse(), bind(b"0"), Execute(portal="", limit=1), ALL, SYNC)
    assert names(said) == "1 2 D s D D C Z"
    assert tags(said) == ["SELECT 2"]


def test_what_returns_no_rows_is_done_once() -> None:
    wire = Wire(call("UPDATE x SET n = 1", tag="UPDATE 1"))
    said = wire.say(parse("UPDATE x SET n = 1"), bind(), ALL, ALL, SYNC)
    assert names(said) == "1 2 C E Z"
    assert error(said)["C"] == "55000"


def test_describing_a_statement() -> None:
    recorded = call("SELECT n FROM x WHERE a = $1 AND b = $2::int8[]", params=["q", "{}"], param_types=["varchar", "int8[]"],
                    columns={"n": "numeric(10,2)"}, rows=[])  # fmt: skip
    wire = Wire(recorded, call("DELETE FROM x WHERE n = $1::int4", params=[1], tag="DELETE 1"))
    said = wire.say(parse(recorded.operation), STATEMENT, SYNC)
    assert names(said) == "1 t T Z"
    assert said[1] == backend.ParameterDescription(types=(1043, 1016))
    said = wire.say(parse("DELETE FROM x WHERE n = $1::int4"), STATEMENT, SYNC)
    assert names(said) == "1 t n Z"
    assert said[1] == backend.ParameterDescription(types=(23,))
    said = wire.say(parse("SET TimeZone = 'UTC'"), STATEMENT, SYNC)
    assert names(said) == "1 t n Z"
    assert error(wire.say(parse("SELECT other"), STATEMENT, SYNC))["C"] == "WT001"


def test_a_promise_that_the_answer_breaks() -> None:
    wire = Wire(call(SELECT, **FOUND), call(SELECT, params=[1], columns={"n": "int8"}, rows=[]))
    wire.say(parse(name="s"), Describe(kind=b"S", name="s"), SYNC)
    assert error(wire.say(bind(b"1", statement="s"), ALL, SYNC))["M"] == "cached plan must not change result type"
    assert tags(wire.say(bind(b"1", statement="s"), PORTAL, ALL, SYNC)) == ["SELECT 0"]


def test_a_cursor_that_sql_declared_can_be_described() -> None:
    fetched = call('FETCH FORWARD 2 FROM "c"', columns={"n": "int4"}, rows=[[1], [2]])
    wire = Wire(call('DECLARE "c" CURSOR FOR SELECT n FROM x'), fetched, call('CLOSE "c"'))
    wire.query("BEGIN")
    assert tags(wire.query('DECLARE "c" CURSOR FOR SELECT n FROM x')) == ["DECLARE CURSOR"]
    assert names(wire.say(Describe(kind=b"P", name="c"), SYNC)) == "T Z"
    assert tags(wire.query('FETCH FORWARD 2 FROM "c"')) == ["FETCH 2"]
    assert tags(wire.query('CLOSE "c"')) == ["CLOSE CURSOR"]
    assert error(wire.say(Describe(kind=b"P", name="c"), SYNC))["C"] == "34000"


# Chatter.


def test_settings() -> None:
    wire = Wire()
    assert names(wire.query("SET TimeZone TO 'Europe/Paris'")) == "C S Z"
    assert names(wire.query("SET TIME ZONE 'Europe/Paris'")) == "C Z"
    assert rows(wire.query("SHOW TimeZone")) == [(b"Europe/Paris",)]
    assert rows(wire.query("SELECT current_setting('timezone')")) == [(b"Europe/Paris",)]
    said = wire.say(parse("SELECT set_config('TimeZone', $1, false)"), bind(b"UTC"), PORTAL, ALL, SYNC)
    assert names(said) == "1 2 T D C S Z"
    assert names(wire.query("RESET ALL")) == "C S Z"
    assert rows(wire.query("SHOW TimeZone")) == [(b"Etc/UTC",)]
    assert rows(wire.query("SHOW transaction isolation level")) == [(b"read committed",)]
    wire.query("SET search_path = a, b")
    assert rows(wire.query("SHOW search_path")) == [(b"a, b",)]
    unknown = error(wire.query("SHOW max_wal_size"))
    assert unknown["C"] == "42704"
    assert "max_wal_size" in unknown["H"]


def test_settings_go_back_with_their_transaction() -> None:
    wire = Wire()
    for sql, end, left in (
        ("SET TimeZone = 'A'", "ROLLBACK", b"Etc/UTC"),
        ("SET LOCAL TimeZone = 'B'", "COMMIT", b"Etc/UTC"),
        ("SET TimeZone = 'C'", "COMMIT", b"C"),
    ):
        wire.query("BEGIN")
        wire.query(sql)
        wire.query(end)
        assert rows(wire.query("SHOW TimeZone")) == [(left,)]
    wire.query("SET LOCAL TimeZone = 'D'")
    assert rows(wire.query("SHOW TimeZone")) == [(b"C",)]


def test_the_drivers_small_talk() -> None:
    wire = Wire(facts={"server_version": "17.1"})
    assert rows(wire.query("SELECT 1")) == [(b"1",)]
    assert rows(wire.query("select pg_catalog.version()"))[0][0] == b"PostgreSQL 17.1, played back by wiretape"
    assert rows(wire.query("select current_schema()")) == [(b"public",)]
    unlocked = wire.query("SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;")
    assert names(unlocked) == "T D C C C C Z"
    assert tags(unlocked) == ["SELECT 1", "CLOSE CURSOR ALL", "UNLISTEN", "RESET"]
    types = wire.query(
        "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'"
    )
    assert names(types) == "T C Z"
    assert isinstance(types[0], backend.RowDescription)
    assert [column.name for column in types[0].columns] == ["oid", "typarray"]


def test_a_recorded_setting_is_reported() -> None:
    wire = Wire(call("SELECT enter('Paris')", columns={"enter": "void"}, rows=[[""]], parameters={"TimeZone": "Europe/Paris"}))
    assert names(wire.query("SELECT enter('Paris')")) == "T D C S Z"


def test_what_cannot_be_played_back() -> None:
    wire = Wire()
    assert names(wire.say(FunctionCall(function=1, formats=(), arguments=(), result=0))) == "E Z"


def test_a_function_called_by_its_oid_is_played_back() -> None:
    wire = Wire(call("FunctionCall 952 ($1)", params=[b"\0\1"], result=b"\0\7"))
    asked = FunctionCall(function=952, formats=(1,), arguments=(b"\0\1",), result=1)
    assert wire.say(asked) == [backend.FunctionCallResponse(value=b"\0\7"), backend.ReadyForQuery(status=b"I")]
    assert wire.book.misses == []
    assert wire.say(CopyData(data=b"x")) == []


# Waiting.


class Later:
    """Answers that always come later."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []

    def peek(self, ask: Ask) -> Call | None:
        return None

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        self.asked.append(ask)
        return Waiting()


def test_what_is_asked_of_someone_else_is_waited_for() -> None:
    later = Later()
    wire = Wire(answers=later)
    # the rest of what has come is not looked at before the answer is there, and then in order
    assert wire.say(parse(), bind(b"0"), PORTAL, ALL, SYNC, Query(sql="SELECT 5")) == []
    assert wire.responder.waiting is later.asked[0]
    assert wire.say(Query(sql="SELECT 6")) == []
    assert names(read(wire.responder.resume(call(SELECT, **FOUND)))) == "1 2 T D D D C Z"
    assert wire.responder.waiting is not None
    missed = read(wire.responder.resume(Miss(ask=later.asked[1])))
    assert names(missed) == "E Z"
    assert names(read(wire.responder.resume(call("SELECT 6", columns={"n": "int4"}, rows=[[6]])))) == "T D C Z"
    assert wire.responder.waiting is None
    assert len(later.asked) == 3


def test_several_statements_are_waited_for_one_by_one() -> None:
    wire = Wire(answers=Later())
    assert wire.query("SELECT a FROM b; UPDATE b SET a = 1") == []
    assert names(read(wire.responder.resume(call("SELECT a FROM b", columns={"a": "int4"}, rows=[])))) == "T C"
    assert names(read(wire.responder.resume(call("UPDATE b SET a = 1", tag="UPDATE 1")))) == "C Z"


def test_a_description_is_waited_for() -> None:
    wire = Wire(answers=Later())
    assert names(wire.say(parse(), STATEMENT, SYNC)) == "1"
    assert names(read(wire.responder.resume(call(SELECT, **FOUND)))) == "t T Z"


# Notifications.

BELL = call("NOTIFY bell", payload="ding")
TOLD = backend.NotificationResponse(process=2, channel="bell", payload="ding")


def test_a_notification_is_told_to_who_listens() -> None:
    wire = Wire()
    assert wire.responder.push(BELL) is None
    wire.query("LISTEN bell")
    assert read(wire.responder.push(BELL) or b"") == [TOLD]
    assert wire.responder.push(call('NOTIFY "Bell"', payload="")) is None
    wire.query("UNLISTEN *")
    assert wire.responder.push(BELL) is None
    assert not [ask for ask in wire.book.misses if ask.role != "housekeeping"]


def test_a_notification_waits_for_the_end_of_a_transaction() -> None:
    wire = Wire()
    wire.query("LISTEN bell")
    wire.query("BEGIN")
    assert wire.responder.push(BELL) == b""
    assert TOLD not in wire.query("SELECT 1")
    assert wire.query("COMMIT")[-2] == TOLD


def test_listening_that_is_rolled_back_is_not() -> None:
    wire = Wire()
    wire.query("BEGIN")
    wire.query("LISTEN bell")
    wire.query("ROLLBACK")
    assert wire.responder.push(BELL) is None


def test_a_connection_is_told_of_its_own_notifications_as_recorded() -> None:
    rung = call("NOTIFY bell, 'ding'", notifications=[{"channel": "bell", "payload": "ding"}])
    wire = Wire(rung)
    own = backend.NotificationResponse(process=1, channel="bell", payload="ding")
    assert own not in wire.query(rung.operation)
    wire.query("LISTEN bell")
    assert wire.query(rung.operation)[-2] == own
    wire.query("BEGIN")
    assert own not in wire.query(rung.operation)
    assert wire.query("COMMIT")[-2] == own
    wire.query("DISCARD ALL")
    assert own not in wire.query(rung.operation)


def test_a_notification_is_an_ask_of_its_own_kind() -> None:
    pushed, said = CODEC.ask(BELL), CODEC.ask(call("NOTIFY bell"))
    assert (pushed.role, pushed.values, pushed.labels) == ("push", ("ding",), ("payload",))
    assert (said.role, said.writes) == ("query", True)
    assert pushed.shape != said.shape


# Cursors.


def test_two_cursors_whose_fetches_read_alike_are_told_apart() -> None:
    """Their names have numbers in them, so they are made up, and may be others in another run."""
    columns: Tree = {"n": "int4"}
    first, second = "SELECT n FROM x WHERE n > 1", "SELECT n FROM x WHERE n > 2"
    wire = Wire(
        call(f"DECLARE name_1 NO SCROLL CURSOR WITH HOLD FOR {first}"),
        call(f"DECLARE name_1 CURSOR FOR {second}"),
        call("FETCH 1 FROM name_1", cursor=first, columns=columns, rows=[[2]]),
        call("FETCH 1 FROM name_1", cursor=second, columns=columns, rows=[[3]]),
    )
    wire.query("BEGIN")
    wire.query(f"DECLARE c_71 CURSOR FOR {second}")
    wire.say(
        Parse(name="", sql='DECLARE "c_72" NO SCROLL CURSOR WITH HOLD FOR SELECT n FROM x WHERE n > $1', types=(23,)),
        Bind(portal="", statement="", formats=(), parameters=(b"1",), results=()), ALL, SYNC,
    )  # fmt: skip
    assert values(wire.query('FETCH 1 FROM "c_72"')) == [[b"2"]]
    assert values(wire.query("FETCH 1 FROM c_71")) == [[b"3"]]
    wire.query("COMMIT")
    assert values(wire.query('FETCH 1 FROM "c_72"')) == [[b"2"]]
    wire.query("FETCH 1 FROM c_71")  # it ended with its transaction
    assert wire.book.misses[-1].shape == "fetch ? from name_1"


def values(said: list[PgMessage]) -> list[list[bytes | None]]:
    return [list(each.values) for each in said if isinstance(each, backend.DataRow)]
