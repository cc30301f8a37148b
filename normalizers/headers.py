"""HTTP headers that say nothing about what a service means: hop-by-hop ones, and those that differ on every response."""

from __future__ import annotations

import re

_VOLATILE = re.compile(
    # RFC 9110 section 7.6.1
    "connection|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade"
    "|content-length|date|server|via|age|alt-svc|x-powered-by"
    "|sec-websocket-accept|x-runtime|x-response-time|x-process-time|server-timing|nel|report-to|expect-ct"
    "|traceparent|tracestate|traceresponse|baggage|b3|x-b3-.*|uber-trace-id|uberctx-.*|sentry-trace|x-cloud-trace-context"
    "|cf-ray|x-amzn-.*|x-envoy-.*|x-datadog-.*"
    "|(?:x-)?(?:[a-z0-9]+-)?(?:request|correlation|trace|transaction|span)-?id"
)


def volatile_header(name: str) -> bool:
    """Whether a header of this name (any letter case) is left out of the comparison unless asked for.

    ETag is compared: most are made from the content. Where one is not, `noise: - response.headers.etag: any` says so.
    """
    return bool(_VOLATILE.fullmatch(name.lower()))
