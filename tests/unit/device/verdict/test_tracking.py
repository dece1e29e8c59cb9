"""Faces and panels are followed through gaps and growth; what does not behave like a sign is doubted or dropped."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.channel.messages import Box, Fix, Reading, Readings, Sightings
from device.verdict.judge import Judge
from device.verdict.persistence import sound
from device.verdict.state import Moment, State
from device.verdict.tracking import faces, panels
from device.verdict.tracking.motion import Rectangle, match, moved, overlap, start
from tests.support.verdict_drive import ANCHORS, UTC_S, north
from wire.geodesy import Pose


def box(x: float, y: float, size: float, class_id: int = 14, sure: float = 0.9, score: float = 0.9) -> Box:
    return Box(x - size / 2, y - size / 2, size, size, score, class_id, sure)


def follow(boxes: dict[int, list[Box]], pose: Pose | None = None) -> State:
    """The state after these boxes at these milliseconds."""
    state = State("test")
    for number, (t_ms, seen) in enumerate(sorted(boxes.items())):
        faces.see(state, Moment(number, t_ms, 0, seen, []), seen, pose, 0.5)
    return state


def approach(t_ms: int, class_id: int = 14, sure: float = 0.9) -> Box:
    distance = 40 - t_ms / 1000 * 12
    return box(768 + 1400 * 2.4 / distance, 420 - 1400 * 0.9 / distance, 1050 / distance, class_id, sure)


def test_an_approach_at_fifteen_frames_a_second_is_one_face() -> None:
    state = follow({t: [approach(t)] for t in range(0, 2900, 66)})
    assert len(state.faces) == 1


@pytest.mark.parametrize("gap", [200, 500, 900])
def test_a_face_is_found_again_after_a_gap(gap: int) -> None:
    times = [*range(0, 1000, 66), *range(1000 + gap, 2600, 66)]
    assert len(follow({t: [approach(t)] for t in times}).faces) == 1


def test_two_signs_one_above_the_other_are_two_faces() -> None:
    state = follow({t: [box(700, 300, 40 + t / 50), box(700, 350 + t / 40, 40 + t / 50)] for t in range(0, 2000, 40)})
    assert len(state.faces) == 2


def test_a_box_at_the_other_side_is_another_face() -> None:
    state = follow({0: [box(200, 300, 40)], 40: [box(1200, 300, 40)]})
    assert len(state.faces) == 2


@pytest.mark.parametrize(
    ("times", "score", "size", "sure"),
    [
        (range(0, 160, 40), 0.9, 60, 0.9),  # too few
        (range(0, 280, 40), 0.2, 60, 0.9),  # never surely a sign
        (range(0, 2000, 40), 0.9, 10, 0.9),  # too small
        (range(0, 2000, 40), 0.9, 60, 0.2),  # too unsure which
    ],
)
def test_weak_evidence_confirms_no_sign(times: range, score: float, size: float, sure: float) -> None:
    state = follow({t: [box(500, 300, size, sure=sure, score=score)] for t in times})
    assert faces.perceived(state.faces, coded=True).class_id is None


@pytest.mark.parametrize(
    ("growth", "score", "classes", "confirmed"),
    [
        (2.0, 0.9, 1, True),
        (2.0, 0.6, 1, True),
        (2.0, 0.4, 1, False),  # always sure which, but seldom that it is a sign
        (2.0, 0.9, 2, True),  # torn between two classes, but surely a sign: that is for the table
        (2.0, 0.4, 2, False),
        (1.0, 0.9, 1, False),  # does not come nearer
    ],
)
def test_without_a_code_a_face_has_to_prove_itself(growth: float, score: float, classes: int, confirmed: bool) -> None:
    sizes = {t: 40 * growth ** (t / 2000) for t in range(0, 2000, 40)}
    scores = {t: score if t % 1000 else 0.9 for t in sizes}
    state = follow({t: [box(500, 300, size, t // 40 % classes, score=scores[t])] for t, size in sizes.items()})
    assert faces.perceived(state.faces, coded=True).class_id is not None
    assert (faces.perceived(state.faces, coded=False).class_id is not None) is confirmed


@pytest.mark.parametrize(
    ("size", "seconds", "believed"),
    [(18, 0.6, False), (18, 4.0, True), (60, 0.7, True), (60, 0.5, False)],
    ids=["small and short", "small, for long", "large, for short", "large, at one distance only"],
)
def test_without_a_code_a_small_face_has_to_be_seen_for_long(size: float, seconds: float, believed: bool) -> None:
    times = range(0, round(1000 * seconds), 40)
    state = follow({t: [box(500, 300, size * 1.5 ** (t / 1000 / seconds))] for t in times})
    assert faces.perceived(state.faces, coded=True).class_id is not None
    assert (faces.perceived(state.faces, coded=False).class_id is not None) is believed


def test_what_was_never_surely_a_sign_is_none_however_long_it_is_seen() -> None:
    sizes = {t: 40 * 2.0 ** (t / 4000) for t in range(0, 4000, 40)}
    state = follow({t: [box(500, 300, size, score=0.4)] for t, size in sizes.items()})
    assert all(faces.perceived(state.faces, coded=coded).class_id is None for coded in (True, False))


def test_a_face_whose_class_is_torn_is_not_confirmed() -> None:
    state = follow({t: [box(500, 300, 60, class_id=t // 40 % 5)] for t in range(0, 2000, 40)})
    assert faces.perceived(state.faces, coded=True).class_id is None


def test_near_sightings_outweigh_far_ones() -> None:
    state = follow({t: [approach(t, 14 if t > 1700 else 1)] for t in range(0, 2900, 66)})
    seen = faces.perceived(state.faces, coded=True)
    assert (seen.class_id, seen.stable) == (14, True)


@pytest.mark.parametrize(
    ("word", "boxes"),
    [
        ("class_flips", {t: [approach(t, 14 if t // 66 % 3 else 1)] for t in range(0, 2900, 66)}),
        ("class_uncertain", {t: [approach(t, sure=0.5)] for t in range(0, 2900, 66)}),
        ("shape_odd", {t: [Box(500, 300, 40, 70, 0.9, 14, 0.9)] for t in range(0, 2000, 66)}),
    ],
)
def test_what_does_not_behave_like_a_sign_is_doubted(word: str, boxes: dict[int, list[Box]]) -> None:
    assert word in faces.perceived(follow(boxes).faces, coded=True).doubts


def test_a_good_approach_raises_no_doubt() -> None:
    assert faces.perceived(follow({t: [approach(t)] for t in range(0, 2900, 66)}).faces, coded=False).doubts == ()


def test_a_picture_on_the_vehicle_in_front_is_doubted() -> None:
    state = State("test")
    for number in range(60):
        seen = [box(700, 400, 60)]
        pose = Pose(north(number), 11.0, 0.0, 3.0)
        faces.see(state, Moment(number, number * 66, 0, seen, []), seen, pose, 0.5)
    assert "moves_with_vehicle" in faces.perceived(state.faces, coded=True).doubts


def test_a_box_on_the_code_panel_is_no_face() -> None:
    state = State("test")
    for number in range(20):
        seen = [box(700, 400, 60)]
        reading = Reading(b"SR1:", ["zxing"], 672.0, 372.0, 56.0, 56.0, 2.0, None)
        faces.see(state, Moment(number, number * 66, 0, seen, [reading]), seen, None, 0.5)
    assert faces.perceived(state.faces, coded=True).class_id is None


@pytest.mark.parametrize("readings", [1, 9])
def test_a_box_on_the_code_panel_is_no_face_though_the_readers_look_at_different_frames(readings: int) -> None:
    """A symbol that was read once only may be a slip: it takes no face away."""
    state = State("test")
    for number in range(20):
        at = Moment(number, number * 33, 0, None, None)
        if number % 2:
            seen = [box(700, 400, 60)]
            faces.see(state, at, seen, None, 0.5)
        elif number < 2 * readings:
            panels.read(state, at, [Reading(b"", [], 672.0, 372.0, 56.0, 56.0, 2.0, None)], None)
    assert (faces.perceived(state.faces, coded=True).class_id is None) is (readings > 1)


def test_velocity_and_growth_carry_a_box_over_a_gap() -> None:
    motion = start(box(100, 100, 20), 0)
    for step in range(1, 6):
        motion = moved(motion, box(100 + 10 * step, 100, 20 * math.exp(0.05 * step)), 40 * step)
    far = box(100 + 10 * 15, 100, 20 * math.exp(0.05 * 15))
    assert match([motion], [far], 40 * 15) == {0: 0}


def test_each_box_and_each_face_is_matched_once() -> None:
    motions = [start(box(100, 100, 40), 0), start(box(110, 100, 40), 0)]
    pairs = match(motions, [box(101, 100, 40), box(111, 100, 40), box(105, 100, 40)], 40)
    assert pairs == {0: 0, 1: 1}


@pytest.mark.parametrize(("x", "expected"), [(0.0, 1.0), (5.0, 1 / 3), (10.0, 0.0), (50.0, 0.0)])
def test_overlap(x: float, expected: float) -> None:
    first: Rectangle = Box(0.0, 0.0, 10.0, 10.0, 1.0, 0, 1.0)
    assert overlap(first, Box(x, 0.0, 10.0, 10.0, 1.0, 0, 1.0)) == pytest.approx(expected)


PIXELS = st.floats(-16384, 16384, width=32)
EXTENT = st.floats(0, 16384, width=32)
SHARE = st.floats(0, 1, width=32)
BOXES = st.builds(Box, PIXELS, PIXELS, EXTENT, EXTENT, SHARE, st.integers(0, 42), SHARE)
TEXTS = st.one_of(st.just(b""), st.binary(max_size=40), st.binary(max_size=40).map(lambda data: b"SR1:" + data))
DECODERS = st.lists(st.sampled_from(["zbar", "zxing"]), max_size=2)
RATE = st.one_of(st.none(), SHARE)
READINGS = st.builds(Reading, TEXTS, DECODERS, PIXELS, PIXELS, EXTENT, EXTENT, EXTENT, RATE, st.booleans())
FRAMES, TIMES = st.integers(0, 60), st.integers(0, 2**48)
STREAM_TIMES = st.one_of(st.integers(0, 4000), TIMES)
MESSAGES = st.one_of(
    st.builds(Sightings, FRAMES, STREAM_TIMES, st.just(1536), st.just(864), st.lists(BOXES, max_size=6)),
    st.builds(Readings, FRAMES, STREAM_TIMES, st.just(1536), st.just(864), st.lists(READINGS, max_size=8)),
    st.builds(
        Fix,
        st.one_of(TIMES, st.integers(UTC_S * 1000, UTC_S * 1000 + 9000)),
        st.floats(-90, 90),
        st.floats(-180, 180),
        st.one_of(st.none(), st.floats(0, 360)),
        st.floats(0, 10_000),
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(MESSAGES, max_size=80), st.booleans(), TIMES, TIMES, TIMES, st.booleans())
def test_no_allowed_message_breaks_the_judge(
    messages: list[Sightings | Readings | Fix], lockstep: bool, start_ms: int, before: int, after: int, dated: bool
) -> None:
    judge = Judge(ANCHORS, None, stream="test", lockstep=lockstep)
    judge.start(start_ms, earliest_ms=-before, latest_ms=after, dated=dated)
    verdicts = []
    for message in messages:
        if isinstance(message, Sightings):
            verdicts += judge.on_sightings(message)
        elif isinstance(message, Readings):
            verdicts += judge.on_readings(message)
        else:
            verdicts += judge.on_fix(message)
    copy = Judge(ANCHORS, None, stream="test", lockstep=lockstep)
    copy.restore(judge.snapshot())
    ending = judge.finish()
    assert copy.finish() == ending
    judge.survey()
    assert judge.offset() is None
    for verdict in verdicts + ending:
        assert sound(verdict)
        assert verdict.state != "VERIFIED"
