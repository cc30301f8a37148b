"""GETs a second from redis-py: real Redis over loopback, and wiretape's mock of it."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import redis
from harness import ROOT, WIRETAPE, Result, Unavailable, free_port, in_turn, running

sys.path.insert(0, str(ROOT))

from tests.live.servers import redis as server

KEYS = 2000
HEAD = """\
wiretape: 1
name: get-products
request: {method: GET, path: /products}
response: {status: 200}
calls:
"""
CALL = """\
- cache: GET product:{0}
  reply: '{{"sku": "LAMP-{0}", "name": "Desk lamp", "price": "39.90"}}'
"""
CONTENDERS = (("one GET at a time", 1, 1.0), ("pipelines of 20 GETs", 20, 0.5))  # what, how many together, the aim


def rate(url: str, seconds: float, together: int) -> float:
    """GETs a second, of as many different keys in turn."""
    client = redis.Redis.from_url(url)
    try:
        deadline, done = time.perf_counter() + seconds, 0
        began = time.perf_counter()
        while time.perf_counter() < deadline:
            names = [f"product:{(done + at) % KEYS}" for at in range(together)]
            if together == 1:
                found = [client.get(names[0])]
            else:
                with client.pipeline(transaction=False) as pipe:
                    for name in names:
                        pipe.get(name)
                    found = pipe.execute()
            assert all(found)
            done += together
        return done / (time.perf_counter() - began)
    finally:
        client.close()


def measure(rounds: int, seconds: float) -> list[Result]:
    if shutil.which("redis-server") is None:
        raise Unavailable("redis-server is not installed")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-bench-")))
        real, port = stack.enter_context(server.serve(password="")), free_port()
        with redis.Redis.from_url(real.url) as client:
            client.mset(
                {f"product:{at}": f'{{"sku": "LAMP-{at}", "name": "Desk lamp", "price": "39.90"}}' for at in range(KEYS)}
            )
        (folder / "suite").mkdir()
        (folder / "suite/get-products.yaml").write_text(HEAD + "".join(map(CALL.format, range(KEYS))))
        (folder / "suite/suite.yaml").write_text("wiretape: 1\n")
        dep = f"cache=redis://127.0.0.1:{real.port}@{port}"
        stack.enter_context(running([*WIRETAPE, "serve", "--suite", "suite", "--dep", dep], port, cwd=folder))
        results = []
        for name, together, aim in CONTENDERS:
            found = in_turn(
                rounds,
                {
                    "real": partial(rate, real.url, seconds, together),
                    "mock": partial(rate, f"redis://127.0.0.1:{port}/0", seconds, together),
                },
            )
            results.append(
                Result(name=f"mock, {name}", ours=found["mock"], other=found["real"], unit="GETs/s", aim=aim,
                       other_name="Redis over loopback")
            )  # fmt: skip
    return results
