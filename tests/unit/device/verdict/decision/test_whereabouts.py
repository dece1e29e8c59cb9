"""An accusation of place holds for every start of the stream that is possible, or it is not made."""

from __future__ import annotations

import pytest

from device.verdict.decision.code_evidence import Checked, CodeEvidence
from device.verdict.decision.table import Code, Where
from device.verdict.decision.whereabouts import SURE_MS, dates_ms, held, is_exact, is_sure, note
from device.verdict.state import MAX_CODED, CodedSign, State
from tests.support.verdict_samples import ID, OTHER_ID, UTC_MS, claimed, degrees, listed, panel, pose, sight, state
from wire.geodesy import Pose, TimedPose

SPEED = 10.0  # metres a second, north
READ_MS = 30_000
HERE_M = SPEED * READ_MS / 1000
ACCUSED = (Where.ELSEWHERE, Where.WRONG_HEADING, Where.ANOTHERS, Where.TWICE)


def on_the_way(earliest_ms: int, latest_ms: int, turn_at_s: int = 10**6, **changes: object) -> State:
    """A drive of a minute; `turn_at_s`: from then on its headings are those of a drive east."""
    fixes = [TimedPose(UTC_MS + 1000 * s, pose(SPEED * s, heading=0.0 if s < turn_at_s else 90.0)) for s in range(61)]
    return state(start_utc_ms=UTC_MS, fixes=fixes, earliest_ms=earliest_ms, latest_ms=latest_ms, **changes)


def found(north: float = 0.0, heading: float = 0.0, **changes: object) -> CodeEvidence:
    """An authentic code that says that it hangs here, read at `READ_MS`."""
    hung = panel(7, b"SR1:A", sight=sight(0, 10, last_ms=READ_MS, pose_ms=READ_MS), **changes)
    return CodeEvidence(Code.AUTHENTIC, Checked(Code.AUTHENTIC, claimed(north, heading=heading), b""), panel=hung)


def said(made: State, where: Where, code: CodeEvidence, at: Pose | None = None) -> Where:
    ahead = listed(HERE_M + 5.0, sign_id=OTHER_ID)
    return held(made, where, code, at or pose(HERE_M), ahead)


@pytest.mark.parametrize("where", list(Where))
def test_an_exact_start_leaves_everything_as_it_is(where: Where) -> None:
    made = on_the_way(0, 0)
    assert is_exact(made) and is_sure(made) and said(made, where, found()) is where


@pytest.mark.parametrize("where", [Where.FITS, Where.UNKNOWN])
def test_what_accuses_nobody_stays(where: Where) -> None:
    assert said(on_the_way(-(10**7), 10**7), where, found()) is where


@pytest.mark.parametrize(("away", "says"), [(91.9, Where.UNKNOWN), (93.5, Where.ELSEWHERE)])
def test_elsewhere_reckons_with_how_far_the_vehicle_comes_in_the_error(away: float, says: Where) -> None:
    assert said(on_the_way(-1000, 500), Where.ELSEWHERE, found(HERE_M + away)) is says  # 80 m, 3 m and a second


def test_a_wrong_heading_has_to_be_wrong_all_the_time() -> None:
    assert said(on_the_way(-1000, 1000), Where.WRONG_HEADING, found(HERE_M, 180.0)) is Where.WRONG_HEADING
    turning = on_the_way(-1000, 1000, turn_at_s=31)
    assert said(turning, Where.WRONG_HEADING, found(HERE_M, 180.0)) is Where.UNKNOWN


@pytest.mark.parametrize(("away", "says"), [(17.0, Where.UNKNOWN), (19.0, Where.ANOTHERS)])
def test_anothers_place_is_clear_over_the_error_too(away: float, says: Where) -> None:
    assert said(on_the_way(-1000, 500), Where.ANOTHERS, found(HERE_M - away)) is says  # 5 m, 3 m and a second


def test_one_picture_of_two_copies_needs_no_time() -> None:
    wide = on_the_way(-(10**7), 10**7)
    assert said(wide, Where.TWICE, found(twins=2)) is Where.TWICE
    assert said(wide, Where.TWICE, found(twins=1)) is Where.UNKNOWN
    assert said(on_the_way(-1000, 1000), Where.TWICE, found()) is Where.TWICE


@pytest.mark.parametrize(
    ("north", "earliest_ms", "latest_ms", "says"),
    [
        (100.0, -20_000, 0, Where.UNKNOWN),  # it was there ten seconds before
        (500.0, 0, 25_000, Where.UNKNOWN),
        (-500.0, -20_000, 20_000, Where.ELSEWHERE),
        (-500.0, -45_000, 20_000, Where.UNKNOWN),  # before the track it may have come from there
        (1200.0, -20_000, 20_000, Where.ELSEWHERE),
        (1200.0, -20_000, 45_000, Where.UNKNOWN),
    ],
)
def test_a_wide_error_accuses_only_where_the_vehicle_cannot_have_been(
    north: float, earliest_ms: int, latest_ms: int, says: Where
) -> None:
    made = on_the_way(earliest_ms, latest_ms)
    assert not is_sure(made)
    assert said(made, Where.ELSEWHERE, found(north)) is says
    for where in (Where.WRONG_HEADING, Where.ANOTHERS):
        assert said(made, where, found(north)) is Where.UNKNOWN


@pytest.mark.parametrize("where", ACCUSED)
def test_without_a_way_nobody_is_accused(where: Where) -> None:
    assert said(state(earliest_ms=-1, latest_ms=1), where, found(9000.0)) is Where.UNKNOWN


# --- codes that settle the start -----------------------------------------------------------------------------------


def coded(*places: tuple[int, float, bool]) -> list[CodedSign]:
    return [CodedSign(bytes([n] * 8), 0, degrees(north), 0.0, 0.0, fits) for n, north, fits in places]


@pytest.mark.parametrize(
    ("places", "settles"),
    [
        ([(1, 0.0, True), (2, 60.0, True)], True),
        ([(1, 0.0, True), (2, 49.0, True)], False),  # a vehicle that stands sees both
        ([(1, 0.0, True), (1, 60.0, True)], False),  # the same sign
        ([(1, 0.0, True), (2, 60.0, False)], False),
        ([(1, 0.0, True), (2, 60.0, True), (3, 0.0, False), (4, 0.0, False)], True),
        ([(1, 0.0, True), (2, 60.0, True), (3, 0.0, False), (4, 0.0, False), (5, 0.0, False)], False),
    ],
)
def test_two_codes_apart_in_their_places_settle_the_start(places: list[tuple[int, float, bool]], settles: bool) -> None:
    made = on_the_way(-(10**7), 10**7, coded=coded(*places))
    assert is_sure(made) is settles
    assert dates_ms(made) == ((-SURE_MS, SURE_MS) if settles else (-(10**7), 10**7))
    says = Where.ELSEWHERE if settles else Where.UNKNOWN
    assert said(made, Where.ELSEWHERE, found(HERE_M + 140.0)) is says


def test_settled_by_codes_the_place_is_open_by_their_reach() -> None:
    made = on_the_way(-(10**7), 10**7, coded=coded((1, 0.0, True), (2, 60.0, True)))
    assert said(made, Where.ELSEWHERE, found(HERE_M + 120.0)) is Where.UNKNOWN
    narrow = on_the_way(-1000, 1000, coded=coded((1, 0.0, True), (2, 60.0, True)))
    assert said(narrow, Where.ELSEWHERE, found(HERE_M + 120.0)) is Where.ELSEWHERE


def test_authentic_codes_are_remembered_up_to_a_bound() -> None:
    made = state()
    for where in (Where.FITS, Where.TWICE, Where.ELSEWHERE, Where.UNKNOWN):
        note(made, found(5.0), where)
    note(made, CodeEvidence(Code.UNREADABLE, panel=panel()), Where.UNKNOWN)
    assert [(one.sign_id, one.t_ms, one.fits) for one in made.coded] == [
        (ID, READ_MS, fits) for fits in (True, True, False, False)
    ]
    for _ in range(2 * MAX_CODED):
        note(made, found(), Where.FITS)
    assert len(made.coded) == MAX_CODED
