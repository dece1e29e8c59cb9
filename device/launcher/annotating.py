"""Draws a replay's record into a copy of its video: collects what to draw, then starts annotator and waits for it.

The command never decodes the video itself: that is C code fed by strangers. Annotator is confined as capture is, and is
handed the one file that it writes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from device.channel import overlay as overlays
from device.channel.errors import HostileMessageError, PeerClosedError
from device.channel.messages import CodeBoxes, Sightings, Verdict
from device.channel.overlay import FrameOverlay, Overlay, VerdictOverlay
from device.confine import policy as policies
from device.confine import verify
from device.launcher import settings
from device.launcher.child import Child
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from wire.errors import RunError, UsageError, printable

ANNOTATOR: Final = "annotator"
MAX_FRAMES: Final = 2_000_000
"""Frames whose boxes are kept: nine hours at 60 a second."""
MAX_KEPT: Final = 2_000_000
"""Boxes of all frames together, of some 150 bytes each: a drive has one in a frame, a hostile perception 64."""
_STILL_SECONDS: Final = 60.0
"""Without a further frame drawn: far more than the largest takes on the slowest machine."""
_TURN_SECONDS: Final = 0.1
_START_SECONDS: Final = 120.0
_FRAME_SECONDS: Final = 0.5
_TIMES_THE_RUN: Final = 4.0
"""In all: to begin, for each frame, and by the time that the run took. An honest drawing is faster by far; how far it
has come annotator says itself."""
_SLACK_FRAMES: Final = 4
_SLACK_PERCENT: Final = 1
"""Of the frames that perception saw: a decoder with several threads may find another frame of a damaged video whole."""
_TAKEN_OVER: Final = "run it again, and reinstall Sealcam if that happens again: annotator is at fault or taken over"


class OverlayRecord:
    """Collects what is to be drawn while a run goes on: the first answer of each reader for a frame.

    What is too much for the memory is left out, the newest first.
    """

    def __init__(self) -> None:
        self._boxes: dict[int, Sightings] = {}
        self._codes: dict[int, CodeBoxes] = {}
        self._kept = 0

    def take(self, looked: Sightings | CodeBoxes) -> None:
        """What perception saw, or where the code reader found symbols, in one frame."""
        found: dict[int, Any] = self._boxes if isinstance(looked, Sightings) else self._codes
        if looked.frame in found or len(found) >= MAX_FRAMES or self._kept + len(looked.boxes) > MAX_KEPT:
            return
        self._kept += len(looked.boxes)
        found[looked.frame] = looked

    def overlay(self, verdicts: Iterable[Verdict], frames: int) -> Overlay:
        """All of it. `frames`: how many frames of the input the run came to."""
        drawn = {
            number: FrameOverlay(
                self._boxes[number].boxes if number in self._boxes else None,
                self._codes[number].boxes if number in self._codes else None,
            )
            for number in self._boxes.keys() | self._codes.keys()
        }
        held = [
            VerdictOverlay(v.state, v.class_id, v.perceived_class_id, v.first_frame, v.last_frame) for v in verdicts
        ]
        return Overlay(drawn, held, max(0, frames - 1))


def check(path: Path) -> None:
    """Before the run: whether the video can be written there. Raises UsageError."""
    folder = path.parent
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{printable(str(path))} is a link or no plain file", "give --annotate the name of a new file")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{printable(str(folder))} is no folder that can be written", "choose another --annotate")


def annotate(
    plan: RunPlan, overlay: Overlay, path: Path, progress: Callable[[int, int], None], *, run_seconds: float
) -> int:
    """Write the annotated video; returns its frames. An interrupted or failed one leaves the file as it was.

    Args:
        progress: called with the frames that are drawn, and the frames of the input (0: not known).
        run_seconds: how long the run took.

    Raises:
        RunError: it cannot be written, the frames cannot be read again, or are not those of the run.
        StartError: annotator lacks a layer.
        CannotConfineError: this machine refuses bubblewrap.
    """
    with replaced(path) as output:
        described = overlays.write(overlay)
        try:
            child = Child(
                policies.load(ANNOTATOR),
                {"overlay": described, "video_out": output},
                settings.annotator(plan),
                {"input": [Path(plan.input)]},
                show_output=plan.config.warden.output == "inherit",
            )
        finally:
            os.close(described)
        try:
            longest = longest_seconds(overlay.last_frame + 1, run_seconds)
            drawn = _watch(child, settings.names(plan), overlay.last_frame + 1, progress, longest)
        finally:
            child.kill()
            child.release()
        check_drawn(drawn, overlay, os.fstat(output).st_size, path)
        return drawn


def longest_seconds(frames: int, run_seconds: float) -> float:
    """How long the drawing of so many frames may take, after a run that took `run_seconds`."""
    return _START_SECONDS + _FRAME_SECONDS * frames + _TIMES_THE_RUN * run_seconds


def check_drawn(drawn: int, overlay: Overlay, size: int, path: Path) -> None:
    """Before the new video takes the place of an older one: whether annotator did what it says.

    What the pictures show is annotator's alone.

    Args:
        drawn: the frames that it says it wrote. size: bytes of the new file.

    Raises RunError.
    """
    seen = sum(frame.boxes is not None for frame in overlay.frames.values())
    least = seen - max(_SLACK_FRAMES, seen * _SLACK_PERCENT // 100)
    if not least <= drawn <= overlay.last_frame + 1:
        raise RunError(
            f"annotator drew {drawn} frames by its word, where {seen} of {overlay.last_frame + 1} were judged: "
            f"{printable(str(path))} is left as it was",
            _TAKEN_OVER,
        )
    if drawn and not size:
        raise RunError(f"annotator wrote nothing: {printable(str(path))} is left as it was", _TAKEN_OVER)
    if not drawn:
        raise RunError(
            f"no frame was whole enough to draw: {printable(str(path))} is left as it was", "give a video that plays"
        )


def _watch(
    child: Child, names: dict[str, str], frames: int, progress: Callable[[int, int], None], longest: float
) -> int:
    """Until it is done. `frames`: how many there are to draw, so that no more of them count as progress.

    `longest`: seconds that all of it may take.
    """
    told = False
    began = time.monotonic()
    reached, at = 0, began
    while child.done is None:
        select.select([child.control], [], [], _TURN_SECONDS)
        _hear(child)
        if child.facts is not None and not told:
            held = verify.enforced(child.policy, child.pid)
            missing = [layer for layer in held if not held[layer]]
            if missing and not verify.has_ended(child.pid):
                raise StartError(f"annotator runs without {', '.join(missing)}", "run: sealcam doctor")
            told = True
            child.go(0)
        drawn = child.beat.handled if child.beat is not None else 0
        progress(drawn, (child.facts or {}).get("frames", 0))
        ended = child.ended()
        if ended is not None and child.done is None:
            _hear(child)  # its last words
            sentence, remedy = child.reason(names) or (f"annotator ended ({ended})", "run: sealcam doctor")
            raise RunError(sentence, remedy)
        if min(drawn, frames) > reached:
            reached, at = min(drawn, frames), time.monotonic()
        now = time.monotonic()
        if now - began > longest:
            raise RunError(
                f"annotator drew {reached} of {frames} frames in {longest:.0f} s, far fewer than the run judged",
                "end other programs on this machine, and run it again",
            )
        if now - at > _STILL_SECONDS:
            raise RunError(
                f"annotator draws no further frame for {_STILL_SECONDS:.0f} s",
                "end other programs on this machine, and run it again",
            )
    return child.done.get("frames", 0)


def _hear(child: Child) -> None:
    with contextlib.suppress(HostileMessageError, PeerClosedError):
        child.listen()


def _unwritten(path: Path, error: OSError) -> RunError:
    sentence = f"{printable(str(path))} cannot be written ({error.strerror})"
    return RunError(sentence, "free its disk, or choose another --annotate")


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[int]:
    """A new file beside `path`, for its owner alone, that takes its place at the end; it is gone where that fails."""
    new = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RunError(
            f"{printable(str(path))} cannot be written ({error.strerror})", "choose another --annotate"
        ) from None
    try:
        yield descriptor
        os.fsync(descriptor)
        new.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from None
    finally:
        os.close(descriptor)
        new.unlink(missing_ok=True)
