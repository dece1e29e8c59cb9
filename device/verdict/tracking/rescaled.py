"""What is followed, where the stream goes on with frames of another size: the same picture in more or fewer pixels."""

from __future__ import annotations

import math

from device.verdict.state import Moment, Motion, State


def is_known(state: State, moment: Moment) -> bool:
    """Takes the size of a frame, and says whether what was seen in it may be used: not where the other reader knows
    of no such size, or not yet. Else one that is taken over could break every sign into pieces by sizes of its own."""
    if moment.boxes is not None:
        state.seen_size = moment.size
    if moment.readings is not None:
        state.read_size = moment.size
    both = (state.seen_size, state.read_size)
    if both[0] == both[1]:
        take_size(state, both[0])
    return not all(map(any, both)) or both[0] == both[1]


def take_size(state: State, size: tuple[int, int]) -> None:
    """Put all that is followed into the pixels of frames of this size (width, height); (0, 0): not known."""
    before, state.size = state.size, size if all(size) else state.size
    if not all(before) or before == state.size:
        return
    across, down = state.size[0] / before[0], state.size[1] / before[1]
    homes = (panel.home for panel in state.panels if panel.home is not None)
    beside = (pair for panel in state.panels for pair in panel.beside.values())
    pairs = (motion for pair in beside for motion in (pair.face, pair.panel))
    panels = (*(panel.motion for panel in state.panels), *homes, *pairs, *(symbol.motion for symbol in state.carried))
    for motion in (*(face.motion for face in state.faces), *panels):
        _scale(motion, across, down)
    for stage in (panel.stage for panel in state.panels if panel.stage is not None):
        stage.side *= math.sqrt(across * down)
    larger = math.log(across * down) / 2  # what the logarithm of a size goes up by
    for face in state.faces:
        face.trend.y += face.trend.n * larger
        face.trend.xy += face.trend.x * larger


def _scale(motion: Motion, across: float, down: float) -> None:
    motion.x, motion.vx, motion.w = motion.x * across, motion.vx * across, motion.w * across
    motion.y, motion.vy, motion.h = motion.y * down, motion.vy * down, motion.h * down
