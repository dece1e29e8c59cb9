"""Symbols that are carried along: on the windscreen, laid over the picture, or on a vehicle that drives ahead.

A code is read from a few metres to a few dozen, so that what stands beside the way grows by a quarter within thirty
metres of it, and soon is gone. What does neither, while the vehicle drives, hangs at no sign. Where nobody knows
whether the vehicle drives, a symbol that rests in the picture while a sign comes nearer tells as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from device.channel.messages import Reading
from device.verdict.state import MAX_CARRIED, CarriedSymbol, Motion, PanelTrack, State, Stretch
from device.verdict.tracking import approach
from device.verdict.tracking.motion import as_box, overlap, predicted, size, start
from wire.geodesy import Pose, distance_m
from wire.signcode import PREFIX

STAGE_M: Final = 30.0
ACCURACIES: Final = 3.0
"""A stage is this long, or so many times what both its ends are off by, if that is more..."""
STAGE_MS: Final = 10_000
"""...and takes no longer: the place of a vehicle that stands wanders by a metre a second, and that is no driving."""
STAGES: Final = 2
"""So many in a row: a receiver's place may leap once while the vehicle stands before a sign."""
GROWS: Final = 1.25
"""What has not grown so much on a stage was more than 150 m away."""
HOME_SIZES: Final = 0.25
HOME_RATIO: Final = 1.2
"""A symbol rests in the picture that stays within so many of its sizes of where it was first, and within this ratio."""
RESTS_MS: Final = 1000
PASSES: Final = 1.5
"""A face that has grown so much shows that the vehicle drives..."""
PASSES_SEEN: Final = 8.0
"""...where it was seen in as many looks, at thirty a second."""
SAME_SYMBOL: Final = 0.3


def follow(state: State, panel: PanelTrack, reading: Reading, t_ms: int, pose: Pose | None) -> None:
    """Notes where the panel is in the picture, and whether the vehicle has driven without coming nearer to it."""
    here = start(reading, t_ms)
    panel.home = panel.home or here
    panel.moved = panel.moved or not _is_near(panel.home, here)
    if panel.carried:
        return
    _stage(panel, reading.data, size(here), t_ms, pose)
    rests = not panel.moved and t_ms - panel.sight.first_ms >= RESTS_MS
    ours = any(payload.data.startswith(PREFIX) for payload in panel.payloads)
    unplaced = panel.sight.last_pose is None and rests and not ours
    panel.carried = panel.stages >= STAGES or (unplaced and _something_passed(state, panel))


def _stage(panel: PanelTrack, data: bytes, side: float, t_ms: int, pose: Pose | None) -> None:
    """Goes on with the stage, or begins the next. One symbol after another is none: the text has to be the same, and
    of what cannot be read nothing is known but that it rests."""
    stage = panel.stage
    if pose is None or (stage is not None and stage.data and not data):
        return  # a look at which it could not be read says neither that it is the same nor another
    if stage is None or data != stage.data or (not data and panel.moved) or t_ms - stage.t_ms > STAGE_MS:
        panel.stage, panel.stages = Stretch(data, side, t_ms, pose), 0
        return
    came = distance_m(stage.pose.lat, stage.pose.lon, pose.lat, pose.lon)
    if came < max(STAGE_M, ACCURACIES * (stage.pose.accuracy_m + pose.accuracy_m)):
        return
    panel.stages = panel.stages + 1 if side < GROWS * stage.side else 0
    panel.stage = Stretch(data, side, t_ms, pose)


def _something_passed(state: State, panel: PanelTrack) -> bool:
    """Whether a sign came nearer while the symbol rested."""
    return any(
        face.sight.first_ms >= panel.sight.first_ms and face.sure >= PASSES_SEEN and approach.growth(face) >= PASSES
        for face in state.faces
    )


def going_on(state: State, readings: Sequence[Reading], t_ms: int) -> dict[int, list[Reading]]:
    """The readings of symbols that are known to be carried along, by the panel's number: no sign's code is among them.

    What has the same text in the same place is, and what cannot be read there.
    """
    found: dict[int, list[Reading]] = {}
    taken: set[int] = set()
    for panel in (panel for panel in state.panels if panel.carried):
        texts = {payload.data for payload in panel.payloads} | {b""}
        places = as_box(predicted(panel.motion, t_ms)), as_box(panel.motion)
        for index, reading in enumerate(readings):
            same = reading.data in texts and any(overlap(place, reading) >= SAME_SYMBOL for place in places)
            if same and index not in taken:
                taken.add(index)
                found.setdefault(panel.number, []).append(reading)
    return found


def others(state: State, readings: Sequence[Reading], t_ms: int) -> list[Reading]:
    """The readings that are of no symbol that is known to be carried along."""
    along = [reading for group in going_on(state, readings, t_ms).values() for reading in group]
    return [reading for reading in readings if not any(reading is one for one in along)]


def is_known(state: State, reading: Reading) -> bool:
    """Whether this symbol was carried along before, in this place of the picture, and was out of sight since."""
    return any(
        known.data == reading.data and overlap(as_box(known.motion), reading) >= SAME_SYMBOL for known in state.carried
    )


def remember(state: State, panel: PanelTrack) -> None:
    """Notes and counts a symbol that is no sign code, so that it is known when it comes into sight again."""
    if not panel.payloads:
        state.carried_codes += 1  # by nothing else would it be known again
        return
    data = panel.payloads[0].data
    others = [symbol for symbol in state.carried if symbol.data != data]
    state.carried_codes += len(others) == len(state.carried)
    state.carried = [*others[-MAX_CARRIED + 1 :], CarriedSymbol(data, panel.motion)]


def _is_near(home: Motion, here: Motion) -> bool:
    away = math.hypot(here.x - home.x, here.y - home.y)
    ratio = abs(math.log(size(here) / size(home)))
    return away <= HOME_SIZES * size(home) and ratio <= math.log(HOME_RATIO)
