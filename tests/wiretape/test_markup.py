"""HTML and XML as trees of elements: what browsers see as the same is the same, and nothing can break the reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.body import markup
from wiretape.tree import Selector, Tree


def html(text: str) -> Tree:
    tree = markup.read(text, "text/html")
    assert isinstance(tree, list)
    return tree[2:]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("<p>a <b>b</b>\n  c</p>", "<p>  a<b>b</b> c  </p>"),
        ("<p class=' x  y'>a</p>", '<p class="x y">a</p>'),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("<select><option>a<option selected>b</select>", '<select><option>a</option><option selected="">b</option></select>'),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<p>a<div>b</div>", "<p>a</p><div>b</div>"),
        ("<br/><img src=x>", "<br><img src='x'/>"),
        ("<P ID=a>&lt;&eacute;&#33;</P>", '<p id="a">&#60;\u00e9!</p>'),
        ("<p>a</p><!-- made at 10:00 -->", "<p>a</p>"),
        ("</p></div>", ""),
        ('<a b=c"d>x</a>', "<a b='c\"d'>x</a>"),
        ("<textarea><b></textarea>", "<textarea>&lt;b&gt;</textarea>"),
        ("a < b", "a &lt; b"),
        ("<p>a</p><unclosed b='", "<p>a</p>"),
        ("<ul><li><ul><li>a</ul><li>b</ul>", "<ul><li><ul><li>a</li></ul></li><li>b</li></ul>"),
    ],
)
def test_the_same_page_written_otherwise(left: str, right: str) -> None:
    assert html(left) == html(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("<p>a b</p>", "<p>ab</p>"),
        ("<pre>a\n b</pre>", "<pre>a b</pre>"),
        ("<p id=a>x</p>", "<p id=A>x</p>"),
        ("<p>a</p><p>b</p>", "<p>b</p><p>a</p>"),
        ("<!doctype html><p>a", "<p>a"),
        ("<script>if (a<b) {}</script>", "<script>if (a>b) {}</script>"),
    ],
)
def test_pages_that_differ(left: str, right: str) -> None:
    assert html(left) != html(right)


def test_a_page_is_shown_as_it_is_written() -> None:
    (element,) = html('<p class="a"><img src="x">1 &lt; 2<b>c</b></p>')
    assert isinstance(element, list)
    assert markup.write(element) == '<p class="a"><img src="x">1 &lt; 2<b>c</b></p>'


def test_places_have_names() -> None:
    tree = markup.view(markup.read("<div id=x><p>a</p>then<p>b<i>c</i></p></div><div>d</div>", "text/html"))
    assert tree == {"div": [{"@id": "x", "p": ["a", {"#text": "b", "i": "c"}], "#text": "then"}, "d"]}
    assert [value for _, value in Selector.parse("div[0].p[1].i").find(tree)] == ["c"]


@pytest.mark.parametrize(
    "text",
    [
        "<a>" * 300,
        "not a document",
        "<a><b></a></b>",
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "<a>&undefined;</a>",
        "",
    ],
)
def test_xml_that_is_none_stays_text(text: str) -> None:
    assert markup.read(text, "application/xml") is None


@given(st.text(alphabet="<>/!-ab \"'=&;?[]pre", max_size=80))
def test_any_text_is_read(text: str) -> None:
    markup.view(markup.read(text, "text/html"))
    markup.view(markup.read(text, "image/svg+xml"))


@pytest.mark.parametrize(
    "text", ["<div>" * 100_000, "<!--" * 50_000, "<a b='" * 50_000, "&" * 200_000, "<p>" * 100_000, "<" * 100_000]
)
def test_nothing_takes_for_ever(text: str) -> None:
    markup.read(text, "text/html")
    markup.read(text, "text/xml")
