"""A video gives every good frame in order, on one time line, and tells what was not good. No other file is a video."""

from __future__ import annotations

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from device.capture.errors import InputError
from device.capture.video import VideoSource
from device.channel.ring import MAX_WIDTH
from device.verdict.tracking.looks import LONGEST_UNSEEN_MS
from tests.support.frame_sources import Picture, Read, read, settings
from tests.support.videos import VideoMaker, film, street


def played(path: Path, start: int = 0, **changed: object) -> Read:
    return read(VideoSource(path, settings(path, **changed)), start)


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other).mean()) if one.shape == other.shape else 255.0


def clip(path: Path, frames: range = range(40), **how: object) -> Path:
    return film(path, (street(n) for n in frames), **how)  # type: ignore[arg-type]


# --- frames ---------------------------------------------------------------------------------------------------------


def test_every_frame_of_a_video_comes_in_order_with_its_time(make_video: VideoMaker) -> None:
    path = make_video(started="2026-01-02T03:04:05Z")
    source = VideoSource(path, settings(path))
    facts = source.facts
    assert (facts.frames, facts.width, facts.height, facts.milli_fps) == (12, 160, 96, 10000)
    assert facts.utc_ms == 1767323045000
    found = read(source)
    assert found.taken == [(n, 100 * n) for n in range(12)]
    assert not found.damage and all(found.timed)
    left_edges = [int((picture[30, :, 1] > 170).argmax()) for picture in found.pictures.values()]
    assert all(abs(x - 4 * n) <= 2 for n, x in enumerate(left_edges))


def test_a_restart_goes_on_at_the_frame_that_it_is_told(make_video: VideoMaker) -> None:
    path = make_video()
    whole, part = played(path), played(path, start=7)
    assert part.taken == [(n, None) for n in range(7)] + [(n, 100 * n) for n in range(7, 12)]
    assert np.array_equal(part.pictures[7], whole.pictures[7])


def test_frames_do_not_pile_up_until_the_garbage_collector_comes_by(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", range(120))
    most = 0
    for _ in VideoSource(path, settings(path)).frames(lambda width, height: np.empty((height, width, 3), np.uint8), 0):
        most = max(most, sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()))
    assert 0 < most < 8


@pytest.mark.parametrize(
    "content", [b"", b"not a video", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, b"#EXTM3U\nx.ts\n"]
)
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a video") as caught:
        played(path)
    assert caught.value.exit_status == 2


def test_a_file_with_sound_alone_has_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="no video"):
        played(path)


def test_a_cover_picture_is_not_the_film(tmp_path: Path) -> None:
    path = tmp_path / "covered.mp4"
    cover = film(tmp_path / "cover.mp4", [np.full((400, 400, 3), 7, np.uint8)], codec="mjpeg", pix_fmt="yuvj420p")
    _merge(path, [(cover, "attached_pic"), (clip(tmp_path / "film.mp4", range(12)), "default")])
    assert len(av.open(str(path)).streams.video) == 2
    found = played(path)
    assert len(found.pictures) == 12 and found.pictures[0].shape == (96, 160, 3)
    only = tmp_path / "only.mp4"
    _merge(only, [(cover, "attached_pic")])
    with pytest.raises(InputError, match="no video"):
        played(only)


def test_of_two_films_the_marked_one_is_taken_and_else_the_larger(tmp_path: Path) -> None:
    small, large = clip(tmp_path / "s.mp4", range(3)), film(tmp_path / "l.mp4", [street(0, 320, 192)] * 3)
    for marks, shape in ((("default", ""), (96, 160, 3)), (("", ""), (192, 320, 3)), (("", "default"), (192, 320, 3))):
        path = tmp_path / "two.mkv"
        _merge(path, [(small, marks[0]), (large, marks[1])])
        assert played(path).pictures[0].shape == shape


def _merge(path: Path, parts: list[tuple[Path, str]]) -> None:
    with av.open(str(path), "w") as out:
        inputs = [av.open(str(part)) for part, _ in parts]
        streams = [out.add_stream_from_template(file.streams.video[0]) for file in inputs]
        for stream, (_, mark) in zip(streams, parts, strict=True):
            stream.disposition = av.stream.Disposition[mark] if mark else av.stream.Disposition(0)
        for file, stream in zip(inputs, streams, strict=True):
            for packet in file.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
            file.close()


# --- as every player shows it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_film_is_laid_as_its_container_says(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    def prepare(stream: VideoStream) -> None:
        stream.set_display_rotation(-degrees, hflip=mirrored)

    found = played(clip(tmp_path / "turned.mp4", range(3), prepare=prepare, options={"crf": "5"}))
    shown = np.rot90(street(0), -degrees // 90)
    assert difference(found.pictures[0], shown[:, ::-1] if mirrored else shown) < 25


def test_the_mount_of_the_camera_comes_after_what_the_file_says(tmp_path: Path) -> None:
    def prepare(stream: VideoStream) -> None:
        stream.set_display_rotation(-90)

    path = clip(tmp_path / "turned.mp4", range(3), prepare=prepare, options={"crf": "5"})
    found = played(path, rotate_degrees=90, flip="horizontal")
    assert difference(found.pictures[0], np.rot90(street(0), -2)[:, ::-1]) < 25


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    def prepare(stream: VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    picture = np.full((96, 120, 3), 40, np.uint8)
    cv2.circle(picture, (60, 48), 20, (255, 255, 255), -1)
    squeezed = cv2.resize(picture, (90, 96))
    for name in ("wide.mp4", "wide.ts"):
        shown = played(film(tmp_path / name, [np.asarray(squeezed, np.uint8)] * 3, prepare=prepare)).pictures[0]
        assert shown.shape == picture.shape
        _, _, wide, high = cv2.boundingRect(np.asarray(shown[:, :, 1] > 128, np.uint8))
        assert abs(wide - high) <= 2


COLOURS: dict[str, tuple[str, int, int]] = {  # pixel format, matrix (H.273), range (1 limited, 2 full)
    "bt709": ("yuv444p", 1, 1),
    "bt601": ("yuv444p", 6, 1),
    "full range": ("yuvj444p", 6, 2),
    "ten bits": ("yuv444p10le", 1, 1),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_colours_come_out_as_they_went_in(tmp_path: Path, kind: str) -> None:
    pix_fmt, matrix, colour_range = COLOURS[kind]
    colours = np.random.default_rng(3).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    picture = np.kron(colours, np.ones((32, 32, 1), np.uint8))

    def prepare(stream: VideoStream) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range

    path = film(tmp_path / "colours.mp4", [picture] * 2, pix_fmt=pix_fmt, options={"crf": "2"}, prepare=prepare)
    assert difference(played(path).pictures[0], picture) < 2.5


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p", "yuv422p10le", "yuv444p"])
def test_every_depth_and_layout_is_shown(tmp_path: Path, pix_fmt: str) -> None:
    grey = np.repeat(street(0)[:, :, :1], 3, axis=2)
    found = played(film(tmp_path / "x.mp4", [np.ascontiguousarray(grey)] * 2, pix_fmt=pix_fmt, options={"crf": "5"}))
    assert difference(found.pictures[0], grey) < 12  # a grey film does not tell its range


def test_a_frame_of_unknown_pixels_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "x.mp4", range(5))
    source = VideoSource(path, settings(path))

    monkeypatch.setattr(source._painter, "paint", lambda *_: None)
    assert read(source).damage == {"frames_of_unknown_kind": 5}


def test_frames_may_change_their_size_and_one_that_no_slot_holds_is_left_out(tmp_path: Path) -> None:
    small = clip(tmp_path / "a.ts", range(5), container="mpegts")
    large = film(tmp_path / "b.ts", [street(n, 320, 192) for n in range(5)], container="mpegts")
    huge = film(tmp_path / "c.ts", [np.zeros((64, MAX_WIDTH + 2, 3), np.uint8)] * 2, container="mpegts")
    path = tmp_path / "joined.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes() + huge.read_bytes())
    found = played(path)
    assert [picture.shape[1] for picture in found.pictures.values()] == [160] * 5 + [320] * 5
    assert found.damage["frames_too_large"] == 2


# --- one time line --------------------------------------------------------------------------------------------------


def joined(tmp_path: Path, *clips: range) -> Path:
    path = tmp_path / "joined.ts"
    parts = [clip(tmp_path / f"{n}.ts", frames, container="mpegts") for n, frames in enumerate(clips)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_joined_clips_of_one_drive_are_one_drive(tmp_path: Path) -> None:
    found = played(joined(tmp_path, range(20), range(20, 40), range(40, 60)))
    assert found.taken == [(n, 100 * n) for n in range(60)]
    assert found.facts["time.breaks"] == 2
    assert all(found.timed) and not found.damage


def test_where_the_picture_does_not_go_on_nobody_knows_the_time(tmp_path: Path) -> None:
    found = played(joined(tmp_path, range(20), range(80, 100)))
    pause = LONGEST_UNSEEN_MS + 1  # what verdict needs to see that no sign of one place is one of the other
    assert found.times[:20] == [100 * n for n in range(20)]
    assert found.times[20] >= 1900 + pause and found.times[20:] == [found.times[20] + 100 * n for n in range(20)]
    assert found.timed == [True] * 20 + [False] * 20
    assert found.facts["time.unknown"] == 20 and not found.damage


def test_a_restart_finds_the_same_times(tmp_path: Path) -> None:
    path = joined(tmp_path, range(20), range(80, 100), range(20, 30))
    whole, part = played(path), played(path, start=45)
    assert part.taken[45:] == whole.taken[45:] and set(part.timed) == {False}


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([100 * n for n in range(8)], [100 * n for n in range(8)]),
        ([0, 50, 250, 300, 900, 1000, 1100, 1200], [0, 50, 250, 300, 900, 1000, 1100, 1200]),
        ([7_000_000 + 100 * n for n in range(8)], [100 * n for n in range(8)]),
    ],
)
def test_stamps_that_can_be_true_are_kept(tmp_path: Path, stamps: list[int], times: list[int]) -> None:
    path = film(tmp_path / "x.mkv", (street(n) for n in range(8)), stamps=stamps, options={"bf": "0"})
    assert played(path).times == times


@pytest.mark.parametrize(("rate", "timed"), [(30, True), (240, True), (1000, False)])
def test_a_rate_of_no_camera_tells_nothing_of_the_time(tmp_path: Path, rate: int, timed: bool) -> None:
    path = film(tmp_path / "x.mp4", (street(n) for n in range(8)), rate=rate)
    assert set(played(path).timed) == {timed}


@pytest.mark.parametrize(("untimed_fps", "step", "timed"), [(0.0, 40, False), (20.0, 50, True)])
def test_a_stream_without_times_or_a_rate_takes_the_rate_that_it_is_given(
    tmp_path: Path, untimed_fps: float, step: int, timed: bool
) -> None:
    path = clip(tmp_path / "x.mjpeg", range(10), codec="mjpeg", pix_fmt="yuvj420p", container="mjpeg")
    found = played(path, untimed_fps=untimed_fps)
    assert found.times == [step * n for n in range(10)]
    assert set(found.timed) == {timed}


def test_raw_h264_takes_the_rate_of_its_own_headers(tmp_path: Path) -> None:
    path = clip(tmp_path / "x.h264", range(10), container="h264")
    found = played(path)
    assert found.times == [100 * n for n in range(10)] and all(found.timed)


@pytest.mark.parametrize(
    ("name", "options", "unrated", "nominal"),
    [
        ("x.mp4", {}, False, False),
        ("x.mkv", {}, False, False),
        ("x.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, False, True),
        ("x.h264", {"container": "h264"}, False, True),
        ("x.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container": "mjpeg"}, True, True),
    ],
)
def test_a_file_without_times_of_its_own_says_so(
    tmp_path: Path, name: str, options: dict[str, str], unrated: bool, nominal: bool
) -> None:
    path = clip(tmp_path / name, range(10), **options)
    facts = VideoSource(path, settings(path)).facts
    assert (facts.unrated, facts.nominal) == (unrated, nominal)
    if name in ("x.h264", "x.mjpeg"):  # the user's word is no default
        said = VideoSource(path, settings(path, untimed_fps=10.0)).facts
        assert (said.unrated, said.nominal) == (False, False)


# --- damage ---------------------------------------------------------------------------------------------------------


def lossy(path: Path, wanted: Callable[[int, int], bool]) -> Path:
    """Take transport packets away: those of the video for which `wanted(frame, packet of the frame)` is false."""
    data, kept, frame, part = path.read_bytes(), bytearray(), -1, 0
    for at in range(0, len(data), 188):
        packet = data[at : at + 188]
        if (packet[1] & 0x1F) << 8 | packet[2] == 0x100:
            part += 1
            if packet[1] & 0x40:
                frame, part = frame + 1, 0
            if not wanted(frame, part):
                continue
        kept += packet
    path.write_bytes(kept)
    return path


def stream(path: Path, gop: int = 20) -> Path:
    return clip(path, options={"bf": "0", "g": str(gop), "crf": "10"}, container="mpegts")


def test_a_corrupt_frame_is_no_evidence_and_takes_its_number_and_its_time(tmp_path: Path) -> None:
    path = lossy(stream(tmp_path / "x.ts"), lambda frame, part: (frame, part) != (25, 1))
    found = played(path)
    assert found.left_out == [25]
    assert found.damage == {"frames_corrupt": 1, "stream_gaps": 1}
    assert found.times == [100 * n for n in range(40) if n != 25]


def test_what_rests_on_a_corrupt_key_frame_is_no_evidence_either(tmp_path: Path) -> None:
    path = lossy(stream(tmp_path / "x.ts", gop=10), lambda frame, part: frame != 20 or part < 2)
    found = played(path)
    assert found.left_out == list(range(20, 30))
    assert found.damage["frames_corrupt"] == 1 and found.damage["frames_after_damage"] == 9


def test_a_loss_in_the_first_frames_is_a_gap_too(tmp_path: Path) -> None:
    found = played(lossy(stream(tmp_path / "x.ts"), lambda frame, part: (frame, part) != (2, 1)))
    assert found.damage == {"frames_corrupt": 1, "stream_gaps": 1} and found.left_out == [2]


def test_a_key_frame_that_cannot_be_decoded_takes_those_that_rest_on_it_along(tmp_path: Path) -> None:
    path = clip(tmp_path / "x.webm", codec="libvpx", options={"g": "10", "deadline": "realtime", "cpu-used": "8"})
    with av.open(str(path)) as file:
        keys = [packet for packet in file.demux(video=0) if packet.is_keyframe]
        place = path.read_bytes().index(bytes(keys[2]))
    data = bytearray(path.read_bytes())
    data[place + 3 : place + 30] = b"\xff" * 27  # the first three bytes say that it is a key frame
    path.write_bytes(data)
    found = played(path)
    assert set(found.damage) <= {"frames_undecodable", "frames_after_damage"}
    assert set(range(20, 30)) <= set(found.left_out) <= set(range(20, 32))


def test_a_frame_that_is_gone_altogether_is_a_gap(tmp_path: Path) -> None:
    found = played(lossy(stream(tmp_path / "x.ts"), lambda frame, _: frame != 25))
    assert found.damage["stream_gaps"] == 1
    assert 2500 not in found.times and found.times[-1] == 3900


def test_damage_is_the_same_each_time_in_lockstep(tmp_path: Path) -> None:
    path = lossy(stream(tmp_path / "x.ts"), lambda frame, part: frame % 7 != 4 or part != 1)
    one, two = played(path), played(path)
    assert one.taken == two.taken and one.facts == two.facts and one.left_out
    assert all(np.array_equal(picture, two.pictures[n]) for n, picture in one.pictures.items())


@pytest.mark.parametrize("start", [5, 11, 33, 39])
def test_a_restart_counts_the_damage_before_it_as_its_predecessor_did(tmp_path: Path, start: int) -> None:
    path = lossy(stream(tmp_path / "x.ts"), lambda frame, part: frame % 7 != 4 or part != 1)
    whole, part = played(path), played(path, start=start)
    assert part.damage == whole.damage and whole.damage["frames_corrupt"] > 3
    assert part.taken[start:] == whole.taken[start:]


def test_a_cut_off_video_gives_its_frames_and_is_known_as_damaged(make_video: VideoMaker) -> None:
    path = make_video(frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    found = played(path)
    assert 0 < len(found.pictures) < 58
    assert found.damage["cut_off"] == 1


@pytest.mark.parametrize("name", ["x.avi", "x.mkv", "x.ts", "x.mpg"])
def test_a_video_that_is_cut_off_says_so_in_other_containers(tmp_path: Path, name: str) -> None:
    codec = "mpeg2video" if name == "x.mpg" else "libx264"
    path = clip(tmp_path / name, range(120), codec=codec, options={"bf": "0", "g": "12"}, rate=25)
    data = path.read_bytes()
    assert not played(path).damage
    path.write_bytes(data[: len(data) * 2 // 3 + 50])
    found = played(path)
    assert found.damage and 20 < len(found.pictures) < 100


def test_half_a_picture_in_a_stream_of_pictures_is_left_out(tmp_path: Path) -> None:
    path = clip(tmp_path / "x.avi", range(12), codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    begin = data.index(b"\xff\xd8", len(data) // 2)
    end = data.index(b"\xff\xd9", begin)
    middle = (begin + end) // 2
    data[middle:end] = bytes(end - middle)
    path.write_bytes(data)
    found = played(path)
    assert found.damage == {"frames_undecodable": 1} and len(found.left_out) == 1
    assert len(found.pictures) == 11


def test_an_edit_list_that_leaves_frames_out_is_no_damage(tmp_path: Path) -> None:
    def prepare(stream: VideoStream) -> None:
        stream.codec_context.gop_size = 40

    path = film(
        tmp_path / "x.mp4", (street(n) for n in range(20)), stamps=[100 * n - 500 for n in range(20)], prepare=prepare
    )
    found = played(path)
    assert not found.damage
    assert found.times == [100 * n for n in range(len(found.times))]
    assert VideoSource(path, settings(path)).facts.promised == len(found.times) < 20


@pytest.mark.parametrize("name", ["x.mp4", "x.avi"])
def test_what_an_index_promises_comes(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name)
    assert VideoSource(path, settings(path)).facts.promised == len(played(path).times) == 40


def test_an_index_that_is_shorter_than_the_header_says_is_damage(tmp_path: Path) -> None:
    """The table of sizes (stsz, ISO/IEC 14496-12) counts half of the frames that the table of times does."""
    path = clip(tmp_path / "x.mp4")
    data = bytearray(path.read_bytes())
    counts = data.index(b"stsz") + 12
    assert int.from_bytes(data[counts : counts + 4], "big") == 40
    data[counts : counts + 4] = (20).to_bytes(4, "big")
    path.write_bytes(data)
    found = played(path)
    assert len(found.times) == 20
    assert found.damage == {"index_short": 1}
    assert VideoSource(path, settings(path)).facts.promised == 40


@pytest.mark.parametrize("name", ["x.mkv", "x.ts"])
def test_a_container_without_an_index_of_each_frame_promises_nothing(tmp_path: Path, name: str) -> None:
    """Its length may be that of another stream, and its rate a wish."""
    path = clip(tmp_path / name)
    assert VideoSource(path, settings(path)).facts.promised == 0


# --- a time scale that is wrong ---------------------------------------------------------------------------------------


def rescaled(path: Path, factor: float) -> Path:
    """With another time scale in the header of its media (ISO/IEC 14496-12, 8.4.2: version 0)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"mdhd") + 16
    scale = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = round(scale * factor).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize(("factor", "stamped"), [(0.5, 5_000), (2.0, 20_000), (1.0, 0)])
def test_a_time_scale_that_the_coding_contradicts_is_told(
    tmp_path: Path, codec: str, factor: float, stamped: int
) -> None:
    facts = played(rescaled(clip(tmp_path / "a.mp4", codec=codec), factor)).facts
    told = {key: facts[key] for key in facts if key.startswith("rate.")}
    assert told == ({"rate.coded": 10_000, "rate.stamped": stamped} if stamped else {})


def test_all_frames_that_an_edit_list_hides_behind_a_wrong_time_scale_are_counted(tmp_path: Path) -> None:
    found = played(rescaled(clip(tmp_path / "a.mp4", range(200), options={"g": "10"}), 0.5))
    assert len(found.taken) == pytest.approx(100, abs=2) and not found.damage
    assert found.facts["index.hidden"] == 200 - len(found.taken)


def test_uneven_stamps_contradict_no_coding(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", stamps=[100 * n + 400 * (n // 4) for n in range(40)])
    assert not any(key.startswith("rate.") for key in played(path).facts)
