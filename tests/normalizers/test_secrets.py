"""Credentials are found wherever they stand; ordinary values are left alone."""

from __future__ import annotations

import pytest

from normalizers.secrets import find
from wiretape.case import Body, Call, Case, Headers, Request, Response
from wiretape.tree import Tree

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
BCRYPT = "$2b$12$KIXQ4S5vG7m3yH1Zq8rW9uJ2nE6tB0pL4cD8fA7sG3hK5jM1oN9xy"


def case(
    *, request: Headers = (), response: Headers = (), sent: Body | None = None, got: Tree = None, calls: tuple[Call, ...] = (),
    target: str = "/login",
) -> Case:  # fmt: skip
    return Case(
        name="post-login",
        request=Request(method="POST", target=target, headers=request, body=sent or Body()),
        response=Response(status=200, headers=response, body=Body(kind="json", value=got)),
        calls=calls,
    )


def call(operation: str, **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields=fields)


@pytest.mark.parametrize(
    ("found_in", "expected"),
    [
        (case(request=(("Authorization", "Bearer abcdef"),)), {"post-login-authorization": "abcdef"}),
        (case(request=(("X-Api-Key", "k-123456"),)), {"post-login-x-api-key": "k-123456"}),
        (case(request=(("Cookie", "theme=dark; session=s3cr3t"),)),
         {"post-login-cookie-session": "s3cr3t"}),
        (case(request=(("Cookie", "theme=dark; x=kX9vQ2mZ7rT4wB1nL6pJ"),)), {"post-login-cookie-x": "kX9vQ2mZ7rT4wB1nL6pJ"}),
        (case(response=(("Set-Cookie", "sid=abc123; Path=/; HttpOnly"),)), {"post-login-cookie-sid": "abc123"}),
        (case(sent=Body(kind="json", value={"user": "alice", "password": "wonderland"})),
         {"post-login-password": "wonderland"}),
        (case(sent=Body(kind="form", value=[["user", "alice"], ["newPassword", "rabbit"]])),
         {"post-login-newpassword": "rabbit"}),
        (case(got={"data": {"accessToken": "t0k3n"}, "id": "17"}), {"post-login-accesstoken": "t0k3n"}),
        (case(target="/reset?api_key=xyz987&page=2"), {"post-login-api-key": "xyz987"}),
        (case(got={"note": f"use {JWT} now"}), {"post-login-note": JWT}),
        (case(got={"dsn": "postgres://app:hunter22@db/app"}), {"post-login-dsn-url-password": "hunter22"}),
        (case(calls=(call("SELECT p FROM u", columns={"id": "int4", "password_hash": "text"}, rows=[[1, BCRYPT]]),)),
         {"post-login-password-hash": BCRYPT}),
        (case(calls=(call("INSERT INTO s (user_id, token) VALUES ($1, $2)", params=["1", "abcd1234"]),)),
         {"post-login-token": "abcd1234"}),
        (case(calls=(call("SELECT 1 FROM s WHERE s.token = $1", params=["abcd1234"]),)), {"post-login-token": "abcd1234"}),
        (case(calls=(call(f"UPDATE u SET h = '{BCRYPT}'"),)), {"post-login-sql": BCRYPT}),
    ],
)  # fmt: skip
def test_found(found_in: Case, expected: dict[str, str]) -> None:
    assert find([found_in], [], {}) == expected


@pytest.mark.parametrize(
    "plain",
    [
        case(request=(("Content-Type", "application/json"), ("X-Token-Count", "3"))),
        case(got={"passenger": "alice", "tokens_used": "1234", "spinner": "fast", "author": "Carroll", "password": None}),
        case(got={"password": "no"}),
        case(target="/orders?page=2&sort=author"),
        case(got={"url": "https://example.com/a:b@c", "at": "2026-11-20T10:00:00Z"}),
        case(calls=(call("SELECT name FROM t WHERE id = $1", params=["abcdef"], columns={"name": "text"}, rows=[["bob"]]),)),
    ],
)
def test_left_alone(plain: Case) -> None:
    assert find([plain], [], {}) == {}


def test_one_name_per_value_and_one_value_per_name() -> None:
    first = case(sent=Body(kind="json", value={"password": "wonderland"}), got={"token": "aaaa1111"})
    second = case(sent=Body(kind="json", value={"password": "looking-glass"}), request=(("Authorization", "Bearer aaaa1111"),))
    assert find([first, second], [], {}) == {
        "post-login-password": "wonderland",
        "post-login-token": "aaaa1111",
        "post-login-password-2": "looking-glass",
    }


def test_names_of_earlier_recordings_stay() -> None:
    again = case(sent=Body(kind="json", value={"password": "wonderland", "token": "new-one"}))
    taken = {"alice-password": "wonderland", "post-login-token": "old-one"}
    assert find([again], [], taken) == {"alice-password": "wonderland", "post-login-token-2": "new-one"}


def test_session_calls_count_too() -> None:
    assert find([], [call("SELECT set_config('app.key', $1)", params=[JWT])], {}) == {"session-params": JWT}
