"""The calls of a case against the calls of its recording: what differs, and what kind of difference it is."""

from replayer.calls.compare import compare
from replayer.calls.known import Known

__all__ = ["Known", "compare"]
