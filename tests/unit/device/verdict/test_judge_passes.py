"""What rests in the picture takes no sign along; a pass that is broken in two is one verdict and accuses nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from device.channel.messages import Box, Verdict
from device.verdict.judge import Judge
from tests.support.verdict_drive import FPS, SPEED, Journey, Sign, claims, code, entry, feed, registered
from tests.support.verdict_drive import STRANGER as ANOTHER
from wire import signcode

AT = (70.0, 140.0, 210.0)
ENTRIES = [entry(at, number=number) for number, at in enumerate(AT, 1)]
VERIFIED, CODE_ONLY = ("VERIFIED", "code_and_perception_agree"), ("CODE_ONLY", "no_sign_recognised")
UNSEEN = lambda distance: None  # noqa: E731


def row(perceives: Callable[[float], tuple[int, float] | None]) -> list[Sign]:
    return [Sign(at, perceives, code(at, number=number)) for number, at in enumerate(AT, 1)]


def resting(x: float, y: float, size: float, score: float = 0.9, every: int = 1) -> Callable[[int], list[Box]]:
    return lambda frame: [] if frame % every else [Box(x, y, size, size, score, 12, 0.95)]


def said(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.state, verdict.reasons[0]) for verdict in verdicts]


def judged(drive: Journey) -> tuple[list[Verdict], Judge]:
    judge, verdicts = drive.judge(), []
    for fix in drive.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()
    for message in drive.messages():
        verdicts += feed(judge, message)
    return verdicts + judge.finish(), judge


# --- a picture of a sign that rests -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [(1150.0, 260.0, 90.0), (1250.0, 230.0, 120.0), (1350.0, 200.0, 150.0), (1100.0, 300.0, 80.0)]
)
@pytest.mark.parametrize(("score", "every"), [(0.9, 1), (0.06, 1), (0.06, 10)])
@pytest.mark.parametrize("perceives", [UNSEEN, lambda distance: (14, 0.97)])
def test_a_picture_that_rests_takes_no_sign_along(
    place: tuple[float, float, float], score: float, every: int, perceives: Callable[[float], tuple[int, float] | None]
) -> None:
    signs = row(perceives)
    drive = Journey(signs, 260.0, clutter=resting(*place, score, every), register=registered(*ENTRIES))
    verdicts, _ = judged(drive)
    assert said(verdicts) == [CODE_ONLY if perceives is UNSEEN else VERIFIED] * 3
    assert [verdict.class_id for verdict in verdicts] == [14] * 3


def test_one_box_of_a_fallen_perception_glues_no_codes_together_and_hides_no_accusation() -> None:
    bad = [Sign(140.0, UNSEEN, signcode.issue(claims(140.0, number=2), ANOTHER).encode())]
    signs = [*row(UNSEEN)[:1], *bad, *row(UNSEEN)[2:]]
    found, _ = judged(Journey(signs, 260.0, clutter=resting(1250.0, 230.0, 120.0), register=registered(*ENTRIES[::2])))
    assert said(found) == [CODE_ONLY, ("FORGED", "code_key_unknown"), CODE_ONLY]


def test_one_face_that_jumps_from_sign_to_sign_glues_none_of_them_together() -> None:
    signs = row(UNSEEN)

    def lure(frame: int) -> list[Box]:
        """Over each panel while it is read, else where the next one will come."""
        read = [one for sign in signs for one in sign.readings(frame, sign.at_m - frame / FPS * SPEED)]
        return [Box(one.x, one.y - 1.2 * one.h, one.w, one.h, 0.9, 7, 0.95) for one in read] or [
            Box(1100.0, 260.0, 80.0, 80.0, 0.9, 7, 0.95)
        ]

    found, _ = judged(Journey(signs, 260.0, clutter=lure, register=registered(*ENTRIES)))
    assert [(verdict.state, verdict.class_id) for verdict in found] == [("CONTRADICTED", 14)] * 3
    assert [verdict.last_frame <= at / SPEED * FPS for verdict, at in zip(found, AT, strict=True)] == [True] * 3


def test_without_a_place_a_picture_that_rests_takes_no_sign_along_either() -> None:
    found, _ = judged(Journey(row(UNSEEN), 260.0, clutter=resting(1250.0, 230.0, 120.0), with_fixes=False))
    assert said(found) == [("SUSPECT", "place_unchecked")] * 3


def test_a_sign_whose_code_was_read_in_its_place_is_never_missing_whatever_hangs_beside_it() -> None:
    pasted = signcode.issue(claims(140.0, number=9), ANOTHER).encode()
    sign = Sign(140.0, data=code(140.0, number=2), change=lambda frame, read: [*read, *_below(read, pasted)])
    found, _ = judged(Journey([row(UNSEEN)[0], sign], 200.0, register=registered(*ENTRIES[:2])))
    assert [verdict.state for verdict in found] == ["CODE_ONLY", "FORGED"]


def _below(read: list, data: bytes) -> list:  # type: ignore[type-arg]
    from msgspec.structs import replace

    return [replace(one, data=data, y=one.y + 0.9 * one.h) for one in read]


# --- a pass that is broken in two ---------------------------------------------------------------------------------


def broken(*away: tuple[float, float], class_id: int = 14) -> Callable[[float], tuple[int, float] | None]:
    """A face that is not seen between these distances, metres."""
    return lambda distance: None if any(near < distance < far for near, far in away) else (class_id, 0.97)


@pytest.mark.parametrize("fps", [5, 10, 25])
@pytest.mark.parametrize("away", [(13.0, 30.0), (0.0, 30.0), (0.0, 22.0), (14.0, 38.0)])
@pytest.mark.parametrize("with_fixes", [True, False])
def test_a_face_that_is_lost_before_its_code_is_read_gives_no_verdict_of_its_own(
    fps: int, away: tuple[float, float], with_fixes: bool
) -> None:
    sign = Sign(90.0, broken(away), code(90.0))
    drive = Journey(
        [sign], 150.0, fps=fps, with_fixes=with_fixes, register=registered(entry(90.0)) if with_fixes else None
    )
    [verdict] = judged(drive)[0]
    assert verdict.state in (("VERIFIED", "CODE_ONLY") if with_fixes else ("UNVERIFIED", "SUSPECT"))
    assert verdict.code is not None


@pytest.mark.parametrize(("register", "state"), [(registered(entry(90.0)), "VERIFIED"), (None, "VERIFIED")])
def test_blended_frames_that_show_a_sign_twice_give_one_verdict(register: object, state: str) -> None:
    sign = Sign(90.0, code_from_m=8.0, data=code(90.0))

    def ghost(frame: int) -> list[Box]:
        late = sign.box(90.0 - (frame / FPS * SPEED - 4.0))
        return [] if late is None else [late]

    [verdict] = judged(Journey([sign], 150.0, clutter=ghost, register=register))[0]  # type: ignore[arg-type]
    assert (verdict.state, verdict.class_id) == (state, 14)


def test_a_sign_whose_code_is_gone_is_told_all_the_same_however_it_was_lost() -> None:
    for away in ((0.0, 8.0), (0.0, 20.0)):
        found, _ = judged(Journey([Sign(90.0, broken(away))], 200.0, register=registered(entry(90.0))))
        assert said(found) == [("SUSPECT", "registered_code_not_seen")]


def test_a_false_sign_before_a_coded_sign_is_none_of_it() -> None:
    false = Sign(72.0, lambda distance: (1, 0.97))
    found, _ = judged(Journey([false, Sign(90.0, data=code(90.0))], 150.0, register=registered(entry(90.0))))
    assert sorted(said(found)) == [("UNVERIFIED", "perception_alone"), VERIFIED]  # as a sign where none is registered


def test_an_advertisement_further_on_spoils_no_sign_that_was_lost() -> None:
    sign, advert = Sign(90.0, broken((0.0, 20.0))), Sign(90.0, UNSEEN, b"https://example.org")
    assert said(judged(Journey([sign, advert], 150.0))[0]) == [("UNVERIFIED", "perception_alone")]


# --- what is told ---------------------------------------------------------------------------------------------------


def test_registered_signs_whose_codes_are_not_read_are_counted_beside_those_that_are() -> None:
    signs = row(broken())
    signs[1].data = None
    found, judge = judged(Journey(signs, 260.0, register=registered(*ENTRIES)))
    assert said(found) == [VERIFIED, ("SUSPECT", "registered_code_not_seen"), VERIFIED]
    places = judge.places()
    assert (places["placed_codes"], places["unread_codes"]) == (2, 1)
