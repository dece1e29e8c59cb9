"""Times as people read and write them, ISO 8601 in UTC; everything else in Sealcam counts unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

RELEASED: Final = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
"""The first release, unix seconds: no right clock says less, since sign codes did not exist before."""
LATEST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
"""What a calendar can say, unix seconds."""


def iso8601(seconds: int) -> str:
    """Unix seconds as 2026-11-23T10:00:00Z; what lies outside of the calendar's years as its end."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_seconds(text: str) -> int:
    """ISO 8601, of a day or of a time, without an offset in UTC -> unix seconds. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
