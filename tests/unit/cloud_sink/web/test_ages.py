"""How long ago something was: in words, with one of a thing and many of it, and a clock that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cloud_sink.web.ages import ago, iso

NOW = datetime(2026, 11, 24, 16, 0, 0, 900_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (119, "1 minute ago"),
        (120, "2 minutes ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (7200, "2 hours ago"),
        (48 * 3600 - 1, "47 hours ago"),
        (48 * 3600, "2 days ago"),
        (400 * 86_400, "400 days ago"),
        (-60, "just now"),
        (-61, "ahead of this receiver's clock"),
    ],
)
def test_an_age_is_as_people_say_it(seconds: float, said: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said


def test_a_time_in_full_has_its_zone() -> None:
    assert iso(NOW) == "2026-11-24T16:00:00Z"
