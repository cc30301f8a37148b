"""JSON Schemas of the files wiretape reads, for editors that complete and check as one types.

Made from the same tables of keys that reading holds a file to, and from the codecs' own schemas of their calls' fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from wiretape import noisekinds
from wiretape.casefile import CASE_KEYS, MESSAGES, PART_FILE, REQUEST_KEYS, RESPONSE_KEYS, SESSION_KEYS, SUITE_KEYS, VERSION
from wiretape.options import PROXY_OPTIONS, RECORD_OPTIONS, SERVICE_OPTIONS, TARGET_OPTIONS
from wiretape.protocols import CODECS, codec
from wiretape.schemes import names
from wiretape.tree import Tree

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Tree = {"type": ["string", "number", "boolean"]}
_LINKS = "; in a request ${CASE.response.body.id} stands for what an earlier case was answered there"
_WORD: Tree = {"type": "string"}
_PAIRS: Tree = {
    "description": f"names with values, in order; a list of values repeats the name; or a list of [name, value]{_LINKS}",
    "oneOf": [
        {"type": "object", "additionalProperties": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}},
        {"type": "array", "items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}},
    ],
}
_NOISE: Tree = {
    "type": "array",
    "description": "places that may differ, each with the kind of value that must still be there",
    "items": {"type": "object", "additionalProperties": noisekinds.schema()},
}
_PART: Tree = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "filename": _TEXT,
        "type": {"type": "string", "description": "the part's content-type"},
        "headers": _PAIRS,
        "value": {"description": "text, a tree where the type is JSON, or bytes"},
        "text": _TEXT,
        "style": _WORD,
        PART_FILE: {"type": "string", "description": "the name of a file beside this one that holds the value"},
    },
    "additionalProperties": False,
}
_EVENT: Tree = {
    "type": "object",
    "properties": {
        "event": _TEXT,
        "data": {"description": "a tree where it is a JSON object or array, else text"},
        "id": _TEXT,
        "retry": {"type": ["integer", "string"], "description": "milliseconds"},
        "comment": _TEXT,
    },
    "additionalProperties": False,
}
_CLOSE: Tree = {"type": ["integer", "null"], "minimum": 1000, "maximum": 4999, "description": "a close with this code"}
_CONVERSATION: Tree = {
    "type": "array",
    "description": "the messages of a WebSocket in order: sent to the service, received from it",
    "items": {
        "type": "object",
        "properties": {
            "send": {"description": "a tree (JSON), text or bytes"},
            "receive": {"description": "a tree (JSON), text or bytes"},
            "send_close": _CLOSE,
            "receive_close": _CLOSE,
            "reason": _TEXT,
            "style": {"type": "string", "description": "how the JSON is written where not the usual way"},
        },
        "oneOf": [{"required": [name]} for name in MESSAGES],
        "additionalProperties": False,
    },
}
_MESSAGE: Mapping[str, Tree] = MappingProxyType(
    {
        "method": _WORD,
        "path": {"type": "string", "description": f"path and query, as on the wire{_LINKS}"},
        "status": {"type": "integer", "minimum": 0, "maximum": 999},
        "reason": _TEXT,
        "headers": _PAIRS,
        "trailers": _PAIRS,
        "unfinished": {"type": "boolean", "description": "a stream of events that the client left before it ended"},
        "version": {"enum": [2, "2"], "description": "2 where the request came by HTTP/2"},
        "body": {
            "description": "a tree (JSON, form), a list (multipart, events, JSON lines, gRPC) or text, by the content-type"
            + _LINKS
        },
        "body_json": {"description": "a JSON body where the content-type does not tell"},
        "body_text": _TEXT,
        "body_form": _PAIRS,
        "body_multipart": {"type": "array", "items": _PART, "description": "the parts, where the content-type does not tell"},
        "body_events": {"type": "array", "items": _EVENT, "description": "the events of an event stream"},
        "body_lines": {"type": "array", "description": "one JSON value a line"},
        "body_grpc": {"type": "array", "description": "the messages of a gRPC call, by field numbers or names"},
        "body_base64": _WORD,
        "body_file": {"type": "string", "description": "the name of a file beside this one"},
        "body_style": {"type": "string", "description": "how the body is written on the wire where not the usual way"},
        "body_raw": {"type": "string", "description": "the bytes of the wire (base64), sent while they still mean the body"},
        "body_raw_file": _WORD,
    }
)
_EXPANDED: Tree = {"type": ["string", "number", "boolean"]}  # any option may be a string with ${ENV} in it
_OPTIONS: Mapping[str, Tree] = MappingProxyType(
    {
        "url": {"type": "string", "description": "http://HOST:PORT of the service"},
        "listen": {"type": ["string", "integer"], "description": "PORT or HOST:PORT to listen on"},
        "upstream": {"type": ["string", "integer"], "description": "HOST:PORT of the real server"},
        "ready": {"type": "string", "description": "a path that answers below 500 once the service is ready"},
        "protos": {
            "type": ["array", "string"],
            "items": _EXPANDED,
            "description": ".proto files, folders of them, or descriptor sets of the gRPC messages",
        },
        "ready_timeout": {"type": ["number", "string"], "description": "seconds"},
        "command": {"type": ["string", "array"], "items": _EXPANDED, "description": "starts the service"},
        "env": {"type": "object", "additionalProperties": _EXPANDED},
        "tls": {"type": "string", "description": "auto, refuse or passthrough"},
        "verify": {"type": ["boolean", "string"], "description": "whether the upstream's certificate must be trusted"},
        "ca": {"type": "string", "description": "PEM file with certificates to trust upstream, besides the system's"},
        "certificate": {"type": "string", "description": "PEM file with the server's own key and chain"},
        "user": _EXPANDED,
        "password": _EXPANDED,
        "database": _EXPANDED,
        "serialize": {"type": ["boolean", "string"], "description": "let one request through at a time"},
        "trace": {"type": ["boolean", "string"], "description": "give every request that has none a trace id to pass on"},
        "sample": {"type": ["number", "string"], "description": "the share of requests kept, 0 to 1"},
        "passthrough": {"type": ["array", "string"], "items": _EXPANDED, "description": "hosts (globs) whose TLS is not read"},
        "include": {"type": ["array", "string"], "items": _EXPANDED},
        "exclude": {"type": ["array", "string"], "items": _EXPANDED},
        "max_body": {"type": ["integer", "string"], "description": "bytes, or such as 512KiB"},
        "dedupe": {"type": ["boolean", "string"], "description": "keep one case of each kind"},
        "links": {"type": ["boolean", "string"], "description": "write what a request took from an earlier response as a link"},
    }
)

type Schema = dict[str, Tree]


def case_schema(targets: Mapping[str, str]) -> Schema:
    """Of a case file. `targets`: name -> protocol of the targets its calls may name; none: any."""
    message = {"request": _object(REQUEST_KEYS, _MESSAGE), "response": _object(RESPONSE_KEYS, _MESSAGE)}
    message["request"]["required"] = ["method", "path"]
    message["response"]["required"] = ["status"]
    words: Schema = dict.fromkeys(("name", "recorded", "first_recorded", "attributed", "incomplete"), _TEXT)
    known = words | message | {"messages": _CONVERSATION} | _shared(targets)
    return _file("case", CASE_KEYS, known, ["wiretape", "request", "response"])


def suite_schema(targets: Mapping[str, str]) -> Schema:
    """Of suite.yaml."""
    facts: Tree = {"type": "object", "additionalProperties": {"type": "object"}}
    return _file(
        "suite",
        SUITE_KEYS,
        _shared(targets) | {"traced": {"type": "boolean"}, "facts": facts, "calls": {"enum": ["strict", "writes", "off"]}},
        ["wiretape"],
    )


def session_schema(targets: Mapping[str, str]) -> Schema:
    """Of session.yaml."""
    return _file("session", SESSION_KEYS, _shared(targets), ["wiretape"])


def config_schema(_: Mapping[str, str]) -> Schema:
    """Of wiretape.yaml."""
    target = _object(
        TARGET_OPTIONS,
        {**_OPTIONS, "protocol": {"enum": list(names(CODECS))}},
    )
    parts: Schema = {
        "suite": {"type": "string", "description": "the folder of the cases, relative to this file"},
        "service": _object(SERVICE_OPTIONS, _OPTIONS),
        "targets": {"type": "object", "additionalProperties": target},
        "proxy": _object(PROXY_OPTIONS, _OPTIONS),
        "record": _object(RECORD_OPTIONS, _OPTIONS),
    }
    return _file("config", ("wiretape", *parts), parts, ["wiretape"])


SCHEMAS: Mapping[str, Callable[[Mapping[str, str]], Schema]] = MappingProxyType(
    {"case": case_schema, "suite": suite_schema, "session": session_schema, "config": config_schema}
)


def _file(name: str, keys: tuple[str, ...], known: Mapping[str, Tree], required: list[Tree]) -> Schema:
    version: Tree = {"const": VERSION, "description": "the format's version"}
    return (
        {"$schema": DIALECT, "title": f"wiretape {name}"}
        | _object(keys, {"wiretape": version, **known})
        | {"required": required}
    )


def _object(keys: Mapping[str, object] | tuple[str, ...], known: Mapping[str, Tree]) -> Schema:
    return {"type": "object", "properties": {name: known[name] for name in keys}, "additionalProperties": False}


def _shared(targets: Mapping[str, str]) -> Schema:
    return {"calls": {"type": "array", "items": _call(targets)}, "noise": _NOISE}


def _call(targets: Mapping[str, str]) -> Tree:
    """A call's keys: its target with the operation, its codec's fields, how it was attributed."""
    words: Schema = {
        "attributed": {"type": "string", "description": "how this call was found to be the case's"},
        "ambiguous": {"type": "array", "items": _TEXT, "description": "cases that could have made it, too"},
    }
    if not targets:
        return {
            "type": "object",
            "properties": {**_any_fields(), **words},
            "additionalProperties": {**_operation()},
            "minProperties": 1,
        }
    each: list[Tree] = [
        {
            "type": "object",
            "properties": {name: _operation(), **codec(protocol).schema, **words},
            "required": [name],
            "additionalProperties": False,
        }
        for name, protocol in targets.items()
    ]
    return each[0] if len(each) == 1 else {"oneOf": each}


def _any_fields() -> Schema:
    """The fields of every codec's calls; codecs may mean different things by one name."""
    rules: dict[str, list[Tree]] = {}
    for protocol in CODECS:
        for name, rule in codec(protocol).schema.items():
            known = rules.setdefault(name, [])
            if rule not in known:
                known.append(rule)
    return {name: known[0] if len(known) == 1 else {"anyOf": known} for name, known in rules.items()}


def _operation() -> Schema:
    return {"type": "string", "description": "what is asked of the target"}
