"""Just the mocks, for a service under development: every case answers at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from normalizers.base import When
from replayer.book import Book
from replayer.forward import proxy
from replayer.material import prepare, recorded_at
from replayer.mocks import Mocks
from wiretape.case import Case
from wiretape.config import Config
from wiretape.errors import ConfigError
from wiretape.protocols.base import Miss


async def serve(config: Config, environ: Mapping[str, str], speak: Callable[[str], None]) -> None:
    """Serve until cancelled. Raises ConfigError, StoreError, TargetError."""
    material = prepare(config, environ)
    if not material.targets:
        raise ConfigError("there is no target to serve; give --dep NAME=PROTOCOL://@LISTEN, or targets: in wiretape.yaml")
    suite = material.suite
    now = time.time()

    def when(case: Case) -> When:
        return When(recorded=recorded_at(case), live=now)

    def missed(miss: Miss) -> None:
        speak(material.mask.miss(miss).explain())

    book = Book(suite, material.codecs, when=when(suite.cases[0]), disguise=material.mask.miss)
    book.on_miss = missed
    book.open_all(when)
    forward = None
    mocks = Mocks(material.targets, suite.facts, material.codecs, book, config.home)
    try:
        await mocks.start()
        for name, address in mocks.addresses.items():
            speak(f"{name} ({material.targets[name].protocol}) listens on {address}, answering from {len(suite.cases)} cases")
        forward = await proxy(config.proxy, material.targets, mocks, book)
        if forward is not None:
            speak(f"the forward proxy listens on {forward.address} (HTTP_PROXY, HTTPS_PROXY)")
        await asyncio.Event().wait()
    finally:
        if forward is not None:
            await forward.stop()
        await mocks.stop()
