"""Changing a YAML text in place: all that is not changed survives byte for byte, comments, quotes and layout included.

The text is compared with what it should say, and only the characters of the values that differ are replaced. The result is read
back before anyone gets it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path as File

from wiretape.errors import CaseFormatError, StoreError
from wiretape.tree import Path, Tree, same
from wiretape.yamldump import Layout, dump, inline, is_plain_line
from wiretape.yamlio import load
from wiretape.yamlspans import Entry, Node, spans

_COLON = re.compile(r"\s*:")
_HEADER = re.compile(r"[|>][-+0-9]*")


def revise(text: str, wanted: Tree, *, block: Callable[[Path], bool], file: File | str = "<yaml>") -> str:
    """`text` changed so that it says `wanted`; new parts are laid out as `yamldump.dump` does.

    Raises CaseFormatError for a text that is not YAML, StoreError where it cannot be changed in place.
    """
    before = load(text.encode(), file).value
    if same(before, wanted):
        return text
    changed = _Revision(text, block).run(before, wanted)
    if not _says(changed, wanted):
        raise StoreError(f"{file} cannot be changed in place; change it by hand")
    return changed


def _says(text: str, wanted: Tree) -> bool:
    try:
        return same(load(text.encode()).value, wanted)
    except CaseFormatError:
        return False


class _Revision:
    """The replacements that one text needs."""

    def __init__(self, text: str, block: Callable[[Path], bool]) -> None:
        self._text = text
        self._layout = Layout(block)
        self._edits: list[tuple[int, int, str]] = []

    def run(self, before: Tree, wanted: Tree) -> str:
        root = spans(self._text)
        if not self._inside(root, before, wanted, ()):
            return dump(wanted, block=self._layout.block)  # nothing of the former document is left
        out: list[str] = []
        done = 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            out += [self._text[done:start], new]
            done = max(done, end)
        return "".join([*out, self._text[done:]])

    def _replace(self, start: int, end: int, new: str) -> None:
        if "\r\n" in self._text:
            new = new.replace("\n", "\r\n")
        self._edits.append((start, end, new))

    def _inside(self, node: Node, before: Tree, wanted: Tree, path: Path) -> bool:
        """Make the change within a container, if something of it can stay."""
        if isinstance(before, dict) and isinstance(wanted, dict) and node.entries and before.keys() & wanted.keys():
            self._mapping(node, before, wanted, path)
            return True
        if isinstance(before, list) and isinstance(wanted, list) and node.entries and wanted:
            return self._list(node, before, wanted, path)
        return False

    # Containers

    def _mapping(self, node: Node, before: dict[str, Tree], wanted: dict[str, Tree], path: Path) -> None:
        entries = dict(zip(before, node.entries, strict=True))
        self._remove(node, [name not in wanted for name in before])
        last: Entry | None = None
        fresh: list[str] = []
        for name, value in wanted.items():
            if name not in before:
                fresh.append(name)
                continue
            self._add_keys(node, last, entries[name], fresh, wanted, path)
            fresh = []
            last = entries[name]
            self._change(node, last, before[name], value, (*path, name))
        self._add_keys(node, last, None, fresh, wanted, path)

    def _add_keys(
        self, node: Node, after: Entry | None, ahead: Entry | None, names: Sequence[str], wanted: dict[str, Tree], path: Path
    ) -> None:
        if not names:
            return
        new = {name: wanted[name] for name in names}
        if node.flow:
            self._add_flow([inline({name: value})[1:-1] for name, value in new.items()], after, ahead)
        else:
            self._add_lines(self._layout.container(new, path, self._column(node.start)), after, ahead, self._column(node.start))

    def _list(self, node: Node, before: list[Tree], wanted: list[Tree], path: Path) -> bool:
        old, new = [dump(item) for item in before], [dump(item) for item in wanted]
        steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        removed = [False] * len(before)
        for _, start, end, new_start, new_end in steps:
            kept = min(end - start, new_end - new_start)
            removed[start + kept : end] = [True] * (end - start - kept)
        if all(removed):
            return False
        self._remove(node, removed)
        for _, start, end, new_start, new_end in steps:
            kept = min(end - start, new_end - new_start)
            for index in range(kept):
                here = (*path, new_start + index)
                self._change(node, node.entries[start + index], before[start + index], wanted[new_start + index], here)
            self._add_items(node, start + kept, wanted[new_start + kept : new_end], (*path, new_start + kept))
        return True

    def _add_items(self, node: Node, at: int, items: Sequence[Tree], path: Path) -> None:
        if not items:
            return
        after = node.entries[at - 1] if at else None
        ahead = node.entries[at] if at < len(node.entries) else None
        if node.flow:
            self._add_flow([inline(item, flow=True) for item in items], after, ahead)
        else:
            column = self._column(node.start)
            lines = (line for item in items for line in self._layout.item(item, path, column))
            self._add_lines(lines, after, ahead, column)

    def _remove(self, node: Node, gone: Sequence[bool]) -> None:
        """Take entries out, run by run; at least one stays."""
        entries = node.entries
        at = 0
        while at < len(entries):
            run = at
            while run < len(entries) and gone[run]:
                run += 1
            if run > at:
                self._remove_run(node, at, run)
            at = run + 1

    def _remove_run(self, node: Node, first: int, after: int) -> None:
        entries = node.entries
        start = entries[first].start
        end = entries[after - 1].value.end
        if node.flow:
            if after < len(entries):
                self._replace(start, entries[after].start, "")
            else:
                self._replace(entries[first - 1].value.end, end, "")
        elif self._text[self._line_start(start) : start].strip():
            # The first entry stands behind a dash: the next one moves up to it.
            self._replace(start, entries[after].start, "")
        else:
            line = self._line_start(start)
            if line:
                self._replace(self._line_end(line - 1), self._line_end(end), "")
            else:
                self._replace(0, entries[after].start, "")

    def _add_flow(self, pieces: Sequence[str], after: Entry | None, ahead: Entry | None) -> None:
        if after is not None:
            self._replace(after.value.end, after.value.end, "".join(f", {piece}" for piece in pieces))
        elif ahead is not None:
            self._replace(ahead.start, ahead.start, "".join(f"{piece}, " for piece in pieces))

    def _add_lines(self, lines: Iterable[str], after: Entry | None, ahead: Entry | None, column: int) -> None:
        new = "\n".join(lines)
        if after is not None:
            end = self._line_end(after.value.end)
            self._replace(end, end, f"\n{new}")
        elif ahead is not None:
            self._replace(ahead.start, ahead.start, f"{new.lstrip(' ')}\n{' ' * column}")

    # One value

    def _change(self, parent: Node, entry: Entry, before: Tree, wanted: Tree, path: Path) -> None:
        node = entry.value
        if same(before, wanted) or self._inside(node, before, wanted, path):
            return
        alike = self._quoted_alike(node, wanted)
        if parent.flow:
            colon = ": " if node.bare else " " if node.start == node.end else ""
            self._replace(node.start, node.end, colon + (alike or inline(wanted, flow=True)))
        elif entry.key is None:
            head, *rest = self._layout.item(wanted, path, self._column(entry.start))
            self._swap(entry.start + 1, node, alike or head.lstrip(" ")[2:], rest)
        else:
            key = entry.key
            head, *rest = self._layout.value(wanted, path, self._column(parent.start), key.end - key.start)
            colon_end = _COLON.match(self._text, key.end)
            if colon_end is None:
                head = f": {head}"
            self._swap(colon_end.end() if colon_end else key.end, node, alike or head, rest)

    def _quoted_alike(self, node: Node, wanted: Tree) -> str:
        """A one-line string in the quotes the former one had; empty where that does not apply."""
        if not isinstance(wanted, str) or node.style not in ("'", '"') or not is_plain_line(wanted):
            return ""
        escaped = wanted.replace("'", "''") if node.style == "'" else wanted.replace("\\", "\\\\").replace('"', '\\"')
        return f"{node.style}{escaped}{node.style}"

    def _swap(self, behind: int, node: Node, head: str, rest: Sequence[str]) -> None:
        """Replace a value of a block: `head` goes `behind` the key or dash, `rest` below."""
        start, end = node.start, node.end
        below = "".join(f"\n{line}" for line in rest)
        gap = f" {head}" if head else ""
        if "\n" in self._text[behind:start]:
            # The former value began below its key; what stands between (comments) stays.
            self._replace(behind, behind, gap)
            self._replace(self._line_end(self._line_start(start) - 1), self._line_end(end), below)
        elif node.style in ("|", ">"):
            header = _HEADER.match(self._text, start)
            self._replace(behind, header.end() if header else start, gap)
            self._replace(self._line_end(start), end, below)
        else:
            # A new block counts its indentation from the key or dash, so the gap before it is ours, too.
            keep_gap = head and not below and end > start
            self._replace(start if keep_gap else behind, end, head if keep_gap else gap)
            self._replace(self._line_end(end), self._line_end(end), below)

    # Places

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """The end of the line `at` is on, before its line break."""
        end = self._text.find("\n", at)
        if end < 0:
            return len(self._text)
        return end - 1 if self._text[end - 1 : end] == "\r" else end

    def _column(self, at: int) -> int:
        return at - self._line_start(at)
