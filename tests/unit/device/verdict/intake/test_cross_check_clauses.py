"""What two readers may say of frames, clause by clause: who is believed, who is accused, and what is forgotten."""

from __future__ import annotations

import pytest

from device.verdict.intake import cross_check, timeline
from device.verdict.intake.cross_check import Side
from device.verdict.state import Moment, State
from tests.support.verdict_samples import state

BOTH = {"perception", "codes"}
OTHER: dict[Side, Side] = {"perception": "codes", "codes": "perception"}
SIDES: list[Side] = ["perception", "codes"]


def spoken(frame: int, *sides: Side, t_ms: int | None = None) -> Moment:
    said = [[] if side in sides else None for side in SIDES]
    return Moment(frame, frame * 40 if t_ms is None else t_ms, 0, said[0], said[1])  # type: ignore[arg-type]


def held(*pending: Moment, perception: int = -1, codes: int = -1, **changes: object) -> State:
    newest = max((moment.t_ms for moment in pending), default=0)
    fields: dict[str, object] = {"marks": {"perception": perception, "codes": codes}, "newest_ms": newest}
    return state(pending=list(pending), **(fields | changes))


def say(
    before: State, side: Side, frame: int, t_ms: int | None = None, *, lockstep: bool = True, now_ms: int | None = None
) -> set[str]:
    """Who is accused. What is said is filed as the reader would."""
    at = frame * 40 if t_ms is None else t_ms
    moment, accused = cross_check.file(before, side, frame, at, lockstep=lockstep, now_ms=now_ms)
    if moment is not None:
        setattr(moment, "boxes" if side == "perception" else "readings", [])
    return set(accused)


def frames(found: State) -> list[int]:
    return [moment.frame for moment in found.pending]


# --- filing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
def test_a_new_frame_is_filed_in_order_and_marked(side: Side) -> None:
    before = held(spoken(2, *SIDES), spoken(9, OTHER[side]), perception=2, codes=2)
    before.marks[OTHER[side]] = 9
    moment, accused = cross_check.file(before, side, 5, 200, lockstep=True, now_ms=None)
    assert (frames(before), accused) == ([2, 5, 9], set())
    assert moment == Moment(5, 200, 0, None, None)
    assert moment is before.pending[1]
    assert (before.marks[side], before.marks[OTHER[side]], before.newest_ms, before.ignored) == (5, 9, 360, 0)


@pytest.mark.parametrize("side", SIDES)
def test_a_frame_of_which_the_other_spoke_is_the_same_moment(side: Side) -> None:
    before = held(spoken(5, OTHER[side]), perception=-1, codes=-1)
    before.marks[OTHER[side]] = 5
    moment, accused = cross_check.file(before, side, 5, 200, lockstep=True, now_ms=None)
    assert (moment is before.pending[0], frames(before), accused) == (True, [5], set())


def test_the_newest_time_is_the_latest_said() -> None:
    before = held(newest_ms=100)
    say(before, "codes", 4, 160)
    assert before.newest_ms == 160
    say(before, "perception", 3, 120)
    assert before.newest_ms == 160


@pytest.mark.parametrize(("mark", "released", "filed"), [(5, -1, False), (4, -1, True), (-1, 5, False), (-1, 4, True)])
def test_a_frame_that_is_not_later_than_the_last_said_and_the_last_released_is_ignored(
    mark: int, released: int, filed: bool
) -> None:
    before = held(codes=mark, perception=2, released_mark=released)
    assert say(before, "codes", 5) == set()
    assert (frames(before), before.ignored) == (([5], 0) if filed else ([], 1))
    assert before.marks["codes"] == (5 if filed else mark)


def test_what_is_released_is_the_measure_if_both_spoke_of_it() -> None:
    before = held(agreed_frame=2, agreed_ms=80)
    cross_check.passed(before, spoken(7, "codes"))
    assert (before.released_mark, before.released_ms, before.agreed_frame, before.agreed_ms) == (7, 280, 2, 80)
    cross_check.passed(before, spoken(8, "perception"))
    assert (before.released_mark, before.released_ms, before.agreed_frame, before.agreed_ms) == (8, 320, 2, 80)
    cross_check.passed(before, spoken(9, *SIDES))
    assert (before.released_mark, before.released_ms, before.agreed_frame, before.agreed_ms) == (9, 360, 9, 360)


# --- lockstep: leads ----------------------------------------------------------------------------------------------


def test_the_first_word_of_all_may_be_of_any_frame() -> None:
    before = held()
    assert say(before, "codes", 9_000) == set()
    assert frames(before) == [9_000]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("frame", "t_ms"), [(164, 4000), (10_000, 4000), (3900, 130_000), (10**9, 2**47)])
def test_in_lockstep_a_gap_may_be_of_any_length_where_the_other_is_shown_it_too(
    side: Side, frame: int, t_ms: int
) -> None:
    """Damaged frames are shown to nobody: two minutes of them, or an hour at another rate than before."""
    before = held(spoken(99, *SIDES), perception=99, codes=99, agreed_frame=99, agreed_ms=3960)
    for one in (side, OTHER[side]):
        assert say(before, one, frame, t_ms) == say(before, one, frame + 1, t_ms + 40) == set()
    assert [moment.frame for moment, _ in timeline.released(before, lockstep=True)][-2:] == []  # their fixes are due
    before.fixes_ended = True
    assert [moment.frame for moment, _ in timeline.released(before, lockstep=True)] == [99, frame, frame + 1]
    assert (before.agreed_frame, before.judged) == (frame + 1, {"perception": 2, "codes": 2})


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("frame", "t_ms"), [(165, 4000), (3900, 130_000), (10**9, 2**47)])
def test_in_lockstep_nothing_rests_on_a_leap_that_the_other_does_not_make(side: Side, frame: int, t_ms: int) -> None:
    """The other is shown the next frame; or the stream ends, and it never comes there."""
    fields: dict[str, object] = {"agreed_frame": 99, "agreed_ms": 3960, "fixes_ended": True}
    for ends in (False, True):
        before = held(spoken(99, *SIDES), perception=99, codes=99, **fields)
        assert say(before, side, frame, t_ms) == say(before, side, frame + 1, t_ms) == set()
        assert [moment.frame for moment, _ in timeline.released(before, lockstep=True)] == [99]
        if ends:
            cross_check.forget_leaps(before)
            assert (frames(before), before.newest_ms, before.ignored) == ([], before.released_ms, 2)
        else:
            assert say(before, OTHER[side], 100) == {side}
            assert (frames(before), before.marks[side]) == ([100], 99)
        assert before.judged == {side: 0, OTHER[side]: int(not ends)}


def test_at_the_end_what_one_reader_alone_saw_last_is_kept() -> None:
    before = held(spoken(99, *SIDES), spoken(100, "codes"), spoken(164, "codes"), perception=99, codes=164)
    cross_check.forget_leaps(before)
    assert (frames(before), before.newest_ms, before.ignored) == ([99, 100, 164], 6560, 0)


def test_in_lockstep_a_pause_may_be_of_any_length() -> None:
    before = held(perception=99, codes=99, agreed_frame=100, agreed_ms=4000, newest_ms=4000)
    assert say(before, "codes", 100, 10_000_000) == say(before, "perception", 100, 10_000_000) == set()


@pytest.mark.parametrize("side", SIDES)
def test_in_lockstep_a_reader_behind_a_leap_over_damage_is_no_contradiction(side: Side) -> None:
    before = held(spoken(98, side), spoken(99, side), perception=97, codes=97, agreed_frame=97, agreed_ms=3880)
    before.marks[side], before.newest_ms, before.released_mark = 99, 3960, 97
    assert say(before, side, 199, 7960) == say(before, side, 200, 8000) == set()
    for frame in (98, 99, 199, 200):
        assert say(before, OTHER[side], frame) == set()
    assert frames(before) == [98, 99, 199, 200]


@pytest.mark.parametrize("side", SIDES)
def test_in_lockstep_a_leap_over_frames_that_the_other_is_shown_accuses_who_leapt(side: Side) -> None:
    before = held(spoken(99, *SIDES), perception=99, codes=99, agreed_frame=99, agreed_ms=3960)
    assert say(before, side, 199, 7960) == set()
    assert say(before, OTHER[side], 100, 4000) == {side}
    assert (frames(before), before.marks[side]) == ([99, 100], 99)


@pytest.mark.parametrize(("alone", "accused"), [(63, False), (64, True)])
def test_in_lockstep_so_many_frames_of_one_reader_alone_accuse_both(alone: int, accused: bool) -> None:
    ahead = [spoken(2 + number, "codes") for number in range(alone)]
    before = held(spoken(0, *SIDES), spoken(1, *SIDES), *ahead, perception=1, codes=1 + alone)
    assert say(before, "codes", 2 + alone) == (BOTH if accused else set())
    assert len(before.pending) == (2 if accused else 3 + alone)


def test_a_reader_that_never_spoke_is_waited_for_as_long() -> None:
    ahead = [spoken(number, "codes") for number in range(64)]
    assert say(held(*ahead[:63], codes=62), "codes", 63) == set()
    assert say(held(*ahead, codes=63), "codes", 64) == BOTH


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("first", "accused"), [(69, False), (70, True)])
def test_in_lockstep_a_first_word_that_was_a_leap_is_found_when_the_other_speaks(
    side: Side, first: int, accused: bool
) -> None:
    before = held(spoken(first, OTHER[side]))
    before.marks[OTHER[side]] = first
    assert say(before, side, 5) == ({OTHER[side]} if accused else set())
    assert frames(before) == ([5] if accused else [5, first])
    assert before.marks == {side: 5, OTHER[side]: -1 if accused else first}
    assert before.ignored == 0


def test_in_realtime_the_other_may_be_far_ahead() -> None:
    before = held(spoken(200, "codes"), codes=200)
    assert say(before, "perception", 5, lockstep=False) == set()
    assert frames(before) == [5, 200]


# --- realtime: leaps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("t_ms", "accused"), [(4250, False), (4251, True)])
def test_in_realtime_nothing_is_later_than_our_own_clock(side: Side, t_ms: int, accused: bool) -> None:
    before = held(began_ms=1000)
    assert say(before, side, 3, t_ms, lockstep=False, now_ms=5000) == ({side} if accused else set())
    assert before.ignored == accused


@pytest.mark.parametrize(("began_ms", "now_ms"), [(None, 5000), (0, None), (None, None)])
@pytest.mark.parametrize(("t_ms", "accused"), [(120_400, False), (120_401, True)])
def test_without_a_clock_nothing_is_two_minutes_later_than_what_both_said(
    began_ms: int | None, now_ms: int | None, t_ms: int, accused: bool
) -> None:
    before = held(began_ms=began_ms, agreed_frame=10, agreed_ms=400)
    assert say(before, "codes", 11, t_ms, lockstep=False, now_ms=now_ms) == ({"codes"} if accused else set())


@pytest.mark.parametrize(("frame", "accused"), [(424, False), (425, True)])
def test_before_both_spoke_of_a_frame_they_come_at_most_at_the_first_rate(frame: int, accused: bool) -> None:
    """64 and 1.5 times 0.24 a millisecond, over a second."""
    assert say(held(), "codes", frame, 1000, lockstep=False) == ({"codes"} if accused else set())


@pytest.mark.parametrize(("frame", "accused"), [(224, False), (225, True)])
def test_later_they_come_at_most_half_again_as_fast_as_so_far(frame: int, accused: bool) -> None:
    """100 and 64 and 1.5 times 0.04 a millisecond, over a second."""
    before = held(agreed_frame=100, agreed_ms=2500)
    assert say(before, "codes", frame, 3500, lockstep=False) == ({"codes"} if accused else set())


@pytest.mark.parametrize(("agreed_ms", "lead"), [(999, 64 + 36), (1000, 64 + 1)])
def test_the_rate_is_known_once_both_agree_on_a_second(agreed_ms: int, lead: int) -> None:
    """Over 100 ms: 1.5 times 0.24 a millisecond before, 1.5 times 0.01 after."""
    before = held(agreed_frame=10, agreed_ms=agreed_ms)
    assert say(before, "codes", 10 + lead, agreed_ms + 100, lockstep=False) == set()
    before = held(agreed_frame=10, agreed_ms=agreed_ms)
    assert say(before, "codes", 10 + lead + 1, agreed_ms + 100, lockstep=False) == {"codes"}


def test_a_moment_of_one_reader_between_those_of_the_other_is_agreed_on() -> None:
    before = held(fixes_ended=True)
    for side, frame in (("codes", 3), ("perception", 4), ("codes", 5), ("perception", 6)):
        assert say(before, side, frame, lockstep=False) == set()  # type: ignore[arg-type]
    assert [moment.frame for moment, _ in timeline.released(before, lockstep=False)] == [3, 4, 5]
    assert (before.agreed_frame, before.agreed_ms) == (5, 200)


@pytest.mark.parametrize("t_ms", [2500, 1500])
def test_no_time_is_no_reason_for_fewer_frames(t_ms: int) -> None:
    before = held(agreed_frame=100, agreed_ms=2500)
    assert say(before, "codes", 165, t_ms, lockstep=False) == {"codes"}
    assert say(before, "codes", 164, 2500, lockstep=False) == set()


# --- contradictions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("frame", "t_ms", "accused"), [(11, 399, True), (11, 400, False), (10, 399, False)])
def test_a_time_before_what_both_said_of_an_earlier_frame_accuses_its_sender(
    side: Side, frame: int, t_ms: int, accused: bool
) -> None:
    before = held(agreed_frame=10, agreed_ms=400, perception=8, codes=8)
    assert say(before, side, frame, t_ms) == ({side} if accused else set())


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("frame", "t_ms", "fits"),
    [
        (5, 200, True),
        (5, 199, False),
        (5, 201, False),
        (6, 200, True),
        (6, 199, False),
        (4, 200, True),
        (4, 201, False),
    ],
)
def test_a_time_fits_between_those_of_the_frames_around_it(side: Side, frame: int, t_ms: int, fits: bool) -> None:
    """Where it does not, both are accused and what only one has said is forgotten."""
    before = held(spoken(5, OTHER[side]), perception=3, codes=3)
    before.marks[OTHER[side]] = 5
    assert say(before, side, frame, t_ms) == (set() if fits else BOTH)
    if fits:
        assert 5 in frames(before)
        assert before.marks == {side: frame, OTHER[side]: 5}
    else:
        assert frames(before) == []
        assert before.marks == {side: 3, OTHER[side]: 3}
        assert before.newest_ms == 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("frame", "t_ms"), [(6, 199), (4, 201)])
def test_a_time_that_does_not_fit_what_both_said_accuses_the_sender_alone(side: Side, frame: int, t_ms: int) -> None:
    before = held(spoken(5, *SIDES), perception=3, codes=3)
    assert say(before, side, frame, t_ms) == {side}
    assert frames(before) == [5]


def test_frames_further_away_are_not_looked_at() -> None:
    """Frames 2 and 12 would not fit."""
    pending = [spoken(frame, "codes") for frame in (2, 4, 8, 9, 12)]
    pending[0].t_ms, pending[-1].t_ms = 900, 100
    before = held(*pending, codes=12, perception=1)
    assert say(before, "perception", 6) == set()
    assert frames(before) == [2, 4, 6, 8, 9, 12]


@pytest.mark.parametrize(("odd", "t_ms"), [(4, 900), (8, 100)])
def test_the_frames_on_either_side_are_looked_at(odd: int, t_ms: int) -> None:
    pending = [spoken(4, "codes"), spoken(8, "codes")]
    pending[odd // 8].t_ms = t_ms
    assert say(held(*pending, codes=8, perception=1), "perception", 6) == BOTH


def test_the_frame_itself_and_the_one_after_it_are_looked_at() -> None:
    pending = [spoken(6, "codes"), spoken(8, "codes", t_ms=100)]
    assert say(held(*pending, codes=8, perception=1), "perception", 6) == BOTH


@pytest.mark.parametrize("side", SIDES)
def test_what_a_reader_alone_said_is_forgotten_when_it_contradicts_itself(side: Side) -> None:
    """The other one spoke of a later frame, so this is no matter of how far they have come."""
    before = held(spoken(4, side), spoken(10, OTHER[side]), perception=4, codes=4)
    before.marks[OTHER[side]] = 10
    assert say(before, side, 5, 159) == {side}
    assert frames(before) == [10]


def test_all_that_stands_against_it_is_forgotten() -> None:
    pending = [spoken(3, *SIDES), spoken(4, "codes", t_ms=900), spoken(8, "codes", t_ms=100)]
    before = held(*pending, codes=8, perception=3)
    assert say(before, "perception", 6) == BOTH
    assert frames(before) == [3]


# --- distrust -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
def test_what_an_accused_reader_said_beyond_the_other_is_forgotten_and_no_more(side: Side) -> None:
    pending = [spoken(3, side), spoken(5, *SIDES), spoken(7, *SIDES), spoken(9, side), spoken(10, OTHER[side])]
    before = held(*pending, perception=9, codes=9, agreed_frame=1, agreed_ms=5000)
    before.marks[OTHER[side]] = 5
    assert say(before, side, 200, 400) == {side}
    assert frames(before) == [3, 5, 7, 10]
    attribute = "boxes" if side == "perception" else "readings"
    assert [getattr(moment, attribute) for moment in before.pending] == [[], [], None, None]
    other = "readings" if side == "perception" else "boxes"
    assert [getattr(moment, other) for moment in before.pending] == [None, [], [], []]
    assert (before.marks[side], before.marks[OTHER[side]], before.newest_ms) == (5, 5, 400)


def test_the_mark_goes_back_to_the_other_or_to_what_is_released_but_never_forward() -> None:
    for codes, released, expected in ((20, 5, 9), (5, 7, 7), (5, 3, 5)):
        before = held(perception=9, codes=codes, released_mark=released, agreed_frame=1, agreed_ms=5000)
        assert say(before, "perception", 200, 0) == {"perception"}
        assert before.marks["perception"] == expected


def test_with_nothing_left_the_newest_time_is_that_of_the_last_release() -> None:
    before = held(spoken(9, "codes"), perception=5, codes=9, released_mark=4, released_ms=160, agreed_ms=5000)
    assert say(before, "codes", 200, 360) == {"codes"}
    assert (frames(before), before.newest_ms) == ([], 160)


def test_the_newest_time_that_is_left_is_the_latest() -> None:
    before = held(spoken(3, *SIDES), spoken(4, *SIDES), spoken(9, "codes"), perception=5, codes=9, agreed_ms=5000)
    assert say(before, "codes", 200, 360) == {"codes"}
    assert before.newest_ms == 160


# --- a time that is lost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("timed", [True, False])
def test_both_say_of_a_frame_whether_its_time_is_known_or_both_are_accused(side: Side, timed: bool) -> None:
    before = held(spoken(5, OTHER[side]))
    before.marks[OTHER[side]], before.pending[0].timed = 5, not timed
    _, accused = cross_check.file(before, side, 5, 200, timed, lockstep=True, now_ms=None)
    assert accused == BOTH
    assert frames(before) == []


@pytest.mark.parametrize("side", SIDES)
def test_a_time_that_is_lost_stays_lost(side: Side) -> None:
    before = held(spoken(5, OTHER[side]))
    before.marks[OTHER[side]], before.pending[0].timed = 5, False
    assert cross_check.file(before, side, 4, 160, True, lockstep=True, now_ms=None)[1] == set()
    assert cross_check.file(before, side, 6, 240, True, lockstep=True, now_ms=None)[1] == BOTH
    before = held(spoken(5, OTHER[side]))
    before.marks[OTHER[side]] = 5
    assert cross_check.file(before, side, 4, 160, False, lockstep=True, now_ms=None)[1] == BOTH
    before = held(spoken(5, OTHER[side]))
    before.marks[OTHER[side]] = 5
    assert cross_check.file(before, side, 6, 240, False, lockstep=True, now_ms=None)[1] == set()


# --- how many frames are judged -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lockstep", [True, False])
def test_each_frame_counts_once_however_often_it_comes_again(lockstep: bool) -> None:
    """A capture that was started again gives the first half again, and never the second."""
    before = held(began_ms=0)
    for frame in (*range(320), *range(318), 635, 636):
        for side in SIDES:
            assert say(before, side, frame, lockstep=lockstep, now_ms=60_000) == set()
    assert before.judged == {"perception": 322, "codes": 322}


def test_what_is_forgotten_is_not_judged() -> None:
    before = held(spoken(3, *SIDES), perception=3, codes=3, judged={"perception": 4, "codes": 4})
    assert say(before, "perception", 4) == say(before, "perception", 5) == set()
    assert before.judged == {"perception": 6, "codes": 4}
    assert say(before, "codes", 4, 999) == BOTH
    assert before.judged == {"perception": 4, "codes": 4}
