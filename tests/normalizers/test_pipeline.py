"""What differs only from run to run, and, above all, what does not."""

from __future__ import annotations

import base64
import hashlib
import json
import string
import uuid
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS, explain, volatile_header
from wiretape.tree import Number, Tree

# Recorded on 2026-11-20T10:00:00Z, replayed four days, one hour and three seconds later.
WHEN = When(recorded=1_795_168_800.0, live=1_795_518_003.0)


def hexadecimal(text: str, size: int = 32) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:size]


def uuid4(text: str) -> str:
    return str(uuid.UUID(hexadecimal(text), version=4))


# Drawn once, so that a test's name is the same in every process.
RANDOM, OTHER_RANDOM = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
TIMED = "c232ab00-9414-11ec-b3c8-9f6bdeced846"  # a UUID of version 1
HEX, OTHER_HEX = "9f86d081884c7d659a2feaa0c55ad015", "b94d27b9934d3e08a52e52d7da7dabfa"


def jwt(**claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


@pytest.mark.parametrize(
    ("recorded", "live", "name"),
    [
        ("2026-11-20T10:00:00.123Z", "2026-11-24T11:00:04Z", "timestamp"),
        ("2026-11-20 10:00:00.123+00", "2026-11-24 11:00:04.5+00", "timestamp"),
        ("2026-11-20T12:00:00+02:00", "2026-11-24T13:00:03+02:00", "timestamp"),
        ("2026-11-20T11:00:00", "2026-11-24T12:00:03", "timestamp"),  # a session that ends in an hour
        ("Fri, 20 Nov 2026 10:00:00 GMT", "Tue, 24 Nov 2026 11:00:03 GMT", "timestamp"),
        ("2026-11-20", "2026-11-24", "date"),
        ("2026-12-04", "2026-12-08", "date"),
        (1_795_168_800, 1_795_518_004, "epoch"),
        (Number("1795168800.25"), Number("1795518003.5"), "epoch"),
        (1_795_168_800_123, 1_795_518_003_123, "epoch"),
        ("1795168800", "1795518003", "epoch"),
        (uuid4("a"), uuid4("b"), "uuid"),
        ("01JD4M8Q0G3V5X7Y9ZABCDEFGH", "01JDG0T7P8QRSTVWXYZ0123456", "ulid"),
        ("67400a10f1e2d3c4b5a69788", "6743fbb0a1b2c3d4e5f60718", "objectid"),
        (jwt(sub="alice", iat=1_795_168_800, exp=1_795_172_400), jwt(sub="alice", iat=1_795_518_003, exp=1_795_521_603), "jwt"),
        (hexadecimal("a"), hexadecimal("b"), "token"),
        (hexadecimal("a", 64), hexadecimal("b", 64), "token"),
        ("kX9vQ2mZ7rT4wB1nL6pJ", "aB3dE5fG7hI9jK1lM3nO", "token"),
        ("tpVHZWqsdkfPbQmcXoYnGg==", "RZgxKdNpWqLmTbVcHsJfYw==", "token"),  # salts without one digit
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk_test_9fG28KmPzbXEcvnuR5wle3qa", "token"),
        ("kX9vQ2mZ7rT4wB1nL6pJ", "MKwjQdvvgxndCYjbprW-", "token"),  # no digit in it, as happens
        ("MKwjQdvvgxndCYjbprW-", "kX9vQ2mZ7rT4wB1nL6pJ", "token"),
        ("3f2a9c81d04be756", "abcdefabcdefabc1", "token"),
        ("$2b$12$" + "a.B/3" * 10 + "xyz", "$2b$12$" + "Z9/.q" * 10 + "abc", "passwordhash"),
        (f"pbkdf2_sha256$600000$Sa1tSa1t${'aB3/' * 11}", f"pbkdf2_sha256$600000$0therSaL${'xY7+' * 11}", "passwordhash"),
        (f"scrypt:32768:8:1$Sa1tSa1t${'ab12' * 32}", f"scrypt:32768:8:1$0therSaL${'cd34' * 32}", "passwordhash"),
        (
            f"$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ${'aB3/' * 10}",
            f"$argon2id$v=19$m=65536,t=3,p=4$b3RoZXJzYWw${'xY7+' * 10}",
            "passwordhash",
        ),
    ],
)
def test_differs_only_from_run_to_run(recorded: Tree, live: Tree, name: str) -> None:
    found = explain(recorded, live, WHEN)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-24T12:00:03Z"),  # an hour later than it should be
        ("2026-11-20T10:00:00Z", "2026-11-24 11:00:03Z"),  # written otherwise
        ("2026-11-20T10:00:00Z", "2026-11-24T11:00:03+00:00"),
        ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),  # no clock at all
        ("2026-11-20T10:00:00Z", "2026-13-24T11:00:03Z"),  # not a date any more
        ("2026-11-20T10:00:00Z", 1_795_518_003),
        ("2026-11-20T10:00:00Z", ""),
        ("2026-11-20T10:00:00Z", None),
        ("2026-12-04", "2026-12-09"),  # due a day later
        ("1999-01-01", "1999-01-02"),
        (1_795_168_800, "1795518003"),
        (1_795_168_800, 1_795_518_003_000),
        (1_795_168_800, 1_795_600_000),
        (1, 2),
        (True, 1),
        ("A1", "B2"),
        (uuid4("a"), uuid4("b").upper()),
        (uuid4("a"), "1f0c9a3e-7b1d-11f0-8de9-0242ac120002"),
        (uuid4("a"), "not-a-uuid"),
        ("01JD4M8Q0G3V5X7Y9ZABCDEFGH", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),  # born in the year 10889
        (jwt(sub="alice", iat=1_795_168_800), jwt(sub="mallory", iat=1_795_518_003)),
        (jwt(sub="alice", exp=1_795_172_400), jwt(sub="alice", exp=1_795_604_403)),  # lives a day instead of an hour
        (jwt(sub="alice"), jwt(sub="alice", role="admin")),
        (hexadecimal("a"), hexadecimal("b", 64)),
        (hexadecimal("a"), hexadecimal("b").upper()),
        (f"pbkdf2_sha256$600000$Sa1tSa1t${'aB3/' * 11}", f"pbkdf2_sha256$1000$0therSaL${'xY7+' * 11}"),  # a cheaper hash
        (f"pbkdf2_sha256$600000$Sa1tSa1t${'aB3/' * 11}", f"pbkdf2_sha1$600000$0therSaL${'xY7+' * 11}"),
        (f"scrypt$Sa1tSa1t${'aB3/' * 11}", "correct horse battery"),  # not hashed any more
        ("order-service-production", "order-service-development"),
        ("internal server error at 12", "internal server error at 13"),
        ("PENDING_CONFIRMATION_2", "PENDING_CONFIRMATION_3"),
        ("https://example.com/orders/17", "https://example.com/orders/18"),
        ("customerAccountNumber", "supplierBillingNumber"),
        ("/orders/4eC39HqLyjWDarjtT1zdp7dc", "/orders/9fG28KmPzbXEcvnuR5wle3qa"),  # parts of a text are for the caller
        ("2026-11-20/report.csv", "2026-11-21/report.csv"),
        ("OrderServiceV2Handler", "OrderServiceV3Handler"),
        ("SomeVeryLongCamelCaseName", "OtherVeryLongCamelCaseNam"),
        ("kX9vQ2mZ7rT4wB1nL6pJ", "kX9vQ2mZ7rT4wB1nL6p"),  # shorter
        ("kX9vQ2mZ7rT4wB1nL6pJ", "cutting-board-number"),
        ("Bamboo-Cutting-Board-42", "Bamboo-Cutting-Board-43"),
        ([1], [2]),
        ({"a": 1}, {"a": 2}),
    ],
)
def test_is_a_difference(recorded: Tree, live: Tree) -> None:
    assert explain(recorded, live, WHEN) is None


SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)


@given(SCALARS, SCALARS)
def test_values_of_different_types_never_agree_unasked(recorded: Tree, live: Tree) -> None:
    if type(recorded) is not type(live):
        assert explain(recorded, live, WHEN) is None


@given(SCALARS)
def test_every_value_agrees_with_itself_under_each_normalizer_that_recognises_it(value: Tree) -> None:
    same_time = When(recorded=1e9, live=1e9)
    for each in NORMALIZERS.values():
        assert not each.recognises(value) or each.agrees(value, value, same_time)


@given(SCALARS, SCALARS)
def test_none_agrees_on_what_it_does_not_recognise(recorded: Tree, live: Tree) -> None:
    for each in NORMALIZERS.values():
        if each.agrees(recorded, live, WHEN):
            assert each.recognises(recorded)
            assert each.recognises(live)


@given(
    st.sampled_from(["0123456789abcdef", "abcdefghijklmnopqrstuvwxyz234567", string.ascii_letters + string.digits + "-_"]),
    st.integers(26, 64),
    st.integers(0, 10**9),
)
@example("abcdefghijklmnopqrstuvwxyz234567", 40, 12373)  # a long run of letters, then a digit and a letter
def test_tokens_drawn_at_random_agree(letters: str, size: int, seed: int) -> None:
    random = Random(seed)
    recorded, live = ("".join(random.choice(letters) for _ in range(size)) for _ in range(2))
    assert explain(recorded, live, WHEN) is not None


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ("c6cccd38d559a2b7757b71d7", "0aea67b900cc1e4599aa3c5d"),  # only the first could be an ObjectId
        ("5f3d2c1b4a9811eebf7e0242ac120002", "c2a6f9d0b3e74a1c8d5f6e7a9b0c1d2e"),  # a UUID of version 1 without hyphens
    ],
)
def test_what_is_drawn_at_random_may_look_like_an_id_that_tells_a_time(recorded: str, live: str) -> None:
    assert explain(recorded, live, WHEN) is not None
    assert explain(live, recorded, WHEN) is not None


def test_another_version_of_uuid_is_a_difference() -> None:
    assert explain("3f2b8c1e-7d4a-4b6f-9a1c-2e5d8f7b6a90", "0190a5b2-7d4a-7b6f-9a1c-2e5d8f7b6a90", WHEN) is None


def test_kinds_asked_for_by_a_rule() -> None:
    assert NORMALIZERS["any"].agrees(1, {"a": None}, WHEN)
    assert NORMALIZERS["number"].agrees(1, Number("2.5"), WHEN)
    assert not NORMALIZERS["integer"].agrees(1, Number("2.5"), WHEN)
    assert not NORMALIZERS["string"].agrees("a", 1, WHEN)
    assert not NORMALIZERS["integer"].recognises(True)


@pytest.mark.parametrize(
    "name", ["Date", "SERVER", "Connection", "X-Request-Id", "x-correlation-id", "traceparent", "X-B3-TraceId"]
)
def test_volatile_headers(name: str) -> None:
    assert volatile_header(name)


@pytest.mark.parametrize(
    "name", ["Content-Type", "Location", "ETag", "X-Total-Count", "Set-Cookie", "Cache-Control", "X-Order-Id"]
)
def test_headers_that_count(name: str) -> None:
    assert not volatile_header(name)
