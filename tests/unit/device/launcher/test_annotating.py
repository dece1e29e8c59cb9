"""What an annotated video is made from, where it is written, and that a failed one leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.channel import overlay as overlays
from device.channel.messages import Box, CodeBox, CodeBoxes, Sightings, Verdict
from device.channel.overlay import FrameOverlay, VerdictOverlay
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
