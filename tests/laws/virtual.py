"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done: hours of waiting in no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  # which class it is depends on the system
    """Instead of waiting, says that the time has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits for something that never comes")
        self.passed += max(timeout, 0)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.passed


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time. Nothing that waits for the outside may run in it."""
    return asyncio.run(work, loop_factory=_Loop)
