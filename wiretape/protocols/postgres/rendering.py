"""A recorded call as the bytes that answer it, in the formats a client asks for. No recorded bytes are replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.postgres import copybinary, copydata, diagnostics
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.backend import CopyOutResponse, ErrorResponse, NoticeResponse
from wiretape.protocols.postgres.copylayout import Layout, layout_of
from wiretape.protocols.postgres.copyreading import encoding_of
from wiretape.protocols.postgres.messages import CopyData, CopyDone
from wiretape.protocols.postgres.results import Shape, Wording, complete, encode_rows, shape, tag_of
from wiretape.protocols.postgres.sql import Statement
from wiretape.tree import Tree

_KEPT: Final = 4096  # rendered calls a connection keeps, of so many bytes in all
_KEPT_BYTES: Final = 32 * 1024 * 1024
_SESSION: Final = frozenset(("parameters", "notifications"))
_LARGEST: Final = 256 * 1024  # bytes; larger ones are rendered each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One statement's result. `shape` is None where it returns no rows; `body` is all of it after the description, of a COPY to
    the client its data, too."""

    shape: Shape | None
    description: bytes
    rows: tuple[bytes, ...]
    tag: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A call's whole answer. `error` is the message, empty where it worked, and `stage` where it came up. `plain`: rows, and
    nothing that tells of the session."""

    call: Call
    results: tuple[Result, ...]
    notices: bytes = b""
    error: bytes = b""
    stage: str = ""
    fatal: bool = False
    plain: bool = False

    @property
    def shape(self) -> Shape | None:
        """What a Describe tells of the (first) result."""
        return self.results[0].shape if self.results else None


def failure(wording: Wording, error: Tree, path: str = "error") -> bytes:
    """The ErrorResponse that says `error`. Raises EncodeError."""
    fields = diagnostics.from_tree(error, path)
    return ErrorResponse(fields=tuple((letter, wording.spoken(text)) for letter, text in fields)).encode()


def render(wording: Wording, call: Call, formats: Sequence[int]) -> Rendered:
    """Raises EncodeError naming the place in the call that cannot be served."""
    fields = call.fields
    statements = plan(call.operation).statements
    error = fields.get("error")
    several = fields.get("results")
    if isinstance(several, list) and several and len(statements) > 1:
        results = [
            _result(
                wording, result, statements[index] if index < len(statements) else None, formats, f"results[{index}].", False
            )
            for index, result in enumerate(several)
        ]
    else:
        results = [_result(wording, dict(fields), statements[0], formats, "", error is not None)]
    stage = str(fields.get("stage", "execute")) if error is not None else ""
    return Rendered(
        call=call,
        results=tuple(results),
        notices=_notices(wording, fields.get("notices")),
        error=failure(wording, error) if error is not None else b"",
        stage=stage,
        fatal=isinstance(error, Mapping) and error.get("severity") in ("FATAL", "PANIC"),
        plain=not (stage or fields.get("notices")) and results[0].shape is not None and _SESSION.isdisjoint(fields),
    )


def _result(
    wording: Wording, fields: Tree, statement: Statement | None, formats: Sequence[int], path: str, failed: bool
) -> Result:
    if not isinstance(fields, Mapping):
        raise EncodeError(path.rstrip("."), "expected a mapping with columns, rows, tag")
    if "copy_in" in fields or "copy_out" in fields:
        return _copied(wording, fields, statement, path, ends=not failed or fields.get("stage") == "sync")
    columns = fields.get("columns")
    described = None if columns is None else shape(wording.catalog, columns, f"{path}columns")
    listed = fields.get("rows", [])
    if not isinstance(listed, list):
        raise EncodeError(f"{path}rows", "expected a list of rows")
    if listed and described is None:
        raise EncodeError(f"{path}rows", "rows need columns: say their names and types")
    rows: tuple[bytes, ...] = ()
    if described is not None:
        rows = tuple(encode_rows(wording, described, formats, listed, f"{path}rows"))
    tag = str(fields.get("tag") or tag_of(statement, described is not None, len(rows)))
    ends = b"" if failed and fields.get("stage") != "sync" else ending(wording, tag)
    return Result(
        shape=described,
        description=b"" if described is None else described.description(wording, formats),
        rows=rows,
        tag=tag,
        body=b"".join(rows) + ends,
    )


def _copied(wording: Wording, fields: Mapping[str, Tree], statement: Statement | None, path: str, *, ends: bool) -> Result:
    """The result of a COPY from or to the client."""
    layout = layout_of(statement) if statement else None
    if layout is None or f"copy_{layout.direction}" not in fields:
        wrong = "copy_out" if "copy_out" in fields else "copy_in"
        raise EncodeError(f"{path}{wrong}", "the statement is no COPY in that direction")
    sent = fields[f"copy_{layout.direction}"]
    tag = str(fields.get("tag") or f"COPY {copydata.count(layout, sent) or 0}")
    parts: list[bytes] = []
    if layout.direction == "out":
        form = int(layout.form == "binary")
        width = len(sent[0]) if isinstance(sent, list) and sent and isinstance(sent[0], list) else layout.columns
        parts.append(CopyOutResponse(format=form, columns=(form,) * width).encode())
        parts += [CopyData(data=piece).encode() for piece in _pieces(wording, layout, fields, path)]
    if ends:
        parts += [CopyDone().encode()] if layout.direction == "out" else []
        parts.append(ending(wording, tag))
    return Result(shape=None, description=b"", rows=(), tag=tag, body=b"".join(parts))


def _pieces(wording: Wording, layout: Layout, fields: Mapping[str, Tree], path: str) -> list[bytes]:
    """The data of a COPY to the client."""
    place = f"{path}copy_out"
    if layout.form != "binary":
        return copydata.write(layout, fields["copy_out"], encoding_of(layout, wording), place)
    columns = fields.get("columns")
    described = None if columns is None else shape(wording.catalog, columns, f"{path}columns")
    return copybinary.write(wording, described, fields["copy_out"], place)


def ending(wording: Wording, tag: str) -> bytes:
    """The CommandComplete."""
    return complete(wording.spoken(tag))


def _notices(wording: Wording, notices: Tree) -> bytes:
    if notices is None:
        return b""
    if not isinstance(notices, list):
        raise EncodeError("notices", "expected a list")
    parts = []
    for index, notice in enumerate(notices):
        fields = diagnostics.from_tree(notice, f"notices[{index}]")
        parts.append(NoticeResponse(fields=tuple((letter, wording.spoken(text)) for letter, text in fields)).encode())
    return b"".join(parts)


class Renderer:
    """Renders calls, keeping those it rendered: a query that is repeated costs a look-up."""

    def __init__(self, wording: Wording) -> None:
        self.wording = wording
        self._kept: dict[tuple[int, tuple[int, ...]], Rendered] = {}
        self._size = 0

    def adopt(self, wording: Wording) -> None:
        """The session's settings changed."""
        if wording is not self.wording and wording != self.wording:
            self.wording = wording
            self._clear()

    def _clear(self) -> None:
        self._kept.clear()
        self._size = 0

    def render(self, call: Call, formats: tuple[int, ...]) -> Rendered:
        """Raises EncodeError naming the place in the call that cannot be served."""
        key = (id(call), formats)
        kept = self._kept.get(key)
        if kept is not None:  # it holds its call, so no other call can have the same id
            return kept
        rendered = render(self.wording, call, formats)
        size = sum(len(result.body) for result in rendered.results)
        if size <= _LARGEST:
            if len(self._kept) >= _KEPT or self._size + size > _KEPT_BYTES:
                self._clear()
            self._kept[key] = rendered
            self._size += size
        return rendered
