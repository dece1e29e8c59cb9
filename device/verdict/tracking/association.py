"""Association: puts the faces and code panels of one physical sign together, and tells when the sign has gone by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from device.verdict.state import FaceTrack, PanelTrack, Sight, State
from device.verdict.tracking import looks
from wire.geodesy import Pose

POSE_STALE_MS: Final = 500
_MIN_VOTES: Final = 2
"""Looks at thirty a second."""


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


def associated(state: State) -> list[PhysicalSign]:
    """The physical signs in sight, in the order in which they were first seen."""
    faces = {face.number: face for face in state.faces}
    home = {number: PhysicalSign([face]) for number, face in faces.items()}
    alone: list[PhysicalSign] = []
    for panel in state.panels:
        owned = [] if panel.carried else _owners(panel, faces)
        if not owned:
            alone.append(PhysicalSign([], [panel]))
            continue
        joined = _join(home[number] for number in owned)
        joined.panels.append(panel)
        for face in joined.faces:
            home[face.number] = joined
    distinct = {id(sign): sign for sign in home.values()}
    return sorted((*distinct.values(), *alone), key=lambda sign: min(_order(sight) for sight in sign.sights))


def drop(state: State, finished: PhysicalSign) -> None:
    """Takes the parts of a sign that has gone by out of the state."""
    faces, panels = {face.number for face in finished.faces}, {panel.number for panel in finished.panels}
    state.faces = [face for face in state.faces if face.number not in faces]
    state.panels = [panel for panel in state.panels if panel.number not in panels]


def _owners(panel: PanelTrack, faces: dict[int, FaceTrack]) -> list[int]:
    """The faces that the panel hangs at: the most voted face, and others that were seen only before or after it."""
    votes = {number: count for number, count in panel.votes.items() if number in faces}
    if not votes:
        return []
    main = max(votes, key=lambda number: (votes[number], -number))
    return [main, *(n for n in sorted(votes) if votes[n] >= _MIN_VOTES and _apart(faces[n], faces[main]))]


def _apart(first: FaceTrack, second: FaceTrack) -> bool:
    return (
        first.sight.last_frame < second.sight.first_frame or second.sight.last_frame < first.sight.first_frame
    ) and first.number != second.number


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
