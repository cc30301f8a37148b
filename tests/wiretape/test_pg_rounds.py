"""A round known by its bytes is answered as it would be message by message."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws.book import Book
from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.protocols.postgres.frontend import Bind, Describe, Execute, Parse, Query, StartupMessage, Sync
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.responder import PgResponder

CODEC = codec("postgres")
HELLO = StartupMessage(version=3 << 16, parameters=(("user", "app"),)).encode()
SELECT, DIVIDE, UPDATE = "SELECT n, t FROM x WHERE n > $1", "SELECT 1 / $1", "UPDATE x SET n = $1"
COLUMNS = {"n": "int4", "t": "text"}
CALLS = (
    *(Call(target="main", operation=SELECT, fields={"params": [1], "columns": COLUMNS, "rows": [[n, "é"]]}) for n in range(3)),
    Call(
        target="main", operation=SELECT, fields={"params": [2], "columns": COLUMNS, "rows": [], "notices": [{"message": "hm"}]}
    ),
    Call(target="main", operation=SELECT, fields={"params": ["é"], "columns": COLUMNS, "rows": [[5, "é"]]}),
    Call(target="main", operation=DIVIDE, fields={"params": [0], "error": {"code": "22012", "message": "by zero"}}),
    Call(target="main", operation=UPDATE, fields={"params": [1], "tag": "UPDATE 4"}),
    Call(target="main", operation=UPDATE, fields={"params": [1], "tag": "UPDATE 5"}),
)


def round_of(value: bytes, statement: str = "", *, sql: str = "", results: int = 0) -> tuple[PgMessage, ...]:
    opening = (Parse(name=statement, sql=sql, types=()),) if sql else ()
    bind = Bind(portal="", statement=statement, formats=(), parameters=(value,), results=(results,))
    return (*opening, bind, Describe(kind=b"P", name=""), Execute(portal="", limit=0), Sync())


PIECES: dict[str, tuple[PgMessage, ...]] = {
    **{
        f"unnamed {sql} {value!r}": round_of(value, sql=sql) for sql in (SELECT, DIVIDE, UPDATE) for value in (b"0", b"1", b"2")
    },
    "binary": round_of(b"1", sql=SELECT, results=1),
    "accent": round_of("é".encode(), sql=SELECT),
    "name it": (Parse(name="s", sql=SELECT, types=()), Sync()),
    "name another so": (Parse(name="s", sql=UPDATE, types=()), Sync()),
    "named": round_of(b"1", "s"),
    "named, missed": round_of(b"7", "s"),
    "named, noticed": round_of(b"2", "s"),
    "no Sync": round_of(b"1", "s")[:-1],
    "Sync": (Sync(),),
    "drained": (Execute(portal="", limit=0), Sync()),
    "deallocate": (Query(sql="DEALLOCATE ALL"),),
    "begin": (Query(sql="BEGIN"),),
    "commit": (Query(sql="COMMIT"),),
    "latin1": (Query(sql="SET client_encoding TO 'LATIN1'"),),
    "utf8": (Query(sql="SET client_encoding TO 'UTF8'"),),
}


def conversation(names: list[str], *, whole: bool) -> list[bytes]:
    responder = PgResponder({}, Book(CODEC, CALLS), "main")
    responder.receive(HELLO)
    said = []
    for name in names:
        parts = [message.encode() for message in PIECES[name]]
        said.append(b"".join(map(responder.receive, [b"".join(parts)] if whole else parts)))
    return said


@given(st.lists(st.sampled_from(sorted(PIECES)), min_size=4, max_size=30))
@example(["name it", *["named"] * 5, "deallocate", "named", "name another so", "named", "named"])
@example(["name it", "named", "named", "named", "begin", "named", "drained", "named, missed", "named", "commit", "named"])
@example(["accent", "accent", "accent", "latin1", "accent", "accent", "accent", "utf8", "accent"])
@example([f"unnamed {DIVIDE} b'0'"] * 5)
@example(["name it", "named", "named", "named", "no Sync", "named", "Sync", "named"])
@example([f"unnamed {SELECT} b'2'"] * 4)
def test_in_one_piece_or_message_by_message(names: list[str]) -> None:
    assert conversation(names, whole=True) == conversation(names, whole=False)
