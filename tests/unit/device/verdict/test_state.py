"""The state that is kept over a restart: each part that is spoilt alone is refused, and nothing good is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from device.verdict.errors import SnapshotError
from device.verdict.state import (
    MAX_ATTRIBUTED,
    MAX_DOUBTED,
    MAX_EXPECTED,
    MAX_FIXES,
    MAX_PANELS,
    MAX_PAYLOADS,
    MAX_PENDING,
    MAX_RATES,
    MAX_SHOWN,
    MAX_SNAPSHOT_BYTES,
    MAX_TRACKS,
    MAX_VOTED,
    Blank,
    CarriedSymbol,
    CodedSign,
    ExpectedSign,
    FaceTrack,
    Motion,
    PanelTrack,
    SeenSign,
    Shown,
    Sight,
    State,
    Stretch,
    Trend,
    Watch,
    WayInView,
    Waypoint,
    from_bytes,
    to_bytes,
)
from tests.support.verdict_drive import UTC_S
from tests.support.verdict_samples import ID, box, face, moment, motion, panel, pose, reading, state, timed

FULL = state(
    pending=[moment(3, boxes=[box()], readings=[reading()]), moment(4, boxes=None, readings=None)],
    marks={"perception": 3, "codes": 4},
    released_mark=2,
    released_ms=80,
    agreed_frame=1,
    agreed_ms=40,
    newest_ms=160,
    start_utc_ms=UTC_S * 1000,
    earliest_ms=-3,
    latest_ms=4,
    dated=False,
    began_ms=5,
    fixes=[timed(UTC_S * 1000)],
    doubted=[timed(UTC_S * 1000 + 9000)],
    fixes_ended=True,
    fixes_told=6,
    told_ms=UTC_S * 1000,
    judged={"perception": 4, "codes": 5},
    first_fix_ms=7,
    last_heading=8.0,
    faces=[face()],
    panels=[panel(7, b"SR1:A", votes={1: 2.0}, twins=1.0, home=motion(), stage=Stretch(b"SR1:A", 9.0, 8, pose()))],
    carried=[CarriedSymbol(b"x", motion())],
    view=WayInView(1, 2, pose(), 3.0),
    blank=Blank(1, pose()),
    expected=[ExpectedSign(ID, 1, 2, 80, 20.0, 5.0, 3.0, 1.0, 1.0, 6.0, 70, 9, pose(), True)],
    attributed=[SeenSign(ID, 40)],
    shown=[Shown(ID, 40, pose())],
    outline=[Waypoint(1, 2, 3.0, 4.0, 5.0)],
    outline_step_m=10.0,
    coded=[CodedSign(ID, 40, 1.0, 2.0, 3.0, True)],
    looked=Watch(80, 90, 33),
    read=Watch(40, 50, 33),
    next_track=8,
    verdicts=9,
    ignored=10,
)


def parts() -> dict[str, Any]:
    """The whole state as plain values, to be spoilt."""
    return msgspec.msgpack.decode(to_bytes(FULL), strict=False)  # type: ignore[no-any-return]


def back(plain: dict[str, Any]) -> State:
    return from_bytes(msgspec.msgpack.encode(plain), "test")


def test_all_of_it_comes_back() -> None:
    assert from_bytes(to_bytes(FULL), "test") == FULL
    assert back(parts()) == FULL
    assert from_bytes(to_bytes(State("other")), "other") == State("other")


@pytest.mark.parametrize("name", State.__struct_fields__)
def test_each_part_that_is_of_another_kind_spoils_it(name: str) -> None:
    spoilt = parts()
    spoilt[name] = b"\x00"
    with pytest.raises(SnapshotError, match="not one of ours"):
        back(spoilt)


WITHIN: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda plain: plain,
    lambda plain: plain["pending"][0],
    lambda plain: plain["pending"][0]["boxes"][0],
    lambda plain: plain["pending"][0]["readings"][0],
    lambda plain: plain["fixes"][0],
    lambda plain: plain["fixes"][0]["pose"],
    lambda plain: plain["looked"],
    lambda plain: plain["read"],
    lambda plain: plain["faces"][0],
    lambda plain: plain["faces"][0]["motion"],
    lambda plain: plain["faces"][0]["sight"],
    lambda plain: plain["faces"][0]["trend"],
    lambda plain: plain["panels"][0],
    lambda plain: plain["panels"][0]["payloads"][0],
    lambda plain: plain["panels"][0]["rates"][0],
    lambda plain: plain["expected"][0],
    lambda plain: plain["attributed"][0],
    lambda plain: plain["shown"][0],
]


@pytest.mark.parametrize("part", WITHIN, ids=range(len(WITHIN)))
def test_a_field_that_is_not_known_spoils_it_wherever_it_is(part: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    spoilt = parts()
    part(spoilt)["more"] = 1
    with pytest.raises(SnapshotError, match="not one of ours"):
        back(spoilt)


@pytest.mark.parametrize(
    ("part", "name", "most"),
    [
        (lambda plain: plain, "pending", MAX_PENDING + 1),
        (lambda plain: plain["pending"][0], "boxes", 64),
        (lambda plain: plain["pending"][0], "readings", 8),
        (lambda plain: plain, "fixes", MAX_FIXES + MAX_DOUBTED),
        (lambda plain: plain, "doubted", MAX_DOUBTED),
        (lambda plain: plain, "faces", MAX_TRACKS),
        (lambda plain: plain, "panels", MAX_PANELS),
        (lambda plain: plain["panels"][0], "payloads", MAX_PAYLOADS),
        (lambda plain: plain["panels"][0], "rates", MAX_RATES),
        (lambda plain: plain, "expected", MAX_EXPECTED),
        (lambda plain: plain, "attributed", MAX_ATTRIBUTED),
        (lambda plain: plain, "shown", MAX_SHOWN),
    ],
)
def test_a_list_is_taken_back_up_to_its_bound(
    part: Callable[[dict[str, Any]], dict[str, Any]], name: str, most: int
) -> None:
    for count in (most, most + 1):
        plain = parts()
        held = part(plain)
        held[name] = held[name][:1] * count
        if count == most:
            assert back(plain)
        else:
            with pytest.raises(SnapshotError, match="not one of ours"):
                back(plain)


@pytest.mark.parametrize(
    ("owner", "name", "most"),
    [("faces", "class_weight", 43), ("faces", "class_certainty", 43), ("panels", "votes", MAX_VOTED)],
)
def test_what_is_kept_by_number_is_taken_back_up_to_its_bound(owner: str, name: str, most: int) -> None:
    plain = parts()
    plain[owner][0][name] = dict.fromkeys(range(most), 1)
    assert back(plain)
    plain[owner][0][name] = dict.fromkeys(range(most + 1), 1)
    with pytest.raises(SnapshotError, match="not one of ours"):
        back(plain)


@pytest.mark.parametrize(("length", "taken"), [(1024, True), (1025, False)])
def test_a_text_is_taken_back_up_to_its_bound(length: int, taken: bool) -> None:
    plain = parts()
    plain["panels"][0]["payloads"][0]["data"] = b"x" * length
    if taken:
        assert back(plain)
    else:
        with pytest.raises(SnapshotError, match="not one of ours"):
            back(plain)


@pytest.mark.parametrize(("name", "value"), [("version", 10), ("version", 12), ("stream", "tesu"), ("stream", "")])
def test_a_state_of_another_version_or_stream_is_refused(name: str, value: object) -> None:
    with pytest.raises(SnapshotError, match="another stream or version"):
        back(parts() | {name: value})


def test_a_mark_of_a_third_reader_is_refused() -> None:
    with pytest.raises(SnapshotError, match="not one of ours"):
        back(parts() | {"marks": {"perception": 1, "uplink": 2}})


def test_numbers_are_not_read_from_words() -> None:
    with pytest.raises(SnapshotError, match="not one of ours"):
        back(parts() | {"verdicts": "9"})


def test_a_state_is_read_up_to_three_mebibytes() -> None:
    assert MAX_SNAPSHOT_BYTES == 3 * 1024 * 1024
    stream = "x" * (MAX_SNAPSHOT_BYTES - len(to_bytes(State("x" * 70_000))) + 70_000)
    assert len(to_bytes(State(stream))) == MAX_SNAPSHOT_BYTES
    assert from_bytes(to_bytes(State(stream)), stream) == State(stream)
    longer = to_bytes(State(stream + "x"))
    with pytest.raises(SnapshotError, match="has 3145729 bytes, at most 3145728 are read"):
        from_bytes(longer, stream + "x")


def test_the_message_of_a_refusal_is_short() -> None:
    with pytest.raises(SnapshotError) as refused:
        back(parts() | {"x" * 5000: 1})
    assert len(str(refused.value)) == len("the saved state is not one of ours: ") + 120


def test_the_bounds_are_those_that_the_snapshots_size_was_reckoned_with() -> None:
    assert (MAX_PENDING, MAX_TRACKS, MAX_PANELS, MAX_PAYLOADS, MAX_RATES, MAX_VOTED) == (128, 96, 32, 6, 32, 8)
    assert (MAX_DOUBTED, MAX_FIXES, MAX_EXPECTED, MAX_ATTRIBUTED, MAX_SHOWN) == (256, 2048, 64, 256, 64)


def test_a_new_state_knows_nothing() -> None:
    assert msgspec.to_builtins(State("test")) == {
        "stream": "test",
        "version": 11,
        "pending": [],
        "marks": {"perception": -1, "codes": -1},
        "judged": {"perception": 0, "codes": 0},
        "released_mark": -1,
        "released_ms": 0,
        "agreed_frame": 0,
        "agreed_ms": 0,
        "newest_ms": 0,
        "start_utc_ms": 0,
        "earliest_ms": 0,
        "latest_ms": 0,
        "dated": True,
        "rated": True,
        "drift_ppm": 0,
        "date_earlier_ms": 0,
        "date_later_ms": 0,
        "untimed_ms": None,
        "began_ms": None,
        "fixes": [],
        "doubted": [],
        "fixes_ended": False,
        "fixes_told": 0,
        "told_ms": 0,
        "first_fix_ms": 0,
        "last_heading": None,
        "last_heading_ms": 0,
        "placed_ms": 0,
        "moments": 0,
        "unplaced": 0,
        "vague": 0,
        "set_aside": 0,
        "gap_codes": 0,
        "gap_ms": 0,
        "off_codes": 0,
        "repeated_codes": 0,
        "repeated": [],
        "faces": [],
        "panels": [],
        "expected": [],
        "attributed": [],
        "shown": [],
        "outline": [],
        "outline_step_m": 5.0,
        "coded": [],
        "read_ids": [],
        "verified_ids": [],
        "carried": [],
        "carried_codes": 0,
        "placed_codes": 0,
        "unread_codes": 0,
        "mirrored": 0,
        "view": None,
        "blank": None,
        "blank_ms": 0,
        "lost_ms": -1,
        "came_near": False,
        "visited": [],
        "visited_step_m": 50.0,
        "seen_size": (0, 0),
        "read_size": (0, 0),
        "size": (0, 0),
        "looked": {"t_ms": None, "watched_ms": 0, "look_ms": 0},
        "read": {"t_ms": None, "watched_ms": 0, "look_ms": 0},
        "next_track": 0,
        "verdicts": 0,
        "ignored": 0,
    }


def test_new_parts_of_it_know_nothing_more_than_they_are_told() -> None:
    still = Motion(1.0, 2.0, 3.0, 4.0, 5)
    seen = Sight(1, 2, 3, 4, 5)
    assert (still.vx, still.vy, still.growth) == (0.0, 0.0, 0.0)
    assert (seen.utc_ms, seen.first_pose, seen.last_pose, seen.pose_ms) == (0, None, None, 0)
    assert Trend() == Trend(0, 0.0, 0.0, 0.0, 0.0)
    unseen = (0.0, 0.0, 0.0, 0.0, 0.0, Trend(), {}, {}, -1, 0.0, 0.0, 0.0, 0, 0)
    assert FaceTrack(1, still, seen) == FaceTrack(1, still, seen, *unseen)
    assert PanelTrack(1, still, seen) == PanelTrack(1, still, seen, [], [], {}, 0, 0.0, 0.0, 0, False, 0.0)
    assert ExpectedSign(ID, 1, 2, 3, 4.0, 5.0, 6.0) == ExpectedSign(
        ID, 1, 2, 3, 4.0, 5.0, 6.0, 0.0, 0.0, None, None, 0, None, False
    )
