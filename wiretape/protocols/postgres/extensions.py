"""Types of extensions. They have another OID in every database, so they are known by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.postgres.parts import INT4, framed, parts
from wiretape.protocols.postgres.scalar import Codec, demand, plain
from wiretape.protocols.postgres.texts import TEXT, versioned

_WORD = r'"(?:[^"\\]|\\.)*"'
_PAIR = re.compile(rf"\s*({_WORD})\s*=>\s*({_WORD}|NULL)\s*(,|\Z)", re.DOTALL | re.IGNORECASE)


def _hstore_read(data: bytes) -> str:
    (count,) = INT4.unpack_from(data)
    texts = [part.decode() if part is not None else None for part in parts(data, INT4.size)]
    demand(len(texts) == 2 * count and None not in texts[::2], "not an hstore")
    return ", ".join(f"{_quoted(key)}=>{_quoted(value)}" for key, value in zip(texts[::2], texts[1::2], strict=True))


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hstore_write(text: str) -> bytes:
    out, count, at, more = b"", 0, 0, bool(text.strip())
    while more:
        found = _PAIR.match(text, at)
        if not found:
            raise ValueError("not pairs")
        out += framed(_word(found[1])) + framed(_word(found[2]))
        count, at, more = count + 1, found.end(), bool(found[3])
    return INT4.pack(count) + out


def _word(text: str) -> bytes | None:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL).encode() if text[0] == '"' else None


EXTENSIONS: Mapping[str, Codec] = MappingProxyType(
    {
        "citext": TEXT,
        "hstore": plain(_hstore_read, _hstore_write, 'pairs such as "a"=>"1", "b"=>NULL'),
        "lquery": versioned(1, "a label query"),
        "ltree": versioned(1, "a label path"),
    }
)
