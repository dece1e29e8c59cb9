"""The files of a replay: what can be one's input, and that no result takes an input's place."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from device.launcher.session import RESULTS
from program import outputs
from wire.errors import UsageError

_LOOKED_AT = 4096
_TRACK = re.compile(rb"(<\?xml.{0,2000})?<(\w{1,20}:)?gpx\b|\$(G[A-Z]|BD)[A-Z]{3},", re.DOTALL)
"""How GPX and NMEA 0183 begin. What else a file is, only the confined decoder finds out."""


def input_kind(path: Path) -> Literal["video", "folder"]:
    """ "video" or "folder". Raises UsageError when there is nothing to read."""
    try:
        if path.is_dir():
            return "folder"
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no plain file", "give a video file or a folder of frames")
        with path.open("rb") as file:
            begin = file.read(_LOOKED_AT)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", "give a video file or a folder of frames"
        ) from None
    if not begin:
        raise UsageError(f"{path} is empty", "give a video file or a folder of frames")
    if _TRACK.match(begin.removeprefix(b"\xef\xbb\xbf").lstrip()):
        raise UsageError(f"{path} is a track, no video", f"give the video, and --gps {shlex.quote(str(path))}")
    return "video"


def keep_inputs(out: Path, inputs: Sequence[Path | None]) -> None:
    """Raises OutputRefusedError where a result of a run would take the place of an input, under whatever name."""
    for name in RESULTS:
        outputs.keep_inputs(out / name, inputs)


def is_utf8(path: Path) -> bool:
    """Whether the file's name can be handed to the compartments."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        return False
    return True
