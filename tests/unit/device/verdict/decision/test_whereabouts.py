"""An accusation of place holds for every start of the stream that is possible, or it is not made."""

from __future__ import annotations

import pytest

from device.verdict.decision.code_evidence import Checked, CodeEvidence, Dates
from device.verdict.decision.table import Code, Where
from device.verdict.decision.whereabouts import (
    NO_LACK,
    SLOWEST_MS,
    SURE_MS,
    Lack,
    count,
    dates,
    held,
    is_exact,
    is_sure,
    lack,
    note,
)
from device.verdict.state import MAX_CODED, CodedSign, State
from tests.support.verdict_samples import ID, OTHER_ID, UTC_MS, claimed, degrees, listed, panel, pose, sight, state
from wire.geodesy import Pose, TimedPose

SPEED = 10.0  # metres a second, north
READ_MS = 30_000
HERE_M = SPEED * READ_MS / 1000
ASIDE = 90.0
"""The heading of a code that speaks to another road: the vehicle comes by its place at no other time either."""
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
    assert is_exact(made) and is_sure(made) and said(made, where, found(heading=180.0)) is where


@pytest.mark.parametrize("where", [Where.FITS, Where.UNKNOWN])
def test_what_accuses_nobody_stays(where: Where) -> None:
    assert said(on_the_way(-(10**7), 10**7), where, found()) is where


@pytest.mark.parametrize(("away", "says"), [(91.9, Where.UNKNOWN), (93.5, Where.ELSEWHERE)])
def test_elsewhere_reckons_with_how_far_the_vehicle_comes_in_the_error(away: float, says: Where) -> None:
    assert said(on_the_way(-1000, 500), Where.ELSEWHERE, found(HERE_M + away, ASIDE)) is says  # 80 m, 3 m and a second


@pytest.mark.parametrize(("since_s", "says"), [(60, Where.UNKNOWN), (125, Where.WRONG_HEADING)])
def test_who_came_up_to_the_sign_a_moment_ago_may_have_backed_off_before_it(since_s: int, says: Where) -> None:
    """Past the sign, a stop, and back by it: the receiver tells the way back as the heading."""
    there = [TimedPose(UTC_MS + 1000 * s, pose(SPEED * s)) for s in range(21)]
    back = [TimedPose(UTC_MS + 1000 * (20 + since_s + s), pose(200.0 - 3 * s, heading=180.0)) for s in range(20)]
    read_ms = 1000 * (20 + since_s + 15)
    hung = panel(7, b"SR1:A", sight=sight(0, 10, last_ms=read_ms, pose_ms=read_ms))
    code = CodeEvidence(Code.AUTHENTIC, Checked(Code.AUTHENTIC, claimed(160.0), b""), panel=hung)
    made = state(start_utc_ms=UTC_MS, fixes=there + back)
    assert held(made, Where.WRONG_HEADING, code, pose(155.0, heading=180.0), None) is says


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
    open_ms = 10**7
    assert dates(made, found()) == (Dates(-SURE_MS, SURE_MS) if settles else Dates(-open_ms, open_ms))
    says = Where.ELSEWHERE if settles else Where.UNKNOWN
    assert said(made, Where.ELSEWHERE, found(HERE_M + 140.0)) is says


def test_codes_of_before_the_pictures_were_lost_settle_nothing_behind_that() -> None:
    """Two clips, joined with black film between them, are of two times."""
    code = found(HERE_M + 140.0)
    settled = coded((1, 0.0, True), (2, 60.0, True))
    for lost_ms, settles in ((-1, True), (0, False), (20_000, False)):
        made = on_the_way(-(10**7), 10**7, coded=settled, lost_ms=lost_ms)
        assert is_sure(made) is settles
        assert said(made, Where.ELSEWHERE, code) is (Where.ELSEWHERE if settles else Where.UNKNOWN)
    out = coded((3, 0.0, False), (4, 0.0, False), (5, 0.0, False))
    again = [CodedSign(one.sign_id, 21_000, one.lat, one.lon, 0.0, one.fits) for one in settled]
    assert is_sure(on_the_way(-(10**7), 10**7, coded=[*out, *again], lost_ms=20_000))


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


# --- clocks that run apart, gaps, and frames without a time -------------------------------------------------------


def test_the_longer_a_stream_runs_the_less_is_sure_where_it_is() -> None:
    for released_ms, sure in ((0, True), (400_000, True), (600_000, False)):
        assert is_sure(on_the_way(-1000, 1000, released_ms=released_ms, drift_ppm=5000)) is sure
    settled = coded((1, 0.0, True), (2, 60.0, True))
    for one in settled:
        one.t_ms = 500_000
    assert is_sure(
        on_the_way(-1000, 1000, released_ms=600_000, drift_ppm=5000, coded=settled)
    )  # the codes of just now say so
    assert not is_sure(on_the_way(-1000, 1000, released_ms=1_200_000, drift_ppm=5000, coded=settled))


@pytest.mark.parametrize(("drift_ppm", "says"), [(0, Where.ELSEWHERE), (5000, Where.UNKNOWN)])
def test_an_accusation_reckons_with_clocks_that_run_apart(drift_ppm: int, says: Where) -> None:
    assert said(on_the_way(-1000, 1000, drift_ppm=drift_ppm), Where.ELSEWHERE, found(HERE_M + 93.5, ASIDE)) is says


@pytest.mark.parametrize("where", ACCUSED)
def test_a_place_from_before_the_code_was_last_read_accuses_nobody(where: Where) -> None:
    code = found(9000.0)
    assert code.panel is not None
    code.panel.sight.last_ms = READ_MS + 1001
    for exact in (on_the_way(0, 0), on_the_way(-1000, 1000)):
        assert said(exact, where, code) is Where.UNKNOWN


@pytest.mark.parametrize("where", list(Where))
def test_a_code_that_was_last_read_in_a_frame_without_a_time_is_in_no_place(where: Where) -> None:
    assert said(on_the_way(0, 0, untimed_ms=READ_MS), where, found(9000.0)) is Where.UNKNOWN


def with_gap(begin_s: int, end_s: int, *, begins: bool = False) -> State:
    made = on_the_way(-1000, 1000)
    made.fixes = [fix for fix in made.fixes if not begin_s < (fix.utc_ms - UTC_MS) // 1000 < end_s]
    made.fixes = [
        TimedPose(fix.utc_ms, fix.pose, begins=begins and fix.utc_ms == UTC_MS + 1000 * end_s) for fix in made.fixes
    ]
    return made


@pytest.mark.parametrize(
    ("made", "gap"),
    [
        (with_gap(20, 45), 25_000),
        (with_gap(29, 31), 0),  # a point each two seconds is no gap
        (with_gap(29, 31, begins=True), 2000),
        (with_gap(40, 55), 0),  # elsewhere
        (with_gap(20, 99), 0),  # the end
        (state(start_utc_ms=UTC_MS), 0),
        (on_the_way(-1000, 1000, untimed_ms=READ_MS), 0),
    ],
)
def test_a_code_that_was_read_in_a_gap_of_the_track_is_told(made: State, gap: int) -> None:
    assert lack(made, found(), Where.UNKNOWN) == Lack(gap_ms=gap)


@pytest.mark.parametrize(
    ("first_s", "last_s", "off"), [(0, 60, False), (31, 60, True), (30, 60, False), (0, 29, True), (0, 30, False)]
)
def test_a_code_that_was_read_off_the_tracks_ends_is_told(first_s: int, last_s: int, off: bool) -> None:
    made = on_the_way(-1000, 1000, fixes_ended=True, first_fix_ms=UTC_MS + 1000 * first_s)
    made.fixes = [fix for fix in made.fixes if first_s <= (fix.utc_ms - UTC_MS) // 1000 <= last_s]
    assert lack(made, found(), Where.UNKNOWN) == Lack(off=off)
    made.fixes_ended = False  # more may come
    assert lack(made, found(), Where.UNKNOWN) == Lack(off=off and last_s == 60)


@pytest.mark.parametrize(
    ("first_s", "last_s", "since_s", "until_s", "repeated"),
    [(0, 20, 20, 60, True), (0, 20, 20, 29, False), (40, 60, 0, 40, True), (40, 60, 31, 40, False)],
)
def test_off_its_ends_a_receiver_that_only_repeats_a_place_is_the_cause(
    first_s: int, last_s: int, since_s: int, until_s: int, repeated: bool
) -> None:
    made = on_the_way(-1000, 1000, fixes_ended=True, first_fix_ms=UTC_MS + 1000 * first_s)
    made.fixes = [fix for fix in made.fixes if first_s <= (fix.utc_ms - UTC_MS) // 1000 <= last_s]
    made.repeated = [(UTC_MS + 1000 * since_s, UTC_MS + 1000 * until_s)]
    assert lack(made, found(), Where.UNKNOWN) == Lack(off=not repeated, repeated=repeated)


@pytest.mark.parametrize(("until_s", "repeated"), [(45, True), (29, False)])
def test_in_the_middle_of_a_track_it_is_no_gap(until_s: int, repeated: bool) -> None:
    made = with_gap(20, 45)
    made.repeated = [(UTC_MS + 20_000, UTC_MS + 1000 * until_s)]
    assert lack(made, found(), Where.UNKNOWN) == (Lack(repeated=True) if repeated else Lack(gap_ms=25_000))


def test_why_the_track_does_not_tell_is_counted() -> None:
    made = state()
    for why in (Lack(gap_ms=20), Lack(gap_ms=10), Lack(off=True), Lack(repeated=True), NO_LACK):
        count(made, why)
    assert (made.gap_codes, made.gap_ms, made.off_codes, made.repeated_codes) == (2, 20, 1, 1)


def test_without_a_rate_a_code_may_have_been_read_at_any_time_after_the_first_frame() -> None:
    unrated = on_the_way(-1000, 2000, rated=False, untimed_ms=1)
    assert dates(unrated, found()) == Dates(-1000, 2000 + 10 * SLOWEST_MS, untimed_utc_ms=UTC_MS)
    note(unrated, found(), Where.UNKNOWN)
    assert unrated.coded == []  # no offset would place it
    unrated.dated = False
    assert dates(unrated, found()).untimed_utc_ms == 0


# --- a video that was cut, or runs at another rate -----------------------------------------------------------------


def in_place(north: float, t_ms: int, sign_id: bytes = OTHER_ID) -> CodedSign:
    return CodedSign(sign_id, t_ms, degrees(north), 0.0, 0.0, fits=True)


def test_a_code_that_the_vehicle_comes_to_later_may_be_seen_behind_a_cut() -> None:
    assert said(on_the_way(-500, 500), Where.ELSEWHERE, found(HERE_M + 200.0)) is Where.UNKNOWN
    assert said(on_the_way(-500, 500), Where.ELSEWHERE, found(HERE_M + 900.0)) is Where.ELSEWHERE  # it never does
    assert said(on_the_way(-500, 500), Where.ELSEWHERE, found(HERE_M + 200.0, 180.0)) is Where.ELSEWHERE


def test_a_code_that_the_vehicle_came_to_before_may_be_late_only_behind_the_last_that_fits() -> None:
    code = found(HERE_M - 150.0)
    assert said(on_the_way(-500, 500), Where.ELSEWHERE, code) is Where.ELSEWHERE
    fits = on_the_way(-500, 500, coded=[in_place(50.0, 5000)])
    assert said(fits, Where.ELSEWHERE, code) is Where.UNKNOWN
    later = on_the_way(-500, 500, coded=[in_place(250.0, 25_000)])
    assert said(later, Where.ELSEWHERE, code) is Where.ELSEWHERE  # the video does not go back


def twice_by(again: bool, standing_s: int = 0) -> State:
    """A drive by the place at 150 m, which a code was read in, and the same way again a minute later; `standing_s`: for
    so long the vehicle stands before it."""
    until = [TimedPose(UTC_MS + 1000 * s, pose(SPEED * min(s, 14))) for s in range(15 + standing_s)]
    on = [TimedPose(UTC_MS + 1000 * (standing_s + s), pose(SPEED * s)) for s in range(15, 41)]
    second = [TimedPose(UTC_MS + 90_000 + 1000 * s, pose(SPEED * s), begins=s == 0) for s in range(31)]
    fixes = until + on + (second if again else [])
    in_its_place = in_place(150.0, 13_500, ID)
    return state(start_utc_ms=UTC_MS, fixes=fixes, earliest_ms=-500, latest_ms=500, coded=[in_its_place])


@pytest.mark.parametrize("where", [Where.ELSEWHERE, Where.WRONG_HEADING, Where.TWICE])
def test_a_code_that_was_in_its_place_before_is_a_copy_where_it_is_read_again(where: Where) -> None:
    """Unless the vehicle comes by that place again: then the video may be joined from its passes."""
    heading = 180.0 if where is Where.WRONG_HEADING else 0.0
    at = pose(SPEED * 30, heading=heading)
    code = found(150.0)
    turned = twice_by(again=False)
    if where is not Where.WRONG_HEADING:  # who passed the sign a moment ago may have backed off
        assert said(turned, where, code, at) is where
    assert said(twice_by(again=True), where, code, at) is Where.UNKNOWN


def test_one_pass_with_a_stop_is_no_second_one() -> None:
    assert said(twice_by(again=False, standing_s=5), Where.ELSEWHERE, found(150.0), pose(260.0)) is Where.ELSEWHERE


def test_two_copies_in_one_picture_are_accused_on_a_lap_too() -> None:
    assert said(twice_by(again=True), Where.TWICE, found(150.0, twins=2)) is Where.TWICE


# --- a receiver that repeats its last place ------------------------------------------------------------------------


def held_from(second: int) -> State:
    """A drive whose track tells the same place from that second on."""
    fixes = [TimedPose(UTC_MS + 1000 * s, pose(SPEED * min(s, second))) for s in range(61)]
    return state(
        start_utc_ms=UTC_MS, fixes=fixes, earliest_ms=-500, latest_ms=500, first_fix_ms=UTC_MS, outline_step_m=5.0
    )


def test_a_place_that_is_only_repeated_accuses_nobody_whom_the_vehicle_may_have_reached() -> None:
    at, code = pose(250.0), found(HERE_M + 200.0, ASIDE)
    assert said(held_from(25), Where.ELSEWHERE, code, at) is Where.UNKNOWN
    assert said(held_from(25), Where.ELSEWHERE, found(9000.0), at) is Where.ELSEWHERE
    assert said(held_from(29), Where.ELSEWHERE, code, pose(290.0)) is Where.ELSEWHERE  # 70 m at most
    assert said(held_from(25), Where.WRONG_HEADING, found(250.0, 180.0), at) is Where.UNKNOWN
    assert said(held_from(25), Where.ANOTHERS, found(HERE_M + 19.0), at) is Where.UNKNOWN


def test_a_place_that_is_repeated_within_the_error_of_the_start_accuses_no_more_than_the_vehicle_drove() -> None:
    """Read at 30 s by the given start, but it may have been three seconds later, or earlier."""
    for second, sure in ((31, False), (60, True)):
        made = held_from(second)
        made.earliest_ms, made.latest_ms = -3000, 3400
        says = Where.ELSEWHERE if sure else Where.UNKNOWN
        assert said(made, Where.ELSEWHERE, found(HERE_M + 180.0, ASIDE)) is says
    made = held_from(31)
    made.earliest_ms, made.latest_ms = -3000, 3400
    assert said(made, Where.ELSEWHERE, found(HERE_M + 900.0, ASIDE)) is Where.ELSEWHERE


@pytest.mark.parametrize("second", [20, 45])
def test_a_soft_stop_of_a_blind_receiver_accuses_nobody_whose_start_is_not_sure(second: int) -> None:
    """Ten seconds before the given moment, or after it, the vehicle may have driven on unseen."""
    made, at = held_from(second), pose(SPEED * min(second, 30))
    made.earliest_ms, made.latest_ms = -12_000, 25_000
    assert said(made, Where.ELSEWHERE, found(SPEED * second + 600.0, ASIDE), at) is Where.UNKNOWN
    assert said(made, Where.ELSEWHERE, found(90_000.0, ASIDE), at) is Where.ELSEWHERE


@pytest.mark.parametrize("told", [Where.UNKNOWN, Where.ELSEWHERE])
@pytest.mark.parametrize("second", [0, 25, 60])
def test_it_is_why_a_code_has_no_place(told: Where, second: int) -> None:
    assert lack(held_from(second), found(9000.0), told) == Lack(repeated=second < 60)


def test_a_place_that_is_all_the_track_tells_accuses_nobody_at_all() -> None:
    assert said(held_from(0), Where.ELSEWHERE, found(9000.0), pose(0.0)) is Where.UNKNOWN
