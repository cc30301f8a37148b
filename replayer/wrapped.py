"""JSON that travels as base64 inside other text: a task's arguments in Celery's messages, a page's cursor."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable

from wiretape.tree import Tree

_LIMIT = 1 << 20
# What `{"` and `[` begin with in base64.
_RUN = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:eyJ|eyI|ew[o0]|W[0-9wx][A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}={0,2}(?![A-Za-z0-9+/=_.-])"
)
# RFC 7617 section 2; four characters a group, so that encoding gives the same back.
_BASIC = re.compile(r"(?i)(\bbasic )((?:[a-z0-9+/]{4})+(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?)(?![\w+/=])")


def unwrapped(text: str) -> str | None:
    """The JSON that `text` is the base64 of; None where it is not."""
    if text[:1] not in ("e", "W") or len(text) > _LIMIT or not _RUN.fullmatch(text):
        return None
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=_alphabet(text), validate=True).decode()
        json.loads(plain)
    except (ValueError, binascii.Error, RecursionError):
        return None
    return plain


def trees(recorded: str, live: str) -> tuple[Tree, Tree] | None:
    """What both are the base64 of; None unless both are."""
    mine, theirs = unwrapped(recorded), unwrapped(live)
    return None if mine is None or theirs is None else (json.loads(mine), json.loads(theirs))


def within(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` made to every JSON in it that is wrapped in base64, and to the user and password of `Basic …`."""

    def again(found: re.Match[str]) -> str:
        run = found[0]
        plain = unwrapped(run)
        if plain is None or (changed := change(plain)) == plain:
            return run
        made = base64.b64encode(changed.encode(), altchars=_alphabet(run)).decode()
        return made if run.endswith("=") or len(run) % 4 == 0 else made.rstrip("=")

    def basic(found: re.Match[str]) -> str:
        try:
            plain = base64.b64decode(found[2], validate=True).decode()
        except ValueError:
            return found[0]
        return found[1] + base64.b64encode(change(plain).encode()).decode()

    return _BASIC.sub(basic, _RUN.sub(again, text))


def _alphabet(text: str) -> bytes:
    return b"-_" if "-" in text or "_" in text else b"+/"
