"""What a run writes is whole lines, in files of its own; a disk that takes no more ends a file, never the run."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import msgspec
import pytest

from device.channel.messages import Sightings, Verdict
from device.config import Config
from device.launcher.plan import RunPlan
from device.launcher.recorder import RunRecorder, verdict_fields
from device.launcher.session import Session
from program.claim import claimed
from tests.support.full_disk import files_up_to
from wire.errors import RunError, UsageError

PLAN = RunPlan("video", "/v", "v", "", "", "lockstep", "file", "/h", "/m", "00" * 16, Config())
VERDICT = Verdict("v:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, 1000, 8, None, None, ["perception_alone"])


LOOK = Sightings(frame=0, t_ms=5, width=640, height=360, boxes=[])


def verdict(number: int) -> Verdict:
    return msgspec.structs.replace(VERDICT, verdict_id=f"v:{number}")


def lines(path: Path) -> list[object]:
    content = path.read_bytes()
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


class Told(list[RunError]):
    def __call__(self, error: RunError) -> None:
        self.append(error)


def test_what_comes_is_written_at_once_and_the_summary_at_the_end(tmp_path: Path) -> None:
    recorder = RunRecorder(tmp_path / "out")
    recorder.on_verdict(verdict(1))
    recorder.on_verdict(verdict(1))
    recorder.on_sightings(LOOK)
    assert lines(tmp_path / "out" / "verdicts.jsonl") == [json.loads(json.dumps(verdict_fields(verdict(1))))]
    assert lines(tmp_path / "out" / "sightings.jsonl") == [{"frame": 0, "t_ms": 5, "boxes": []}]
    assert not (tmp_path / "out" / "summary.json").exists()
    recorder.finish({"frames": 1})
    recorder.close()
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == {"frames": 1}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("verdicts.jsonl", "sightings.jsonl", "summary.json"),
    }
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}
    assert recorder.failures == []


def test_a_disk_that_is_full_ends_a_file_with_its_last_whole_line_is_told_once_and_ends_nothing_else(
    tmp_path: Path,
) -> None:
    told = Told()
    recorder = RunRecorder(tmp_path, told)
    recorder.on_verdict(verdict(1))
    size = (tmp_path / "verdicts.jsonl").stat().st_size
    with files_up_to(size + 50):
        for number in range(2, 6):
            recorder.on_verdict(verdict(number))
        recorder.on_sightings(LOOK)
    assert [error.sentence for error in told] == [
        f"{tmp_path}/verdicts.jsonl cannot be written (File too large); nothing more is recorded in it"
    ]
    recorder.on_verdict(verdict(6))  # there is room again, but a file with a hole in it would look whole
    assert len(lines(tmp_path / "verdicts.jsonl")) == 1
    assert len(lines(tmp_path / "sightings.jsonl")) == 1
    assert recorder.states() == {"UNVERIFIED": 6}
    recorder.finish({"frames": 1})
    assert json.loads((tmp_path / "summary.json").read_text()) == {"frames": 1}
    assert recorder.failures == told


def test_a_device_that_takes_nothing_is_told_as_any_full_disk(tmp_path: Path) -> None:
    (tmp_path / "sightings.jsonl").symlink_to("/dev/full")
    with pytest.raises(UsageError, match="cannot be written"):  # links are not followed
        RunRecorder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sightings.jsonl"]


def test_room_for_the_summary_is_taken_before_the_run(tmp_path: Path) -> None:
    recorder = RunRecorder(tmp_path)
    (beside,) = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert beside.stat().st_size == 64 * 1024
    with files_up_to(64 * 1024):  # it need not grow by a byte
        recorder.finish({"frames": 1})
    assert json.loads((tmp_path / "summary.json").read_text()) == {"frames": 1}
    assert recorder.failures == []


def test_a_summary_that_cannot_be_put_in_its_place_is_told_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    (tmp_path / "summary.json").write_text("the old one")
    recorder = RunRecorder(tmp_path, told)

    def refused(source: Path, target: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refused)
    recorder.finish({"frames": 1})
    (error,) = told
    assert error.sentence == f"{tmp_path}/summary.json cannot be written (Read-only file system)"
    assert "make its disk writable again" in error.remedy and "another --out" in error.remedy
    assert (tmp_path / "summary.json").read_text() == "the old one"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_disk_that_admits_at_the_end_that_it_lost_something_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    recorder = RunRecorder(tmp_path, told)
    recorder.on_verdict(verdict(1))

    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", fails)
    recorder.finish({})
    assert [error.sentence.partition(" cannot")[0] for error in told] == [
        f"{tmp_path}/{name}" for name in ("verdicts.jsonl", "summary.json")
    ]


def test_a_folder_without_room_for_the_summary_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with files_up_to(1000), pytest.raises(UsageError, match="cannot be written") as refusal:
        RunRecorder(tmp_path / "out")
    assert "another --out" in refusal.value.remedy or "ulimit" in refusal.value.remedy
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_folder_it_counts_and_writes_nothing() -> None:
    recorder = RunRecorder(None)
    recorder.on_verdict(verdict(1))
    recorder.finish({})
    recorder.close()
    assert (recorder.states(), recorder.failures) == ({"UNVERIFIED": 1}, [])


def test_two_runs_into_one_folder_take_nothing_from_each_other(tmp_path: Path) -> None:
    first = RunRecorder(tmp_path / "out")
    with pytest.raises(UsageError, match="another run") as refused:
        RunRecorder(tmp_path / "out")
    assert "choose another --out" in refused.value.remedy
    first.finish({"frames": 1})
    first.close()
    assert (tmp_path / "out" / "summary.json").exists()
    again = RunRecorder(tmp_path / "out")
    again.close()


def test_a_second_run_into_a_folder_in_use_is_refused_before_it_removes_anything(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = Session(PLAN, out, lambda message: None)
    first._take(VERDICT)
    with pytest.raises(UsageError, match="another run"):
        Session(PLAN, out, lambda message: None)
    assert len(lines(out / "verdicts.jsonl")) == 1
    with pytest.raises(UsageError, match="another run"), claimed(out) as folder:
        folder.clear(["verdicts.jsonl"])  # as the demo does
    assert len(lines(out / "verdicts.jsonl")) == 1


def test_a_claim_of_the_callers_is_taken_and_stays_the_callers(tmp_path: Path) -> None:
    with claimed(tmp_path / "out") as folder:
        recorder = RunRecorder(folder)
        recorder.finish({"frames": 1})
        recorder.close()
        with pytest.raises(UsageError, match="another run"):
            RunRecorder(tmp_path / "out")
    RunRecorder(tmp_path / "out").close()


@pytest.mark.parametrize("name", ["verdicts.jsonl", ".summary.json.new"])
@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_lost_its_name_while_it_was_written_is_told_at_the_end(tmp_path: Path, name: str, how: str) -> None:
    told = Told()
    recorder = RunRecorder(tmp_path, told)
    recorder.on_verdict(verdict(1))
    if how == "replaced":
        (tmp_path / name).rename(tmp_path / "elsewhere")
        (tmp_path / name).write_text("another's")
    else:
        (tmp_path / name).unlink()
    recorder.finish({"frames": 1})
    (error,) = told
    assert "was removed, moved or replaced while it was written" in error.sentence
    assert "run it again" in error.remedy and "disk" not in error.remedy
    assert recorder.failures == told


def test_a_folder_that_was_moved_away_is_told_for_each_file(tmp_path: Path) -> None:
    told = Told()
    recorder = RunRecorder(tmp_path / "out", told)
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    recorder.finish({"frames": 1})
    assert len(told) == 3


@pytest.mark.parametrize("gap", [1, 3600, 3601, 200_000])
def test_frames_behind_a_gap_of_any_length_are_recorded(tmp_path: Path, gap: int) -> None:
    """Damaged frames are shown to nobody."""
    recorder = RunRecorder(tmp_path / "out")
    for frame in (0, 99, 99 + gap, 100 + gap, 99, 100 + gap):
        recorder.on_sightings(msgspec.structs.replace(LOOK, frame=frame))
    recorder.finish({})
    written = [json.loads(line)["frame"] for line in (tmp_path / "out" / "sightings.jsonl").read_bytes().splitlines()]
    assert written == [0, 99, 99 + gap, 100 + gap]
