"""Every problem of every file of a suite, with its place: what `wiretape lint` reports.

Errors are what a replay would refuse or misread; warnings are what probably is a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Literal

from wiretape import body as bodies
from wiretape import links
from wiretape.body import markup, websocket
from wiretape.case import Body, Call, Case, Headers, Noise
from wiretape.casefile import BODY_KEYS, CALL_WORDS, Problem, SuiteSettings, read_case, read_session, read_suite, unknown
from wiretape.errors import CaseFormatError, EncodeError, StoreError
from wiretape.noisekinds import named_place, unknown_kind
from wiretape.protobuf.registry import NO_TYPES, Registry
from wiretape.protocols import CODECS, codec
from wiretape.schemes import AUTO
from wiretape.secrets import unresolved
from wiretape.store import SESSION_FILE, SUITE_FILE, case_files, in_order, open_document, place_of
from wiretape.tree import Path, Selector, Tree, walk
from wiretape.typed import typed_case
from wiretape.yamlio import Document

_HEADERS = ("headers", "trailers")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One problem. `line` and `column` count from 1; 0 where the file as a whole is meant."""

    file: File
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"


def lint(
    root: File,
    noise_kinds: Collection[str],
    targets: Mapping[str, str] | None = None,
    types: Registry = NO_TYPES,
) -> list[Finding]:
    """Every problem of the suite in `root`, in the order of files and lines.

    `noise_kinds`: the kinds there are; `targets`: name -> protocol of the configured targets; without it calls are not
    held to any protocol. `types`: those of the service's gRPC calls. Raises StoreError where there is no suite to look at.
    """
    if not root.is_dir():
        raise StoreError(f"there is no suite folder {root}; record one with `wiretape record`")
    files = case_files(root)
    if not files:
        raise StoreError(f"no cases in {root}; record some with `wiretape record`")
    run = _Lint(noise_kinds, targets, types)
    suite = run.suite(root / SUITE_FILE) if (root / SUITE_FILE).exists() else None
    for file in files:
        run.case(file)
    run.links()
    if (root / SESSION_FILE).exists():
        run.session(root / SESSION_FILE)
    if suite is not None:
        run.suite_noise(*suite)
    run.stray(root)
    return sorted(run.findings)


class _Lint:
    def __init__(self, kinds: Collection[str], targets: Mapping[str, str] | None, types: Registry) -> None:
        self.findings: list[Finding] = []
        self._kinds = kinds
        self._targets = targets
        self._types = types
        self._names: dict[str, File] = {}
        self._facts: Mapping[str, Mapping[str, Tree]] = {}
        self._views: list[Tree] = []
        self._cases: list[Case] = []
        self._documents: dict[File | None, Document] = {}

    def case(self, file: File) -> None:
        document = self._open(file)
        if document is None:
            return
        found = read_case(document)
        self._take(file, found.problems)
        if any(problem.version for problem in found.problems):
            return
        case = typed_case(found.value, self._types)
        first = self._names.setdefault(case.name, file)
        if first != file:
            self._add(document, ("name",), f"the name {case.name!r} is also that of {first.name}")
        self._cases.append(case)
        self._documents[case.path] = document
        self._bodies(document, case)
        self._calls(document, case.calls)
        self._strings(document)
        self._views.append(view := _view(case))
        self._noise(document, case.noise, [view], "in this case")

    def suite(self, file: File) -> tuple[Document, SuiteSettings] | None:
        """Comes first: calls are checked against the facts of their target."""
        document = self._open(file)
        if document is None:
            return None
        found = read_suite(document)
        self._take(file, found.problems)
        self._facts = found.value.facts
        return document, found.value

    def suite_noise(self, document: Document, settings: SuiteSettings) -> None:
        """Comes last: a rule of the suite must name a place in some case."""
        self._noise(document, settings.noise, self._views, "in any case")

    def session(self, file: File) -> None:
        document = self._open(file)
        if document is not None:
            found = read_session(document)
            self._take(file, found.problems)
            self._calls(document, found.value)
            self._strings(document)

    def stray(self, root: File) -> None:
        for file in root.rglob("*.yml"):
            self._report(file, 0, 0, f"is not read; name it {file.stem}.yaml", "warning")

    def _open(self, file: File) -> Document | None:
        try:
            return open_document(file)
        except CaseFormatError as error:
            self._report(file, error.line, error.column, error.reason)
        except StoreError as error:
            self._report(file, 0, 0, str(error))
        return None

    def _report(
        self, file: File, line: int, column: int, message: str, severity: Literal["error", "warning"] = "error"
    ) -> None:
        self.findings.append(Finding(file=file, line=line, column=column, message=message, severity=severity))

    def _take(self, file: File, problems: Collection[Problem]) -> None:
        for problem in problems:
            self._report(file, problem.line, problem.column, problem.reason)

    def _add(
        self,
        document: Document,
        path: Path,
        message: str,
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        mark = document.mark(path, key=key)
        self._report(File(document.file), mark.line, mark.column, message, severity)

    def _bodies(self, document: Document, case: Case) -> None:
        for part, message in (("request", case.request), ("response", case.response)):
            try:
                bodies.write(message.body, message.headers)
            except EncodeError as error:
                self._add(document, (part, _body_key(document, part)), f"this body cannot be sent: {error.reason}")
            value = message.body.value
            if isinstance(value, str) and _body_key(document, part) == "body_file":
                self._string(document, (part, "body_file"), value)

        for at, one in enumerate(case.messages):
            try:
                websocket.write(one)
            except EncodeError as error:
                self._add(document, ("messages", at), f"this message cannot be sent: {error.reason}")

    def _calls(self, document: Document, calls: Collection[Call]) -> None:
        for index, call in enumerate(calls):
            if call.target and self._targets is not None:
                self._call(document, ("calls", index), call, self._targets)

    def _call(self, document: Document, path: Path, call: Call, targets: Mapping[str, str]) -> None:
        if call.target not in targets:
            self._add(document, (*path, call.target), unknown(call.target, targets, "target"), key=True)
            return
        protocol = targets[call.target]
        if protocol == AUTO:
            protocol = str(self._facts.get(call.target, {}).get("protocol"))
        if protocol not in CODECS:
            return
        known = codec(protocol)
        for name in call.fields:
            if name not in known.schema:
                reason = unknown(name, (*known.schema, *CALL_WORDS), f"key of a {protocol} call")
                self._add(document, (*path, name), reason, key=True)
        sound = replace(call, fields={name: value for name, value in call.fields.items() if name in known.schema})
        for problem in known.check(sound, self._facts.get(call.target)):
            place = (*path, *_steps(problem.path))
            self._add(document, place, f"{problem.path}: {problem.reason}")

    def _strings(self, document: Document) -> None:
        for path, value in walk(document.value):
            if isinstance(value, str):
                self._string(document, path, value)

    def _string(self, document: Document, path: Path, text: str) -> None:
        linking, rest = links.parted(text)
        if path[:1] == ("request",):
            text = rest
        elif misplaced := next((written for written in linking if ".response" in written), ""):
            self._add(document, path, f"`{misplaced}`: links stand in requests only; write `$${{` for the text `${{`")
            return
        for written, name in unresolved(text):
            if not name:
                self._add(document, path, f"`{written}` is not `${{secret:NAME}}`; write `$${{` for the text `${{`")

    def links(self) -> None:
        """Comes when all cases are read."""
        for each in links.resolve(in_order(self._cases)).broken:
            document = self._documents[each.case.path]
            self._add(document, place_of(document, each.written), each.reason)

    def _noise(self, document: Document, noise: Collection[Noise], views: list[Tree], where: str) -> None:
        places = {(rule.selector.text, rule.line): rule for rule in noise}
        for path, value in walk(document.value):
            if len(path) != 3 or path[0] != "noise":
                continue
            rule = places.get((str(path[2]), document.mark(path, key=True).line))
            if rule is None or not isinstance(value, str):
                continue
            if rule.kind not in self._kinds:
                self._add(document, path, unknown_kind(rule.kind, self._kinds))
            optional = rule.kind.partition(" ")[0] == "optional"  # what is not there yet may come
            if views and not optional and not any(_names_a_place(named_place(rule.selector), view) for view in views):
                reason = f"{rule.selector} names nothing {where}; correct or remove it"
                self._add(document, path, reason, key=True, severity="warning")


def _steps(path: str) -> Path:
    try:
        return tuple(step for step in Selector.parse(path).steps if isinstance(step, str | int))
    except ValueError:
        return ()


def _body_key(document: Document, part: str) -> str:
    message = document.value.get(part) if isinstance(document.value, dict) else None
    return next((name for name in BODY_KEYS if isinstance(message, dict) and name in message), "body")


def _view(case: Case) -> Tree:
    """The case as the tree that its selectors speak of."""
    request, response = case.request, case.response
    return {
        "request": {
            "method": request.method,
            "path": request.target,
            "headers": _gathered(request.headers),
            "trailers": _gathered(request.trailers),
            "body": _meaning(request.body, request.headers),
        },
        "response": {
            "status": response.status,
            "headers": _gathered(response.headers),
            "trailers": _gathered(response.trailers),
            "body": _meaning(response.body, response.headers),
        },
        "messages": [{message.direction: websocket.meaning(message)} for message in case.messages],
        "calls": [{"operation": call.operation, **call.fields} for call in case.calls],
    }


def _gathered(headers: Headers) -> dict[str, Tree]:
    return {name.lower(): value for name, value in headers}


def _meaning(body: Body, headers: Headers) -> Tree:
    if body.kind == "form" and isinstance(body.value, list):
        pairs = [(str(pair[0]), pair[1]) for pair in body.value if isinstance(pair, list)]
        return dict(pairs) if len(dict(pairs)) == len(pairs) else body.value
    try:
        return markup.view(bodies.meaning(bodies.write(body, headers), headers, body.types))
    except EncodeError:
        return body.value


def _names_a_place(selector: Selector, view: Tree) -> bool:
    steps = selector.steps
    if len(steps) > 2 and steps[1] in _HEADERS and isinstance(steps[2], str):
        # A header's inside (a cookie's value) is the comparison's own reading: the header must be there.
        selector = Selector(selector.text, (*steps[:2], steps[2].lower()))
    return next(selector.find(view), None) is not None
