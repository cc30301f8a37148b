"""The numbers of MySQL's client/server protocol (MySQL Internals, "Protocol::CapabilityFlags"; MariaDB's knowledge base)."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Cap(IntFlag):
    """What client and server can do; both name theirs, and what both can is used. From bit 32 on they are MariaDB's own."""

    LONG_PASSWORD = 1 << 0  # set: MySQL; MariaDB leaves it clear, and only then do the bits from 32 on mean anything
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    COMPRESS = 1 << 5
    LOCAL_FILES = 1 << 7
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC = 1 << 21
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24
    OPTIONAL_METADATA = 1 << 25
    ZSTD = 1 << 26
    QUERY_ATTRIBUTES = 1 << 27
    PROGRESS = 1 << 32
    STMT_BULK = 1 << 34
    EXTENDED_METADATA = 1 << 35
    CACHE_METADATA = 1 << 36


class Status(IntFlag):
    """The server's state, as OK and EOF packets tell it."""

    IN_TRANSACTION = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS = 0x0008
    CURSOR_EXISTS = 0x0040
    LAST_ROW_SENT = 0x0080
    NO_BACKSLASH_ESCAPES = 0x0200
    IN_TRANSACTION_READONLY = 0x2000
    SESSION_STATE_CHANGED = 0x4000
    OUT_PARAMETERS = 0x1000


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


class Flag(IntFlag):
    """What a column definition says of its column."""

    NOT_NULL = 1
    PRIMARY_KEY = 2
    UNIQUE_KEY = 4
    MULTIPLE_KEY = 8
    BLOB = 16
    UNSIGNED = 32
    ZEROFILL = 64
    BINARY = 128
    ENUM = 256
    AUTO_INCREMENT = 512
    TIMESTAMP = 1024
    SET = 2048
    NUMBER = 32768


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
