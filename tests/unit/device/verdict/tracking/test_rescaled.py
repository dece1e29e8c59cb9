"""A sign stays one sign where the stream goes on with frames of another size."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from device.channel.messages import Readings, Sightings
from device.verdict.state import Beside, CarriedSymbol, Stretch
from device.verdict.tracking import rescaled
from device.verdict.tracking.approach import growth
from tests.support.verdict_drive import Journey, Sign, code, entry, registered
from tests.support.verdict_samples import face, motion, panel, pose, state


def resized(message: Sightings | Readings, times: float) -> Sightings | Readings:
    def enlarged(thing: Any) -> Any:
        return replace(thing, **{side: getattr(thing, side) * times for side in ("x", "y", "w", "h")})

    size = {"width": round(message.width * times), "height": round(message.height * times)}
    if isinstance(message, Readings):
        return replace(message, readings=[enlarged(each) for each in message.readings], **size)
    return replace(message, boxes=[enlarged(each) for each in message.boxes], **size)


@pytest.mark.parametrize("times", [0.5, 0.8, 1.5, 2.0])
@pytest.mark.parametrize("since", [100, 130, 145])
def test_a_sign_is_one_sign_where_the_frames_change_their_size(times: float, since: int) -> None:
    journey = Journey([Sign(100.0, data=code(100.0))], 160, register=registered(entry(100.0)))
    judge = journey.judge()
    verdicts = [verdict for fix in journey.fixes() for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    for message in journey.messages():
        said = resized(message, times) if message.frame >= since else message
        verdicts += judge.on_sightings(said) if isinstance(said, Sightings) else judge.on_readings(said)
    assert [verdict.state for verdict in verdicts + judge.finish()] == ["VERIFIED"]


@pytest.mark.parametrize("liar", [Sightings, Readings])
@pytest.mark.parametrize("lockstep", [True, False])
def test_a_size_that_one_reader_alone_tells_breaks_no_sign_into_pieces(
    liar: type[Sightings | Readings], lockstep: bool
) -> None:
    """In lockstep both are accused of each such frame, and no verdict rests on it; in realtime they need not have seen
    the same frames."""
    journey = Journey([Sign(100.0, data=code(100.0))], 160, register=registered(entry(100.0)))
    judge = journey.judge(lockstep=lockstep)
    verdicts = [verdict for fix in journey.fixes() for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    accused: set[str] = set()
    for message in journey.messages():
        if not lockstep and message.frame % 2 == isinstance(message, Readings):
            continue
        lies = isinstance(message, liar) and message.frame % 6 < 2
        said = replace(message, width=2 * message.width, height=2 * message.height) if lies else message
        now_ms = None if lockstep else said.t_ms
        verdicts += judge.on_sightings(said, now_ms) if isinstance(said, Sightings) else judge.on_readings(said, now_ms)
        accused |= judge.accused()
    states = [verdict.state for verdict in verdicts + judge.finish()]
    assert len(states) == 1 and states[0] in ("VERIFIED", "UNVERIFIED", "SUSPECT", "CODE_ONLY")
    assert accused == ({"perception", "codes"} if lockstep else set())


def test_what_is_followed_is_in_pixels_of_the_newest_frame_and_grows_as_before() -> None:
    one, code_panel = face(motion=motion(500.0, 300.0, 40.0, 40.0)), panel(motion=motion(500.0, 340.0, 40.0, 40.0))
    seen = state(faces=[one], panels=[code_panel], size=(1000, 500))
    before = growth(one)
    rescaled.take_size(seen, (2000, 1500))
    assert (one.motion.x, one.motion.y, one.motion.w, one.motion.h) == (1000.0, 900.0, 80.0, 120.0)
    assert (code_panel.motion.x, code_panel.motion.h) == (1000.0, 120.0)
    assert growth(one) == pytest.approx(before)


@pytest.mark.parametrize(("before", "now", "kept"), [((0, 0), (9, 9), (9, 9)), ((9, 9), (0, 0), (9, 9))])
def test_a_size_that_is_not_known_changes_nothing(
    before: tuple[int, int], now: tuple[int, int], kept: tuple[int, int]
) -> None:
    seen = state(faces=[face()], size=before)
    rescaled.take_size(seen, now)
    assert (seen.size, seen.faces[0].motion) == (kept, motion())


def test_what_rests_in_the_picture_rests_in_a_larger_one_too() -> None:
    resting = panel(home=motion(), stage=Stretch(b"x", 40.0, 0, pose()), beside={1: Beside(motion(), motion())})
    held = state(panels=[resting], carried=[CarriedSymbol(b"x", motion())], size=(768, 432))
    rescaled.take_size(held, (1536, 864))
    assert resting.home == held.carried[0].motion == motion(1000.0, 600.0, 80.0, 80.0)
    assert resting.beside[1] == Beside(motion(1000.0, 600.0, 80.0, 80.0), motion(1000.0, 600.0, 80.0, 80.0))
    assert resting.stage is not None and resting.stage.side == pytest.approx(80.0)
