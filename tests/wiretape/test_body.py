"""Bodies are exact: what `read` makes of bytes, `write` turns into the very same bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from urllib.parse import urlencode

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from wiretape import body
from wiretape.case import Body, Headers
from wiretape.errors import EncodeError
from wiretape.tree import Number

JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("content-type", "application/x-www-form-urlencoded"),)
TEXT: Headers = (("content-type", "text/plain; charset=iso-8859-1"),)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def check_exact(data: bytes, headers: Headers) -> Body:
    read = body.read(data, headers)
    assert body.write(read, headers) == data
    return read


@pytest.mark.parametrize(
    ("text", "kind", "style"),
    [
        ('{"a":1,"b":[1.0,12345678901234567890,1e5,-0.0]}', "json", ""),
        ('{"a": 1, "b": "\\u00e9"}', "json", "spaced ascii"),
        ('{"a":"\\u003cb\\u003e"}\n', "json", "html newline"),
        ('{"u":"http:\\/\\/x"}', "json", "slash"),
        ('{"a":"\\u00E9"}', "json", "ASCII"),
        ('{\n  "a": {\n    "b": []\n  }\n}', "json", "indent=2"),
        ('{\r\n "a": 1}', "text", ""),
        ('{"b":1,"a":2}', "json", ""),
        ('{"a":1,"a":2}', "text", ""),
        ('{"a" : 1}', "text", ""),
        ('{"a":-0}', "text", ""),
        ('{"a":NaN}', "text", ""),
        ('{"a":"\\ud800"}', "text", ""),
        ("[" * 70 + "]" * 70, "text", ""),
        ("[" * 100_000, "text", ""),
        ("not json", "text", ""),
        ('"word"', "json", ""),
    ],
)
def test_json_is_a_tree_only_where_that_is_exact(text: str, kind: str, style: str) -> None:
    read = check_exact(text.encode(), JSON)
    assert (read.kind, read.style) == (kind, style)


def test_number_literals_survive() -> None:
    read = body.read(b'{"total":12.50,"big":12345678901234567890}', JSON)
    assert read.value == {"total": Number("12.50"), "big": 12345678901234567890}


@pytest.mark.parametrize(
    ("data", "headers", "kind"),
    [
        (b"a=1&b=two+words&a=%C3%A9", FORM, "form"),
        (b"a=two%20words", FORM, "form"),
        (b"a=*", FORM, "form"),
        (b"a&b=1", FORM, "text"),
        (b"a=%c3%a9", FORM, "text"),
        ("gr\u00fc\u00df".encode("latin-1"), TEXT, "text"),
        (b"\xff\xfe\x00", (), "binary"),
        (b"a\x00b", TEXT, "binary"),
        (b"", JSON, "empty"),
        (b'{"no":"type"}', (), "json"),
        (b"caf\xe9", (("content-type", "text/plain"),), "binary"),
        (b"caf\xc3\xa9", (("content-type", "text/plain; charset=hex"),), "text"),
    ],
)
def test_kinds(data: bytes, headers: Headers, kind: str) -> None:
    assert check_exact(data, headers).kind == kind


@given(VALUES, st.sampled_from([None, 1, 2, "\t"]), st.booleans(), st.sampled_from(["", "\n", "\r\n", " "]))
def test_any_json_from_a_serializer_is_exact(value: object, indent: int | str | None, ascii_only: bool, end: str) -> None:
    check_exact((json.dumps(value, indent=indent, ensure_ascii=ascii_only) + end).encode("utf-8", "surrogatepass"), JSON)


@given(st.binary(), st.sampled_from([JSON, FORM, TEXT, ()]))
def test_any_bytes_are_exact(data: bytes, headers: Headers) -> None:
    check_exact(data, headers)


@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", "nonsense"]))
def test_bytes_that_lie_about_their_coding_are_exact(data: bytes, name: str) -> None:
    check_exact(data, (*JSON, ("content-encoding", name)))


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1))
def test_any_form_from_a_client_is_a_form(fields: dict[str, str]) -> None:
    assert check_exact(urlencode(fields, errors="replace").encode(), FORM).kind == "form"


@pytest.mark.parametrize("level", [1, 4, 6, 9])
def test_gzip_is_a_tree_with_its_settings(level: int) -> None:
    headers = (*JSON, ("Content-Encoding", "gzip"))
    data = gzip.compress(b'{"a":"' + b"x" * 200 + b'"}', compresslevel=level, mtime=1_700_000_000)
    read = check_exact(data, headers)
    assert read.kind == "json"
    assert not read.raw
    edited = body.write(replace(read, value={"a": 2}), headers)
    assert gzip.decompress(edited) == b'{"a":2}'


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("deflate", lambda data: zlib.compress(data, 9, -15)),
    ],
)
def test_other_codings(coding: str, pack: object) -> None:
    data = pack(b'{"a":"' + b"x" * 200 + b'"}')  # type: ignore[operator]
    assert check_exact(data, (*JSON, ("Content-Encoding", coding))).kind == "json"


def test_a_compressor_we_cannot_repeat_keeps_its_bytes_until_the_value_is_edited() -> None:
    headers = (*JSON, ("content-encoding", "gzip"))
    stream = zlib.compressobj(6, zlib.DEFLATED, 31)
    data = stream.compress(b'{"a":') + stream.flush(zlib.Z_SYNC_FLUSH) + stream.compress(b"1}") + stream.flush()
    read = check_exact(data, headers)
    assert (read.value, read.raw) == ({"a": 1}, data)
    assert gzip.decompress(body.write(replace(read, value={"a": 2}), headers)) == b'{"a":2}'


def test_meaning_ignores_how_it_was_written() -> None:
    packed = gzip.compress(b'{ "a" : 1.50 }')
    assert body.meaning(packed, (*JSON, ("content-encoding", "gzip"))) == {"a": 1.5}
    assert body.meaning(b"b=2&a=1", FORM) == [["b", "2"], ["a", "1"]]
    assert body.meaning(b"", JSON) is None
    assert body.meaning(b"{oops", JSON) == "{oops"


def test_an_edited_body_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EncodeError, match="unknown body style 'pretty'"):
        body.write(Body(kind="json", value={}, style="pretty"), JSON)
    with pytest.raises(EncodeError, match="a form is a mapping"):
        body.write(Body(kind="form", value=[1]), FORM)
    with pytest.raises(EncodeError, match="bytes have no JSON form"):
        body.write(Body(kind="json", value=b"x"), JSON)
