"""Every message a server may send (PostgreSQL 18 documentation, chapters 54.7 and 54.8)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from wiretape.protocols.postgres.messages import CopyData, CopyDone, PgMessage, message, tags
from wiretape.protocols.wire import (
    CSTR,
    I16,
    I32,
    REST,
    U8,
    U16,
    U32,
    Message,
    array,
    exactly,
    fields,
    integers,
    nested,
    nullable,
    pair,
    terminated,
)


@message(b"R", 0)
class AuthenticationOk(PgMessage):
    """The client is who it says."""


@message(b"R", 2)
class AuthenticationKerberosV5(PgMessage):
    """Obsolete."""


@message(b"R", 3)
class AuthenticationCleartextPassword(PgMessage):
    """Asks for a PasswordMessage."""


@message(b"R", 5)
class AuthenticationMD5Password(PgMessage):
    """Asks for `"md5" + md5(md5(password + user) + salt)`."""

    salt: Annotated[bytes, exactly(4)]


@message(b"R", 7)
class AuthenticationGSS(PgMessage):
    """Asks for a GSSAPI token."""


@message(b"R", 8)
class AuthenticationGSSContinue(PgMessage):
    """A GSSAPI or SSPI token."""

    data: Annotated[bytes, REST]


@message(b"R", 9)
class AuthenticationSSPI(PgMessage):
    """Asks for an SSPI token."""


@message(b"R", 10)
class AuthenticationSASL(PgMessage):
    """The mechanisms the server takes, best first."""

    mechanisms: Annotated[tuple[str, ...], terminated(CSTR)]


@message(b"R", 11)
class AuthenticationSASLContinue(PgMessage):
    """The server's challenge."""

    data: Annotated[bytes, REST]


@message(b"R", 12)
class AuthenticationSASLFinal(PgMessage):
    """The server's proof that it knows the password."""

    data: Annotated[bytes, REST]


@message(b"K")
class BackendKeyData(PgMessage):
    """What a CancelRequest must show. `key` is 4 bytes long before protocol 3.2."""

    process: Annotated[int, I32]
    key: Annotated[bytes, REST]


@message(b"v")
class NegotiateProtocolVersion(PgMessage):
    """The server speaks `version` at most, and does not know `options`."""

    version: Annotated[int, U32]
    options: Annotated[tuple[str, ...], array(U32, CSTR)]


@message(b"S")
class ParameterStatus(PgMessage):
    """A setting the client must know, now or after a change."""

    name: Annotated[str, CSTR]
    value: Annotated[str, CSTR]


@message(b"Z")
class ReadyForQuery(PgMessage):
    """`status` is I (idle), T (in a transaction) or E (in one that failed)."""

    status: Annotated[bytes, exactly(1)]


@fields
class Column(Message):
    """One column of a RowDescription. `size` below 0 is variable, `modifier` -1 is none, `format` 0 is text."""

    name: Annotated[str, CSTR]
    table: Annotated[int, U32]
    number: Annotated[int, I16]
    type: Annotated[int, U32]
    size: Annotated[int, I16]
    modifier: Annotated[int, I32]
    format: Annotated[int, U16]


@message(b"T")
class RowDescription(PgMessage):
    """What the rows that follow look like."""

    columns: Annotated[tuple[Column, ...], array(U16, nested(Column))]


@message(b"D")
class DataRow(PgMessage):
    """One row; None is NULL."""

    values: Annotated[tuple[bytes | None, ...], array(U16, nullable(I32))]


@message(b"C")
class CommandComplete(PgMessage):
    """What was done, and to how many rows."""

    command: Annotated[str, CSTR]


@message(b"E")
class ErrorResponse(PgMessage):
    """Fields by their letters (chapter 54.8)."""

    fields: Annotated[tuple[tuple[bytes, str], ...], terminated(pair(exactly(1), CSTR))]


@message(b"N")
class NoticeResponse(PgMessage):
    """Like ErrorResponse, at any time."""

    fields: Annotated[tuple[tuple[bytes, str], ...], terminated(pair(exactly(1), CSTR))]


@message(b"A")
class NotificationResponse(PgMessage):
    """What NOTIFY sent, at any time."""

    process: Annotated[int, I32]
    channel: Annotated[str, CSTR]
    payload: Annotated[str, CSTR]


@message(b"t")
class ParameterDescription(PgMessage):
    """The types of a statement's parameters."""

    types: Annotated[tuple[int, ...], integers(U16, "I")]


@message(b"V")
class FunctionCallResponse(PgMessage):
    """What the function returned."""

    value: Annotated[bytes | None, nullable(I32)]


@message(b"G")
class CopyInResponse(PgMessage):
    """The server takes data."""

    format: Annotated[int, U8]
    columns: Annotated[tuple[int, ...], integers(U16, "H")]


@message(b"H")
class CopyOutResponse(PgMessage):
    """The server will send data."""

    format: Annotated[int, U8]
    columns: Annotated[tuple[int, ...], integers(U16, "H")]


@message(b"W")
class CopyBothResponse(PgMessage):
    """Both will send data (replication)."""

    format: Annotated[int, U8]
    columns: Annotated[tuple[int, ...], integers(U16, "H")]


@message(b"1")
class ParseComplete(PgMessage):
    """A Parse worked."""


@message(b"2")
class BindComplete(PgMessage):
    """A Bind worked."""


@message(b"3")
class CloseComplete(PgMessage):
    """A Close worked."""


@message(b"n")
class NoData(PgMessage):
    """What was described returns no rows."""


@message(b"s")
class PortalSuspended(PgMessage):
    """An Execute reached its limit."""


@message(b"I")
class EmptyQueryResponse(PgMessage):
    """In place of CommandComplete, where the text held no statement."""


AUTHENTICATION: MappingProxyType[int, type[PgMessage]] = MappingProxyType(
    {
        int.from_bytes(kind.code): kind
        for kind in (
            AuthenticationOk, AuthenticationKerberosV5, AuthenticationCleartextPassword, AuthenticationMD5Password,
            AuthenticationGSS, AuthenticationGSSContinue, AuthenticationSSPI, AuthenticationSASL, AuthenticationSASLContinue,
            AuthenticationSASLFinal,
        )
    }
)  # fmt: skip
BACKEND = tags(
    AuthenticationOk, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, ReadyForQuery, RowDescription, DataRow,
    CommandComplete, ErrorResponse, NoticeResponse, NotificationResponse, ParameterDescription, FunctionCallResponse,
    CopyInResponse, CopyOutResponse, CopyBothResponse, CopyData, CopyDone, ParseComplete, BindComplete, CloseComplete, NoData,
    PortalSuspended, EmptyQueryResponse,
)  # fmt: skip
