"""Panels say in print what their code says, true to size, in three formats, and leave the symbol readable."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from device import cli
from device.cli.sign_images import read_picture
from device.cli.sign_panel import caption, layout, write_panel
from identity import Home
from tests.support.wire_samples import AUTHORITY, CLAIMS, STRANGER
from wire import signcode
from wire.classes import CLASS_NAMES
from wire.times import iso8601

TEXT = signcode.issue(CLAIMS, AUTHORITY)
VERIFIED = signcode.verify(TEXT.encode(), {signcode.key_id(AUTHORITY.public_key()): AUTHORITY.public_key()})
LINES = caption(*VERIFIED)


def test_the_caption_says_class_id_place_heading_and_both_ends_of_its_time() -> None:
    claims = VERIFIED[0]
    said = " ".join(LINES)
    for word in (
        CLASS_NAMES[claims.class_id],
        claims.sign_id.hex(),
        f"{claims.lat:.5f}, {claims.lon:.5f}",
        f"heading {claims.heading:.0f}",
        iso8601(claims.valid_from),
        iso8601(claims.valid_until),
        VERIFIED[1].hex(),
    ):
        assert word in said


@pytest.mark.parametrize("width_mm", [10.0, 900.0])
def test_an_svg_has_the_words_as_text_under_the_quiet_zone_and_within_the_width(
    tmp_path: Path, width_mm: float
) -> None:
    write_panel(layout(TEXT, LINES, width_mm), tmp_path / "panel.svg")
    root = ElementTree.parse(tmp_path / "panel.svg").getroot()  # noqa: S314 -- our own
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    assert root.attrib["width"] == f"{width_mm:g}mm"
    assert float(root.attrib["height"].removesuffix("mm")) == pytest.approx(width_mm * height / width, rel=1e-4)
    texts = [element for element in root.iter() if element.tag.endswith("text")]
    assert tuple(element.text for element in texts) == LINES
    for element in texts:
        bottom, size = float(element.attrib["y"]), float(element.attrib["font-size"])
        assert width <= bottom - size and bottom + 0.3 * size <= height
        assert float(element.attrib["x"]) + float(element.attrib["textLength"]) <= width - 4 + 0.01


def test_a_pdf_has_the_words_as_text_and_its_size(tmp_path: Path) -> None:
    panel = layout(TEXT, LINES)
    write_panel(panel, tmp_path / "panel.pdf")
    content = (tmp_path / "panel.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    for line in LINES:
        escaped = line.replace("(", r"\(").replace(")", r"\)").encode()
        assert escaped in content or line.encode() in content
    box = re.search(rb"/MediaBox ?\[0 0 (\d+\.?\d*) (\d+\.?\d*)\]", content)
    assert box is not None
    assert float(box[1]) == pytest.approx(900 / 25.4 * 72, abs=0.01)
    assert float(box[2]) == pytest.approx(900 / 25.4 * 72 * panel.height / panel.width, abs=0.01)


def test_a_png_has_words_under_the_quiet_zone_its_size_and_a_code_that_is_read(tmp_path: Path) -> None:
    panel = layout(TEXT, LINES)
    write_panel(panel, tmp_path / "panel.png")
    picture = cv2.imread(str(tmp_path / "panel.png"), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (panel.height * 20, panel.width * 20)
    quiet, words = picture[49 * 20 : 53 * 20], picture[53 * 20 :]
    assert quiet.min() == 255
    assert 0.02 < np.mean(words < 128) < 0.4
    assert words[:, -4 * 20 :].min() == 255 and words[-4:].min() == 255
    content = (tmp_path / "panel.png").read_bytes()
    across, down, _ = struct.unpack(">IIB", content[(at := content.index(b"pHYs") + 4) : at + 9])
    assert across == down == 1181
    (found,) = read_picture(tmp_path / "panel.png")
    assert (found.data, sorted(found.decoders), found.error_rate) == (TEXT.encode(), ["zbar", "zxing"], 0.0)


@pytest.mark.parametrize("class_id", range(len(CLASS_NAMES)))
def test_the_words_of_every_class_fit_under_the_symbol(class_id: int) -> None:
    from dataclasses import replace

    panel = layout(TEXT, caption(replace(VERIFIED[0], class_id=class_id, lat=-89.12345, lon=-179.12345), bytes(8)))
    assert max(map(len, panel.lines)) * 0.6 * panel.font_size <= 45.001
    assert panel.font_size > 0.9


def test_a_code_that_no_trusted_authority_signed_gets_no_words_and_says_so(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    out = tmp_path / "panel.svg"
    assert cli.main(["sign", "print", signcode.issue(CLAIMS, STRANGER), "--out", str(out)]) == 0
    assert "without words" in capsys.readouterr().out
    assert "<text" not in out.read_text()
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "none"))
    assert cli.main(["sign", "print", TEXT, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["caption"] == []
    assert not (tmp_path / "none").exists()


def test_what_is_issued_here_is_printed_with_its_words(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    place = ["--lat", "52.52001", "--lon", "13.40495", "--heading", "270", "--id", "00112233445566aa"]
    assert cli.main(["sign", "issue", "--class", "stop", *place]) == 0
    code = capsys.readouterr().out.strip()
    assert cli.main(["sign", "print", code, "--out", str(tmp_path / "panel.svg")]) == 0
    drawn = (tmp_path / "panel.svg").read_text()
    assert "stop (class 14), sign 00112233445566aa" in drawn
    assert "52.52001, 13.40495, for traffic heading 270 degrees" in drawn
