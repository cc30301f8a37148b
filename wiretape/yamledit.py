"""Changing a YAML text in place: comments, key order, quotes and layout of all it leaves alone survive, byte for byte.

ruamel.yaml applies the change and keeps the comments, but lays out untouched lines its own way, too. So only the lines that
differ between its two versions of the text (without and with the change) are carried over into the original.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString
from ruamel.yaml.util import load_yaml_guess_indent

from wiretape.errors import CaseFormatError, StoreError
from wiretape.tree import Tree, same
from wiretape.yamldump import WIDTH, dump, fits, inline, is_literal
from wiretape.yamlio import load


class _Words(VersionedResolver):
    """Every plain scalar is a string: nothing is interpreted, so nothing is written differently."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return super().resolve(kind, value, (False, implicit[1]) if kind is ScalarNode else implicit)


def revise(text: str, wanted: Tree, file: Path | str = "<yaml>") -> str:
    """`text` changed so that it says `wanted`.

    Raises CaseFormatError for a text that is not YAML, StoreError where it cannot be changed in place.
    """
    before = load(text.encode(), file).value
    if same(before, wanted):
        return text
    try:
        untouched, changed = _both(text, before, wanted)
    except (YAMLError, RecursionError, AssertionError, AttributeError, IndexError, KeyError, NotImplementedError) as error:
        raise StoreError(f"{file} cannot be changed in place ({type(error).__name__}); change it by hand") from None
    for candidate in (_carry_over(text, untouched, changed), changed):
        if _says(candidate, wanted):
            return candidate
    raise StoreError(f"{file} cannot be changed in place; change it by hand")


def _says(text: str, wanted: Tree) -> bool:
    try:
        return same(load(text.encode()).value, wanted)
    except CaseFormatError:
        return False


def _both(text: str, before: Tree, wanted: Tree) -> tuple[str, str]:
    """The text as ruamel writes it, without and with the change."""
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.Resolver = _Words
    yaml.preserve_quotes = True
    yaml.width = 1 << 30
    yaml.indent(mapping=2, sequence=indent or 2, offset=offset or 0)
    yaml.constructor.add_constructor("tag:yaml.org,2002:binary", type(yaml.constructor).construct_undefined)
    yaml.constructor.add_constructor("tag:yaml.org,2002:float", type(yaml.constructor).construct_undefined)
    root = yaml.load(text)
    untouched = _written(yaml, root)
    return untouched, _written(yaml, _merge(root, before, wanted, 0))


def _written(yaml: YAML, root: Any) -> str:
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def _merge(node: Any, before: Tree, wanted: Tree, indent: int) -> Any:
    """`node`, which says `before`, changed to say `wanted`; a new node where nothing of it can stay."""
    if same(before, wanted):
        return node
    if isinstance(node, CommentedMap) and isinstance(before, dict) and isinstance(wanted, dict) and wanted:
        return _merge_map(node, before, wanted, indent)
    if isinstance(node, CommentedSeq) and isinstance(before, list) and isinstance(wanted, list) and wanted:
        return _merge_list(node, before, wanted, indent)
    return _restyle(node, wanted) or _node(wanted, indent)


def _restyle(node: Any, wanted: Tree) -> Any:
    """A string in the quotes the former one had."""
    quoted = isinstance(node, SingleQuotedScalarString | DoubleQuotedScalarString) and isinstance(wanted, str)
    return type(node)(wanted) if quoted and "\n" not in str(wanted) and inline(wanted)[:1] != "!" else None


def _merge_map(node: CommentedMap, before: dict[str, Tree], wanted: dict[str, Tree], indent: int) -> CommentedMap:
    spelled = dict(zip(before, list(node), strict=True))
    for name in [name for name in before if name not in wanted]:
        del node[spelled[name]]
    at = 0
    for name, value in wanted.items():
        if name in before:
            key = spelled[name]
            merged = _merge(node[key], before[name], value, indent + 2)
            if merged is not node[key]:
                node[key] = merged
            at = list(node).index(key) + 1
        else:
            node.insert(at, _node(name, 0), _node(value, indent + 2, flow=node.fa.flow_style()))
            at += 1
    return node


def _merge_list(node: CommentedSeq, before: list[Tree], wanted: list[Tree], indent: int) -> CommentedSeq:
    old, new = [dump(item) for item in before], [dump(item) for item in wanted]
    shift = 0
    for _, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        paired = min(end - start, new_end - new_start)
        for index in range(paired):
            place = start + index + shift
            merged = _merge(node[place], before[start + index], wanted[new_start + index], indent + 2)
            if merged is not node[place]:
                node[place] = merged
        for _ in range(end - start - paired):
            del node[start + shift + paired]
        for index in range(new_end - new_start - paired):
            item = wanted[new_start + paired + index]
            node.insert(start + shift + paired + index, _node(item, indent + 2, flow=node.fa.flow_style()))
        shift += (new_end - new_start) - (end - start)
    return node


def _node(value: Tree, indent: int, *, flow: bool | None = None) -> Any:
    """A new node, laid out as `wiretape.yamldump` would."""
    if isinstance(value, dict | list):
        flat = bool(flow) or not value or fits(value, WIDTH - indent)
        node: Any = CommentedMap() if isinstance(value, dict) else CommentedSeq()
        if isinstance(value, dict):
            for name, item in value.items():
                node[_node(name, 0, flow=True)] = _node(item, indent + 2, flow=flat)
        else:
            node.extend(_node(item, indent + 2, flow=flat) for item in value)
        (node.fa.set_flow_style if flat else node.fa.set_block_style)()
        return node
    if isinstance(value, str) and not flow and is_literal(value):
        return LiteralScalarString(value)
    return _scalar(value, inline(value, flow=bool(flow)))


def _scalar(value: Tree, text: str) -> Any:
    if text.startswith("!"):
        tag, _, quoted = text.partition(" ")
        inner = load(quoted.encode()).value
        return TaggedScalar(value=str(inner), style=quoted[0], tag=tag.replace("!!", "tag:yaml.org,2002:"))
    if isinstance(value, str) and text[:1] in ("'", '"') and text != value:
        return (DoubleQuotedScalarString if text.startswith('"') else SingleQuotedScalarString)(value)
    return text


def _carry_over(original: str, untouched: str, changed: str) -> str:
    """The differences between `untouched` and `changed` made in `original`, of which `untouched` is another layout."""
    lines, base, target = (text.splitlines(keepends=True) for text in (original, untouched, changed))
    places = _places(base, lines)
    out: list[str] = []
    done = 0
    for word, start, end, new_start, new_end in difflib.SequenceMatcher(None, base, target, autojunk=False).get_opcodes():
        if word == "equal":
            continue
        begin, stop = places[start][0] if start < len(base) else len(lines), places[end - 1][1] if end > start else -1
        stop = max(stop, begin)
        out += lines[done:begin]
        out += target[new_start:new_end]
        done = stop
    return "".join([*out, *lines[done:]])


def _places(base: Sequence[str], lines: Sequence[str]) -> list[tuple[int, int]]:
    """For each line of `base`, the lines of the original that it stands for."""
    places: list[tuple[int, int]] = []
    for word, start, end, other_start, other_end in difflib.SequenceMatcher(None, base, lines, autojunk=False).get_opcodes():
        if word == "equal" or end - start == other_end - other_start:
            places += [(other_start + index, other_start + index + 1) for index in range(end - start)]
        elif end > start:
            places += [(other_start, other_end)] * (end - start)
    return places
