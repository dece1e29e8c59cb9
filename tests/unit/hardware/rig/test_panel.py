"""Code panels: readable when printed, readable and measurably wrong when damaged."""

from __future__ import annotations

import random

import cv2
import numpy as np
import zxingcpp

from hardware.rig import panel

TEXT = "SR1:" + "9QZ7" * 43


def _read(picture: np.ndarray) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


def test_a_panel_has_at_most_49_modules_for_a_sign_code() -> None:
    assert len(panel.printed(TEXT).modules) <= 49


def test_a_printed_panel_is_read_back() -> None:
    picture = panel.picture(panel.printed(TEXT), 6, random.Random(0))
    assert _read(picture) == [TEXT]


def test_a_damaged_panel_is_still_read_and_wrong_in_four_to_nine_percent_of_its_modules() -> None:
    clean = panel.printed(TEXT)
    for seed in range(6):
        damaged = panel.damaged(clean, random.Random(seed))
        wrong = float((damaged.modules != clean.modules).mean())
        assert wrong == damaged.wrong
        assert 0.04 <= wrong <= 0.09
        picture = panel.picture(damaged, 6, random.Random(seed))
        assert _read(cv2.GaussianBlur(picture, (0, 0), 2.0)) == [TEXT]


def test_damage_spares_the_patterns_by_which_a_reader_finds_the_code() -> None:
    clean = panel.printed(TEXT)
    damaged = panel.damaged(clean, random.Random(1))
    changed = damaged.modules != clean.modules
    assert not changed[:9, :9].any()
    assert not changed[6].any()
