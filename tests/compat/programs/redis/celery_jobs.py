"""Celery: a producer, and a worker of one thread, with Redis as broker and as the store of results."""

from __future__ import annotations

import json
import sys
from typing import Any

from celery import Celery, chain
from celery.contrib.testing.worker import start_worker

app = Celery("jobs")


@app.task(name="jobs.add")  # type: ignore[untyped-decorator]
def add(left: int, right: int) -> int:
    return left + right


@app.task(name="jobs.fail")  # type: ignore[untyped-decorator]
def fail() -> None:
    raise ValueError("as asked")


def show(step: str, *values: Any) -> None:
    print(json.dumps([step, *values]), flush=True)


def main(url: str) -> None:
    app.conf.update(
        broker_url=url,
        result_backend=url,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=False,
        worker_enable_remote_control=False,
        broker_transport_options={"global_keyprefix": "wt:"},
    )
    with start_worker(app, pool="solo", concurrency=1, perform_ping_check=False, shutdown_timeout=30):
        show("add", add.delay(2, 3).get(timeout=30))
        show("more", [add.delay(number, number).get(timeout=30) for number in range(3)])
        show("chain", chain(add.s(1, 2), add.s(10)).delay().get(timeout=30))
        failed = fail.delay()
        show("fail", repr(failed.get(timeout=30, propagate=False)), failed.state)


if __name__ == "__main__":
    main(sys.argv[1])
