"""The time of day at which a recording began, as its container tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import av.container
import av.video.stream

_OLDEST_CLOCK = datetime(2000, 1, 1, tzinfo=UTC)


def utc_ms(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> int:
    """Unix milliseconds of the first frame by the container's `creation_time`; 0 where it does not tell."""
    text = container.metadata.get("creation_time") or stream.metadata.get("creation_time") or ""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000) if moment > _OLDEST_CLOCK else 0
