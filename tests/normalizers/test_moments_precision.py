"""A timestamp that lost its fraction of a second is another one; one that is written shorter by chance is not."""

from __future__ import annotations

import pytest

from normalizers.base import When
from normalizers.pipeline import explain

WHEN = When(recorded=1_763_978_400.0, live=1_763_978_400.0)
MICROSECONDS, SECONDS, MILLISECONDS = "2025-11-24T10:00:00.123456", "2025-11-24T10:00:00", "2025-11-24T10:00:00.123"


@pytest.mark.parametrize(("recorded", "live"), [(MICROSECONDS, SECONDS), (SECONDS, MICROSECONDS)])
def test_whole_seconds_in_place_of_microseconds_differ(recorded: str, live: str) -> None:
    assert explain(recorded, live, WHEN) is None


@pytest.mark.parametrize(
    ("recorded", "live"),
    [(MICROSECONDS, MILLISECONDS), (MICROSECONDS, "2025-11-24T10:00:00.12345"), (MILLISECONDS, SECONDS), (SECONDS, SECONDS)],
)
def test_digits_that_chance_leaves_out_do_not(recorded: str, live: str) -> None:
    found = explain(recorded, live, WHEN)
    assert found is not None
    assert found.name == "timestamp"
