"""Accepting rewrites what changed, where it changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import diff
from replayer.accept import accept
from replayer.bindings import Bindings
from replayer.lastrun import Failed, LastRun, decode, encode, read
from replayer.noise import Rules
from replayer.received import Received
from wiretape import body as bodies
from wiretape.errors import StoreError
from wiretape.store import load_case
from wiretape.tree import Number, same

JSON = (("content-type", "application/json"),)
CASE = """\
wiretape: 1   # the version
name: shop
# what is asked
request: {{method: GET, path: /}}
response:
  status: 200   # fine
  headers: {{content-type: application/json, cache-control: no-store}}
  body: {body}
"""


def failed(path: Path, received: Received, secrets: Any = None) -> Failed:
    case = load_case(path)
    by = diff.Comparison(bindings=Bindings(), rules=Rules((), NORMALIZERS), when=When(recorded=0.0, live=0.0))
    return Failed(name=case.name, path=path, changes=diff.compare(case.response, received, by), calls=0, received=received)


def accepted(path: Path, received: Received, secrets: Any = None) -> str:
    list(accept([failed(path, received)], secrets or {}))
    assert failed(path, received).changes == () or secrets
    return path.read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    def write(body: str) -> Path:
        path = tmp_path / "shop.yaml"
        path.write_text(CASE.format(body=body))
        return path

    return write


def test_only_what_changed_is_written(shop: Any) -> None:
    path = shop("{id: 1, price: 12.50, tags: [a, b]}")
    text = accepted(
        path,
        Received(status=201, headers=(*JSON, ("Cache-Control", "no-store")), body=b'{"id":1,"price":12.60,"tags":["a","b"]}'),
    )
    assert text == CASE.format(body="{id: 1, price: 12.60, tags: [a, b]}").replace("200", "201")


def test_volatile_values_stay_as_recorded(shop: Any) -> None:
    path = shop("{id: 7b0e4d2a-1111-4222-8333-944455566677, n: 1}")
    live = b'{"id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","n":2}'
    text = accepted(path, Received(status=200, headers=(*JSON, ("cache-control", "no-store")), body=live))
    assert text == CASE.format(body="{id: 7b0e4d2a-1111-4222-8333-944455566677, n: 2}")


def test_headers_come_go_and_change(shop: Any) -> None:
    path = shop("{}")
    accepted(path, Received(status=200, headers=(*JSON, ("vary", "a"), ("vary", "b")), body=b"{}"))
    assert load_case(path).response.headers == (*JSON, ("vary", "a"), ("vary", "b"))


def test_a_body_of_another_kind(shop: Any) -> None:
    path = shop("{a: 1}")
    accepted(path, Received(status=500, headers=(("content-type", "text/plain"), ("cache-control", "no-store")), body=b"oh no"))
    assert load_case(path).response.body.value == "oh no"


def test_secrets_stay_out(shop: Any) -> None:
    path = shop("{token: old-value-1}")
    received = Received(status=200, headers=(*JSON, ("cache-control", "no-store")), body=b'{"token":"live-secret"}')
    text = accepted(path, received, {"token": "live-secret"})
    assert "live-secret" not in text
    assert "${secret:token}" in text


def test_a_file_edited_since_is_left_alone(shop: Any) -> None:
    path = shop("{a: {b: 1}}")
    found = failed(path, Received(status=200, headers=(*JSON, ("cache-control", "no-store")), body=b'{"a":{"b":2}}'))
    path.write_text(CASE.format(body="{a: 1}"))
    with pytest.raises(StoreError, match="was edited since the last run"):
        list(accept([found], {}))
    assert path.read_text() == CASE.format(body="{a: 1}")


trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 5) | st.sampled_from(["a", "b", "no", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(recorded=trees, live=trees)
def test_whatever_changed_is_the_expectation_afterwards(tmp_path: Path, recorded: Any, live: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(CASE.format(body=json.dumps(recorded)))
    received = Received(status=200, headers=(*JSON, ("cache-control", "no-store")), body=json.dumps(live).encode())
    found = failed(path, received)
    list(accept([found], {}))
    stored = load_case(path).response
    assert same(bodies.meaning(bodies.write(stored.body, stored.headers), stored.headers), live)
    assert "# the version" in path.read_text()
    assert "# what is asked" in path.read_text()


@given(
    st.recursive(
        st.none() | st.integers() | st.binary() | st.text() | st.just(Number("1.50")),
        lambda i: st.lists(i) | st.dictionaries(st.text(), i),
    )
)
def test_trees_survive_the_last_run(tree: Any) -> None:
    back = decode(json.loads(json.dumps(encode(tree))))
    assert same(back, tree)
    assert repr(back) == repr(tree)


def test_the_last_run_is_its_owners_only(tmp_path: Path, shop: Any) -> None:
    home = tmp_path / ".wiretape"
    found = failed(shop("{a: 1}"), Received(status=500, headers=JSON, body=b"\x00"))
    last = LastRun(home)
    last.add(load_case(found.path), found.changes, 2, found.received)
    last.close()
    assert (home / "last-run.jsonl").stat().st_mode & 0o777 == 0o600
    (again,) = read(home)
    assert (again.name, again.path, again.calls, again.received) == (found.name, found.path, 2, found.received)
    with pytest.raises(StoreError, match="wiretape replay"):
        read(tmp_path / "nowhere")
