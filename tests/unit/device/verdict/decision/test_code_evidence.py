"""What the panels of one sign say together: the worst decides, slips do not count, and every text is checked once."""

from __future__ import annotations

import hashlib

import pytest

from device.verdict.decision.code_evidence import (
    MAX_CACHED,
    Checked,
    CodeEvidence,
    SignatureCheck,
    error_rate,
    evidence,
)
from device.verdict.decision.table import Code
from device.verdict.state import PanelTrack, Payload, Rate
from tests.support.verdict_drive import ANCHORS, STRANGER, claims, code
from tests.support.verdict_samples import ID, panel
from wire import signcode

GOOD, OTHER_GOOD = code(0), code(50, number=2)
FORGED = GOOD[:-2] + (b"00" if GOOD[-2:] != b"00" else b"11")
STRANGE = signcode.issue(claims(0), STRANGER).encode()
MALFORMED, FOREIGN = b"SR1:", b"https://example.org"


def said(*panels: PanelTrack) -> CodeEvidence:
    return evidence(panels, SignatureCheck(ANCHORS))


# --- one text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (FORGED, Code.BAD_SIGNATURE),
        (STRANGE, Code.UNKNOWN_KEY),
        (MALFORMED, Code.BAD_FORMAT),
        (FOREIGN, Code.FOREIGN),
    ],
)
def test_a_text_that_is_not_good_has_no_claims(data: bytes, found: Code) -> None:
    assert SignatureCheck(ANCHORS)(data) == Checked(found, None, b"")


def test_an_authentic_text_has_its_claims_and_its_key() -> None:
    checked = SignatureCheck(ANCHORS)(GOOD)
    (key_id,) = ANCHORS
    assert (checked.code, checked.key_id) == (Code.AUTHENTIC, key_id)
    assert checked.claims is not None
    assert checked.claims.sign_id == ID


def test_a_text_is_checked_once() -> None:
    check = SignatureCheck(ANCHORS)
    assert check(GOOD) is check(GOOD)


def test_at_the_cap_the_text_that_was_not_seen_for_longest_is_forgotten() -> None:
    assert MAX_CACHED == 256
    check = SignatureCheck(ANCHORS)
    texts = [b"text %d" % number for number in range(MAX_CACHED + 1)]
    for text in texts[:-1]:
        check(text)
    assert len(check._known) == MAX_CACHED
    check(texts[0])
    check(texts[-1])
    kept = [hashlib.sha256(text).digest() for text in (*texts[2:-1], texts[0], texts[-1])]
    assert list(check._known) == kept


# --- strange panels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "found", "reasons"),
    [
        ({"disagreements": 2}, Code.BAD_FORMAT, ("decoders_disagree",)),
        ({"oversized": 1}, Code.FOREIGN, ("code_oversized",)),
        ({"too_many": True}, Code.FOREIGN, ("code_keeps_changing",)),
        ({"disagreements": 2, "oversized": 1, "too_many": True}, Code.BAD_FORMAT, ("decoders_disagree",)),
        ({"oversized": 1, "too_many": True}, Code.FOREIGN, ("code_oversized",)),
    ],
)
def test_what_no_honest_panel_does_decides_whatever_else_is_read(
    changes: dict[str, object], found: Code, reasons: tuple[str, ...]
) -> None:
    good, strange = panel(7, GOOD), panel(8, GOOD, **changes)
    assert said(good, strange) == CodeEvidence(found, None, None, 10, strange, reasons)
    assert said(strange, panel(9, **changes)).panel is strange


def test_a_single_disagreement_is_a_slip() -> None:
    assert said(panel(7, GOOD, disagreements=1)).code is Code.AUTHENTIC


# --- which texts count --------------------------------------------------------------------------------------------


def test_no_panel_is_no_code() -> None:
    assert said() == CodeEvidence(Code.NONE, None, None, 0, None, ())
    assert said().claims is None


def test_an_authentic_code_is_told_with_all_that_belongs_to_it() -> None:
    hung = panel(7, GOOD, rates=[Rate(4.0, 0.01)])
    found = said(hung)
    assert (found.code, found.error_rate, found.readings, found.panel, found.reasons) == (
        Code.AUTHENTIC,
        0.01,
        5,
        hung,
        (),
    )
    assert found.checked == SignatureCheck(ANCHORS)(GOOD)
    assert found.claims is found.checked.claims


WORST_FIRST = [MALFORMED, FORGED, STRANGE, FOREIGN, GOOD]


@pytest.mark.parametrize("worst", range(4))
def test_the_worst_text_of_a_panel_decides(worst: int) -> None:
    texts = WORST_FIRST[worst:]
    for data in (texts, texts[::-1]):
        found = said(panel(7, *data))
        assert found.code is SignatureCheck(ANCHORS)(WORST_FIRST[worst]).code
        assert found.readings == 5 * len(texts)


@pytest.mark.parametrize(("seen", "both", "counts"), [(1, False, False), (2, False, True), (1, True, True)])
def test_one_odd_reading_by_one_decoder_is_a_slip_beside_a_sure_one(seen: int, both: bool, counts: bool) -> None:
    odd = Payload(MALFORMED, seen, both)
    slipped = panel(7, payloads=[Payload(GOOD, 5, False), odd], decoded=6)
    assert said(slipped).code is (Code.BAD_FORMAT if counts else Code.AUTHENTIC)
    assert said(panel(7, payloads=[odd], decoded=1)).code is Code.BAD_FORMAT  # nothing surer on this panel


def test_slips_of_each_panel_are_judged_by_that_panel() -> None:
    only_slips = panel(8, payloads=[Payload(MALFORMED, 1, False)], decoded=1)
    assert said(panel(7, GOOD), only_slips).code is Code.BAD_FORMAT


def test_a_foreign_symbol_beside_the_code_is_no_code_and_on_its_panel_a_swap() -> None:
    assert said(panel(7, GOOD), panel(8, FOREIGN)).code is Code.AUTHENTIC
    assert said(panel(8, FOREIGN), panel(7, GOOD)).code is Code.AUTHENTIC
    swapped = panel(7, GOOD, FOREIGN)
    found = said(swapped, panel(8, FOREIGN))
    assert (found.code, found.panel) == (Code.FOREIGN, swapped)
    assert said(panel(8, FOREIGN)).code is Code.FOREIGN


def test_a_forged_code_beside_the_good_one_decides() -> None:
    assert said(panel(7, GOOD), panel(8, FORGED)).code is Code.BAD_SIGNATURE


def test_authentic_codes_of_two_signs_conflict() -> None:
    first = panel(7, GOOD, rates=[Rate(4.0, 0.01)])
    assert said(first, panel(8, OTHER_GOOD)) == CodeEvidence(Code.CONFLICTING, None, None, 10, first, ())
    assert said(panel(7, GOOD), panel(8, GOOD)).code is Code.AUTHENTIC
    assert said(panel(7, GOOD, OTHER_GOOD), panel(8, FORGED)).code is Code.BAD_SIGNATURE


# --- nothing decoded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unreadable", "found"), [(2, Code.NONE), (3, Code.UNREADABLE)])
def test_a_symbol_is_unreadable_from_three_frames_on(unreadable: int, found: Code) -> None:
    assert said(panel(7, unreadable=unreadable)).code is found


def test_the_most_unreadable_panel_is_the_one_that_is_told() -> None:
    worst = panel(8, unreadable=9)
    for panels in ((panel(7, unreadable=3), worst), (worst, panel(7, unreadable=8))):
        assert said(*panels) == CodeEvidence(Code.UNREADABLE, None, None, 0, worst, ())


def test_a_code_that_was_read_outweighs_frames_in_which_it_was_not() -> None:
    assert said(panel(7, GOOD, unreadable=50)).code is Code.AUTHENTIC


def test_readings_are_counted_up_to_the_bound_of_a_verdict() -> None:
    assert said(panel(7, GOOD, decoded=99_999), panel(8, GOOD, decoded=1)).readings == 100_000
    assert said(panel(7, GOOD, decoded=99_999), panel(8, GOOD, decoded=9)).readings == 100_000


# --- error rate ---------------------------------------------------------------------------------------------------


def test_the_error_rate_is_the_median_of_the_seven_readings_with_the_largest_modules() -> None:
    small = [Rate(1.0, 0.9) for _ in range(20)]
    large = [Rate(10.0 - number, rate) for number, rate in enumerate((0.5, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06))]
    assert error_rate([panel(7, rates=small[:10] + large[:4]), panel(8, rates=large[4:] + small[10:])]) == 0.04


def test_of_an_even_number_the_error_rate_lies_in_the_middle() -> None:
    assert error_rate([panel(7, rates=[Rate(1.0, 0.02), Rate(2.0, 0.04)])]) == pytest.approx(0.03)


def test_without_a_measured_reading_there_is_no_error_rate() -> None:
    assert error_rate([panel(7)]) is None
    assert error_rate([]) is None
