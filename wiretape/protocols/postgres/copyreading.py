"""The data of one COPY as a tap collects it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wiretape.protocols.postgres import copybinary, copydata
from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.copylayout import Layout
from wiretape.protocols.postgres.results import Wording, columns_tree
from wiretape.protocols.postgres.settings import encoding
from wiretape.tree import Tree

# Bytes of one COPY's data that are kept: a test case that holds more is of no use to anybody.
MAX_DATA: Final = 32 * 1024 * 1024


class CopyReading:
    """Collects what crosses the wire. `cut`: there was more than is kept. `columns` are those of binary data, where known."""

    def __init__(self, layout: Layout, wording: Wording, columns: Sequence[Column] | None) -> None:
        self.layout = layout
        self.cut = False
        self._wording = wording
        self._columns = columns if layout.form == "binary" else None
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """A piece of the data."""
        if self.cut or len(self._data) + len(data) > MAX_DATA:
            self.cut = True
        else:
            self._data += data

    def fields(self) -> dict[str, Tree]:
        """`copy_in` or `copy_out`, and `columns` where the types of binary values are known."""
        layout, data = self.layout, bytes(self._data)
        out: dict[str, Tree] = {}
        if layout.form == "binary":
            if self._columns is not None:
                out["columns"] = columns_tree(self._wording.catalog, self._columns)
            found = copybinary.read(self._wording, [column.type for column in self._columns or ()], data)
        else:
            if self.cut:
                data = data[: data.rfind(b"\n") + 1]
            code = encoding_of(layout, self._wording)
            found = (copydata.told if layout.direction == "out" else copydata.read)(layout, data, code)
        return out | {f"copy_{layout.direction}": found}


def encoding_of(layout: Layout, wording: Wording) -> str:
    """The encoding of text and CSV, Python's name."""
    return encoding(layout.encoding) if layout.encoding else wording.encoding
