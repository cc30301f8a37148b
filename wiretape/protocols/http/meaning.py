"""What a request means, whoever's library sent it: the headers that say something, the body as a tree, the target's parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from wiretape import body as bodies
from wiretape.case import Headers
from wiretape.tree import Tree, kind, same

_FORM_TYPE = "application/x-www-form-urlencoded"
# The connection's own, the client library's own, and what telemetry adds: none of it says what is asked.
_UNSAID = re.compile(
    r"""accept-(?:encoding|charset)|alt-used|cache-control|connection|content-length|date|dnt|expect|forwarded|from|host
    |http2-settings|keep-alive|origin|pragma|priority|proxy-.*|purpose|referer|save-data|sec-.*|te|trailer|transfer-encoding
    |upgrade|upgrade-insecure-requests|user-agent|via|grpc-(?:accept-encoding|encoding|timeout|trace-bin|tags-bin)
    |traceparent|tracestate|baggage|b3|x-b3-.*|x-cloud-trace-context|x-amzn-trace-id|uber-trace-id|uberctx-.*|sentry-trace
    |x-datadog-.*
    |x-amz-(?:date|content-sha256|security-token|user-agent)|x-ms-(?:date|client-request-id|return-client-request-id)
    |content-(?:md5|digest)|digest|repr-digest|signature|signature-input|x-elastic-client-meta|x-client-data
    |newrelic|x-ot-.*|ot-.*|elastic-apm-.*|x-(?:request|correlation|trace|span|transaction|amzn-request)-?id|request-id
    |correlation-id|x-forwarded-.*|x-real-ip|x-envoy-.*|x-stainless-.*|amz-sdk-.*|x-goog-api-client|wiretape-.*
    |(?:.*-)?(?:user-agent|telemetry|sdk|sdk-version|client-info|retry-count|retry-attempt|attempt)""",
    re.VERBOSE,
)
_VERSION = re.compile(r"v\d+(?:[._-]?[a-z0-9]+)?|\d{4}-\d\d-\d\d")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_SIGNS = re.compile(r"x-(?:amz|goog)-(?:date|signature|credential|security-token)", re.IGNORECASE)
_DRAWN = re.compile(r"(?=.*\d)[\w.:+/=-]{12,}(?: [\d:.+Z]+)?")  # ids, tokens, moments
_GRPC = "application/grpc"
_PLAIN_PORTS = ("80", "8080")


def said(headers: Headers) -> Headers:
    """The headers that say what is asked, in lower case, in the order they were sent."""
    told = ((name.lower(), _value(name.lower(), value)) for name, value in headers)
    return tuple((name, value) for name, value in told if value is not None)


def _value(name: str, value: str) -> str | None:
    """A header's value without what differs between libraries; None where it says nothing."""
    if _UNSAID.fullmatch(name):
        return None
    match name:
        case "accept" if any(part.partition(";")[0].strip() in ("*/*", "") for part in value.split(",")):
            return None  # anything will do
        case "accept-language" if value.strip() == "*":
            return None  # a library's own (undici); any other was chosen
        case "content-type":
            return _content_type(value)
        case "authorization" | "proxy-authorization":
            return _authorization(value)
        case "content-encoding" if value.strip().lower() in ("identity", ""):
            return None
    return value


def _authorization(value: str) -> str:
    """Credentials, but of schemes that sign each request anew only the scheme (AWS4-HMAC-SHA256, Digest, OAuth 1.0)."""
    scheme, _, rest = value.partition(" ")
    return scheme if "," in rest and "=" in rest else value


def _content_type(value: str) -> str | None:
    """A media type without the parameters that say nothing: a multipart's boundary, the charset that is usual anyway."""
    kind, *parameters = (part.strip() for part in value.split(";"))
    kept = [part for part in parameters if not re.fullmatch(r'(?i)boundary=.*|charset="?utf-?8"?|', part)]
    return "; ".join([kind.lower(), *kept]) or None


def body_meaning(data: bytes, headers: Headers) -> Tree:
    """What a request's body says; None for none, and for JSON's null."""
    value = bodies.meaning(data, headers)
    if bodies.media_type(headers) == _FORM_TYPE:
        return gathered(value)
    return value


def gathered(form: Tree) -> Tree:
    """A form as a mapping: the order of its names does not matter, that of one name's values does."""
    if not isinstance(form, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in form):
        return form
    found: dict[str, list[Tree]] = {}
    for pair in form:
        if isinstance(pair, list):
            found.setdefault(str(pair[0]), []).append(pair[1])
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def split_target(target: str) -> tuple[str, str, str]:
    """Origin (`https://host`; empty for the usual form of a target), path, and query of a request target."""
    origin = ""
    if found := _ORIGIN.match(target):
        origin, target = found[0].lower(), target[found.end() :] or "/"
    path, _, query = target.partition("#")[0].partition("?")
    return origin, path, query


def tunnelled(authority: str) -> str:
    """The origin (`https://host`) of requests that come through a tunnel to `host:port`: TLS, but for ports that say not."""
    host, _, port = authority.rpartition(":")
    scheme = "http" if port in _PLAIN_PORTS else "https"
    return f"{scheme}://{host}" if port in ("80", "443") else f"{scheme}://{host}:{port}"


def path_parts(path: str) -> Iterator[tuple[str, bool]]:
    """The segments of a path, decoded, each with whether it is a value (an id) rather than a word."""
    for segment in path.split("/")[1:]:
        word = unquote(segment)
        yield word, any(char.isdigit() for char in word) and not _VERSION.fullmatch(word)


def query_parts(query: str) -> list[tuple[str, str]]:
    """Names with values, by name; the values of one name in the order they were given. What signs a URL is left out."""
    pairs = (pair for pair in parse_qsl(query, keep_blank_values=True) if not _SIGNS.fullmatch(pair[0]))
    return sorted(pairs, key=lambda pair: pair[0])


def is_grpc(headers: Headers) -> bool:
    """Whether a message belongs to gRPC."""
    return bodies.media_type(headers).startswith(_GRPC)


def alike(recorded: Tree, live: Tree) -> bool:
    """Whether two messages say the same, but for what looks drawn anew each time. For where no book can be asked."""
    if isinstance(recorded, dict) and isinstance(live, dict):
        return recorded.keys() == live.keys() and all(alike(value, live[name]) for name, value in recorded.items())
    if isinstance(recorded, list) and isinstance(live, list):
        return len(recorded) == len(live) and all(map(alike, recorded, live))
    if isinstance(recorded, str) and isinstance(live, str) and len(recorded) == len(live):
        return recorded == live or bool(_DRAWN.fullmatch(recorded) and _DRAWN.fullmatch(live))
    return kind(recorded) == kind(live) and same(recorded, live)
