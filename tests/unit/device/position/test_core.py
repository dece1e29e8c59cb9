"""A track file becomes fixes, with the rest counted by reason; or one sentence that says what is wrong with it."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.channel.messages import MAX_FACTS
from device.channel.tracks import LEFT_OUT
from device.position import core, gpx, nmea
from device.position.core import read_track
from device.position.errors import PositionError
from device.position.track import CheckedTrack
from tests.support import tracks
from tests.support.tracks import At, but, comma, drive, gga, log, rmc, sentence


def used(track: CheckedTrack) -> list[float]:
    """Seconds since the start of the fixes that are used."""
    return [(fix.utc_ms - tracks.START_MS) / 1000 for fix in track.fixes]


def test_what_a_file_is_is_told_by_its_content() -> None:
    assert len(read_track(tracks.gpx(drive(9))).fixes) == 10
    assert len(read_track(log(drive(9), rmc)).fixes) == 10
    assert len(read_track(b"\r\n  " + tracks.gpx(drive(9)).split(b"?>")[1]).fixes) == 10


SAID = [
    (b"", "neither GPX nor"),
    (b"not xml", "neither GPX nor"),
    (b"<html><body>$GPRMC,</body></html>", "neither GPX nor"),
    (b"\x00" * 4096, "neither GPX nor"),
    (b"\xff\xfe\x00", "neither GPX nor"),
    (b"<a>" * 5000, "neither GPX nor"),
    (b"<gpx>" + b"<a>" * 5000, "neither GPX nor"),
    (tracks.gpx([]), "no track point"),
    (b"$GPGSV,1,1,00*79\r\n" * 3, "no track point"),
    (sentence("GPVTG,,T,,M,0.0,N,0.0,K").encode() * 3, "no track point"),
    (b"$GPVTG,,T,,M,0.0,N,0.0,K*51\r\n" * 3, "is damaged: .* 3 damaged"),
    (tracks.gpx(drive(9)).replace(b"/trkpt", b"trkpt"), "is damaged"),
    (log(drive(511), rmc).replace(b"*", b"\r\n*"), "512 sentences .* have no checksum"),
    (log(drive(9), gga), "10 sentences .* have no date.*RMC or ZDA"),
    (log(drive(9), lambda at: comma(rmc(at))), "10 points or sentences .* decimal commas"),
    (log(drive(9), lambda at: comma(gga(at))), "10 points or sentences .* decimal commas"),
    (log(drive(9), lambda at: comma(rmc(at)).split("*")[0] + "\n"), "10 points or sentences .* decimal commas"),
    (b"<gpx><wpt lat='48' lon='11'/><rte><rtept lat='48' lon='11'/></rte></gpx>", "waypoints or a route"),
    (tracks.gpx([At(k, 0.0, text="") for k in range(9)]), "none of the 9 points .* no time"),
    (tracks.gpx(drive(9)).replace(b"2026-05", b"2026-99"), "none of the 10 points .* no time"),
    (tracks.gpx(drive(9)).replace(b'lat="48.', b'lat="98.'), "no place on Earth"),
    (tracks.gpx(drive(9)).replace(b'lat="48.', b'lat="48,'), "10 points or sentences .* decimal commas"),
    (tracks.gpx(drive(9)).replace(b'lat="48.', b'lat="N 48 0.'), "10 points .* not in decimal degrees"),
    (tracks.gpx(drive(9)).replace(b'lat="48.', b'lat="4800.'), "10 points .* not in decimal degrees"),
    (tracks.gpx(drive(9)).replace(b'lon="11.000000000', b'lon="11.0E'), "10 points .* not in decimal degrees"),
    (tracks.gpx(drive(60), [At(k + 0.5, 9000.0) for k in range(60)]), "119 points .* contradict each other"),
    (tracks.gpx(drive(9)).replace(b'lat="48.', b'lat="nan'), "no place on Earth"),
    (tracks.gpx(drive(9)).replace(b'lon="11.', b'lon="1e400'), "no place on Earth"),
    (tracks.gpx(drive(9)).replace(b"2026", b"1980"), "before the receiver's first fix"),
    (log(drive(9), lambda at: rmc(at, status="V")), "itself calls most of them no fix"),
    (tracks.gpx(drive(0)), "none of the 1 points .* agree"),
    (tracks.gpx(drive(3600, every=600)), "none of the 7 points .* agree"),
    (tracks.gpx(drive(9), head='<!DOCTYPE gpx [<!ENTITY a "b">]>'), "document type declaration"),
    (tracks.gpx(drive(9), head="<!DOCTYPE gpx>").decode().encode("utf-16"), "document type declaration"),
    (tracks.gpx(drive(9), head="<!DOCTYPE gpx>").decode().encode("utf-16-be"), "document type declaration"),
]


@pytest.mark.parametrize(("data", "says"), SAID)
def test_a_bad_file_is_refused_with_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(PositionError, match=says) as caught:
        read_track(data)
    said = str(caught.value)
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 250


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(PositionError, match="at most"):
        read_track(b" " * (core.MAX_TRACK_BYTES + 1))


def test_a_track_with_too_many_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpx, "MAX_POINTS", 3)
    monkeypatch.setattr(nmea, "MAX_SENTENCES", 3)
    for data in (tracks.gpx(drive(3)), log(drive(3), rmc)):
        with pytest.raises(PositionError, match="more than 3 points"):
            read_track(data)


def test_the_facts_say_when_how_far_apart_and_what_was_left_out() -> None:
    later = drive(9, start=600)
    points = but(drive(9), n5={"text": ""})
    track = read_track(tracks.gpx(points, later)[:-20])
    assert track.facts() == {
        "unused_first_utc_ms": 0,  # what has no time is of no time
        "unused_last_utc_ms": 0,
        "fixes": 19,
        "first_utc_ms": tracks.START_MS,
        "last_utc_ms": tracks.START_MS + 609_000,
        "breaks": 1,
        "typical_ms": 1000,
        "longest_ms": 2000,
        "cut": 1,
        "rounded_m": 0,
        "other_courses": 0,
        "unsure": 0,
        "left_no_time": 1,
    }
    assert len(CheckedTrack(track.fixes, Counter(dict.fromkeys(LEFT_OUT, 1))).facts()) <= MAX_FACTS


# --- whatever the bytes -------------------------------------------------------------------------------------------

_PARTS = [
    b"<gpx>", b"</gpx>", b"<trk>", b"<trkseg>", b"</trkseg>", b"</trk>", b"&a;", b"\x00",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<trkpt lat='48' lon='11'>", b"<trkpt lat='1e9' lon='x'/>", b"<time>2026-05-04T10:00:00Z</time>", b"</trkpt>",
    b"<time>0001-01-01T00:00:00+14:00</time>", b"<time>9999-12-31T23:59:59-14:00</time>", b"<hdop>1e999</hdop>",
    b"<trkpt lat='48.0001' lon='11'><time>2026-05-04T10:00:01Z</time></trkpt>", b"<![CDATA[", b"]]>", b"<!--", b"-->",
    b"<!DOCTYPE a [<!ENTITY a '&#60;trkpt'>]>", b"\xff\xfe", b"\xef\xbb\xbf", b"<x:trkpt", b"\r\n", b"$GPRMC,", b"$",
    *(make(at).encode() for at in drive(2) for make in (rmc, gga)), b"*00", rmc(At(0, 0))[:-6].encode() + b"*",
    tracks.sentence("GPRMC,250000.00,A,9999.9,N,99999.9,E,1e9,1e9,999999,,,A").encode(),
    tracks.sentence("GPGGA,,,,,,0,,,,,,,,").encode(), tracks.sentence("GPZDA,1,2,3,4,5,6").encode(),
    tracks.sentence("GPGNS,100000,4800.0,N,01100.0,E,-1,:,;,+").encode(), tracks.sentence("GPVTG,,,,").encode(),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_PARTS), st.binary(max_size=12)), max_size=40))
def test_whatever_the_bytes_nothing_comes_but_a_track_or_one_sentence(parts: list[bytes]) -> None:
    try:
        track = read_track(b"".join(parts))
    except PositionError:
        return
    times = [fix.utc_ms for fix in track.fixes]
    assert times == sorted(set(times))
    assert all(-90 <= fix.lat <= 90 and -180 <= fix.lon <= 180 and 0 < fix.accuracy_m <= 1e4 for fix in track.fixes)
    assert all(fix.heading is None or 0.0 <= fix.heading < 360.0 for fix in track.fixes)


_SECONDS = st.floats(-1e5, 1e5) | st.integers(0, 40)
_METRES = st.floats(-1e5, 1e5) | st.integers(0, 600)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.builds(At, _SECONDS, _METRES, _METRES), max_size=30), max_size=3))
def test_each_point_is_either_used_or_counted(segments: list[list[At]]) -> None:
    for data in (tracks.gpx(*segments), log([at for segment in segments for at in segment], rmc)):
        try:
            track = read_track(data)
        except PositionError:
            continue
        assert len(track.fixes) + track.left_out.total() <= sum(map(len, segments))
        if data.startswith(b"<"):
            assert len(track.fixes) + track.left_out.total() == sum(map(len, segments))


@pytest.mark.parametrize(
    "data",
    [
        b"<gpx><trk><trkseg>" + b"<trkpt>" * 60_000,
        b"<gpx><trk><trkseg>" + b"<trkpt lat='1' lon='1'>&</trkpt>" * 20_000,
        b"<gpx><trk><trkseg>" + b"<trkpt lat='1' lon='1'><time>2026-05-04T10:00:00Z</time></trkpt><trkseg>" * 9_000,
        b"<gpx a='" + b"x" * 400_000,
        b"$GPRMC," * 60_000,
        b"$GPRMC," + b"1" * 400_000,
    ],
    ids=["open", "damaged", "nested", "attribute", "heads", "line"],
)
def test_a_file_that_is_made_to_be_slow_takes_no_more_memory_than_its_size_explains(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PositionError):
            read_track(data)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data) + 2_000_000
    finally:
        tracemalloc.stop()
