"""A code that was read in its place shows its sign, whatever else hangs there."""

from __future__ import annotations

import pytest

from device.verdict.decision import read_codes
from device.verdict.decision.code_evidence import SignatureCheck
from device.verdict.tracking.expected_signs import Surroundings
from tests.support.verdict_drive import ANCHORS, LON, STRANGER, UTC_S, claims, code, north
from tests.support.verdict_samples import panel, sight
from wire import signcode
from wire.geodesy import Pose

CHECK = SignatureCheck(ANCHORS)
GOOD, BAD = code(100.0), signcode.issue(claims(100.0, number=9), STRANGER).encode()


def read_at(metres: float, *data: bytes, carried: bool = False) -> set[bytes]:
    seen = sight(last_pose=Pose(north(metres), LON, 0.0, 3.0), utc_ms=UTC_S * 1000)
    held = panel(7, *data, sight=seen, carried=carried)
    return read_codes.in_place([held], CHECK, Surroundings(None))


@pytest.mark.parametrize("data", [(GOOD,), (GOOD, BAD), (BAD, b"https://example.org", GOOD)])
def test_a_code_that_was_read_in_its_place_counts_whatever_is_pasted_over_it(data: tuple[bytes, ...]) -> None:
    assert read_at(95.0, *data) == {b"\x01" * 8}


def test_a_code_that_is_elsewhere_forged_or_carried_along_shows_no_sign() -> None:
    assert read_at(300.0, GOOD) == read_at(95.0, BAD) == read_at(95.0, GOOD, carried=True) == set()
    no_place = panel(7, GOOD)
    assert read_codes.in_place([no_place], CHECK, Surroundings(None)) == set()


def test_a_panel_names_the_signs_whose_authentic_codes_it_shows() -> None:
    assert read_codes.sign_ids(panel(7, GOOD, BAD, code(50.0, number=2)), CHECK) == {b"\x01" * 8, b"\x02" * 8}
    assert read_codes.sign_ids(panel(7, BAD), CHECK) == frozenset()
