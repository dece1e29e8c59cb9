"""What a file is is told by its content, and its text by its bytes."""

from __future__ import annotations

import pytest

from device.position.text import as_text, is_table, is_xml, other_kind, wide_encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_text_is_the_same_in_each_encoding(encoding: str) -> None:
    assert as_text("<gpx>$GPRMC,1".encode(encoding)) == "<gpx>$GPRMC,1"


@pytest.mark.parametrize(
    ("data", "wide"),
    [(b"", None), (b"$", None), (b"$\x00", None), (b"$\x00G\x00", "utf-16-le"), (b"\x00$\x00G", "utf-16-be")],
)
def test_text_of_two_bytes_each_is_told_without_a_mark(data: bytes, wide: str | None) -> None:
    assert wide_encoding(data) == wide


def test_zeros_are_no_text_of_two_bytes() -> None:
    assert wide_encoding(bytes(64)) is None
    assert wide_encoding(b"\xb5b\x01\x07\x00\x00" * 10) is None


@pytest.mark.parametrize(
    ("data", "table"),
    [
        (b"t,lat,lon\n1,2,3\n", True),
        (b"t;lat;lon\r\n1;2;3\r\n", True),
        (b"t\tlat\tlon\n1\t2\t3\n", True),
        (b"t,lat,lon\n", False),
        (b"a, b\nc, d\n", False),
        (b"Dear Sir, I hope, that\nall is well.\n", False),
        (b"", False),
        (b"\x01,\x02,\x03\n\x04,\x05,\x06\n", False),
    ],
)
def test_a_table_has_three_columns_in_most_lines(data: bytes, table: bool) -> None:
    assert is_table(data) is table


def test_a_packed_file_and_fit_are_known_by_how_they_begin() -> None:
    assert "compressed" in str(other_kind(b"\x1f\x8b\x08"))
    assert "is FIT" in str(other_kind(b"\x0e\x10\xd9\x07\x00\x00\x00\x00.FIT"))
    assert other_kind(b"<gpx/>") is None
    assert is_xml(b"\xef\xbb\xbf \r\n<gpx/>") and not is_xml(b"gpx")
