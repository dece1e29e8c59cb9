"""Frames of a video file: FFmpeg through PyAV."""

from __future__ import annotations

import gc
import io
import os
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.format import Flags
from av.index import IndexEntry
from av.stream import Disposition
from av.video.stream import VideoStream

from device.capture import clock, turn
from device.capture.continuity import Continuity
from device.capture.errors import InputError
from device.capture.picture import SQUARE, Painter, Slot
from device.capture.rates import Ratio, contradiction
from device.capture.settings import CaptureSettings
from device.capture.stream import StreamFacts, StreamTally, Taken
from device.capture.timeline import MAX_GAP_MS, MAX_GAP_OF_MPEG_MS, TimeLine
from device.capture.turn import Pixels
from device.channel.damage import DamageName
from device.channel.failures import MAX_NUMBER
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH

_RATES: Final = (Fraction(1, 60), Fraction(1000))
_FASTEST: Final = 250
"""Frames a second. Beyond this a file does not say how fast the world went: it is a slow motion, or a mistake."""
_OPTIONS: Final = {"mjpeg": {"err_detect": "explode"}}
"""Decoders that give a frame and no word where half of it is missing, and the option that makes them speak."""
_GUESSED_RATE: Final = Fraction(25)  # FFmpeg's
_OF_ONE_RATE: Final = ("avi", "yuv4mpegpipe")
"""Containers that keep a rate and no times (an AVI's stamps are frame numbers)."""
_DELAY: Final = 32  # frames, more than a decoder holds back
_SHORT_BY: Final = 2  # frames: writers count the last ones differently
_SHORT_BY_SHARE: Final = 0.01
_SHORT_BY_MS: Final = 1000
_SHORT_BY_MS_BESIDE_SOUND: Final = 3000  # which may go on for a while where the picture has ended
_NEW_STREAM_MS: Final = 10_000  # of pause: long enough for verdict to see that no sign goes on, with damage before it
_LAST_ENTRIES: Final = 64
_SYNC: Final = b"\x47"
_TRANSPORT_PACKETS: Final = ((188, 0), (192, 4), (204, 0))  # bytes, and what comes before the sync byte


class VideoSource:
    """A video file. Raises InputError when it is no video, is cut off before its index, or holds no frame.

    In lockstep one thread decodes: with more of them, what a damaged frame becomes differs from run to run.
    """

    def __init__(self, path: Path, settings: CaptureSettings) -> None:
        self.tally, self._path = StreamTally(), path
        self._painter = Painter(turn.of_camera(settings.rotate_degrees, settings.flip))
        try:
            self._container = av.open(str(path), options={"protocol_whitelist": "file"})
        except (av.FFmpegError, ValueError) as error:
            number: object = getattr(error, "errno", None)
            known = isinstance(number, int) and 0 <= number <= MAX_NUMBER
            raise InputError("video_unreadable", int(str(number)) if known else MAX_NUMBER) from None
        self._stream = best_stream(self._container.streams.video)
        context = self._stream.codec_context
        context.options = _OPTIONS.get(context.name, {})
        if settings.pace == "lockstep":
            context.thread_count = 1
        else:
            context.thread_type = "AUTO"
        kind = Flags(self._container.format.flags)
        rate = _rate(self._stream, settings.untimed_fps if Flags.no_timestamps in kind else None)
        self.timed, self._stamped = rate is not None and rate <= _FASTEST, Flags.no_timestamps not in kind
        rate = rate or _GUESSED_RATE
        self._time = TimeLine(1000.0 / float(rate), MAX_GAP_OF_MPEG_MS if Flags.ts_discont in kind else MAX_GAP_MS)
        self._aspect = _fraction(self._stream.sample_aspect_ratio) or SQUARE
        self._aspect_is_the_codecs = self._aspect == (_fraction(context.sample_aspect_ratio) or SQUARE)
        self._unlisted = 0
        self._promised, shown, self._missing = self._index()
        self._packets = 0
        self._continuity, self._breaks, self._apart_ms = Continuity(), 0, 0
        even = self._stream.base_rate if self._stamped else None
        rates = contradiction(context.name, context.framerate, self._stream.average_rate, even)
        if rates is not None:
            self.tally.facts["rate.coded"], self.tally.facts["rate.stamped"] = rates
        self.tally.facts |= {"time.breaks": 0, "time.guessed": 0, "time.unknown": 0}
        self._gaps: deque[int] = deque()  # the numbers of packets at which something is missing
        said = clock.container_time(self._container.metadata, self._stream.metadata)
        self.facts = StreamFacts(
            max(0, self._stream.frames),
            self._stream.width,
            self._stream.height,
            round(float(rate) * 1000),
            said.utc_ms,
            said.zoned,
            clock.length_ms(self._container),
            promised=shown,
            unset=said.unset,
            unrated=not self.timed,
            nominal=(not self._stamped and not settings.untimed_fps) or self._container.format.name in _OF_ONE_RATE,
        )

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        """The frames, as FrameSource asks.

        PyAV ties a frame and its side data into a circle, so that only the garbage collector frees it, by default when
        hundreds of megabytes are waiting. What was there before is frozen, which leaves it little to look at.
        """
        gc.collect()
        gc.freeze()
        try:
            for taken in self._frames(slot, start):
                yield taken
                gc.collect()
        finally:
            gc.unfreeze()

    def _frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        number, duration_ms, t_ms = -1, None, 0
        for number, (frame, damage) in enumerate(self._decoded()):
            good = self._stamped and frame is not None and damage is None
            stamp_ms = self._milliseconds(frame.pts) if good and frame is not None else None
            t_ms = self._time.at(stamp_ms, duration_ms)
            duration_ms = self._milliseconds(frame.duration or None) if self._stamped and frame is not None else None
            if frame is not None and damage is None:  # those before `start` too: what time it is depends on them
                damage = self._paint(frame, slot if number >= start else _elsewhere)
            t_ms += self._apart_ms
            self._tell(number)
            if damage is not None:
                self.tally.damaged(damage)
            self.tally.facts["time.unknown"] += number >= start and not self.timed
            yield number, t_ms if number >= start and damage is None else None
        if number < 0:
            raise InputError("video_without_frames")
        self._tell(number, at_the_end=True)
        if self._unlisted > _SHORT_BY:
            self.tally.damaged("index_short")
        if self._is_cut_off(t_ms + (duration_ms or 0.0)):
            self.tally.damaged("cut_off")

    def _milliseconds(self, ticks: int | None) -> float | None:
        base = self._stream.time_base
        return float(ticks * base) * 1000.0 if ticks is not None and base else None

    def _tell(self, number: int, *, at_the_end: bool = False) -> None:
        """Count what the time line had to mend, and the gaps that are none: where clips were joined there is one."""
        if self._time.breaks != self.tally.facts["time.breaks"]:
            while self._gaps and self._gaps[-1] >= number - _DELAY:
                self._gaps.pop()
            self.tally.facts["time.breaks"] = self._time.breaks
        self.tally.facts["time.guessed"] = self._time.guessed
        if self._time.holes:
            self.tally.facts["time.holes"], self.tally.facts["time.hole_ms"] = (
                self._time.holes,
                self._time.longest_hole_ms,
            )
        while self._gaps and (at_the_end or self._gaps[0] < number - _DELAY):
            self._gaps.popleft()
            self.tally.damaged("stream_gaps")

    def _paint(self, frame: av.VideoFrame, slot: Slot) -> DamageName | None:
        """Show the frame in a slot; what is wrong where that cannot be."""
        if frame.width > MAX_WIDTH or frame.height > MAX_HEIGHT:
            return "frames_too_large"
        if self._aspect_is_the_codecs:
            self._aspect = _fraction(self._stream.codec_context.sample_aspect_ratio) or SQUARE
        shown = self._painter.paint(frame, self._aspect, slot)
        if shown is None:
            return "frames_of_unknown_kind"
        if not self._continuity.goes_on(shown) and self._time.breaks != self._breaks:
            self.timed = False
            self._apart_ms += _NEW_STREAM_MS
        self._breaks = self._time.breaks
        return None

    def _decoded(self) -> Iterator[tuple[av.VideoFrame | None, DamageName | None]]:
        """The frames in the order of showing, each with what is wrong with it; None: a packet gave no frame.

        The decoder marks a frame that it had to mend. It does not mark those that rest on it: where that is a key
        frame, nothing is left of them, and where it is another frame, most is.
        """
        key_is_lost = False
        for packet in self._demuxed():
            try:
                frames = self._stream.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError:
                frames = []
                if packet is not None:
                    key_is_lost = key_is_lost or packet.is_keyframe
                    yield None, "frames_undecodable"
            for frame in frames:
                if frame.key_frame:
                    key_is_lost = frame.is_corrupt
                if frame.is_corrupt:
                    yield frame, "frames_corrupt"
                else:
                    yield frame, "frames_after_damage" if key_is_lost else None

    def _demuxed(self) -> Iterator[av.Packet[VideoStream] | None]:
        """The stream's packets, then None, for what the decoder still holds."""
        packets = self._container.demux(self._stream)
        try:
            for packet in packets:
                if packet.size:
                    self._packets += 1
                    if packet.is_corrupt:  # this one, or what should have come after it
                        self._gaps.append(self._packets)
                    yield packet
        except av.FFmpegError:
            self.tally.damaged("container_broken")
        yield None

    def _index(self) -> tuple[int, int, bool]:
        """How many packets the container's index has, 0 where it has none; how many of them are frames that are shown;
        whether it leads beyond the file's end.

        In MP4 an edit list takes away from the frames that the header counts, and not from damage.
        """
        index: Sequence[IndexEntry] = []
        if any(kind in self._container.format.name for kind in ("mov", "avi")):
            index = self._stream.index_entries[:]
        shown = sum(entry.size > 0 and not entry.is_discard for entry in index)
        if "mov" not in self._container.format.name:
            return 0, shown, False
        hidden, counted = sum(entry.size > 0 for entry in index) - shown, self._counted()
        if hidden and not counted:  # FFmpeg lists none of those that come long after the list has ended
            hidden = max(hidden, self._stream.frames - shown)
        self.tally.facts["index.hidden"] = hidden
        self._unlisted = counted - len(index) if index else 0
        ends = (entry.pos + entry.size for entry in index[max(0, len(index) - _LAST_ENTRIES) :])
        listed = len(index), shown + max(0, self._unlisted)
        return *listed, 0 < (self._container.size or 0) < max(ends, default=0)

    def _counted(self) -> int:
        """How many frames the header counts, where its length and its rate say so too; else 0.

        Its tables of sizes and of times count them as well, and in a damaged file one may be shorter.
        """
        base, rate = self._stream.time_base, _fraction(self._stream.average_rate)
        if not base or not rate or not self._stream.duration:
            return 0
        by_length = float(self._stream.duration * base * rate)
        apart = abs(self._stream.frames - by_length)
        return self._stream.frames if apart <= max(_SHORT_BY, _SHORT_BY_SHARE * by_length) else 0

    def _is_cut_off(self, last_ms: float) -> bool:
        """Whether frames are missing at the end. `last_ms`: when the last one ends."""
        if self._missing or self._packets + _SHORT_BY < self._promised:
            return True
        name, base = self._container.format.name, self._stream.time_base
        if name == "mpegts":
            return _ends_within_a_packet(self._path)
        if name == "avi" and base:  # its header counts the frames, those that were dropped too, in ticks
            return last_ms < float((self._stream.frames - _SHORT_BY) * base) * 1000.0
        if "matroska" not in name or not self._container.duration:
            return False
        short_by = self._container.duration / 1000.0 - last_ms
        return short_by > (_SHORT_BY_MS if len(self._container.streams) == 1 else _SHORT_BY_MS_BESIDE_SOUND)


def _elsewhere(width: int, height: int) -> Pixels:
    return np.empty((height, width, 3), np.uint8)


def best_stream(streams: Sequence[VideoStream]) -> VideoStream:
    """The stream that a player would choose. Raises InputError when none is more than a cover picture."""

    def rank(stream: VideoStream) -> tuple[bool, int, int]:
        return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index

    films = [s for s in streams if not s.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)]
    if not films:
        raise InputError("video_without_stream")
    return max(films, key=rank)


def _fraction(value: Ratio | None) -> Fraction | None:
    """The number, None where it has no value."""
    return Fraction(value.numerator, value.denominator) if value is not None and value.denominator else None


def _rate(stream: VideoStream, untimed_fps: float | None) -> Fraction | None:
    """Frames a second, None where nobody knows.

    Args:
        untimed_fps: what the user says of a file without time stamps, 0: nothing; None: the file has some.
    """
    told = _fraction(stream.average_rate) or _fraction(stream.guessed_rate)
    if untimed_fps is not None:
        told = Fraction(untimed_fps).limit_denominator(1000) or _fraction(stream.codec_context.framerate)
    return told if told and _RATES[0] <= told <= _RATES[1] else None if untimed_fps is not None else _GUESSED_RATE


def _ends_within_a_packet(path: Path) -> bool:
    """Whether a transport stream ends before its last packet does (ISO/IEC 13818-1: 188 bytes, the first is 0x47)."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        for length, lead in _TRANSPORT_PACKETS:
            at = [size - size % length - back + lead for back in (0, length)]
            if size % length > lead and min(at) >= 0:
                starts = [os.pread(file.fileno(), 1, offset) for offset in at]
                if starts == [_SYNC, _SYNC]:
                    return True
    return False
