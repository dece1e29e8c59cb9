"""A result is a new file of its user alone: no link is followed, nothing else is touched, a replaced file is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from program import outputs
from program.errors import OutputRefusedError
from tests.support.full_disk import files_up_to


def _streamed(path: Path, content: bytes) -> None:
    with outputs.create(path) as file:
        file.write(content)


WAYS: list[Callable[[Path, bytes], None]] = [outputs.write, _streamed]


@pytest.mark.parametrize("write", WAYS)
def test_a_result_is_for_its_user_alone_whatever_was_there(
    write: Callable[[Path, bytes], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "result.json"
    write(path, b"new")
    assert capsys.readouterr().err == ""
    path.chmod(0o666)
    (tmp_path / "other name").hardlink_to(path)
    write(path, b"newer")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"newer", 0o600)
    assert (tmp_path / "other name").read_bytes() == b"new"
    assert capsys.readouterr().err == f"{path}: the file that was there is replaced\n"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["other name", "result.json"]


@pytest.mark.parametrize("write", WAYS)
def test_a_link_a_folder_and_a_pipe_are_refused_and_left_alone(
    write: Callable[[Path, bytes], None], tmp_path: Path
) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("folder", "folder"),
        ("pipe", "plain"),
    ):
        with pytest.raises(OutputRefusedError, match=said):
            write(tmp_path / name, b"x")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("path", ["none/result", "file/result", "x" * 300])
def test_a_place_that_takes_no_file_is_one_sentence(
    write: Callable[[Path, bytes], None], path: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputRefusedError, match="cannot be written"):
        write(tmp_path / path, b"x")


def test_a_disk_that_is_full_leaves_the_older_result_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "result"
    outputs.write(path, b"old")
    with files_up_to(1000), pytest.raises(OutputRefusedError, match="File too large"):
        outputs.write(path, bytes(5000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_takes_what_it_is_given() -> None:
    outputs.write(Path("/dev/null"), b"x")
    _streamed(Path("/dev/null"), b"x")


def test_a_folder_for_results_is_private_with_its_parents(tmp_path: Path) -> None:
    outputs.make_folder(tmp_path / "a" / "b")
    outputs.make_folder(tmp_path / "a" / "b")
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")} == {0o700}
    (tmp_path / "file").touch()
    with pytest.raises(OutputRefusedError, match="no folder"):
        outputs.make_folder(tmp_path / "file")
    with pytest.raises(OutputRefusedError):
        outputs.make_folder(tmp_path / "file" / "a")
