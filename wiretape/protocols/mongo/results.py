"""Puts the recorded batches of a cursor together again, so that they can be dealt out as this client asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wiretape.case import Call
from wiretape.protocols.base import Answers
from wiretape.protocols.mongo import replies
from wiretape.protocols.mongo.asks import more

_AT_ONCE = 0.0  # seconds: an ask that takes what is there and is no miss where nothing is


@dataclass(slots=True)
class Continued:
    """What has been taken from the recording of a cursor after its first batch. `failure`: how its reading ended."""

    calls: list[Call] = field(default_factory=list)
    failure: Call | None = None


class Results:
    """The cursors of a target's recording, by their numbers there."""

    def __init__(self, answers: Answers, target: str, known: dict[int, Continued]) -> None:
        self._answers, self._target, self._known = answers, target, known

    def opened(self, first: Sequence[bytes], number: int, place: str) -> tuple[Sequence[bytes], int]:
        """All documents of a result that begins with `first`, and the number its cursor is left open with (0: it is not).

        What was read of it before is there again: the same question has the same answer.
        """
        continued = self._known.setdefault(number, Continued())
        return self._whole(first, [*continued.calls, *self._taken(number, place, continued)], number)

    def gone_on(self, call: Call, number: int, place: str) -> tuple[Sequence[bytes], int]:
        """The same for a call that continues the cursor."""
        continued = self._known.setdefault(number, Continued())
        continued.calls.append(call)
        return self._whole((), [call, *([] if _ends(call) else self._taken(number, place, continued))], number)

    def next(self, number: int, operation: str) -> Call | None:
        """The recorded call that continues a cursor, where its turn has come."""
        call = self._answers.take(more(self._target, operation, number, _AT_ONCE))
        return call if isinstance(call, Call) else None

    def failure(self, number: int) -> Call | None:
        """The recorded failure that comes next, once."""
        continued = self._known.get(number)
        if continued is None:
            return None
        found, continued.failure = continued.failure, None
        return found

    def _taken(self, number: int, place: str, continued: Continued) -> list[Call]:
        """What the recording has next, up to where the service has first to do something else."""
        out: list[Call] = []
        while not (continued.calls and _ends(continued.calls[-1])):
            call = self.next(number, f"getMore {place}")
            if call is None or any(call is one for one in continued.calls):
                break
            if "error" in call.fields:
                continued.failure = call
                break
            continued.calls.append(call)
            out.append(call)
        return out

    def _whole(self, first: Sequence[bytes], calls: Sequence[Call], number: int) -> tuple[Sequence[bytes], int]:
        documents = [*first, *(one for call in calls for one in replies.found(call.fields) or ())]
        return documents, 0 if calls and _ends(calls[-1]) else number


def _ends(call: Call) -> bool:
    return call.fields.get("exhausted") is True
