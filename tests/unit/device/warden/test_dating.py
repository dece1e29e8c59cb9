"""Which dates a recording can have."""

from __future__ import annotations

import pytest

from device.warden.dating import AHEAD_MS, DAY_MS, RELEASED_MS, STOOD_STILL, WEEKS_1024_MS, Present, Worth, named_ms

NOW_MS = RELEASED_MS + 100 * DAY_MS


@pytest.mark.parametrize("sure", [True, False])
@pytest.mark.parametrize(
    ("utc_ms", "worth"),
    [
        (0, Worth.WRONG),
        (RELEASED_MS - 1, Worth.WRONG),
        (RELEASED_MS, Worth.POSSIBLE),
        (NOW_MS + AHEAD_MS, Worth.POSSIBLE),
        (NOW_MS + AHEAD_MS + 1, Worth.AHEAD),
        (NOW_MS + STOOD_STILL[1], Worth.AHEAD),
        (NOW_MS + STOOD_STILL[1] + 1, Worth.WRONG),
        (2**48, Worth.WRONG),
    ],
)
def test_a_date_is_worth_what_the_present_leaves_of_it(utc_ms: int, worth: Worth, sure: bool) -> None:
    said = Present(NOW_MS, sure, wall=True).worth(utc_ms)
    assert said is (Worth.WRONG if sure and worth is Worth.AHEAD else worth)


@pytest.mark.parametrize(
    ("weeks_off", "rolled"), [(-1024, True), (-2048, True), (1024, True), (0, False), (-1000, False), (52, False)]
)
def test_a_rollover_is_told_by_the_weeks_alone(weeks_off: int, rolled: bool) -> None:
    last = NOW_MS - 10 * DAY_MS + weeks_off * WEEKS_1024_MS // 1024
    assert Present(NOW_MS, sure=False, wall=True).rolled_over((last - 60_000, last)) is rolled


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("20261127_101530.mp4", 30),
        ("2026-11-27 10h15m30.mkv", 30),
        ("2026_1127_101530_005A.MP4", 30),
        ("2026-11-27T10:15:30+0000.mp4", 30),
        ("2026.11.27-10.15.mp4", 0),
    ],
)
def test_a_name_tells_a_time(name: str, second: int) -> None:
    assert named_ms(name) == 1_795_774_500_000 + 1000 * second


@pytest.mark.parametrize(
    "name", ["", "clip.mp4", "IMG_0001.MOV", "20261127.mp4", "20261327_101530.mp4", "1234567890123456"]
)
def test_a_name_without_a_time_tells_none(name: str) -> None:
    assert named_ms(name) == 0
