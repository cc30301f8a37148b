"""What is written reads back the same, in every YAML reader, and looks as a person would write it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.wiretape.trees import HARD, exact, trees
from wiretape.errors import StoreError
from wiretape.tree import Path, Tree
from wiretape.yamldump import dump
from wiretape.yamlio import MAX_DEPTH, load

CASE: Tree = {
    "wiretape": 1,
    "name": "post-orders-201",
    "request": {
        "method": "POST",
        "path": "/orders",
        "headers": {"content-type": "application/json", "authorization": "Bearer ${secret:alice-token}"},
        "body": {"sku": "A1", "qty": 2},
    },
    "response": {
        "status": 201,
        "headers": {"content-type": "application/json"},
        "body": {"id": 17, "total": "39.80", "created_at": "2026-11-20T10:00:00.123Z", "receipt": "7b0e…"},
    },
    "calls": [
        {"main": "begin"},
        {
            "main": "INSERT INTO orders (sku, qty) VALUES ($1, $2) RETURNING id, created_at",
            "params": ["A1", 2],
            "columns": {"id": "int4", "created_at": "timestamptz"},
            "rows": [[17, "2026-11-20 10:00:00.123+00"]],
        },
        {"main": "SELECT 1\nFROM x\n", "rows": []},
        {"payments": "POST /charges", "body": {"amount": 3980}, "response": {"status": 200, "body": {"ok": True}}},
    ],
    "noise": [{"response.body.created_at": "timestamp"}],
}
TEXT = """\
wiretape: 1
name: post-orders-201
request:
  method: POST
  path: /orders
  headers: {content-type: application/json, authorization: "Bearer ${secret:alice-token}"}
  body: {sku: A1, qty: 2}
response:
  status: 201
  headers: {content-type: application/json}
  body: {id: 17, total: "39.80", created_at: "2026-11-20T10:00:00.123Z", receipt: 7b0e…}
calls:
- main: begin
- main: INSERT INTO orders (sku, qty) VALUES ($1, $2) RETURNING id, created_at
  params: [A1, 2]
  columns: {id: int4, created_at: timestamptz}
  rows:
  - [17, "2026-11-20 10:00:00.123+00"]
- main: |
    SELECT 1
    FROM x
  rows: []
- payments: POST /charges
  body: {amount: 3980}
  response: {status: 200, body: {ok: true}}
noise:
- response.body.created_at: timestamp
"""


def parts(path: Path) -> bool:
    return len(path) < 2 or (path[0] in ("calls", "noise") and len(path) == 2)


def test_a_case_looks_as_in_the_design() -> None:
    assert dump(CASE, block=parts) == TEXT


@settings(max_examples=300, deadline=None)
@given(trees, st.booleans())
def test_what_is_written_reads_back_the_same(tree: Tree, spread: bool) -> None:
    text = dump(tree, block=lambda _: spread)
    assert exact(load(text.encode()).value) == exact(tree)
    assert text.endswith("\n")


@settings(max_examples=200, deadline=None)
@given(trees)
def test_a_document_survives_as_a_part_of_another(tree: Tree) -> None:
    outer: Tree = {"a": tree, "b": [tree, [tree]], "c": {"d": tree}}
    assert exact(load(dump(outer).encode()).value) == exact(outer)


def _pure_1_1(text: str) -> object:
    return yaml.load(text, Loader=yaml.SafeLoader)


def _ruamel_1_2(text: str) -> object:
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


@pytest.mark.parametrize("read", [_pure_1_1, _ruamel_1_2])
@pytest.mark.parametrize("text", [text for text in HARD if "\ud800" not in text])
def test_every_reader_takes_a_string_for_the_same_string(read: Callable[[str], object], text: str) -> None:
    tree: Tree = {"key": text, "flow": [text], "block": ["a\nb", text]}
    assert read(dump(tree)) == tree


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("no", '"no"'),
        ("12:30", '"12:30"'),
        ("0x1F", '"0x1F"'),
        ("1_000", '"1_000"'),
        ("2026-11-20", '"2026-11-20"'),
        ("plain words, and more", "plain words, and more"),
        ("SELECT * FROM a WHERE b = $1", "SELECT * FROM a WHERE b = $1"),
        ("http://x/y?z=1", "http://x/y?z=1"),
        ("grüße 😀", "grüße 😀"),
        ('say "hi": now', "'say \"hi\": now'"),
        ("a\tb", '"a\\tb"'),
        ("\x85\u2028", '"\\x85\\u2028"'),
        (b"\x00\x01", '!!binary "AAE="'),
        (float("inf"), ".inf"),
        (1e300, "1e+300"),
    ],
)
def test_scalars_look(value: Tree, text: str) -> None:
    assert dump(value) == f"{text}\n"


def test_a_list_too_long_for_its_line_gets_a_line_for_each() -> None:
    assert dump({"a": ["word" * 5] * 6}).count("\n") == 7
    assert dump({"a": ["word" * 5] * 3}).count("\n") == 1


def _nested(depth: int) -> Tree:
    tree: Tree = "deep"
    for _ in range(depth):
        tree = [tree]
    return tree


def test_as_deep_as_can_be_read_and_no_deeper() -> None:
    assert load(dump(_nested(MAX_DEPTH)).encode()).value == _nested(MAX_DEPTH)
    with pytest.raises(StoreError, match="nested deeper than 100 levels"):
        dump(_nested(MAX_DEPTH + 1))


def test_a_number_too_long_to_read_is_not_written() -> None:
    with pytest.raises(StoreError, match="too long to write"):
        dump(1 << 20_000)
