"""HTTP, as a service answers it and as it asks others."""

from wiretape.protocols.http.exchange import SWITCHING, Exchange, Message
from wiretape.protocols.http.h1 import HttpTap
from wiretape.protocols.http.messages import request_head_and_body, stored_response, to_messages, to_request, to_response

__all__ = [
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
