"""Documents -> cases, session calls, suite settings: every problem found, with its place.

`wiretape.casedump` is the inverse. Neither knows what a codec's fields mean; `wiretape.lint` asks the codecs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import cast

from wiretape.body import inferred_kind, multipart
from wiretape.case import (
    EMPTY,
    Body,
    BodyKind,
    Call,
    Case,
    Direction,
    Headers,
    Message,
    MessageKind,
    Noise,
    Request,
    Response,
    Strictness,
)
from wiretape.casekeys import (
    BODY_EXTRAS,
    BODY_KEYS,
    BODY_LISTS,
    CALL_WORDS,
    CASE_KEYS,
    MESSAGE_KEYS,
    MESSAGES,
    PART_FILE,
    REQUEST_KEYS,
    RESPONSE_KEYS,
    SESSION_KEYS,
    SUITE_KEYS,
    VERSION,
)
from wiretape.casereader import Reader, named
from wiretape.problems import Problem, Read, unknown
from wiretape.tree import Path, Selector, Tree
from wiretape.yamlio import Document

__all__ = [
    "BODY_EXTRAS",
    "BODY_KEYS",
    "BODY_LISTS",
    "CALL_WORDS",
    "CASE_KEYS",
    "MESSAGES",
    "MESSAGE_KEYS",
    "PART_FILE",
    "REQUEST_KEYS",
    "RESPONSE_KEYS",
    "SESSION_KEYS",
    "SUITE_KEYS",
    "VERSION",
    "Problem",
    "Read",
    "SuiteSettings",
    "read_case",
    "read_session",
    "read_suite",
    "unknown",
]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSettings:
    """What suite.yaml says."""

    facts: Mapping[str, Mapping[str, Tree]] = field(default_factory=dict)
    calls: Strictness = "strict"
    noise: tuple[Noise, ...] = ()
    traced: bool = False


def read_case(document: Document) -> Read[Case]:
    """The case a document says. Files it names are read from beside it."""
    file = File(document.file)
    reader = _Reader(document)
    top = reader.top(CASE_KEYS, needs=("request", "response"))
    case = Case(
        name=reader.text(("name",), top["name"]) if "name" in top else file.stem,
        request=reader.request(top.get("request")),
        response=reader.response(top.get("response")),
        messages=reader.messages(top.get("messages")),
        calls=reader.calls(top.get("calls")),
        noise=reader.noise(top.get("noise")),
        recorded=reader.word(top, (), "recorded"),
        first_recorded=reader.word(top, (), "first_recorded"),
        attributed=reader.word(top, (), "attributed"),
        incomplete=reader.word(top, (), "incomplete"),
        path=file,
    )
    if not case.name:
        reader.fail(("name",), "a case needs a name; leave the key out to take the file's")
    return reader.result(case)


def read_suite(document: Document) -> Read[SuiteSettings]:
    """What a suite.yaml says."""
    reader = _Reader(document)
    top = reader.top(SUITE_KEYS)
    facts = reader.mapping(("facts",), top.get("facts"))
    targets = {name: reader.mapping(("facts", name), value) for name, value in facts.items()}
    traced = top.get("traced", False)
    if not isinstance(traced, bool):
        reader.fail(("traced",), "whether requests were recorded with trace ids added (record --trace): true or false")
    noise = reader.noise(top.get("noise"))
    return reader.result(SuiteSettings(facts=targets, calls=_strictness(reader, top), noise=noise, traced=traced is True))


def _strictness(reader: _Reader, top: Mapping[str, Tree]) -> Strictness:
    match top.get("calls", "strict"):
        case "strict" | "writes" | "off" as told:
            return told
    reader.fail(("calls",), "which calls are compared: strict (all of them), writes, or off")
    return "strict"


def read_session(document: Document) -> Read[tuple[Call, ...]]:
    """The calls a session.yaml holds."""
    reader = _Reader(document)
    top = reader.top(SESSION_KEYS)
    return reader.result(reader.calls(top.get("calls")))


class _Reader(Reader):
    """A document of a suite being read."""

    def request(self, value: Tree) -> Request:
        path: Path = ("request",)
        within = self.mapping(path, value, REQUEST_KEYS)
        headers = self.pairs((*path, "headers"), within.get("headers"))
        method = self.word(within, path, "method")
        target = self.word(within, path, "path")
        if isinstance(value, dict):
            if not _TOKEN.fullmatch(method):
                self.fail((*path, "method"), "a request needs a method, one word such as GET")
            if not target or any(char.isspace() for char in target):
                self.fail((*path, "path"), "a request needs a path without spaces, such as /orders?page=2")
        version = self.word(within, path, "version")
        if version not in ("", "2"):
            self.fail((*path, "version"), "the version of a request is 2 where it came by HTTP/2, else it is not said")
        return Request(
            method=method,
            target=target,
            headers=headers,
            body=self.body(path, within, headers),
            trailers=self.pairs((*path, "trailers"), within.get("trailers")),
            version=version,
        )

    def response(self, value: Tree) -> Response:
        path: Path = ("response",)
        within = self.mapping(path, value, RESPONSE_KEYS)
        headers = self.pairs((*path, "headers"), within.get("headers"))
        status = within.get("status")
        if type(status) is not int or not (status == 0 or 100 <= status <= 999):
            if isinstance(value, dict):
                self.fail((*path, "status"), "a response needs a status, a number such as 200")
            status = 0
        unfinished = within.get("unfinished", False)
        if not isinstance(unfinished, bool):
            self.mismatch((*path, "unfinished"), "true or false", unfinished)
        return Response(
            status=status,
            headers=headers,
            body=self.body(path, within, headers),
            reason=self.word(within, path, "reason"),
            trailers=self.pairs((*path, "trailers"), within.get("trailers")),
            unfinished=unfinished is True,
        )

    def body(self, path: Path, within: Mapping[str, Tree], headers: Headers) -> Body:
        given = [name for name in BODY_KEYS if name in within]
        for name in given[1:]:
            self.fail((*path, name), f"a message has one body; {given[0]} is here too", key=True)
        style = self.word(within, path, "body_style")
        raw = self._raw(path, within)
        if not given:
            for extra in (name for name in BODY_EXTRAS if name in within):
                self.fail((*path, extra), f"{extra} without a body", key=True)
            return EMPTY
        kind_, value = self._body_value((*path, given[0]), within[given[0]], headers)
        return Body(kind=kind_, value=value, style=style, raw=raw)

    def _raw(self, path: Path, within: Mapping[str, Tree]) -> bytes:
        if "body_raw_file" in within:
            return self._file((*path, "body_raw_file"), within["body_raw_file"])
        return self._bytes((*path, "body_raw"), within["body_raw"]) if "body_raw" in within else b""

    def _body_value(self, path: Path, value: Tree, headers: Headers) -> tuple[BodyKind, Tree]:
        match path[-1]:
            case "body_file":
                data = self._file(path, value)
                return _of_file(data, str(value))
            case "body_base64":
                return "binary", self._bytes(path, value)
            case "body":
                kind_ = inferred_kind(headers, value)
            case named:
                kind_ = cast(BodyKind, str(named).removeprefix("body_"))
        if kind_ == "form":
            return kind_, [[name, one] for name, one in self._pairs(path, value)]
        if kind_ in ("multipart", "events", "lines", "grpc"):
            items = self.list(path, value)
            return kind_, [self._part((*path, at), item) for at, item in enumerate(items)] if kind_ == "multipart" else items
        return kind_, self.text(path, value) if kind_ == "text" else value

    def _part(self, path: Path, value: Tree) -> Tree:
        """A part of a multipart body, with its value read from the file it names."""
        if not isinstance(value, dict) or PART_FILE not in value:
            return value
        if "value" in value or "text" in value:
            self.fail((*path, PART_FILE), "a part has one value; another is here too", key=True)
        kind_, data = _of_file(self._file((*path, PART_FILE), value[PART_FILE]), str(value[PART_FILE]))
        name = "text" if kind_ == "text" and multipart.is_json(value) else "value"
        return {name if key == PART_FILE else key: data if key == PART_FILE else one for key, one in value.items()}

    def messages(self, value: Tree) -> tuple[Message, ...]:
        found = [self._message(("messages", at), one) for at, one in enumerate(self.list(("messages",), value))]
        return tuple(message for message in found if message is not None)

    def _message(self, path: Path, value: Tree) -> Message | None:
        within = self.mapping(path, value, MESSAGE_KEYS)
        names = [name for name in MESSAGES if name in within]
        if len(names) != 1:
            self.fail(path, "a message is one of `send: …`, `receive: …`, `send_close: CODE` and `receive_close: CODE`")
            return None
        direction = cast(Direction, names[0].removesuffix("_close"))
        style = self.word(within, path, "style")
        one = within[names[0]]
        if names[0] == direction and "reason" in within:
            self.fail((*path, "reason"), "only a close has a reason", key=True)
        if names[0] != direction:
            if one is not None and type(one) is not int:
                self.mismatch((*path, names[0]), "a number such as 1000", one)
            reason = self.word(within, path, "reason")
            close: dict[str, Tree] = {"code": one} if one is not None else {}
            return Message(direction=direction, kind="close", value=close | ({"reason": reason} if reason else {}), style=style)
        kind_: MessageKind = "json" if isinstance(one, dict | list) else "binary" if isinstance(one, bytes) else "text"
        text = self.text((*path, direction), one) if kind_ == "text" else one
        return Message(direction=direction, kind=kind_, value=text, style=style)

    def _bytes(self, path: Path, value: Tree) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            return base64.b64decode("".join(self.text(path, value).split()), validate=True)
        except ValueError:
            self.fail(path, f"{named(path)} is not base64")
            return b""

    def _file(self, path: Path, value: Tree) -> bytes:
        name = self.text(path, value)
        if not name or File(name).name != name or "\\" in name or name == "..":
            self.fail(path, f"{named(path)} must be the name of a file beside this one")
            return b""
        try:
            return (File(self.document.file).parent / name).read_bytes()
        except OSError as error:
            self.fail(path, f"cannot read {name} beside this file: {error.strerror or error}")
            return b""

    def calls(self, value: Tree) -> tuple[Call, ...]:
        return tuple(self._call(("calls", index), one) for index, one in enumerate(self.list(("calls",), value)))

    def _call(self, path: Path, value: Tree) -> Call:
        within = dict(self.mapping(path, value))
        line = self.document.mark(path).line
        target = next(iter(within), "")
        if not isinstance(value, dict) or not within or target in CALL_WORDS:
            self.fail(path, "a call starts with its target and operation, such as `main: SELECT …`")
            return Call(target="", operation="", line=line)
        operation = self.text((*path, target), within.pop(target))
        attributed = self.word(within, path, "attributed")
        names = self.list((*path, "ambiguous"), within.get("ambiguous"))
        return Call(
            target=target,
            operation=operation,
            fields={name: field for name, field in within.items() if name not in CALL_WORDS},
            attributed=attributed,
            ambiguous=tuple(self.text((*path, "ambiguous", index), name) for index, name in enumerate(names)),
            line=line,
        )

    def noise(self, value: Tree) -> tuple[Noise, ...]:
        return tuple(
            rule
            for index, one in enumerate(self.list(("noise",), value))
            for name, kind_ in self.mapping(("noise", index), one).items()
            if (rule := self._rule(("noise", index, name), name, kind_))
        )

    def _rule(self, path: Path, name: str, value: Tree) -> Noise | None:
        try:
            selector = Selector.parse(name)
        except ValueError as error:
            self.fail(path, str(error), key=True)
            return None
        return Noise(selector=selector, kind=self.text(path, value), line=self.document.mark(path, key=True).line)


def _of_file(data: bytes, name: str) -> tuple[BodyKind, Tree]:
    """A body kept in a file is text if its bytes are, unless the file is named as binary."""
    if not name.endswith(".bin"):
        try:
            return "text", data.decode()
        except UnicodeDecodeError:
            pass
    return "binary", data
