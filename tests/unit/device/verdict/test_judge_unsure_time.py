"""The same honest drive with false times: it is verified or left unplaced, and never accused. And a copy stays a copy.

Warden makes the claim of what the file and the track say; the judge judges by it, as in a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from device.channel.messages import Fix, Verdict
from device.config import Config
from device.launcher.plan import RunPlan
from device.verdict.decision.offset import Offset
from device.verdict.judge import Judge
from device.warden.dating import WEEKS_1024_MS
from device.warden.stream import claim
from tests.support.verdict_drive import (
    ANCHORS,
    FPS,
    LON,
    SPEED,
    UTC_S,
    Journey,
    Sign,
    code,
    entry,
    feed,
    north,
    registered,
)
from wire.register import RegisterEntry

START_MS = UTC_S * 1000
HOUR_MS = 3_600_000
FIRST_M, SECOND_M, COPY_M, LENGTH_M = 90.0, 210.0, 330.0, 420.0
LENGTH_MS = int(LENGTH_M / SPEED * 1000)
FACTORY_MS = 1_325_376_000_000  # 2012
HONEST = [Sign(FIRST_M, data=code(FIRST_M)), Sign(SECOND_M, data=code(SECOND_M, number=2))]
COPIED = Sign(COPY_M, data=code(COPY_M - 9000.0, number=3))
ENTRIES = [entry(FIRST_M), entry(SECOND_M, number=2)]


@dataclass
class Recording:
    """A drive past `signs` whose video says that it began at `label_ms` (0: no time), with a track.

    Attributes:
        from_s, to_s: the track, seconds from the true start; the vehicle drives on before and after.
        parked_s: how long it stands at the end of the drive, while the track goes on.
        track_shift_ms: how far the receiver's clock is off.
        stretch: how much slower the video's clock runs than the receiver's.
        gap_s: from and to when there are no fixes.
        kept: whether something keeps this machine's clock right.
        facts: what else capture says of the video.
    """

    label_ms: int = START_MS
    signs: list[Sign] = field(default_factory=lambda: list(HONEST))
    from_s: int = -2
    to_s: int = int(LENGTH_M / SPEED) + 3
    parked_s: int = 0
    track_shift_ms: int = 0
    entries: list[RegisterEntry] = field(default_factory=lambda: list(ENTRIES))
    changes: dict[str, Any] = field(default_factory=dict)
    stretch: float = 0.0
    gap_s: tuple[int, int] = (0, 0)
    kept: bool = False
    facts: dict[str, int] = field(default_factory=dict)
    length_m: float = LENGTH_M
    fps: int = FPS

    def fixes(self) -> list[Fix]:
        moving = [(s, s * SPEED) for s in range(self.from_s, self.to_s)]
        standing = [(self.to_s + s, self.to_s * SPEED) for s in range(0, self.parked_s, 3)]
        return [
            Fix(START_MS + round(s * 1000 * (1 + self.stretch)) + self.track_shift_ms, north(metres), LON, 0.0, 3.0)
            for s, metres in moving + standing
            if not self.gap_s[0] < s < self.gap_s[1]
        ]

    def judge(self) -> tuple[Judge, list[Verdict]]:
        untimed_from = 1 if self.facts.get("unrated") else 1_000_000
        journey = Journey(self.signs, self.length_m, fps=self.fps, untimed_from=untimed_from)
        fixes = self.fixes()
        facts = {"fixes": len(fixes), "first_utc_ms": fixes[0].utc_ms, "last_utc_ms": fixes[-1].utc_ms}
        stream = {"utc_ms": self.label_ms, "length_ms": round(self.length_m / SPEED * 1000)} | self.facts
        fields = {"start": "file", "clock_error_ms": 5 if self.kept else None} | self.changes
        plan = RunPlan(
            kind="video", input="/v", shown="v.mp4", gpx="/g", gpx_shown="g.gpx", pace="lockstep", home="/h",
            models="/m", run_id="0" * 32, config=Config(), **fields,
        )  # fmt: skip
        go = claim(plan, stream, facts, START_MS + 10 * HOUR_MS).go(0)
        judge = Judge(ANCHORS, registered(*self.entries), stream="test", lockstep=True)
        judge.start(
            go.utc_ms,
            earliest_ms=go.earliest_ms,
            latest_ms=go.latest_ms,
            dated=go.dated,
            rated=go.rated,
            drift_ppm=go.drift_ppm,
            date_doubt=(go.date_earlier_ms, go.date_later_ms),
        )
        waiting, verdicts = list(reversed(fixes)), []
        for message in journey.messages():
            while waiting and judge.wants_fixes:
                verdicts += judge.on_fix(waiting.pop())
            verdicts += feed(judge, message)
        verdicts += judge.finish()
        while waiting and judge.wants_the_rest_of_the_way:
            judge.survey()
            judge.on_fix(waiting.pop())
        judge.survey()
        return judge, verdicts

    def said(self) -> list[tuple[str, str]]:
        return [(verdict.state, verdict.reasons[0]) for verdict in self.judge()[1]]


YEAR_S = 366 * 86_400
VERIFIED = ("VERIFIED", "code_and_perception_agree")
ELSEWHERE = ("MISPLACED", "code_elsewhere")
UNPLACED, UNTIMED = ("UNVERIFIED", "place_unchecked"), ("UNVERIFIED", "time_unchecked")
DAY = {"from_s": -2, "parked_s": 4 * 3600}
COPIES = [COPIED]
BOTH = [*HONEST, COPIED]

FALSE_TIMES = {
    "a minute and a half late": Recording(START_MS + 90_000, **DAY),
    "three minutes early": Recording(START_MS - 180_000, from_s=-600),
    "four seconds late": Recording(START_MS + 4000),
    "two seconds early": Recording(START_MS - 2000),
    "the end of the recording": Recording(START_MS + LENGTH_MS),
    "the end, and the track goes on": Recording(START_MS + LENGTH_MS, **DAY),
    "local time two hours ahead": Recording(START_MS + 2 * HOUR_MS, **DAY),
    "local time of Nepal": Recording(START_MS + 2 * HOUR_MS + 45 * 60_000, **DAY),
    "the end, in local time": Recording(START_MS + HOUR_MS + LENGTH_MS, **DAY),
    "a track that begins late": Recording(START_MS + LENGTH_MS, from_s=12, parked_s=4 * 3600),
    "no time": Recording(0),
    "1970": Recording(1),
    "no time, and the track began long before": Recording(0, from_s=-60),
    "no time, and the track began in the middle": Recording(0, from_s=12),
    "no time, and a whole day's track": Recording(0, from_s=-60, parked_s=4 * 3600),
    "factory date": Recording(FACTORY_MS, from_s=-60),
    "a track 1024 weeks early": Recording(track_shift_ms=-WEEKS_1024_MS),
    "a track 1024 weeks early, and no time": Recording(0, track_shift_ms=-WEEKS_1024_MS),
    "video and track 1024 weeks early": Recording(START_MS - WEEKS_1024_MS, track_shift_ms=-WEEKS_1024_MS),
    "a clock that was never set": Recording(0, facts={"unset": 1}),
    "local time of India": Recording(START_MS + 330 * 60_000, from_s=-2, parked_s=6 * 3600),
    "local time of Newfoundland": Recording(START_MS - 210 * 60_000, from_s=-13_000),
    "summer time that was not set": Recording(START_MS + HOUR_MS, **DAY),
    "the end, half an hour off": Recording(START_MS + LENGTH_MS - HOUR_MS // 2, from_s=-3000),
    "a track that only covers the middle": Recording(from_s=4, to_s=18),
    "a track that only covers the middle, and the end as time": Recording(START_MS + LENGTH_MS, from_s=4, to_s=29),
    "a track that ends before the second sign": Recording(to_s=10),
    "with the track's first fix, which was long before": Recording(from_s=-60, changes={"start": "gps"}),
    "with the track's first fix, which was after": Recording(from_s=9, changes={"start": "gps"}),
    "with the track's first fix, of a whole day": Recording(from_s=-300, parked_s=6000, changes={"start": "gps"}),
    "a gap of the track at the first sign": Recording(gap_s=(2, 8), from_s=-100),
    "a gap of the track at both signs": Recording(gap_s=(2, 18), **DAY),
    "images at another rate": Recording(START_MS, facts={"unrated": 1}, from_s=-100),
    "images at another rate, and when they began": Recording(facts={"unrated": 1}, changes={"start": str(START_MS)}),
    "images at another rate, and no time": Recording(0, facts={"unrated": 1}),
}
YEAR_MS = 366 * 24 * HOUR_MS
AHEAD = {"a week": 7 * 24 * HOUR_MS, "a year": YEAR_MS, "1024 weeks": WEEKS_1024_MS, "80 years": 80 * YEAR_MS}
for ahead, by_ms in AHEAD.items():
    for kept in (True, False):
        FALSE_TIMES |= {
            f"{ahead} ahead, {kept}": Recording(START_MS + by_ms, kept=kept),
            f"{ahead} ahead, beside a day, {kept}": Recording(START_MS + by_ms, kept=kept, **DAY),
            f"the track {ahead} ahead, {kept}": Recording(track_shift_ms=by_ms, kept=kept),
            f"the track {ahead} ahead, no time, {kept}": Recording(0, track_shift_ms=by_ms, kept=kept),
            f"both {ahead} ahead, {kept}": Recording(START_MS + by_ms, track_shift_ms=by_ms, kept=kept),
            f"1970 and the track {ahead} ahead, {kept}": Recording(1, track_shift_ms=by_ms, kept=kept),
        }


@pytest.mark.parametrize("name", FALSE_TIMES)
def test_a_false_time_accuses_no_honest_sign(name: str) -> None:
    said = FALSE_TIMES[name].said()
    assert len(said) == 2
    assert set(said) <= {VERIFIED, UNPLACED, UNTIMED}


@pytest.mark.parametrize(
    ("label_ms", "changes"),
    [
        (START_MS, {}),
        (START_MS + 2 * HOUR_MS, {"start": str(START_MS)}),
        (START_MS + 2 * HOUR_MS, {"offset_ms": -2 * HOUR_MS}),
        (0, {"offset_ms": 2000}),
        (FACTORY_MS, {"offset_ms": 2000}),
    ],
)
def test_a_right_time_verifies_what_is_in_its_place_and_accuses_what_is_not(
    label_ms: int, changes: dict[str, Any]
) -> None:
    assert Recording(label_ms, BOTH, changes=changes).said() == [VERIFIED, VERIFIED, ELSEWHERE]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(
    ("sign", "word"),
    [
        (Sign(COPY_M, data=code(COPY_M - 300.0, number=3)), "code_elsewhere"),
        (Sign(COPY_M, data=code(COPY_M + 300.0, number=3)), "code_elsewhere"),
        (
            Sign(COPY_M, data=code(COPY_M, number=3, valid_from=UTC_S - 2 * YEAR_S, valid_until=UTC_S - YEAR_S)),
            "code_expired",
        ),
        (
            Sign(COPY_M, data=code(COPY_M, number=3, valid_from=UTC_S + YEAR_S, valid_until=UTC_S + 2 * YEAR_S)),
            "code_not_yet_valid",
        ),
    ],
)
def test_with_a_good_time_and_track_a_code_that_is_out_of_place_or_time_is_accused(
    sign: Sign, word: str, kept: bool
) -> None:
    for made in (
        Recording(START_MS, [sign], entries=[], kept=kept),
        Recording(START_MS, [sign], entries=[], kept=kept, changes={"start": str(START_MS)}, **DAY),
        Recording(START_MS, [*HONEST, sign], kept=kept, **DAY),
    ):
        assert made.said()[-1] == ("MISPLACED", word)


@pytest.mark.parametrize("kind", ["gap", "rate"])
def test_a_sign_whose_place_was_lost_on_the_way_to_it_is_not_judged_by_the_place_before(kind: str) -> None:
    seen_from_afar = Sign(FIRST_M, data=code(FIRST_M), code_from_m=100.0)
    lost: dict[str, Any] = {"gap_s": (3, 21)} if kind == "gap" else {"facts": {"unrated": 1}}
    for changes in ({"start": str(START_MS)}, {}):
        (said,) = Recording(START_MS, [seen_from_afar], entries=ENTRIES[:1], changes=changes, **lost).said()
        assert said in (UNPLACED, UNTIMED)


def test_clocks_that_run_apart_accuse_no_honest_sign() -> None:
    far_m = 9000.0
    signs = [*HONEST, Sign(far_m, data=code(far_m, number=3))]
    for stretch in (-0.004, 0.004):
        drive = {"length_m": far_m + 60.0, "to_s": int(far_m / SPEED) + 12, "fps": 8, "stretch": stretch}
        made = Recording(START_MS, signs, changes={"start": str(START_MS)}, **drive)
        assert made.said() == [VERIFIED, VERIFIED, UNPLACED]


def test_a_copy_that_was_never_passed_is_misplaced_also_where_the_label_may_be_the_end() -> None:
    assert Recording(START_MS, COPIES, from_s=-100, to_s=200, entries=[]).said() == [ELSEWHERE]


def test_a_copy_is_not_accused_where_the_vehicle_may_have_been_at_its_place() -> None:
    far = Sign(COPY_M, data=code(COPY_M - SPEED * LENGTH_MS / 1000, number=3))  # where it was one recording earlier
    assert Recording(START_MS, [far], from_s=-100, to_s=200, entries=[]).said() == [UNPLACED]


def test_two_codes_in_their_places_settle_where_the_video_lies() -> None:
    copy = Sign(COPY_M, data=code(COPY_M - SPEED * LENGTH_MS / 1000, number=3))
    assert Recording(START_MS, [*HONEST, copy], from_s=-100, to_s=200).said() == [VERIFIED, VERIFIED, ELSEWHERE]


def test_a_missing_sign_is_told_once_codes_have_settled_where_the_video_lies() -> None:
    bare = Sign(150.0, lambda distance: None)
    three = [*ENTRIES, entry(150.0, number=9)]
    said = Recording(START_MS, [HONEST[0], bare, HONEST[1]], from_s=-100, to_s=200, entries=three).said()
    assert said == [VERIFIED, VERIFIED, ("MISSING", "registered_sign_not_seen")]


def test_a_sign_whose_code_was_read_is_not_missing_where_the_start_is_a_little_off() -> None:
    for off_ms in (-2500, 2500):
        plain = Recording(START_MS + off_ms, HONEST[:1], entries=ENTRIES[:1], from_s=-2 + off_ms // 1000)
        assert plain.said() in ([VERIFIED], [UNPLACED])


def test_nothing_is_missing_where_it_is_not_sure_where_the_video_lies() -> None:
    bare = [Sign(FIRST_M, lambda distance: None)]
    assert ("MISSING", "registered_sign_not_seen") in Recording(START_MS, bare).said()
    for unsure in (Recording(START_MS, bare, from_s=-100, to_s=200), Recording(0, bare, from_s=-60)):
        assert "MISSING" not in {state for state, _ in unsure.said()}


@pytest.mark.parametrize(
    ("from_s", "until_s", "says"),
    [
        (-10 * 86_400, -86_400, ("MISPLACED", "code_expired")),
        (-10 * 86_400, 3600, UNTIMED),  # in force when it was passed, expired by the label
        (-10 * 86_400, 86_400, UNPLACED),  # in force at each time that it may have been
        (3600, 86_400, UNTIMED),
        (10 * 3600, 86_400, ("MISPLACED", "code_not_yet_valid")),
    ],
)
def test_a_codes_time_accuses_only_where_it_does_at_every_possible_time(
    from_s: int, until_s: int, says: tuple[str, str]
) -> None:
    dated = code(FIRST_M, valid_from=UTC_S + from_s, valid_until=UTC_S + until_s)
    made = Recording(START_MS + 2 * HOUR_MS, [Sign(FIRST_M, data=dated)], entries=[], **DAY)
    assert made.said() == [says]


def test_without_a_date_no_code_is_out_of_its_time_and_none_is_verified() -> None:
    early = FALSE_TIMES["video and track 1024 weeks early"]
    assert early.said() == [UNTIMED, UNTIMED]
    for verdict in early.judge()[1]:  # what is claimed is told as it is
        assert START_MS <= verdict.utc_ms + WEEKS_1024_MS <= START_MS + LENGTH_MS


@pytest.mark.parametrize(
    ("recording", "offset_ms"),
    [
        (Recording(START_MS + 2 * HOUR_MS, **DAY), -2 * HOUR_MS),
        (Recording(START_MS + 2 * HOUR_MS + 45 * 60_000, **DAY), -(2 * HOUR_MS + 45 * 60_000)),
        (Recording(0, from_s=-60, parked_s=3600), 60_000),
    ],
)
def test_the_offset_that_puts_all_codes_in_their_places_is_estimated_and_is_right(
    recording: Recording, offset_ms: int
) -> None:
    judge, verdicts = recording.judge()
    assert {verdict.reasons[0] for verdict in verdicts} == {"place_unchecked"}
    found = judge.offset()
    assert isinstance(found, Offset) and (found.fitting, found.codes) == (2, 2)
    assert abs(found.offset_ms - offset_ms) <= 1000
    applied = Recording(
        recording.label_ms, from_s=recording.from_s, parked_s=recording.parked_s, changes={"offset_ms": found.offset_ms}
    )
    assert applied.said() == [VERIFIED, VERIFIED]


def test_a_label_behind_the_truth_is_found_in_the_way_that_follows() -> None:
    recording = Recording(START_MS - 3 * HOUR_MS, from_s=-12_000, entries=[])
    judge, _ = recording.judge()
    found = judge.offset()
    assert found is not None and abs(found.offset_ms - 3 * HOUR_MS) <= 1000


def test_no_offset_is_proposed_where_all_is_in_its_place_or_none_fits() -> None:
    assert Recording(START_MS).judge()[0].offset() is None
    assert Recording(START_MS, COPIES, entries=[]).judge()[0].offset() is None


def test_one_copy_among_honest_codes_does_not_hide_the_offset() -> None:
    judge, _ = Recording(START_MS + 2 * HOUR_MS, BOTH, **DAY).judge()
    assert judge.offset() == Offset(-2 * HOUR_MS, 2, 3)


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    recording = FALSE_TIMES["local time two hours ahead"]
    judge, verdicts = recording.judge()
    copy = Judge(ANCHORS, registered(*ENTRIES), stream="test", lockstep=True)
    copy.restore(judge.snapshot())
    assert copy.offset() == judge.offset() and len(verdicts) == 2
