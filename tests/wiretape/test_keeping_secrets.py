"""Secrets leave what is stored and come back when it is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizers import secrets as credentials
from tests.wiretape.test_casefile import whole
from tests.wiretape.trees import cases
from wiretape.case import Body, Call, Case, Message, Request, Response, Suite
from wiretape.casedump import case_text
from wiretape.errors import ConfigError, StoreError
from wiretape.secrets import ensure_home, load_secrets, protect, reveal, save_secrets, unresolved, variable
from wiretape.tree import Tree, walk

TOKEN = "tok-0123456789"
SECRETS = {"alice-token": TOKEN, "pin": "1234"}


def a_call(text: str) -> Call:
    return Call(target="main", operation=text, fields={"params": [text], text: {"deep": [text]}})


def back(call: Call, secrets: dict[str, str]) -> Call:
    return reveal(Suite(root=Path("suite"), session=(call,)), secrets).session[0]


@pytest.mark.parametrize(
    ("recorded", "stored"),
    [
        (TOKEN, "${secret:alice-token}"),
        (f"Bearer {TOKEN}", "Bearer ${secret:alice-token}"),
        (f"{TOKEN}{TOKEN}", "${secret:alice-token}${secret:alice-token}"),
        ("1234", "${secret:pin}"),
        ("not 1234", "not 1234"),  # too short to be sure
        ("${HOME} $x $", "$${HOME} $x $"),
        ("$${HOME}", "$$${HOME}"),
        ("${secret:alice-token}", "$${secret:alice-token}"),
        (f"${TOKEN}", "${$}${secret:alice-token}"),
        (f"$${TOKEN}", "${$}${$}${secret:alice-token}"),
        ("${$}", "$${$}"),
        ("${", "$${"),
    ],
)
def test_values_are_replaced_and_what_looks_like_a_reference_is_not_one(recorded: str, stored: str) -> None:
    protected = protect(a_call(recorded), SECRETS)
    assert protected == a_call(stored)
    assert back(protected, SECRETS) == a_call(recorded)


dollars = st.text(alphabet="${}:secrtab-01234$$$", max_size=12) | st.sampled_from(
    ["${secret:a}", "$${", "${$}", "${secret:", "$"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(dollars | st.sampled_from([TOKEN, "1234"]), max_size=5).map("".join), st.lists(dollars, max_size=3))
def test_what_is_protected_is_revealed_again(text: str, values: list[str]) -> None:
    secrets = {**SECRETS, **{f"s{index}": value for index, value in enumerate(values)}}
    protected = protect(a_call(text), secrets)
    assert back(protected, secrets) == a_call(text)
    assert all(value not in one for value in secrets.values() if len(value) >= 12 for one in _strings(protected))


def _strings(call: Call) -> list[str]:
    return [value for _, value in walk([call.operation, dict(call.fields)]) if isinstance(value, str)]


@settings(max_examples=100, deadline=None)
@given(cases)
def test_any_case_survives(case: Case) -> None:
    protected = protect(case, SECRETS)
    assert whole(reveal(Suite(root=Path("s"), cases=(protected,)), SECRETS).cases[0]) == whole(case)


def test_every_part_of_a_case_is_looked_at() -> None:
    headers = (("authorization", f"Bearer {TOKEN}"),)
    text: Tree = {"a": [TOKEN]}
    case = Case(
        name="x",
        request=Request(method="GET", target=f"/?t={TOKEN}", headers=headers, body=Body(kind="json", value=text)),
        response=Response(
            status=200, headers=headers, body=Body(kind="json", value=text, raw=TOKEN.encode()), reason=TOKEN, trailers=headers
        ),
        calls=(a_call(TOKEN),),
    )
    assert TOKEN not in repr(protect(case, SECRETS))
    assert TOKEN.encode() not in protect(case, SECRETS).response.body.raw
    suite = protect(Suite(root=Path(), cases=(case,), session=(a_call(TOKEN),)), SECRETS)
    assert TOKEN not in repr(suite)


def test_raw_bytes_without_a_secret_are_kept() -> None:
    body = Body(kind="json", value={"a": "${x}"}, raw=b"raw")
    case = Case(name="x", request=Request(method="GET", target="/"), response=Response(status=200, body=body))
    assert protect(case, SECRETS).response.body.raw == b"raw"


def test_missing_secrets_are_all_named_with_where_and_how() -> None:
    case = Case(name="x", request=Request(method="GET", target="/"), response=Response(status=200), path=Path("suite/x.yaml"))
    case = replace(case, calls=(a_call("${secret:alice.token} ${secret:b}"),))
    with pytest.raises(ConfigError) as error:
        reveal(Suite(root=Path("suite"), cases=(case,), session=(a_call("${secret:c}"),)), {})
    assert str(error.value) == (
        "secrets without a value: alice.token (used in suite/x.yaml), b (used in suite/x.yaml), "
        "c (used in suite/session.yaml); "
        "set WIRETAPE_SECRET_ALICE_TOKEN or put alice.token into .wiretape/secrets.yaml"
    )


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(
        ConfigError, match=r"^suite/session\.yaml: `\$\{…` stands for nothing; write \$\{secret:NAME\}, or \$\$\{ for"
    ):
        back(a_call("${HOME}"), {})


def test_secrets_are_stored_for_their_owner_only(tmp_path: Path) -> None:
    home = tmp_path / ".wiretape"
    save_secrets(home, {"a": "1", "b": "x: y"})
    save_secrets(home, {"b": "new\nline"})
    save_secrets(home, {})
    assert load_secrets(home, {}) == {"a": "1", "b": "new\nline"}
    assert (home / "secrets.yaml").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o077 == 0
    assert (home / ".gitignore").read_text() == "*\n"


def test_the_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("Alice.Token: file\nother: 12.50\n")
    environ = {"WIRETAPE_SECRET_ALICE_TOKEN": "env", "WIRETAPE_SECRET_NEW_ONE": "new", "WIRETAPE_SECRET_EMPTY": "", "PATH": "x"}
    known = load_secrets(tmp_path, environ)
    assert known == {"Alice.Token": "env", "other": "12.50", "new-one": "new"}
    assert back(a_call("${secret:new.One}"), dict(known)) == a_call("new")
    assert variable("new.One") == "WIRETAPE_SECRET_NEW_ONE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"secrets\.yaml:\d+:\d+: not readable as YAML"),
        ("- a\n", r"secrets\.yaml:1:1: must be a mapping of names to values$"),
        ("a: 1\nb: [x]\n", r"secrets\.yaml:2:4: the secret b must be a string; quote it$"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "secrets.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_secrets(tmp_path, {})


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"^cannot write .*: Not a directory$"):
        save_secrets(tmp_path / "file" / "home", {"a": "b"})


def test_a_home_keeps_the_ignore_file_it_has(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine")
    assert ensure_home(tmp_path) == tmp_path
    assert (tmp_path / ".gitignore").read_text() == "mine"


def test_references_in_a_string() -> None:
    assert list(unresolved("${secret:a} $${x} ${$} ${y} ${secret:} $z")) == [
        ("${secret:a}", "a"), ("${", ""), ("${secret:}", ""),
    ]  # fmt: skip


def test_secrets_of_parts_messages_and_trailers_are_kept_out() -> None:
    parts: Tree = [{"name": "password", "value": "hunter2-hunter2"}]
    request = Request(
        method="POST",
        target="/",
        headers=(("content-type", "multipart/form-data; boundary=x"),),
        body=Body(kind="multipart", value=parts),
        trailers=(("x-sum", "hunter2-hunter2"),),
    )
    said = Message(direction="send", kind="json", value={"token": "0123456789abcdef"})
    case = Case(name="a", request=request, response=Response(status=101), messages=(said,))
    found = credentials.find([case], [], {})
    assert sorted(found.values()) == ["0123456789abcdef", "hunter2-hunter2"]
    kept = protect(case, found)
    text, _ = case_text(kept, "a")
    assert not any(value in text for value in found.values())
    suite = Suite(root=Path(), cases=(kept,))
    assert reveal(suite, found).cases == (case,)
