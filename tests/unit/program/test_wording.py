"""Numbers of things, and what a mistyped name may have meant."""

from __future__ import annotations

import pytest

from device.config import Config
from program.wording import DEVICE_SECTIONS, counted, misnamed, misread, nearest, plain_types


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 signs"), (1, "1 sign"), (2, "2 signs"), (21, "21 signs"), (101, "101 signs")]
)
def test_one_thing_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "sign") == said


def test_an_own_plural_is_used() -> None:
    assert (counted(1, "breach", "breaches"), counted(2, "breach", "breaches")) == ("1 breach", "2 breaches")


@pytest.mark.parametrize(
    ("word", "meant"), [("fpss", "fps"), ("widht_px", "width_px"), ("Width_PX", "width_px"), ("zzz", ""), ("", "")]
)
def test_a_slip_is_recognised_and_another_word_is_not(word: str, meant: str) -> None:
    assert nearest(word, ["fps", "width_px", "height_px"]) == meant


def test_a_variable_that_is_none_of_ours_is_told_with_the_nearest() -> None:
    known = ["SEALCAM_CAMERA_FPS"]
    assert misnamed({"SEALCAM_HOME": "/x", "SEALCAM_CAMERA_FPS": "1", "PATH": "/bin"}, known) == []
    (line,) = misnamed({"SEALCAM_HOEM": "/x"}, known)
    assert line.startswith("SEALCAM_HOEM is no variable") and line.endswith("did you mean SEALCAM_HOME?")
    (line,) = misnamed({"SEALCAM_XYZ_ABCDEFG": "/x"}, known)
    assert line.endswith("unset it, or write SEALCAM_<SECTION>_<KEY>")


def test_the_receiver_tells_a_mistyped_home_and_leaves_the_devices_variables_alone() -> None:
    assert tuple(Config.__struct_fields__) == DEVICE_SECTIONS
    theirs = {f"SEALCAM_{section}_X".upper(): "1" for section in DEVICE_SECTIONS}
    assert misread({"SEALCAM_HOME": "/x", "PATH": "/bin", **theirs}) == []
    (line,) = misread({"SEALCAM_HOEM": "/x"})
    assert line.startswith("SEALCAM_HOEM is no variable") and line.endswith("did you mean SEALCAM_HOME?")
    (line,) = misread({"SEALCAM_SINK_PORT": "1"})
    assert line.endswith("the receiver reads SEALCAM_HOME, and options")


def test_a_sentence_within_a_sentence_begins_small_but_for_an_abbreviation() -> None:
    assert plain_types("JSON is malformed") == "JSON is malformed"
    assert plain_types("Expected `int`, got `array`") == "expected a whole number, got a list"
    assert plain_types("") == ""
