"""A mock's side of COPY FROM STDIN: takes what the client sends, then looks for the answer to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.postgres import copybinary, copydata, diagnostics
from wiretape.protocols.postgres.asks import Plan, sending
from wiretape.protocols.postgres.backend import CopyInResponse
from wiretape.protocols.postgres.copylayout import Layout
from wiretape.protocols.postgres.copyreading import MAX_DATA, encoding_of
from wiretape.protocols.postgres.frontend import CopyFail
from wiretape.protocols.postgres.playback import Playback
from wiretape.protocols.postgres.results import shape
from wiretape.tree import Tree

_TAKEN: Final = frozenset(b"dcfHS")
_TOO_LARGE: Final = diagnostics.error(
    diagnostics.UNSERVABLE, f"wiretape: a COPY of more than {MAX_DATA} bytes is not recorded, so it cannot be played back"
)


def expected(playback: Playback, asked: Plan, ask: Ask) -> Call | None:
    """A recorded COPY FROM STDIN of that statement for which the client sent data; None where there is none."""
    if asked.layout is None or asked.layout.direction != "in":
        return None
    call = playback.peek(ask)
    return call if call is not None and "copy_in" in call.fields else None


class CopyIn:
    """One COPY from the client. `ended` goes on with the answer; `failed` with the mock's own error."""

    def __init__(
        self,
        playback: Playback,
        ask: Ask,
        layout: Layout,
        like: Call,
        ended: Callable[[Ask, Call | Miss], None],
        failed: Callable[[dict[str, Tree]], None],
    ) -> None:
        self._playback, self._ask, self._layout, self._like = playback, ask, layout, like
        self._ended, self._failed = ended, failed
        self._data = bytearray()
        form = int(layout.form == "binary")
        playback.out.append(CopyInResponse(format=form, columns=(form,) * _width(layout, like)).encode())

    def take(self, tag: int, body: bytes) -> bool:
        """One of the client's messages; True where the COPY is over with it. What has no place in a COPY ends it."""
        if tag == ord("d"):
            return self._add(body)
        if tag == ord("c"):
            self._end(gave_up=False)
        elif tag == ord("f"):
            CopyFail.decode(body)
            self._end(gave_up=True)
        elif tag == ord("X"):
            self._playback.closed = True
        elif tag not in _TAKEN:
            told = f"unexpected message type 0x{tag:02X} during COPY from stdin"
            self._failed(diagnostics.error("08P01", told))
        return tag not in b"HS"

    def _add(self, data: bytes) -> bool:
        if len(self._data) + len(data) > MAX_DATA:
            self._failed(_TOO_LARGE)
            return True
        self._data += data
        return False

    def _end(self, *, gave_up: bool) -> None:
        ask = sending(self._ask, self._sent(), gave_up=gave_up)
        self._playback.take(ask, lambda answer: self._ended(ask, answer))

    def _sent(self) -> Tree:
        wording, data = self._playback.session.asking, bytes(self._data)
        if self._layout.form != "binary":
            return copydata.read(self._layout, data, encoding_of(self._layout, wording))
        try:
            columns = self._like.fields.get("columns")
            types = [] if columns is None else [oid for oid, _ in shape(wording.catalog, columns, "columns").types]
        except EncodeError:  # told by lint; values are compared as bytes
            types = []
        return copybinary.read(wording, types, data)


def _width(layout: Layout, like: Call) -> int:
    """How many columns there are, as far as that is known."""
    rows = like.fields["copy_in"]
    first = rows[0] if isinstance(rows, list) and rows else None
    return layout.columns or (len(first) if isinstance(first, list) else 0)
