"""A request as one line of curl that a person can paste into a shell."""

from __future__ import annotations

import base64
import re
import shlex

from wiretape.case import Request
from wiretape.errors import EncodeError
from wiretape.protocols.http import request_head_and_body
from wiretape.secrets import variable

_SECRET = re.compile(r"\$\{secret:([^{}\s]+)\}")
_FRAMING = ("content-length", "transfer-encoding", "connection")


def curl(request: Request, url: str) -> str:
    """The line. `${secret:name}` becomes the environment variable that supplies it."""
    try:
        headers, body = request_head_and_body(request)
    except EncodeError as error:
        return f"# its body cannot be written: {error}"
    method = ["-I"] if request.method == "HEAD" else ["-X", request.method] if request.method != "GET" or body else []
    version = [] if request.version != "2" else ["--http2" if url.startswith("https:") else "--http2-prior-knowledge"]
    words = ["curl", "-i", "--path-as-is", *version, *method, *_header_words(headers)]
    feed, data = _data(body)
    line = " ".join(_quote(word) for word in [*words, *data, url.rstrip("/") + request.target])
    return feed + line


def _header_words(headers: tuple[tuple[str, str], ...]) -> list[str]:
    kept = [(name, value) for name, value in headers if name.lower() not in _FRAMING]
    return [word for name, value in kept for word in ("-H", f"{name}: {value}" if value else f"{name};")]


def _data(body: bytes) -> tuple[str, list[str]]:
    if not body:
        return "", []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"echo {base64.b64encode(body).decode()} | base64 -d | ", ["--data-binary", "@-"]
    return "", ["--data-raw", text]


def _quote(word: str) -> str:
    return _SECRET.sub(lambda found: f"'\"${variable(found[1])}\"'", shlex.quote(word))
