"""NMEA 0183 logs as receivers write them, with whatever else stands between the sentences."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from device.position.core import read_track
from tests.support import tracks
from tests.support.tracks import At, drive, gga, log, rmc, sentence


def left(data: bytes) -> tuple[int, dict[str, int]]:
    track = read_track(data)
    return len(track.fixes), {reason: count for reason, count in track.left_out.items() if count}


def clock(at: At) -> str:
    moment = datetime.fromtimestamp(at.utc_ms / 1000, UTC)
    return f"{moment:%H%M%S}.{moment.microsecond // 10_000:02d}"


def gns(at: At, modes: str = "AA", hdop: float = 2.0) -> str:
    return sentence(f"GNGNS,{clock(at)},{','.join(gga(at).split(',')[2:6])},{modes},12,{hdop},520.0,47.0,,,V")


def zda(at: At) -> str:
    moment = datetime.fromtimestamp(at.utc_ms / 1000, UTC)
    return sentence(f"GPZDA,{clock(at)},{moment:%d,%m,%Y},00,00")


def test_time_place_heading_and_accuracy_are_those_of_the_log() -> None:
    track = read_track(log(drive(9), gga, rmc))
    assert [fix.utc_ms for fix in track.fixes] == [at.utc_ms for at in drive(9)]
    for fix, at in zip(track.fixes, drive(9), strict=True):
        assert (fix.lat, fix.lon) == (pytest.approx(at.place[0], abs=1e-7), pytest.approx(at.place[1], abs=1e-7))
        assert (fix.heading, fix.accuracy_m) == (pytest.approx(0.0, abs=0.1), pytest.approx(2.4))
    assert track.facts()["fixes"] == 10


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "GQ"])
def test_each_system_of_satellites_may_speak(talker: str) -> None:
    assert left(log(drive(9), lambda at: rmc(at, talker))) == (10, {})


def test_south_and_west_are_negative() -> None:
    data = "".join(sentence(f"GPRMC,10000{k}.00,A,3351.0000,S,07030.0000,W,0.0,,040526,,,A") for k in range(3)).encode()
    assert {(fix.lat, fix.lon) for fix in read_track(data).fixes} == {(-33.85, -70.5)}


@pytest.mark.parametrize("made", [(gga, zda), (zda, gns), (gns, gga, zda)])
def test_the_date_may_come_from_zda_alone(made: tuple[object, ...]) -> None:
    assert left(log(drive(9), *made)) == (10, {})  # type: ignore[arg-type]


def test_without_any_date_there_is_no_time() -> None:
    with pytest.raises(ValueError, match="no date"):
        read_track(log(drive(9), gga))


def test_the_date_goes_on_past_midnight() -> None:
    """One date at the start, places across midnight; and GGA before RMC, so that the new date comes late."""
    night = drive(20, start=14 * 3600 - 10)
    expected = [at.utc_ms for at in night]
    once = zda(night[0]) + "".join(map(gga, night))
    assert [fix.utc_ms for fix in read_track(once.encode()).fixes] == expected
    assert [fix.utc_ms for fix in read_track(log(night, gga, rmc)).fixes] == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda at: rmc(at, status="V"),
        lambda at: rmc(at, mode="N"),
        lambda at: rmc(at, mode="E"),
        lambda at: gga(at, quality=0) + rmc(at),
        lambda at: rmc(at) + gga(at, quality=8),
        lambda at: gns(at, "NN") + rmc(at),
        lambda at: sentence("GPRMC,,V,,,,,,,,,,N") + sentence("GPGGA,,,,,,0,,,,,,,,"),
    ],
)
def test_what_the_receiver_itself_calls_no_fix_is_none(make: object) -> None:
    begun = log(drive(4), make)  # type: ignore[arg-type]
    assert left(begun + log(drive(9, start=10), gga, rmc)) == (10, {"no_fix": 5})


def test_a_date_of_before_the_first_fix_is_left_out() -> None:
    cold = [At(k - 1_461_000_000, 0.0) for k in range(3)]
    assert left(log(cold, rmc) + log(drive(9), rmc)) == (10, {"before_fix": 3})


def test_a_wrong_checksum_a_cut_sentence_and_what_stands_between_cost_only_themselves() -> None:
    whole = [rmc(at) for at in drive(9)]
    spoilt = whole[4][:20] + "9" + whole[4][21:]
    cut = whole[6][:30] + "\r\n"
    between = b"\xb5b\x01\x07\x5c\x00garbage\x00\r\n$PUBX,00*33\r\n$GPGSV,1,1,00*79\r\n"
    data = between.join(
        line.encode() for line in [*whole[:4], spoilt, whole[5], cut, *whole[7:9], "2026 log: " + whole[9]]
    )
    assert left(data) == (8, {"damaged": 2})


def test_a_sentence_without_a_checksum_is_not_believed() -> None:
    bare = "".join(rmc(at).split("*")[0] + "\r\n" for at in drive(2)).encode()
    assert left(bare + log(drive(9, start=60), rmc)) == (10, {"no_checksum": 3})


def test_a_moving_receivers_own_course_is_its_heading_and_a_standing_ones_is_not() -> None:
    fast = read_track(log(drive(9), lambda at: rmc(at, knots=29.2, course="3.5")))
    assert {fix.heading for fix in fast.fixes} == {3.5}
    vtg = read_track(log(drive(9), rmc, lambda at: sentence("GPVTG,4.5,T,,M,29.2,N,54.0,K,A")))
    assert {fix.heading for fix in vtg.fixes} == {4.5}
    slow = read_track(log(drive(9, speed=0.0), lambda at: rmc(at, knots=0.3, course="123.0")))
    assert {fix.heading for fix in slow.fixes} == {None}


def test_points_at_ten_hertz_keep_their_fractions() -> None:
    track = read_track(log(drive(3, every=0.1), rmc))
    assert (len(track.fixes), track.facts()["typical_ms"]) == (31, 100)
    assert track.fixes[1].utc_ms == tracks.START_MS + 100


def test_sentences_that_tell_no_place_make_no_point() -> None:
    """A date alone, a date that is none, and a course before anything else."""
    odd = sentence("GPVTG,4.5,T,,M,29.2,N,54.0,K,A") + sentence("GPZDA,095900.00,31,02,2026,00,00")
    alone = zda(At(-30, 0.0)) + sentence("GPZDA,095945.00,,,,00,00")
    assert left((odd + alone).encode() + log(drive(9), rmc)) == (10, {})


def test_a_place_without_its_hemisphere_is_none() -> None:
    data = log(drive(9), rmc).decode().splitlines()
    bare = sentence(data[4][1:].split("*")[0].replace(",N,", ",,"))
    assert left("\r\n".join([*data[:4], bare.strip(), *data[5:]]).encode()) == (9, {"no_place": 1})


def test_a_course_that_is_not_that_of_the_way_is_counted() -> None:
    """As by a receiver that goes on to tell its last course."""
    facts = read_track(log(drive(30), lambda at: rmc(at, knots=29.0, course="180.0"))).facts()
    assert facts["other_courses"] == 31
    assert read_track(log(drive(30), rmc)).facts()["other_courses"] == 0
