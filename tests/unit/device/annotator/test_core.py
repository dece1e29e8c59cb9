"""What is drawn into a frame: boxes, codes and verdicts, each while it is due."""

from __future__ import annotations

import numpy as np
import pytest

from device.annotator.core import HELD_MS, SHOWN_AFTER_MS, STATE_COLOURS, Annotator, Colour, Image
from device.channel.messages import Box, CodeBox
from device.channel.overlay import FrameOverlay, Overlay, VerdictOverlay

BOX = Box(100.0, 100.0, 60.0, 40.0, 0.9, 12, 0.95)
VERDICT = VerdictOverlay("VERIFIED", 12, 12, 2, 4)
WHITE = (255, 255, 255)


def drawn(annotator: Annotator, frame: int, t_ms: int = 0, size: tuple[int, int] = (480, 640)) -> Image:
    picture = np.full((*size, 3), 90, np.uint8)
    annotator.draw(picture, frame, t_ms)
    return picture


def has(picture: Image, colour: Colour) -> bool:
    return bool((picture == np.array(colour, np.uint8)).all(axis=2).any())


def overlay(frames: dict[int, FrameOverlay], *verdicts: VerdictOverlay) -> Annotator:
    return Annotator(Overlay(frames, list(verdicts), 100))


def test_a_box_is_drawn_on_its_own_edge_and_nowhere_inside() -> None:
    picture = drawn(overlay({0: FrameOverlay([BOX], [])}), 0)
    assert (picture[120, 100] == WHITE).all() and (picture[120, 160] == WHITE).all()
    assert (picture[110:135, 110:150] == 90).all()


def test_a_verdict_colours_the_boxes_of_its_sign_in_its_frames_alone() -> None:
    other = Box(300.0, 300.0, 60.0, 40.0, 0.9, 13, 0.95)
    annotator = overlay({n: FrameOverlay([BOX, other], []) for n in range(10)}, VERDICT)
    inside, after = drawn(annotator, 3, 300), drawn(annotator, 6, 600)
    assert (inside[120, 100] == STATE_COLOURS["VERIFIED"]).all() and (inside[320, 300] == WHITE).all()
    assert (after[120, 100] == WHITE).all()


def test_a_verdict_stands_in_the_picture_while_its_sign_is_in_sight_and_a_moment_longer() -> None:
    annotator = overlay({}, VERDICT)
    colour = STATE_COLOURS["VERIFIED"]
    shown = [has(drawn(annotator, n, t), colour) for n, t in ((1, 100), (2, 200), (4, 400), (5, 400 + SHOWN_AFTER_MS))]
    assert shown == [False, True, True, True]
    assert not has(drawn(annotator, 90, 401 + SHOWN_AFTER_MS), colour)


def test_a_missing_sign_is_told_although_there_is_no_box() -> None:
    annotator = overlay({3: FrameOverlay([], [])}, VerdictOverlay("MISSING", 9, None, 2, 4))
    assert has(drawn(annotator, 3), STATE_COLOURS["MISSING"])


def test_a_frame_that_was_not_judged_holds_the_last_boxes_for_a_moment_and_says_so() -> None:
    annotator = overlay({0: FrameOverlay([BOX], [])})
    judged, held = drawn(annotator, 0, 0), drawn(annotator, 1, HELD_MS)
    assert (held[120, 100] == WHITE).all()
    assert (held[-40:] != judged[-40:]).any()  # "not judged"
    assert (drawn(annotator, 2, HELD_MS + 1)[120, 100] == 90).all()


def test_a_code_that_was_read_has_a_whole_frame_and_another_its_corners_alone() -> None:
    def top_middle(read: bool) -> Image:
        return drawn(overlay({0: FrameOverlay(None, [CodeBox(200.0, 200.0, 80.0, 80.0, read)])}), 0)[200, 240]

    assert (top_middle(True) != 90).any() and (top_middle(False) == 90).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (48, 64), (2304, 4096)])
def test_any_size_of_picture_and_any_box_can_be_drawn(size: tuple[int, int]) -> None:
    far = Box(-16384.0, 16384.0, 16384.0, 16384.0, 1.0, 0, 1.0)
    code = CodeBox(16384.0, -16384.0, 16384.0, 16384.0, False)
    drawn(overlay({0: FrameOverlay([far, BOX], [code])}, VERDICT, VERDICT), 0, 0, size)
