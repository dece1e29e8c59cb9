"""One file of lines, and one file that replaces another, on a disk that fails."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from device.launcher.outputs import ReservedFile, WholeLines
from tests.support.full_disk import files_up_to


@pytest.mark.parametrize("room", [0, 1, 4, 5, 9])
def test_a_line_is_added_whole_or_not_at_all(tmp_path: Path, room: int) -> None:
    path = tmp_path / "lines"
    lines = WholeLines(path)
    with files_up_to(room):
        added = 0
        try:
            while True:
                lines.add(b"1234")
                added += 1
        except OSError as error:
            assert error.filename == str(path)
    assert path.read_bytes() == b"1234\n" * added == b"1234\n" * (room // 5)


def test_an_earlier_file_is_emptied_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("before")
    WholeLines(tmp_path / "lines").close()
    assert (tmp_path / "lines").read_text() == ""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError):
        WholeLines(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_a_file_that_is_larger_than_its_room_is_written_whole_too(tmp_path: Path) -> None:
    reserved = ReservedFile(tmp_path / "summary.json")
    reserved.replace(b"x" * 200_000)
    assert (tmp_path / "summary.json").read_bytes() == b"x" * 200_000


def test_what_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    ReservedFile(tmp_path / "summary.json").drop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "good"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)])
def test_a_file_system_that_cannot_be_asked_to_sync_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, good: bool
) -> None:
    lines = WholeLines(tmp_path / "lines")
    lines.add(b"1234")

    def refused(descriptor: int) -> None:
        raise OSError(number, "as the system says it")

    monkeypatch.setattr("os.fsync", refused)
    try:
        lines.finish()
    except OSError as error:
        assert not good and error.filename == str(tmp_path / "lines")
    else:
        assert good
