"""Just the mocks, for a service under development: every case answers at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from replayer.runner import prepare, recorded_at
from wiretape.case import Case
from wiretape.config import Config
from wiretape.protocols.base import Miss


async def serve(config: Config, environ: Mapping[str, str], speak: Callable[[str], None]) -> None:
    """Serve until cancelled. Raises ConfigError, StoreError, TargetError."""
    material = prepare(config, environ)
    suite = material.suite
    now = time.time()

    def when(case: Case) -> When:
        return When(recorded=recorded_at(case), live=now)

    def missed(miss: Miss) -> None:
        speak(material.mask.miss(miss).explain())

    book = Book(suite, material.codecs, when=when(suite.cases[0]))
    book.on_miss = missed
    book.open_all(when)
    mocks = Mocks(material.targets, suite.facts, material.codecs, book, config.home)
    try:
        await mocks.start()
        for name, address in mocks.addresses.items():
            speak(f"{name} ({material.targets[name].protocol}) listens on {address}, answering from {len(suite.cases)} cases")
        await asyncio.Event().wait()
    finally:
        await mocks.stop()
