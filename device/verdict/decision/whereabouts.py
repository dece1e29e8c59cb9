"""Whether an accusation holds over all that is possible: for every start of the stream that may be the true one.

A code that is found in its place, as the stream is said to lie on the track, speaks for both. A code that is not found
there accuses its sign, or it shows that the start is wrong: so it has to be out of place for each possible start. Two
different codes in their places settle where the stream lies on the track (docs/decisions/0022).
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

from device.verdict.decision.code_evidence import (
    MAX_HEADING_DEGREES,
    MIN_TWINS,
    CodeEvidence,
    elsewhere_from_m,
    is_anothers_place,
)
from device.verdict.decision.table import Where
from device.verdict.intake import outline, route
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


def is_exact(state: State) -> bool:
    """Whether there is no other start than the given one."""
    return state.earliest_ms == state.latest_ms == 0


def is_sure(state: State) -> bool:
    """Whether it is known where the stream lies on the track: by what was said, or by codes in their places."""
    return _is_narrow(state) or _is_confirmed(state)


def _is_narrow(state: State) -> bool:
    return state.earliest_ms >= -SURE_MS and state.latest_ms <= SURE_MS


def dates_ms(state: State) -> tuple[int, int]:
    """How much earlier (negative) and later than it is said it may have been, milliseconds."""
    if not _is_narrow(state) and _is_confirmed(state):
        return max(-SURE_MS, state.earliest_ms), min(SURE_MS, state.latest_ms)
    return state.earliest_ms, state.latest_ms


def note(state: State, found: CodeEvidence, where: Where) -> None:
    """Remembers an authentic code, and whether it was in its place."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None or len(state.coded) >= MAX_CODED:
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
    if where in HONEST or is_exact(state) or claims is None or panel is None or pose is None:
        return where
    if where is Where.TWICE and panel.twins >= MIN_TWINS:
        return where  # one picture shows both
    narrow = _is_narrow(state)
    error = max(-state.earliest_ms, state.latest_ms) if narrow else CONFIRMED_ERROR_MS
    margin = 0.0 if narrow else CONFIRMED_MARGIN_M
    wide = route.pose_at(state, state.start_utc_ms + panel.sight.pose_ms, error) if is_sure(state) else None
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
                and heading_difference(wide.heading, claims.heading) > MAX_HEADING_DEGREES + wide.heading_error
            )
        case Where.ANOTHERS:
            holds = ahead is not None and is_anothers_place(claims, far, pose, wide.accuracy_m + margin, ahead)
        case _:
            holds = True  # TWICE: both places shift alike
    return where if holds else Where.UNKNOWN


def _was_never_near(state: State, found: CodeEvidence, pose: Pose) -> bool:
    """Whether the vehicle was out of the code's reach at every moment at which it may have been read."""
    claims, panel = found.claims, found.panel
    if claims is None or panel is None:
        return False
    read_ms = state.start_utc_ms + panel.sight.pose_ms
    from_ms, to_ms = read_ms + state.earliest_ms, read_ms + state.latest_ms
    near = outline.nearest_m(state, claims.lat, claims.lon, from_ms, to_ms)
    return near is not None and near > elsewhere_from_m(pose.accuracy_m)


def _is_confirmed(state: State) -> bool:
    """Two different codes, apart from each other, in their places by the given start, and not more out of place."""
    fitting = [coded for coded in state.coded if coded.fits]
    if len(fitting) < CONFIRMING_CODES or 2 * len(fitting) < len(state.coded):
        return False
    return any(
        one.sign_id != other.sign_id and distance_m(one.lat, one.lon, other.lat, other.lon) >= APART_M
        for one, other in combinations(fitting, 2)
    )
