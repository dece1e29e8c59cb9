"""Expected signs: which registered sign stands where the vehicle is, and which should have been seen on the way."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from device.verdict.decision.code_evidence import MAX_ACCURACY_M, MAX_HEADING_DEGREES
from device.verdict.state import MAX_ATTRIBUTED, MAX_EXPECTED, MAX_SHOWN, ExpectedSign, Moment, SeenSign, Shown, State
from wire.geodesy import Pose, ahead_and_aside_m, distance_m, heading_difference
from wire.register import Register, RegisterEntry

NEAR_M: Final = 45.0
"""Registered signs are watched from this distance on."""
AROUND_M: Final = 150.0
"""A way that comes no nearer than this to any registered sign has nothing to do with the register."""
PASSED_M: Final = 5.0
"""A sign this far behind has been passed."""
CLOSEST_M: Final = 25.0
"""A sign that the vehicle never came nearer to than this stands on another road."""
WATCHED_M: Final = (5.0, 30.0)
WATCHED_FROM_M: Final = 20.0
WATCHED_TO_M: Final = 12.0
MIN_WATCHED_M: Final = 12.0
"""Nothing is missing unless perception watched this much of the way within `WATCHED_M` ahead, from far to near..."""
READ_M: Final = (4.0, 15.0)
MIN_READ_M: Final = 4.0
"""...and the code reader this much of the way on which a code can be read."""
READ_FROM_PX: Final = 96.0
"""A face of this size and more is near enough for its code to be read: one of 0.75 m is 10 m away then, in a picture
of 1536 pixels."""
MAX_STEP_M: Final = 8.0
"""What goes by in one step of more than this was not watched: five looks a second at 144 km/h."""
SETTLED_MS: Final = 2500
"""Time after the passing in which the signs that were seen get their verdicts."""
UNSURE_MS: Final = 20_000
"""For how long the passing of a sign waits until it is sure where the vehicle was, and until some code was in its
place: the time that was given, or the track's, may be wrong, and the sign's own code be read a little later."""
APPROACH_M: Final = 60.0
APPROACH_MS: Final = 3500
"""The camera showed at least this much of the way to a missing sign, without a break, and for so long: a stream that
begins just behind a sign may be told to begin before it, since the track is late by a second or two."""
HERE_AHEAD_M: Final = (-10.0, 30.0)
"""Where a registered sign is when its face or code was last seen, metres ahead of the vehicle..."""
HERE_ASIDE_M: Final = 25.0
"""...and to either side."""
SAME_PASS_MS: Final = 30_000
"""What was seen so long ago at most is of this pass."""
_FORGET_MS: Final = 5000
_RECENT_MS: Final = 60_000
_AREA_M: Final = 400.0
_DRIFT_M: Final = 200.0


class Surroundings:
    """The register's entries around the vehicle; the register is asked again only after 200 m."""

    def __init__(self, register: Register | None) -> None:
        self._register = register
        self._centre: tuple[float, float] | None = None
        self._area: list[RegisterEntry] = []

    def facing(self, pose: Pose, utc_ms: int) -> list[RegisterEntry]:
        """The entries within `NEAR_M` that are in force and speak to traffic of this heading, in a fixed order."""
        if self._register is None or pose.heading is None or not utc_ms:
            return []
        heading = pose.heading
        return [
            entry
            for entry in self._around(pose)
            if not entry.revoked
            and 1000 * entry.valid_from <= utc_ms < 1000 * entry.valid_until
            and heading_difference(entry.heading, heading) <= MAX_HEADING_DEGREES
            and distance_m(entry.lat, entry.lon, pose.lat, pose.lon) <= NEAR_M
        ]

    def is_near(self, pose: Pose) -> bool:
        """Whether any registered sign is within `AROUND_M`, in force or not, whatever its direction."""
        return any(distance_m(entry.lat, entry.lon, pose.lat, pose.lon) <= AROUND_M for entry in self._around(pose))

    def here(
        self,
        pose: Pose | None,
        utc_ms: int,
        claimed: Collection[bytes],
        verified: Collection[bytes] = (),
        *,
        face: bool,
    ) -> RegisterEntry | None:
        """The entry that a sign last seen from `pose` is taken for, if possible an entry that is not `claimed`.

        `claimed` are the entries whose codes were read on other signs. For a `face` such an entry is better than none:
        a copy of a sign's code that hangs nearby must not take the register's protection from the sign itself. One that
        was `verified` on another sign, with code and face and place, is that sign.
        """
        found = [entry for entry in self._in_reach(pose, utc_ms, HERE_AHEAD_M[0]) if entry.sign_id not in verified]
        free = [entry for entry in found if entry.sign_id not in claimed]
        return next(iter(free or (found if face else [])), None)

    def _around(self, pose: Pose) -> list[RegisterEntry]:
        if self._register is None:
            return []
        if self._centre is None or distance_m(*self._centre, pose.lat, pose.lon) > _DRIFT_M:
            self._centre = (pose.lat, pose.lon)
            self._area = self._register.near(pose.lat, pose.lon, _AREA_M)
        return self._area

    def ahead(self, pose: Pose | None, utc_ms: int) -> RegisterEntry | None:
        """The nearest entry that lies ahead: the sign that a code read from `pose` hangs at, if it is registered."""
        return next(iter(self._in_reach(pose, utc_ms, 0.0)), None)

    def can_tell(self, pose: Pose | None, utc_ms: int) -> bool:
        """Whether place and time are known well enough to say that no registered sign stands here."""
        if self._register is None or not self._register.entries:
            return True
        return pose is not None and pose.heading is not None and pose.accuracy_m <= MAX_ACCURACY_M and utc_ms > 0

    def _in_reach(self, pose: Pose | None, utc_ms: int, ahead_from_m: float) -> list[RegisterEntry]:
        """The entries around the way ahead, nearest first."""
        if pose is None or pose.heading is None:
            return []
        found: list[tuple[float, bytes, RegisterEntry]] = []
        for entry in self.facing(pose, utc_ms):
            ahead, aside = ahead_and_aside_m(pose, pose.heading, entry.lat, entry.lon)
            if ahead_from_m <= ahead <= HERE_AHEAD_M[1] and abs(aside) <= HERE_ASIDE_M:
                found.append((math.hypot(ahead, aside), entry.sign_id, entry))
        return [entry for _, _, entry in sorted(found, key=lambda item: item[:2])]


def pass_by(state: State, surroundings: Surroundings, moment: Moment, pose: Pose | None) -> None:
    """Notes how the vehicle moves past the registered signs around it."""
    state.expected = [
        expected
        for expected in state.expected
        if moment.t_ms - expected.last_ms <= _FORGET_MS or (expected.passed_ms is not None and not expected.settled)
    ]
    if pose is None or pose.heading is None or pose.accuracy_m > MAX_ACCURACY_M:
        return
    known = {expected.sign_id: expected for expected in state.expected}
    for entry in surroundings.facing(pose, moment.utc_ms):
        ahead, aside = ahead_and_aside_m(pose, pose.heading, entry.lat, entry.lon)
        expected = known.get(entry.sign_id)
        if expected is None:
            if len(state.expected) >= MAX_EXPECTED:
                continue
            expected = ExpectedSign(entry.sign_id, moment.frame, moment.frame, moment.t_ms, -NEAR_M, NEAR_M, NEAR_M)
            state.expected.append(expected)
        _progress(expected, moment, pose, ahead, math.hypot(ahead, aside))
        if expected.passed_ms == moment.t_ms and state.view is not None:
            expected.view_m, expected.view_ms = state.view.far_m, moment.t_ms - state.view.since_ms


def _progress(expected: ExpectedSign, moment: Moment, pose: Pose, ahead: float, distance: float) -> None:
    expected.last_ms = moment.t_ms
    expected.closest_m = min(expected.closest_m, distance)
    if expected.passed_ms is not None:
        return
    if ahead >= 0 or expected.pose is None:
        expected.last_frame, expected.utc_ms, expected.pose = moment.frame, moment.utc_ms, pose
    if moment.readings is not None and not moment.blank and READ_M[0] <= ahead <= READ_M[1]:
        nearest = expected.nearest_read_m
        expected.read_m += 0.0 if nearest is None else _step(nearest - ahead)
        expected.nearest_read_m = ahead if nearest is None else min(nearest, ahead)
    if moment.boxes is not None and not moment.blank and WATCHED_M[0] <= ahead <= WATCHED_M[1]:
        expected.watched_m += _step(expected.nearest_ahead_m - ahead) if expected.farthest_ahead_m > 0 else 0.0
        expected.farthest_ahead_m = max(expected.farthest_ahead_m, ahead)
        expected.nearest_ahead_m = min(expected.nearest_ahead_m, ahead)
    if ahead < -PASSED_M and expected.closest_m < CLOSEST_M:
        expected.passed_ms = moment.t_ms


def _step(nearer_m: float) -> float:
    """How much of the way was watched from one look to the next: standing still, or a leap, adds nothing."""
    return nearer_m if 0.0 < nearer_m <= MAX_STEP_M else 0.0


def due(state: State, t_ms: int, *, after_ms: int = SETTLED_MS, finishing: bool = False) -> list[ExpectedSign]:
    """The signs that were passed long enough ago and watched well enough to be judged, each once, seen or not."""
    ready = [
        expected
        for expected in state.expected
        if expected.passed_ms is not None
        and not expected.settled
        and (finishing or t_ms - expected.passed_ms >= after_ms)
    ]
    for expected in ready:
        expected.settled = True
    return [expected for expected in ready if _was_watched(expected)]


def forgo(state: State, t_ms: int) -> None:
    """Settles, without a verdict, the signs that were passed so long ago that what was seen of them may be gone."""
    for expected in state.expected:
        if expected.passed_ms is not None and t_ms - expected.passed_ms > UNSURE_MS:
            expected.settled = True


def _was_watched(expected: ExpectedSign) -> bool:
    far_to_near = expected.farthest_ahead_m >= WATCHED_FROM_M and expected.nearest_ahead_m <= WATCHED_TO_M
    in_view = expected.view_m >= APPROACH_M and expected.view_ms >= APPROACH_MS
    return in_view and far_to_near and expected.watched_m >= MIN_WATCHED_M and expected.read_m >= MIN_READ_M


def was_reached(state: State, entry: RegisterEntry, largest: float) -> bool:
    """Whether the code at a registered sign would have been read, if one hangs there: the code reader looked from
    near enough, by the way or by how large the face became (pixels)."""
    known = (expected.read_m for expected in state.expected if expected.sign_id == entry.sign_id)
    return largest >= READ_FROM_PX or max(known, default=0.0) >= MIN_READ_M


def note_code(state: State, sign_id: bytes, last_ms: int) -> None:
    """Notes that a sign's own code was read, wherever that was."""
    recent = [seen for seen in state.read_ids if last_ms - seen.last_ms <= _RECENT_MS]
    state.read_ids = recent[-MAX_ATTRIBUTED + 1 :]
    state.read_ids.append(SeenSign(sign_id, last_ms))


def note_verified(state: State, sign_id: bytes, last_ms: int) -> None:
    """Notes that a sign was VERIFIED: its own code and its face were seen in its place."""
    recent = [seen for seen in state.verified_ids if last_ms - seen.last_ms <= _RECENT_MS]
    state.verified_ids = recent[-MAX_ATTRIBUTED + 1 :]
    state.verified_ids.append(SeenSign(sign_id, last_ms))


def recently_verified(state: State, now_ms: int) -> set[bytes]:
    """The signs that were VERIFIED on this pass."""
    return {seen.sign_id for seen in state.verified_ids if now_ms - seen.last_ms <= SAME_PASS_MS}


def attribute(state: State, sign_id: bytes, last_ms: int) -> None:
    """Notes that something was seen of a registered sign."""
    recent = [seen for seen in state.attributed if last_ms - seen.last_ms <= _RECENT_MS]
    state.attributed = recent[-MAX_ATTRIBUTED + 1 :]
    state.attributed.append(SeenSign(sign_id, last_ms))


def show(state: State, sign_id: bytes, last_ms: int, pose: Pose) -> None:
    """Notes that a code was found in its place, and where the vehicle was."""
    state.shown = recently_shown(state, last_ms)[-MAX_SHOWN + 1 :]
    state.shown.append(Shown(sign_id, last_ms, pose))


def recently_shown(state: State, now_ms: int) -> list[Shown]:
    """The codes read in their place within the last minute: on a loop the vehicle meets the same sign again later."""
    return [shown for shown in state.shown if now_ms - shown.last_ms <= _RECENT_MS]


def was_seen(state: State, expected: ExpectedSign) -> bool:
    """True where something was seen of the registered sign around the time of its passing."""
    return _is_among(state.attributed, expected)


def was_read(state: State, expected: ExpectedSign) -> bool:
    """True where the sign's own code was read around that time, wherever that was."""
    return _is_among(state.read_ids, expected)


def _is_among(signs: Collection[SeenSign], expected: ExpectedSign) -> bool:
    since = (expected.passed_ms or 0) - SAME_PASS_MS
    return any(seen.sign_id == expected.sign_id and seen.last_ms >= since for seen in signs)
