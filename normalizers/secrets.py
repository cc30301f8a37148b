"""Finding credentials in recorded cases, so that none reaches a file that goes to git.

Three ways to be found: by place (the Authorization header, a session cookie, a field or column called `password`), by look (a
JWT, an API key with a known prefix, a password hash, a private key), and by being the same value as one found so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from normalizers.tokens import drawn
from wiretape.case import Body, Call, Case
from wiretape.tree import Path, Tree, walk

# Shorter ones are words and numbers that stand in many places for other reasons.
SHORTEST = 4

_NAMED = re.compile(
    r"(?:^|[-_.])(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|jwt|api[-_]?key|access[-_]?key|private[-_]?key|auth|authorization"
    r"|credentials?|session[-_]?(?:id|key)|csrf|xsrf|signature|otp|pin)(?:$|[-_.](?:hash|value|digest|hex))",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?:proxy-)?authorization|x-(?:.*-)?(?:api-?key|auth|token|secret|csrf-token|xsrf-token)|api-?key", re.IGNORECASE
)
_SESSION_COOKIE = re.compile(r"sess|sid\b|auth|login|remember", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOOKS = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"  # JSON Web Token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{20,}|\bAIza[0-9A-Za-z_-]{35}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----"
    r"|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$\S+|\b(?:pbkdf2|scrypt|bcrypt)[_a-z0-9]*[:$]\S{16,}"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"  # user and password within a URL
)
_INSERT = re.compile(r"\binsert\s+into\s+\S+\s*\(([^()]*)\)\s*values\s*\(([^()]*)\)", re.IGNORECASE)
_EQUALS = re.compile(r"[\"`]?(\w+)[\"`]?\s*=\s*\$(\d+)")

type Found = tuple[str, str]
"""A readable name for the place, and the value."""


def find(
    cases: Sequence[Case], session: Sequence[Call], taken: Mapping[str, str], made: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, str]:
    """Name -> value of everything that looks like a credential; a value in `taken` (earlier recordings) keeps its name.

    A name is the case's and the place's (`post-login-password`), with a number where that is taken by another value. `made`:
    value -> the name of the place where it was made, for those that are found in requests only.
    """
    names: dict[str, str] = {}
    known = {value: name for name, value in taken.items()}
    for owner, place, value in _all(cases, session):
        if len(value) < SHORTEST or value in names:
            continue
        names[value] = known.get(value) or _free(made.get(value, f"{owner}-{place}"), {*names.values(), *taken})
    return {name: value for value, name in names.items()}


def _free(wanted: str, used: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
    name, count = base, 1
    while name in used:
        count += 1
        name = f"{base}-{count}"
    return name


def _all(cases: Sequence[Case], session: Sequence[Call]) -> Iterator[tuple[str, str, str]]:
    for case in cases:
        yield from ((case.name, *found) for found in _in_case(case))
    yield from (("session", *found) for call in session for found in _in_call(call))


def _in_case(case: Case) -> Iterator[Found]:
    yield from _in_headers(case.request.headers)
    yield from _in_query(case.request.target)
    yield from _in_body(case.request.body)
    yield from _in_headers(case.response.headers)
    yield from _in_body(case.response.body)
    for message in case.messages:
        yield from _in_tree(message.value)
    for call in case.calls:
        yield from _in_call(call)


def _named(name: str) -> bool:
    return bool(_NAMED.search(_CAMEL.sub("_", name)))


def _in_headers(headers: Iterable[tuple[str, str]]) -> Iterator[Found]:
    for name, value in headers:
        lower = name.lower()
        if lower in ("cookie", "set-cookie"):
            yield from _in_cookie(value)
        elif lower.endswith("authorization"):
            yield "authorization", value.partition(" ")[2] or value
        elif _HEADER.fullmatch(name):
            yield lower, value
        else:
            yield from _looks(lower, value)


def _in_cookie(value: str) -> Iterator[Found]:
    try:
        crumbs = SimpleCookie(value)
    except CookieError:
        return
    for name, crumb in crumbs.items():
        if _named(name) or _SESSION_COOKIE.search(name) or drawn(crumb.coded_value):
            yield f"cookie-{name}", crumb.coded_value


def _in_query(target: str) -> Iterator[Found]:
    for name, value in parse_qsl(urlsplit(target).query):
        if _named(name):
            yield name, value
    yield from _looks("path", target)


def _in_body(body: Body) -> Iterator[Found]:
    if body.kind == "form" and isinstance(body.value, list):
        yield from _in_tree({str(pair[0]): pair[1] for pair in body.value if isinstance(pair, list) and len(pair) == 2})
    elif body.kind == "multipart" and isinstance(body.value, list):
        yield from _in_tree({str(part.get("name")): part.get("value") for part in body.value if isinstance(part, dict)})
    else:
        yield from _in_tree(body.value)


def _in_tree(tree: Tree) -> Iterator[Found]:
    for path, value in walk(tree):
        if not isinstance(value, str):
            continue
        name = _last_name(path)
        if name and _named(name):
            yield name, value
        else:
            yield from _looks(name or "value", value)


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _looks(place: str, value: str) -> Iterator[Found]:
    for found in _LOOKS.finditer(value):
        text = found[0]
        secret_in_url = value[: found.start()].endswith("://")
        yield (f"{place}-url-password", text.partition(":")[2]) if secret_in_url else (place, text)


def _in_call(call: Call) -> Iterator[Found]:
    yield from _in_columns(call.fields)
    params = call.fields.get("params")
    if isinstance(params, list):
        for name, position in _parameter_names(call.operation):
            value = params[position - 1] if 0 < position <= len(params) else None
            if isinstance(value, str) and _named(name):
                yield name, value
    yield from _looks("sql", call.operation)
    told = {name: value for name, value in call.fields.items() if name not in ("columns", "param_types")}
    response = told.get("response")
    if isinstance(response, dict):  # HTTP: what is in headers and in the query is read as in a case
        yield from _in_query(call.operation.partition(" ")[2])
        for message in (told, response):
            yield from _in_headers(_header_pairs(message.get("headers")))
        told["response"] = {name: value for name, value in response.items() if name != "headers"}
        told.pop("headers", None)
    yield from _in_tree(told)


def _header_pairs(headers: Tree) -> Iterator[tuple[str, str]]:
    for name, given in headers.items() if isinstance(headers, dict) else ():
        yield from ((name, value) for value in (given if isinstance(given, list) else [given]) if isinstance(value, str))


def _in_columns(fields: Mapping[str, Tree]) -> Iterator[Found]:
    """Rows by the names of their columns, of the call or of each of its `results`."""
    results = fields.get("results")
    for result in results if isinstance(results, list) else [dict(fields)]:
        if not isinstance(result, dict):
            continue
        columns, rows = result.get("columns"), result.get("rows")
        named = [n for n, name in enumerate(_column_names(columns)) if _named(name)]
        for row in rows if isinstance(rows, list) and named else []:
            for n in named:
                value = row[n] if isinstance(row, list) and n < len(row) else None
                if isinstance(value, str):
                    yield _column_names(columns)[n], value


def _column_names(columns: Tree) -> list[str]:
    if isinstance(columns, dict):
        return list(columns)
    pairs = columns if isinstance(columns, list) else []
    return [str(pair[0]) if isinstance(pair, list) and pair else "" for pair in pairs]


def _parameter_names(sql: str) -> Iterator[tuple[str, int]]:
    """What the statement calls its parameters: `name = $1`, or the column an INSERT puts it in."""
    for name, number in _EQUALS.findall(sql):
        yield name, int(number)
    for columns, values in _INSERT.findall(sql):
        names = [name.strip(' "`\n\t') for name in columns.split(",")]
        for name, value in zip(names, values.split(","), strict=False):
            if found := re.fullmatch(r"\s*\$(\d+)(?:::\w+)?\s*", value):
                yield name, int(found[1])
