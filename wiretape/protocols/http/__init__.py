"""HTTP, as a service answers it and as it asks others."""

from wiretape.protocols.base import Codec
from wiretape.protocols.http.about import about
from wiretape.protocols.http.asks import ask
from wiretape.protocols.http.exchange import SWITCHING, Exchange, Message
from wiretape.protocols.http.inspection import SCHEMA, check
from wiretape.protocols.http.messages import request_head_and_body, stored_response, to_messages, to_request, to_response
from wiretape.protocols.http.outbound import CallTap, merge
from wiretape.protocols.http.recognition import recognises
from wiretape.protocols.http.responder import HttpResponder
from wiretape.protocols.http.tap import HttpTap

__all__ = [
    "CODEC",
    "SWITCHING",
    "Exchange",
    "HttpTap",
    "Message",
    "request_head_and_body",
    "stored_response",
    "to_messages",
    "to_request",
    "to_response",
]

CODEC = Codec(
    name="http",
    default_port=80,
    tap=CallTap,
    responder=HttpResponder,
    ask=ask,
    check=check,
    merge_facts=merge,
    recognises=recognises,
    schema=SCHEMA,
    about=about,
)
