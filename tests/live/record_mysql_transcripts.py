"""Records MySQL's golden transcripts anew; run by hand: `python tests/live/record_mysql_transcripts.py [PROGRAM]...`.

The programs of the driver table, and the commands no driver among them sends, against a real MariaDB through a relay. The
passwords inside are those of that throwaway server. Each program has a server of its own, because a server numbers prepared
statements across its connections, and a mock begins with one; connections whose statements begin with another are left out.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import pymysql  # noqa: E402
import pymysql._auth  # noqa: E402

from tests.laws import transcripts  # noqa: E402
from tests.live import mysqlrows  # noqa: E402
from tests.live.relay import Chunk, Relay  # noqa: E402
from tests.live.servers import mariadb  # noqa: E402
from wiretape.protocols.base import Side  # noqa: E402

PROGRAMS = (
    "pymysql.py", "mysqlclient.py", "connector.py", "connector_prepared.py", "asyncmy.py", "sqlalchemy_pymysql.py",
    "django_orm.py", "mysql2.mjs", "mysql2_execute.mjs", "mysql2.rb", "pdo_mysql.php", "dbd_mysql.pl", "mariadb_cli.sh",
    "mariadb_jdbc.java",
)  # fmt: skip
COMMANDS = "commands"


class Raw:
    """A connection on which any command can be sent. `read` reads so many packets of its answer."""

    def __init__(self, port: int) -> None:
        self._connection = pymysql.connect(
            host="127.0.0.1", port=port, user=mariadb.USER, password=mariadb.PASSWORD, database=mariadb.DATABASE,
            ssl_disabled=True, autocommit=None,
        )  # fmt: skip

    def ask(self, command: int, payload: bytes = b"", read: int = 1) -> list[bytes]:
        self._connection._execute_command(command, payload)
        return [self._connection._read_packet().get_all_data() for _ in range(read)]

    def scramble(self) -> bytes:
        return pymysql._auth.scramble_native_password(mariadb.PASSWORD.encode(), self._connection.salt)

    def close(self) -> None:
        self._connection.close()


def commands(port: int) -> None:
    """Cursors, long values, resets, and the small commands."""
    raw = Raw(port)
    raw.ask(0x0E)
    raw.ask(0x09)
    raw.ask(0x02, b"app")
    raw.ask(0x1B, struct.pack("<H", 0))
    raw.ask(0x04, b"compat_items\0", read=7)
    (prepared, *_) = raw.ask(0x16, b"SELECT id, sku FROM compat_items WHERE id < ? ORDER BY id", read=6)
    number = prepared[1:5]
    parameter = b"\0" + b"\x01" + b"\x08\x00" + struct.pack("<q", 99)
    raw.ask(0x17, number + b"\x01" + struct.pack("<I", 1) + parameter, read=4)
    raw.ask(0x1C, number + struct.pack("<I", 2), read=3)
    raw.ask(0x1C, number + struct.pack("<I", 2), read=2)
    raw.ask(0x17, number + b"\x01" + struct.pack("<I", 1) + parameter, read=4)
    raw.ask(0x1C, number + struct.pack("<I", 1), read=2)
    raw.ask(0x1A, number)
    raw.ask(0x19, number, read=0)
    (prepared, *_) = raw.ask(0x16, b"UPDATE compat_items SET note = ? WHERE id = ?", read=4)
    number = prepared[1:5]
    raw.ask(0x18, number + b"\0\0" + b"a long ", read=0)
    raw.ask(0x18, number + b"\0\0" + b"note", read=0)
    raw.ask(0x17, number + b"\0" + struct.pack("<I", 1) + b"\0\x01\xfc\0\x08\0" + struct.pack("<q", 1))
    raw.ask(0x19, number, read=0)
    raw.ask(0x03, b"USE information_schema")
    raw.ask(0x03, b"SELECT COUNT(*) > 0 AS some FROM tables", read=5)
    raw.ask(0x03, b"SET autocommit = 0")
    raw.ask(0x1F)
    raw.ask(0x03, b"DO SLEEP(0)")
    raw.ask(0x11, b"app\0" + b"\x14" + raw.scramble() + b"app\0" + struct.pack("<H", 45) + b"mysql_native_password\0" + b"\0")
    raw.close()


def record(port: int, program: str) -> None:
    mysqlrows.prepare(port)
    with Relay(port) as relay:
        if program == COMMANDS:
            commands(relay.port)
        else:
            mysqlrows.run(program, relay.port)
    name = program.replace(".", "-").replace("_", "-")
    for number, chunks in enumerate(relay.connections):
        if first_statement(chunks) not in (0, 1):
            continue
        suffix = f"-{number + 1}" if number else ""
        path = transcripts.FOLDER / "mysql" / f"{name}{suffix}.transcript"
        about = f"{program} and MariaDB 10.11, recorded by tests/live/record_mysql_transcripts.py"
        transcripts.write(path, about, chunks)
        print(path.relative_to(ROOT), sum(len(data) for _, data in chunks), "bytes")


def first_statement(chunks: Sequence[Chunk]) -> int:
    """The number of the statement that is executed first; 0 where none is."""
    executed = (data for side, data in chunks if side is Side.CLIENT and data[3:5] == b"\0\x17")
    return next((int.from_bytes(data[5:9], "little") for data in executed), 0)


def main() -> None:
    for program in sys.argv[1:] or (*PROGRAMS, COMMANDS):
        with mariadb.serve() as server:
            record(server.port, program)


if __name__ == "__main__":
    main()
