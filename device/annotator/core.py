"""Draws one frame's overlay into it, in place. Pure: no process, no file, no clock.

What perception saw is a box with its class; a code is a thin box, broken where it could not be read; a verdict colours
the boxes of its sign and stands at the top of the picture while the sign is in sight and for a moment after. Colours
are those of Okabe and Ito (Color Universal Design, 2008), which colour-blind people can tell apart, and every colour
comes with its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from device.channel.messages import Box, CodeBox
from device.channel.overlay import FrameOverlay, Overlay, VerdictOverlay
from wire.classes import class_name
from wire.vocabulary import StateName

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_GREEN: Final[Colour] = (115, 158, 0)  # blue, green, red
_SKY: Final[Colour] = (233, 180, 86)
_BLUE: Final[Colour] = (178, 114, 0)
_YELLOW: Final[Colour] = (66, 228, 240)
_ORANGE: Final[Colour] = (0, 159, 230)
_RED: Final[Colour] = (0, 94, 213)
_WHITE: Final[Colour] = (255, 255, 255)
_BLACK: Final[Colour] = (0, 0, 0)

STATE_COLOURS: Final[dict[StateName, Colour]] = {
    "VERIFIED": _GREEN,
    "CODE_ONLY": _GREEN,
    "UNVERIFIED": _SKY,
    "SUSPECT": _YELLOW,
    "MISSING": _YELLOW,
    "DAMAGED": _YELLOW,
    "MISPLACED": _RED,
    "FORGED": _RED,
    "CONTRADICTED": _ORANGE,
}
SHOWN_AFTER_MS: Final = 1500
"""For how long a verdict stands in the picture after the last frame that shows its sign."""
HELD_MS: Final = 200
"""For how long the boxes of the last judged frame are drawn where frames were not judged (realtime)."""
MAX_LINES: Final = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_OF_HEIGHT: Final = 1 / 1000
"""Scale of the font for each pixel of the picture's height; 0.4 at the least."""


class Annotator:
    """Draws a run's overlay, frame after frame in their order."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._ended_ms: dict[int, int] = {}  # verdict -> time of the last frame that shows its sign
        self._boxes: tuple[list[Box], int] = ([], -HELD_MS - 1)  # of the last judged frame, and its time
        self._codes: tuple[list[CodeBox], int] = ([], -HELD_MS - 1)

    def draw(self, picture: Image, frame: int, t_ms: int) -> None:
        """Draws into a BGR picture, uint8 [height, width, 3].

        Args:
            frame: its number; t_ms: milliseconds since the first frame.
        """
        pen = _Pen(picture)
        shown = self._shown(frame, t_ms)
        judged = self._take(frame, t_ms)
        for code in self._codes[0] if t_ms - self._codes[1] <= self._hold(judged) else ():
            pen.code(code)
        for box in self._boxes[0] if t_ms - self._boxes[1] <= HELD_MS else ():
            pen.box(box, _colour(box, shown, frame))
        pen.lines(_words(shown), [STATE_COLOURS[verdict.state] for verdict in shown])
        pen.foot(f"frame {frame}  {t_ms / 1000:.2f} s" + ("" if judged else "  not judged"))

    def _take(self, frame: int, t_ms: int) -> bool:
        """Notes what was seen in this frame; whether perception judged it."""
        found = self._overlay.frames.get(frame, FrameOverlay())
        if found.boxes is not None:
            self._boxes = found.boxes, t_ms
        if found.codes is not None:
            self._codes = found.codes, t_ms
        return found.boxes is not None

    @staticmethod
    def _hold(judged: bool) -> int:
        """Symbols are told only where there are any: while every frame is judged, those of this frame are all."""
        return 0 if judged else HELD_MS

    def _shown(self, frame: int, t_ms: int) -> list[VerdictOverlay]:
        """The verdicts whose signs are in sight, or were a moment ago; the newest first."""
        shown = []
        for number, verdict in enumerate(self._overlay.verdicts):
            if verdict.first_frame <= frame <= verdict.last_frame:
                self._ended_ms[number] = t_ms
            ended = self._ended_ms.get(number)
            if ended is not None and t_ms - ended <= SHOWN_AFTER_MS:
                shown.append(verdict)
        return shown[::-1][:MAX_LINES]


def _colour(box: Box, shown: Iterable[VerdictOverlay], frame: int) -> Colour:
    """That of the verdict which took this class for its sign's; white where there is none."""
    for verdict in shown:
        if verdict.perceived_class_id == box.class_id and verdict.first_frame <= frame <= verdict.last_frame:
            return STATE_COLOURS[verdict.state]
    return _WHITE


def _words(shown: Sequence[VerdictOverlay]) -> list[str]:
    return [
        f"{verdict.state}  held: {class_name(verdict.class_id, '-')}"
        f"  seen: {class_name(verdict.perceived_class_id, 'nothing')}"
        for verdict in shown
    ]


class _Pen:
    """Lines and letters of a size that suits the picture. Coordinates outside of it are cut off by OpenCV."""

    def __init__(self, picture: Image) -> None:
        self._picture = picture
        self._scale = max(0.4, picture.shape[0] * _TEXT_OF_HEIGHT)
        self._thick = max(1, round(2 * self._scale))
        self._line = round(32 * self._scale)

    def box(self, box: Box, colour: Colour) -> None:
        """A face, with its class and score above it, or below where there is no room."""
        x, y = round(box.x), round(box.y)
        cv2.rectangle(self._picture, (x, y), (round(box.x + box.w), round(box.y + box.h)), colour, self._thick)
        label = f"{class_name(box.class_id, '-')} {box.score:.2f}"
        self._label(label, x, y - self._line // 4 if y > self._line else round(box.y + box.h) + self._line, colour)

    def code(self, code: CodeBox) -> None:
        """A symbol: a whole frame where it was read, its corners alone where it was not."""
        left, top, right, bottom = round(code.x), round(code.y), round(code.x + code.w), round(code.y + code.h)
        if code.read:
            cv2.rectangle(self._picture, (left, top), (right, bottom), _BLUE, self._thick)
            return
        arm = max(2, (right - left) // 4)
        for x, y, dx, dy in ((left, top, 1, 1), (right, top, -1, 1), (left, bottom, 1, -1), (right, bottom, -1, -1)):
            cv2.line(self._picture, (x, y), (x + dx * arm, y), _BLUE, self._thick)
            cv2.line(self._picture, (x, y), (x, y + dy * arm), _BLUE, self._thick)

    def lines(self, texts: Sequence[str], colours: Sequence[Colour]) -> None:
        """At the top, from the left."""
        for number, (text, colour) in enumerate(zip(texts, colours, strict=True), 1):
            self._label(text, self._line // 3, number * self._line, colour)

    def foot(self, text: str) -> None:
        """At the bottom left."""
        self._label(text, self._line // 3, self._picture.shape[0] - self._line // 3, _WHITE)

    def _label(self, text: str, x: int, y: int, colour: Colour) -> None:
        """Text on black, which can be read on any street."""
        (width, height), below = cv2.getTextSize(text, _FONT, self._scale, self._thick)
        x = max(0, min(x, self._picture.shape[1] - width))
        cv2.rectangle(self._picture, (x - 2, y - height - 3), (x + width + 2, y + below), _BLACK, cv2.FILLED)
        cv2.putText(self._picture, text, (x, y), _FONT, self._scale, colour, self._thick, cv2.LINE_AA)
