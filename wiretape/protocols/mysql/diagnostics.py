"""Errors and warnings as they stand in a case, and the errors a mock makes itself."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.base import Miss
from wiretape.protocols.mysql.charsets import Charset
from wiretape.protocols.mysql.packets import Err
from wiretape.tree import Tree

NAMES: Final = ("code", "state", "message")
STAGES: Final = ("prepare", "execute")
# ER_UNKNOWN_ERROR: what no driver takes for something it could handle, such as a duplicate key or a deadlock.
_UNKNOWN: Final = 1105


def encode(tree: Tree, charset: Charset, path: str = "error") -> bytes:
    """The ERR packet that says `tree`. Raises EncodeError where a name is not known or a value does not fit."""
    if not isinstance(tree, Mapping):
        raise EncodeError(path, "expected a mapping such as {code: 1062, state: '23000', message: …}")
    for name, value in tree.items():
        if name not in NAMES:
            raise EncodeError(f"{path}.{name}", f"an error has no such field (it has: {', '.join(NAMES)})")
        if isinstance(value, bool | bytes | list | dict):
            raise EncodeError(f"{path}.{name}", "expected text" if name != "code" else "expected a number")
    code, state = tree.get("code", _UNKNOWN), str(tree.get("state", "HY000"))
    try:
        return Err(code=int(code), state=state, message=charset.encode(str(tree.get("message", "")))).encode()  # type: ignore[arg-type]
    except struct.error:
        raise EncodeError(f"{path}.code", f"{code!r} is not an error number: from 0 to 65535") from None
    except ValueError as error:
        place = "state" if "SQLSTATE" in str(error) else "code"
        raise EncodeError(f"{path}.{place}", str(error) if place == "state" else f"{code!r} is not a number") from None


def error(message: str, code: int = _UNKNOWN, state: str = "HY000") -> dict[str, Tree]:
    """An error the mock makes itself."""
    return {"code": code, "state": state, "message": message}


def missed(miss: Miss) -> dict[str, Tree]:
    """What the service gets where no recording answers."""
    return error(miss.explain())
