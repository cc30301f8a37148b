"""What mitmproxy logs, said in our way."""

from __future__ import annotations

import logging

from recorder.wire import Tape


class Logs(logging.Handler):
    """mitmproxy's own complaints, said once each in one line; nothing of it reaches the root logger."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(logging.ERROR)
        self._tape = tape
        self._logger = logging.getLogger("mitmproxy")
        self._before = (self._logger.propagate, self._logger.level)

    def install(self) -> None:
        self._logger.propagate = False
        self._logger.setLevel(logging.ERROR)
        self._logger.addHandler(self)

    def remove(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate, level = self._before
        self._logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        message = str(record.exc_info[1] or "") if record.exc_info else record.getMessage()
        # Listeners that could not open are reported as the error they are; closing them then fails without a word.
        if message and "failed to listen" not in message:
            self._tape.complain(f"the proxy had an internal error: {message}; please report it")
