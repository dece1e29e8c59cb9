"""Passes that perception lost before they ended: a bar in the view, blended frames, or a leap breaks a face in two.

A face tells by its growth how far ahead its sign still was when it was last seen (`approach`). Until the vehicle has
come so far, its code may still be read, so that nothing is said of the sign; and a code that is read where the face
would be by then is its own. All this is in metres where the vehicle's place is known, else in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from device.verdict.state import FaceTrack, Motion, PanelTrack, Sight
from device.verdict.tracking import approach, looks
from device.verdict.tracking.approach import Ahead
from device.verdict.tracking.motion import size
from wire.geodesy import Pose, distance_m
from wire.signcode import PREFIX

if TYPE_CHECKING:
    from device.verdict.tracking.association import PhysicalSign

MOST_M: Final = 60.0
MOST_MS: Final = 20_000
"""Nothing waits over more of the way, nor for longer: what is so far ahead is followed anew when it comes nearer."""
READ_M: Final = (3.0, 17.0)
READ_MS: Final = (100.0, 3000.0)
"""How far ahead a panel is when it is read last, where its growth does not tell."""
PANEL_GREW: Final = 1.1
PANEL_WITHIN: Final = 1.3
"""How well the way to a panel is known, as a factor: its corners are found to the pixel, the way is short..."""
SLACK_M: Final = 3.0
SLACK_MS: Final = 250.0
"""...and places and times are a little off."""
BELOW_SIZES: Final = 2.5
"""A panel's centre is no further than this from its face's, in the face's sizes, where both are equally near."""
RATIOS: Final = (0.4, 2.5)
"""How many times the size of its face a panel has."""


def is_ahead(sign: PhysicalSign, t_ms: int, pose: Pose | None) -> bool:
    """Whether a sign that is no longer in sight may still be ahead of the vehicle, so that its code was not read."""
    return not sign.panels and any(_waits(face, t_ms, pose) for face in sign.faces)


def joined(signs: Sequence[PhysicalSign], join: Callable[[Iterable[PhysicalSign]], PhysicalSign]) -> list[PhysicalSign]:
    """The signs, each that was lost before it was passed together with the code that was read in its place."""
    coded = [sign for sign in signs if any(_is_ours(panel) for panel in sign.panels)]
    of: dict[int, list[PhysicalSign]] = {}
    left = []
    for sign in signs:
        home = None
        if not sign.panels:
            home = next((other for other in coded if all(_belongs(face, other) for face in sign.faces)), None)
        if home is None:
            left.append(sign)
        else:
            of.setdefault(id(home), []).append(sign)
    for sign in left:
        join([sign, *of.get(id(sign), [])])
    return left


def _is_ours(panel: PanelTrack) -> bool:
    # an advertisement that hangs near a face's place spoils no sign but the face that it hangs at
    return not panel.carried and any(payload.data.startswith(PREFIX) for payload in panel.payloads)


def _waits(face: FaceTrack, t_ms: int, pose: Pose | None) -> bool:
    unseen = t_ms - face.sight.last_ms
    if unseen > MOST_MS:
        return False
    came = _way_m(face.sight.last_pose, pose)
    ahead = approach.ahead(face, in_metres=came is not None)
    if came is None:
        return ahead is not None and unseen < ahead.most
    return ahead is not None and came < min(ahead.most, MOST_M)


def _belongs(face: FaceTrack, sign: PhysicalSign) -> bool:
    """Whether a face that no panel hangs at is of the sign that a code was read at."""
    return any(_is_ours(panel) and _fits(face, panel) for panel in sign.panels) and (
        all(_is_after(face.sight, other.sight) or _same_class(face, other) for other in sign.faces)
    )


def _fits(face: FaceTrack, panel: PanelTrack) -> bool:
    """Whether the panel was where the face would have been when the code was read."""
    later_ms = panel.sight.last_ms - face.sight.last_ms
    way_m = _way_m(face.sight.last_pose, panel.sight.last_pose)
    there = approach.ahead(face, in_metres=way_m is not None)
    if there is None or later_ms < -looks.LINGER_MS:
        return False
    here, slack = _panel_ahead(panel, in_metres=way_m is not None), SLACK_MS if way_m is None else SLACK_M
    way = float(later_ms) if way_m is None else math.copysign(way_m, later_ms)
    meet = there.least - slack <= way + here.most and way + here.least <= there.most + slack
    return meet and way <= there.most and _on_its_way(face, panel.motion)


def _panel_ahead(panel: PanelTrack, *, in_metres: bool) -> Ahead:
    """How far ahead a panel was when it was last read."""
    sight, home = panel.sight, panel.home or panel.motion
    grown = size(panel.motion) / size(home)
    followed = _way_m(sight.first_pose, sight.last_pose) if in_metres else float(sight.last_ms - sight.first_ms)
    if grown < PANEL_GREW or not followed:
        return Ahead(*(READ_M if in_metres else READ_MS))
    likely = followed / (grown - 1)
    return Ahead(likely / PANEL_WITHIN, likely * PANEL_WITHIN)


def _on_its_way(face: FaceTrack, there: Motion) -> bool:
    """Whether what was last seen of the panel lies where the face goes: further out on its own side, and larger."""
    old = face.motion
    ratio = max(1.0, size(there) / size(old))
    if size(there) < RATIOS[0] * size(old):
        return False
    right, down = there.x - old.x, there.y - old.y
    moved, reach = math.hypot(right, down), BELOW_SIZES * max(size(there), size(old))
    if moved > reach + approach.ASIDE_SIZES * (ratio - 1) * size(old):
        return False
    return moved <= reach or right * old.vx >= 0


def _is_after(first: Sight, second: Sight) -> bool:
    return first.last_frame < second.first_frame


def _same_class(one: FaceTrack, other: FaceTrack) -> bool:
    return _class(one) is not None and _class(one) == _class(other)


def _class(face: FaceTrack) -> int | None:
    weights = face.class_weight
    return max(weights, key=lambda class_id: weights[class_id]) if weights else None


def _way_m(first: Pose | None, last: Pose | None) -> float | None:
    return None if first is None or last is None else distance_m(first.lat, first.lon, last.lat, last.lon)
