"""The same pass is believed alike at any rate of looks, and no number of weak or hasty looks makes a sign."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from device.channel.messages import Box, Readings, Sightings, Verdict
from device.verdict.judge import Judge
from tests.support.verdict_drive import Journey, Sign, code, entry, registered

AT = 100.0
RATES = (5, 10, 15, 30, 60)
Look = tuple[int, list[Box]]


def told(verdicts: Sequence[Verdict]) -> list[tuple[str, int | None, int | None, list[str]]]:
    return [(one.state, one.class_id, one.perceived_class_id, list(one.reasons)) for one in verdicts]


PASSES: dict[str, Callable[[int], Journey]] = {
    "no code": lambda fps: Journey([Sign(AT)], fps=fps),
    "no code, seldom certain": lambda fps: Journey([Sign(AT, lambda distance: (14, 0.7))], fps=fps),
    "no code, never surely a sign": lambda fps: Journey([Sign(AT, score=0.45)], fps=fps),
    "no code, too small": lambda fps: Journey(
        [Sign(AT, lambda distance: (14, 0.9) if distance > 55 else None)], fps=fps
    ),
    "a code": lambda fps: Journey([Sign(AT, data=code(AT))], fps=fps),
    "a code and another face": lambda fps: Journey([Sign(AT, lambda distance: (1, 0.9), code(AT))], fps=fps),
    "a code and a bag over the face": lambda fps: Journey([Sign(AT, lambda distance: None, code(AT))], fps=fps),
    "a code that cannot be read": lambda fps: Journey([Sign(AT, data=code(AT), unreadable=True)], fps=fps),
    "a code with many errors": lambda fps: Journey([Sign(AT, data=code(AT), error_rate=0.05)], fps=fps),
    "a sign that is missing": lambda fps: Journey([], register=registered(entry(AT)), fps=fps),
}


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_has_the_same_verdict_at_any_rate_of_looks(name: str) -> None:
    expected = told(PASSES[name](30).run())
    assert {fps: told(PASSES[name](fps).run()) for fps in RATES} == dict.fromkeys(RATES, expected)


@pytest.mark.parametrize("fps", RATES)
def test_a_class_that_is_torn_is_suspect_at_any_rate_of_looks(fps: int) -> None:
    """Two looks of three say one class, the third another, without a period that the rate could hit."""
    torn = Sign(AT, lambda distance: (14 if 0.618034 * int(distance * 10) % 1 < 2 / 3 else 1, 0.9))
    assert [(one.state, one.class_id) for one in Journey([torn], fps=fps).run()] == [("SUSPECT", None)]


@pytest.mark.parametrize("fps", RATES)
def test_the_readers_need_not_look_at_the_same_frames(fps: int) -> None:
    """Perception and the code reader take turns, each with half of the frames."""
    drive = Journey([Sign(AT, data=code(AT))], fps=2 * fps)
    judge = drive.judge()
    verdicts = [verdict for fix in drive.fixes() for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    for frame in range(drive.frames):
        verdicts += (
            judge.on_sightings(drive.sightings(frame)) if frame % 2 else judge.on_readings(drive.readings(frame))
        )
    assert [(one.state, one.class_id) for one in verdicts + judge.finish()] == [("VERIFIED", 14)]


# --- many looks -----------------------------------------------------------------------------------------------------


def judged(looks: Sequence[Look], sure_score: float = 0.33) -> list[Verdict]:
    judge = Judge({}, None, stream="test", lockstep=True, sure_score=sure_score)
    verdicts = judge.on_fixes_end()
    for frame, (t_ms, boxes) in enumerate(looks):
        verdicts += judge.on_sightings(Sightings(frame, t_ms, 1536, 864, boxes))
        verdicts += judge.on_readings(Readings(frame, t_ms, 1536, 864, []))
    return verdicts + judge.finish()


def coming(t_ms: int, score: float, side: float = 30.0, class_id: int = 38, class_score: float = 0.95) -> Box:
    """Something that comes nearer: it has twice its side after two seconds."""
    side *= 2.0 ** (t_ms / 2000)
    return Box(700.0 + t_ms / 20 - side / 2, 400.0 - side / 2, side, side, score, class_id, class_score)


def approach(seed: int, fps: int = 60, seconds: float = 1.6) -> list[Look]:
    """A pass near the limits: how sure perception is and how large the thing is are the seed's."""
    rng = random.Random(seed)
    mean, side, found = rng.uniform(0.2, 0.8), rng.uniform(14.0, 50.0), rng.uniform(0.4, 1.0)
    looks: list[Look] = []
    for number in range(round(fps * seconds)):
        t_ms = number * 1000 // fps
        score = min(1.0, max(0.1, rng.gauss(mean, 0.12)))
        looks.append((t_ms, [coming(t_ms, score, side)] if rng.random() < found else []))
    return looks


def test_as_many_passes_near_the_limits_are_believed_at_any_rate_of_looks() -> None:
    """Chance has its part in every look: of 120 passes 4 more or fewer are believed, and 10 at five looks a second."""
    passes = [approach(seed) for seed in range(120)]
    believed = {
        60 // every: sum(bool(judged(looks[every // 2 :: every])) for looks in passes) for every in (1, 2, 3, 4, 6, 12)
    }
    assert 40 < believed[30] < 80
    assert all(abs(count - believed[30]) <= (4 if rate > 5 else 10) for rate, count in believed.items()), believed


@pytest.mark.parametrize("times", [2, 3, 10])
def test_repeated_pictures_make_no_sign_that_the_pictures_themselves_do_not_make(times: int) -> None:
    for seed in range(40):
        looks = approach(seed, fps=30)
        again = [(t_ms + part * 33 // times, boxes) for t_ms, boxes in looks for part in range(times)]
        assert len(judged(again)) <= len(judged(looks))


def test_a_burst_of_looks_counts_as_the_time_that_it_took() -> None:
    burst = [(t_ms, [coming(20 * t_ms, 0.99, 80.0)]) for t_ms in range(150)]
    assert judged(burst) == []
    spread = [(20 * t_ms, boxes) for t_ms, boxes in burst]
    assert [verdict.class_id for verdict in judged(spread)] == [38]


# --- weak looks -----------------------------------------------------------------------------------------------------

SHIRT = (0.12, 0.19, 0.34, 0.15, 0.22, 0.31, 0.13, 0.27, 0.34, 0.18, 0.25)
"""What a detector gave a pedestrian's striped shirt, 11 times in 57 frames."""


def test_weak_looks_at_a_shirt_do_not_add_up_to_a_sign() -> None:
    looks: list[Look] = [(frame * 33, []) for frame in range(57)]
    for number, score in enumerate(SHIRT):
        t_ms = looks[5 * number][0]
        looks[5 * number] = (t_ms, [coming(t_ms, score, 64.0)])
    assert judged(looks) == []


@pytest.mark.parametrize("score", [0.2, 0.34, 0.45, 0.49])
def test_no_number_of_weak_looks_makes_a_sign(score: float) -> None:
    assert judged([(t_ms, [coming(t_ms, score, 60.0)]) for t_ms in range(0, 4000, 33)]) == []


@pytest.mark.parametrize("sightings", [14, 19])
def test_what_looks_like_a_sign_at_one_distance_only_is_none(sightings: int) -> None:
    """As a yellow diamond of another country does, until it is near enough to be read."""
    looks = [(33 * frame, [coming(33 * frame, 0.6, 36.0, class_id=12)] * (frame < sightings)) for frame in range(90)]
    assert judged(looks) == []


def test_a_class_has_to_be_stable_in_the_strong_looks() -> None:
    """Surely a sign now of this class and now of that one; only the weak looks agree."""
    looks = []
    for frame in range(60):
        strong = frame % 3 == 0
        class_id = (38, 12, 14)[frame // 3 % 3] if strong else 38
        looks.append((33 * frame, [coming(33 * frame, 0.6 if strong else 0.3, 60.0, class_id)]))
    assert judged(looks) == []
    steady = [(t_ms, [replace_class(boxes[0], 38)]) for t_ms, boxes in looks]
    assert [verdict.class_id for verdict in judged(steady)] == [38]


def replace_class(box: Box, class_id: int) -> Box:
    return Box(box.x, box.y, box.w, box.h, box.score, class_id, box.class_score)
