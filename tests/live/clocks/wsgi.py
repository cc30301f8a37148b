"""A WSGI application: GET /now, /pause. For gunicorn, with workers."""

import time
from datetime import UTC, datetime


def app(environ, start):
    if environ["PATH_INFO"] == "/pause":
        began = time.monotonic()
        time.sleep(0.05)
        body = b"waited" if 0.04 < time.monotonic() - began < 5 else b"did not wait"
    else:
        body = f"{datetime.now(UTC):%Y/%m/%d %Hh%M}".encode()
    start("200 OK", [("content-type", "text/plain"), ("content-length", str(len(body)))])
    return [body]
