"""Redirects what the processes of a control group connect to, by small eBPF programs; the kernel tells where they meant to go.

A program per address family runs at connect(2) of every TCP socket in the group: it notes the address under the socket's cookie
and puts ours in its place. Who connects to us is then found by the cookie that the kernel tells of the other end (sock_diag). A
child is in its parent's group from its first instruction on, listening sockets are left alone, and no process outside the group
is touched. The programs are held by links, which end with our process however it ends.

mitmproxy's own redirector is not used: it binds every socket of a process to its device, so that no server it captures can be
reached, knows at most twenty processes by number, and hangs connections to ::1.

Sources: linux/bpf.h, linux/inet_diag.h, linux/netlink.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from wiretape.errors import TargetError

_SYSCALL: Final[Mapping[str, int]] = MappingProxyType({"x86_64": 321, "aarch64": 280})
_MAP_CREATE, _MAP_LOOKUP, _PROG_LOAD, _LINK_CREATE = 0, 1, 5, 28
_LRU_HASH, _SOCK_ADDR = 9, 18
_CONNECT: Final = MappingProxyType({socket.AF_INET: 10, socket.AF_INET6: 11})  # where a program attaches
_GET_COOKIE, _MAP_UPDATE = 46, 2  # helpers
_REMEMBERED = 65536
_ENTRY = struct.Struct("=II16s")  # family, port in network order, address
_ATTRIBUTES = 128
_LOG = 65536

# struct bpf_sock_addr
_PORT, _TYPE = 24, 32
_ADDRESS: Final = MappingProxyType({socket.AF_INET: (4,), socket.AF_INET6: (8, 12, 16, 20)})
_HOST: Final = MappingProxyType({socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"})

_SOCK_DIAG, _BY_FAMILY, _ERROR = 4, 20, 2
_ANY = 0xFFFFFFFF


def _instruction(code: int, to: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, to | source << 4, offset, value)


def _copy(to: int, source: int) -> bytes:
    return _instruction(0xBF, to, source)


def _set(to: int, value: int) -> bytes:
    return _instruction(0xB7, to, value=value)


def _add(to: int, value: int) -> bytes:
    return _instruction(0x07, to, value=value)


def _load(to: int, source: int, offset: int) -> bytes:
    return _instruction(0x61, to, source, offset)


def _store(to: int, offset: int, source: int, *, double: bool = False) -> bytes:
    return _instruction(0x7B if double else 0x63, to, source, offset)


def _call(helper: int) -> bytes:
    return _instruction(0x85, value=helper)


def program(family: socket.AddressFamily, port: int, table: int) -> bytes:
    """The instructions for one family: note the address in the map `table` under the socket's cookie, go to `port` of ours."""
    context, frame = 6, 10
    key, entry = -8, -8 - _ENTRY.size
    words = _ADDRESS[family]
    ours = struct.unpack(f"<{len(words)}i", socket.inet_pton(family, _HOST[family]))
    body = _copy(1, context) + _call(_GET_COOKIE) + _store(frame, key, 0, double=True)
    body += _set(0, family) + _store(frame, entry, 0) + _load(0, context, _PORT) + _store(frame, entry + 4, 0)
    for at in range(4):
        body += (_load(0, context, words[at]) if at < len(words) else _set(0, 0)) + _store(frame, entry + 8 + 4 * at, 0)
    body += _instruction(0x18, 1, 1, value=table) + _instruction(0)  # the map, a double instruction
    body += _copy(2, frame) + _add(2, key) + _copy(3, frame) + _add(3, entry) + _set(4, 0) + _call(_MAP_UPDATE)
    for offset, value in zip(words, ours, strict=True):
        body += _set(0, value) + _store(context, offset, 0)
    body += _set(0, socket.htons(port)) + _store(context, _PORT, 0)
    jump = _instruction(0x55, 0, offset=len(body) // 8, value=socket.SOCK_STREAM)  # past the body unless it is TCP
    return _copy(context, 1) + _load(0, context, _TYPE) + jump + body + _set(0, 1) + _instruction(0x95)


class Redirection:
    """`with Redirection(group) as it: it.start(port)`: processes in the control group `group`, made here, come to `port`.

    Raises TargetError, with what the kernel says, where it cannot be done.
    """

    def __init__(self, group: Path) -> None:
        self.group = group
        self._open: list[int] = []
        self._table = -1

    def __enter__(self) -> Redirection:
        try:
            self.group.mkdir()
            self._table = self._call(_MAP_CREATE, struct.pack("<IIII", _LRU_HASH, 8, _ENTRY.size, _REMEMBERED))
        except OSError as error:
            self.close()
            raise _cannot("a control group and its map", error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, port: int, families: tuple[socket.AddressFamily, ...]) -> None:
        """From now on they come to `port` of 127.0.0.1, and of ::1 if IPv6 is among `families`."""
        try:
            folder = os.open(self.group, os.O_RDONLY)
            self._open.append(folder)
            for family in families:
                loaded = self._program(program(family, port, self._table), _CONNECT[family])
                self._call(_LINK_CREATE, struct.pack("<IIII", loaded, folder, _CONNECT[family], 0))
        except OSError as error:
            raise _cannot("the eBPF program", error) from None

    def _program(self, code: bytes, attach: int) -> int:
        instructions, licence = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"MIT")
        log = ctypes.create_string_buffer(_LOG)
        where = ctypes.addressof
        attributes = struct.pack(
            "<IIQQIIQ", _SOCK_ADDR, len(code) // 8, where(instructions), where(licence), 1, _LOG, where(log)
        )
        return self._call(_PROG_LOAD, attributes + struct.pack("<II16sII", 0, 0, b"wiretape", 0, attach))

    def _call(self, command: int, attributes: bytes) -> int:
        made = _bpf(command, attributes)
        self._open.append(made)
        return made

    def original(self, client: tuple[str, int], ours: tuple[str, int]) -> tuple[str, int] | None:
        """Where the client that connected from `client` to `ours` meant to go; None where it was not redirected."""
        cookie = _cookie(client, ours)
        if cookie is None:
            return None
        key, entry = ctypes.create_string_buffer(struct.pack("=Q", cookie), 8), ctypes.create_string_buffer(_ENTRY.size)
        try:
            _bpf(_MAP_LOOKUP, struct.pack("<IIQQQ", self._table, 0, ctypes.addressof(key), ctypes.addressof(entry), 0))
        except OSError:
            return None
        family, port, address = _ENTRY.unpack(entry.raw)
        return _plain(socket.inet_ntop(family, address[: 4 if family == socket.AF_INET else 16])), socket.ntohs(port & 0xFFFF)

    def close(self) -> None:
        """The redirection ends, and the group is gone unless some process outlives it. Safe to call again."""
        while self._open:
            os.close(self._open.pop())
        if self.group.exists():
            try:
                self.group.rmdir()
            except OSError:  # a daemon of the service is still in it; without programs it does nothing
                return


def _plain(address: str) -> str:
    """An IPv4 address that a client reached by an IPv6 socket."""
    return address.removeprefix("::ffff:") if "." in address else address


def _bpf(command: int, attributes: bytes) -> int:
    """The bpf system call. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    given = ctypes.create_string_buffer(attributes.ljust(_ATTRIBUTES, b"\0"), _ATTRIBUTES)
    result = int(library.syscall(_SYSCALL[platform.machine()], command, given, _ATTRIBUTES))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _cookie(client: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """The cookie of the socket at the other end of a connection of this machine."""
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    ends = [socket.inet_pton(family, host).ljust(16, b"\0") for host in (client[0], ours[0])]
    asked = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _ANY)
    asked += struct.pack("!HH", client[1], ours[1]) + b"".join(ends) + struct.pack("=III", 0, _ANY, _ANY)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(asked), _BY_FAMILY, 1, 1, 0) + asked)
        answer = kernel.recv(_LOG)
    kind = struct.unpack_from("=H", answer, 4)[0]
    return None if kind == _ERROR else int(struct.unpack_from("=Q", answer, 16 + 44)[0])


def _cannot(what: str, error: OSError) -> TargetError:
    return TargetError(f"local capture cannot start: the kernel refuses {what}: {error.strerror or error}; run wiretape doctor")
