"""Whether an accusation holds over all that is possible: for every start of the stream that may be the true one.

A code that is found in its place, as the stream is said to lie on the track, speaks for both. A code that is not found
there accuses its sign, or it shows that the start is wrong: so it has to be out of place for each possible start. Two
different codes in their places settle where the stream lies on the track (docs/decisions/0022).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from device.verdict.decision.code_evidence import (
    MIN_TWINS,
    UNSEEN_DEGREES,
    CodeEvidence,
    Dates,
    elsewhere_from_m,
    is_anothers_place,
)
from device.verdict.decision.offset import comes_by, comes_by_again
from device.verdict.decision.table import Where
from device.verdict.intake import outline, route
from device.verdict.intake.timeline import AHEAD_MS
from device.verdict.state import MAX_CODED, CodedSign, State
from wire.geodesy import Pose, distance_m, heading_difference
from wire.register import RegisterEntry

SURE_MS: Final = 3500
"""A start is sure that lies this near to every other that is possible."""
CONFIRMING_CODES: Final = 2
APART_M: Final = 50.0
"""Codes nearer to each other than this may fit a vehicle that stands at a wrong place."""
CONFIRMED_ERROR_MS: Final = 1000
CONFIRMED_MARGIN_M: Final = 30.0
"""What is left open when codes have settled the start: each was within reach of its place."""
HONEST: Final = (Where.FITS, Where.UNKNOWN)
STALE_MS: Final = 1000
"""A code that was read for longer after the last place that is known is not accused of that place."""
AGAIN_MS: Final = 5000
"""So long after a code was read in its place at least the vehicle comes up to it again, if it does: before, it is still
the same pass."""
BACKED_MS: Final = 120_000
"""Who came up to a sign so long ago at most may since have backed off, or turned, before it."""
SLOWEST_MS: Final = 60_000
"""Of frames whose rate nobody knows, none was longer after the one before."""


@dataclass(frozen=True)
class Lack:
    """Why the track does not tell where something was.

    Attributes:
        gap_ms: how long the gap of the track is that it was in; 0: in none.
        off: it was before the track begins or after it ends.
        repeated: the receiver was on, and only repeated a place.
    """

    gap_ms: int = 0
    off: bool = False
    repeated: bool = False


NO_LACK: Final = Lack()


def is_exact(state: State) -> bool:
    """Whether there is no other start than the given one."""
    return state.earliest_ms == state.latest_ms == state.drift_ppm == 0


def is_sure(state: State) -> bool:
    """Whether it is known where the stream lies on the track: by what was said, or by codes in their places."""
    return _is_narrow(state, state.released_ms) or _confirmed_error_ms(state, state.released_ms) is not None


def _span_ms(state: State, t_ms: int) -> tuple[int, int]:
    """How much earlier (negative) and later than it is said a moment of the stream may have been."""
    drift = _drift_ms(state, t_ms)
    return state.earliest_ms - drift, state.latest_ms + drift


def _drift_ms(state: State, span_ms: int) -> int:
    """By how much the video's clock may have gone away from the track's in this time."""
    return abs(span_ms) * state.drift_ppm // 1_000_000


def _is_narrow(state: State, t_ms: int) -> bool:
    earliest, latest = _span_ms(state, t_ms)
    return earliest >= -SURE_MS and latest <= SURE_MS


def dates(state: State, found: CodeEvidence) -> Dates:
    """When else a code may have been read than it is said."""
    last_ms = found.panel.sight.last_ms if found.panel is not None else state.released_ms
    earliest, latest = _span_ms(state, last_ms)
    if not _is_narrow(state, last_ms) and _confirmed_error_ms(state, last_ms) is not None:
        earliest, latest = max(-SURE_MS, earliest), min(SURE_MS, latest)
    doubt = (state.date_earlier_ms, state.date_later_ms)
    if state.rated or not state.dated or found.panel is None:
        return Dates(earliest, latest, *doubt)
    frames = found.panel.sight.last_frame
    return Dates(state.earliest_ms, state.latest_ms + frames * SLOWEST_MS, *doubt, untimed_utc_ms=state.start_utc_ms)


def lack(state: State, found: CodeEvidence, told: Where) -> Lack:
    """Why the track does not tell where an authentic code was read, one cause at the most.

    Args:
        told: what the code is by the given start.
    """
    if found.claims is None or found.panel is None or _is_untimed(state, found):
        return NO_LACK
    sight = found.panel.sight
    read_ms = state.start_utc_ms + sight.last_ms
    if told is Where.UNKNOWN and any(since <= read_ms <= until for since, until in state.repeated):
        return Lack(repeated=True)
    if told is Where.UNKNOWN and _is_off_the_track(state, read_ms):
        return Lack(off=True)
    gap_ms = _gap_ms(state, read_ms) if told is Where.UNKNOWN else 0
    if gap_ms:
        return Lack(gap_ms=gap_ms)
    placed_ms = state.start_utc_ms + (sight.pose_ms if sight.last_pose is not None else sight.last_ms)
    return Lack(repeated=route.repeated_ms(state, placed_ms, placed_ms) is not None)


def count(state: State, lack: Lack) -> None:
    """Counts a code by why it has no place."""
    state.gap_codes += lack.gap_ms > 0
    state.gap_ms = max(state.gap_ms, lack.gap_ms)
    state.off_codes += lack.off
    state.repeated_codes += lack.repeated


def _gap_ms(state: State, read_ms: int) -> int:
    """How long the gap of the track is that a moment lies in; 0 where it is in none."""
    index = bisect_left(state.fixes, read_ms, key=lambda fix: fix.utc_ms)
    if not 0 < index < len(state.fixes):
        return 0
    gap = state.fixes[index].utc_ms - state.fixes[index - 1].utc_ms
    return gap if gap > outline.SURE_GAP_MS or state.fixes[index].begins else 0


def _is_off_the_track(state: State, read_ms: int) -> bool:
    """Whether a moment lies before the track begins, or after it ends."""
    if not state.fixes:
        return False
    return read_ms < state.first_fix_ms or (state.fixes_ended and read_ms > state.fixes[-1].utc_ms)


def _is_untimed(state: State, found: CodeEvidence) -> bool:
    last_ms = found.panel.sight.last_ms if found.panel is not None else 0
    return state.untimed_ms is not None and last_ms >= state.untimed_ms


def note(state: State, found: CodeEvidence, where: Where) -> None:
    """Remembers an authentic code, and whether it was in its place."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None or len(state.coded) >= MAX_CODED or _is_untimed(state, found):
        return
    fits = where in (Where.FITS, Where.TWICE)
    read_ms = panel.sight.last_ms
    state.coded.append(CodedSign(claims.sign_id, read_ms, claims.lat, claims.lon, claims.heading, fits))


def held(state: State, where: Where, found: CodeEvidence, pose: Pose | None, ahead: RegisterEntry | None) -> Where:
    """An accusation of place where it holds for every start that is possible, else `UNKNOWN`.

    Args:
        where: what the code is by the given start.
        pose: the vehicle's when the code was last read, by the given start; ahead: the registered sign ahead of it.
    """
    claims, panel = found.claims, found.panel
    if where is Where.TWICE and panel is not None and panel.twins >= MIN_TWINS:
        return where  # one picture shows both
    if _is_untimed(state, found):
        return Where.UNKNOWN  # not even in its place: the place would be that of an earlier frame
    if where in HONEST or claims is None or panel is None or pose is None:
        return where
    if panel.sight.last_ms - panel.sight.pose_ms > STALE_MS:
        return Where.UNKNOWN  # the vehicle has come nearer since
    if not _rests_on_a_place(state, where, found, pose):
        return Where.UNKNOWN
    if where is Where.WRONG_HEADING and _may_have_backed(state, found):
        return Where.UNKNOWN
    if is_exact(state):
        return where
    if _is_of_a_second_pass(state, found) or (where is Where.ELSEWHERE and _is_of_another_time(state, found)):
        return Where.UNKNOWN
    read_ms = panel.sight.pose_ms
    narrow, confirmed = _is_narrow(state, read_ms), _confirmed_error_ms(state, read_ms)
    earliest, latest = _span_ms(state, read_ms)
    error = max(-earliest, latest) if narrow else confirmed
    margin = 0.0 if narrow else CONFIRMED_MARGIN_M
    wide = route.pose_at(state, state.start_utc_ms + read_ms, error) if error is not None else None
    if wide is None:
        certain = where is Where.ELSEWHERE and _was_never_near(state, found, pose)
        return where if certain else Where.UNKNOWN
    far = distance_m(pose.lat, pose.lon, claims.lat, claims.lon)
    match where:
        case Where.ELSEWHERE:
            holds = far > elsewhere_from_m(pose.accuracy_m) + wide.accuracy_m + margin
        case Where.WRONG_HEADING:
            holds = (
                wide.heading is not None
                and heading_difference(wide.heading, claims.heading) > UNSEEN_DEGREES + wide.heading_error
            )
        case Where.ANOTHERS:
            holds = ahead is not None and is_anothers_place(claims, far, pose, wide.accuracy_m + margin, ahead)
        case _:
            holds = True  # TWICE: both places shift alike
    return where if holds else Where.UNKNOWN


def _rests_on_a_place(state: State, where: Where, found: CodeEvidence, pose: Pose) -> bool:
    """Whether the receiver told where it was, or repeated a place so long ago told that it may have been anywhere.

    The vehicle may have driven on at any speed since the first of the repeated places, which speaks against a code
    that is further off than that, and against no other.
    """
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    read_ms = panel.sight.pose_ms
    earliest, latest = _span_ms(state, read_ms)
    later = 0
    if not _is_narrow(state, read_ms):
        error = _confirmed_error_ms(state, read_ms) or 0
        earliest, latest, later = -error, error, 0 if error else max(0, latest)
    at_ms = state.start_utc_ms + read_ms
    repeated_ms = route.repeated_ms(state, at_ms + min(0, earliest), at_ms + max(0, latest))
    if repeated_ms is None:
        return True
    far = distance_m(pose.lat, pose.lon, claims.lat, claims.lon)
    drove_m = outline.TOP_SPEED_M_PER_MS * (repeated_ms + later)
    return where is Where.ELSEWHERE and far > elsewhere_from_m(pose.accuracy_m) + drove_m


def _is_of_another_time(state: State, found: CodeEvidence) -> bool:
    """Whether a code that is out of its place would be in it if a piece of the video were missing before it, or had
    been put in, or if the video ran faster or slower than the world: the vehicle came up to that place at another time.

    The video goes on from the last code that was in its place, and never back: what it shows is of later. Where no code
    was in its place, nothing was put in before. A code that was read in its place before is a copy where it is again,
    unless the vehicle comes up to that place again (`_is_of_a_second_pass`).
    """
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    fitting = [coded for coded in state.coded if coded.fits]
    if any(coded.sign_id == claims.sign_id for coded in fitting):
        return False
    read_ms = panel.sight.last_ms
    earliest = max((coded.t_ms for coded in fitting), default=read_ms) - read_ms
    coded = CodedSign(claims.sign_id, read_ms, claims.lat, claims.lon, claims.heading, fits=False)
    return comes_by(state, coded, max(-AHEAD_MS, earliest), AHEAD_MS)


def _is_of_a_second_pass(state: State, found: CodeEvidence) -> bool:
    """Whether a code that was read in its place before would be in it again if a piece of the video were missing: the
    vehicle comes up to that place a second time, as on a lap that is joined from the recordings of its passes."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    read_ms = panel.sight.last_ms
    before = [coded.t_ms for coded in state.coded if coded.fits and coded.sign_id == claims.sign_id]
    if not before:
        return False
    coded = CodedSign(claims.sign_id, read_ms, claims.lat, claims.lon, claims.heading, fits=False)
    return comes_by_again(state, coded, max(before) + AGAIN_MS - read_ms, AHEAD_MS)


def _may_have_backed(state: State, found: CodeEvidence) -> bool:
    """Whether the vehicle came up to the code's place the right way a moment ago: a receiver tells the way it goes,
    and the camera looks ahead all the same when it goes back."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    coded = CodedSign(claims.sign_id, panel.sight.last_ms, claims.lat, claims.lon, claims.heading, fits=False)
    return comes_by(state, coded, -BACKED_MS, max(0, state.latest_ms))


def _was_never_near(state: State, found: CodeEvidence, pose: Pose) -> bool:
    """Whether the vehicle was out of the code's reach at every moment at which it may have been read."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    read_ms = state.start_utc_ms + panel.sight.pose_ms
    earliest, latest = _span_ms(state, panel.sight.pose_ms)
    from_ms, to_ms = read_ms + earliest, read_ms + latest
    near = outline.nearest_m(state, claims.lat, claims.lon, from_ms, to_ms)
    return near is not None and near > elsewhere_from_m(pose.accuracy_m)


def _confirmed_error_ms(state: State, t_ms: int) -> int | None:
    """How far off a moment may be where codes have settled the start; None where they have not.

    Two different codes do, apart from each other, in their places by the given start, and not more out of place. Since
    the last of them the clocks may have gone apart again. What was read before the pictures were lost for a while
    settles nothing behind that: the recording may have been put together there.
    """
    since = [coded for coded in state.coded if coded.t_ms > state.lost_ms]
    fitting = [coded for coded in since if coded.fits]
    if len(fitting) < CONFIRMING_CODES or 2 * len(fitting) < len(since):
        return None
    settled = any(
        one.sign_id != other.sign_id and distance_m(one.lat, one.lon, other.lat, other.lon) >= APART_M
        for one, other in combinations(fitting, 2)
    )
    error = CONFIRMED_ERROR_MS + min(_drift_ms(state, t_ms - coded.t_ms) for coded in fitting)
    return error if settled and error <= SURE_MS else None
