"""What the tap makes of a conversation, told message by message."""

from __future__ import annotations

import struct

import pytest

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.postgres import reading
from wiretape.protocols.postgres.backend import (
    AuthenticationOk,
    BackendKeyData,
    BindComplete,
    CloseComplete,
    Column,
    CommandComplete,
    CopyInResponse,
    CopyOutResponse,
    DataRow,
    ErrorResponse,
    FunctionCallResponse,
    NoData,
    NoticeResponse,
    NotificationResponse,
    ParameterDescription,
    ParameterStatus,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
)
from wiretape.protocols.postgres.frontend import (
    Bind,
    CancelRequest,
    Close,
    Describe,
    Execute,
    FunctionCall,
    GSSENCRequest,
    Parse,
    Query,
    SSLRequest,
    StartupMessage,
    Sync,
    Terminate,
)
from wiretape.protocols.postgres.messages import CopyData, CopyDone, PgMessage
from wiretape.protocols.postgres.tap import PgTap

C, S = Side.CLIENT, Side.SERVER
START = StartupMessage(version=3 << 16, parameters=(("user", "app"),))
IDLE, ACTIVE, FAILED = (ReadyForQuery(status=status) for status in (b"I", b"T", b"E"))
SYNC = Sync()
N = RowDescription(columns=(Column(name="n", table=0, number=0, type=23, size=4, modifier=-1, format=0),))
ERROR = ErrorResponse(fields=((b"S", "ERROR"), (b"C", "22012"), (b"M", "division by zero"), (b"F", "int.c")))
NOTICE = NoticeResponse(fields=((b"S", "NOTICE"), (b"C", "00000"), (b"M", "hello")))

type Said = tuple[Side, PgMessage | bytes]


class Tape:
    """A tap that was greeted, and what came out of it."""

    def __init__(self, *, greeted: bool = True) -> None:
        self.tap = PgTap()
        self.at = 0.0
        self.out: list[Interaction] = []
        if greeted:
            self.say((C, START), (S, AuthenticationOk()), (S, ParameterStatus(name="TimeZone", value="UTC")), (S, IDLE))

    def say(self, *said: Said) -> list[Interaction]:
        """One second for each message; what comes out of them."""
        begin = len(self.out)
        for side, message in said:
            self.at += 1
            self.out += self.tap.feed(side, message if isinstance(message, bytes) else message.encode(), self.at)
        return self.out[begin:]

    def close(self) -> list[Interaction]:
        return list(self.tap.close(self.at))


def parse(sql: str = "SELECT n FROM t WHERE n = $1", name: str = "", types: tuple[int, ...] = (23,)) -> Parse:
    return Parse(name=name, sql=sql, types=types)


def bind(*values: bytes | None, statement: str = "", portal: str = "", formats: tuple[int, ...] = ()) -> Bind:
    return Bind(portal=portal, statement=statement, formats=formats, parameters=values, results=())


def execute(portal: str = "", limit: int = 0) -> Execute:
    return Execute(portal=portal, limit=limit)


def row(*values: bytes | None) -> DataRow:
    return DataRow(values=values)


def done(tag: str) -> CommandComplete:
    return CommandComplete(command=tag)


PORTAL = Describe(kind=b"P", name="")
ASKED: tuple[Said, ...] = ((C, parse()), (C, bind(b"1")), (C, PORTAL), (C, execute()), (C, SYNC))
ANSWERED: tuple[Said, ...] = (
    (S, ParseComplete()),
    (S, BindComplete()),
    (S, N),
    (S, row(b"1")),
    (S, done("SELECT 1")),
    (S, IDLE),
)


def test_an_extended_query() -> None:
    (found,) = Tape().say(*ASKED, *ANSWERED)
    assert found == Interaction(
        operation="SELECT n FROM t WHERE n = $1",
        fields={"params": [1], "columns": {"n": "int4"}, "rows": [[1]]},
        started=6.0,
        ended=14.0,
    )


def test_binary_values_are_read_by_their_type() -> None:
    binary = Bind(portal="", statement="", formats=(1, 0, 1), parameters=(b"\0\0\0\7", b"x", b"\1\2"), results=(1,))
    (found,) = Tape().say(
        (C, parse("SELECT n FROM t WHERE a = $1 AND b = $2 AND c = $3", types=(23, 0, 0))), (C, binary), (C, PORTAL),
        (C, execute()), (C, SYNC), (S, ParseComplete()), (S, BindComplete()), (S, N), (S, row(b"\0\0\0\5")), (S, row(None)),
        (S, done("SELECT 2")), (S, IDLE),
    )  # fmt: skip
    assert found.fields == {"params": [7, "x", b"\1\2"], "columns": {"n": "int4"}, "rows": [[5], [None]]}


def test_described_parameters_are_named() -> None:
    (found,) = Tape().say(
        (C, parse(types=())), (C, Describe(kind=b"S", name="")), (C, SYNC), (S, ParseComplete()),
        (S, ParameterDescription(types=(23,))),
        (S, N), (S, IDLE), (C, bind(b"1")), (C, execute()), (C, SYNC), (S, BindComplete()), (S, done("SELECT 0")), (S, IDLE),
    )  # fmt: skip
    assert found.fields == {"params": [1], "param_types": ["int4"], "columns": {"n": "int4"}, "rows": []}


def test_a_statement_described_once_has_its_columns_for_ever() -> None:
    tape = Tape()
    tape.say((C, parse(name="s")), (C, Describe(kind=b"S", name="s")), (C, SYNC))
    tape.say((S, ParseComplete()), (S, ParameterDescription(types=(23,))), (S, N), (S, IDLE))
    for number in (b"1", b"2"):
        (found,) = tape.say(
            (C, bind(number, statement="s")), (C, execute()), (C, SYNC), (S, BindComplete()), (S, row(number)),
            (S, done("SELECT 1")), (S, IDLE),
        )  # fmt: skip
        assert found.fields["columns"] == {"n": "int4"}
        assert found.fields["rows"] == [[int(number)]]


def test_rows_that_nobody_described_are_said_to_be_missing() -> None:
    (found,) = Tape().say(
        (C, parse()), (C, bind(b"1")), (C, execute()), (C, SYNC), (S, ParseComplete()), (S, BindComplete()), (S, row(b"1")),
        (S, done("SELECT 1")), (S, IDLE),
    )  # fmt: skip
    assert found.incomplete == "rows came whose columns were described before the recording began"


def test_a_statement_prepared_before_the_recording() -> None:
    (found,) = Tape().say(
        (C, bind(b"1", statement="old")), (C, execute()), (C, SYNC), (S, BindComplete()), (S, done("X")), (S, IDLE)
    )
    assert found.incomplete == "statement 'old' was prepared before the recording began"


def test_a_portal_read_in_pieces_is_one_interaction() -> None:
    tape = Tape()
    tape.say((C, Query(sql="BEGIN")), (S, done("BEGIN")), (S, ACTIVE))
    cursor = bind(b"1", portal="c")
    assert not tape.say(
        (C, parse()), (C, cursor), (C, Describe(kind=b"P", name="c")), (C, execute("c", 2)), (C, SYNC), (S, ParseComplete()),
        (S, BindComplete()), (S, N), (S, row(b"1")), (S, row(b"2")), (S, PortalSuspended()), (S, ACTIVE),
    )  # fmt: skip
    (found,) = tape.say((C, execute("c", 2)), (C, SYNC), (S, row(b"3")), (S, done("SELECT 1")), (S, ACTIVE))
    assert found.fields["rows"] == [[1], [2], [3]]
    assert "suspended" not in found.fields
    assert "tag" not in found.fields
    assert found.transaction == 1
    # a drained portal that is asked again says nothing new
    assert not tape.say((C, execute("c", 2)), (C, SYNC), (S, done("SELECT 0")), (S, ACTIVE))


@pytest.mark.parametrize(
    "end",
    [
        ((C, Close(kind=b"P", name="c")), (C, SYNC), (S, CloseComplete()), (S, ACTIVE)),
        ((C, Query(sql="COMMIT")), (S, done("COMMIT")), (S, IDLE)),
        ((C, Close(kind=b"P", name="c")), (S, CloseComplete()), (C, parse()), (C, SYNC), (S, ParseComplete()), (S, IDLE)),
    ],
)
def test_a_portal_that_is_left_is_suspended(end: tuple[Said, ...]) -> None:
    tape = Tape()
    tape.say((C, Query(sql="BEGIN")), (S, done("BEGIN")), (S, ACTIVE))
    tape.say(
        (C, parse()), (C, bind(b"1", portal="c")), (C, Describe(kind=b"P", name="c")), (C, execute("c", 1)), (C, SYNC),
        (S, ParseComplete()), (S, BindComplete()), (S, N), (S, row(b"1")), (S, PortalSuspended()), (S, ACTIVE),
    )  # fmt: skip
    found = next(one for one in tape.say(*end) if one.operation.startswith("SELECT"))
    assert found.fields["suspended"] is True
    assert found.fields["rows"] == [[1]]
    assert not found.incomplete
    assert found.transaction == 1


def test_a_portal_open_when_the_connection_ends_is_suspended() -> None:
    tape = Tape()
    tape.say((C, Query(sql="BEGIN")), (S, done("BEGIN")), (S, ACTIVE))
    tape.say((C, parse()), (C, bind(b"1")), (C, PORTAL), (C, execute("", 1)), (C, SYNC))
    tape.say((S, ParseComplete()), (S, BindComplete()), (S, N), (S, row(b"1")), (S, PortalSuspended()), (S, ACTIVE))
    (found,) = tape.close()
    assert found.fields["suspended"] is True
    assert not found.incomplete


# Errors.


def test_an_error_knows_its_stage_and_the_parameters_sent_along() -> None:
    stages = [("parse", ()), ("bind", (ParseComplete(),)), ("describe", (ParseComplete(), BindComplete()))]
    for stage, before in stages:
        (found,) = Tape().say(*ASKED, *((S, message) for message in before), (S, ERROR), (S, IDLE))
        assert found.fields == {
            "params": [1],
            "error": {"severity": "ERROR", "code": "22012", "message": "division by zero"},
            "stage": stage,
        }


def test_an_error_of_execute_keeps_the_columns() -> None:
    (found,) = Tape().say(*ASKED, *ANSWERED[:3], (S, ERROR), (S, IDLE))
    assert found.fields["columns"] == {"n": "int4"}
    assert "stage" not in found.fields
    assert "rows" not in found.fields


def test_what_is_skipped_after_an_error_was_never_asked() -> None:
    tape = Tape()
    found = tape.say(*ASKED[:-1], *ASKED, *ANSWERED[:3], (S, ERROR), (S, IDLE), *ASKED, *ANSWERED)
    assert ["error" in one.fields for one in found] == [True, False]


def test_messages_between_the_error_and_sync_are_skipped_too() -> None:
    tape = Tape()
    found = tape.say((C, parse()), (S, ERROR), *ASKED, (S, IDLE), (C, Query(sql="SELECT")), (S, done("SELECT 0")), (S, IDLE))
    assert [one.operation for one in found] == ["SELECT n FROM t WHERE n = $1", "SELECT"]


def test_an_error_at_the_end_of_the_implicit_transaction() -> None:
    (found,) = Tape().say(*ASKED, *ANSWERED[:-1], (S, ERROR), (S, IDLE))
    assert found.fields["rows"] == [[1]]
    assert found.fields["stage"] == "sync"


def test_a_fatal_error_is_an_answer() -> None:
    fatal = ErrorResponse(fields=((b"S", "FATAL"), (b"C", "57P01"), (b"M", "terminating connection")))
    tape = Tape()
    (found,) = tape.say((C, Query(sql="SELECT pg_sleep(9)")), (S, fatal))
    assert found.fields["error"] == {"severity": "FATAL", "code": "57P01", "message": "terminating connection"}
    assert not found.incomplete
    assert not tape.close()


def test_an_error_nobody_asked_for_is_no_interaction() -> None:
    tape = Tape()
    assert not tape.say((S, ErrorResponse(fields=((b"S", "FATAL"), (b"M", "shutting down")))))
    assert not tape.close()


# Simple queries.


def test_several_statements_in_one_text() -> None:
    (found,) = Tape().say(
        (C, Query(sql="SELECT 1 AS n; UPDATE t SET n = 2; SELECT 1/0")), (S, N), (S, row(b"1")), (S, done("SELECT 1")),
        (S, done("UPDATE 3")), (S, ERROR), (S, IDLE),
    )  # fmt: skip
    assert found.fields["results"] == [{"columns": {"n": "int4"}, "rows": [[1]]}, {"tag": "UPDATE 3"}]
    assert found.fields["error"] == {"severity": "ERROR", "code": "22012", "message": "division by zero"}


def test_names_that_repeat_stand_in_a_list() -> None:
    (found,) = Tape().say(
        (C, Query(sql="SELECT 1 n, 2 n")), (S, RowDescription(columns=N.columns * 2)), (S, row(b"1", b"2")),
        (S, done("SELECT 1")), (S, IDLE),
    )  # fmt: skip
    assert found.fields["columns"] == [["n", "int4"], ["n", "int4"]]


def test_notices_and_settings_belong_to_what_caused_them() -> None:
    changed = ParameterStatus(name="TimeZone", value="Europe/Paris")
    notified = NotificationResponse(process=1, channel="c", payload="p")
    pushed, simple, extended = Tape().say(
        (C, Query(sql="SET TimeZone = 'Europe/Paris'")), (S, NOTICE), (S, done("SET")), (S, notified), (S, changed), (S, IDLE),
        *ASKED, (S, ParseComplete()), (S, BindComplete()), (S, N), (S, NOTICE), (S, done("SELECT 0")), (S, changed), (S, IDLE),
    )  # fmt: skip
    assert (pushed.role, pushed.operation, pushed.fields) == ("push", "NOTIFY c", {"payload": "p"})
    for found in (simple, extended):
        assert found.fields["notices"] == [{"severity": "NOTICE", "code": "00000", "message": "hello"}]
        assert found.fields["parameters"] == {"TimeZone": "Europe/Paris"}


# Transactions.


def test_transactions_are_numbered() -> None:
    tape = Tape()

    def query(sql: str, status: ReadyForQuery) -> int | None:
        (found,) = tape.say((C, Query(sql=sql)), (S, done(sql.split()[0])), (S, status))
        return found.transaction

    assert query("SELECT", IDLE) is None
    assert [query(sql, status) for sql, status in (("BEGIN", ACTIVE), ("SELECT", ACTIVE), ("COMMIT AND CHAIN", ACTIVE))] == [
        1,
        1,
        1,
    ]
    assert [query(sql, status) for sql, status in (("SELECT", FAILED), ("ROLLBACK", IDLE))] == [2, 2]
    assert query("SELECT", IDLE) is None


def test_what_is_sent_before_one_sync_is_one_transaction() -> None:
    both = Tape().say(*ASKED[:-1], *ASKED, *ANSWERED[:-1], *ANSWERED)
    assert [one.transaction for one in both] == [1, 1]


# What is not recorded, and ends.


@pytest.mark.parametrize("response", [CopyInResponse(format=0, columns=()), CopyOutResponse(format=0, columns=())])
def test_a_copy_by_simple_query_keeps_in_step(response: PgMessage) -> None:
    tape = Tape()
    side = C if isinstance(response, CopyInResponse) else S
    way = "in" if side is C else "out"
    (copied,) = tape.say(
        (C, Query(sql="COPY t FROM STDIN" if side is C else "COPY t TO STDOUT")),
        (S, response),
        (side, CopyData(data=b"1\n")),
        (side, CopyDone()),
        (S, done("COPY 1")),
        (S, IDLE),
    )
    assert copied.incomplete == ""
    assert copied.fields == {f"copy_{way}": [[1]]}
    assert len(tape.say(*ASKED, *ANSWERED)) == 1


def test_a_sync_sent_before_the_copy_was_known_is_dropped() -> None:
    tape = Tape()
    (copied,) = tape.say(
        (C, parse("COPY t FROM STDIN", types=())), (C, bind()), (C, execute()), (C, SYNC), (S, ParseComplete()),
        (S, BindComplete()), (S, CopyInResponse(format=0, columns=())), (C, SYNC), (C, CopyData(data=b"1\n")), (C, CopyDone()),
        (C, SYNC), (S, done("COPY 1")), (S, IDLE),
    )  # fmt: skip
    assert copied.incomplete == ""
    assert copied.fields == {"copy_in": [[1]]}
    assert len(tape.say(*ASKED, *ANSWERED)) == 1


def test_a_function_called_by_its_oid() -> None:
    call = FunctionCall(function=952, formats=(1, 0, 0), arguments=(b"\0\1", b"text", None), result=1)
    (found,) = Tape().say((C, call), (S, FunctionCallResponse(value=b"\0\7")), (S, IDLE))
    assert (found.operation, found.incomplete) == ("FunctionCall 952 ($1, $2, $3)", "")
    assert found.fields == {"params": [b"\0\1", "text", None], "result": b"\0\7"}


def test_a_server_that_goes_away_in_the_middle_of_a_result_is_said() -> None:
    """What had come is kept, and nothing of it passes for whole."""
    row = DataRow(values=(b"1",))
    for said in (
        ((C, Query(sql="SELECT n FROM t")), (S, N), (S, row)),
        (*ASKED, (S, ParseComplete()), (S, BindComplete()), (S, N), (S, row)),
    ):
        tape = Tape()
        assert tape.say(*said) == []
        (cut,) = tape.tap.close(9.0)
        assert cut.fields["rows"] == [[1]]
        assert cut.incomplete == "the connection ended before the answer was whole"
    tape = Tape()
    tape.say((C, Query(sql="SELECT n FROM t")), (S, N), (S, row.encode()[:-1]))
    (cut,) = tape.tap.close(9.0)
    assert (cut.fields["rows"], cut.incomplete) == ([], "the connection ended before the answer was whole")


def test_a_connection_that_ends_in_an_answer() -> None:
    tape = Tape()
    assert not tape.say(*ASKED[:-1], *ASKED, *ANSWERED[:4])
    reasons = [(one.operation, one.incomplete) for one in tape.close()]
    assert reasons == [("SELECT n FROM t WHERE n = $1", "the connection ended before the answer was whole")] * 2


def test_rows_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 30)
    (found,) = Tape().say((C, Query(sql="SELECT n")), (S, N), *((S, row(b"1")),) * 9, (S, done("SELECT 9")), (S, IDLE))
    assert found.incomplete == "the result is larger than 30 bytes: the rest of its rows was not kept"
    assert found.fields["rows"] == [[1]] * 4


# Start-up, encryption.


def test_facts() -> None:
    tape = Tape(greeted=False)
    tape.say((C, GSSENCRequest()), (S, b"N"), (C, SSLRequest()), (S, b"S"), (C, START), (S, AuthenticationOk()))
    for name, value in (("server_version", "18.1"), ("TimeZone", "UTC"), ("application_name", "x")):
        tape.say((S, ParameterStatus(name=name, value=value)))
    tape.say((S, IDLE), (C, Query(sql="SET TimeZone = 'X'")), (S, ParameterStatus(name="TimeZone", value="X")))
    assert tape.tap.facts == {
        "server_version": "18.1",
        "parameters": {"client_encoding": "UTF8", "TimeZone": "UTC"},
        "tls": True,
    }


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (((C, SSLRequest()), (S, b"S"), (C, b"\x16\x03\x01")), "this connection is encrypted"),
        (((C, b"\x16\x03\x01"),), "this connection is encrypted"),
        (((C, GSSENCRequest()), (S, b"G")), "encrypted by GSSAPI"),
        (((C, SSLRequest()), (S, b"?")), "does not answer an encryption request"),
        (((C, StartupMessage(version=2 << 16, parameters=())),), "protocol 2.0 is not read"),
        (((S, IDLE),), "no message has the tag b'Z'"),
    ],
)
def test_a_start_that_cannot_be_read(said: tuple[Said, ...], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        Tape(greeted=False).say(*said)


def test_a_cancel_request_and_a_refusal_are_nothing() -> None:
    tape = Tape(greeted=False)
    assert not tape.say((C, CancelRequest(process=1, key=b"1234")))
    assert not tape.close()
    refused = Tape(greeted=False)
    assert not refused.say((C, SSLRequest()), (S, b"E\0\0"), (S, b"anything"))
    assert not refused.close()


def test_what_was_whole_comes_before_the_error() -> None:
    tape = Tape()
    said = b"".join(message.encode() for side, message in ANSWERED if isinstance(message, PgMessage))
    tape.say(*ASKED)
    found = []
    with pytest.raises(DecodeError, match="no message has the tag"):
        found.extend([*_until_error(tape, said + b"\0\0\0", found)])
    assert len(found) == 1
    assert not tape.say((S, b"more"))


def _until_error(tape: Tape, data: bytes, found: list[Interaction]) -> list[Interaction]:
    for one in tape.tap.feed(S, data, 1.0):
        found.append(one)  # noqa: PERF402 - the error comes after these
    return []


@pytest.mark.parametrize("message", [ParseComplete(), done("SELECT 1"), row(b"1"), NoData(), PortalSuspended(), IDLE])
def test_an_answer_to_nothing_is_an_error(message: PgMessage) -> None:
    with pytest.raises(DecodeError, match="answers"):
        Tape().say((S, message))


@pytest.mark.parametrize("side", [C, S])
def test_a_hostile_length_is_an_error_at_once(side: Side) -> None:
    tag = b"Q" if side is C else b"D"
    with pytest.raises(DecodeError, match="a message of 1073741824 bytes"):
        Tape().say((side, tag + struct.pack(">I", 1 << 30)))


def test_terminate_ends_quietly() -> None:
    tape = Tape()
    assert not tape.say((C, Terminate()))
    assert not tape.close()


# Notifications.

KEY = BackendKeyData(process=7, key=b"1234")


def test_the_clients_own_notification_belongs_to_its_cause() -> None:
    own = NotificationResponse(process=7, channel="Bell", payload="p")
    simple, extended = Tape().say(
        (S, KEY), (C, Query(sql="NOTIFY \"Bell\", 'p'")), (S, done("NOTIFY")), (S, own), (S, IDLE),
        *ASKED, (S, ParseComplete()), (S, BindComplete()), (S, N), (S, done("SELECT 0")), (S, own), (S, IDLE),
    )  # fmt: skip
    for found in (simple, extended):
        assert found.fields["notifications"] == [{"channel": "Bell", "payload": "p"}]
        assert found.role == "query"


def test_others_notifications_are_pushes_whenever_they_come() -> None:
    tape = Tape()
    (pushed,) = tape.say((S, KEY), (S, NotificationResponse(process=8, channel='Odd "one"', payload="")))
    assert (pushed.role, pushed.operation, pushed.fields) == ("push", 'NOTIFY "Odd ""one"""', {"payload": ""})
    (pushed,) = tape.say((S, NotificationResponse(process=7, channel="c", payload="late")))
    assert pushed.role == "push"


# Cursors.


def test_a_fetch_says_what_its_cursor_is_of() -> None:
    fetched = ((S, N), (S, done("FETCH 0")), (S, ACTIVE))
    _, extended, simple, *others = Tape().say(
        (C, Query(sql="BEGIN")), (S, done("BEGIN")), (S, ACTIVE),
        (C, parse("DECLARE \"srv\" SCROLL CURSOR FOR SELECT n FROM x WHERE n > $1 AND t = $2", types=(23, 25))),
        (C, Bind(portal="", statement="", formats=(), parameters=(b"7", b"it's"), results=())), (C, execute()), (C, SYNC),
        (S, ParseComplete()), (S, BindComplete()), (S, done("DECLARE CURSOR")), (S, ACTIVE),
        (C, Query(sql="FETCH FORWARD 2 FROM srv")), *fetched,
        (C, Query(sql="CLOSE srv")), (S, done("CLOSE CURSOR")), (S, ACTIVE),
        (C, Query(sql="MOVE 1 IN srv")), (S, done("MOVE 0")), (S, ACTIVE),
    )  # fmt: skip
    assert extended.operation.startswith("DECLARE")
    assert simple.fields["cursor"] == "SELECT n FROM x WHERE n > 7 AND t = 'it''s'"
    assert "cursor" not in others[-1].fields
