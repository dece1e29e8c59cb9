"""From readings of single frames to code panels, each hung at the sign face that it belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from device.channel.messages import Reading
from device.verdict.state import (
    MAX_PANELS,
    MAX_PAYLOADS,
    MAX_RATES,
    MAX_VOTED,
    FaceTrack,
    Moment,
    PanelTrack,
    Payload,
    Rate,
    State,
)
from device.verdict.tracking import approach, beside, carried, looks
from device.verdict.tracking.faces import extend, first_sight
from device.verdict.tracking.looks import LINGER_MS
from device.verdict.tracking.motion import match, moved, overlap, predicted, start
from wire.geodesy import Pose
from wire.signcode import PREFIX

_SAME_SYMBOL: Final = 0.3  # intersection over union
_APART: Final = 1.5  # sizes between the centres of two symbols that are surely different


_UPRIGHT: Final[tuple[Callable[[float, float], tuple[float, float]], ...]] = (
    lambda right, down: (right, down),
    lambda right, down: (down, -right),
    lambda right, down: (-right, -down),
    lambda right, down: (-down, right),
)
"""A way in the picture as the symbol has it that lies so many quarter turns clockwise from upright."""


def read(state: State, moment: Moment, readings: Sequence[Reading], pose: Pose | None) -> None:
    """Adds one frame's readings to the panels that are followed, and votes for the face that each panel hangs at."""
    looks.look(state.read, moment.t_ms)
    seen, readings = len(readings), [reading for reading in readings if not reading.mirrored]
    state.mirrored += seen - len(readings)  # a panel hangs where it shows its face, and a mirror is no second place
    along = carried.going_on(state, readings, moment.t_ms)
    symbols = [*along.values(), *_symbols(carried.others(state, readings, moment.t_ms))]
    fresh = (panel for panel in state.panels if 0 < moment.t_ms - panel.sight.last_ms <= LINGER_MS)
    free = [panel for panel in fresh if not panel.carried]
    pairs = match([panel.motion for panel in free], [group[0] for group in symbols[len(along) :]], moment.t_ms)
    going_on = {index + len(along): free[number] for index, number in pairs.items()}
    going_on |= {index: panel for index, number in enumerate(along) for panel in state.panels if panel.number == number}
    twins = _twins(symbols)
    for index, group in enumerate(symbols):
        panel = going_on.get(index) or _again(state, moment, group[0], pose, going_on.values())
        look_ms = looks.stands_for_ms(state.read, first=panel is None)
        if panel is None:
            panel = _new(state, moment, group[0], pose)
        else:
            going_on[index] = panel
            panel.motion = moved(panel.motion, group[0], moment.t_ms)
            extend(panel.sight, moment, pose, state.read)
        carried.follow(state, panel, group[0], moment.t_ms, pose)
        beside.compare(panel, state.faces, moment.t_ms)
        _note(panel, group, look_ms)
        panel.twins += looks.repeats(look_ms) if index in twins else 0.0
        _vote(panel, group[0].quarters, state.faces, moment.t_ms, look_ms)


def _again(
    state: State, moment: Moment, reading: Reading, pose: Pose | None, taken: Iterable[PanelTrack]
) -> PanelTrack | None:
    """The panel whose text this is, where the code reader did not look for a while; None: it is a new one."""
    others = {panel.number for panel in taken}
    side = math.sqrt(reading.w * reading.h)
    for panel in state.panels:
        if panel.number not in others and approach.same_code(state, panel, reading.data, side, moment.t_ms, pose):
            return panel
    return None


def _twins(symbols: Sequence[Sequence[Reading]]) -> set[int]:
    """The symbols whose text another symbol, well apart from them, shows in the same frame."""
    return {
        index
        for index, group in enumerate(symbols)
        if any(other is not group and _says_the_same(group[0], other[0]) for other in symbols)
    }


def _says_the_same(first: Reading, second: Reading) -> bool:
    aside = abs(first.x + first.w / 2 - second.x - second.w / 2)
    down = abs(first.y + first.h / 2 - second.y - second.h / 2)
    apart = max(aside, down) > _APART * max(first.w, first.h, second.w, second.h)
    return bool(first.data) and first.data == second.data and apart


def _symbols(readings: Sequence[Reading]) -> list[list[Reading]]:
    """Readings of the same symbol together, decoded readings first."""
    groups: list[list[Reading]] = []
    for reading in sorted(readings, key=lambda candidate: not candidate.data):
        if reading.w < 2 or reading.h < 2:
            continue
        home = next((group for group in groups if overlap(group[0], reading) >= _SAME_SYMBOL), None)
        if home is None:
            groups.append([reading])
        else:
            home.append(reading)
    return groups


def _new(state: State, moment: Moment, reading: Reading, pose: Pose | None) -> PanelTrack:
    panel = PanelTrack(state.next_track, start(reading, moment.t_ms), first_sight(moment, pose, state.read))
    panel.carried = carried.is_known(state, reading)
    state.next_track += 1
    if len(state.panels) >= MAX_PANELS:
        state.panels.remove(min(state.panels, key=lambda other: (other.decoded, other.sight.last_ms)))
    state.panels.append(panel)
    return panel


def _note(panel: PanelTrack, group: Sequence[Reading], look_ms: int) -> None:
    """Adds the readings of one symbol in one frame to the panel's record."""
    texts = {reading.data for reading in group if reading.data}
    if len(texts) > 1 and any(text.startswith(PREFIX) for text in texts):
        panel.disagreements += looks.repeats(look_ms)
    panel.oversized += any(reading.oversized for reading in group)
    panel.decoded += bool(texts)
    if not texts and not any(reading.oversized for reading in group):
        panel.unreadable += looks.units(look_ms)
    for reading in group:
        if reading.data:
            _note_payload(panel, reading, look_ms)
        if reading.data and reading.error_rate is not None:
            panel.rates.append(Rate(reading.module_px, reading.error_rate))
            if len(panel.rates) > MAX_RATES:
                panel.rates.remove(min(panel.rates, key=lambda rate: rate.module_px))


def _note_payload(panel: PanelTrack, reading: Reading, look_ms: int) -> None:
    payload = next((known for known in panel.payloads if known.data == reading.data), None)
    if payload is None:
        if len(panel.payloads) >= MAX_PAYLOADS:
            panel.too_many = True
            return
        payload = Payload(reading.data, 0.0, False)
        panel.payloads.append(payload)
    payload.seen += looks.repeats(look_ms)
    payload.both_decoders |= len(set(reading.decoders)) > 1


def _vote(panel: PanelTrack, quarters: int, faces: Sequence[FaceTrack], t_ms: int, look_ms: int) -> None:
    """Counts the face that the panel hangs at in this look, if it hangs at any."""
    near = [(far, face.number) for face in faces if (far := _hangs(panel, quarters, face, t_ms)) is not None]
    if not near or panel.carried:
        return
    number = min(near)[1]
    if number in panel.votes or len(panel.votes) < MAX_VOTED:
        panel.votes[number] = panel.votes.get(number, 0.0) + looks.units(look_ms)


def _hangs(panel: PanelTrack, quarters: int, face: FaceTrack, t_ms: int) -> float | None:
    """How far, in sizes, the panel's centre is from the face's; None where it hangs neither below nor beside it.

    Below in the picture, or as the symbol itself lies: where the picture is upside down so is the symbol, and where
    somebody hung the panel upside down the picture is not.
    """
    if t_ms - face.sight.last_ms > LINGER_MS // 2:
        return None
    sign, code = predicted(face.motion, t_ms), panel.motion
    if not 0.4 <= code.w / sign.w <= 2.5:
        return None
    unit = max(sign.h, code.h)
    right, down = (code.x - sign.x) / unit, (code.y - sign.y) / unit
    if any(_below_or_beside(*turned) for turned in ((right, down), _UPRIGHT[quarters](right, down))):
        return abs(right) + abs(down)
    return None


def _below_or_beside(right: float, down: float) -> bool:
    below = abs(right) <= 0.7 and 0.4 <= down <= 2.2
    return below or (0.6 <= abs(right) <= 1.8 and abs(down) <= 0.5)
