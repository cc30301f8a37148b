"""The state of a connection that a mock plays, and what it answers by itself: greeting, names, subscriptions, a server's
account of itself."""

# ruff: noqa: ARG002 - the methods of a table have one signature
from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from wiretape.protocols.redis import resp
from wiretape.protocols.redis.commands import SUBSCRIBING
from wiretape.protocols.redis.facts import DEFAULT_VERSION
from wiretape.protocols.redis.layout import digest
from wiretape.protocols.redis.requests import Argv
from wiretape.protocols.redis.resp import Value
from wiretape.tree import Tree

OK: Final = resp.Simple(b"OK")
PONG: Final = resp.Simple(b"PONG")
_NO_CLUSTER: Final = resp.Error(b"ERR This instance has cluster support disabled")
_ID: Final = 1
_ALLOWED: Final = SUBSCRIBING | {"PING", "QUIT", "RESET"}

# What INFO says: what clients look at, as of a server that has just started and is ready.
_INFO: Final = """\
# Server
redis_version:{version}
redis_git_sha1:00000000
redis_git_dirty:0
redis_mode:{mode}
os:Linux
arch_bits:64
process_id:1
run_id:0000000000000000000000000000000000000000
tcp_port:6379
uptime_in_seconds:1
uptime_in_days:0

# Clients
connected_clients:1
blocked_clients:0

# Memory
used_memory:1000000
used_memory_human:976.56K
used_memory_peak:1000000
used_memory_peak_human:976.56K
maxmemory:0
maxmemory_human:0B
maxmemory_policy:noeviction

# Persistence
loading:0
async_loading:0
rdb_bgsave_in_progress:0
aof_enabled:0

# Stats
total_connections_received:1
total_commands_processed:1
evicted_keys:0
keyspace_hits:0
keyspace_misses:0

# Replication
role:master
connected_slaves:0
master_repl_offset:0

# CPU
used_cpu_sys:0.000000
used_cpu_user:0.000000

# Modules

# Errorstats

# Cluster
cluster_enabled:0

# Keyspace
"""


class Session:
    """One connection's state. `silent`: no answer is sent (`off`), or not to the next command (`skip`)."""

    def __init__(self, facts: Mapping[str, Tree]) -> None:
        self._version = str(facts.get("server_version", DEFAULT_VERSION))
        self._mode = str(facts.get("mode", "standalone"))
        modules = facts.get("modules")
        self._modules = [str(name) for name in modules] if isinstance(modules, list) else []
        self._resp3 = facts.get("resp3") is not False
        self.protocol = 2
        self.silent = ""
        self.closed = False
        self._reset()
        self._own: Mapping[str, Callable[[Argv], Value]] = MappingProxyType(
            {
                "AUTH": self._auth, "HELLO": self._hello, "SELECT": self._select, "QUIT": self._quit, "RESET": self._restart,
                "PING": self._ping, "ECHO": self._echo, "INFO": self._info, "READONLY": self._ok, "READWRITE": self._ok,
                "ASKING": self._ok, "COMMAND": self._command, "CLIENT": self._client,
            }
        )  # fmt: skip

    def _reset(self) -> None:
        self.db = 0
        self._name = b""
        self.tracking = self.monitoring = False
        self.channels: dict[str, dict[bytes, None]] = {"": {}, "P": {}, "S": {}}

    @property
    def subscribed(self) -> bool:
        """Whether RESP2 allows little but more subscriptions."""
        return self.protocol < 3 and any(self.channels.values())

    def refuses(self, name: str) -> resp.Error | None:
        """What a client is told that asks for something while it listens."""
        if not self.subscribed or name in _ALLOWED:
            return None
        allowed = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
        return resp.Error(f"ERR Can't execute '{name.lower()}': {allowed}".encode())

    def own(self, argv: Argv, word: str) -> Value:
        """The answer to a command that concerns the connection alone."""
        if len(argv) == 1 and word in ("AUTH", "SELECT", "ECHO", "CLIENT"):
            return _arity(word)
        return self._own[word](argv)

    def subscriptions(self, argv: Argv, name: str) -> list[Value]:
        """Channels joined or left: one answer for each."""
        kind = name.removesuffix("SUBSCRIBE").removesuffix("UN")
        channels, leaves = self.channels[kind], "UNSUB" in name
        if len(argv) == 1 and not leaves:
            return [_arity(name)]
        word = name.lower().encode()
        out: list[Value] = []
        for channel in argv[1:] or tuple(channels) if leaves else argv[1:]:
            if leaves:
                channels.pop(channel, None)
            else:
                channels[channel] = None
            out.append(resp.Push([word, channel, self._count(kind)]))
        return out or [resp.Push([word, None, self._count(kind)])]

    def _count(self, kind: str) -> int:
        return len(self.channels["S"]) if kind == "S" else len(self.channels[""]) + len(self.channels["P"])

    def _ok(self, argv: Argv) -> Value:
        return OK

    def _auth(self, argv: Argv) -> Value:
        return OK

    def _hello(self, argv: Argv) -> Value:
        if not self._resp3:
            return resp.Error(b"ERR unknown command 'HELLO', with args beginning with: ")
        if len(argv) > 1:
            if argv[1] not in (b"2", b"3"):
                return resp.Error(b"NOPROTO unsupported protocol version")
            self.protocol = int(argv[1])
        words = [word.upper() for word in argv]
        if b"SETNAME" in words[2:-1]:
            self._name = argv[words.index(b"SETNAME") + 1]
        named: list[tuple[bytes, Value]] = [
            (b"server", b"redis"), (b"version", self._version.encode()), (b"proto", self.protocol), (b"id", _ID),
            (b"mode", self._mode.encode()), (b"role", b"master"),
            (b"modules", [resp.Map([b"name", module.encode(), b"ver", 1]) for module in self._modules]),
        ]  # fmt: skip
        return resp.Map(entry for pair in named for entry in pair)

    def _select(self, argv: Argv) -> Value:
        if not argv[1].isdigit() or len(argv[1]) > 5:
            return resp.Error(b"ERR value is not an integer or out of range")
        self.db = int(argv[1])
        return OK

    def _quit(self, argv: Argv) -> Value:
        self.closed = True
        return OK

    def _restart(self, argv: Argv) -> Value:
        self._reset()
        self.protocol, self.silent = 2, ""
        return resp.Simple(b"RESET")

    def _ping(self, argv: Argv) -> Value:
        if self.subscribed:
            return [b"pong", argv[1] if len(argv) > 1 else b""]
        return argv[1] if len(argv) > 1 else PONG

    def _echo(self, argv: Argv) -> Value:
        return argv[1]

    def _info(self, argv: Argv) -> Value:
        told = _INFO.format(version=self._version, mode=self._mode).replace("\n", "\r\n")
        wanted = {word.lower().decode("latin-1") for word in argv[1:]} - {"all", "everything", "default"}
        if wanted:
            sections = (section for section in told.split("\r\n\r\n") if section[2:].split("\r\n")[0].lower() in wanted)
            told = "".join(f"{section.strip()}\r\n" for section in sections)
        return resp.Verbatim(b"txt:" + told.encode())

    def _command(self, argv: Argv) -> Value:
        what = argv[1].upper() if len(argv) > 1 else b""
        if what == b"COUNT":
            return 240
        if what == b"DOCS":
            return resp.Map()
        return [resp.NULL_ARRAY for _ in argv[2:]] if what == b"INFO" else []

    def _client(self, argv: Argv) -> Value:
        what = argv[1].upper()
        answer = _CLIENT.get(what)
        if answer is not None:
            return answer
        if what == b"SETNAME" and len(argv) == 3:
            self._name = argv[2]
            return OK
        if what == b"GETNAME":
            return self._name or None
        if what == b"TRACKING" and len(argv) > 2:
            self.tracking = argv[2].lower() == b"on"
            return OK
        if what == b"REPLY" and len(argv) == 3:
            self.silent = {b"off": "off", b"skip": "skip"}.get(argv[2].lower(), "")
            return OK
        if what in (b"INFO", b"LIST"):
            line = b"id=%d addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=8 name=%b age=0 idle=0 flags=N db=%d resp=%d\n"
            return resp.Verbatim(b"txt:" + line % (_ID, self._name, self.db, self.protocol))
        said = argv[1].decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")
        return resp.Error(f"ERR unknown subcommand '{said}'. Try CLIENT HELP.".encode())


_CLIENT: Mapping[bytes, Value] = MappingProxyType(
    {
        b"ID": _ID, b"SETINFO": OK, b"NO-EVICT": OK, b"NO-TOUCH": OK, b"CACHING": OK, b"PAUSE": OK, b"UNPAUSE": OK, b"KILL": 0,
        b"UNBLOCK": 0, b"GETREDIR": -1,
    }
)  # fmt: skip


def _arity(name: str) -> resp.Error:
    return resp.Error(f"ERR wrong number of arguments for '{name.lower()}' command".encode())


def asked(argv: Argv, name: str) -> Value:
    """What a server says of itself where no recording does: one that stands alone, with nothing set."""
    if name == "SCRIPT LOAD" and len(argv) == 3:
        return digest(argv[2])
    if name == "SCRIPT EXISTS":
        return [1 for _ in argv[2:]]
    if name == "CONFIG GET":
        return resp.Map()
    if name.startswith("CLUSTER"):
        return _NO_CLUSTER
    if name == "ROLE":
        return [b"master", 0, []]
    if name == "ACL WHOAMI":
        return b"default"
    if name.startswith("LOLWUT"):
        return resp.Verbatim(b"txt:Redis ver. 7\n")
    return []
