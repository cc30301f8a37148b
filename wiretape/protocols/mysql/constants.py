"""The numbers of MySQL's client/server protocol (MySQL Internals, "Protocol::CapabilityFlags"; MariaDB's knowledge base).

Bits are plain numbers: those of `enum` take ten times as long to test.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Cap:
    """What client and server can do; both name theirs, and what both can is used. From bit 32 on they are MariaDB's own."""

    LONG_PASSWORD: Final = 1 << 0  # set: MySQL; MariaDB leaves it clear, and only then do the bits from 32 on mean anything
    FOUND_ROWS: Final = 1 << 1
    LONG_FLAG: Final = 1 << 2
    CONNECT_WITH_DB: Final = 1 << 3
    COMPRESS: Final = 1 << 5
    LOCAL_FILES: Final = 1 << 7
    IGNORE_SPACE: Final = 1 << 8
    PROTOCOL_41: Final = 1 << 9
    INTERACTIVE: Final = 1 << 10
    SSL: Final = 1 << 11
    TRANSACTIONS: Final = 1 << 13
    SECURE_CONNECTION: Final = 1 << 15
    MULTI_STATEMENTS: Final = 1 << 16
    MULTI_RESULTS: Final = 1 << 17
    PS_MULTI_RESULTS: Final = 1 << 18
    PLUGIN_AUTH: Final = 1 << 19
    CONNECT_ATTRS: Final = 1 << 20
    PLUGIN_AUTH_LENENC: Final = 1 << 21
    SESSION_TRACK: Final = 1 << 23
    DEPRECATE_EOF: Final = 1 << 24
    OPTIONAL_METADATA: Final = 1 << 25
    ZSTD: Final = 1 << 26
    QUERY_ATTRIBUTES: Final = 1 << 27
    PROGRESS: Final = 1 << 32
    STMT_BULK: Final = 1 << 34
    EXTENDED_METADATA: Final = 1 << 35
    CACHE_METADATA: Final = 1 << 36


class Status:
    """The server's state, as OK and EOF packets tell it."""

    IN_TRANSACTION: Final = 0x0001
    AUTOCOMMIT: Final = 0x0002
    MORE_RESULTS: Final = 0x0008
    CURSOR_EXISTS: Final = 0x0040
    LAST_ROW_SENT: Final = 0x0080
    NO_BACKSLASH_ESCAPES: Final = 0x0200
    IN_TRANSACTION_READONLY: Final = 0x2000
    SESSION_STATE_CHANGED: Final = 0x4000
    OUT_PARAMETERS: Final = 0x1000


class Command(IntEnum):
    """The first byte of what a client asks."""

    SLEEP = 0x00
    QUIT = 0x01
    INIT_DB = 0x02
    QUERY = 0x03
    FIELD_LIST = 0x04
    CREATE_DB = 0x05
    DROP_DB = 0x06
    REFRESH = 0x07
    SHUTDOWN = 0x08
    STATISTICS = 0x09
    PROCESS_INFO = 0x0A
    CONNECT = 0x0B
    PROCESS_KILL = 0x0C
    DEBUG = 0x0D
    PING = 0x0E
    CHANGE_USER = 0x11
    BINLOG_DUMP = 0x12
    TABLE_DUMP = 0x13
    REGISTER_SLAVE = 0x15
    STMT_PREPARE = 0x16
    STMT_EXECUTE = 0x17
    STMT_SEND_LONG_DATA = 0x18
    STMT_CLOSE = 0x19
    STMT_RESET = 0x1A
    SET_OPTION = 0x1B
    STMT_FETCH = 0x1C
    BINLOG_DUMP_GTID = 0x1E
    RESET_CONNECTION = 0x1F
    STMT_BULK_EXECUTE = 0xFA


class Flag:
    """What a column definition says of its column."""

    NOT_NULL: Final = 1
    PRIMARY_KEY: Final = 2
    UNIQUE_KEY: Final = 4
    MULTIPLE_KEY: Final = 8
    BLOB: Final = 16
    UNSIGNED: Final = 32
    ZEROFILL: Final = 64
    BINARY: Final = 128
    ENUM: Final = 256
    AUTO_INCREMENT: Final = 512
    TIMESTAMP: Final = 1024
    SET: Final = 2048
    NUMBER: Final = 32768


class Kind(IntEnum):
    """A value's type on the wire."""

    DECIMAL = 0
    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    VARCHAR = 15
    BIT = 16
    VECTOR = 242
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    SET = 248
    TINY_BLOB = 249
    MEDIUM_BLOB = 250
    LONG_BLOB = 251
    BLOB = 252
    VAR_STRING = 253
    STRING = 254
    GEOMETRY = 255


BINARY_COLLATION = 63
