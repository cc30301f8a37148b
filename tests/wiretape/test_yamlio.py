"""Reading YAML: what scalars mean, where values stand, and what is refused, in words a person understands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wiretape.trees import exact
from wiretape.errors import CaseFormatError
from wiretape.tree import Number, Tree
from wiretape.yamlio import Mark, load, read


def refused(text: str | bytes) -> str:
    with pytest.raises(CaseFormatError) as error:
        load(text.encode() if isinstance(text, str) else text, "f.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2026-11-20", "2026-11-20"), ("1_000", "1_000"), ("0x1F", "0x1F"),
        (".5", ".5"), ("5.", "5."), ("017", "017"), ("+1", "+1"), ("0o7", "0o7"), ("nan", "nan"),
        ("null", None), ("~", None), ("", None), ("true", True), ("FALSE", False), ("-12", -12), ("0", 0), ("-0", 0),
        ("12.50", Number("12.50")), ("1e5", Number("1e5")), ("-1.0E-2", Number("-1.0E-2")), (".inf", float("inf")),
        ("-.INF", float("-inf")), (".NaN", float("nan")), ("99999999999999999999", 99999999999999999999),
        ("'1'", "1"), ('"\\u00e9"', "é"), ("!!str 1", "1"), ("!!binary AAE=", b"\x00\x01"), ("!!float 5", Number("5")),
        ("!json '\"\\ud800\"'", "\ud800"), ("{1: a, null: b, 1.0: c}", {"1": "a", "null": "b", "1.0": "c"}),
        ("&a [1, 2]", [1, 2]), ("[&a {x: 1}, *a]", [{"x": 1}, {"x": 1}]), ("{<<: 1}", {"<<": 1}), ("\ufeffa: 1", {"a": 1}),
    ],
)  # fmt: skip
def test_what_scalars_mean(text: str, value: Tree) -> None:
    assert exact(load(text.encode()).value) == exact(value)


def test_every_place_has_a_line_and_a_column() -> None:
    document = load("# c\na: 1\nb:\n  - x\n  - {k: v,  é😀: w}\nc: |\n  text\nd: end\n".encode())
    places = [(), ("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "k"), ("b", 1, "é😀"), ("c",), ("d",)]
    assert [document.mark(path) for path in places] == [
        Mark(2, 1), Mark(2, 4), Mark(4, 3), Mark(4, 5), Mark(5, 5), Mark(5, 9), Mark(5, 17), Mark(6, 4), Mark(8, 4),
    ]  # fmt: skip
    assert document.mark(("b", 1, "é😀"), key=True) == Mark(5, 13)
    assert document.mark(("b", 7, "nowhere")) == Mark(4, 3)
    assert str(document.error(("d",), "wrong")) == "<yaml>:8:4: wrong"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n\tb: 2\n", "f.yaml:2:1: not readable as YAML: a tab cannot indent; use spaces"),
        ("a: b: c\n", "f.yaml:1:5: not readable as YAML: a `: ` inside of a plain value; quote it, or check the indentation"),
        ("a: 1\n b: 2\n",
            "f.yaml:2:3: not readable as YAML: a `: ` inside of a plain value; quote it, or check the indentation"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2: not readable as YAML: a `,` or `]` is missing in this list"),
        ("a: {x: 1\nb: 3\n", "f.yaml:2:2: not readable as YAML: a `,` or `}` is missing in this mapping"),
        ('a: "open\nb: 1\n', "f.yaml:1:4: not readable as YAML: the quote that opens here is never closed"),
        ("a: @x\n", "f.yaml:1:4: not readable as YAML: `@` cannot start a value; quote it, and indent with spaces"),
        ("a: 1\nno colon\nb: 2\n",
            "f.yaml:2:1: not readable as YAML: a `:` is missing after this key, or a quote is not closed"),
        ("- a\nb: 1\n", "f.yaml:2:1: not readable as YAML: expected `- ` here; check the indentation"),
        ('a: "\\q"\n',
            "f.yaml:1:5: not readable as YAML: unknown escape in a quoted string; write `\\\\` for a "
            "backslash, or use single quotes"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' is here twice"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2:1: a second document begins here; one file holds one"),
        ("a: *x\n", "f.yaml:1:4: the alias *x has no anchor before it, or is inside of what it names"),
        ("&a [*a]\n", "f.yaml:1:5: the alias *a has no anchor before it, or is inside of what it names"),
        ("a: !python/object:os.system x\n",
            "f.yaml:1:4: unknown tag !python/object:os.system; there are !!str, !!binary, !!float and !json"),
        ("a: !!set {}\n", "f.yaml:1:4: unknown tag tag:yaml.org,2002:set"),
        ("a: !!binary '*'\n", "f.yaml:1:4: this value is not what its tag binary says"),
        ("a: !json '1'\n", "f.yaml:1:4: this value is not what its tag !json says"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a string; quote it if it starts with `[` or `{`"),
        ("? \n: 1\n", 'f.yaml:1:2: a key is missing before `:`; write "" for an empty one'),
        ("a: {: 1}\n",
            "f.yaml:1:5: not readable as YAML: a value is missing here; quote it if it starts with `,` `:` or a bracket"),
        ("a: " + "9" * 4001, "f.yaml:1:4: a number of 4001 digits is too long; quote it"),
        (b"a: 1\nb: \xff\n", "f.yaml:2:4: not readable as YAML: not UTF-8; save the file as UTF-8"),
        ("a: 1\nb: x\x01\n", "f.yaml:2:5: not readable as YAML: a control character; write it as an escape in double quotes"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str | bytes, message: str) -> None:
    assert refused(text) == message


def test_nesting_has_an_end() -> None:
    assert "nested deeper than 100 levels" in refused("[" * 200_000)
    assert "nested deeper than 100 levels" in refused("- " * 5_000)
    chain = "a0: &a0 x\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(120))
    assert "nested deeper than 100 levels" in refused(chain)


def test_aliases_do_not_multiply() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "aliases stand for more than 100000 values" in refused(bomb)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text(alphabet=" \n\t-:#'\"{}[],&*!|>%@`~?ab1", max_size=60) | st.binary())
def test_any_input_is_read_or_refused(data: str | bytes) -> None:
    error = _refusal(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    if error is not None:
        assert error.line >= 1
        assert error.column >= 1
        assert "\n" not in error.reason


def _refusal(data: bytes) -> CaseFormatError | None:
    try:
        load(data)
    except CaseFormatError as error:
        return error
    return None


def test_the_file_is_named(tmp_path) -> None:
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(CaseFormatError, match=r"x\.yaml:\d+:\d+: "):
        read(tmp_path / "x.yaml")
