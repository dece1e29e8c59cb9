"""The cross-check: a compromised reader can neither choose the time nor silence the other; it is accused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec
import pytest

from device.channel.messages import Readings, Sightings, Verdict
from device.verdict import persistence
from device.verdict.intake import timeline
from device.verdict.intake.cross_check import MAX_LEAD_FRAMES, Side
from device.verdict.judge import Judge
from device.verdict.state import State
from tests.support.verdict_drive import ANCHORS, UTC_S, Journey, Sign, code, entry, registered

Said = Sightings | Readings
STOP = Journey([Sign(90.0, data=code(90.0))])


def seen(frame: int, t_ms: int) -> Sightings:
    return Sightings(frame, t_ms, 1536, 864, [])


def play(
    drive: Journey,
    *,
    lockstep: bool = True,
    lie: Callable[[Said], Said] = lambda message: message,
    inject: Iterable[Said] = (),
    at: int = 10,
) -> tuple[list[Verdict], Counter[Side]]:
    """The verdicts, and how often each reader was accused. `inject` comes before frame `at`; realtime has a clock."""
    judge = Judge(ANCHORS, drive.register, stream="test", lockstep=lockstep)
    judge.start(UTC_S * 1000, None if lockstep else 0)
    accused: Counter[Side] = Counter()
    verdicts: list[Verdict] = []
    for fix in drive.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()

    def say(message: Said, now_ms: int) -> None:
        now = None if lockstep else now_ms
        told = judge.on_sightings if isinstance(message, Sightings) else judge.on_readings
        verdicts.extend(told(message, now))  # type: ignore[arg-type]
        accused.update(judge.accused())

    for message in drive.messages():
        now_ms = message.t_ms + 60
        if message.frame == at and isinstance(message, Sightings):
            for evil in inject:
                say(evil, now_ms)
        say(lie(message), now_ms)
    return verdicts + judge.finish(), accused


# --- the time -----------------------------------------------------------------------------------------------------


def backdated(message: Said) -> Said:
    """What a compromised perception says, so that the vehicle seems to be where the code's genuine place was."""
    if isinstance(message, Readings) or message.t_ms < 6000:
        return message
    return msgspec.structs.replace(message, t_ms=message.t_ms - 6000)


@pytest.mark.parametrize("lockstep", [True, False])
def test_perception_cannot_backdate_a_copied_code_into_its_place(lockstep: bool) -> None:
    copied = Journey([Sign(120.0, data=code(30.0))], length_m=180.0)
    assert [verdict.state for verdict in play(copied, lockstep=lockstep)[0]] == ["MISPLACED"]
    verdicts, accused = play(copied, lockstep=lockstep, lie=backdated)
    assert {verdict.state for verdict in verdicts} <= {"MISPLACED", "UNVERIFIED"}
    assert accused["perception"] > 0


@pytest.mark.parametrize("lockstep", [True, False])
def test_perception_cannot_stop_the_clock_before_a_code_expires(lockstep: bool) -> None:
    expiring = Journey([Sign(90.0, data=code(90.0, valid_until=UTC_S + 3))])

    def frozen(message: Said) -> Said:
        return message if isinstance(message, Readings) else msgspec.structs.replace(message, t_ms=2900)

    for lie in (lambda message: message, frozen):
        verdicts, _ = play(expiring, lockstep=lockstep, lie=lie)
        assert "VERIFIED" not in {verdict.state for verdict in verdicts}


def test_no_sighting_tells_a_wall_clock_time() -> None:
    assert "utc_ms" not in Sightings.__struct_fields__


def test_two_times_for_one_frame_accuse_both_and_the_frame_is_not_judged() -> None:
    state = State("test", fixes_ended=True)
    timeline.take_sightings(state, seen(0, 0), lockstep=True)
    timeline.take_readings(state, Readings(0, 0, 1536, 864, []), lockstep=True)
    timeline.take_sightings(state, seen(1, 40), lockstep=True)
    accused = timeline.take_readings(state, Readings(1, 4000, 1536, 864, []), lockstep=True)
    assert accused == {"perception", "codes"}
    assert [moment.frame for moment, _ in timeline.released(state, lockstep=True)] == [0]


def test_a_time_that_runs_against_what_both_have_said_accuses_the_sender_alone() -> None:
    state = State("test", fixes_ended=True)
    timeline.take_sightings(state, seen(5, 200), lockstep=True)
    timeline.take_readings(state, Readings(5, 200, 1536, 864, []), lockstep=True)
    assert timeline.take_readings(state, Readings(6, 160, 1536, 864, []), lockstep=True) == {"codes"}
    assert timeline.take_sightings(state, seen(6, 240), lockstep=True) == set()


def test_a_stream_that_began_at_the_end_of_time_gives_verdicts_within_their_bounds() -> None:
    drive = Journey([Sign(90.0)], with_fixes=False)
    judge = Judge(ANCHORS, None, stream="test", lockstep=True)
    judge.start(2**48)
    verdicts = judge.on_fixes_end()
    for message in drive.messages():
        verdicts += judge.on_sightings(message) if isinstance(message, Sightings) else judge.on_readings(message)
    verdicts += judge.finish()
    assert len(verdicts) == 1
    assert all(persistence.sound(verdict) for verdict in verdicts)


# --- who runs ahead -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lockstep", [True, False])
@pytest.mark.parametrize("side", ["perception", "codes"])
def test_leaps_into_the_future_do_not_silence_the_other(side: Side, lockstep: bool) -> None:
    spots = [(10 + i * 3000, 400 + i * 100_000) for i in range(200)]
    leaps: list[Said] = [seen(*spot) if side == "perception" else Readings(*spot, 1536, 864, []) for spot in spots]
    verdicts, accused = play(STOP, lockstep=lockstep, inject=leaps)
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]
    assert accused[side] and (lockstep or set(accused) == {side})


@pytest.mark.parametrize("lockstep", [True, False])
def test_one_leap_of_many_frames_in_no_time_is_caught_too(lockstep: bool) -> None:
    verdicts, accused = play(STOP, lockstep=lockstep, inject=[Readings(10**9, 400, 1536, 864, [])])
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]
    assert set(accused) == {"codes"}


@pytest.mark.parametrize("side", ["perception", "codes"])
def test_a_leap_as_the_very_first_word_is_caught_when_the_other_speaks(side: Side) -> None:
    leap: Said = seen(10**9, 10**9) if side == "perception" else Readings(10**9, 10**9, 1536, 864, [])
    verdicts, accused = play(STOP, inject=[leap], at=0)
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]
    assert set(accused) == {side}


@pytest.mark.parametrize("lockstep", [True, False])
def test_perception_that_races_ahead_cannot_outrun_the_code(lockstep: bool) -> None:
    """It reports a whole pass of another class at once, before the code reader gets to those frames."""
    other = Journey([Sign(90.0, lambda distance: (1, 0.97))])
    race = [other.sightings(frame) for frame in range(20, other.frames)]
    verdicts, accused = play(STOP, lockstep=lockstep, inject=race, at=20)
    assert {(v.state, v.class_id) for v in verdicts} <= {("VERIFIED", 14), ("CONTRADICTED", 14)}
    assert accused["perception"] > 0


def test_in_lockstep_a_silent_reader_is_accused_as_well_as_the_one_that_waits_for_it() -> None:
    state = State("test", fixes_ended=True)
    timeline.take_readings(state, Readings(0, 0, 1536, 864, []), lockstep=True)
    said = [timeline.take_sightings(state, seen(frame, frame * 40), lockstep=True) for frame in range(80)]
    assert not any(said[:MAX_LEAD_FRAMES])
    assert {"perception", "codes"} in said


def test_in_realtime_nobody_is_accused_while_the_other_is_away() -> None:
    state = State("test", fixes_ended=True, began_ms=0)
    for frame in range(600):
        now_ms = frame * 40 + 60
        assert not timeline.take_sightings(state, seen(frame, frame * 40), lockstep=False, now_ms=now_ms)
        list(timeline.released(state, lockstep=False, now_ms=now_ms))
        if frame < 100 or frame > 500:
            assert not timeline.take_readings(
                state, Readings(frame, frame * 40, 1536, 864, []), lockstep=False, now_ms=now_ms
            )


def test_a_racing_readers_time_does_not_shorten_the_patience_with_the_other() -> None:
    state = State("test", fixes_ended=True, began_ms=0)
    timeline.take_sightings(state, seen(0, 0), lockstep=False, now_ms=100)
    timeline.take_sightings(state, seen(30, 340), lockstep=False, now_ms=100)
    assert list(timeline.released(state, lockstep=False, now_ms=100)) == []


@pytest.mark.parametrize("lockstep", [True, False])
def test_honest_readers_that_drop_frames_and_are_late_are_not_accused(lockstep: bool) -> None:
    source = random.Random(8)
    drive = Journey([Sign(90.0, data=code(90.0))], register=registered(entry(90.0)))
    judge = Judge(ANCHORS, drive.register, stream="test", lockstep=lockstep)
    judge.start(UTC_S * 1000, None if lockstep else 0)
    verdicts = [verdict for fix in drive.fixes() for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    arrivals: list[tuple[int, int, Said]] = []
    for order, message in enumerate(drive.messages()):
        if source.random() < 0.8:
            late = 30 if isinstance(message, Sightings) else 200
            arrivals.append((message.t_ms + late + source.randrange(30), order, message))
    last: dict[type, int] = {}
    for now_ms, _, message in sorted(arrivals, key=lambda arrival: arrival[:2]):
        if message.frame <= last.get(type(message), -1):
            continue
        last[type(message)] = message.frame
        now = None if lockstep else now_ms
        told = judge.on_sightings if isinstance(message, Sightings) else judge.on_readings
        verdicts += told(message, now)  # type: ignore[arg-type]
        assert judge.accused() == set()
    assert [verdict.state for verdict in verdicts + judge.finish()] == ["VERIFIED"]


# --- what is kept over a restart ----------------------------------------------------------------------------------

VERDICT = Verdict("test:1:2:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, UTC_S * 1000, 8, None, None, ["perception_alone"])


def test_a_verdict_that_its_receivers_would_refuse_is_found_before_it_is_sent() -> None:
    assert persistence.sound(VERDICT)
    assert not persistence.sound(msgspec.structs.replace(VERDICT, utc_ms=2**48 + 1))


def test_one_spoilt_verdict_does_not_cost_the_others() -> None:
    spoilt = msgspec.structs.replace(VERDICT, utc_ms=2**50)
    kept = persistence.from_bytes(persistence.to_bytes(b"judge", [VERDICT, spoilt], {"codes"}, True))
    assert (kept.judge, kept.unstored, kept.ended, kept.finished, kept.lost) == (
        b"judge",
        [VERDICT],
        {"codes"},
        True,
        1,
    )


@pytest.mark.parametrize("data", [b"\xc1", b"\x80", b"\x00" * 9])
def test_a_memory_that_cannot_be_read_is_known_to_be_lost(data: bytes) -> None:
    assert persistence.from_bytes(data) == persistence.Remembered(lost=1)
