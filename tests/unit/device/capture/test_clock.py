"""When a video says that it began."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from device.capture.clock import ContainerTime, container_time, length_ms
from tests.support.videos import maker

MOMENT_MS = 1_795_770_930_000  # 2026-11-27T09:15:30Z


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ([{"creation_time": "2026-11-27T09:15:30.000000Z"}], ContainerTime(MOMENT_MS)),
        ([{}, {"creation_time": "2026-11-27T09:15:30Z"}], ContainerTime(MOMENT_MS)),
        ([{"creation_time": "2026-11-27 09:15:30"}], ContainerTime(MOMENT_MS)),
        ([{"date": "2026-11-27T09:15:30Z"}], ContainerTime(MOMENT_MS)),
        ([{"date": "2026"}], ContainerTime()),
        ([{"date": "2026-11-27"}], ContainerTime()),
        ([{"com.apple.quicktime.creationdate": "2026-11-27T10:15:30+0100"}], ContainerTime(MOMENT_MS, True)),
        (
            [{"com.apple.quicktime.creationdate": "2026-11-27T10:15:30+0100", "creation_time": "2026-11-27T10:15:30Z"}],
            ContainerTime(MOMENT_MS, True),
        ),
        ([{"creation_time": "1904-01-01T00:00:00Z"}], ContainerTime(unset=True)),
        ([{"creation_time": "1970-01-01T00:00:00Z"}], ContainerTime(unset=True)),
        ([{"creation_time": "1980-01-06T00:00:13Z"}], ContainerTime(unset=True)),
        ([{"creation_time": "2012-01-01T00:00:00Z"}], ContainerTime(1_325_376_000_000)),
        ([{"creation_time": "9999-12-31T23:59:59+14:00"}], ContainerTime(253_402_250_399_000)),
        ([{"creation_time": "0001-01-01T00:00:00+14:00"}], ContainerTime(unset=True)),
        (
            [{"creation_time": "1970-01-01T00:00:00Z"}, {"creation_time": "2026-11-27T09:15:30Z"}],
            ContainerTime(MOMENT_MS),
        ),
        ([{"creation_time": "2026-11-27T09:15:60Z"}], ContainerTime(MOMENT_MS + 29_000)),  # a leap second
        ([{"creation_time": "yesterday, about noon"}], ContainerTime()),
        ([{}], ContainerTime()),
        ([], ContainerTime()),
    ],
)
def test_the_time_is_the_containers_own_or_none(tables: list[dict[str, str]], says: ContainerTime) -> None:
    assert container_time(*tables) == says


def test_a_video_tells_its_length(tmp_path: Path) -> None:
    with av.open(str(maker(tmp_path)(frames=12))) as container:
        assert length_ms(container) == 1200
