"""Suites on disk: loading them whole, adding what was recorded, editing without touching what a person wrote.

Every `*.yaml` under the suite's folder other than suite.yaml and session.yaml is a case. Nothing is ever half written: a file
is replaced in one step or not at all.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wiretape import links
from wiretape.case import Call, Case, Suite
from wiretape.casedump import Files, call_documents, case_document, case_text, session_text, spread, suite_text
from wiretape.casefile import BODY_KEYS, Read, SuiteSettings, read_case, read_session, read_suite
from wiretape.errors import StoreError
from wiretape.tree import ANY, EACH, Selector, Tree, same, walk
from wiretape.tree import Path as Steps
from wiretape.yamldump import dump
from wiretape.yamledit import revise
from wiretape.yamlio import Document, load, read

SUITE_FILE, SESSION_FILE = "suite.yaml", "session.yaml"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_STEM = 80


def load_suite(root: Path) -> Suite:
    """The whole suite, cases in the order they were recorded.

    Raises StoreError where there is none or it is empty, CaseFormatError or UnsupportedVersion for the first file at fault.
    """
    if not root.is_dir():
        raise StoreError(f"there is no suite folder {root}; record one with `wiretape record`")
    found = links.resolve(in_order(map(load_case, case_files(root))))
    if not found.cases:
        raise StoreError(f"no cases in {root}; record some with `wiretape record`")
    for each in found.broken[:1]:
        document = open_document(each.case.path or root)
        raise document.error(place_of(document, each.written), each.reason)
    settings = _load_settings(root)
    return Suite(
        root=root,
        cases=found.cases,
        session=_load_session(root),
        facts=settings.facts,
        calls=settings.calls,
        noise=settings.noise,
        traced=settings.traced,
    )


def in_order(cases: Iterable[Case]) -> list[Case]:
    """Cases in the order in which they were recorded, and are replayed."""
    return sorted(cases, key=lambda case: (case.first_recorded or case.recorded, case.name))


def place_of(document: Document, link: str) -> Steps:
    """Where in a case's file a link, as it is written, stands in the request; the request where it cannot be told."""
    request = document.value.get("request") if isinstance(document.value, dict) else None
    texts = (path for path, value in walk(request, ("request",)) if isinstance(value, str) and link in value)
    return next(texts, ("request",))


def case_files(root: Path) -> list[Path]:
    """The case files of a suite, in the order of their paths."""
    return sorted(
        path
        for path in root.rglob("*.yaml")
        if path.name not in (SUITE_FILE, SESSION_FILE)
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )


def load_case(path: Path) -> Case:
    """One case. Raises StoreError, CaseFormatError, UnsupportedVersion."""
    return read_case(open_document(path)).sound(path)


def open_document(path: Path) -> Document:
    """The document in a file of a suite. Raises StoreError where it cannot be read, CaseFormatError."""
    try:
        return read(path)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None


def _load_settings(root: Path) -> SuiteSettings:
    path = root / SUITE_FILE
    return read_suite(open_document(path)).sound(path) if path.exists() else SuiteSettings()


def _load_session(root: Path) -> tuple[Call, ...]:
    path = root / SESSION_FILE
    found: Read[tuple[Call, ...]] | None = read_session(open_document(path)) if path.exists() else None
    return found.sound(path) if found else ()


def add_to_suite(
    root: Path,
    cases: Sequence[Case],
    session: Sequence[Call],
    facts: Mapping[str, Mapping[str, Tree]],
    *,
    traced: bool = False,
) -> list[Path]:
    """Write newly recorded cases beside what is there; returns their files in order.

    No case file is ever overwritten: a taken name gets the next free number. Session calls join those there without repeats,
    and the facts of a target replace its former ones. `traced`: trace ids were added to their requests. Raises StoreError.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        written = [_add_case(root, case) for case in _named(root, cases)]
        if session:
            _add_session(root, session)
        if facts or traced:
            _add_facts(root, facts, traced=traced)
    except OSError as error:
        raise StoreError(f"cannot write to {root}: {error.strerror or error}") from None
    return written


def _named(root: Path, cases: Sequence[Case]) -> Iterator[Case]:
    """The cases with names that are free, and with each other called by those names."""
    taken = {path.stem.casefold() for path in root.rglob("*.yaml")} | {Path(SUITE_FILE).stem, Path(SESSION_FILE).stem}
    names = [_free(case.name, taken) for case in cases]
    renamed = dict(reversed([(case.name, name) for case, name in zip(cases, names, strict=True)]))
    for case, name in zip(cases, names, strict=True):
        calls = tuple(
            replace(call, ambiguous=tuple(renamed.get(other, other) for other in call.ambiguous)) for call in case.calls
        )
        yield replace(case, name=name, calls=calls, links=links.renamed(case.links, renamed))


def _free(name: str, taken: set[str]) -> str:
    stem = _UNSAFE.sub("-", name).strip("-.")[:_LONGEST_STEM] or "case"
    free, number = stem, 1
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}"
    taken.add(free.casefold())
    return free


def _add_case(root: Path, case: Case) -> Path:
    text, files = case_text(case, case.name)
    for name, data in files.items():
        replace_file(root / name, data)
    path = root / f"{case.name}.yaml"
    replace_file(path, text.encode())
    return path


def _add_session(root: Path, session: Sequence[Call]) -> None:
    known = {_bare(call) for call in _load_session(root)}
    fresh = {bare: call for call in session if (bare := _bare(call)) not in known}
    path = root / SESSION_FILE
    if not path.exists():
        replace_file(path, session_text(list(fresh.values())).encode())
    elif fresh:
        document = open_document(path)
        assert isinstance(document.value, dict)  # it was just read as one
        calls = document.value.get("calls")
        written = [*(calls if isinstance(calls, list) else []), *call_documents(list(fresh.values()))]
        _revise(path, {**document.value, "calls": written})


def _bare(call: Call) -> str:
    """What tells calls apart: all but how they came to be here."""
    return dump([call.target, call.operation, dict(call.fields)])


def _add_facts(root: Path, facts: Mapping[str, Mapping[str, Tree]], *, traced: bool) -> None:
    path = root / SUITE_FILE
    if not path.exists():
        replace_file(path, suite_text(facts, traced=traced).encode())
        return
    settings = _load_settings(root)
    before = settings.facts
    changed = {target: dict(known) for target, known in facts.items() if not same(dict(before.get(target, {})), dict(known))}
    news: dict[str, Tree] = {"traced": True} if traced and not settings.traced else {}
    if changed:
        news["facts"] = {**{name: dict(known) for name, known in before.items()}, **changed}
    if news:
        document = open_document(path)
        assert isinstance(document.value, dict)  # it was just read as one
        _revise(path, {**document.value, **news})


def edit(path: Path, edits: Mapping[str, Tree]) -> None:
    """Change a file a person may have touched: each selector's places get the value. All the rest stays as it was written.

    Selectors name places of the file (`response.status`, `calls[2].rows[0][1]`); `response.body` is the body whatever its key.
    A last step that is not there yet is added. Raises StoreError, and writes nothing, where a selector names nothing or the
    result would not be a sound file.
    """
    document = open_document(path)
    wanted = copy.deepcopy(document.value)
    for text, value in edits.items():
        _put(wanted, text, value, path)
    _revise(path, wanted)


def rewrite(path: Path, case: Case) -> None:
    """Change a case's file so that it loads as `case`; comments and layout of all that stays the same survive."""
    files: Files = {}
    wanted = case_document(case, path.stem, files)
    for name, data in files.items():
        replace_file(path.parent / name, data)
    _revise(path, wanted)


def add_noise(path: Path, rules: Sequence[tuple[str, str, str]]) -> None:
    """Add rules to a case, or to suite.yaml, which need not be there yet: selector, kind, and a comment that follows the rule.

    Raises StoreError, and writes nothing, where the result would not be a sound file.
    """
    if path.name == SUITE_FILE and not path.exists():
        replace_file(path, suite_text({}).encode())
    document = open_document(path)
    wanted = copy.deepcopy(document.value)
    assert isinstance(wanted, dict)  # it was just read as one
    former = wanted.get("noise")
    kept: list[Tree] = former if isinstance(former, list) else []
    added: list[Tree] = [{selector: kind} for selector, kind, _ in rules]
    wanted["noise"] = [*kept, *added]
    text = revise(path.read_bytes().decode("utf-8-sig"), wanted, block=spread, file=path)
    commented = _commented(text, [(len(kept) + at, selector, comment) for at, (selector, _, comment) in enumerate(rules)], path)
    changed = commented if same(load(commented.encode(), path).value, wanted) else text
    _check(load(changed.encode(), path), path)
    replace_file(path, changed.encode())


def _commented(text: str, comments: Sequence[tuple[int, str, str]], path: Path) -> str:
    """The text with a comment at the end of the line of each rule."""
    document = load(text.encode(), path)
    lines = text.split("\n")
    for index, selector, comment in comments:
        at = document.mark(("noise", index, selector), key=True).line - 1
        end = "\r" if lines[at].endswith("\r") else ""
        lines[at] = f"{lines[at].removesuffix(end)}  # {comment}{end}"
    return "\n".join(lines)


def _put(tree: Tree, text: str, value: Tree, file: Path) -> None:
    try:
        selector = Selector.parse(text)
    except ValueError as error:
        raise StoreError(f"{file}: {error}") from None
    steps = _own_body_key(tree, selector.steps, text, file)
    *leading, last = steps
    holders = [tree] if not leading else [holder for _, holder in Selector(text, tuple(leading)).find(tree)]
    if not sum(_set(holder, last, value) for holder in holders):
        raise StoreError(f"{file}: there is nothing at {text}")


def _set(holder: Tree, step: object, value: Tree) -> int:
    """Set what `step` names in `holder`; returns how many places that were."""
    if isinstance(holder, dict):
        names = list(holder) if step is ANY else [step] if isinstance(step, str) else []
        for name in names:
            holder[str(name)] = copy.deepcopy(value)
        return len(names)
    if isinstance(holder, list):
        if step == len(holder):
            holder.append(None)
        places = range(len(holder)) if step in (ANY, EACH) else [step] if isinstance(step, int) and step < len(holder) else []
        for place in places:
            holder[place] = copy.deepcopy(value)
        return len(places)
    return 0


def _own_body_key(tree: Tree, steps: tuple[object, ...], text: str, file: Path) -> tuple[object, ...]:
    """The steps with `body` replaced by the key this message keeps its body under; its recorded raw bytes go, being stale."""
    message = tree.get(str(steps[0])) if isinstance(tree, dict) else None
    if len(steps) < 2 or steps[0] not in ("request", "response") or steps[1] != "body" or not isinstance(message, dict):
        return steps
    for stale in ("body_raw", "body_raw_file"):
        message.pop(stale, None)
    key = next((name for name in BODY_KEYS if name in message), "body")
    if key in ("body_base64", "body_file"):
        raise StoreError(f"{file}: {text} is kept as {key}; change that instead")
    return (steps[0], key, *steps[2:])


def _revise(path: Path, wanted: Tree) -> None:
    data = path.read_bytes()
    changed = revise(data.decode("utf-8-sig"), wanted, block=spread, file=path).encode()
    _check(load(changed, path), path)
    replace_file(path, changed)


def _check(document: Document, path: Path) -> None:
    """Raises the first problem of what a file would say."""
    readers = {SUITE_FILE: read_suite, SESSION_FILE: read_session}
    readers.get(path.name, read_case)(document).sound(path)


def replace_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in one step: a reader, or a crash, sees the old one or the new one.

    `mode`: its permissions; by default those it had.
    """
    path = path.resolve()
    kept = path.stat().st_mode & 0o7777 if mode is None and path.exists() else mode
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if kept is not None else 0o666), "wb"
        ) as out:
            if kept is not None:
                os.fchmod(out.fileno(), kept)
            out.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
