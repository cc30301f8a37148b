"""Strategies: any tree, any case; and trees compared to the last detail."""

from __future__ import annotations

from hypothesis import strategies as st

from wiretape.case import EMPTY, Body, Call, Case, Message, Noise, Request, Response
from wiretape.casefile import CALL_WORDS
from wiretape.tree import Number, Selector, Tree, spell

HARD = (
    "", "---", "...", "- a", "? b", "<<", "=", "null", "~", "Null", "true", "no", "on", "y", "N", "0x1F", "0o7",
    "017", "1_000", "12:30", "1:2:3", "2026-11-20", "2026-11-20 10:00:00", "1e5", ".5", "5.", "+1", "-0", "1",
    "-1.50", ".inf", "-.INF", ".NaN", "#x", "a #b", "a: b", "a:", ":a", " lead", "trail ", "\ttab", "a\n", "a\nb",
    "\n", "\na", "a\n\nb\n", "a\n\n", "a\n  b", "  a\nb", "a \nb", "\r\n", "a\rb", "\x00", "\x7f", "\x85", "\xa0",
    "\u2028", "\u2029", "\ufeff", "\ufffe", "\ud800", "é😀", "\U0010ffff", "*a", "&a", "!a", "!!str", "%a", "@a", "`a",
    "'", '"', "\\", "\\u0041", "[", "]", "{", "}", ",", "a, b", "${secret:x}", "x" * 3000,
)  # fmt: skip

texts = st.one_of(
    st.sampled_from(HARD),
    st.text(max_size=30),
    st.text(alphabet=" \n\t-:#'\"{}[],&*!|>%@`~?ab1.=\\\r\x85\u2028", max_size=20),
)
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,5})?([eE][-+]?[0-9]{1,2})?", fullmatch=True).map(Number)
scalars: st.SearchStrategy[Tree] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(10**60, 10**80), st.floats(), numbers, texts, st.binary(max_size=40)
)
trees: st.SearchStrategy[Tree] = st.recursive(
    scalars, lambda child: st.lists(child, max_size=5) | st.dictionaries(texts, child, max_size=5), max_leaves=25
)
paths = st.lists(texts | st.integers(0, 99), min_size=1, max_size=4).map(tuple)

words = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
headers = st.lists(st.tuples(words, texts), max_size=6).map(tuple)
types = st.sampled_from(
    [
        (),
        (("content-type", "application/json; charset=utf-8"),),
        (("Content-Type", "application/x-www-form-urlencoded"),),
        (("content-type", "text/html"),),
        (("content-type", "application/octet-stream"),),
        (("Content-Type", "multipart/form-data; boundary=x"),),
        (("content-type", "text/event-stream"),),
        (("content-type", "application/x-ndjson"),),
        (("content-type", "application/grpc+proto"),),
    ]
)
big = st.just("ä" * 20_000) | st.just(bytes(range(256)) * 8)
types_of_parts = st.sampled_from(["text/plain", "image/png"])
parts = st.one_of(
    st.fixed_dictionaries({"value": texts | big | st.binary()}, optional={"name": texts, "type": types_of_parts}),
    st.fixed_dictionaries({"type": st.just("application/json"), "value": trees, "style": words}),
    st.fixed_dictionaries({"type": st.just("application/json"), "text": texts | st.just("{" * 20_000)}),
)
events = st.fixed_dictionaries(
    {}, optional={"event": texts, "data": texts | st.lists(trees, max_size=2), "retry": st.integers()}
)
bodies = st.one_of(
    st.just(EMPTY),
    st.builds(Body, kind=st.just("json"), value=trees, style=words | st.just("")),
    st.builds(Body, kind=st.just("form"), value=st.lists(st.tuples(texts, texts).map(list), max_size=4)),
    st.builds(Body, kind=st.just("text"), value=texts | st.just("ä" * 20_000)),
    st.builds(Body, kind=st.just("binary"), value=st.binary() | st.just(b"plain text" * 200) | st.just(bytes(range(256)) * 8)),
    st.builds(Body, kind=st.just("events"), value=st.lists(events, max_size=3)),
    st.builds(Body, kind=st.just("multipart"), value=st.lists(parts, max_size=3)),
    st.builds(Body, kind=st.sampled_from(["lines", "grpc"]), value=st.lists(trees, max_size=3), style=words | st.just("")),
    st.builds(Body, kind=st.just("text"), value=texts, raw=st.binary(min_size=1) | st.just(b"\x1f\x8b" * 2000)),
)
calls = st.builds(
    Call,
    target=words.filter(lambda name: name not in CALL_WORDS).map("t-{}".format),
    operation=texts,
    fields=st.dictionaries(texts.filter(lambda name: name not in CALL_WORDS and not name.startswith("t-")), trees, max_size=4),
    attributed=words | st.just(""),
    ambiguous=st.lists(words, max_size=2).map(tuple),
)
kinds = st.sampled_from(
    [
        "any",
        "timestamp",
        "within 0.01",
        "within 5%",
        "unordered by id",
        'like W/"{6 hex}"',
        "timestamp %d/%m/%Y",
        "optional any",
    ]
)
noise = st.builds(Noise, selector=paths.map(lambda path: Selector.parse(spell(path))), kind=kinds)
directions = st.sampled_from(["send", "receive"])
messages = st.one_of(
    st.builds(Message, direction=directions, kind=st.just("text"), value=texts),
    st.builds(Message, direction=directions, kind=st.just("binary"), value=st.binary()),
    st.builds(
        Message,
        direction=directions,
        kind=st.just("json"),
        value=st.lists(trees, max_size=3) | st.dictionaries(texts, trees, max_size=3),
        style=words | st.just(""),
    ),
    st.builds(
        Message,
        direction=directions,
        kind=st.just("close"),
        value=st.just({}) | st.just({"code": 1000}) | st.just({"code": 4000, "reason": "bye"}),
    ),
)
requests = st.builds(
    lambda method, target, kind, more, body, trailers, version: Request(
        method=method, target=target, headers=kind + more, body=body, trailers=trailers, version=version
    ),
    st.sampled_from(["GET", "POST", "M-SEARCH"]),
    st.sampled_from(["/", "/orders?a=1&b", "*", "http://x/y"]),
    types,
    headers,
    bodies,
    headers,
    st.sampled_from(["", "2"]),
)
responses = st.builds(
    lambda status, kind, more, body, reason, trailers, unfinished: Response(
        status=status, headers=kind + more, body=body, reason=reason, trailers=trailers, unfinished=unfinished
    ),
    st.sampled_from([0, 100, 200, 404, 999]),
    types,
    headers,
    bodies,
    texts,
    headers,
    st.booleans(),
)
cases = st.builds(
    Case,
    name=words,
    request=requests,
    response=responses,
    messages=st.lists(messages, max_size=3).map(tuple),
    calls=st.lists(calls, max_size=3).map(tuple),
    noise=st.lists(noise, max_size=3, unique_by=lambda rule: rule.selector.text).map(tuple),
    recorded=st.sampled_from(["", "2026-11-20T10:00:00.123Z"]),
    first_recorded=st.sampled_from(["", "2026-11-19T10:00:00.123Z"]),
    attributed=words | st.just(""),
    incomplete=texts,
)


def exact(tree: Tree) -> object:
    """The tree as something `==` compares to the last detail: types, literals, the order of keys, NaN."""
    if isinstance(tree, dict):
        return ("object", [(key, exact(value)) for key, value in tree.items()])
    if isinstance(tree, list):
        return ("array", [exact(value) for value in tree])
    if isinstance(tree, float):
        text = str(tree)
        return ("number", {"NaN": "nan"}.get(text, text))
    return (type(tree).__name__, tree)
