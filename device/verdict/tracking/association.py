"""Association: puts the faces and code panels of one physical sign together, and tells when the sign has gone by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from device.verdict.state import FaceTrack, PanelTrack, Sight, State
from device.verdict.tracking import interrupted, looks
from device.verdict.tracking.carried import ACCURACIES, STAGE_M
from wire.geodesy import Pose, distance_m

POSE_STALE_MS: Final = 500
_MIN_VOTES: Final = 2
"""Looks at thirty a second."""

SignIds = Callable[[PanelTrack], frozenset[bytes]]
"""Whose authentic codes a panel shows."""


@dataclass
class PhysicalSign:
    """One physical sign: the faces that perception followed (one, or several one after another) and its code panels."""

    faces: list[FaceTrack] = field(default_factory=list)
    panels: list[PanelTrack] = field(default_factory=list)

    @property
    def sights(self) -> list[Sight]:
        """The records of all its parts."""
        return [*(face.sight for face in self.faces), *(panel.sight for panel in self.panels)]

    @property
    def first_frame(self) -> int:
        """The first frame that shows any part of it."""
        return min(sight.first_frame for sight in self.sights)

    @property
    def last(self) -> Sight:
        """The part that was seen last."""
        return max(self.sights, key=lambda sight: sight.last_frame)

    @property
    def last_pose(self) -> Pose | None:
        """The vehicle's last known pose while the sign was in sight."""
        known = [sight for sight in self.sights if sight.last_pose is not None]
        return max(known, key=lambda sight: sight.last_frame).last_pose if known else None

    @property
    def is_placed(self) -> bool:
        """True where the vehicle's pose was known until the sign was last seen, or nearly so."""
        known = [sight.pose_ms for sight in self.sights if sight.last_pose is not None]
        return bool(known) and self.last.last_ms - max(known) <= POSE_STALE_MS

    @property
    def is_carried(self) -> bool:
        """True for a symbol that the vehicle itself, or another that drives along, carries: it hangs at no sign."""
        return any(panel.carried for panel in self.panels)

    @property
    def largest(self) -> float:
        """The side of the largest box that was surely a sign, pixels."""
        return max((face.largest for face in self.faces), default=0.0)

    def is_over(self, state: State, t_ms: int) -> bool:
        """True when no part of the sign was seen for a while, although it was looked for."""
        return all(looks.is_gone(state.looked, face.sight, t_ms) for face in self.faces) and all(
            looks.is_gone(state.read, panel.sight, t_ms) for panel in self.panels
        )


def associated(
    state: State, t_ms: int = 0, pose: Pose | None = None, sign_ids: SignIds = lambda panel: frozenset()
) -> list[PhysicalSign]:
    """The physical signs in sight, in the order in which they were first seen.

    Args:
        t_ms, pose: when and where the vehicle is; None: not known, and then no panel is known to have been passed.
        sign_ids: tells whose authentic codes a panel shows. Those of two signs, read one after the other, are of two.
    """
    passed = {panel.number for panel in state.panels if _was_passed(state, panel, t_ms, pose)}
    faces = {face.number: face for face in state.faces}
    home = {number: PhysicalSign([face]) for number, face in faces.items()}
    # What has been passed is judged with what has gone by as well: a face that is still in sight is another's.
    behind = [panel for panel in state.panels if panel.number in passed]
    alone, taken = _hung(behind, _gone(state, faces, t_ms), home, sign_ids)
    ahead = [panel for panel in state.panels if panel.number not in passed]
    alone += _hung(ahead, {number: face for number, face in faces.items() if number not in taken}, home, sign_ids)[0]
    signs = interrupted.joined([*{id(sign): sign for sign in home.values()}.values(), *alone], _join)
    return sorted(signs, key=lambda sign: min(_order(sight) for sight in sign.sights))


def _hung(
    panels: Iterable[PanelTrack], faces: Mapping[int, FaceTrack], home: dict[int, PhysicalSign], sign_ids: SignIds
) -> tuple[list[PhysicalSign], set[int]]:
    """Hangs panels at the signs of these faces, which are in `home` by the face's number.

    Returns the panels that hang at none, each a sign of its own, and the numbers of the faces that have a panel now.
    """
    alone: list[PhysicalSign] = []
    taken: set[int] = set()
    for panel in panels:
        owned = [] if panel.carried else _owners(panel, faces)
        if not owned or any(_is_anothers(panel, home[number], sign_ids) for number in owned):
            alone.append(PhysicalSign([], [panel]))
            continue
        joined = _join(home[number] for number in owned)
        joined.panels.append(panel)
        for face in joined.faces:
            home[face.number] = joined
            taken.add(face.number)
    return alone, taken


def drop(state: State, finished: PhysicalSign) -> None:
    """Takes the parts of a sign that has gone by out of the state."""
    faces, panels = {face.number for face in finished.faces}, {panel.number for panel in finished.panels}
    state.faces = [face for face in state.faces if face.number not in faces]
    state.panels = [panel for panel in state.panels if panel.number not in panels]


def _was_passed(state: State, panel: PanelTrack, t_ms: int, pose: Pose | None) -> bool:
    """Whether the panel is surely behind the vehicle: a code is read from less than half this way before it."""
    last = panel.sight.last_pose
    if panel.carried or pose is None or last is None or not looks.is_gone(state.read, panel.sight, t_ms):
        return False
    came = distance_m(last.lat, last.lon, pose.lat, pose.lon)
    return came >= max(STAGE_M, ACCURACIES * (last.accuracy_m + pose.accuracy_m))


def _gone(state: State, faces: Mapping[int, FaceTrack], t_ms: int) -> dict[int, FaceTrack]:
    return {number: face for number, face in faces.items() if looks.is_gone(state.looked, face.sight, t_ms)}


def _owners(panel: PanelTrack, faces: Mapping[int, FaceTrack]) -> list[int]:
    """The faces that the panel hangs at: the most voted face, and others that were seen only before or after it."""
    resting = {number for number, pair in panel.beside.items() if pair.parted}
    votes = {number: count for number, count in panel.votes.items() if number in faces and number not in resting}
    if not votes:
        return []
    main = max(votes, key=lambda number: (votes[number], -number))
    return [
        main,
        *(
            n
            for n in sorted(votes)
            if votes[n] >= _MIN_VOTES and n != main and apart(faces[n].sight, faces[main].sight)
        ),
    ]


def _is_anothers(panel: PanelTrack, sign: PhysicalSign, sign_ids: SignIds) -> bool:
    """Whether a panel that was read before, or later, at these faces shows another sign's authentic code."""
    earlier = [other for other in sign.panels if apart(panel.sight, other.sight)]
    mine = sign_ids(panel) if earlier else frozenset()
    return any(mine and theirs and mine.isdisjoint(theirs) for theirs in map(sign_ids, earlier))


def apart(first: Sight, second: Sight) -> bool:
    """Whether the things were seen only one after the other."""
    return first.last_frame < second.first_frame or second.last_frame < first.first_frame


def _join(parts: Iterable[PhysicalSign]) -> PhysicalSign:
    """One physical sign of several; the same sign twice counts once."""
    distinct = list({id(part): part for part in parts}.values())
    first = distinct[0]
    for other in distinct[1:]:
        first.faces.extend(other.faces)
        first.panels.extend(other.panels)
    return first


def _order(sight: Sight) -> tuple[int, int]:
    return sight.first_frame, sight.last_frame
