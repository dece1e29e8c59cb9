"""What of the way the pictures show without a break. A sign is missing only from a way that was in view.

The view begins with the stream, behind a leap in it, and behind a while in which the pictures showed nothing new
although the vehicle drove: a covered camera, black film, a stream that stood. What codes had told before such a while
of where the stream lies on the track is no more.
"""

from __future__ import annotations

from typing import Final

from device.verdict.state import Blank, Moment, State, WayInView
from wire.geodesy import Pose, distance_m

LEAP_MS: Final = 8000
"""Capture leaves more time than this between two clips that do not belong together."""
BLANK_MS: Final = 1000
BLANK_M: Final = 10.0
"""A picture that stands for less than this, or while the vehicle does, is of no matter."""


def note(state: State, moment: Moment, pose: Pose | None) -> None:
    """Takes the next moment into the view."""
    leaps = state.view is not None and moment.t_ms - state.view.last_ms > LEAP_MS
    if _is_blank(state, moment, pose) or leaps:
        state.view = None
    if state.view is None:
        state.view = WayInView(moment.t_ms, moment.t_ms, pose)
    view = state.view
    view.last_ms = moment.t_ms
    view.first_pose = view.first_pose or pose
    if pose is not None and view.first_pose is not None:
        view.far_m = max(view.far_m, _apart_m(view.first_pose, pose))


def has_met_the_track(state: State) -> bool:
    """Whether any code was in its place since the view was last lost: then the stream lies on the track as it is said
    to."""
    return any(coded.fits and coded.t_ms > state.lost_ms for coded in state.coded)


def _is_blank(state: State, moment: Moment, pose: Pose | None) -> bool:
    """Whether the pictures have shown nothing new for a while in which the vehicle drove."""
    if moment.boxes is None:
        return False
    if not moment.blank:
        state.blank = None
        return False
    blank = state.blank
    if blank is None:
        state.blank = Blank(moment.t_ms, pose)
        return False
    blank.pose = blank.pose or pose
    came = 0.0 if blank.pose is None or pose is None else _apart_m(blank.pose, pose)
    if moment.t_ms - blank.since_ms < BLANK_MS or came < BLANK_M:
        return False
    began = max(blank.since_ms, state.lost_ms)
    state.blank_ms += moment.t_ms - began
    state.lost_ms = moment.t_ms
    return True


def _apart_m(one: Pose, other: Pose) -> float:
    return distance_m(one.lat, one.lon, other.lat, other.lon)
