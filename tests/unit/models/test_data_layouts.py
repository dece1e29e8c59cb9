"""The data sets as their publishers pack them: any picture format, folder or zip, all of it or a part."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from models.data import gtsdb, gtsrb, splits
from models.data.source import DataSet
from models.errors import DataError
from tests.support.data_sets import (
    SUFFIXES,
    Packing,
    as_zip,
    common,
    crop_picture,
    encoded,
    final_test,
    final_training,
    frames,
    packings,
    publishers,
    road,
)


@packings
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("part", ["Train", "Test"])
def test_one_table_for_all_crops(part: str, suffix: str, packed: Packing, tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", part, [0, 14, 42], suffix)
    source = DataSet(packed(folder, tmp_path), *(gtsrb.TRAIN if part == "Train" else gtsrb.TEST))
    rows = gtsrb.load(source)
    assert [(row.class_id, row.box, row.shape) for row in rows] == [(c, (6, 4, 40, 38), (44, 48)) for c in (0, 14, 42)]
    assert gtsrb.image(source, rows[1])[12, 12, 0] > 130  # RGB: the stop sign is red


@publishers
def test_the_publishers_final_test(packed: Packing, tmp_path: Path) -> None:
    source = DataSet(packed(final_test(tmp_path / "gtsrb", [14, 3]), tmp_path), *gtsrb.TEST)
    rows = gtsrb.load(source)
    assert [(row.path, row.class_id) for row in rows] == [("00000.ppm", 14), ("00001.ppm", 3)]
    assert gtsrb.image(source, rows[0]).shape == (44, 48, 3)


@publishers
def test_the_publishers_final_test_with_its_table_where_its_own_zip_unpacks_it(packed: Packing, tmp_path: Path) -> None:
    folder = final_test(tmp_path / "gtsrb", [14, 3])
    (folder / "GTSRB/Final_Test/Images/GT-final_test.csv").rename(folder / "GT-final_test.csv")
    source = DataSet(packed(folder, tmp_path), *gtsrb.TEST)
    assert [gtsrb.image(source, row).shape for row in gtsrb.load(source)] == [(44, 48, 3)] * 2


@publishers
def test_the_publishers_training_set_has_a_folder_for_each_class(packed: Packing, tmp_path: Path) -> None:
    source = DataSet(packed(final_training(tmp_path / "gtsrb", [0, 1, 14]), tmp_path), *gtsrb.TRAIN)
    rows = gtsrb.load(source)
    assert [row.class_id for row in rows] == [0] * 4 + [1] * 4 + [14] * 4
    assert [row.track for row in rows[-4:]] == ["00014_00000", "00014_00000", "00014_00001", "00014_00001"]
    assert len({row.track for row in rows}) == 6  # each class counts its tracks from 0
    assert gtsrb.image(source, rows[-1]).shape == (44, 48, 3)


def test_a_class_folder_that_lost_its_table_is_not_skipped(tmp_path: Path) -> None:
    folder = final_training(tmp_path / "gtsrb", [0, 14])
    (folder / "GTSRB/Final_Training/Images/00014/GT-00014.csv").unlink()
    with pytest.raises(DataError, match=r"00014/GT-00014\.csv is missing"):
        gtsrb.load(DataSet(folder, *gtsrb.TRAIN))


def test_a_blank_line_in_a_table_does_not_shift_the_row_that_is_named(tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", "Test", [0, 14])
    first, *others = (folder / "Test.csv").read_text().splitlines(keepends=True)
    (folder / "Test.csv").write_text(first + "\n" + "".join(others).replace(",14,", ",77,"))
    with pytest.raises(DataError, match=r"Test\.csv row 4: the label 77"):
        gtsrb.load(DataSet(folder, *gtsrb.TEST))


@packings
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_road_frames_in_every_format(suffix: str, packed: Packing, tmp_path: Path) -> None:
    folder = frames(tmp_path / "FullIJCNN2013", {600: [(300, 200, 60, 14)], 601: []}, suffix)
    (folder / "00").mkdir()  # the publisher adds the signs cut out, by class
    (folder / "00" / f"00000{suffix}").write_bytes(encoded(crop_picture(0, 0), suffix))
    source = DataSet(packed(folder, tmp_path), "gt.txt")
    with_one, without = gtsdb.load(source)
    assert (with_one.name, with_one.number) == (f"00600{suffix}", 600)
    assert (with_one.corners.tolist(), with_one.class_ids.tolist()) == ([[300, 200, 360, 260]], [14])
    assert len(without.corners) == 0
    picture = gtsdb.frame(source, with_one)
    assert picture[215, 330, 0] > 130 > picture[215, 330, 2]  # RGB: the stop sign is red


def test_frames_packed_anew_keep_the_publishers_gt_txt(tmp_path: Path) -> None:
    source = DataSet(frames(tmp_path / "gtsdb", {600: [(300, 200, 60, 14)]}, ".webp", named=".ppm"), "gt.txt")
    (scene,) = gtsdb.load(source)
    assert (scene.name, len(scene.corners)) == ("00600.webp", 1)
    assert gtsdb.frame(source, scene).shape == (800, 1360, 3)


@pytest.mark.parametrize("suffix", [".PPM", ".JPG", ".jpeg"])
def test_suffixes_are_taken_as_other_programs_write_them(suffix: str, tmp_path: Path) -> None:
    folder = frames(tmp_path / "gtsdb", {600: [(300, 200, 60, 14)], 602: []}, suffix)
    frames(folder, {601: []}, ".png")
    (folder / "gt.txt").write_text(f"00600{suffix};300;200;360;260;14\n")
    source = DataSet(folder, "gt.txt")
    assert [scene.number for scene in gtsdb.load(source)] == [600, 601, 602]
    crops = DataSet(common(tmp_path / "gtsrb", "Test", [14], suffix), *gtsrb.TEST)
    assert gtsrb.image(crops, gtsrb.load(crops)[0]).shape == (44, 48, 3)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    crops, scenes = common(tmp_path / "gtsrb", "Test", [14]), frames(tmp_path / "gtsdb", {600: [(300, 200, 60, 14)]})
    for path in (crops / "Test.csv", scenes / "gt.txt"):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    assert len(gtsrb.load(DataSet(crops, *gtsrb.TEST))) == 1
    assert len(gtsdb.load(DataSet(scenes, "gt.txt"))[0].corners) == 1


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    crops, scenes = common(tmp_path / "gtsrb", "Test", [14]), frames(tmp_path / "gtsdb", {600: [(300, 200, 60, 14)]})
    for path in (crops / "Test.csv", scenes / "gt.txt"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert gtsrb.load(DataSet(crops, *gtsrb.TEST))[0].path == "Test/00000.png"
    assert gtsdb.load(DataSet(scenes, "gt.txt"))[0].class_ids.tolist() == [14]


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = frames(tmp_path / "gtsdb", {600: []}, ".png")
    (folder / "00600.png").write_bytes(encoded(road(720, 1280, 1), ".png"))
    source = DataSet(folder, "gt.txt")
    with pytest.raises(DataError, match=r"00600\.png is 1280x720, not 1360x800"):
        gtsdb.frame(source, gtsdb.load(source)[0])


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_picture_that_stops_early_is_named(suffix: str, share: float, tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", "Test", [14], suffix)
    place = folder / "Test" / f"00000{suffix}"
    place.write_bytes(place.read_bytes()[: int(share * place.stat().st_size)])
    source = DataSet(folder, *gtsrb.TEST)
    with pytest.raises(DataError, match=rf"Test/00000\{suffix} is not an image that can be decoded"):
        gtsrb.image(source, gtsrb.load(source)[0])


def test_a_zip_that_is_damaged_inside_is_named_with_the_file(tmp_path: Path) -> None:
    path = as_zip(common(tmp_path / "gtsrb", "Test", list(range(40))), tmp_path)
    content = bytearray(path.read_bytes())
    start = content.index(b"Test.csv") + len("Test.csv")
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"flat\.zip: Test\.csv cannot be read"):
        gtsrb.load(DataSet(path, *gtsrb.TEST))


@pytest.mark.parametrize(("offset", "value"), [(8, 0x1), (10, 97)], ids=["encrypted", "unknown compression"])
def test_a_zip_that_cannot_be_unpacked_here_is_named_with_the_file(offset: int, value: int, tmp_path: Path) -> None:
    path = as_zip(frames(tmp_path / "gtsdb", {600: []}, ".jpg"), tmp_path)
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"gt.txt") - 46  # the central directory's entry: flags at 8, method at 10
    content[entry + offset] = value
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"flat\.zip: gt\.txt cannot be read"):
        gtsdb.load(DataSet(path, "gt.txt"))


def test_of_two_sets_in_a_zip_the_first_by_name_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for top in ("z", "b", "y", "a", "x"):
            archive.writestr(f"{top}/gt.txt", "")
            archive.writestr(f"{top}/of_{top}", "")
    assert DataSet(path, "gt.txt").has("of_a")


def test_a_cell_that_no_table_can_hold_is_refused(tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", "Test", [14])
    with (folder / "Test.csv").open("a") as file:
        file.write("4" * 200_000 + "\n")
    with pytest.raises(DataError, match=r"Test\.csv row 3: "):
        gtsrb.load(DataSet(folder, *gtsrb.TEST))


def test_an_overlap_row_without_a_file_name_is_refused(tmp_path: Path) -> None:
    folder = frames(tmp_path / "gtsdb", {600: []}, ".jpg")
    (folder / "overlap_with_gtsrb.csv").write_text("gtsdb_image,left,top,best_gtsrb_file\n00600.jpg,1,1,\n")
    with pytest.raises(DataError, match=r"overlap_with_gtsrb\.csv row 2: no frame number or no file name"):
        gtsdb.shared_tracks(DataSet(folder, "gt.txt"))


def test_the_split_is_drawn_from_the_publishers_layout(tmp_path: Path) -> None:
    crops = DataSet(final_training(tmp_path / "gtsrb", [0, 14], tracks=3), *gtsrb.TRAIN)
    scenes = DataSet(frames(tmp_path / "gtsdb", {n: [] for n in range(4)}, ".jpg"), "gt.txt")
    split = splits.from_sources(crops, scenes)
    assert {track[:5] for track in split.tracks} == {"00000", "00014"}
    assert 0 < len(split.frames) < 4


def test_the_digest_is_that_of_what_sha256sum_prints_for_a_folder_and_for_a_zip(tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", "Train", [3, 14])
    (folder / "Z.txt").write_text("")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    told = {"files": 4, "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}
    assert DataSet(folder, "Train.csv").digest() == told
    assert DataSet(as_zip(folder, tmp_path), "Train.csv").digest() == told
    (folder / "Z.txt").write_text("changed")
    assert DataSet(folder, "Train.csv").digest() != told
