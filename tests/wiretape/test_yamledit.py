"""Edits in place: what is not changed stays, byte for byte; what is changed says what was wanted."""

from __future__ import annotations

import copy

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wiretape.trees import exact, texts
from wiretape.errors import CaseFormatError, StoreError
from wiretape.tree import Tree
from wiretape.yamldump import dump
from wiretape.yamledit import revise
from wiretape.yamlio import load

TEXT = """\
# at the top
wiretape: 1
name:   post-orders   # the name

response:
    status: 201 # created
    body:
        id: 17        # made by the database
        total: '39.80'
        when: 2026-11-20 10:00:00
        big: 12.50
        # before the items
        items:
            -   {id: 1,   name: x}  # first
            -   { id: 2, name: y }
        # behind the items
        empty:
        text: |   # literal
            one
            two
calls:
  # the first call
  - main: begin
  - main: INSERT INTO orders
      VALUES ($1, $2)
    params: [A1, 2]   # values
    rows:
      - [17, "a"]   # row
      - [18, 0x1F]
  - main: commit


# at the end
"""


def change(text: str, *steps: str | int, to: Tree) -> str:
    """The text with the value at the steps changed (or added, or removed: `to=...`)."""
    wanted = copy.deepcopy(load(text.encode()).value)
    *leading, last = steps
    here = wanted
    for step in leading:
        here = here[step]
    if to is ...:
        del here[last]
    elif isinstance(here, list) and last == len(here):
        here.append(to)
    else:
        here[last] = to
    return revise(text, wanted, block=lambda path: path[:1] == ("calls",) and len(path) == 2)


def changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came; the rest must be where it was."""
    before, after = old.splitlines(), new.splitlines()
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return before, after


@pytest.mark.parametrize(
    ("steps", "to", "went", "came"),
    [
        (("response", "status"), 200, ["    status: 201 # created"], ["    status: 200 # created"]),
        (("name",), "no", ["name:   post-orders   # the name"], ['name:   "no"   # the name']),
        (("response", "body", "total"), "it's", ["        total: '39.80'"], ["        total: 'it''s'"]),
        (("response", "body", "total"), 40, ["        total: '39.80'"], ["        total: 40"]),
        (
            ("response", "body", "items", 1, "name"),
            "12:30",
            ["            -   { id: 2, name: y }"],
            ['            -   { id: 2, name: "12:30" }'],
        ),
        (("response", "body", "items", 0, "new"), [1, {"a": 2}], *[
            ["            -   {id: 1,   name: x}  # first"],
            ["            -   {id: 1,   name: x, new: [1, {a: 2}]}  # first"],
        ]),
        (("response", "body", "items", 0, "name"), ..., *[
            ["            -   {id: 1,   name: x}  # first"],
            ["            -   {id: 1}  # first"],
        ]),
        (("response", "body", "items", 2), {"id": 3}, [], ["            - {id: 3}"]),
        (("response", "body", "items", 0), ..., ["            -   {id: 1,   name: x}  # first"], []),
        (("response", "body", "empty"), "now", ["        empty:"], ["        empty: now"]),
        (("response", "body", "empty"), {"a": ["x\ny"]}, *[
            [], ["          a:", "          - |-", "            x", "            y"],
        ]),
        (("response", "body", "text"), "one\nzwei\n", *[
            ["            one", "            two"], ["          one", "          zwei"],
        ]),
        (("response", "body", "text"), "short", *[
            ["        text: |   # literal", "            one", "            two"], ["        text: short   # literal"],
        ]),
        (("response", "body", "new"), True, [], ["        new: true"]),
        (("calls", 1, "params"), ["A1", None, 3], ["    params: [A1, 2]   # values"], ["    params: [A1, null, 3]   # values"]),
        (("calls", 1, "rows", 0, 1), "b", ['      - [17, "a"]   # row'], ['      - [17, "b"]   # row']),
        (("calls", 1, "rows", 2), [19, "c"], [], ["      - [19, c]"]),
        (("calls", 0), ..., ["  - main: begin"], []),
        (("calls", 3), {"main": "x", "rows": []}, [], ["  - main: x", "    rows: []"]),
        (("noise",), [{"response.body.id": "any"}], [], ["noise:", "- {response.body.id: any}"]),
    ],
)  # fmt: skip
def test_an_edit_touches_its_own_lines_only(steps: tuple[str | int, ...], to: Tree, went: list[str], came: list[str]) -> None:
    assert changed(TEXT, change(TEXT, *steps, to=to)) == (went, came)


def test_no_change_is_no_change() -> None:
    assert revise(TEXT, load(TEXT.encode()).value, block=lambda _: True) == TEXT


def test_line_ends_stay_those_of_the_file() -> None:
    text = TEXT.replace("\n", "\r\n")
    new = change(text, "response", "body", "items", 2, to={"a": "x\ny"})
    assert "\n" not in new.replace("\r\n", "")
    assert new.count("# ") == text.count("# ")


def test_a_value_that_others_point_to_is_left_to_a_person() -> None:
    with pytest.raises(StoreError, match=r"f\.yaml cannot be changed in place; change it by hand"):
        revise("a: &x 1\nb: *x\n", {"a": 2, "b": 1}, block=lambda _: False, file="f.yaml")


def test_what_is_not_yaml_is_not_changed() -> None:
    with pytest.raises(CaseFormatError):
        revise("a: [", {"a": 1}, block=lambda _: False)


def test_a_document_replaced_whole() -> None:
    assert revise("a: 1\n", ["x"], block=lambda _: True) == "- x\n"


keys = st.sampled_from(["a", "b", "c", "d e", "12", "k: x"])
small: st.SearchStrategy[Tree] = st.one_of(st.none(), st.booleans(), st.integers(-5, 50), texts)
small_trees: st.SearchStrategy[Tree] = st.recursive(
    small, lambda child: st.lists(child, max_size=4) | st.dictionaries(keys, child, max_size=4), max_leaves=12
)


class _Dashed(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _laid_out(tree: Tree, layout: str) -> str:
    """The tree as some tool or person may have written it."""
    ours = dump(tree, block=lambda _: layout != "flow")
    if layout == "crlf":
        return ours.replace("\n", "\r\n")
    if layout in ("indent4", "dashed"):
        dumper = _Dashed if layout == "dashed" else yaml.SafeDumper
        text: str = yaml.dump(tree, Dumper=dumper, indent=4, default_flow_style=False, allow_unicode=True, sort_keys=False)
        try:
            return text if exact(load(text.encode()).value) == exact(tree) else ours
        except CaseFormatError:
            return ours
    return ours


@settings(max_examples=300, deadline=None)
@given(small_trees, small_trees, st.sampled_from(["flow", "block", "crlf", "indent4", "dashed"]))
def test_any_text_can_be_changed_to_say_anything(before: Tree, wanted: Tree, layout: str) -> None:
    text = revise(_laid_out(before, layout), wanted, block=lambda _: False)
    assert exact(_sorted(load(text.encode()).value)) == exact(_sorted(wanted))


def _sorted(tree: Tree) -> Tree:
    """Keys that stay keep their place, so order is not compared."""
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return [_sorted(one) for one in tree] if isinstance(tree, list) else tree
