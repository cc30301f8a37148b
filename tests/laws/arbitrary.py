"""Anything a service may answer, and any rule about it: strategies for the laws of verdicts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from normalizers.pipeline import NORMALIZERS
from replayer import diff
from replayer.received import Received
from wiretape import body as bodies
from wiretape.case import Headers, Noise, Response
from wiretape.noisekinds import FORMED
from wiretape.tree import Selector, Tree, spell, walk

# One of each form that has something to say; a new one must be added here.
FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "within N": ("within 0.5", "within 10%"),
        "unordered by KEY": ("unordered by id", "unordered by name"),
        "like FORM": ("like ORD-{4 hex}", "like {8 digits}"),
        "timestamp FORMAT": ("timestamp %d/%m/%Y %H:%M:%S",),
        "optional KIND": ("optional integer", "optional uuid"),
    }
)
KINDS = st.sampled_from([*NORMALIZERS, *(name for form in FORMED for name in FORMS[form])])

uuids = st.uuids(version=4).map(str)
drawn = st.one_of(
    uuids,
    st.integers(0, 2**80).map(lambda number: f"sess_{number:020x}"),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.integers(0, 0xFFFF).map(lambda number: f"ORD-{number:04x}"),
)
texts = st.one_of(st.sampled_from(("", "a", "Lamp", "x y", "17", "é", "null", "${a}", "/orders/17")), st.text(max_size=8))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-100, 1_800_000_000), st.floats(-1e6, 1e6, allow_nan=False), texts, drawn
)
keys = st.sampled_from(("id", "name", "at", "items", "odd key", "a.b")) | st.text(max_size=4)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
names = st.sampled_from(("x-a", "X-B", "etag", "location", "set-cookie", "vary", "cache-control"))
headers = st.lists(st.tuples(names, st.sampled_from(("1", "a=b; Path=/", "/orders/17", "gzip", "")) | uuids), max_size=4)


def _json(tree: Tree) -> tuple[str, bytes]:
    return "application/json", json.dumps(tree).encode()


def _event(tree: Tree) -> str:
    return f"event: e\nid: 1\ndata: {json.dumps(tree)}\n\n"


def _part(tree: Tree) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + json.dumps(tree).encode() + b"\r\n"


plain = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
answers = st.one_of(
    trees.map(_json),
    trees.map(lambda tree: ("application/problem+json", json.dumps(tree, indent=2).encode())),
    plain.map(lambda text: ("text/plain; charset=utf-8", text.encode())),
    plain.map(lambda text: ("text/html", f"<html><body><p>{text.replace('<', '')}</p></body></html>".encode())),
    plain.map(lambda text: ("application/xml", f"<a><b>{text.replace('<', '').replace('&', '')}</b></a>".encode())),
    st.binary(max_size=40).map(lambda data: ("application/octet-stream", data)),
    st.lists(st.tuples(texts, texts), max_size=4).map(
        lambda pairs: ("application/x-www-form-urlencoded", urlencode(pairs).encode())
    ),
    st.lists(trees, max_size=3).map(lambda events: ("text/event-stream", "".join(map(_event, events)).encode())),
    st.lists(trees, max_size=3).map(
        lambda lines: ("application/x-ndjson", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    ),
    st.lists(trees, min_size=1, max_size=3).map(
        lambda parts: ("multipart/form-data; boundary=b", b"".join(map(_part, parts)) + b"--b--\r\n")
    ),
    st.binary(max_size=20).map(lambda data: ("application/grpc", b"\0" + len(data).to_bytes(4, "big") + data)),
    st.tuples(st.sampled_from(("", "application/json", "text/plain")), st.binary(max_size=20)),
)


@st.composite
def responses(draw: st.DrawFn) -> tuple[Response, Received]:
    """A response as it was recorded, and the very same as it comes again."""
    kind, data = draw(answers)
    more: Headers = tuple(draw(headers))
    told: Headers = (*((("content-type", kind),) if kind else ()), *more)
    if draw(st.booleans()):
        data, told = gzip.compress(data, mtime=0), (*told, ("content-encoding", "gzip"))
    status = draw(st.sampled_from((200, 201, 204, 302, 404, 500)))
    response = Response(status=status, headers=told, body=bodies.read(data, told))
    return response, Received(status=status, headers=told, body=bodies.write(response.body, told))


def answered(status: int, tree: Tree) -> tuple[Response, Received]:
    """A JSON answer, recorded and live."""
    told: Headers = (("content-type", "application/json"),)
    data = json.dumps(tree).encode()
    return Response(status=status, headers=told, body=bodies.read(data, told)), Received(status=status, headers=told, body=data)


@st.composite
def rules(draw: st.DrawFn, *shown: dict[str, Tree]) -> Noise:
    """A rule of any kind, for a place of these responses as selectors see them, or for many."""
    places = [spell(("response", *path)) for tree in shown for path, _ in walk(tree) if path]
    many = ["response.**", "response.body.**", "response.body", "response.headers.*", "response.status", "response.body[]"]
    return Noise(selector=Selector.parse(draw(st.sampled_from([*places, *many]))), kind=draw(KINDS))


def shown(response: Response, live: Received) -> tuple[dict[str, Tree], dict[str, Tree]]:
    """Both as selectors see them."""
    return diff.recorded_tree(response), diff.live_tree(live, response)


@st.composite
def varied(draw: st.DrawFn, tree: Any) -> Any:
    """The tree with a few things otherwise."""
    if draw(st.integers(0, 7)) == 0:
        return draw(scalars | trees)
    if isinstance(tree, dict):
        made = {key: draw(varied(value)) for key, value in tree.items() if draw(st.integers(0, 9))}
        return made | ({draw(keys): draw(scalars)} if not draw(st.integers(0, 9)) else {})
    if isinstance(tree, list):
        made_list = [draw(varied(item)) for item in tree if draw(st.integers(0, 9))]
        return draw(st.permutations(made_list)) if not draw(st.integers(0, 3)) else made_list
    return tree
