"""Values that services make, in the forms they are met in: recorded, live, carried on, and never taken for another's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from normalizers.base import When
from replayer import diff
from replayer.bindings import Bindings, standing
from replayer.diff import Comparison
from replayer.linked import Linked
from replayer.noise import Rules
from replayer.received import Received
from wiretape import body as bodies
from wiretape.case import Body, Case, Headers, Request, Response

THEN, NOW = 1_795_000_000, 1_795_090_000
WHEN = When(recorded=float(THEN), live=float(NOW))
ALICE, BOB = "7b0e4d2a-1111-4222-8333-944455566677", "0c9a8b7c-aaaa-4bbb-8ccc-dddd11112222"
ALICE_NOW, BOB_NOW = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "12345678-9abc-4def-8123-456789abcdef"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(claims: dict[str, Any], key: bytes = b"key", alg: str = "HS256") -> str:
    said = f"{b64(json.dumps({'alg': alg, 'typ': 'JWT'}).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{said}.{b64(hmac.new(key, said.encode(), hashlib.sha256).digest())}"


def dangerous(payload: Any, at: int) -> str:
    class Clocked(URLSafeTimedSerializer):
        pass

    made = Clocked("key", salt="s")
    signer = made.make_signer("s")
    signer.get_timestamp = lambda: at  # type: ignore[attr-defined]
    return str(signer.sign(made.dump_payload(payload)).decode())


def django(payload: Any, at: int, monkeypatch: pytest.MonkeyPatch) -> str:
    if not settings.configured:
        settings.configure(SECRET_KEY="key")
    with monkeypatch.context() as patch:
        patch.setattr(signing.time, "time", lambda: at)
        return signing.dumps(payload, key="key")


def compared(recorded: Response, live: Received, bindings: Bindings) -> list[str]:
    by = Comparison(bindings=bindings, rules=Rules((), {}), when=WHEN)
    return [change.path for change in diff.compare(recorded, live, by)]


def answered(headers: Headers = (), body: Any = None, kind: str = "application/json") -> tuple[Response, Received]:
    """A response as it is recorded and as it comes."""
    data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    typed = (("content-type", kind), *headers)
    read = bodies.read(data, typed)
    return Response(status=200, headers=typed, body=read), Received(status=200, headers=typed, body=data)


def asked(bindings: Bindings, target: str = "/", headers: Headers = (), body: Body | None = None) -> Request:
    return standing(replace(Request(method="GET", target=target, headers=headers), body=body or Body()), bindings)


# One value made by the service, recorded and live: how it is met in a response, and how a later request sends it back.
R, L = "Zx81kQ0pLm/N4vT7y+a8Qw==", "p0Ty71bVnM/2kQz/x+90sa=="
PLAIN_R, PLAIN_L = "9f8d7c6b5a4e3f2d1c0b9a8f7e6d5c4b", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"

RESPONSES: dict[str, Callable[[str], tuple[Response, Received]]] = {
    "a body": lambda token: answered(body={"data": {"token": token}}),
    "a header": lambda token: answered(headers=(("x-csrf-token", token),)),
    "a cookie": lambda token: answered(headers=(("set-cookie", f"session={token}; Path=/; HttpOnly; SameSite=Lax"),)),
    "a quoted cookie": lambda token: answered(headers=(("set-cookie", f'session="{token}"; Path=/'),)),
    "a hidden field": lambda token: answered(
        body=f'<form method=post><input type=hidden name=csrf value="{token}"><button>Go</button></form>', kind="text/html"
    ),
    "a meta tag": lambda token: answered(
        body=f'<html><head><meta name="csrf-token" content="{token}"></head><body>hi</body></html>', kind="text/html"
    ),
    "the query of a Location": lambda token: answered(headers=(("location", f"/done?code={quote(token, safe='')}&state=x"),)),
    "a link": lambda token: answered(body={"next": f"http://127.0.0.1:8000/items?cursor={quote(token, safe='')}"}),
    "a text": lambda token: answered(body=f"export TOKEN={token}\n", kind="text/plain"),
}
REQUESTS: dict[str, Callable[[Bindings, str], object]] = {
    "Authorization": lambda b, t: asked(b, headers=(("authorization", f"Bearer {t}"),)).headers,
    "a cookie among others": lambda b, t: asked(b, headers=(("cookie", f"theme=dark; session={t}; lang=en"),)).headers,
    "the path": lambda b, t: asked(b, f"/things/{quote(t, safe='')}/edit").target,
    "the query": lambda b, t: asked(b, f"/things?token={quote(t, safe='')}&page=2").target,
    "a form": lambda b, t: asked(b, body=Body(kind="form", value=[["csrf", t], ["name", "x"]])).body.value,
    "a part of a form": lambda b, t: asked(b, body=Body(kind="multipart", value=[{"name": "csrf", "value": t}])).body.value,
    "a JSON body": lambda b, t: asked(b, body=Body(kind="json", value={"auth": {"token": t}, "n": 1})).body.value,
    "a longer text": lambda b, t: asked(b, body=Body(kind="text", value=f"<token>{t}</token>")).body.value,
    "Basic": lambda b, t: asked(
        b, headers=(("authorization", "Basic " + base64.b64encode(f"alice:{t}".encode()).decode()),)
    ).headers,
}  # fmt: skip


@pytest.mark.parametrize(("recorded", "live"), [(R, L), (PLAIN_R, PLAIN_L), (ALICE, ALICE_NOW)], ids=["base64", "hex", "uuid"])
@pytest.mark.parametrize("where", RESPONSES)
def test_a_value_of_the_services_own_is_carried_from_every_response_to_every_request(
    where: str, recorded: str, live: str
) -> None:
    bindings = Bindings()
    assert compared(RESPONSES[where](recorded)[0], RESPONSES[where](live)[1], bindings) == []
    for form, send in REQUESTS.items():
        assert send(bindings, recorded) == send(Bindings(), live), form


@pytest.mark.parametrize("where", RESPONSES)
def test_a_value_that_came_from_outside_may_not_be_another(where: str) -> None:
    bindings = Bindings()
    bindings.learn(["GET", PLAIN_R])
    assert compared(RESPONSES[where](PLAIN_R)[0], RESPONSES[where](PLAIN_L)[1], bindings) != []


@pytest.mark.parametrize("where", RESPONSES)
def test_two_recorded_values_are_never_one_live_one_and_the_reverse(where: str) -> None:
    bindings = Bindings()
    assert bindings.meet(PLAIN_R, PLAIN_L, WHEN)
    other_r, other_l = PLAIN_R[::-1], PLAIN_L[::-1]
    assert compared(RESPONSES[where](other_r)[0], RESPONSES[where](PLAIN_L)[1], bindings) != []
    assert compared(RESPONSES[where](PLAIN_R)[0], RESPONSES[where](other_l)[1], bindings) != []
    assert compared(RESPONSES[where](other_r)[0], RESPONSES[where](other_l)[1], bindings) == []


def cookie(attributes: str, value: str = PLAIN_R) -> tuple[Response, Received]:
    return answered(headers=(("set-cookie", f"session={value}; {attributes}"),))


def http_date(at: int, joint: str = " ") -> str:
    return datetime.fromtimestamp(at, UTC).strftime(f"%a, %d{joint}%b{joint}%Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("recorded", "live", "changed"),
    [
        (f"Expires={http_date(THEN + 3600)}; Path=/", f"Path=/; expires={http_date(NOW + 3600)}", False),
        (f"Expires={http_date(THEN + 3600, '-')}", f"Expires={http_date(NOW + 3600, '-')}", False),
        (f"Expires={http_date(THEN + 3600)}", f"Expires={http_date(NOW + 7200)}", True),
        ("Max-Age=3600; Secure", "Max-Age=3600; Secure", False),
        ("Max-Age=3600", "Max-Age=36000", True),
        ("Path=/; HttpOnly", "Path=/", True),
        ("Path=/", "Path=/admin", True),
        ("SameSite=Lax", "SameSite=None", True),
    ],
)
def test_attributes_of_cookies(recorded: str, live: str, changed: bool) -> None:
    assert bool(compared(cookie(recorded)[0], cookie(live, PLAIN_L)[1], Bindings())) is changed


def claims(at: int, **more: object) -> dict[str, Any]:
    return {"iss": "portal", "sub": "alice", "tenant": "acme", "iat": at, "exp": at + 900, **more}


def test_a_jwt_agrees_claim_by_claim() -> None:
    bindings = Bindings()
    recorded = {"access": jwt(claims(THEN, jti=ALICE, order=BOB)), "jti": ALICE, "order": BOB}
    live = {"access": jwt(claims(NOW, jti=ALICE_NOW, order=BOB_NOW)), "jti": ALICE_NOW, "order": BOB_NOW}
    assert bindings.meet(recorded, live, WHEN)
    assert asked(bindings, headers=(("authorization", f"Bearer {recorded['access']}"),)).headers == (
        ("authorization", f"Bearer {live['access']}"),
    )


@pytest.mark.parametrize(
    "other",
    [
        {"sub": "bob"},
        {"tenant": "other"},
        {"exp": NOW + 9000},
        {"iat": NOW - 4000},
        {"admin": True},
        {"order": ALICE_NOW},
        {"order": "no uuid"},
    ],
    ids=str,
)
def test_a_jwt_that_says_something_else_is_found(other: dict[str, Any]) -> None:
    bindings = Bindings()
    assert bindings.meet([ALICE, BOB], [ALICE_NOW, BOB_NOW], WHEN)
    token = jwt(claims(THEN, order=BOB))
    assert bindings.meet(token, jwt(claims(NOW, order=BOB_NOW)), WHEN)
    again = Bindings()
    assert again.meet([ALICE, BOB], [ALICE_NOW, BOB_NOW], WHEN)
    assert not again.meet(token, jwt({**claims(NOW, order=BOB_NOW), **other}), WHEN)
    assert not again.meet({"text": f"Bearer {token}"}, {"text": f"Bearer {jwt({**claims(NOW, order=BOB_NOW), **other})}"}, WHEN)


def test_a_jwt_of_another_algorithm_or_without_a_signature_is_found() -> None:
    token = jwt(claims(THEN))
    assert not Bindings().meet(token, jwt(claims(NOW), alg="HS512"), WHEN)
    assert not Bindings().meet(token, jwt(claims(NOW)).rpartition(".")[0] + ".", WHEN)


def test_the_token_of_another_user_is_found() -> None:
    """Both users' tokens are fresh, and look alike; each stands for one."""
    bindings = Bindings()
    opaque = [secrets.token_urlsafe(32) for _ in range(4)]
    assert bindings.meet(opaque[0], opaque[2], WHEN)
    assert not bindings.meet(opaque[1], opaque[2], WHEN)
    assert bindings.meet(opaque[1], opaque[3], WHEN)
    assert not bindings.meet({"me": opaque[0]}, {"me": opaque[3]}, WHEN)


def test_signed_tokens_are_compared_by_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (dangerous, lambda payload, at: django(payload, at, monkeypatch)):
        recorded = make({"uid": 1, "order": ALICE}, THEN)
        bindings = Bindings()
        assert bindings.meet({"t": recorded}, {"t": make({"uid": 1, "order": ALICE_NOW}, NOW)}, WHEN)
        assert bindings.stand(f"/verify/{recorded}") == f"/verify/{make({'uid': 1, 'order': ALICE_NOW}, NOW)}"
        for payload, at in (({"uid": 2, "order": ALICE_NOW}, NOW), ({"uid": 1, "order": ALICE_NOW}, NOW - 3600)):
            fresh = Bindings()
            assert not fresh.meet({"t": recorded}, {"t": make(payload, at)}, WHEN), (payload, at)
            assert len(fresh) == 0


def test_a_compressed_session_is_read_too() -> None:
    long = {"uid": 1, "roles": ["reader"] * 40}
    recorded, live = dangerous(long, THEN), dangerous(long, NOW)
    assert recorded.startswith(".")
    assert Bindings().meet(recorded, live, WHEN)
    assert not Bindings().meet(recorded, dangerous({**long, "uid": 2}, NOW), WHEN)


def cursor(last: str, at: int) -> str:
    return base64.b64encode(json.dumps({"after": last, "at": at}).encode()).decode()


def test_a_cursor_of_ids_and_times() -> None:
    bindings = Bindings()
    assert bindings.meet({"next": cursor(ALICE, THEN)}, {"next": cursor(ALICE_NOW, NOW)}, WHEN)
    sent = asked(bindings, f"/items?limit=2&cursor={quote(cursor(ALICE, THEN), safe='')}")
    assert sent.target == f"/items?limit=2&cursor={quote(cursor(ALICE_NOW, NOW), safe='')}"
    assert not bindings.meet({"next": cursor(BOB, THEN)}, {"next": cursor(ALICE_NOW, NOW)}, WHEN)
    assert not bindings.meet({"next": cursor(ALICE, THEN)}, {"next": cursor(BOB_NOW, NOW)}, WHEN)


def signed_url(path: str, expires: int, host: str = "") -> str:
    signature = hmac.new(b"key", f"{path}{expires}".encode(), hashlib.sha256).hexdigest()
    return f"{host}{path}?expires={expires}&sig={signature}"


@pytest.mark.parametrize("host", ["", "http://127.0.0.1:8000"])
def test_a_signed_url_is_asked_for_as_it_came(host: str) -> None:
    bindings = Bindings()
    recorded = signed_url(f"/files/{ALICE}", THEN + 600, host)
    live = signed_url(f"/files/{ALICE_NOW}", NOW + 600, host)
    assert bindings.meet({"url": recorded}, {"url": live}, WHEN)
    assert asked(bindings, recorded.removeprefix(host)).target == live.removeprefix(host)
    assert not Bindings().meet({"url": recorded}, {"url": signed_url(f"/files/{ALICE_NOW}", NOW + 6000, host)}, WHEN)


def test_a_url_that_had_expired_when_it_was_asked_for_is_asked_for_so_again() -> None:
    bindings = Bindings()
    recorded, live = (signed_url(f"/files/{one}", at + 600) for one, at in ((ALICE, THEN), (ALICE_NOW, NOW)))
    assert bindings.meet({"url": recorded}, {"url": live}, WHEN)
    for later, target in ((60, live), (601, recorded)):
        at = datetime.fromtimestamp(THEN + later, UTC).isoformat()
        case = Case(name="a", recorded=at, request=Request(method="GET", target=recorded), response=Response(status=200))
        assert Linked([case], bindings).request(case).target == target


HASHES: dict[str, Callable[[str], str]] = {
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "sha1": lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    "SHA-256 in capitals": lambda text: hashlib.sha256(text.encode()).hexdigest().upper(),
    "sha256 in base64": lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
    "sha512 in base64url": lambda text: b64(hashlib.sha512(text.encode()).digest()),
}


@pytest.mark.parametrize("how", HASHES)
def test_the_hash_of_a_bound_value_is_that_of_the_live_one(how: str) -> None:
    made = HASHES[how]
    bindings = Bindings()
    assert bindings.meet([PLAIN_R, ALICE], [PLAIN_L, ALICE_NOW], WHEN)
    assert bindings.stand({"rows": [[made(PLAIN_R), 1]]}) == {"rows": [[made(PLAIN_L), 1]]}
    assert bindings.meet_all((made(PLAIN_R),), (made(PLAIN_L),), WHEN)
    assert not bindings.meet(made(ALICE), made(BOB_NOW), WHEN)
    assert not bindings.meet(made(ALICE), made(PLAIN_L), WHEN)


def test_the_hash_within_a_key() -> None:
    made = HASHES["sha256"]
    bindings = Bindings()
    assert bindings.meet(PLAIN_R, PLAIN_L, WHEN)
    assert bindings.stand(f"session:{made(PLAIN_R)}") == f"session:{made(PLAIN_L)}"
    assert bindings.meet(f"session:{made(PLAIN_R)}", f"session:{made(PLAIN_L)}", WHEN)
    assert not bindings.meet(f"session:{made(PLAIN_R)}", f"session:{made(PLAIN_L[::-1])}", WHEN)


def test_low_entropy_values_are_never_bound() -> None:
    bindings = Bindings()
    for recorded, live in ((17, 3), ("17", "3"), ("A-17", "A-3"), ("alice", "bob"), (True, False), ("active", "deleted")):
        assert not bindings.meet({"v": recorded}, {"v": live}, WHEN)  # type: ignore[dict-item]
    assert len(bindings) == 0


def test_random_hex_that_looks_like_an_object_id_is_a_token_all_the_same() -> None:
    assert Bindings().meet("nonce:5f4a7e0c9d8b7a6f5e4d3c2b", "nonce:0aea67119d3f2c8b4a6e5d70", WHEN)
    assert Bindings().meet("6a2f91c04b7d1e3f9a8b5c6d7e8f9a0b", "f07e6d5c4b3a29181716051403f2e1d0", WHEN)


tokens = st.binary(min_size=16, max_size=24).map(bytes.hex)


@given(st.lists(st.tuples(tokens, tokens), min_size=1, max_size=8), st.randoms())
def test_the_pairs_are_one_to_one_whatever_is_met(pairs: list[tuple[str, str]], random: Any) -> None:
    bindings = Bindings()
    values = [value for pair in pairs for value in pair]
    for _ in range(20):
        bindings.meet({"a": random.choice(values), "b": [f"/x/{random.choice(values)}"]},
                      {"a": random.choice(values), "b": [f"/x/{random.choice(values)}"]}, WHEN)  # fmt: skip
        assert len(set(bindings.pairs.values())) == len(bindings.pairs)
        assert all(bindings.recorded(live) == recorded for recorded, live in bindings.pairs.items())
