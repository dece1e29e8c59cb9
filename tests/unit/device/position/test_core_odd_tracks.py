"""Tracks of every odd kind: what is good is used, what is not is counted, and nothing ends in a traceback."""

from __future__ import annotations

import contextlib
import random
import re
from datetime import UTC, datetime

import pytest

from device.position.core import read_track
from device.position.errors import PositionError
from tests.support.odd_tracks import Odd, odd_tracks
from tests.support.tracks import LAT, LON
from wire.geodesy import distance_m

KINDS = odd_tracks()


@pytest.mark.parametrize("odd", [odd for odd in KINDS if odd.used], ids=lambda odd: odd.name)
def test_what_is_good_is_used_and_what_is_left_out_is_counted(odd: Odd) -> None:
    track = read_track(odd.data)
    assert len(track.fixes) >= odd.used
    assert {reason for reason, count in track.left_out.items() if count} <= odd.left
    times = [fix.utc_ms for fix in track.fixes]
    assert times == sorted(set(times))
    for fix in track.fixes:  # on the honest way, wherever the file says something else
        assert abs(fix.lon - LON) < 1e-4
        assert -1.0 < distance_m(LAT, LON, fix.lat, LON) <= 1400.0
        assert fix.heading is None or min(fix.heading, 360.0 - fix.heading) < 35.0


@pytest.mark.parametrize("odd", [odd for odd in KINDS if not odd.used], ids=lambda odd: odd.name)
def test_what_cannot_be_used_is_refused_with_the_cause(odd: Odd) -> None:
    with pytest.raises(PositionError) as caught:
        read_track(odd.data)
    said = str(caught.value)
    assert re.search(odd.says, said), said
    assert said.isprintable()
    assert len(said) < 250


@pytest.mark.parametrize("seed", range(3))
def test_a_file_of_any_kind_that_was_damaged_gives_fixes_or_one_sentence(seed: int) -> None:
    source = random.Random(seed)
    for odd in source.sample(KINDS, 40):
        spoilt = bytearray(odd.data)
        for _ in range(20 if spoilt else 0):
            spoilt[source.randrange(len(spoilt))] = source.randrange(256)
        with contextlib.suppress(PositionError):
            assert read_track(bytes(spoilt)).fixes


def test_times_without_seconds_are_named_where_nothing_can_be_used() -> None:
    points = "".join(
        f'<trkpt lat="{52 + place / 9000:.6f}" lon="10.5"><time>2026-05-04T10:00Z</time></trkpt>' for place in range(40)
    )
    track = f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>".encode()
    with pytest.raises(PositionError, match="have the same time as another, as where times are written without"):
        read_track(track)


def test_from_when_to_when_points_were_left_out_is_told() -> None:
    rows = [(52 + place / 9000, 10.5, 1_800_000_000 + place) for place in range(40)]
    late = [(lat, lon, at - 9) for lat, lon, at in rows[20:]]
    points = "".join(
        f'<trkpt lat="{lat:.6f}" lon="{lon}"><time>{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
        for lat, lon, at in [*rows[:20], *late]
    )
    facts = read_track(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>".encode()).facts()
    assert 0 < facts["unused_first_utc_ms"] <= facts["unused_last_utc_ms"]
    assert sum(count for name, count in facts.items() if name.startswith("left_")) > 0
