"""A folder of images: in the order of their names, upright; what is damaged takes its number and is told."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture import turn
from device.capture.errors import InputError
from device.capture.folder import FolderSource
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH
from device.confine import launch
from tests.support.frame_sources import Picture, read
from tests.support.videos import film, street

PICTURE = street(0)


def encoded(ending: str, picture: Picture = PICTURE) -> bytes:
    return bytes(cv2.imencode(ending, picture)[1])


def folder(path: Path, **files: bytes) -> Path:
    """A folder of three good frames and these files."""
    for number in (1, 2, 9):
        (path / f"frame{number}.png").write_bytes(encoded(".png", street(number)))
    for name, content in files.items():
        (path / name.replace("__", ".")).write_bytes(content)
    return path


def test_a_folder_is_read_in_the_natural_order_of_its_names(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no frame")
    cv2.imwrite(str(tmp_path / "frame011.TIF"), np.full((20, 30, 3), 11, np.uint8))
    found = read(FolderSource(tmp_path, 10.0))
    assert found.taken == [(0, 0), (1, 100), (2, 200), (3, 300)]
    assert [int(picture[0, 0, 0]) for picture in found.pictures.values()] == [1, 9, 10, 11]


def test_images_at_a_rate_that_nobody_said_have_no_time_but_the_first(tmp_path: Path) -> None:
    source = FolderSource(folder(tmp_path), 0.0)
    assert source.facts.unrated and source.facts.milli_fps == 15_000
    found = read(source)
    assert found.timed == [True, False, False] and found.facts["time.unknown"] == 2
    said = FolderSource(tmp_path, 15.0)
    assert not said.facts.unrated and read(said).timed == [True] * 3


def test_a_restart_in_the_middle_of_them_knows_no_time_either(tmp_path: Path) -> None:
    source = FolderSource(folder(tmp_path), 0.0)
    taken = list(source.frames(lambda width, height: np.empty((height, width, 3), np.uint8), 1))
    assert not source.timed and [(number, t_ms is None) for number, t_ms in taken[:2]] == [(0, True), (1, False)]


def test_hidden_companions_of_images_are_no_frames(tmp_path: Path) -> None:
    folder(tmp_path, __DS_Store=b"x", __frame1__png=b"\x00\x05\x16\x07", __x__jpg=encoded(".jpg"))
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert (tmp_path / ".frame1.png").exists()
    found = read(FolderSource(tmp_path, 10.0))
    assert len(found.pictures) == 3 and not found.damage


@pytest.mark.parametrize("name", ["frame0.jpg", "frame5.jpg", "frame99.jpg"])
def test_an_empty_image_takes_its_number_and_ends_nothing(tmp_path: Path, name: str) -> None:
    folder(tmp_path)
    (tmp_path / name).touch()
    found = read(FolderSource(tmp_path, 10.0))
    assert len(found.taken) == 4 and len(found.pictures) == 3
    assert found.damage == {"images_unreadable": 1}
    assert all(t_ms in (None, 100 * number) for number, t_ms in found.taken)


JPEG = encoded(".jpg")
PROGRESSIVE = bytes(cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1])
GREY = encoded(".jpg", PICTURE[:, :, 0])


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(b ^ 0x55 for b in content[middle : middle + 60]) + content[middle + 60 :]


@pytest.mark.parametrize(
    ("name", "content", "damage"),
    [
        ("half.jpg", JPEG[: len(JPEG) // 2], "images_incomplete"),
        ("half.jpg", PROGRESSIVE[: len(PROGRESSIVE) // 2], "images_incomplete"),
        ("half.jpg", GREY[: len(GREY) // 2], "images_incomplete"),
        ("spoilt.jpg", flipped(JPEG), "images_incomplete"),
        ("half.png", encoded(".png")[:2000], "images_unreadable"),
        ("spoilt.png", flipped(encoded(".png")), "images_unreadable"),
        ("half.webp", encoded(".webp")[:500], "images_unreadable"),
        ("half.bmp", encoded(".bmp")[:9000], "images_unreadable"),
        ("half.tif", encoded(".tif")[:2000], "images_unreadable"),
        ("half.pgm", encoded(".pgm", PICTURE[:, :, 0])[:2000], "images_unreadable"),
        ("half.ppm", encoded(".ppm")[:9000], "images_unreadable"),
        ("text.jpg", b"no picture", "images_unreadable"),
    ],
)
def test_half_an_image_is_no_evidence(tmp_path: Path, name: str, content: bytes, damage: str) -> None:
    folder(tmp_path)
    (tmp_path / name).write_bytes(content)
    found = read(FolderSource(tmp_path, 10.0))
    assert found.damage == {damage: 1} and len(found.pictures) == 3


@pytest.mark.parametrize(
    "content",
    [
        JPEG,
        PROGRESSIVE,
        GREY,
        JPEG + bytes(512 - len(JPEG) % 512),  # recorders fill their sectors
        JPEG[:-2],
        JPEG + JPEG,  # as cameras append a preview
        bytes(cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1]),
        bytes(cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_QUALITY, 1])[1]),
    ],
)
def test_a_whole_jpeg_is_whole_however_it_is_made(tmp_path: Path, content: bytes) -> None:
    folder(tmp_path, extra__jpg=content)
    found = read(FolderSource(tmp_path, 10.0))
    assert not found.damage and len(found.pictures) == 4


def test_what_is_no_file_or_may_not_be_read_is_told_and_not_waited_for(tmp_path: Path) -> None:
    folder(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none.png")
    (tmp_path / "again.png").symlink_to(tmp_path / "frame1.png")
    found = read(FolderSource(tmp_path, 10.0))
    assert found.damage == {"images_unreadable": 3} and len(found.pictures) == 4


def test_an_empty_folder_and_one_without_a_good_image_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frames"):
        FolderSource(tmp_path, 10.0)
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of the images"):
        FolderSource(tmp_path, 10.0)
    with pytest.raises(InputError, match="cannot be listed"):
        FolderSource(tmp_path / "none", 10.0)


def test_a_later_picture_that_is_too_large_is_left_out_and_told(tmp_path: Path) -> None:
    for number, width in ((1, 30), (2, MAX_WIDTH + 1), (3, 30)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((20, width, 3), np.uint8))
    found = read(FolderSource(tmp_path, 10.0))
    assert found.damage == {"frames_too_large": 1} and found.times == [0, 200]


def test_images_that_are_all_too_large_say_so_and_are_never_decoded(tmp_path: Path) -> None:
    """As in the compartment, whose environment bounds what OpenCV takes: no gigabytes for a small file."""
    for name, size in (("1.png", (MAX_HEIGHT, MAX_WIDTH + 1)), ("2.png", (20_000, 30_000))):
        (tmp_path / name).write_bytes(bytes(cv2.imencode(".png", np.zeros(size, np.uint8))[1]))
    assert launch._ENVIRONMENT["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(MAX_HEIGHT * MAX_WIDTH)
    program = (
        "import resource, sys; from pathlib import Path; from device.capture.folder import read\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "print(*(read(Path(name)) for name in sys.argv[1:]))"
    )
    names = [str(tmp_path / "1.png"), str(tmp_path / "2.png")]
    ran = subprocess.run(
        [sys.executable, "-c", program, *names], env=launch._ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["frames_too_large"] * 2, ran.stderr


def test_a_folder_without_an_image_that_is_small_enough_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path)
    monkeypatch.setattr("device.capture.folder.read", lambda path: "frames_too_large")
    with pytest.raises(InputError, match="at most 4096x2304"):
        FolderSource(tmp_path, 10.0)


def exif(orientation: int) -> bytes:
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, orientation, 0)


def with_exif(ending: str, orientation: int) -> bytes:
    content, tags = encoded(ending), exif(orientation)
    if ending == ".jpg":
        return content[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 8) + b"Exif\0\0" + tags + content[2:]
    chunk = b"eXIf" + tags
    return content[:33] + struct.pack(">I", len(tags)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + content[33:]


SHOWN = {  # EXIF 2.3, tag 0x112: how the stored picture is to be shown
    1: PICTURE,
    2: PICTURE[:, ::-1],
    3: PICTURE[::-1, ::-1],
    4: PICTURE[::-1],
    5: PICTURE.transpose(1, 0, 2),
    6: np.rot90(PICTURE, -1),
    7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PICTURE),
}


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_an_image_is_laid_as_its_exif_says(tmp_path: Path, ending: str, orientation: int) -> None:
    (tmp_path / f"1{ending}").write_bytes(with_exif(ending, orientation))
    found = read(FolderSource(tmp_path, 10.0))
    shown = SHOWN[orientation]
    assert not found.damage and found.pictures[0].shape == shown.shape
    assert np.abs(found.pictures[0].astype(int) - shown).mean() < 6


def test_the_mount_of_the_camera_comes_after_the_exif(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(with_exif(".png", 6))
    found = read(FolderSource(tmp_path, 10.0, turn.of_camera(180, "none")))
    assert np.array_equal(found.pictures[0], np.rot90(PICTURE))


GREY_SHOWN = np.repeat(cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)


@pytest.mark.parametrize(
    ("pix_fmt", "shown"),
    [
        ("rgb48be", PICTURE),
        ("rgba", PICTURE),
        ("rgba64be", PICTURE),
        ("gray", GREY_SHOWN),
        ("gray16be", GREY_SHOWN),
        ("ya8", GREY_SHOWN),
    ],
)
def test_every_kind_of_png_is_shown(tmp_path: Path, pix_fmt: str, shown: Picture) -> None:
    film(tmp_path / "1.png", [PICTURE], codec="png", pix_fmt=pix_fmt, container="image2pipe")
    found = read(FolderSource(tmp_path, 10.0))
    assert not found.damage and np.abs(found.pictures[0].astype(int) - shown).mean() <= 3


def test_a_folder_promises_its_files_the_damaged_included(tmp_path: Path) -> None:
    assert FolderSource(folder(tmp_path, empty__png=b""), 10.0).facts.promised == 4


def test_the_time_goes_on_over_a_gap_in_the_numbers_and_the_gap_is_told(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4, 10, 11):
        (tmp_path / f"f_{number:04d}.png").write_bytes(encoded(".png"))
    source = FolderSource(tmp_path, 10.0)
    assert read(source).taken == [(0, 0), (1, 100), (2, 200), (3, 300), (4, 900), (5, 1000)]
    assert source.tally.facts["time.missing"] == 5
    assert source.facts.length_ms == 1000


def counted_over(path: Path) -> Path:
    for place, number in enumerate((9997, 9998, 9999, 1, 2, 3)):
        file = path / f"DSC_{number:04d}.png"
        file.write_bytes(encoded(".png", street(place)))
        os.utime(file, (1_800_000_000 + place, 1_800_000_000 + place))
    return path


def test_where_the_cameras_counter_ran_over_the_highest_numbers_come_first(tmp_path: Path) -> None:
    source = FolderSource(counted_over(tmp_path), 10.0)
    found = read(source)
    assert found.taken == [(n, 100 * n) for n in range(6)] and found.timed == [True] * 6
    assert [np.array_equal(picture, street(n)) for n, picture in found.pictures.items()] == [True] * 6
    assert found.facts["time.turn"] == 1 and found.facts["time.missing"] == 0


def test_the_images_own_times_say_whether_a_counter_ran_over(tmp_path: Path) -> None:
    """The lower numbers were taken an hour before the higher ones, which the times of the files do not tell."""
    for number in (1, 2, 3, 9997, 9998, 9999):
        late = number > 9000
        content = dated(f"2026:11:27 {'10' if late else '09'}:15:{number % 10:02d}")
        (tmp_path / f"DSC_{number:04d}.jpg").write_bytes(content)
        os.utime(tmp_path / f"DSC_{number:04d}.jpg", (1_800_000_000 - number, 1_800_000_000 - number))
    source = FolderSource(tmp_path, 1.0)
    assert source.tally.facts["time.turn"] == 0 and source.tally.facts["time.missing"] == 9993
    (tmp_path / "DSC_0001.jpg").write_bytes(encoded(".jpg"))  # one of them has lost its time
    assert FolderSource(tmp_path, 1.0).tally.facts["time.turn"] == 1


def dated(moment: str) -> bytes:
    """A JPEG with the tag DateTimeOriginal (Exif 2.32, 0x9003), in the directory that 0x8769 points to."""
    text = moment.encode() + b"\0"
    first = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack("<HHHIII", 1, 0x9003, 2, len(text), 44, 0)
    tags, content = b"II*\0" + struct.pack("<I", 8) + first + second + text, encoded(".jpg")
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 8) + b"Exif\0\0" + tags + content[2:]


def test_of_two_cameras_in_one_folder_only_the_first_has_times(tmp_path: Path) -> None:
    for side in ("left", "right"):
        for number in range(3):
            (tmp_path / f"{side}_{number}.png").write_bytes(encoded(".png"))
    found = read(FolderSource(tmp_path, 10.0))
    assert found.timed == [True] * 3 + [False] * 3
    assert (found.facts["time.sets"], found.facts["time.unknown"]) == (2, 3)


def test_a_rate_that_the_names_tell_otherwise_is_told(tmp_path: Path) -> None:
    for second in range(4):
        (tmp_path / f"2026-11-27_09-15-0{second}.png").write_bytes(encoded(".png"))
    assert FolderSource(tmp_path, 5.0).tally.facts["rate.named"] == 1000
    assert FolderSource(tmp_path, 1.0).tally.facts["rate.named"] == 0
    assert FolderSource(tmp_path, 0.0).tally.facts["rate.named"] == 0
