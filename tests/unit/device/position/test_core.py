"""A GPX file becomes fixes, or one sentence that says what is wrong with it."""

from __future__ import annotations

import math

import pytest

from device.position import core
from device.position.core import parse_gpx
from device.position.errors import PositionError
from wire.geodesy import Pose, TimedPose, ahead_and_aside_m, bearing, between, distance_m, heading_difference


def gpx(*points: str, head: str = "") -> bytes:
    body = "".join(points)
    return (
        f'<?xml version="1.0"?>{head}<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><trkseg>{body}</trkseg></trk></gpx>"
    ).encode()


def point(lat: object, lon: object, second: int | None, extra: str = "") -> str:
    time = f"<time>2026-05-04T10:00:{second:02}Z</time>" if second is not None else ""
    return f'<trkpt lat="{lat}" lon="{lon}">{time}{extra}</trkpt>'


def test_a_drive_north_then_east_has_those_headings() -> None:
    fixes = parse_gpx(
        gpx(
            point(48.0, 11.0, 0),
            point(48.0001, 11.0, 1),
            point(48.0002, 11.0, 2),
            point(48.0002, 11.0002, 3),
            point(48.0002, 11.0004, 4),
        )
    )
    assert [fix.utc_ms for fix in fixes] == [1_777_888_800_000 + 1000 * second for second in range(5)]
    headings = [fix.heading for fix in fixes]
    assert headings[0] == pytest.approx(0.0)
    assert headings[4] == pytest.approx(90.0, abs=0.1)


def test_a_standing_vehicle_has_no_heading() -> None:
    fixes = parse_gpx(gpx(*(point(48.0, 11.0, second) for second in range(3))))
    assert [fix.heading for fix in fixes] == [None, None, None]


def test_the_dilution_of_precision_sets_the_accuracy() -> None:
    fixes = parse_gpx(gpx(point(48.0, 11.0, 0, "<hdop>2.5</hdop>"), point(48.0, 11.0, 1)))
    assert [fix.accuracy_m for fix in fixes] == [7.5, core.DEFAULT_ACCURACY_M]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "cannot be read"),
        (b"not xml", "cannot be read"),
        (gpx(), "no track point"),
        (gpx(point(48.0, 11.0, None)), "point 1 .* no time"),
        (gpx(point(48.0, 11.0, 5), point(48.0, 11.0, 4)), "point 2 .* earlier"),
        (gpx(point(91.0, 11.0, 0)), "not a place on Earth"),
        (gpx(point("nan", 11.0, 0)), "not a place on Earth"),
        (gpx(point(48.0, "inf", 0)), "not a place on Earth"),
        (gpx(point("x", 11.0, 0)), "cannot be read"),
        (gpx(point(48.0, 11.0, 0), head='<!DOCTYPE gpx [<!ENTITY a "b">]>'), "document type declaration"),
        (gpx(point(48.0, 11.0, 0)).decode().encode("utf-16"), "not UTF-8"),
        (gpx(point(48.0, 11.0, 0)).replace(b"2026", b"1960"), "before 1970"),
        (gpx(point(48.0, 11.0, 0)).replace(b"2026-05", b"2026-99"), "no time"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (gpx(point(48.0, 11.0, 0))[:-20], "cannot be read"),
        (b"<a>" * 5000, "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(PositionError, match=sentence) as caught:
        parse_gpx(data)
    said = str(caught.value)
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 250


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(PositionError, match="at most"):
        parse_gpx(b" " * (core.MAX_GPX_BYTES + 1))


def test_a_track_with_too_many_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "MAX_POINTS", 3)
    with pytest.raises(PositionError, match="more than 3 points"):
        parse_gpx(gpx(*(point(48.0, 11.0, second) for second in range(4))))


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m(48.0, 11.0, 49.0, 11.0) == pytest.approx(111_195, rel=0.001)
    assert distance_m(0.0, 179.9999, 0.0, -179.9999) == pytest.approx(22.2, abs=0.1)


@pytest.mark.parametrize(("lat", "lon", "expected"), [(1, 0, 0), (0, 1, 90), (-1, 0, 180), (0, -1, 270)])
def test_bearings_go_clockwise_from_north(lat: float, lon: float, expected: float) -> None:
    assert bearing(48.0, 11.0, 48.0 + lat * 1e-4, 11.0 + lon * 1e-4) == pytest.approx(expected, abs=1e-6)


def test_headings_differ_the_short_way_round() -> None:
    assert heading_difference(350.0, 10.0) == pytest.approx(20.0)
    assert heading_difference(0.0, 180.0) == pytest.approx(180.0)


def test_ahead_and_aside_turn_with_the_heading() -> None:
    pose = Pose(48.0, 11.0, 90.0, 1.0)
    ahead, aside = ahead_and_aside_m(pose, 90.0, 48.0, 11.0 + 10 / (111_195 * math.cos(math.radians(48))))
    assert (ahead, aside) == (pytest.approx(10.0, abs=0.01), pytest.approx(0.0, abs=0.01))
    ahead, aside = ahead_and_aside_m(pose, 90.0, 48.0 - 10 / 111_195, 11.0)
    assert (ahead, aside) == (pytest.approx(0.0, abs=0.01), pytest.approx(10.0, abs=0.01))


def test_a_pose_between_two_fixes_turns_the_short_way_and_crosses_the_date_line() -> None:
    before = TimedPose(1000, Pose(0.0, 179.9999, 350.0, 3.0))
    after = TimedPose(2000, Pose(0.0001, -179.9999, 10.0, 6.0))
    middle = between(before, after, 1500)
    assert middle.lat == pytest.approx(0.00005)
    assert abs(middle.lon) == pytest.approx(180.0)
    assert middle.heading == pytest.approx(0.0)
    assert middle.accuracy_m == 6.0


def test_a_point_that_is_repeated_counts_once() -> None:
    fixes = parse_gpx(gpx(point(48.0, 11.0, 5), point(48.0, 11.0, 5), point(48.1, 11.0, 6)))
    assert len(fixes) == 2
