"""Links: `${post-login.response.body.token}` in a request stands for what an earlier case was answered at that place.

A link is a selector that names one place: the case, `response`, then `headers`, `cookies`, `body`, `trailers`, or of a page
`fields` (inputs by name) and `meta`. A step into a text reads it as a URL: `target` (path and query), `path[1]`, `query.code`.
In a request's path a link is percent-encoded, unless the path begins with it or it is written `${raw:…}`; a whole value of a
JSON body keeps its type. `$${` is the text `${`, as everywhere (`wiretape.secrets`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from wiretape import body as bodies
from wiretape.body import answers
from wiretape.case import Body, Case, Headers, Link, Linked, Request
from wiretape.errors import EncodeError
from wiretape.problems import unknown
from wiretape.tree import Path, Selector, Tree, spell

RAW = "raw:"
_TYPED = ("json", "lines", "events", "grpc")  # kinds of bodies whose values have types
_WRITTEN = re.compile(r"\${2,}\{|\$\{(?P<link>(?:[^{}\"\s]|\"(?:[^\"\\]|\\.)*\")+)\}")
_REFERENCE = re.compile(r"(\$\{[^{}\s]*\})")
_PLAIN = re.compile(r"[^\s.\[\]\"*{}]+")
_OTHER = ("secret:", "$")  # what begins other references
_NEEDS_QUOTES = (RAW, *_OTHER)
_HOW = "write ${CASE.response.PLACE}, ${secret:NAME}, or $${ for the text ${"
_PARTS = ("headers", "cookies", "body", "fields", "meta", "trailers", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A link that stands for nothing: in which case, as it is written there, and why."""

    case: Case
    written: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Cases with recorded values in place of links, which `Case.links` remembers; and every link that stands for nothing. While
    there is one, no link is replaced."""

    cases: tuple[Case, ...]
    broken: tuple[Broken, ...]


def parse(text: str) -> Link:
    """The link that stands between `${` and `}`. Raises ValueError where it is none."""
    bare = text.removeprefix(RAW)
    try:
        steps = Selector.parse(bare).steps
    except ValueError:
        steps = ()
    name, *rest = steps or ("",)
    place = tuple(step for step in rest if isinstance(step, str | int))
    if not isinstance(name, str) or not name or not rest:
        raise ValueError(f"`${{{text}}}` stands for nothing; {_HOW}")
    if len(place) < len(rest):
        raise ValueError(f"`${{{text}}}` names many places; a link names one")
    if place[0] != "response":
        quoted = ' (a name with dots is quoted: `${["a.b"].response…}`)' if "response" in place else ""
        raise ValueError(f"`${{{text}}}` names no response: what follows the case is `response`{quoted}")
    if len(place) == 1 or place[1] not in _PARTS:
        raise ValueError(f"`${{{text}}}`: " + unknown(str(place[1]) if len(place) > 1 else "", _PARTS, "part of a response"))
    return Link(text=text, case=name, place=place[1:], raw=text.startswith(RAW))


def link_to(case: str, place: Path, *, raw: bool = False) -> Link:
    """The link to a place of a case's response (`("body", "token")`)."""
    name = _quoted(case) if case.startswith(_NEEDS_QUOTES) else _step(case)
    spelled = name + "".join(_step(step, ".") for step in ("response", *place))
    return Link(text=(RAW if raw else "") + spelled, case=case, place=place, raw=raw)


def _step(step: str | int, joint: str = "") -> str:
    """A step of a selector; braces would end the link."""
    if isinstance(step, int):
        return f"[{step}]"
    return joint + step if _PLAIN.fullmatch(step) else _quoted(step)


def _quoted(step: str) -> str:
    escaped = step.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def producers(case: Case) -> tuple[str, ...]:
    """The names of the cases that a case links to: they come before it."""
    return tuple(dict.fromkeys(piece.case for linked in case.links for piece in linked.pieces if isinstance(piece, Link)))


def parted(text: str) -> tuple[list[str], str]:
    """What of a stored text is written as a link is, sound or not; and the text without it."""
    found = [one for one in _WRITTEN.finditer(text) if one["link"] and not one["link"].startswith(_OTHER)]
    written = [one[0] for one in found]
    for each in written:
        text = text.replace(each, "", 1)
    return written, text


def prerequisites(cases: Sequence[Case], chosen: Sequence[Case]) -> dict[str, str]:
    """The cases not chosen that those chosen link to, and the ones those link to: name -> the first case that needs it."""
    known = {case.name: case for case in cases}
    names = {case.name for case in chosen}
    needed: dict[str, str] = {}
    queue = list(chosen)
    while queue:
        case = queue.pop()
        for name in producers(case):
            if name not in names and name not in needed and name in known:
                needed[name] = case.name
                queue.append(known[name])
    return needed


def resolve(cases: Sequence[Case]) -> Resolved:
    """Cases as they are on disk, in the order in which they run -> the same with recorded values in place of links."""
    broken: list[Broken] = []
    read = [_read(case, broken) for case in cases]
    order = {case.name: turn for turn, case in enumerate(read)}
    found = Recorded(read)
    for turn, case in enumerate(read):
        for linked in case.links:
            broken += (
                Broken(case=case, written=f"${{{link.text}}}", reason=reason)
                for link in linked.pieces
                if isinstance(link, Link) and (reason := _wrong(case, link, turn, order, found))
            )
    return Resolved(cases=tuple(read) if broken else _settled(read, _guarded), broken=tuple(broken))


def settle(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases with their requests made anew from the responses that they link to, where those are among them."""
    return _settled(cases, lambda value: value)


def _settled(cases: Sequence[Case], written: Callable[[Tree], Tree]) -> tuple[Case, ...]:
    if not any(case.links for case in cases):
        return tuple(cases)
    found = Recorded(cases)

    def value(link: Link) -> Tree:
        return written(found.value(link))

    names = {case.name for case in cases}
    return tuple(
        replace(case, request=fill(case.request, case.links, value)) if names.issuperset(producers(case)) else case
        for case in cases
    )


def _guarded(value: Tree) -> Tree:
    """A stored value that may come to stand before a `{`."""
    if not isinstance(value, str) or not value.endswith("$"):
        return value
    plain = value.rstrip("$")
    return plain + "${$}" * (len(value) - len(plain))


def renamed(links: Sequence[Linked], names: Mapping[str, str]) -> tuple[Linked, ...]:
    """The links with cases called by other names: old -> new."""

    def again(piece: str | Link) -> str | Link:
        new = names.get(piece.case, piece.case) if isinstance(piece, Link) else ""
        if isinstance(piece, str) or new == piece.case:
            return piece
        return link_to(new, piece.place, raw=piece.raw)

    return tuple(replace(linked, pieces=tuple(map(again, linked.pieces))) for linked in links)


def written(request: Request, links: Sequence[Linked]) -> Request:
    """The request as it stands in a file, with links in it: the inverse of resolving."""
    places = {linked.place: "".join(_spelled(piece) for piece in linked.pieces) for linked in links}
    return revised(request, lambda place, text: places.get(place, text), every=True) if places else request


def fill(
    request: Request,
    links: Sequence[Linked],
    value: Callable[[Link], Tree],
    literal: Callable[[str], str] = lambda text: text,
) -> Request:
    """The request with the texts that links stand in made of `literal` texts and of what each link stands for."""
    places = {linked.place: linked for linked in links}

    def change(place: Path, text: Tree) -> Tree:
        linked = places.get(place)
        return text if linked is None else _filled(linked, value, literal, typed=request.body.kind in _TYPED)

    return revised(request, change, every=True)


def revised(request: Request, change: Callable[[Path, str], Tree], *, every: bool = False) -> Request:
    """The request with every text changed. A text is named by `target`, `headers` or `trailers` and a number, or `body` and
    the steps in its value. `every`: so is everything else in the body."""
    body = _tree(request.body.value, ("body",), change, every=every)
    return replace(
        request,
        target=str(change(("target",), request.target)),
        headers=tuple((name, str(change(("headers", at), text))) for at, (name, text) in enumerate(request.headers)),
        body=request.body if body is request.body.value else replace(request.body, value=body),
        trailers=tuple((name, str(change(("trailers", at), text))) for at, (name, text) in enumerate(request.trailers)),
    )


class Recorded:
    """What cases were answered when they were recorded, by place."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = {case.name: case for case in cases}
        self._answers: dict[str, Tree] = {}

    def case(self, name: str) -> Case:
        """The case of that name. Raises KeyError."""
        return self._cases[name]

    def value(self, link: Link) -> Tree:
        """What a link stands for. Raises LookupError where there is no such place."""
        return at(self.answer(link.case), link.place)

    def answer(self, name: str) -> Tree:
        """The response of a case as links speak of it. Raises KeyError where there is no such case."""
        if name not in self._answers:
            response = self._cases[name].response
            said = _meaning(response.body, response.headers)
            self._answers[name] = answers.view(response.status, response.headers, said, response.trailers)
        return self._answers[name]


def at(answer: Tree, place: Path) -> Tree:
    """What stands at a place of a response (`wiretape.body.answers`). Raises LookupError where there is no such place."""
    here = answer
    for number, step in enumerate(place):
        if isinstance(here, dict) and isinstance(step, str):
            here = here[step.lower() if number == 1 and place[0] in ("headers", "trailers") else step]
        elif isinstance(here, list) and isinstance(step, int):
            here = here[step]
        elif isinstance(here, str) and isinstance(step, str):
            here = _url(here, step)
        else:
            raise LookupError(step)  # noqa: TRY004 - one kind of failure for the caller
    return here


def plain(value: Tree) -> str:
    """A value as it is written within a text."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
    return str(value)


def _read(case: Case, broken: list[Broken]) -> Case:
    """The case with its links found; those that cannot be read are noted."""
    found: list[Linked] = []

    def look(place: Path, text: str) -> str:
        if "${" in text:
            pieces = list(_pieces(case, text, broken))
            if any(isinstance(piece, Link) for piece in pieces):
                found.append(Linked(place=place, pieces=tuple(pieces)))
        return text

    revised(case.request, look)
    return replace(case, links=tuple(found)) if found else case


def _pieces(case: Case, text: str, broken: list[Broken]) -> Iterator[str | Link]:
    done = 0
    for found in _WRITTEN.finditer(text):
        if not found["link"] or found["link"].startswith(_OTHER):
            continue
        try:
            link = parse(found["link"])
        except ValueError as error:
            broken.append(Broken(case=case, written=found[0], reason=str(error)))
            continue
        if found.start() > done:
            yield text[done : found.start()]
        yield link
        done = found.end()
    if done < len(text):
        yield text[done:]


def _wrong(case: Case, link: Link, turn: int, order: Mapping[str, int], found: Recorded) -> str:
    """Why a link stands for nothing; empty where it stands for something."""
    name = f"`${{{link.text}}}`"
    if link.case not in order:
        near = difflib.get_close_matches(link.case, order, 1)
        return f"{name}: no case is called {link.case}" + (f"; did you mean {near[0]}?" if near else "")
    if order[link.case] >= turn:
        return f"{name} links to {'itself' if link.case == case.name else 'a case that comes later'}; link to an earlier one"
    try:
        value = found.value(link)
    except LookupError:
        return f"{name}: {link.case} was answered nothing at {spell(('response', *link.place))}"
    if isinstance(value, dict | list | bytes):
        return f"{name} names {'bytes' if isinstance(value, bytes) else 'more than one value'}; a link stands for one value"
    return ""


def _filled(linked: Linked, value: Callable[[Link], Tree], literal: Callable[[str], str], *, typed: bool) -> Tree:
    first, *rest = linked.pieces
    if not rest and isinstance(first, Link) and typed and linked.place[0] == "body":
        return value(first)
    return "".join(
        literal(piece) if isinstance(piece, str) else _inserted(piece, plain(value(piece)), linked, first=number == 0)
        for number, piece in enumerate(linked.pieces)
    )


def _inserted(link: Link, text: str, linked: Linked, *, first: bool) -> str:
    if linked.place != ("target",) or first or link.raw:
        return text
    # A secret is only named yet.
    return "".join(part if number % 2 else quote(part, safe="") for number, part in enumerate(_REFERENCE.split(text)))


def _spelled(piece: str | Link) -> str:
    return piece if isinstance(piece, str) else f"${{{piece.text}}}"


def _tree(tree: Tree, place: Path, change: Callable[[Path, str], Tree], *, every: bool) -> Tree:
    if isinstance(tree, dict):
        entries = {key: _tree(value, (*place, key), change, every=every) for key, value in tree.items()}
        return tree if all(entries[key] is value for key, value in tree.items()) else entries
    if isinstance(tree, list):
        items = [_tree(value, (*place, number), change, every=every) for number, value in enumerate(tree)]
        return tree if all(new is old for new, old in zip(items, tree, strict=True)) else items
    return change(place, tree) if every or isinstance(tree, str) else tree  # type: ignore[arg-type]


def _url(text: str, step: str) -> Tree:
    """A part of the URL that a text is. Raises LookupError."""
    parts = urlsplit(text)
    match step:
        case "target":
            return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        case "path":
            return [unquote(segment) for segment in parts.path.removeprefix("/").split("/")]
        case "query":
            return dict(reversed(parse_qsl(parts.query, keep_blank_values=True)))
    raise LookupError(step)


def _meaning(body: Body, headers: Headers) -> Tree:
    if body.kind == "json":
        return body.value
    try:
        return bodies.meaning(bodies.write(body, headers), headers, body.types)
    except EncodeError:
        return body.value
