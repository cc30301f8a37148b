"""Cases, session calls, suite settings -> YAML text, and the files for bodies too big to read in one.

The inverse of `wiretape.casefile`: what is written here reads back equal.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import groupby

from wiretape.body import inferred_kind, multipart
from wiretape.case import Body, Call, Case, Headers, Message, Noise, Request, Response
from wiretape.casefile import CALL_WORDS, PART_FILE, VERSION
from wiretape.errors import StoreError
from wiretape.links import written
from wiretape.tree import Path, Tree
from wiretape.yamldump import dump

BIGGEST_INLINE_BYTES = 1024  # binary bodies over this go to a file
BIGGEST_INLINE_TEXT = 16 * 1024  # text bodies over this do

type Files = dict[str, bytes]


def case_text(case: Case, stem: str) -> tuple[str, Files]:
    """The case's YAML text, and the files that belong beside it, whose names begin with `stem`."""
    files: Files = {}
    return dump(case_document(case, stem, files), block=spread), files


def session_text(calls: Sequence[Call]) -> str:
    """The text of a session.yaml."""
    return dump({"wiretape": VERSION, "calls": call_documents(calls)}, block=spread)


def suite_text(facts: Mapping[str, Mapping[str, Tree]], noise: Sequence[Noise] = (), *, traced: bool = False) -> str:
    """The text of a suite.yaml."""
    document: dict[str, Tree] = {"wiretape": VERSION, **({"traced": True} if traced else {})}
    if facts:
        document["facts"] = {target: dict(known) for target, known in facts.items()}
    if noise:
        document["noise"] = _noise(noise)
    return dump(document, block=spread)


def spread(path: Path) -> bool:
    """What stands on lines of its own however small it is: the parts of a case, each call, each rule."""
    return len(path) < 2 or (len(path) == 2 and path[0] in ("messages", "calls", "noise", "facts"))


def case_document(case: Case, stem: str, files: Files) -> dict[str, Tree]:
    """The case as a tree; bodies that go to files are added to `files`."""
    document: dict[str, Tree] = {"wiretape": VERSION, "name": case.name}
    document |= _said(recorded=case.recorded, first_recorded=case.first_recorded)
    document |= _said(attributed=case.attributed, incomplete=case.incomplete)
    document["request"] = _request(written(case.request, case.links), f"{stem}.request", files)
    document["response"] = _response(case.response, f"{stem}.response", files)
    if case.messages:
        document["messages"] = [_message(message) for message in case.messages]
    if case.calls:
        document["calls"] = call_documents(case.calls)
    if case.noise:
        document["noise"] = _noise(case.noise)
    return document


def _said(**words: str) -> dict[str, Tree]:
    return {name: word for name, word in words.items() if word}


def _request(request: Request, name: str, files: Files) -> dict[str, Tree]:
    document: dict[str, Tree] = {"method": request.method, "path": request.target}
    if request.version:
        document["version"] = int(request.version) if request.version.isdecimal() else request.version
    if request.headers:
        document["headers"] = pairs(request.headers)
    document |= _body(request.body, request.headers, name, files)
    if request.trailers:
        document["trailers"] = pairs(request.trailers)
    return document


def _response(response: Response, name: str, files: Files) -> dict[str, Tree]:
    document: dict[str, Tree] = {"status": response.status} | _said(reason=response.reason)
    if response.headers:
        document["headers"] = pairs(response.headers)
    document |= _body(response.body, response.headers, name, files)
    if response.trailers:
        document["trailers"] = pairs(response.trailers)
    if response.unfinished:
        document["unfinished"] = True
    return document


def pairs(given: Headers) -> Tree:
    """Names with values: a mapping where it gives the same sequence back, else a list of [name, value]."""
    grouped = [(name, [value for _, value in group]) for name, group in groupby(given, key=lambda pair: pair[0])]
    if len({name for name, _ in grouped}) < len(grouped):
        return [[name, value] for name, value in given]
    return {name: list[Tree](values) if len(values) > 1 else values[0] for name, values in grouped}


def _body(body: Body, headers: Headers, name: str, files: Files) -> dict[str, Tree]:
    if body.kind == "empty":
        return {}
    document: dict[str, Tree] = {}
    value = body.value
    if isinstance(value, bytes) and body.kind == "binary":
        if len(value) > BIGGEST_INLINE_BYTES:
            document["body_file"] = _file(f"{name}.bin", value, files)
        else:
            document["body_base64"] = base64.b64encode(value).decode()
    elif isinstance(value, str) and body.kind == "text" and (data := _big(value)):
        document["body_file"] = _file(f"{name}.txt", data, files)
    else:
        told = _form(value) if body.kind == "form" else _parts(value, name, files) if body.kind == "multipart" else value
        document["body" if inferred_kind(headers, told) == body.kind else f"body_{body.kind}"] = told
    document |= _said(body_style=body.style)
    if len(body.raw) > BIGGEST_INLINE_BYTES:
        document["body_raw_file"] = _file(f"{name}.raw", body.raw, files)
    elif body.raw:
        document["body_raw"] = base64.b64encode(body.raw).decode()
    return document


def _form(value: Tree) -> Tree:
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return pairs(tuple((str(pair[0]), str(pair[1])) for pair in value if isinstance(pair, list)))
    return value


def _parts(value: Tree, name: str, files: Files) -> Tree:
    """Parts with those too big to read in one in files of their own."""
    return [_part(part, f"{name}.{at}", files) for at, part in enumerate(value)] if isinstance(value, list) else value


def _part(part: Tree, name: str, files: Files) -> Tree:
    if not isinstance(part, dict):
        return part
    for key in ("value", "text"):
        value = part.get(key)
        if isinstance(value, bytes) and len(value) > BIGGEST_INLINE_BYTES:
            kept = _file(f"{name}.bin", value, files)
        elif isinstance(value, str) and (key == "text") == multipart.is_json(part) and (data := _big(value)):
            kept = _file(f"{name}.txt", data, files)
        else:
            continue
        return {PART_FILE if word == key else word: kept if word == key else one for word, one in part.items()}
    return part


def _message(message: Message) -> Tree:
    value = message.value
    if message.kind == "close" and isinstance(value, dict):
        return {f"{message.direction}_close": value.get("code")} | {key: one for key, one in value.items() if key == "reason"}
    return {message.direction: value, **_said(style=message.style)}


def _big(text: str) -> bytes | None:
    """The text's bytes if it belongs in a file; half a surrogate pair has no bytes."""
    if len(text) <= BIGGEST_INLINE_TEXT // 4:
        return None
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    return data if len(data) > BIGGEST_INLINE_TEXT else None


def _file(name: str, data: bytes, files: Files) -> str:
    files[name] = data
    return name


def call_documents(calls: Sequence[Call]) -> list[Tree]:
    """Calls as trees: the target with the operation, then the codec's fields."""
    return [_call(call) for call in calls]


def _call(call: Call) -> dict[str, Tree]:
    taken = {call.target, *CALL_WORDS}.intersection(call.fields)
    if taken or call.target in CALL_WORDS:
        raise StoreError(
            f"a call on target {call.target!r} cannot be written: {', '.join(taken) or call.target} means something else"
        )
    document: dict[str, Tree] = {call.target: call.operation, **call.fields} | _said(attributed=call.attributed)
    if call.ambiguous:
        document["ambiguous"] = list(call.ambiguous)
    return document


def _noise(noise: Sequence[Noise]) -> list[Tree]:
    return [{rule.selector.text: rule.kind} for rule in noise]
