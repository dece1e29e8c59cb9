"""How many frames each reader has spoken of."""

from __future__ import annotations

from device.verdict.heard import Heard


def test_a_frame_that_is_said_again_counts_once() -> None:
    heard = Heard()
    for frame in (0, 1, 1, 2):
        heard.take("codes", frame, late=False)
    assert heard.facts() == {"perception_frames": 0, "codes_frames": 3}


def test_one_false_number_does_not_silence_the_frames_after_it() -> None:
    heard = Heard()
    for frame in (2**40, 1, 2):
        heard.take("perception", frame, late=False)
    assert heard.facts()["perception_frames"] == 3


def test_late_frames_are_told_beside_the_others() -> None:
    heard = Heard()
    heard.take("codes", 0, late=False)
    heard.take("codes", 1, late=True)
    assert heard.facts() == {"perception_frames": 0, "codes_frames": 2, "codes_late": 1}
