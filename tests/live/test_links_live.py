"""Links, the whole program: a service that counts ids and makes tokens in its memory is replayed, counting from elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]

APP = """
import json, os, secrets, sys
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

first = int(os.environ.get("FIRST", "17"))
sessions, tokens, csrf, orders = {}, {}, {}, {}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        if parts == ["page"]:
            user = self.by_cookie()
            field = csrf[user] = secrets.token_urlsafe(24)
            page = f'<form><input type="hidden" name="csrf" value="{field}"><p>{user}</p></form>'
            return self.answer(200, page, "text/html") if user else self.answer(403, {"error": "who?"})
        user = self.by_token()
        if not user:
            return self.answer(401, {"error": "who?"})
        if parts == ["orders"]:
            return self.answer(200, {"items": [order for order in orders.values() if order["user"] == user]})
        order = orders.get(int(parts[1]))
        return self.answer(200, order) if order and order["user"] == user else self.answer(404, {"error": "none"})

    def do_POST(self):
        data = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/login":
            user = json.loads(data)["user"]
            token, session = secrets.token_hex(20), secrets.token_urlsafe(24)
            tokens[token], sessions[session] = user, user
            return self.answer(200, {"access": token, "user": user}, cookie=f"session={session}; Path=/; HttpOnly")
        if self.path == "/notes":
            user, form = self.by_cookie(), parse_qs(data.decode())
            good = user and form.get("csrf") == [csrf.get(user)]
            return self.answer(201, {"text": form["text"][0]}) if good else self.answer(403, {"error": "forged"})
        user = self.by_token()
        if not user:
            return self.answer(401, {"error": "who?"})
        given = json.loads(data)
        if self.path == "/payments":
            order = orders.get(given["order_id"])
            return self.answer(201, {"order_id": given["order_id"], "qty": order["qty"]}) if order else self.answer(409, {})
        number = first + len(orders)
        orders[number] = {"id": number, "sku": given["sku"], "qty": given["qty"], "user": user}
        self.answer(201, {"id": number, "qty": given["qty"]}, location=f"/orders/{number}")

    def by_token(self):
        return tokens.get(self.headers.get("authorization", "").removeprefix("Bearer "))

    def by_cookie(self):
        session = SimpleCookie(self.headers.get("cookie", "")).get("session")
        return session and sessions.get(session.value)

    def answer(self, status, said, kind="application/json", cookie="", location=""):
        body = (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if cookie:
            self.send_header("set-cookie", cookie)
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args): pass
    def address_string(self): return ""

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

CLIENT = """
import os, re, httpx

with httpx.Client(base_url=os.environ["WIRETAPE_URL"], trust_env=False, follow_redirects=False) as client:
    for user, amount in (("alice", 17), ("bob", 3)):
        client.cookies.clear()
        login = client.post("/login", json={"user": user})
        bearer = {"authorization": "Bearer " + login.json()["access"]}
        field = re.search('value="([^"]+)"', client.get("/page").text)[1]
        client.post("/notes", data={"csrf": field, "text": "hello there"})
        made = client.post("/orders", json={"sku": "LAMP", "qty": amount}, headers=bearer).json()["id"]
        client.get(f"/orders/{made}", headers=bearer)
        client.post("/payments", json={"order_id": made}, headers=bearer)
        client.get("/orders", headers=bearer)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with the service, its client and its suite."""

    folder: Path
    port: int
    front: int

    def run(self, *words: str, first: int = 17) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wiretape", *words], cwd=self.folder, text=True, check=False, timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT), "FIRST": str(first)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def record(self, *words: str) -> str:
        drive = f"{sys.executable} client.py"
        service = f"http://127.0.0.1:{self.port}@{self.front}"
        done = self.run("record", "--service", service, "--drive", drive, *words, "--", *self.command("app.py"))
        assert done.returncode == 0, done.stdout
        return done.stdout

    def replay(self, *words: str, first: int = 17, build: str = "app.py") -> tuple[int, dict[str, Any], str]:
        report = self.folder / "report.jsonl"
        report.unlink(missing_ok=True)
        service = f"http://127.0.0.1:{self.port}"
        done = self.run(
            "replay", "--service", service, "--report", "json:report.jsonl", *words, "--", *self.command(build), first=first
        )
        lines = report.read_text().splitlines() if report.exists() else []
        events = [json.loads(line) for line in lines]
        return done.returncode, {event["case"]: event for event in events if event["event"] == "case"}, done.stdout

    def command(self, build: str) -> list[str]:
        return [sys.executable, build, str(self.port)]

    def case(self, name: str) -> dict[str, Any]:
        read = yaml.safe_load(self.file(name).read_text())
        assert isinstance(read, dict)
        return read

    def file(self, name: str) -> Path:
        return self.folder / "suite" / f"{name}.yaml"

    def build(self, old: str, new: str) -> str:
        """Another build, one thing of which is different."""
        assert APP.count(old) == 1
        (self.folder / "other.py").write_text(APP.replace(old, new))
        return "other.py"


def failed(cases: dict[str, Any]) -> dict[str, list[str]]:
    return {
        name: [change["path"] for change in event["changes"]] for name, event in cases.items() if event["verdict"] != "passed"
    }


def make(folder: Path, free_port: Callable[[], int]) -> Place:
    (folder / "app.py").write_text(APP)
    (folder / "client.py").write_text(CLIENT)
    return Place(folder=folder, port=free_port(), front=free_port())


@pytest.fixture
def place(tmp_path: Path, free_port: Callable[[], int]) -> Place:
    made = make(tmp_path, free_port)
    made.record()
    return made


def test_recorded_requests_link_to_what_they_took_and_hold_no_secret(place: Place) -> None:
    order = place.case("post-orders-201")["request"]
    assert order["headers"]["authorization"] == "Bearer ${post-login-200.response.body.access}"
    assert place.case("get-page-200")["request"]["headers"]["Cookie"] == "session=${post-login-200.response.cookies.session}"
    assert place.case("post-notes-201")["request"]["body"]["csrf"] == "${get-page-200.response.fields.csrf}"
    assert place.case("get-orders-17-200")["request"]["path"] == "/orders/${post-orders-201.response.body.id}"
    assert place.case("get-orders-18-200")["request"]["path"] == "/orders/${post-orders-201-2.response.body.id}"
    assert place.case("post-payments-201")["request"]["body"] == {"order_id": "${post-orders-201.response.body.id}"}
    assert place.case("post-orders-201")["request"]["body"]["qty"] == 17
    assert place.case("post-login-200")["response"]["body"]["access"] == "${secret:post-login-200-access}"
    assert place.run("lint").returncode == 0


@pytest.mark.parametrize("first", [17, 3, 16, 18], ids=lambda first: f"counting from {first}")
def test_a_build_that_counts_from_elsewhere_passes(place: Place, first: int) -> None:
    code, cases, said = place.replay(first=first)
    assert failed(cases) == {}, said
    assert (code, len(cases)) == (0, 14)


def test_without_links_the_same_build_is_told_from_the_recorded_one(tmp_path: Path, free_port: Callable[[], int]) -> None:
    place = make(tmp_path, free_port)
    place.record("--no-links")
    assert place.case("get-orders-17-200")["request"]["path"] == "/orders/17"
    assert place.replay()[0] == 0
    code, cases, _ = place.replay(first=3)
    assert code == 1
    assert failed(cases)["post-orders-201"] == ["response.headers.location", "response.body.id"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"qty": given["qty"]}, location', '"qty": given["qty"] + 1}, location', {"post-orders-201": ["response.body.qty"]}),
        (
            '{"id": number, "qty"',
            '{"id": number + 1, "qty"',
            {"get-orders-17-200": ["response.status"], "post-orders-201": ["response.body.id"]},
        ),
        ('{"id": number, "sku"', '{"id": number + 1, "sku"', {"get-orders-17-200": ["response.body.id"]}),
        (
            "token, session = secrets.token_hex(20)",
            "token, session = next(iter(tokens), secrets.token_hex(20))",
            {"post-login-200-2": ["response.body.access"]},
        ),
        ('if order["user"] == user]', "]", {"get-orders-200-2": ["response.body.items[0]"]}),
        ('{"order_id": given["order_id"],', '{"order_id": first - 1,', {"post-payments-201": ["response.body.order_id"]}),
    ],
    ids=["a quantity", "the id of another order", "another id in the order", "another user's token", "others' orders", "an id"],
)  # fmt: skip
def test_what_is_wrong_is_found_wherever_the_build_counts_from(
    place: Place, old: str, new: str, where: dict[str, list[str]]
) -> None:
    build = place.build(old, new)
    for first in (17, 3):
        code, cases, said = place.replay(first=first, build=build)
        assert code == 1
        found = failed(cases)
        for name, places in where.items():
            assert set(places) <= set(found.get(name, [])), said


def test_a_case_alone_brings_those_it_links_to(place: Place) -> None:
    code, cases, said = place.replay("--case", "get-orders-18-*", first=3)
    assert (code, list(cases)) == (0, ["post-login-200-2", "post-orders-201-2", "get-orders-18-200"]), said
    assert "post-orders-201-2 runs too: get-orders-18-200 links to it" in said
    assert "post-login-200-2 runs too: get-orders-18-200 links to it" in said


def test_links_written_by_hand(place: Place) -> None:
    name = "get-orders-17-200"
    text = place.file(name).read_text()
    place.file(name).write_text(
        text.replace("post-orders-201.response.body.id", "post-orders-201.response.headers.location.path[1]")
    )
    assert place.run("lint").returncode == 0
    code, cases, said = place.replay(first=3)
    assert (code, failed(cases)) == (0, {}), said


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("post-orders-201.resp", "post-order-201.resp", "no case is called post-order-201; did you mean post-orders-201?"),
        ("response.body.id", "response.body.it", "post-orders-201 was answered nothing at response.body.it"),
        ("post-orders-201.resp", "get-orders-200.resp", "links to a case that comes later; link to an earlier one"),
        ("post-orders-201.resp", "get-orders-17-200.resp", "links to itself; link to an earlier one"),
    ],
    ids=["a case that is not there", "a place that is not there", "a later case", "itself"],
)
def test_a_link_that_stands_for_nothing(place: Place, old: str, new: str, reason: str) -> None:
    file = place.file("get-orders-17-200")
    text = file.read_text()
    assert text.count(f"/orders/${{{old}") or text.count(old)
    file.write_text(text.replace(old, new, 1) if "body" in old else text.replace(f"/orders/${{{old}", f"/orders/${{{new}", 1))
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.startswith("  path:"))
    linted = place.run("lint")
    assert linted.returncode == 2
    assert reason in linted.stdout
    assert f"get-orders-17-200.yaml:{line}:" in linted.stdout
    code, cases, said = place.replay()
    assert (code, cases) == (2, {})
    assert reason in said
    assert "Traceback" not in said


def test_renaming_a_case_is_found(place: Place) -> None:
    file = place.file("post-orders-201")
    file.write_text(file.read_text().replace("name: post-orders-201\n", "name: order-a-lamp\n"))
    assert "no case is called post-orders-201" in place.run("lint").stdout
