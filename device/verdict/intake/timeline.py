"""Joins what perception, the code reader and the position source say into one ordered sequence of moments.

The three speak over three channels and in any interleaving; the judgement must not depend on it. A moment is therefore
released only when both readers have spoken of its frame (or of a later one: then they dropped it) and the vehicle's
position at its time is settled. Patience is bounded: in realtime by stream time, always by the number of moments held
back.

Neither reader may decide for the other, or choose the time. Warden says what time it was at the stream's first frame.
How far into the stream a frame is, both readers say, and `cross_check` compares them; a reader that runs ahead is
accused, and what it said beyond the other is forgotten, so that its successor is heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from device.channel.messages import Fix, Readings, Sightings
from device.verdict.intake import cross_check, fixes, outline, route
from device.verdict.intake.cross_check import Side
from device.verdict.state import MAX_FIXES, MAX_PENDING, Moment, State
from wire.geodesy import Pose

PEER_PATIENCE_MS: Final = 1000
"""How far, in realtime, a reader may fall behind the other before the frame is judged without it."""
FIX_PATIENCE_MS: Final = 4000
"""How long, in realtime, a moment waits for a fix that is not earlier."""
AHEAD_MS: Final = 10 * 60_000
"""For so long ahead the way is asked for when the video, cut or sped up, may have come to a code's place: longer than
most pieces that are cut out, and no more than the buffer of fixes holds at a fix a second."""
MAX_UTC_MS: Final = 2**48
"""The latest time that a verdict can carry."""


def take_sightings(state: State, message: Sightings, *, lockstep: bool, now_ms: int | None = None) -> frozenset[Side]:
    """Files what perception saw in one frame. What is old, repeated or not believed is counted and ignored.

    Args:
        lockstep: the frames wait for both readers.
        now_ms: milliseconds of the caller's own monotonic clock; None: it has none.

    Returns:
        The accused readers, of which at least one is at fault; most often none.
    """
    moment, accused = _file(state, "perception", message, lockstep=lockstep, now_ms=now_ms)
    if moment is not None:
        moment.boxes, moment.point = list(message.boxes), message.point
        moment.blank = message.blank
    return accused


def take_readings(state: State, message: Readings, *, lockstep: bool, now_ms: int | None = None) -> frozenset[Side]:
    """Files what the code reader read in one frame, as `take_sightings`."""
    moment, accused = _file(state, "codes", message, lockstep=lockstep, now_ms=now_ms)
    if moment is not None:
        moment.readings = list(message.readings)
    return accused


def _file(
    state: State, side: Side, said: Sightings | Readings, *, lockstep: bool, now_ms: int | None
) -> tuple[Moment | None, frozenset[Side]]:
    size = (said.width, said.height)
    return cross_check.file(state, side, said.frame, said.t_ms, said.timed, size, lockstep=lockstep, now_ms=now_ms)


def take_fix(state: State, fix: Fix) -> None:
    """Files one position, or doubts it, as `fixes` says."""
    fixes.take_fix(state, fix)


def released(
    state: State, *, lockstep: bool, finishing: bool = False, now_ms: int | None = None
) -> Iterator[tuple[Moment, Pose | None]]:
    """Takes the moments that are ready out of the state, in order, each with the vehicle's pose at its time."""
    while state.pending:
        moment = state.pending[0]
        utc_ms = _utc(state, moment)
        waited_ms = 0 if lockstep else _stream_ms(state, now_ms) - moment.t_ms
        forced = finishing or len(state.pending) > MAX_PENDING
        spoken = _spoken(state, moment, waited_ms)
        if spoken or forced:  # before, only one reader has named its time, and that must not cost us fixes
            outline.note(state, utc_ms)
            route.forget(state, utc_ms)
        placed = _placed(state, utc_ms, waited_ms, lockstep=lockstep)
        if not forced and not (spoken and placed):
            return
        state.pending.pop(0)
        cross_check.passed(state, moment)
        outline.note(state, utc_ms)
        moment.utc_ms = utc_ms if moment.timed and state.dated else 0
        if not moment.timed and state.untimed_ms is None:
            state.untimed_ms = moment.t_ms
        yield moment, route.pose_at(state, utc_ms) if utc_ms and moment.timed else None


def _stream_ms(state: State, now_ms: int | None) -> int:
    """How far the stream has come: as the readers say, but never further than our own clock has."""
    if now_ms is None or state.began_ms is None:
        return state.newest_ms
    return min(state.newest_ms, now_ms - state.began_ms)


def _utc(state: State, moment: Moment) -> int:
    """Unix milliseconds of a moment: by the stream's start, else by the first fix, as if that were at the start."""
    start = state.start_utc_ms or state.first_fix_ms
    return min(start + moment.t_ms, MAX_UTC_MS) if start else 0


def _spoken(state: State, moment: Moment, waited_ms: int) -> bool:
    return moment.frame <= min(state.marks.values()) or waited_ms >= PEER_PATIENCE_MS


def _placed(state: State, utc_ms: int, waited_ms: int, *, lockstep: bool) -> bool:
    if lockstep and not _surveyed(state, utc_ms):
        return False
    return route.is_settled(state, utc_ms, lockstep=lockstep) or waited_ms >= FIX_PATIENCE_MS


def _surveyed(state: State, utc_ms: int) -> bool:
    """In lockstep, whether all is known of the way that a doubtful start needs, as far as fixes are held at all."""
    enough_ms = utc_ms + max(state.latest_ms, AHEAD_MS)
    known = bool(state.fixes) and (state.fixes[-1].utc_ms >= enough_ms or len(state.fixes) >= MAX_FIXES)
    return state.fixes_ended or state.latest_ms == 0 or not utc_ms or known
