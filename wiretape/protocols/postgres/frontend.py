"""Every message a client may send (PostgreSQL 18 documentation, chapter 54.7)."""

from __future__ import annotations

from typing import Annotated

from wiretape.protocols.postgres.messages import CopyData, CopyDone, PgMessage, message, tags
from wiretape.protocols.wire import CSTR, I32, REST, U16, U32, array, exactly, integers, nullable, pair, terminated

CANCEL_REQUEST, SSL_REQUEST, GSSENC_REQUEST = 80877102, 80877103, 80877104

# Start-up phase: no tag.


@message(b"")
class StartupMessage(PgMessage):
    """`version` is major << 16 | minor; its parameters are names and values."""

    version: Annotated[int, U32]
    parameters: Annotated[tuple[tuple[str, str], ...], terminated(pair(CSTR, CSTR))]


@message(b"", SSL_REQUEST)
class SSLRequest(PgMessage):
    """Answered by one byte, S or N, outside of any message."""


@message(b"", GSSENC_REQUEST)
class GSSENCRequest(PgMessage):
    """Answered by one byte, G or N, outside of any message."""


@message(b"", CANCEL_REQUEST)
class CancelRequest(PgMessage):
    """The only message of its connection; never answered. `key` is 4 bytes long before protocol 3.2."""

    process: Annotated[int, I32]
    key: Annotated[bytes, REST]


# Afterwards.


@message(b"p")
class PasswordMessage(PgMessage):
    """The password, in clear or hashed."""

    password: Annotated[str, CSTR]


@message(b"p")
class SASLInitialResponse(PgMessage):
    """The mechanism chosen, and its first message."""

    mechanism: Annotated[str, CSTR]
    data: Annotated[bytes | None, nullable(I32)]


@message(b"p")
class SASLResponse(PgMessage):
    """A SASL message from the client; a GSSAPI or SSPI token looks the same."""

    data: Annotated[bytes, REST]


@message(b"Q")
class Query(PgMessage):
    """Any number of statements in one text."""

    sql: Annotated[str, CSTR]


@message(b"P")
class Parse(PgMessage):
    """A type of 0 is left for the server to find."""

    name: Annotated[str, CSTR]
    sql: Annotated[str, CSTR]
    types: Annotated[tuple[int, ...], integers(U16, "I")]


@message(b"B")
class Bind(PgMessage):
    """Formats: none (all text), one (for all) or one for each; 0 is text, 1 binary."""

    portal: Annotated[str, CSTR]
    statement: Annotated[str, CSTR]
    formats: Annotated[tuple[int, ...], integers(U16, "H")]
    parameters: Annotated[tuple[bytes | None, ...], array(U16, nullable(I32))]
    results: Annotated[tuple[int, ...], integers(U16, "H")]


@message(b"D")
class Describe(PgMessage):
    """`kind` is S (statement) or P (portal)."""

    kind: Annotated[bytes, exactly(1)]
    name: Annotated[str, CSTR]


@message(b"E")
class Execute(PgMessage):
    """`limit` rows at most; 0 or less is all."""

    portal: Annotated[str, CSTR]
    limit: Annotated[int, I32]


@message(b"C")
class Close(PgMessage):
    """`kind` is S (statement) or P (portal)."""

    kind: Annotated[bytes, exactly(1)]
    name: Annotated[str, CSTR]


@message(b"H")
class Flush(PgMessage):
    """Send what is ready."""


@message(b"S")
class Sync(PgMessage):
    """End of an implicit transaction; answered by ReadyForQuery."""


@message(b"F")
class FunctionCall(PgMessage):
    """Calls a function by its OID (libpq's large objects do)."""

    function: Annotated[int, U32]
    formats: Annotated[tuple[int, ...], integers(U16, "H")]
    arguments: Annotated[tuple[bytes | None, ...], array(U16, nullable(I32))]
    result: Annotated[int, U16]


@message(b"f")
class CopyFail(PgMessage):
    """The client gives up a COPY."""

    reason: Annotated[str, CSTR]


@message(b"X")
class Terminate(PgMessage):
    """Goodbye."""


FRONTEND = tags(
    SASLResponse, Query, Parse, Bind, Describe, Execute, Close, Flush, Sync, FunctionCall, CopyFail, Terminate, CopyData,
    CopyDone,
)  # fmt: skip
