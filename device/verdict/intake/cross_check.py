"""The cross-check of perception and the code reader: same frames, times and sizes, neither far ahead of the other.

An attacker may have taken over one of the two. A message that cannot be true accuses its sender; two that cannot both
be true accuse both, since we cannot know which of them lies, and no verdict rests on either. Every limit is relative to
what *both* have said, or to our own clock: limits relative to the sender's own last message would add up to none.

In lockstep capture waits for both, so that the other reader is the witness of a leap: damaged frames are shown to
nobody, in any number, and both leap over them alike. Until the other has leapt as well nothing rests on it. If it
speaks of a frame that was leapt over, who leapt is accused; if it never comes, what was said behind the leap is
forgotten. In realtime the two need not see the same frames, so that a leap is bounded by our clock and by the rate.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, Literal, get_args

from device.verdict.state import Moment, State

Side = Literal["perception", "codes"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)
Size = tuple[int, int]
"""Width and height of a frame, pixels."""

NOBODY: Final[frozenset[Side]] = frozenset()
MAX_LEAD_FRAMES: Final = 64
"""In lockstep capture waits for both: a reader that has spoken of so many frames of which the other has not runs ahead,
or the other is silent; one that has passed over so many, of which the other speaks, has leapt."""
MAX_LEAD_MS: Final = 250
"""Beyond our own clock, which began before the first frame was taken."""
MAX_LEAP_MS: Final = 120_000
"""In realtime, beyond the last frame of which both spoke, where we have no clock."""
FIRST_RATE: Final = 0.24
"""Frames a millisecond before both readers have spoken of one frame..."""
RATE_SLACK: Final = 1.5
"""...and how much faster than so far, in the mean, frames may come after that..."""
RATE_KNOWN_MS: Final = 1000
"""...once they have agreed this far into the stream: a camera's first frames may come slowly."""
_OTHER: Final[dict[Side, Side]] = {"perception": "codes", "codes": "perception"}


def file(
    state: State,
    side: Side,
    frame: int,
    t_ms: int,
    timed: bool = True,
    size: Size = (0, 0),
    *,
    lockstep: bool,
    now_ms: int | None,
) -> tuple[Moment | None, frozenset[Side]]:
    """The moment that a message of `side` belongs to, made and filed in order if it is new; and who is accused.

    A message that is old or not believed has no moment.
    """
    if frame <= max(state.marks[side], state.released_mark):
        state.ignored += 1
        return None, NOBODY
    ahead = _lead(state, side) if lockstep else _leap(state, side, frame, t_ms, now_ms)
    accused = ahead or _contradiction(state, side, frame, t_ms, timed, size)
    if accused:
        state.ignored += 1
        for side_accused in sorted(accused):  # in a fixed order: forgetting the first changes what the second meets
            _distrust(state, side_accused)
        return None, accused
    index = _index(state, frame)
    if lockstep and state.marks[_OTHER[side]] > frame + MAX_LEAD_FRAMES and not _is_at(state, index, frame):
        accused = frozenset({_OTHER[side]})  # it leapt over a frame that was shown
        _distrust(state, _OTHER[side])
    state.marks[side] = frame
    state.judged[side] += 1
    state.newest_ms = max(state.newest_ms, t_ms)
    index = _index(state, frame)
    if not _is_at(state, index, frame):
        state.pending.insert(index, Moment(frame, t_ms, 0, None, None, timed=timed, size=size))
    return state.pending[index], accused


def passed(state: State, moment: Moment) -> None:
    """Notes that a moment is released: what comes after it is measured by it, if both agree on it.

    They agree if both have spoken of it, or if both have come as far: in realtime they need not see the same frames,
    and a moment that fits between those of the other is bounded by what the other has said.
    """
    state.released_mark, state.released_ms = moment.frame, moment.t_ms
    if _speakers(moment) == set(_OTHER) or moment.frame <= min(state.marks.values()):
        state.agreed_frame, state.agreed_ms = moment.frame, moment.t_ms


def forget_leaps(state: State) -> None:
    """At the end of a lockstep stream: what a reader alone said behind a leap has no witness, and is forgotten."""
    before = min(state.marks.values())
    for index, moment in enumerate(state.pending):
        if moment.frame > before + MAX_LEAD_FRAMES and len(_speakers(moment)) == 1:
            for forgotten in state.pending[index:]:
                state.ignored += 1
                for speaker in _speakers(forgotten):
                    state.judged[speaker] -= 1
            del state.pending[index:]
            state.newest_ms = max((kept.t_ms for kept in state.pending), default=state.released_ms)
            return
        before = max(before, moment.frame)


def _lead(state: State, side: Side) -> frozenset[Side]:
    """Lockstep. A growing lead may be haste or the other's silence; how far apart its frames are the other will say."""
    others = state.marks[_OTHER[side]]
    alone = len(state.pending) - bisect_left(state.pending, others + 1, key=_frame)
    return frozenset(_OTHER) if alone >= MAX_LEAD_FRAMES else NOBODY


def _frames_in(state: State, ms: int) -> float:
    """How many frames there may be in these milliseconds, by the rate so far."""
    rate = state.agreed_frame / state.agreed_ms if state.agreed_ms >= RATE_KNOWN_MS else FIRST_RATE
    return RATE_SLACK * rate * max(0, ms)


def _leap(state: State, side: Side, frame: int, t_ms: int, now_ms: int | None) -> frozenset[Side]:
    """Realtime, where the other may rightly be away: bounded by our clock, and by the rate of frames so far."""
    own = now_ms - state.began_ms + MAX_LEAD_MS if now_ms is not None and state.began_ms is not None else None
    latest = own if own is not None else state.agreed_ms + MAX_LEAP_MS
    most = state.agreed_frame + MAX_LEAD_FRAMES + _frames_in(state, t_ms - state.agreed_ms)
    return NOBODY if t_ms <= latest and frame <= most else frozenset({side})


def _contradiction(state: State, side: Side, frame: int, t_ms: int, timed: bool, size: Size) -> frozenset[Side]:
    """Who may be lying where the time of a frame does not fit between those of the frames around it, or its size is not
    what the other saw."""
    if t_ms < state.agreed_ms and frame > state.agreed_frame:
        return frozenset({side})
    index = _index(state, frame)
    around = state.pending[max(0, index - 1) : index + 2]
    against = [moment for moment in around if not _fits(moment, frame, t_ms, timed, size)]
    if not against:
        return NOBODY
    accused: set[Side] = {side}
    for moment in against:
        speakers = _speakers(moment)
        if len(speakers) == 1:
            accused |= speakers
            for speaker in speakers:
                state.judged[speaker] -= 1
            state.pending.remove(moment)
    return frozenset(accused)


def _fits(moment: Moment, frame: int, t_ms: int, timed: bool, size: Size) -> bool:
    """The same time and size for the same frame, and a later time for a later frame; a time that is lost stays lost."""
    if moment.frame == frame:
        return (moment.t_ms, moment.timed, moment.size) == (t_ms, timed, size)
    if moment.frame < frame:
        return moment.t_ms <= t_ms and moment.timed >= timed
    return moment.t_ms >= t_ms and moment.timed <= timed


def _distrust(state: State, side: Side) -> None:
    """Forgets what `side` said of frames that the other has not spoken of, and how far it had come."""
    others = state.marks[_OTHER[side]]
    for moment in state.pending:
        if moment.frame <= others:
            continue
        state.judged[side] -= side in _speakers(moment)
        if side == "perception":
            moment.boxes = None
        else:
            moment.readings = None
    state.pending = [moment for moment in state.pending if _speakers(moment)]
    state.marks[side] = min(state.marks[side], max(others, state.released_mark))
    state.newest_ms = max((moment.t_ms for moment in state.pending), default=state.released_ms)


def _speakers(moment: Moment) -> set[Side]:
    said: tuple[tuple[Side, bool], ...] = (
        ("perception", moment.boxes is not None),
        ("codes", moment.readings is not None),
    )
    return {side for side, spoke in said if spoke}


def _is_at(state: State, index: int, frame: int) -> bool:
    """Whether the pending moment at this index is of this frame."""
    return index < len(state.pending) and state.pending[index].frame == frame


def _index(state: State, frame: int) -> int:
    return bisect_left(state.pending, frame, key=_frame)


def _frame(moment: Moment) -> int:
    return moment.frame
