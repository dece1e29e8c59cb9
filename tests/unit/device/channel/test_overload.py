"""A reader does less for each frame while it judges too few, and all again once that would leave it fast enough."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from device.channel.overload import BACK, STAY_MS, Overload

LEAST = 8.0


@dataclass
class Road:
    """Frames at `fps`, and a reader that takes the newest when it is free."""

    overload: Overload = field(default_factory=lambda: Overload(LEAST))
    frame: int = -1
    now: float = 0.0
    frames: float = 0.0  # that came before the last change of the camera's rate...
    since: float = 0.0  # ...which was then
    changes: list[tuple[int, bool]] = field(default_factory=list)

    def drive(self, seconds: float, fps: float, whole: float, light: float) -> None:
        """`whole` and `light`: seconds of work for a frame."""
        began = self.now
        while self.now < began + seconds:
            self.now = max(self.now, self.since + (self.frame + 1 - self.frames) / fps)
            self.frame = int(self.frames + (self.now - self.since) * fps + 1e-9)
            t_ms = round(1000.0 * (self.since + (self.frame - self.frames) / fps))
            cost = light if self.overload.light else whole
            self.now += cost
            if self.overload.judged(self.frame, t_ms, cost):
                self.changes.append((t_ms, self.overload.light))
        self.frames, self.since = self.frames + (self.now - self.since) * fps, self.now


@pytest.mark.parametrize(("fps", "whole"), [(60, 1 / 20), (15, 1 / 15), (30, 1 / 10), (15, 1 / 9)])
def test_a_reader_that_is_fast_enough_skips_frames_and_does_all_for_the_others(fps: float, whole: float) -> None:
    road = Road()
    road.drive(30, fps, whole, whole / 1.5)
    assert road.changes == []


def test_a_slow_camera_is_no_overload() -> None:
    road = Road()
    road.drive(30, 3, 0.1, 0.07)
    assert road.changes == []


def test_a_reader_that_is_too_slow_does_less_after_a_window_and_stays_with_it() -> None:
    road = Road()
    road.drive(60, 30, 1 / 5, 1 / 7.5)
    assert [light for _, light in road.changes] == [True]
    assert 2000 <= road.changes[0][0] < 3000


def test_it_goes_back_when_the_machine_is_free_again() -> None:
    road = Road()
    road.drive(10, 30, 1 / 5, 1 / 7.5)
    road.drive(20, 30, 1 / 15, 1 / 22)
    assert [light for _, light in road.changes] == [True, False]
    assert road.changes[1][0] - road.changes[0][0] >= STAY_MS


def test_it_goes_back_when_it_waits_for_frames() -> None:
    """The camera became slow; the reader could do all and keep up."""
    road = Road()
    road.drive(10, 30, 1 / 5, 1 / 7.5)
    road.drive(30, 4, 1 / 20, 1 / 30)
    assert [light for _, light in road.changes] == [True, False]


@pytest.mark.parametrize("rate", [LEAST - 1, LEAST, LEAST * (BACK - 0.05)])
def test_near_the_limit_it_does_not_flap(rate: float) -> None:
    road = Road()
    road.drive(5, 60, 1 / (LEAST - 2), 1 / 12)
    road.drive(120, 60, 1 / rate, 2 / (3 * rate))
    assert len(road.changes) == 1


def test_what_the_ways_cost_is_measured_not_assumed() -> None:
    """The lighter way costs a quarter here: by it alone the reader would seem fast enough."""
    road = Road()
    road.drive(60, 60, 1 / 6, 1 / 24)
    assert [light for _, light in road.changes] == [True]


def test_frames_that_go_back_begin_the_window_again() -> None:
    overload = Overload(LEAST)
    for number in range(200):
        assert not overload.judged(number % 3 * 50, number % 3 * 900, 0.2)
    assert not overload.light
