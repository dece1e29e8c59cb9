"""Symbols on the windscreen, over the picture or on a van ahead take no part in any sign; a sign's own code does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest

from device.channel.messages import Fix, Reading, Readings, Sightings, Verdict
from device.verdict import state as held_state
from device.verdict.judge import Judge
from tests.support.verdict_drive import LON, UTC_S, Journey, Sign, code, entry, feed, north, registered

ADVERT = b"https://example.org/app"
PLACES = [(1150.0, 340.0), (1200.0, 420.0), (1300.0, 100.0), (100.0, 700.0)]
ROW = [Sign(at, data=code(at, number=n)) for n, at in enumerate((70.0, 140.0, 210.0), 1)]
ENTRIES = [entry(at, number=n) for n, at in enumerate((70.0, 140.0, 210.0), 1)]


def resting(x: float, y: float, data: bytes = ADVERT) -> Callable[[int], list[Reading]]:
    return lambda frame: [Reading(data, ["zbar", "zxing"] if data else [], x, y, 90.0, 90.0, 4.0, 0.004)]


def swaying(frame: int) -> list[Reading]:
    """On a van that is now nearer and now further away."""
    size = 70.0 + 20.0 * math.sin(frame / 40)
    x, y = 1150.0 + 60.0 * math.sin(frame / 25) - size / 2, 380.0 - size / 2
    return [Reading(ADVERT, ["zbar", "zxing"], x, y, size, size, 4.0, 0.004)]


@dataclass
class Along(Journey):
    """A drive on which something is carried along."""

    carries: Callable[[int], list[Reading]] = lambda frame: []

    def readings(self, frame: int) -> Readings:
        plain = super().readings(frame)
        return Readings(plain.frame, plain.t_ms, 1536, 864, [*self.carries(frame), *plain.readings], plain.timed)


def along(carries: Callable[[int], list[Reading]], **changes: object) -> Along:
    fields: dict[str, object] = {"signs": ROW, "length_m": 260.0, "register": registered(*ENTRIES)}
    return Along(carries=carries, **(fields | changes))  # type: ignore[arg-type]


def said(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.state, verdict.reasons[0]) for verdict in verdicts]


def judged(drive: Journey) -> tuple[list[tuple[str, str]], Judge]:
    judge, verdicts = drive.judge(), []
    for fix in drive.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()
    for message in drive.messages():
        verdicts += feed(judge, message)
    return said(verdicts + judge.finish()), judge


VERIFIED = ("VERIFIED", "code_and_perception_agree")


@pytest.mark.parametrize("place", PLACES)
def test_a_sticker_on_the_windscreen_takes_no_sign_with_it_and_is_told_once(place: tuple[float, float]) -> None:
    found, judge = judged(along(resting(*place)))
    assert found == [VERIFIED] * 3
    assert judge.places()["carried"] == 1


def test_a_symbol_that_cannot_be_read_and_rests_is_none_of_a_sign_either() -> None:
    assert judged(along(resting(1200.0, 420.0, b"")))[0] == [VERIFIED] * 3


@pytest.mark.parametrize("every", [2, 5, 12])
def test_a_sticker_that_can_be_read_now_and_then_is_known_all_the_same(every: int) -> None:
    read, unread = resting(1200.0, 420.0), resting(1200.0, 420.0, b"")
    found, judge = judged(along(lambda frame: unread(frame) if frame % every else read(frame)))
    assert found == [VERIFIED] * 3
    assert judge.places()["carried"] == 1


def test_a_van_ahead_with_an_advertisement_takes_no_sign_with_it() -> None:
    found, judge = judged(along(swaying, signs=ROW[1:], register=registered(*ENTRIES[1:])))
    assert found == [VERIFIED] * 2
    assert judge.places()["carried"] == 1


def test_a_sticker_that_is_seen_off_and_on_stays_known() -> None:
    sticker = resting(1150.0, 340.0)
    found, judge = judged(along(lambda frame: sticker(frame) if frame < 150 or 200 < frame < 300 else []))
    assert found == [VERIFIED] * 3
    assert judge.places()["carried"] == 1


def test_a_sticker_seen_when_the_track_ends_near_a_sign_gives_nothing() -> None:
    bare = [Sign(150.0, lambda distance: None)]
    drive = along(resting(100.0, 100.0), signs=bare, length_m=140.0, register=registered(entry(150.0)))
    assert judged(drive)[0] == []


def test_a_picture_of_a_code_on_a_van_is_never_acted_on_and_hides_no_missing_sign() -> None:
    picture = resting(700.0, 400.0, code(140.0, number=2))
    found, _ = judged(along(picture, signs=[ROW[0], ROW[2]]))
    assert sorted(found) == [
        ("MISPLACED", "moves_with_vehicle"),
        ("MISSING", "registered_sign_not_seen"),
        VERIFIED,
        VERIFIED,
    ]


def test_a_forged_code_that_is_carried_along_is_forged() -> None:
    assert ("FORGED", "code_format_bad") in judged(along(resting(100.0, 100.0, b"SR1:AAAA")))[0]


def test_without_a_place_what_rests_while_a_sign_comes_nearer_is_carried() -> None:
    found, judge = judged(along(resting(1150.0, 340.0), with_fixes=False, register=None))
    assert found == [("UNVERIFIED", "place_unchecked")] * 3
    assert judge.places()["carried"] == 1


@dataclass
class Halt(Journey):
    """The vehicle waits `halt_s` before the sign at 60 m, where its code is read, while its receiver wanders."""

    halt_s: float = 60.0
    halt_m: float = 51.0
    wander_m: float = 0.0

    def at(self, t_s: float) -> float:
        reached = self.halt_m / 15.0
        return min(t_s * 15.0, self.halt_m) if t_s < reached + self.halt_s else (t_s - self.halt_s) * 15.0

    @property
    def frames(self) -> int:
        return int((self.length_m / 15.0 + self.halt_s) * self.fps)

    def sightings(self, frame: int) -> Sightings:
        t_ms = frame * 1000 // self.fps
        boxes = [sign.box(sign.at_m - self.at(t_ms / 1000)) for sign in self.signs]
        return Sightings(frame, t_ms, 1536, 864, [box for box in boxes if box is not None])

    def readings(self, frame: int) -> Readings:
        t_ms = frame * 1000 // self.fps
        found = [each for sign in self.signs for each in sign.readings(frame, sign.at_m - self.at(t_ms / 1000))]
        return Readings(frame, t_ms, 1536, 864, found)

    def fixes(self) -> list[Fix]:
        seconds = range(int(self.length_m / 15.0 + self.halt_s) + 2)
        off = [self.wander_m * math.sin(second / 8) for second in seconds]
        return [Fix((UTC_S + s) * 1000, north(self.at(s) + off[s]), LON, 0.0, 3.0) for s in seconds]


@pytest.mark.parametrize("wander_m", [0.0, 6.0])
@pytest.mark.parametrize("halt_s", [5.0, 60.0])
def test_a_sign_before_which_the_vehicle_waits_is_judged_when_it_goes_on(halt_s: float, wander_m: float) -> None:
    halt = Halt([Sign(60.0, data=code(60.0))], register=registered(entry(60.0)), halt_s=halt_s, wander_m=wander_m)
    found, judge = judged(halt)
    assert [state for state, _ in found] == ["VERIFIED"]
    assert judge.places()["carried"] == 0


def test_what_is_carried_survives_a_restart() -> None:
    drive = along(resting(1150.0, 340.0))
    judge = drive.judge()
    for fix in drive.fixes():
        judge.on_fix(fix)
    judge.on_fixes_end()
    verdicts: list[Verdict] = []
    for number, message in enumerate(drive.messages()):
        if number == 220:
            successor = drive.judge()
            successor.restore(judge.snapshot())
            judge = successor
        verdicts += feed(judge, message)
    assert said(verdicts + judge.finish()) == [VERIFIED] * 3
    assert held_state.from_bytes(judge.snapshot(), "test").carried[0].data == ADVERT


# --- what is missing only where the way was in view ----------------------------------------------------------------


def blank(drive: Journey, first: int, last: int) -> Journey:
    """The drive with nothing seen from frame `first` to `last`, in pictures that show nothing."""

    class Blank(type(drive)):  # type: ignore[misc]
        def sightings(self, frame: int) -> Sightings:
            seen = super().sightings(frame)
            fields = {name: getattr(seen, name) for name in ("frame", "t_ms", "width", "height")}
            return Sightings(**fields, boxes=[], blank=True) if first <= frame < last else seen

    hidden = Blank(drive.signs, drive.length_m)
    return replace(hidden, register=drive.register, with_utc=drive.with_utc)


BARE = Journey([], length_m=320.0, register=registered(entry(150.0)))


def test_no_sign_is_missing_in_black_pictures_and_the_time_is_told() -> None:
    assert said(BARE.run()) == [("MISSING", "registered_sign_not_seen")]
    found, judge = judged(blank(BARE, 150, 260))
    assert found == []
    assert judge.places()["blank_ms"] == pytest.approx(4400, abs=100)


def test_a_short_black_picture_changes_nothing() -> None:
    assert said(blank(BARE, 60, 70).run()) == said(BARE.run())


@pytest.mark.parametrize("begins_m", [0.0, 20.0, 50.0])
def test_a_sign_just_ahead_of_where_the_video_begins_is_not_missing(begins_m: float) -> None:
    assert said(Journey([], register=registered(entry(begins_m))).run()) == []


@pytest.mark.parametrize("late_s", [4, 8, 12])
def test_a_sign_whose_own_code_is_read_a_little_later_was_not_missing(late_s: int) -> None:
    away = 15.0 * late_s
    drive = Journey([Sign(100.0 + away, data=code(100.0))], length_m=150 + away, register=registered(entry(100.0)))
    assert "MISSING" not in {verdict.state for verdict in drive.run()}


def test_a_sign_moved_along_is_missing_where_codes_have_told_the_place_before() -> None:
    moved = [ROW[0], Sign(290.0, data=code(140.0, number=2))]
    drive = Journey(moved, length_m=340.0, register=registered(*ENTRIES[:2]))
    assert said(drive.run()) == [VERIFIED, ("MISSING", "registered_sign_not_seen"), ("MISPLACED", "code_elsewhere")]


def test_after_the_picture_stood_the_codes_before_tell_the_place_no_more() -> None:
    later = Sign(240.0, data=code(140.0, number=2))
    drive = Journey([ROW[0], later], length_m=300.0, register=registered(*ENTRIES[:2]))
    assert ("MISSING", "registered_sign_not_seen") in said(drive.run())
    assert "MISSING" not in {verdict.state for verdict in blank(drive, 125, 155).run()}


def test_a_sign_without_a_code_is_not_suspected_by_a_register_that_is_asked_of_another_place() -> None:
    drive = Journey([Sign(60.0)], register=registered(entry(60.0)))
    judge = drive.judge()
    judge.start(UTC_S * 1000, earliest_ms=-50_000, latest_ms=50_000)
    verdicts: list[Verdict] = []
    for fix in drive.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()
    for message in drive.messages():
        verdicts += feed(judge, message)
    assert said(verdicts + judge.finish()) == [("SUSPECT", "register_unchecked")]
