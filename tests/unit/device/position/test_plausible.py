"""What no vehicle can have driven is left out, and what is left out is no place; breaks stay breaks."""

from __future__ import annotations

import random

import pytest

from device.channel.messages import Fix
from device.position.core import read_track
from device.position.errors import PositionError
from device.position.plausible import checked
from device.position.track import MAX_REPEATED, RawTrack
from device.verdict.state import MAX_REPEATED as MOST_REMEMBERED
from tests.support import tracks
from tests.support.tracks import START_MS, At, but, drive


def left(*segments: list[At]) -> tuple[int, dict[str, int]]:
    track = read_track(tracks.gpx(*segments))
    return len(track.fixes), {reason: count for reason, count in track.left_out.items() if count}


def fixes(*segments: list[At]) -> list[Fix]:
    return read_track(tracks.gpx(*segments)).fixes


def shifted(points: list[At], first: int, last: int, east: float) -> list[At]:
    return but(points, **{f"n{index}": {"east": east} for index in range(first, last)})


@pytest.mark.parametrize("east", [40.0, 80.0, 300.0, 5000.0, 500_000.0])
@pytest.mark.parametrize("lasts", [1, 3, 6, 12, 20])
def test_a_jump_and_back_is_left_out(east: float, lasts: int) -> None:
    assert left(shifted(drive(60), 25, 25 + lasts, east)) == (61 - lasts, {"impossible": lasts})


@pytest.mark.parametrize(("lasts", "breaks"), [(1, 0), (2, 1), (6, 1)])
def test_where_the_vehicle_was_during_a_jump_is_not_known(lasts: int, breaks: int) -> None:
    """One point is a slip; for longer the receiver itself did not know."""
    found = fixes(shifted(drive(60), 25, 25 + lasts, 5000.0))
    assert [index for index, fix in enumerate(found) if fix.begins] == [25] * breaks


@pytest.mark.parametrize("lasts", [1, 6, 14])
def test_a_jump_at_either_end_is_left_out(lasts: int) -> None:
    assert left(shifted(drive(60), 0, lasts, 5000.0)) == (61 - lasts, {"impossible": lasts})
    assert left(shifted(drive(60), 61 - lasts, 61, 5000.0)) == (61 - lasts, {"impossible": lasts})


def test_of_several_jumps_in_a_row_the_long_side_stays() -> None:
    rows = [At(k, 15.0 * k, 0.0 if k < 20 else 5000.0 if k < 30 else 10_000.0) for k in range(36)]
    assert left(rows) == (20, {"impossible": 16})
    assert left(rows[10:]) == (10, {"impossible": 16})


def test_of_a_jump_without_return_both_sides_stay_and_nothing_is_known_between() -> None:
    found = fixes(shifted(drive(60), 30, 61, 5000.0))
    assert [index for index, fix in enumerate(found) if fix.begins] == [30]
    assert all(fix.heading == pytest.approx(0.0, abs=0.01) for fix in found)


def test_a_break_between_segments_has_no_heading_across_it() -> None:
    """The second segment begins where the first did: across the break the way would be back south."""
    found = fixes(drive(9), drive(9, start=30))
    assert [index for index, fix in enumerate(found) if fix.begins] == [10]
    assert {round(fix.heading or 0.0, 3) % 360 for fix in found} == {0.0}


def test_segments_are_put_in_order_of_time() -> None:
    found = fixes(drive(9, start=86_400), drive(9))
    assert [fix.utc_ms for fix in found] == sorted(fix.utc_ms for fix in found)
    assert left(drive(9, start=86_400), drive(9)) == (20, {})


def test_a_segment_that_is_written_backwards_is_read_forwards() -> None:
    assert left(drive(30)[::-1]) == (31, {})


def test_the_points_that_a_receiver_writes_before_it_knows_the_time_are_left_out() -> None:
    """1024 weeks too early, as by a receiver that has not heard the week's number yet."""
    cold = [At(k - 1024 * 7 * 86_400, 0.0) for k in range(30)]
    assert left([*cold, *drive(60, start=31)]) == (61, {"before_fix": 30})


def test_a_drive_of_another_day_is_not_taken_for_them() -> None:
    assert left(drive(30, start=-10 * 86_400), drive(60)) == (92, {})


@pytest.mark.parametrize(("sigma", "every"), [(0.5, 0.2), (2.0, 0.2), (2.0, 1.0), (3.0, 1.0), (2.0, 5.0), (4.0, 5.0)])
def test_a_receivers_noise_is_no_jump(sigma: float, every: float) -> None:
    rng = random.Random(1)
    noisy = [At(at.second, at.north + rng.gauss(0, sigma), rng.gauss(0, sigma)) for at in drive(600, every)]
    used, why = left(noisy)
    assert sum(why.values()) <= len(noisy) / 200
    assert used + sum(why.values()) == len(noisy)


def test_hard_braking_and_a_sharp_turn_are_driven() -> None:
    """From 30 m/s to a stop at 8 m/s2, then a right turn at 4 m/s2."""
    braking = [At(t, 30 * t - 4 * t * t) for t in (0, 1, 2, 3)]
    corner = [At(4 + k, 56.25, 2.0 * k * k) for k in range(5)]
    assert left(braking + corner) == (9, {})


def test_a_track_in_which_every_point_contradicts_the_others_is_refused() -> None:
    rng = random.Random(2)
    with pytest.raises(PositionError, match="agree"):
        fixes([At(k, rng.uniform(-1e6, 1e6), rng.uniform(-1e6, 1e6)) for k in range(40)])


def test_more_than_one_point_with_the_same_second_is_read_by_the_second() -> None:
    """Five fixes a second, with whole seconds written: the first of each second is taken."""
    coarse = [At(at.second // 1, at.north) for at in drive(20, every=0.2)]
    assert left(coarse)[0] >= 20


@pytest.mark.parametrize("every", [1.0, 0.2, 3.0])
@pytest.mark.parametrize("behind", [0, 40])
def test_a_place_that_a_receiver_only_repeats_while_the_vehicle_cannot_have_stopped_is_left_out(
    every: float, behind: int
) -> None:
    """At the end of a track, and before the receiver goes on from there."""
    way = drive(20, speed=30.0, every=every)
    last = way[-1]
    still = [At(last.second + every * k, last.north) for k in range(1, 21)]
    on = [At(still[-1].second + k, last.north + 30.0 * k) for k in range(1, behind)]
    used, why = left([*way, *still, *on])
    assert why == {"held": 20}
    assert used == len(way) + len(on)


@pytest.mark.parametrize("after", [0, 5])
def test_a_track_goes_on_while_the_receiver_repeats_a_place(after: int) -> None:
    """It covers a video of that time, though it does not tell where that was."""
    way = drive(20, speed=30.0)
    still = [At(way[-1].second + k, way[-1].north) for k in range(1, 21)]
    on = [At(still[-1].second + k, way[-1].north + 30.0 * k) for k in range(1, after)]
    facts = read_track(tracks.gpx([*way, *still, *on])).facts()
    last = (on or still)[-1].second
    assert (facts["first_utc_ms"], facts["last_utc_ms"]) == (START_MS, START_MS + round(1000 * last))


@pytest.mark.parametrize("after", [0, 5])
def test_from_when_to_when_a_place_was_only_repeated_is_told(after: int) -> None:
    way = drive(20, speed=30.0)
    still = [At(way[-1].second + k, way[-1].north) for k in range(1, 21)]
    on = [At(still[-1].second + k, way[-1].north + 30.0 * k) for k in range(1, after)]
    (told,) = read_track(tracks.gpx([*way, *still, *on])).repeated
    until = on[0].second if on else still[-1].second
    assert (told.from_utc_ms, told.until_utc_ms) == (START_MS + 20_000, START_MS + round(1000 * until))


def test_a_receiver_that_is_off_meanwhile_repeats_nothing_then() -> None:
    way = drive(20, speed=30.0)
    still = [At(way[-1].second + k, way[-1].north) for k in range(1, 21)]
    on = [At(still[-1].second + 100 + k, 3000.0 + 30.0 * k) for k in range(10)]
    (told,) = read_track(tracks.gpx([*way, *still, *on])).repeated
    assert told.until_utc_ms == START_MS + 40_000


def test_of_many_spans_the_longest_are_told() -> None:
    rows: list[At] = []
    for n in range(MAX_REPEATED + 6):
        begin = 100.0 * n
        rows += [At(begin + k, 30.0 * k) for k in range(10)]
        rows += [At(begin + 9 + k, 270.0) for k in range(1, 12 if n < 6 else 20)]
    told = read_track(tracks.gpx(rows)).repeated
    assert len(told) == MAX_REPEATED == MOST_REMEMBERED
    assert told[0].from_utc_ms == START_MS + 609_000 and told == sorted(told, key=lambda span: span.from_utc_ms)


@pytest.mark.parametrize("brakes", [2.0, 4.0, 8.0])
def test_a_logger_that_holds_the_place_of_a_standing_vehicle_is_believed(brakes: float) -> None:
    stops = int(24 / brakes)
    braking = [At(t, 24 * t - brakes * t * t / 2) for t in range(stops + 1)]
    still = [At(stops + k, braking[-1].north) for k in range(1, 30)]
    assert left([*braking, *still]) == (len(braking) + 29, {})


@pytest.mark.parametrize(("decimals", "off"), [(2, 786), (3, 79), (4, 8), (5, 0), (8, 0)])
def test_places_that_are_rounded_are_off_by_half_the_grid_and_none_is_a_jump(decimals: int, off: int) -> None:
    """As by a logger, or a service that hides where its users live."""
    points = [
        (START_MS + 1000 * k, (round(48.123456789 + 1.35e-4 * k, decimals), round(11.987654321, decimals)))
        for k in range(40)
    ]
    raw = RawTrack()
    for at_ms, place in points:
        raw.add(at_ms, place, None)
    track = checked(raw)
    assert track.facts()["rounded_m"] == off
    assert len(track.fixes) == 40 and not +track.left_out
    assert min(fix.accuracy_m for fix in track.fixes) >= max(5.0, off - 1)
