"""Network addresses: inet, cidr, macaddr, macaddr8."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.postgres.scalar import Codec, demand, plain

_V4, _V6 = 2, 3
_MAC_MARKS = re.compile(r"[:.-]")


def _address_text(packed: bytes) -> str:
    """As PostgreSQL's inet_net_ntop: the first longest run of two or more zero groups becomes `::`, IPv4 in IPv6 is dotted."""
    if len(packed) == 4:
        return ".".join(map(str, packed))
    groups = struct.unpack("!8H", packed)
    start, length = _longest_zeros(groups)
    if start == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF)):
        return ("::ffff:" if length == 5 else "::") + _address_text(packed[12:])
    if length < 2:
        return ":".join(f"{group:x}" for group in groups)
    before, after = groups[:start], groups[start + length :]
    return ":".join(f"{group:x}" for group in before) + "::" + ":".join(f"{group:x}" for group in after)


def _longest_zeros(groups: tuple[int, ...]) -> tuple[int, int]:
    best = (-1, 0)
    at = 0
    while at < len(groups):
        end = at
        while end < len(groups) and not groups[end]:
            end += 1
        if end - at > best[1]:
            best = (at, end - at)
        at = end + 1
    return best


def _inet(cidr: bool) -> Codec:
    def read(data: bytes) -> str:
        family, bits, is_cidr, size = data[:4]
        demand(size == {_V4: 4, _V6: 16}[family] and len(data) == 4 + size and is_cidr == cidr, "wrong length")
        demand(bits <= size * 8, "too many bits")
        text = _address_text(data[4:])
        return text if bits == size * 8 and not cidr else f"{text}/{bits}"

    def write(text: str) -> bytes:
        address, slash, mask = text.strip(" ").partition("/")
        demand("%" not in address, "no zones here")
        found = ipaddress.ip_address(address)
        bits = int(mask) if slash else found.max_prefixlen
        demand(0 <= bits <= found.max_prefixlen, "too many bits")
        if cidr:
            demand(not int(found) & ((1 << (found.max_prefixlen - bits)) - 1), "bits to the right of the mask")
        return bytes((_V4 if found.version == 4 else _V6, bits, cidr, len(found.packed))) + found.packed

    return plain(read, write, "a network such as 10.1.0.0/16" if cidr else "an address such as 10.1.2.3 or 10.1.2.3/16")


def _mac(size: int) -> Codec:
    def read(data: bytes) -> str:
        demand(len(data) == size, "wrong length")
        return data.hex(":")

    def write(text: str) -> bytes:
        digits = _MAC_MARKS.sub("", text.strip(" "))
        demand(len(digits) == 2 * size, "wrong length")
        return bytes.fromhex(digits)

    return plain(read, write, "a hardware address such as " + ":".join(("08", "00", "2b", "01", "02", "03", "04", "05")[:size]))


NETWORK: Mapping[int, Codec] = MappingProxyType({650: _inet(True), 774: _mac(8), 829: _mac(6), 869: _inet(False)})
