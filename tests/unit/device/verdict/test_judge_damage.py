"""One pass of a sign gives one verdict, whatever damage lies between its looks; two signs give two.

The sign stands 100 m up the road; the camera sees it from 60 to 6 m, in the frames 67 to 157 at 15 m/s.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from device.channel.messages import Box, Fix, Verdict
from device.verdict.tracking.looks import LONGEST_UNSEEN_MS
from tests.support.verdict_drive import FPS, LON, SPEED, UTC_S, Journey, Sign, code, entry, north, registered

AT = 100.0


class Across(Sign):
    """A sign on the other side of the road."""

    def box(self, distance: float) -> Box | None:
        box = super().box(distance)
        return None if box is None else replace(box, x=1536 - box.x - box.w)


def driven(*signs: Sign, damaged: Iterable[int] = (), **changes: object) -> list[Verdict]:
    length_m = max(sign.at_m for sign in signs) + 60
    return Journey(list(signs), length_m, damaged=frozenset(damaged), **changes).run()  # type: ignore[arg-type]


def states(verdicts: Iterable[Verdict]) -> list[str]:
    return [verdict.state for verdict in verdicts]


@pytest.mark.parametrize("with_fixes", [True, False])
@pytest.mark.parametrize(
    "damaged", [range(95, 100), range(95, 120), range(95, 125), range(95, 133), range(90, 140), range(95, 145)]
)
def test_a_sign_that_was_seen_on_both_sides_of_damage_is_one_sign(damaged: range, with_fixes: bool) -> None:
    found = driven(Sign(AT), damaged=damaged, with_fixes=with_fixes)
    assert [(verdict.state, verdict.class_id) for verdict in found] == [("UNVERIFIED", 14)]
    assert found[0].first_frame < 70 and found[0].last_frame > 150


@pytest.mark.parametrize("damaged", [range(95, 125), range(95, 139), range(90, 142)])
def test_its_code_is_its_code_though_it_was_read_after_the_damage_only(damaged: range) -> None:
    found = driven(Sign(AT, data=code(AT)), damaged=damaged, register=registered(entry(AT)))
    assert states(found) == ["VERIFIED"]


@pytest.mark.parametrize("keep", [3, 5, 8, 12])
def test_a_stream_of_which_few_frames_are_good_gives_one_verdict(keep: int) -> None:
    damaged = [frame for frame in range(400) if frame % 25 >= keep]
    assert states(driven(Sign(AT), damaged=damaged)) == ["UNVERIFIED"]


def retimed(journey: Journey, frames: Iterable[tuple[int, int]], fixes: Iterable[Fix] = ()) -> list[Verdict]:
    """The verdicts where what the journey shows in a frame is seen at another time: (frame, then)."""
    judge = journey.judge()
    verdicts = [verdict for fix in fixes for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    for number, (shown, now) in enumerate(frames):
        t_ms = now * 1000 // FPS
        verdicts += judge.on_sightings(replace(journey.sightings(shown), frame=number, t_ms=t_ms))
        verdicts += judge.on_readings(replace(journey.readings(shown), frame=number, t_ms=t_ms))
    return verdicts + judge.finish()


@pytest.mark.parametrize("with_fixes", [True, False])
def test_a_sign_before_which_the_vehicle_stands_is_one_sign(with_fixes: bool) -> None:
    """Twenty metres before it the vehicle stands for four seconds, and most of that time is damaged."""
    journey, stop, wait = Journey([Sign(AT)], 160), 134, 100
    frames = [(min(frame, max(stop, frame - wait)), frame) for frame in range(journey.frames + wait)]
    way = [Fix((UTC_S * 1000 + s * 200), north(at(s / 5 * FPS, stop, wait)), LON, 0.0, 3.0) for s in range(80)]
    seen = [(shown, now) for shown, now in frames if not 140 <= now < 230]
    assert states(retimed(journey, seen, way if with_fixes else ())) == ["UNVERIFIED"]


def at(frame: float, stop: int, wait: int) -> float:
    """How many metres up the road the vehicle is that stands in the frames from `stop` on."""
    return min(frame, max(stop, frame - wait)) / FPS * SPEED


@pytest.mark.parametrize("apart_m", [35.0, 45.0, 60.0])
def test_two_signs_of_one_class_between_which_nobody_looked_are_two(apart_m: float) -> None:
    """The first was last seen 15 m away, the second is first seen after the vehicle has passed the first."""
    gone_by = range(142, int((AT + apart_m - 18) / SPEED * FPS))
    assert states(driven(Sign(AT), Sign(AT + apart_m), damaged=gone_by)) == ["UNVERIFIED", "UNVERIFIED"]


def test_another_class_after_the_damage_is_another_sign() -> None:
    other = Sign(AT + 25, lambda distance: (1, 0.97))
    found = driven(Sign(AT), other, damaged=range(130, 175))
    assert [verdict.class_id for verdict in found] == [14, 1]


@pytest.mark.parametrize("with_fixes", [True, False])
def test_signs_on_both_sides_of_the_road_stay_two(with_fixes: bool) -> None:
    left = Across(AT)
    found = driven(Sign(AT), left, damaged=range(95, 125), with_fixes=with_fixes)
    assert states(found) == ["UNVERIFIED"] * 2
    assert all(verdict.last_frame > 150 and verdict.first_frame < 70 for verdict in found)


def test_after_a_pause_in_which_no_sign_stays_in_sight_there_is_another() -> None:
    pause = LONGEST_UNSEEN_MS * FPS // 1000 + 1
    journey = Journey([Sign(AT)], 160)
    assert len(retimed(journey, [(frame, frame + pause * (frame > 110)) for frame in range(journey.frames)])) == 2
