"""GPX as loggers write it: what is good is used, what is left out is counted."""

from __future__ import annotations

import math

import pytest

from device.position.core import read_track
from device.position.gpx import MAX_RESUMED, read_gpx
from device.position.track import DEFAULT_ACCURACY_M, MIN_ACCURACY_M
from tests.support import tracks
from tests.support.paths import SHARED_DATA
from tests.support.tracks import At, but, drive, trkpt

CASES = SHARED_DATA.parent / "cases"


def left(data: bytes) -> tuple[int, dict[str, int]]:
    track = read_track(data)
    return len(track.fixes), {reason: count for reason, count in track.left_out.items() if count}


def test_a_drive_north_then_east_has_those_headings() -> None:
    corner = [At(0, 0), At(1, 11), At(2, 22), At(3, 22, 15), At(4, 22, 30)]
    fixes = read_track(tracks.gpx(corner)).fixes
    assert [fix.utc_ms for fix in fixes] == [tracks.START_MS + 1000 * second for second in range(5)]
    assert fixes[0].heading == pytest.approx(0.0)
    assert fixes[4].heading == pytest.approx(90.0, abs=0.1)


def test_a_standing_vehicle_has_no_heading_however_its_receiver_wanders() -> None:
    fixes = read_track(tracks.gpx([At(k, math.sin(k), math.cos(3 * k)) for k in range(60)])).fixes
    assert {fix.heading for fix in fixes} == {None}


def test_the_dilution_of_precision_sets_the_accuracy() -> None:
    points = but(drive(3), n0={"extra": "<hdop>2.5</hdop>"}, n2={"extra": "<hdop>-1</hdop>"}, n3={"extra": "<hdop/>"})
    fixes = read_track(tracks.gpx(points)).fixes
    assert [fix.accuracy_m for fix in fixes] == [7.5, *[DEFAULT_ACCURACY_M] * 3]
    track = read_track(tracks.gpx(but(drive(3), n0={"extra": "<hdop>1e-9</hdop>"}, n1={"extra": "<hdop>1e9</hdop>"})))
    assert [fix.accuracy_m for fix in track.fixes[:2]] == [MIN_ACCURACY_M, 10_000.0]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04T10:00:05Z",
        "2026-05-04T10:00:05",
        "2026-05-04T10:00:05.000Z",
        "2026-05-04T10:00:05.0000000Z",
        "2026-05-04T12:00:05+02:00",
        "2026-05-04T05:30:05-04:30",
        " 2026-05-04T10:00:05Z\n",
    ],
)
def test_a_time_is_read_in_each_form_that_the_format_has(text: str) -> None:
    assert left(tracks.gpx(but(drive(9), n5={"text": text}))) == (10, {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_time"),
        ("2026-05-04", "no_time"),
        ("yesterday", "no_time"),
        ("2026-05-04T10:00:60Z", "no_time"),
        ("9999-12-31T23:59:59Z", "no_time"),
        ("0001-01-01T00:00:00+14:00", "before_fix"),
        ("1980-01-06T00:00:01Z", "before_fix"),
        ("2030-05-04T10:00:05Z", "alone"),
        ("2006-09-18T10:00:05Z", "alone"),
        ("2026-05-04T10:00:01.5Z", "impossible"),
        ("2026-05-04T10:00:04Z", "repeated"),
    ],
)
def test_one_point_with_an_odd_time_is_left_out_and_the_others_are_used(text: str, reason: str) -> None:
    for index in (5, 29) if reason != "before_fix" else (0, 5):
        points = but(drive(30), **{f"n{index}": {"text": text}})
        used, why = left(tracks.gpx(points))
        assert used == 30
        assert list(why.values()) == [1]
        assert set(why) == {reason}


@pytest.mark.parametrize(
    ("lat", "reason"),
    [
        *((lat, "no_place") for lat in ("91", "x", "", "nan", "inf", "1e400", "-89.95")),
        *((lat, "decimal_comma") for lat in ("48,0", " -48,00012 ")),
        *((lat, "not_degrees") for lat in ("N48 0.1", "48.0N", "48 0 6", "4800.1", "-4800.1", "48.0,5", "4_8.0")),
    ],
)
def test_one_point_without_a_place_is_left_out(lat: str, reason: str) -> None:
    data = tracks.gpx(drive(9))
    odd = trkpt(drive(9)[4]).encode().replace(b'lat="48.000539592"', f'lat="{lat}"'.encode())
    assert left(data.replace(trkpt(drive(9)[4]).encode(), odd)) == (9, {reason: 1})


def test_a_point_at_zero_zero_is_of_before_the_first_fix() -> None:
    odd = '<trkpt lat="0.0" lon="0.0"><time>2026-05-04T10:00:00Z</time></trkpt>'
    data = tracks.gpx(drive(9))
    assert left(data.replace(trkpt(drive(9)[0]).encode(), odd.encode())) == (9, {"before_fix": 1})


@pytest.mark.parametrize(("fix", "why"), [("none", {"no_fix": 1}), (" None ", {"no_fix": 1}), ("3d", {}), ("x", {})])
def test_a_point_that_the_receiver_itself_calls_no_fix_is_none(fix: str, why: dict[str, int]) -> None:
    point = trkpt(drive(9)[4])
    odd = point.replace("</trkpt>", f"<fix>{fix}</fix></trkpt>")
    assert left(tracks.gpx(drive(9)).replace(point.encode(), odd.encode())) == (10 - len(why), why)


def test_points_told_twice_count_once() -> None:
    points = drive(9)
    assert left(tracks.gpx([at for at in points for _ in range(2)])) == (10, {"repeated": 10})
    assert left(tracks.gpx(points, points)) == (10, {"repeated": 10})


def test_a_name_prefix_any_version_and_no_namespace_are_read() -> None:
    for data in (
        tracks.gpx(drive(9), prefix="g"),
        tracks.gpx(drive(9), version="1.0"),
        tracks.gpx(drive(9)).replace(b' xmlns="http://www.topografix.com/GPX/1/1"', b""),
    ):
        assert left(data) == (10, {})


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-8", "utf-16", "utf-16-le", "no-such-thing"])
def test_names_in_another_encoding_do_not_hide_the_points(encoding: str) -> None:
    text = tracks.gpx(drive(9)).decode().replace('"1.0"?', f'"1.0" encoding="{encoding}"?')
    text = text.replace("<trk>", "<trk><name>Lütgenwörden €</name>")
    data = text.encode(encoding if encoding != "no-such-thing" else "utf-8", "replace")
    assert left(data) == (10, {})
    assert left(data if b"\x00" in data else b"\xef\xbb\xbf" + data) == (10, {})


def test_an_encoding_that_could_hide_a_document_type_hides_nothing() -> None:
    hidden = tracks.gpx(drive(9), head="<!DOCTYPE gpx>").decode().replace('"1.0"?', '"1.0" encoding="utf-7"?')
    body = hidden.split("?>", 1)
    data = (body[0] + "?>").encode() + body[1].replace("<!DOCTYPE gpx>", "+ADwAIQ-DOCTYPE gpx+AD4-").encode("ascii")
    assert left(data) == (10, {"damaged": 1})


def test_a_file_that_ends_between_two_points_has_lost_none() -> None:
    track = read_track(tracks.gpx(drive(9)).partition(b"</trkseg>")[0])
    assert (len(track.fixes), track.left_out.total(), track.cut) == (10, 0, True)


@pytest.mark.parametrize("cut", [5, 30, 45, 90])
def test_a_file_that_ends_within_a_point_has_lost_that_point(cut: int) -> None:
    data = tracks.gpx(drive(9))
    last = data.index(trkpt(drive(9)[-1]).encode())
    assert left(data[: last + min(cut, len(trkpt(drive(9)[-1])) - 3)]) == (9, {"damaged": 1})


@pytest.mark.parametrize(
    ("good", "bad", "used"),
    [
        (b"<trk>", b"<trk><name>A & B</name>", 10),
        (b"<trk>", b"<trk><name>&nbsp;</name>", 10),
        (b"<trkseg>", b"<trkseg></name>", 10),
        (b"10:00:05Z", b"10:00:05Z\x00\x00\x00", 9),
        (b"10:00:05Z", b"10:00:05Z</tim", 9),
        (b"</gpx>", b"</gpx><extra/>", 10),
    ],
)
def test_damage_costs_the_point_that_it_lies_in(good: bytes, bad: bytes, used: int) -> None:
    assert left(tracks.gpx(drive(9)).replace(good, bad, 1)) == (used, {"damaged": 1})


def test_files_that_were_joined_are_read_one_after_the_other() -> None:
    track = read_track(tracks.gpx(drive(9)) + tracks.gpx(drive(9, start=3600)))
    assert (len(track.fixes), [fix.begins for fix in track.fixes].index(True)) == (20, 10)


def test_no_more_damage_is_passed_over_than_a_bound() -> None:
    point = trkpt(drive(0)[0]).encode()
    raw = read_gpx(b"<gpx><trk><trkseg>" + (point + b"<&") * (2 * MAX_RESUMED))
    assert raw.left_out["damaged"] == MAX_RESUMED + 1


def test_only_the_points_own_children_count() -> None:
    extension = "<extensions><x><time>1999-01-01T00:00:00Z</time><hdop>99</hdop></x></extensions>"
    fixes = read_track(tracks.gpx([At(k, 15.0 * k, extra=extension) for k in range(9)])).fixes
    assert [fix.accuracy_m for fix in fixes] == [DEFAULT_ACCURACY_M] * 9


@pytest.mark.skipif(not CASES.is_dir(), reason="the small cases are not here")
@pytest.mark.parametrize(
    ("name", "fixes", "why", "breaks", "cut"),
    [
        ("gap", 10, {}, 1, False),
        ("jitter_back", 30, {}, 0, False),
        ("last_no_time", 30, {"no_time": 1}, 0, False),
        ("prefix", 20, {}, 0, False),
        ("truncated", 30, {}, 0, True),
        ("two_tracks_newest_first", 60, {}, 1, False),
    ],
)
def test_the_cases_are_read(name: str, fixes: int, why: dict[str, int], breaks: int, cut: bool) -> None:
    track = read_track((CASES / f"{name}.gpx").read_bytes())
    assert (len(track.fixes), dict(track.left_out), track.cut) == (fixes, why, cut)
    assert track.facts()["breaks"] == breaks
