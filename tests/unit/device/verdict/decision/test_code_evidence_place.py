"""Whether an authentic code is in force and in its place: each limit, met to the last bit, and each clause alone."""

from __future__ import annotations

import pytest

from device.channel.messages import CodeClaims
from device.verdict.decision.code_evidence import Checked, CodeEvidence, Dates, grade, in_force, report, where
from device.verdict.decision.table import Code, ErrorRate, InForce, Where
from device.verdict.state import PanelTrack, Shown
from tests.support.verdict_drive import UTC_S
from tests.support.verdict_samples import (
    ID,
    OTHER_ID,
    UTC_MS,
    claimed,
    exactly_away,
    listed,
    panel,
    pose,
    sight,
    unrounded,
)
from wire.geodesy import Pose
from wire.register import RegisterEntry
from wire.signcode import SignClaims

FAR = exactly_away(20.0)  # as far as a code may be from its place
OUT = exactly_away(80.0)  # out of place beyond all doubt
POLE = exactly_away(10.0)
AWAY = exactly_away(16.0)


def found(claims: SignClaims | None = None, *, utc_ms: int = UTC_MS, twins: int = 0) -> CodeEvidence:
    """An authentic code."""
    hung = panel(7, b"SR1:A", sight=sight(0, 10, utc_ms=utc_ms), twins=twins)
    return CodeEvidence(Code.AUTHENTIC, Checked(Code.AUTHENTIC, claims or claimed(), b"k" * 8), 0.004, 5, hung)


# --- in force -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc_ms", "says"),
    [
        (1000 * (UTC_S - 3600) - 1, InForce.NOT_YET),
        (1000 * (UTC_S - 3600), InForce.YES),
        (1000 * (UTC_S + 60) - 1, InForce.YES),
        (1000 * (UTC_S + 60), InForce.EXPIRED),
    ],
)
def test_code_and_register_are_each_in_force_from_their_first_to_before_their_last_second(
    utc_ms: int, says: InForce
) -> None:
    always = {"valid_from": 0, "valid_until": UTC_S + 90_000}
    assert in_force(found(utc_ms=utc_ms), None) is says
    assert in_force(found(utc_ms=utc_ms), unrounded(listed(**always))) is says
    assert in_force(found(claimed(**always), utc_ms=utc_ms), unrounded(listed())) is says


def test_what_is_expired_and_not_yet_valid_is_expired() -> None:
    both = unrounded(listed(valid_from=UTC_S + 50))
    assert in_force(found(claimed(valid_until=UTC_S)), both) is InForce.EXPIRED


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        (Dates(), InForce.YES),
        (Dates(-3_600_000, 59_999), InForce.YES),
        (Dates(-3_600_001), InForce.UNKNOWN_TIME),
        (Dates(0, 60_000), InForce.UNKNOWN_TIME),
        (Dates(60_000, 60_000), InForce.EXPIRED),
        (Dates(60_000, 60_000, 1), InForce.UNKNOWN_TIME),  # its date may be earlier
        (Dates(60_000, 60_000, 0, 10**12), InForce.EXPIRED),
        (Dates(-3_600_001, -3_600_001), InForce.NOT_YET),
        (Dates(-3_600_001, -3_600_001, 0, 1), InForce.UNKNOWN_TIME),
        (Dates(0, 0, 10**12, 10**12), InForce.YES),  # what confirms nothing accuses nobody, and is believed as before
    ],
)
def test_the_answer_holds_for_each_time_that_it_may_have_been(dates: Dates, says: InForce) -> None:
    assert in_force(found(), None, dates) is says


def test_a_code_whose_moment_has_no_time_is_dated_by_the_stream() -> None:
    assert in_force(found(utc_ms=0), None, Dates(untimed_utc_ms=UTC_MS)) is InForce.YES
    assert in_force(found(utc_ms=0), None, Dates(0, 60_000, untimed_utc_ms=UTC_MS)) is InForce.UNKNOWN_TIME
    assert in_force(found(utc_ms=0), None, Dates(untimed_utc_ms=UTC_MS + 60_000)) is InForce.EXPIRED


def test_without_a_code_or_its_panel_or_a_time_it_is_not_known() -> None:
    register = unrounded(listed())
    assert in_force(CodeEvidence(), register) is InForce.UNKNOWN_TIME
    assert in_force(CodeEvidence(Code.AUTHENTIC, found().checked), register) is InForce.UNKNOWN_TIME
    assert in_force(CodeEvidence(Code.UNREADABLE, panel=panel()), register) is InForce.UNKNOWN_TIME
    assert in_force(found(utc_ms=0), register) is InForce.UNKNOWN_TIME
    assert in_force(found(claimed(valid_from=0), utc_ms=1), None) is InForce.YES


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, InForce.YES),
        ({"revoked": True}, InForce.REVOKED),
        ({"revoked": True, "class_id": 1}, InForce.REVOKED),
        ({"class_id": 1}, InForce.SUPERSEDED),
        ({"lat": FAR}, InForce.YES),
        ({"lat": FAR * 1.001}, InForce.SUPERSEDED),
        ({"lat": -FAR}, InForce.YES),
        ({"lat": -FAR * 1.001}, InForce.SUPERSEDED),
        ({"lon": FAR * 1.001}, InForce.SUPERSEDED),
        ({"heading": 45.0}, InForce.YES),
        ({"heading": 45.1}, InForce.SUPERSEDED),
        ({"heading": 315.0}, InForce.YES),
        ({"heading": 314.9}, InForce.SUPERSEDED),
    ],
)
def test_the_register_revokes_or_supersedes_a_code_also_without_a_time(
    changes: dict[str, object], says: InForce
) -> None:
    register = unrounded(listed(**changes))
    assert in_force(found(), register) is says
    assert in_force(found(utc_ms=0), register) is (InForce.UNKNOWN_TIME if says is InForce.YES else says)


def test_an_entry_of_another_sign_says_nothing() -> None:
    assert in_force(found(), unrounded(listed(sign_id=OTHER_ID, revoked=True))) is InForce.YES


# --- where --------------------------------------------------------------------------------------------------------


def place(lat: float, accuracy_m: float = 0.0, heading: float | None = 0.0) -> Pose:
    return Pose(lat, 0.0, heading, accuracy_m)


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (None, Where.UNKNOWN),
        (place(FAR), Where.FITS),
        (place(-FAR), Where.FITS),
        (place(FAR * 1.001), Where.UNKNOWN),
        (place(-FAR * 1.001), Where.UNKNOWN),
        (place(OUT), Where.UNKNOWN),
        (place(OUT * 1.001), Where.ELSEWHERE),
        (place(-OUT * 1.001), Where.ELSEWHERE),
        (pose(24.9, accuracy_m=5.0), Where.FITS),
        (pose(25.1, accuracy_m=5.0), Where.UNKNOWN),
        (pose(79.9, accuracy_m=5.0), Where.UNKNOWN),
        (pose(80.1, accuracy_m=5.0), Where.ELSEWHERE),
        (pose(80.1, accuracy_m=5.0, heading=None), Where.ELSEWHERE),
        (pose(124.9, accuracy_m=10.5), Where.UNKNOWN),
        (pose(125.1, accuracy_m=10.5), Where.ELSEWHERE),
        (pose(5, accuracy_m=10.0), Where.FITS),
        (pose(5, accuracy_m=10.1), Where.UNKNOWN),
        (pose(5, heading=None), Where.UNKNOWN),
        (pose(5, heading=45.0), Where.FITS),
        (pose(5, heading=45.1), Where.UNKNOWN),
        (pose(5, heading=120.0), Where.UNKNOWN),
        (pose(5, heading=120.1), Where.WRONG_HEADING),
        (pose(5, heading=315.0), Where.FITS),
        (pose(5, heading=314.9), Where.UNKNOWN),
        (pose(5, heading=239.9), Where.WRONG_HEADING),
        (Pose(0.0, 0.0, 175.0, 3.0, 54.9), Where.WRONG_HEADING),
        (Pose(0.0, 0.0, 175.0, 3.0, 55.1), Where.UNKNOWN),
        (Pose(0.0, 0.0, 45.0, 3.0, 180.0), Where.FITS),
    ],
)
def test_a_code_is_in_its_place_within_each_limit(at: Pose | None, says: Where) -> None:
    assert where(found(), at, None, []) is says


def test_what_has_no_claims_has_no_place() -> None:
    assert where(CodeEvidence(), pose(), None, []) is Where.UNKNOWN


@pytest.mark.parametrize(
    ("claims", "at", "ahead", "says"),
    [
        # the claimed place is 18 m away, another registered sign hangs 3 m away, 15 m from the claimed place
        (claimed(18.0), pose(0.0, accuracy_m=3.0), listed(3.0, sign_id=OTHER_ID), Where.ANOTHERS),
        (claimed(18.0), pose(0.0, accuracy_m=10.0), listed(3.0, sign_id=OTHER_ID), Where.ANOTHERS),
        (claimed(18.0), pose(0.0, accuracy_m=3.0), None, Where.FITS),
        (claimed(18.0), pose(0.0, accuracy_m=3.0), listed(3.0, sign_id=ID), Where.FITS),
        (claimed(12.0), pose(0.0, accuracy_m=10.0), listed(1.0, sign_id=OTHER_ID), Where.ANOTHERS),
        (claimed(12.0), pose(0.0, accuracy_m=10.0), listed(1.9, sign_id=OTHER_ID), Where.ANOTHERS),
        (claimed(12.0), pose(0.0, accuracy_m=3.0), listed(2.1, sign_id=OTHER_ID), Where.FITS),  # one pole
        (claimed(18.0), pose(0.0, accuracy_m=9.9), listed(-8.0, sign_id=OTHER_ID), Where.ANOTHERS),
        (claimed(18.0), pose(0.0, accuracy_m=9.9), listed(-8.2, sign_id=OTHER_ID), Where.FITS),  # may be as near
    ],
)
def test_a_code_is_not_in_its_place_where_that_of_another_pole_is_clearly_nearer_and_accuses_nobody(
    claims: SignClaims, at: Pose, ahead: RegisterEntry | None, says: Where
) -> None:
    assert where(found(claims), at, ahead, []) is says


def test_two_places_exactly_ten_metres_apart_may_be_one_pole() -> None:
    at = pose(-10.0, accuracy_m=0.0)
    assert where(found(claimed()), at, listed(lat=-POLE, sign_id=OTHER_ID), []) is Where.FITS
    assert where(found(claimed()), at, listed(lat=-POLE * 1.001, sign_id=OTHER_ID), []) is Where.ANOTHERS


def test_a_place_exactly_as_much_nearer_as_the_accuracy_is_not_clearly_nearer() -> None:
    """The claimed place is 12 m ahead, the other one 2 m behind, and the fix is good to 10 m."""
    at, code = pose(accuracy_m=10.0), found(claimed(lat=exactly_away(12.0)))
    assert where(code, at, listed(lat=-exactly_away(2.0), sign_id=OTHER_ID), []) is Where.FITS
    assert where(code, at, listed(lat=-exactly_away(2.0) * 0.999, sign_id=OTHER_ID), []) is Where.ANOTHERS


@pytest.mark.parametrize(("twins", "says"), [(1, Where.FITS), (2, Where.TWICE)])
def test_a_code_hangs_twice_if_two_frames_showed_it_so(twins: int, says: Where) -> None:
    assert where(found(twins=twins), pose(), None, []) is says


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (Shown(ID, 0, place(AWAY)), Where.FITS),
        (Shown(ID, 0, place(AWAY * 1.001)), Where.TWICE),
        (Shown(ID, 0, place(-AWAY)), Where.FITS),
        (Shown(ID, 0, place(-AWAY * 1.001)), Where.TWICE),
        (Shown(ID, 0, Pose(0.0, AWAY * 1.001, 0.0, 3.0)), Where.TWICE),
        (Shown(OTHER_ID, 0, pose(500.0)), Where.FITS),
    ],
)
def test_a_code_that_was_read_over_sixteen_metres_away_hangs_twice(shown: Shown, says: Where) -> None:
    assert where(found(), pose(), None, [shown]) is says
    assert where(found(), pose(), None, [Shown(ID, 0, pose(1.0)), shown, Shown(OTHER_ID, 0, pose(99.0))]) is says


@pytest.mark.parametrize(
    ("later_ms", "apart_m", "says"),
    [(5000, 16.1, Where.TWICE), (15_000, 25.9, Where.FITS), (15_000, 26.1, Where.TWICE), (59_000, 46.1, Where.TWICE)],
)
def test_the_later_the_code_is_read_again_the_further_a_receiver_may_have_wandered(
    later_ms: int, apart_m: float, says: Where
) -> None:
    """A lap leads past the same sign."""
    read = found()
    first = Shown(ID, panel(7).sight.last_ms - later_ms, pose(apart_m))
    assert where(read, pose(), None, [first]) is says


def test_an_authentic_code_without_a_panel_may_still_be_shown_twice() -> None:
    alone = CodeEvidence(Code.AUTHENTIC, found().checked)
    assert where(alone, pose(), None, []) is Where.FITS
    assert where(alone, pose(), None, [Shown(ID, 0, pose(17.0))]) is Where.TWICE


# --- what is reported ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "says"),
    [(None, ErrorRate.UNMEASURED), (0.0, ErrorRate.NORMAL), (0.025, ErrorRate.NORMAL), (0.0251, ErrorRate.HIGH)],
)
def test_the_grade_of_an_error_rate(rate: float | None, says: ErrorRate) -> None:
    assert grade(rate) is says


def test_the_claims_are_reported_with_the_rate_to_five_places_and_never_the_bytes() -> None:
    claims = claimed(5.0, 7.0, class_id=3, heading=90.0)
    told = CodeEvidence(
        Code.AUTHENTIC,
        Checked(Code.AUTHENTIC, claims, b"\x0a" * 8),
        0.123456789,
        42,
        PanelTrack(1, panel().motion, sight()),
    )
    assert report(told) == CodeClaims(
        "01" * 8, 3, claims.lat, claims.lon, 90.0, UTC_S - 3600, UTC_S + 60, "0a" * 8, 0.12346, 42
    )


def test_an_unmeasured_rate_is_reported_as_such() -> None:
    said = report(CodeEvidence(Code.AUTHENTIC, found().checked))
    assert said is not None
    assert (said.error_rate, said.readings) == (None, 0)
    none = report(CodeEvidence(Code.AUTHENTIC, found().checked, 0.0, 1))
    assert none is not None
    assert none.error_rate == 0.0


def test_without_claims_nothing_is_reported() -> None:
    assert report(CodeEvidence()) is None
    assert report(CodeEvidence(Code.FOREIGN, Checked(Code.FOREIGN))) is None
