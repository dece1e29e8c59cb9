"""The loaders refuse broken data sets with one sentence that names the file and the row."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import train
from models.data import gtsdb, gtsrb, splits
from models.data.source import DataSet
from models.errors import DataError

HEADER = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path\n"
ROW = "30,30,5,5,24,24,14,Train/14/00014_00000_00000.jpg\n"


def _jpeg(height: int, width: int) -> bytes:
    done, data = cv2.imencode(".jpg", np.full((height, width, 3), (10, 60, 200), np.uint8))
    assert done
    return data.tobytes()


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    folder = tmp_path / "gtsrb"
    (folder / "Train" / "14").mkdir(parents=True)
    (folder / "Train" / "14" / "00014_00000_00000.jpg").write_bytes(_jpeg(30, 30))
    (folder / "Train.csv").write_text(HEADER + ROW)
    return folder


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "gtsdb"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number:05d}.jpg").write_bytes(_jpeg(800, 1360))
    (folder / "gt.txt").write_text("00000.jpg;774;411;815;446;11\n")
    return folder


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return buffer.getvalue()


def test_a_folder_and_its_zip_hold_the_same_crops(crops: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "gtsrb.zip"
    zipped.write_bytes(_zipped(crops))
    from_folder, from_zip = DataSet(crops, *gtsrb.TRAIN), DataSet(zipped, *gtsrb.TRAIN)
    rows = gtsrb.load(from_folder)
    assert rows == gtsrb.load(from_zip)
    assert (rows[0].box, rows[0].class_id, rows[0].track) == ((5, 5, 25, 25), 14, "00014_00000")
    assert np.array_equal(from_folder.image(rows[0].path), from_zip.image(rows[0].path))
    assert from_folder.image(rows[0].path)[0, 0, 0] > 150  # RGB: the picture is red


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("30,30,5,5,24,24,43,Train/14/00014_00000_00000.jpg\n", "row 3: the label 43 is outside 0..42"),
        ("30,30,5,5,30,24,14,Train/14/00014_00000_00000.jpg\n", "row 3: the ROI 5,5,30,24 is outside its 30x30 image"),
        ("30,30,5,5,24,24,14,Train/14/none.jpg\n", "row 3: the image 'Train/14/none.jpg' is missing"),
        ("30,30,5,5,24,x,14,Train/14/00014_00000_00000.jpg\n", "row 3: a number is missing or is not an integer"),
        ("30,30,5\n", "row 3: a number is missing or is not an integer"),
    ],
)
def test_a_bad_crop_row_is_named(crops: Path, row: str, said: str) -> None:
    (crops / "Train.csv").write_text(HEADER + ROW + row)
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        gtsrb.load(DataSet(crops, *gtsrb.TRAIN))


def test_a_table_without_a_column_is_refused(crops: Path) -> None:
    (crops / "Train.csv").write_text("Width,Path\n1,a.jpg\n")
    with pytest.raises(DataError, match=r"Train\.csv lacks the column ClassId"):
        gtsrb.load(DataSet(crops, *gtsrb.TRAIN))


def test_a_file_that_is_not_an_image_is_named(crops: Path) -> None:
    (crops / "Train" / "14" / "00014_00000_00000.jpg").write_bytes(b"not a picture")
    source = DataSet(crops, *gtsrb.TRAIN)
    with pytest.raises(DataError, match=r"00014_00000_00000\.jpg is not an image"):
        source.image(gtsrb.load(source)[0].path)


def test_scenes_without_signs_are_kept(scenes: Path) -> None:
    source = DataSet(scenes, "gt.txt")
    first, second = gtsdb.load(source)
    assert first.corners.tolist() == [[774, 411, 815, 446]]
    assert first.class_ids.tolist() == [11]
    assert second.corners.shape == (0, 4)
    assert gtsdb.frame(source, second).shape == (800, 1360, 3)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("00000.jpg;1;2;3\n", "row 1: not 'file;left;top;right;bottom;class'"),
        ("00000.jpg;9;2;3;4;5\n", "row 1: the box 9,2,3,4 is outside the 1360x800 frame"),
        ("00000.jpg;1;2;3;4;99\n", "row 1: the label 99 is outside 0..42"),
        ("00007.jpg;1;2;3;4;5\n", "gt.txt row 1: the frame 00007.jpg is missing"),
        ("../../x;1;2;3;4;5\n", "row 1: '../../x' is not a frame's file name"),
    ],
)
def test_a_bad_scene_row_is_named(scenes: Path, row: str, said: str) -> None:
    (scenes / "gt.txt").write_text(row)
    with pytest.raises(DataError) as caught:
        gtsdb.load(DataSet(scenes, "gt.txt"))
    assert said in str(caught.value)


@pytest.mark.parametrize("broken", ["absent", "another folder", "truncated", "another zip"])
def test_the_command_line_says_what_is_wrong_and_exits_with_2(
    broken: str, crops: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    path = {"absent": tmp_path / "nowhere", "another folder": scenes}.get(broken, tmp_path / "data.zip")
    if broken == "truncated":
        path.write_bytes(_zipped(crops)[:-40])
    elif broken == "another zip":
        path.write_bytes(_zipped(scenes))
    assert train.main(["classifier", "--data", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m models.train: ")
    assert str(path) in said
    assert said.count("\n") == 1


def _crop(class_id: int, track: int, frame: int) -> gtsrb.Crop:
    return gtsrb.Crop(f"Train/{class_id}/{class_id:05d}_{track:05d}_{frame:05d}.jpg", (1, 1, 9, 9), class_id)


def test_no_track_is_on_both_sides_of_the_split() -> None:
    crops = [_crop(c, t, f) for c in range(3) for t in range(7) for f in range(4)]
    held = gtsrb.split_tracks(crops, 0.2, seed=1)
    assert held == gtsrb.split_tracks(crops, 0.2, seed=1)
    for class_id in range(3):
        tracks = {crop.track for crop in crops if crop.class_id == class_id}
        assert 0 < len(tracks & held) < len(tracks)


def test_frames_that_share_a_sign_stay_together() -> None:
    scenes = [gtsdb.RoadFrame(f"{n:05d}.webp", np.zeros((0, 4), np.float32), np.zeros(0, np.int64)) for n in range(40)]
    shared = {n: {"a"} for n in (0, 7, 9)} | {10: {"b"}, 11: {"b", "c"}, 12: {"c"}}
    for seed in range(20):
        held = gtsdb.split_frames(scenes, shared, 0.3, seed)
        assert len(held & {0, 7, 9}) in (0, 3)
        assert len(held & {10, 11, 12}) in (0, 3)
        assert 12 <= len(held) <= 15


def test_the_shipped_split_can_be_read() -> None:
    split = splits.read()
    assert len(split.frames) >= 80
    assert len(split.tracks) >= 100
