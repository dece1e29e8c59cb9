"""What an annotated video is made from, where it is written, and that a failed one leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from device.channel import link as links
from device.channel import overlay as overlays
from device.channel.messages import Box, CodeBox, CodeBoxes, Sightings, Verdict
from device.channel.overlay import FrameOverlay, Overlay, VerdictOverlay
from device.launcher import annotating
from device.launcher.annotating import OverlayRecord
from tests.support.sealer_samples import a_verdict
from wire.errors import RunError, UsageError

BOX = Box(1.0, 2.0, 30.0, 40.0, 0.5, 12, 0.75)
CODE = CodeBox(5.0, 6.0, 7.0, 8.0, True)


def recorded() -> OverlayRecord:
    record = OverlayRecord()
    record.take(Sightings(3, 120, 640, 480, [BOX]))
    record.take(CodeBoxes(4, [CODE]))
    return record


def test_the_record_of_a_run_reaches_the_annotator_whole() -> None:
    verdict: Verdict = a_verdict()
    descriptor = overlays.write(recorded().overlay([verdict], 10))
    overlay = overlays.read(descriptor)
    assert overlay.frames == {3: FrameOverlay([BOX], None), 4: FrameOverlay(None, [CODE])}
    held = VerdictOverlay(
        verdict.state, verdict.class_id, verdict.perceived_class_id, verdict.first_frame, verdict.last_frame
    )
    assert (overlay.verdicts, overlay.last_frame) == ([held], 9)


def test_what_is_kept_of_an_endless_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotating, "MAX_FRAMES", 5)
    record = OverlayRecord()
    for frame in range(20):
        record.take(Sightings(frame, frame, 640, 480, []))
        record.take(CodeBoxes(frame + 100, [CODE]))
    assert len(record.overlay([], 200).frames) == 10


def test_boxes_of_all_frames_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotating, "MAX_KEPT", 100)
    record = OverlayRecord()
    for frame in range(20):
        record.take(Sightings(frame, frame, 640, 480, [BOX] * 30))
    assert sum(len(frame.boxes or []) for frame in record.overlay([], 20).frames.values()) == 90


def test_the_first_answer_for_a_frame_is_drawn() -> None:
    record = recorded()
    record.take(Sightings(3, 120, 640, 480, []))
    record.take(CodeBoxes(4, [CODE, CODE]))
    assert record.overlay([], 10).frames == {3: FrameOverlay([BOX], None), 4: FrameOverlay(None, [CODE])}


def test_a_link_or_a_folder_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "victim")
    (tmp_path / "folder.mp4").mkdir()
    for name in ("link.mp4", "folder.mp4", "missing/video.mp4"):
        with pytest.raises(UsageError, match="--annotate"):
            annotating.check(tmp_path / name)
    annotating.check(tmp_path / "new.mp4")


def test_the_video_is_for_its_owner_alone_and_stands_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"before")
    with pytest.raises(RunError), annotating.replaced(path) as descriptor:
        os.write(descriptor, b"half")
        raise RunError("the decoder fell", "try again")
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
    with annotating.replaced(path) as descriptor:
        os.write(descriptor, b"whole")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


class Drawing:
    """An annotator that beats, and draws as many frames as it is told; it is asked once for each."""

    def __init__(self, drawn: Sequence[int], *, done_after: int | None = None) -> None:
        self.name, self.pid, self.policy = "annotator", 1, None
        self.control, _ = links.pair()
        self.facts: dict[str, int] = {"frames": 2**40}
        self.done: dict[str, int] | None = None
        self.beat: Any = None
        self._drawn, self._done_after, self.asked = list(drawn), done_after, 0

    def listen(self) -> None:
        self.beat = SimpleNamespace(handled=self._drawn[min(self.asked, len(self._drawn) - 1)])
        self.asked += 1
        if self._done_after is not None and self.asked > self._done_after:
            self.done = {"frames": self._done_after}

    def go(self, utc_ms: int) -> None: ...

    def ended(self) -> None:
        return None


def watched(child: Drawing, monkeypatch: pytest.MonkeyPatch, frames: int, longest: float = 1e9) -> int:
    """A second goes by with each look."""
    clock = iter(range(10_000))
    monkeypatch.setattr(annotating, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    monkeypatch.setattr(annotating, "select", SimpleNamespace(select=lambda *given: None))
    monkeypatch.setattr(annotating.verify, "enforced", lambda policy, pid: {})
    given: Any = child
    return annotating._watch(given, {}, frames, lambda drawn, of: None, longest)


def test_an_annotator_that_beats_and_draws_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Drawing([1, 2, 3])
    with pytest.raises(RunError, match="draws no further frame for 60 s"):
        watched(child, monkeypatch, 10)
    assert child.asked < 100


def test_frames_that_there_are_not_are_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Drawing(range(100_000))
    with pytest.raises(RunError, match="draws no further frame"):
        watched(child, monkeypatch, 10)
    assert child.asked < 100


def test_an_annotator_that_goes_on_has_all_the_time_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Drawing([n // 40 for n in range(2000)], done_after=1900)
    assert watched(child, monkeypatch, 100) == 1900


def test_an_annotator_that_draws_a_frame_now_and_then_ends_when_any_drawing_would_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = Drawing([n // 25 for n in range(10_000)])
    with pytest.raises(RunError, match="of 126 frames in 323 s, far fewer than the run judged"):
        watched(child, monkeypatch, 126, annotating.longest_seconds(126, 35.0))
    assert child.asked < 400


def test_the_longest_drawing_grows_with_the_frames_and_with_what_the_run_took() -> None:
    short, long, slow = (annotating.longest_seconds(*of) for of in ((10, 5.0), (10_000, 5.0), (10, 5000.0)))
    assert short > 60.0 and long > short + 4000.0 and slow > short + 15_000.0


def judged(frames: int, seen: int) -> Overlay:
    """A run of so many frames, of which perception saw the first."""
    record = OverlayRecord()
    for frame in range(seen):
        record.take(Sightings(frame, frame, 640, 480, []))
    return record.overlay([], frames)


@pytest.mark.parametrize(("drawn", "seen"), [(2**53, 126), (127, 126), (121, 126), (0, 126), (0, 5), (600, 120)])
def test_frames_that_the_run_did_not_have_or_too_few_of_them_are_not_believed(
    tmp_path: Path, drawn: int, seen: int
) -> None:
    with pytest.raises(RunError, match=r"annotator drew \d+ frames by its word, where .* is left as it was"):
        annotating.check_drawn(drawn, judged(126, seen), 4000, tmp_path / "seen.mp4")


@pytest.mark.parametrize(("drawn", "seen"), [(126, 126), (122, 126), (100, 100), (126, 40), (3, 0)])
def test_a_video_of_the_frames_that_were_judged_is_believed(tmp_path: Path, drawn: int, seen: int) -> None:
    """Damaged frames are drawn in no run; in realtime the reader skips some that are drawn."""
    annotating.check_drawn(drawn, judged(126, seen), 4000, tmp_path / "seen.mp4")


@pytest.mark.parametrize(("drawn", "seen", "size"), [(126, 126, 0), (0, 0, 0), (0, 3, 48)])
def test_an_empty_video_takes_no_place(tmp_path: Path, drawn: int, seen: int, size: int) -> None:
    path = tmp_path / "seen.mp4"
    path.write_bytes(b"good")
    with pytest.raises(RunError, match="is left as it was"), annotating.replaced(path):
        annotating.check_drawn(drawn, judged(126, seen), size, path)
    assert path.read_bytes() == b"good" and list(tmp_path.iterdir()) == [path]
