"""Links: read, resolved, checked and written back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import links
from wiretape.case import EMPTY, Body, Case, Link, Request, Response, Suite
from wiretape.casedump import case_text
from wiretape.errors import CaseFormatError
from wiretape.lint import lint
from wiretape.secrets import protect, reveal
from wiretape.store import add_to_suite, load_case, load_suite, rewrite

JSON = (("content-type", "application/json"),)
LOGIN = """\
wiretape: 1
name: post-login
recorded: 2026-11-20T10:00:00Z
request: {method: POST, path: /login}
response:
  status: 200
  headers:
    content-type: application/json
    Location: https://shop.example/orders/17/lines?code=a%2Bb%2Fc%3D&state=x&state=y
    set-cookie: [theme=dark, "session=s3cr3t; Path=/; HttpOnly"]
    x-many: [one, two]
  body: {token: "a+b/c=", id: 17, price: 12.50, ok: true, none: null, list: [1], "odd key": odd, next: /orders?page=2}
"""
PAGE = """\
wiretape: 1
name: get-page
recorded: 2026-11-20T10:00:01Z
request: {method: GET, path: /page}
response:
  status: 200
  headers: {content-type: text/html}
  body: |
    <html><head><meta name="csrf-token" content="m3ta"></head>
    <body><form><input name="csrf" value="f13ld"><p>hi</p></form></body></html>
"""


def project(root: Path, *requests: str, login: str = LOGIN) -> Path:
    """A suite with a login, a page, and a case for each request (what stands behind `request:`)."""
    root.joinpath("post-login.yaml").write_text(login)
    root.joinpath("get-page.yaml").write_text(PAGE)
    for number, request in enumerate(requests):
        text = f"wiretape: 1\nrecorded: 2026-11-20T10:00:1{number}Z\nrequest: {request}\nresponse: {{status: 200}}\n"
        root.joinpath(f"case-{number}.yaml").write_text(text)
    return root


def loaded(root: Path, request: str) -> Request:
    return load_suite(project(root, request)).cases[-1].request


@pytest.mark.parametrize(
    ("link", "value"),
    [
        ("post-login.response.body.token", "a+b/c="),
        ("post-login.response.body.id", "17"),
        ("post-login.response.body.price", "12.50"),
        ("post-login.response.body.ok", "true"),
        ("post-login.response.body.none", "null"),
        ("post-login.response.body.list[0]", "1"),
        ('post-login.response.body["odd key"]', "odd"),
        ('["post-login"].response.body.id', "17"),
        ("post-login.response.cookies.session", "s3cr3t"),
        ("post-login.response.cookies.theme", "dark"),
        ("post-login.response.headers.location", "https://shop.example/orders/17/lines?code=a%2Bb%2Fc%3D&state=x&state=y"),
        ("post-login.response.headers.Location.target", "/orders/17/lines?code=a%2Bb%2Fc%3D&state=x&state=y"),
        ("post-login.response.headers.LOCATION.path[1]", "17"),
        ("post-login.response.headers.location.query.code", "a+b/c="),
        ("post-login.response.headers.location.query.state", "x"),
        ("post-login.response.headers.x-many[1]", "two"),
        ("post-login.response.body.next.query.page", "2"),
        ("get-page.response.fields.csrf", "f13ld"),
        ('get-page.response.meta["csrf-token"]', "m3ta"),
        ("get-page.response.meta.csrf-token", "m3ta"),
        ("get-page.response.body.html.body.form.p", "hi"),
    ],
)
def test_a_link_stands_for_what_was_recorded_there(tmp_path: Path, link: str, value: str) -> None:
    quoted = json.dumps(f"<${{{link}}}>")
    request = loaded(tmp_path, f"{{method: GET, path: /, headers: {{x: {quoted}}}}}")
    assert request.headers == (("x", f"<{value}>"),)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/a/${post-login.response.body.token}/b", "/a/a%2Bb%2Fc%3D/b"),
        ("/a?t=${post-login.response.body.token}&u=1", "/a?t=a%2Bb%2Fc%3D&u=1"),
        ("/a?t=${raw:post-login.response.body.token}", "/a?t=a+b/c="),
        ("${post-login.response.body.next}", "/orders?page=2"),
        ("${post-login.response.body.next}&t=${post-login.response.body.token}", "/orders?page=2&t=a%2Bb%2Fc%3D"),
        ("${post-login.response.headers.location.target}", "/orders/17/lines?code=a%2Bb%2Fc%3D&state=x&state=y"),
        ("/a/$${post-login.response.body.token}", "/a/$${post-login.response.body.token}"),
        ("/a/${$}${post-login.response.body.id}", "/a/${$}17"),
    ],
)
def test_links_in_a_path_are_encoded_as_paths_are(tmp_path: Path, path: str, target: str) -> None:
    assert loaded(tmp_path, f"{{method: GET, path: {json.dumps(path)}}}").target == target


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('body_json: {id: "${post-login.response.body.id}"}', {"id": 17}),
        ('body_json: ["${post-login.response.body.ok}", "is ${post-login.response.body.ok}"]', [True, "is true"]),
        ('body_form: {id: "${post-login.response.body.id}"}', [["id", "17"]]),
        ('body_text: "id=${post-login.response.body.id}"', "id=17"),
        ('body_multipart: [{name: a, value: "${post-login.response.body.id}"}]', [{"name": "a", "value": "17"}]),
    ],
)
def test_a_whole_value_of_a_tree_keeps_its_type(tmp_path: Path, body: str, value: Any) -> None:
    assert loaded(tmp_path, f"{{method: POST, path: /, {body}}}").body.value == value


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("${x}", "`${x}` stands for nothing; write ${CASE.response.PLACE}, ${secret:NAME}, or $${ for the text ${"),
        ("${post-login}", "`${post-login}` stands for nothing; write ${CASE.response.PLACE}, "),
        ("${post-login.request.body.x}", "names no response: what follows the case is `response`"),
        ("${v1.login.response.body.x}", "(a name with dots is quoted: `${["),
        ("${post-login.response}", "unknown part of a response ''; known: headers, cookies, body, "),
        ("${post-login.response.bodi.x}", "unknown part of a response 'bodi'; did you mean body?"),
        ("${post-login.response.body[].id}", "names many places; a link names one"),
        ("${post-login.response.**}", "names many places; a link names one"),
        ("${post-logon.response.body.id}", "no case is called post-logon; did you mean post-login?"),
        ("${nothing-like-it.response.body.id}", "no case is called nothing-like-it"),
        ("${post-login.response.body.it}", "post-login was answered nothing at response.body.it"),
        ("${post-login.response.cookies.sessions}", "post-login was answered nothing at response.cookies.sessions"),
        ("${post-login.response.headers.location.path[9]}", "was answered nothing at response.headers.location.path[9]"),
        ("${post-login.response.body.token.port}", "was answered nothing at response.body.token.port"),
        ("${post-login.response.body.list}", "names more than one value; a link stands for one value"),
        ("${case-0.response.body.id}", "links to itself; link to an earlier one"),
        ("${case-1.response.body.id}", "links to a case that comes later; link to an earlier one"),
    ],
)
def test_links_that_stand_for_nothing(tmp_path: Path, written: str, reason: str) -> None:
    request = "\n  method: GET\n  path: /\n  headers:\n    a: b\n    x: " + json.dumps(f"Bearer {written}")
    project(tmp_path, request, "{method: GET, path: /}")
    with pytest.raises(CaseFormatError) as caught:
        load_suite(tmp_path)
    assert f"{tmp_path / 'case-0.yaml'}:8:8: " in str(caught.value)
    assert reason in str(caught.value)
    assert [str(one) for one in lint(tmp_path, ())] == [f"{tmp_path / 'case-0.yaml'}:8:8: {caught.value.reason}"]


def test_all_broken_links_are_linted_each_where_it_stands(tmp_path: Path) -> None:
    project(
        tmp_path, '{method: GET, path: "/${a.response.body.b}"}', '{method: GET, path: /, headers: {x: "${c.response.body.d}"}}'
    )
    found = [(one.file.name, one.line, one.column) for one in lint(tmp_path, ())]
    assert found == [("case-0.yaml", 3, 30), ("case-1.yaml", 3, 46)]


def test_links_stand_in_requests_only(tmp_path: Path) -> None:
    project(tmp_path)
    text = PAGE.replace("get-page", "other").replace("<p>hi</p>", "<p>${post-login.response.body.id}</p>")
    tmp_path.joinpath("other.yaml").write_text(text)
    (problem,) = lint(tmp_path, ())
    assert problem.message == "`${post-login.response.body.id}`: links stand in requests only; write `$${` for the text `${`"


def test_producers_and_prerequisites(tmp_path: Path) -> None:
    link = "{method: GET, path: /, headers: {x: '${%s}', y: '${%s}'}}"
    project(
        tmp_path,
        link % ("post-login.response.body.id", "get-page.response.fields.csrf"),
        link % ("case-0.response.status", "case-0.response.status"),
        "{method: GET, path: /}",
    )
    cases = load_suite(tmp_path).cases
    by_name = {case.name: case for case in cases}
    assert links.producers(by_name["case-0"]) == ("post-login", "get-page")
    assert links.producers(by_name["case-1"]) == ("case-0",)
    assert links.producers(by_name["case-2"]) == ()
    assert links.prerequisites(cases, [by_name["case-1"]]) == {"case-0": "case-1", "post-login": "case-0", "get-page": "case-0"}
    assert links.prerequisites(cases, cases) == {}


def test_accepting_leaves_links_and_comments_alone(tmp_path: Path) -> None:
    project(tmp_path, "\n  method: GET\n  path: /orders/${post-login.response.body.id}  # the order")
    file = tmp_path / "case-0.yaml"
    named = file.read_text().replace("wiretape: 1\n", "wiretape: 1\nname: case-0\n")
    for number, case in enumerate((load_case(file), load_suite(tmp_path).cases[-1])):
        rewrite(file, replace(case, response=replace(case.response, status=201 + number)))
        assert file.read_text() == named.replace("{status: 200}", f"{{status: {201 + number}}}")


def test_secrets_and_links(tmp_path: Path) -> None:
    login = LOGIN.replace('token: "a+b/c="', 'token: "${secret:tok}"')
    project(
        tmp_path,
        '{method: GET, path: "/a?t=${post-login.response.body.token}&k=${secret:key}",'
        ' headers: {authorization: "Bearer ${post-login.response.body.token}"}}',
        login=login,
    )
    stored = load_suite(tmp_path)
    assert stored.cases[-1].request.headers == (("authorization", "Bearer ${secret:tok}"),)
    plain = reveal(stored, {"tok": "x+/y=", "key": "k"}).cases[-1]
    assert plain.request.headers == (("authorization", "Bearer x+/y="),)
    assert plain.request.target == "/a?t=x%2B%2Fy%3D&k=k"


def test_a_case_that_gets_another_name_is_linked_to_by_it(tmp_path: Path) -> None:
    first = Case(name="post-login", recorded="1", request=Request(method="POST", target="/"), response=answer({"id": 17}))
    linked = Request(method="GET", target="/orders/17")
    second = Case(
        name="get",
        recorded="2",
        request=linked,
        response=Response(status=200),
        links=(links.Linked(place=("target",), pieces=("/orders/", links.link_to("post-login", ("body", "id")))),),
    )
    add_to_suite(tmp_path, [first, second], (), {})
    add_to_suite(tmp_path, [first, second], (), {})
    assert "/orders/${post-login-2.response.body.id}" in (tmp_path / "get-2.yaml").read_text()
    assert {case.request.target for case in load_suite(tmp_path).cases} == {"/", "/orders/17"}


def answer(body: Any) -> Response:
    return Response(status=200, headers=JSON, body=Body(kind="json", value=body))


names = st.sampled_from(["post-login", "a.b", "secret:x", "raw:y", 'quo"te', "{odd}", "back\\slash", "é"])
words = st.text(alphabet="ab ${}$\"'%/?=&+é", max_size=8)
values = st.one_of(words.filter(bool), st.integers(), st.booleans(), st.none())
keys = st.sampled_from(["id", "odd key", "a.b", "[0]", "*", 'quo"te', "x}y", "{z"])


@given(names, st.dictionaries(keys, values, min_size=1, max_size=4), st.data())
def test_what_is_written_is_read_back(name: str, body: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(body)))
    link = links.link_to(name, ("body", key))
    assert links.parse(link.text) == link
    before, after = data.draw(words), data.draw(words)
    pieces = tuple(piece for piece in (before, link, after) if piece)
    maker = Case(name=name, recorded="1", request=Request(method="POST", target="/"), response=answer(body))
    typed = Body(kind="json", value={"whole": body[key], "part": f"<{before}{links.plain(body[key])}{after}"})
    case = Case(
        name="second",
        recorded="2",
        request=Request(method="GET", target="/", headers=(("x", before + links.plain(body[key]) + after),), body=typed),
        response=Response(status=200),
        links=(
            links.Linked(place=("headers", 0), pieces=pieces),
            links.Linked(place=("body", "whole"), pieces=(link,)),
            links.Linked(place=("body", "part"), pieces=("<" + before, link, *((after,) if after else ()))),
        ),
    )
    secrets = {"s": body[key]} if isinstance(body[key], str) and "$" not in body[key] else {}
    stored = [protect(one, secrets) for one in (maker, case)]
    read = links.resolve([replace(one, request=links.written(one.request, one.links), links=()) for one in stored])
    assert read.broken == ()
    found = reveal(Suite(root=Path(), cases=read.cases), secrets).cases[1]
    assert found.request == case.request
    assert links.producers(found) == (name,)


@given(st.text(alphabet='${}:."[]ab\\ ', max_size=30))
def test_any_text_is_a_link_or_none(text: str) -> None:
    case = Case(name="a", request=Request(method="GET", target="/", headers=(("x", text),)), response=Response(status=200))
    read = links.resolve([case])
    assert all(isinstance(one.reason, str) for one in read.broken)
    assert read.broken or all(one.links == () for one in read.cases)


def test_the_text_of_a_case_with_links_is_stable() -> None:
    link = Link(text="a.response.body.id", case="a", place=("body", "id"))
    case = Case(
        name="b",
        request=Request(method="GET", target="/x/1", body=EMPTY),
        response=Response(status=200),
        links=(links.Linked(place=("target",), pieces=("/x/", link)),),
    )
    assert "path: /x/${a.response.body.id}\n" in case_text(case, "b")[0]
