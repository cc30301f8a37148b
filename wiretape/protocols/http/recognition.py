"""Whether a connection speaks HTTP, told from its first bytes."""

from __future__ import annotations

import re

from wiretape.protocols.http.h2frames import PREFACE

_LONGEST_LINE = 64 * 1024
_BEGINS = re.compile(rb"[A-Z-]{1,24}(?: [^\r\n]*)?")
_LINE = re.compile(rb"[A-Za-z-]{1,24} \S+ HTTP/1\.[01]\r?\n")
_SETTINGS = re.compile(rb"\x00\x00[\x00-\xff]\x04[\x00\x01]\x00\x00\x00\x00", re.DOTALL)  # HTTP/2's first frame of a server


def recognises(client: bytes, server: bytes) -> bool | None:
    """See wiretape.protocols.base.Codec."""
    if not client:
        return None if not server or _SETTINGS.match(server) or len(server) < 9 else False
    if client.startswith(PREFACE[: len(client)]):
        return True if len(client) >= len(PREFACE) else None
    line, newline, _ = client.partition(b"\n")
    if newline:
        return bool(_LINE.fullmatch(line + newline))
    return None if len(line) < _LONGEST_LINE and _BEGINS.fullmatch(line.rstrip(b"\r")) else False
