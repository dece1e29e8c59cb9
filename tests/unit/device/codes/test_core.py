"""The code reader reads rendered codes with both decoders, measures damage, and bounds what it passes on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from device.channel.messages import MAX_CODE_BYTES, MAX_READINGS, Readings, Region, encode
from device.codes import zbar, zxing
from device.codes.core import CodeReader
from device.codes.error_rate import ErrorRateMeter
from device.codes.symbol import Symbol
from tests.support.code_pictures import blot, modules, photograph
from tests.support.verdict_drive import code

TEXT = code(90.0)
SYMBOL = modules(TEXT.decode())


def source() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("module_px", [2.6, 3.5, 6.0])
def test_a_code_anywhere_in_the_frame_is_read_by_both_decoders(module_px: float) -> None:
    frame = photograph(SYMBOL, module_px, source(), at=(400.0, 200.0), slant=0.2)
    (reading,) = CodeReader().read(frame, [], 0)
    assert reading.data == TEXT
    assert sorted(reading.decoders) == ["zbar", "zxing"]
    assert reading.module_px == pytest.approx(module_px, rel=0.08)
    assert abs(reading.x + reading.w / 2 - 400) < 4
    assert abs(reading.y + reading.h / 2 - 200) < 4


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_how_a_code_lies_is_told(quarters: int) -> None:
    upright = photograph(SYMBOL, 3.5, source())
    frame = np.ascontiguousarray(np.rot90(upright, -quarters))
    (reading,) = CodeReader().read(frame, [], 0)
    assert (reading.data, reading.quarters) == (TEXT, quarters)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("module_px", [2.6, 4.0])
def test_a_mirror_image_is_told(quarters: int, module_px: float) -> None:
    upright = photograph(SYMBOL, module_px, source(), slant=0.1)
    reader = CodeReader()
    for mirrored in (False, True):
        turned = np.rot90(upright[:, ::-1] if mirrored else upright, -quarters)
        readings = reader.read(np.ascontiguousarray(turned), [], 0)
        assert [(reading.data, reading.mirrored) for reading in readings] == [(TEXT, mirrored)]


def test_a_code_and_its_mirror_image_in_one_frame_are_told_apart() -> None:
    half = photograph(SYMBOL, 3.5, source())
    found = CodeReader().read(np.ascontiguousarray(np.hstack([half, half[:, ::-1]])), [], 0)
    assert sorted((reading.x > half.shape[1], reading.mirrored) for reading in found if reading.data == TEXT) == [
        (False, False),
        (True, True),
    ]


def test_of_other_peoples_codes_it_is_not_asked() -> None:
    (reading,) = CodeReader().read(
        np.ascontiguousarray(photograph(modules("https://example.org"), 4.0, source())[:, ::-1]), [], 0
    )
    assert reading.data and not reading.mirrored


def test_a_region_is_read_from_further_away_than_the_frame() -> None:
    frame = photograph(SYMBOL, 1.65, source(), noise=3.0, slant=0.0, blur_px=0.5)
    assert not any(reading.data for reading in CodeReader().read(frame, [], 0))
    (reading,) = CodeReader().read(frame, [Region(310.0, 140.0, 150.0, 150.0)], 0)
    assert reading.data == TEXT
    assert abs(reading.x + reading.w / 2 - 384) < 4


def test_the_frame_is_only_read() -> None:
    frame = photograph(SYMBOL, 3.0, source())
    frame.setflags(write=False)
    assert CodeReader().read(frame, [Region(0.0, 0.0, 300.0, 300.0)], 0)[0].data == TEXT


@pytest.mark.parametrize("module_px", [3.0, 5.0])
def test_a_sound_panel_has_an_error_rate_below_one_percent(module_px: float) -> None:
    (reading,) = CodeReader().read(photograph(SYMBOL, module_px, source()), [], 0)
    assert reading.error_rate is not None
    assert reading.error_rate < 0.01


@pytest.mark.parametrize("module_px", [3.0, 5.0])
def test_painted_over_modules_are_counted(module_px: float) -> None:
    painted = blot(SYMBOL, 0.04, source())
    (reading,) = CodeReader().read(photograph(painted, module_px, source()), [], 0)
    assert reading.data == TEXT
    assert reading.error_rate == pytest.approx(float((painted != SYMBOL).mean()), abs=0.01)


def negative(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(255 - frame)


@pytest.mark.parametrize("module_px", [2.6, 4.0])
def test_a_code_printed_light_on_dark_is_read_by_both_decoders_without_a_look_of_damage(module_px: float) -> None:
    (reading,) = CodeReader().read(negative(photograph(SYMBOL, module_px, source(), slant=0.2)), [], 0)
    assert (reading.data, sorted(reading.decoders)) == (TEXT, ["zbar", "zxing"])
    assert reading.error_rate is not None
    assert reading.error_rate < 0.01


def test_light_on_dark_painted_over_modules_are_counted_too() -> None:
    painted = blot(SYMBOL, 0.04, source())
    (reading,) = CodeReader().read(negative(photograph(painted, 4.0, source())), [], 0)
    assert reading.data == TEXT
    assert reading.error_rate == pytest.approx(float((painted != SYMBOL).mean()), abs=0.01)


def test_light_on_dark_in_a_region_is_read_from_further_away() -> None:
    frame = negative(photograph(SYMBOL, 1.65, source(), noise=3.0, slant=0.0, blur_px=0.5))
    (reading,) = CodeReader().read(frame, [Region(310.0, 140.0, 150.0, 150.0)], 0)
    assert reading.data == TEXT


def test_what_is_light_on_dark_and_unreadable_is_no_damaged_panel() -> None:
    painted = blot(SYMBOL, 0.12, source())
    assert CodeReader().read(negative(photograph(painted, 5.0, source())), [], 0) == []


def test_too_far_away_no_error_rate_is_claimed() -> None:
    (reading,) = CodeReader().read(photograph(SYMBOL, 2.2, source(), noise=2.0), [], 0)
    assert reading.error_rate is None


def test_a_panel_beyond_repair_is_reported_as_unreadable() -> None:
    painted = blot(SYMBOL, 0.12, source())
    (reading,) = CodeReader().read(photograph(painted, 5.0, source()), [], 0)
    assert (reading.data, reading.decoders, reading.error_rate) == (b"", [], None)
    assert reading.module_px > 4


def test_an_empty_street_has_no_readings() -> None:
    frame = photograph(np.zeros((1, 1), np.bool_), 0.1, source())
    assert CodeReader().read(frame, [Region(10.0, 10.0, 200.0, 200.0)], 0) == []


def test_an_oversized_symbol_is_flagged_and_its_text_dropped() -> None:
    huge = modules(b"SR1:" + b"x" * (MAX_CODE_BYTES + 1), "l")
    (reading,) = CodeReader().read(photograph(huge, 4.0, source(), size=(864, 1536), slant=0.0), [], 0)
    assert (reading.oversized, reading.data) == (True, b"")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\x1b[2J\x07'; DROP TABLE verdicts; --",
        "\u30a6\u30a9\u30fc\u30e0 \u00e4",
        b"\x00\xff\xfe\x80" * 9,
    ],
)
def test_hostile_text_is_one_reading_and_nothing_more(text: str | bytes) -> None:
    readings = CodeReader().read(photograph(modules(text), 5.0, source()), [], 0)
    assert len(readings) == 1
    encode(Readings(0, 0, 1536, 864, readings))


def test_what_claims_to_be_ours_and_reads_differently_is_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(gray: zxing.Gray) -> list[Symbol]:
        return [Symbol(symbol.quad, b"SR1:OTHER", "zbar") for symbol in honest(gray)]

    honest = zbar.scan
    monkeypatch.setattr(zbar, "scan", lying)
    readings = CodeReader().read(photograph(SYMBOL, 4.0, source()), [], 0)
    assert sorted((reading.data, *reading.decoders) for reading in readings) == [
        (b"SR1:OTHER", "zbar"),
        (TEXT, "zxing"),
    ]


def test_a_wall_of_symbols_is_cut_to_the_first_few_and_ours_come_first() -> None:
    frame = np.full((864, 1536, 3), 255, np.uint8)
    tile = np.where(np.pad(modules("HTTPS://EXAMPLE.ORG"), 4), 0, 255).astype(np.uint8)
    tile = cv2.resize(tile, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    rows, columns = 864 // len(tile), 1536 // len(tile)
    frame[: rows * len(tile), : columns * len(tile)] = np.tile(tile, (rows, columns))[:, :, None]
    ours = np.where(np.pad(SYMBOL, 4), 0, 255).astype(np.uint8)
    ours = cv2.resize(ours, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    frame[400 : 400 + len(ours), 700 : 700 + len(ours)] = ours[:, :, None]
    readings = CodeReader().read(frame, [Region(680.0, 380.0, 220.0, 240.0)], 0)
    assert len(readings) == MAX_READINGS
    assert readings[0].data == TEXT


def test_the_second_decoder_backs_off_where_it_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(zbar, "scan", lambda gray: calls.append(gray.shape) or [])
    reader = CodeReader()
    frame = photograph(blot(SYMBOL, 0.12, source()), 4.0, source())
    for number in range(60):
        reader.read(frame, [], number)
    assert 3 <= len(calls) <= 8


def test_all_codes_of_one_post_are_measured_in_the_frame_in_which_they_are_near_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[bytes] = []

    def encode_one(data: bytes, modules: int, level: str, mask: int) -> np.ndarray:
        encoded.append(data)
        return np.zeros((modules, modules), np.bool_)

    monkeypatch.setattr("device.codes.error_rate.encode", encode_one)
    rates, grid = ErrorRateMeter(), np.zeros((45, 45), np.bool_)

    def seen(number: int, side: float) -> Symbol:
        quad = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float64)
        return Symbol(quad, b"SR1:%d" % number, "zxing", 45, grid, "M", 1)

    assert [rates.measure(seen(number, 60.0)) for number in range(4)] == [None] * 4  # too far
    assert [rates.measure(seen(number, 180.0)) for number in range(4)] == [0.0] * 4
    for number in range(100):
        rates.measure(seen(1000 + number, 180.0))
    assert len(encoded) <= 4 + 108 // 5


def test_a_flood_of_different_codes_is_not_encoded_again_one_by_one() -> None:
    rates = ErrorRateMeter()
    grid = np.zeros((45, 45), np.bool_)
    quad = np.array([(0, 0), (180, 0), (180, 180), (0, 180)], np.float64)
    for number in range(100):
        rates.measure(Symbol(quad, b"SR1:%d" % number, "zxing", 45, grid, "M", number % 8))
    assert len(rates._printed) <= 20


@pytest.mark.parametrize("mask", [-1, 8, 3])
def test_a_symbol_that_cannot_be_encoded_again_has_no_error_rate(mask: int) -> None:
    quad = np.array([(0, 0), (84, 0), (84, 84), (0, 84)], np.float64)
    symbol = Symbol(quad, b"SR1:" + b"\xff" * 300, "zxing", 21, np.zeros((21, 21), np.bool_), "M", mask)
    assert ErrorRateMeter().measure(symbol) is None


def test_warm_up_leaves_the_reader_as_new() -> None:
    reader = CodeReader()
    reader.warm_up()
    assert reader.read(photograph(SYMBOL, 4.0, source()), [], 0)[0].error_rate is not None
