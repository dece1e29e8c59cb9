"""The settings that annotator is given."""

from __future__ import annotations

import msgspec

from device.capture.settings import CaptureSettings


class AnnotatorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`input`: what capture was given to read the frames, from the first on, each of them."""

    input: CaptureSettings
