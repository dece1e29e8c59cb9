"""The judge joins its parts: what each case is made of, what counts as seen, and what nothing is missing for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from device.channel.messages import Fix, Readings, Sightings, Verdict
from device.verdict.judge import Judge
from device.verdict.state import (
    MAX_FIXES,
    CodedSign,
    ExpectedSign,
    FaceTrack,
    PanelTrack,
    SeenSign,
    Shown,
    State,
    Watch,
    to_bytes,
)
from device.verdict.tracking.expected_signs import MIN_READ_M, READ_FROM_PX
from tests.support.verdict_drive import ANCHORS, AUTHORITY, claims
from tests.support.verdict_samples import (
    ID,
    OTHER_ID,
    UTC_MS,
    box,
    face,
    listed,
    panel,
    pose,
    sight,
    state,
    timed,
    trend,
    unrounded,
)
from wire import signcode
from wire.geodesy import Pose
from wire.register import RegisterEntry


def signed(north: float, sign_id: bytes = ID, **changes: object) -> bytes:
    """An authentic code of a sign north of zero."""
    fields: dict[str, object] = {"sign_id": sign_id, "lat": pose(north).lat, "lon": 0.0}
    return signcode.issue(claims(0, **(fields | changes)), AUTHORITY).encode()


def judge(*entries: RegisterEntry, registered: bool = True, **held: object) -> Judge:
    """A judge that holds this; the fixes have ended unless it is said."""
    fields: dict[str, object] = {"fixes_ended": True, "newest_ms": 5000, "verdicts": 4}
    made = Judge(ANCHORS, unrounded(*entries) if registered else None, stream="test", lockstep=True)
    made.restore(to_bytes(state(**(fields | held))))
    return made


LOOKING: dict[str, object] = {"looked": Watch(3600, 3600), "read": Watch(3600, 3600)}
"""Both readers have looked at every frame."""


def at(place: Pose | None, last: int = 10, utc_ms: int = UTC_MS) -> dict[str, object]:
    """Seen until frame `last`, from `place`."""
    return {"sight": sight(0, last, utc_ms=utc_ms, first_pose=place, last_pose=place, pose_ms=last * 40)}


def seen(place: Pose | None, number: int = 1, last: int = 10, utc_ms: int = UTC_MS) -> FaceTrack:
    return face(number, **at(place, last, utc_ms), largest=READ_FROM_PX, trend=trend(1.2, 0.4))


def shown(data: bytes, place: Pose | None, number: int = 7, last: int = 10, **changes: object) -> PanelTrack:
    return panel(number, data, **(at(place, last) | changes))


def said(found: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.state, verdict.reasons[0]) for verdict in found]


# --- the judge's own ----------------------------------------------------------------------------------------------


def test_unless_it_is_said_a_judge_is_in_realtime_and_sure_from_a_half() -> None:
    made = Judge(ANCHORS, None, stream="test")
    made.on_fixes_end()
    for frame, score in enumerate((0.5, 0.49)):
        made.on_sightings(Sightings(frame, frame * 40, 1536, 864, [box(score=score)]))
        made.on_readings(Readings(frame, frame * 40, 1536, 864, []))
    (only,) = made._state.faces
    assert (only.sight.seen, only.sure) == (2, 1)
    made.on_sightings(Sightings(2, 80, 1536, 864, [box()]))
    made.on_sightings(Sightings(27, 1080, 1536, 864, [box()]))  # not waited for any longer
    assert made._state.released_mark == 2


def test_unless_it_is_said_there_is_no_clock() -> None:
    made = Judge(ANCHORS, None, stream="test")
    made.start(5)
    assert (made._state.start_utc_ms, made._state.began_ms) == (5, None)
    made.start(6, 7)
    assert (made._state.start_utc_ms, made._state.began_ms) == (6, 7)


def test_who_was_caught_is_told_once_and_nobody_is_lost_between() -> None:
    made = judge(marks={"perception": 3, "codes": 3}, fixes_ended=False, agreed_frame=3, agreed_ms=120)
    made.on_sightings(Sightings(4, 100, 1536, 864, []))
    made.on_readings(Readings(4, 100, 1536, 864, []))
    assert made.accused() == {"perception", "codes"}
    assert made.accused() == frozenset()
    assert made.ignored == 2


def test_our_clock_is_passed_on() -> None:
    made = Judge(ANCHORS, None, stream="test")
    made.start(UTC_MS, 0)
    made.on_fixes_end()
    made.on_sightings(Sightings(0, 251, 1536, 864, []), 0)
    made.on_readings(Readings(0, 251, 1536, 864, []), 0)
    assert made.accused() == {"perception", "codes"}
    made.on_readings(Readings(0, 0, 1536, 864, []), 1000)
    assert made._state.released_mark == -1
    made.on_readings(Readings(26, 1040, 1536, 864, []), 999)
    assert made._state.released_mark == -1
    made.on_readings(Readings(27, 1080, 1536, 864, []), 1000)
    assert made._state.released_mark == 0


@pytest.mark.parametrize(("fixes", "wanted"), [(MAX_FIXES - 1, True), (MAX_FIXES, False)])
def test_fixes_are_wanted_until_the_buffer_is_full(fixes: int, wanted: bool) -> None:
    assert judge(fixes=[timed(number) for number in range(fixes)]).wants_fixes is wanted


def test_a_fix_releases_what_waited_for_it() -> None:
    made = judge(fixes_ended=False, start_utc_ms=UTC_MS)
    made.on_sightings(Sightings(0, 0, 1536, 864, [box()]))
    made.on_readings(Readings(0, 0, 1536, 864, []))
    assert made._state.faces == []
    made.on_fix(Fix(UTC_MS, 0.0, 0.0, 0.0, 3.0))
    assert made._state.faces == []  # alone it is not believed
    made.on_fix(Fix(UTC_MS + 1000, 0.0, 0.0, 0.0, 3.0))
    assert made._state.faces[0].sight.last_pose == replace(pose(), heading_error=180.0)


def test_a_moment_without_word_from_a_reader_adds_nothing_of_it() -> None:
    made = judge()
    made.on_sightings(Sightings(0, 0, 1536, 864, [box()]))
    made.on_sightings(Sightings(1, 40, 1536, 864, [box()]))
    made.on_readings(Readings(1, 40, 1536, 864, []))
    assert made._state.faces[0].sight.seen == 2


# --- a sign that has gone by --------------------------------------------------------------------------------------


def test_a_verdict_is_named_by_stream_frames_and_count() -> None:
    first, second = judge(faces=[seen(None, 1), seen(None, 2, last=20)]).finish()
    assert (first.verdict_id, second.verdict_id) == ("test:0:10:5", "test:0:20:6")


def test_what_is_no_sign_is_dropped_without_a_count() -> None:
    weak = face(1, sure=0.0)
    made = judge(faces=[weak], panels=[panel(7, b"https://example.org"), panel(8, unreadable=1)])
    assert made.finish() == []
    assert (made._state.verdicts, made._state.faces, made._state.panels) == (4, [], [])


@pytest.mark.parametrize(("t_ms", "verdicts"), [(1400, 0), (1401, 1)])
def test_a_sign_is_judged_when_it_has_gone_by_and_not_before(t_ms: int, verdicts: int) -> None:
    near, later = seen(None), seen(None, 2, last=30)
    near.trend = trend(2.0, 0.4)  # so near in the end that it was passed within the second
    made = judge(faces=[near, later], **LOOKING)
    frame = 40
    found = made.on_sightings(Sightings(frame, t_ms, 1536, 864, [])) + made.on_readings(
        Readings(frame, t_ms, 1536, 864, [])
    )
    assert len(found) == verdicts
    assert len(made._state.faces) == 2 - verdicts


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (listed(10), "registered_code_not_seen"),
        (listed(-9), "registered_code_not_seen"),
        (listed(31), "perception_alone"),
        (listed(10, heading=180.0), "perception_alone"),
    ],
)
def test_a_face_without_a_code_is_held_against_the_entry_at_its_place(entry: RegisterEntry, reason: str) -> None:
    assert said(judge(entry, faces=[seen(pose())], first_fix_ms=1).finish()) == [
        ("SUSPECT" if "code" in reason else "UNVERIFIED", reason)
    ]


@pytest.mark.parametrize(
    ("place", "held", "reason"),
    [
        (pose(), {"first_fix_ms": 1}, "perception_alone"),
        (None, {"first_fix_ms": 1}, "register_unchecked"),
        (None, {}, "perception_alone"),  # there never was a position source
        (None, {"fixes_ended": False}, "register_unchecked"),
        (pose(accuracy_m=11.0), {"first_fix_ms": 1}, "register_unchecked"),
        (pose(accuracy_m=11.0), {}, "perception_alone"),
    ],
)
def test_whether_the_register_could_be_asked(place: Pose | None, held: dict[str, object], reason: str) -> None:
    assert [one for _, one in said(judge(listed(500), faces=[seen(place)], **held).finish())] == [reason]


@pytest.mark.parametrize(
    ("track", "held", "reason"),
    [
        (True, {}, "register_unchecked"),
        (True, {"fixes_ended": False}, "register_unchecked"),
        (False, {"fixes_ended": False}, "perception_alone"),
        (False, {"first_fix_ms": 1}, "perception_alone"),
    ],
)
def test_a_silent_source_that_the_plan_names_is_still_a_source(
    track: bool, held: dict[str, object], reason: str
) -> None:
    made = Judge(ANCHORS, unrounded(listed(500)), stream="test", lockstep=True, track=track)
    fields: dict[str, object] = {"fixes_ended": True, "newest_ms": 5000, "faces": [seen(None)]}
    made.restore(to_bytes(state(**(fields | held))))
    assert [one for _, one in said(made.finish())] == [reason]


def test_a_place_that_is_stale_tells_nothing() -> None:
    stale = seen(pose())
    stale.sight.pose_ms = -101
    assert said(judge(listed(500), faces=[stale], first_fix_ms=1).finish()) == [("SUSPECT", "register_unchecked")]


def test_a_time_that_is_not_known_tells_nothing() -> None:
    found = judge(listed(500), faces=[seen(pose(), utc_ms=0)], first_fix_ms=1).finish()
    assert said(found) == [("SUSPECT", "register_unchecked")]


def test_a_code_is_judged_by_where_its_panel_was_last_read() -> None:
    hung = {"faces": [seen(pose(60), last=20)], "panels": [shown(signed(10), pose(), votes={1: 3})]}
    assert said(judge(**hung).finish()) == [("VERIFIED", "code_and_perception_agree")]
    hung = {"faces": [seen(pose(), last=20)], "panels": [shown(signed(10), pose(95), votes={1: 3})]}
    assert said(judge(**hung).finish()) == [("MISPLACED", "code_elsewhere")]


def test_a_code_at_the_place_of_another_registered_sign_is_that_ones() -> None:
    """The other hangs right ahead of where the panel was read, though not of where the face was last seen."""
    hung = {"faces": [seen(pose(14), last=20)], "panels": [shown(signed(18), pose(), votes={1: 3})]}
    other = listed(3, sign_id=OTHER_ID)
    assert said(judge(other, **hung).finish()) == [("SUSPECT", "code_of_another_sign")]
    assert said(judge(**hung).finish()) == [("VERIFIED", "code_and_perception_agree")]


def test_the_entry_of_a_code_that_hangs_at_another_sign_in_sight_is_not_this_sign() -> None:
    """A foreign symbol without a face counts where a registered sign is: only if none other shows its code."""
    symbol = shown(b"https://example.org", pose(), 7, last=9)
    alone = judge(listed(10), panels=[symbol]).finish()
    assert said(alone) == [("FORGED", "code_not_ours")]
    both = judge(listed(10), panels=[symbol, shown(signed(10), pose(), 8)]).finish()
    assert said(both) == [("CODE_ONLY", "no_sign_recognised")]
    forged = judge(listed(10), panels=[symbol, shown(signed(10)[:-2] + b"AA", pose(), 8)]).finish()
    assert said(forged)[0] == ("FORGED", "code_not_ours")


@pytest.mark.parametrize(
    ("largest", "read_m", "reason"),
    [
        (READ_FROM_PX - 0.1, MIN_READ_M - 0.1, "sign_not_reached"),
        (READ_FROM_PX, 0.0, "registered_code_not_seen"),
        (20.0, MIN_READ_M, "registered_code_not_seen"),
    ],
)
def test_no_code_is_missed_where_nobody_looked_from_near_enough(largest: float, read_m: float, reason: str) -> None:
    small = seen(pose())
    small.largest = largest
    passing = ExpectedSign(ID, 0, 10, 400, 10.0, 10.0, 10.0, read_m=read_m)
    found = judge(listed(10), faces=[small], expected=[passing], first_fix_ms=1).finish()
    assert said(found)[0] == ("SUSPECT" if "code" in reason else "UNVERIFIED", reason)


def test_a_face_keeps_its_entry_though_the_code_hangs_at_another_sign() -> None:
    found = judge(listed(10), faces=[seen(pose(), last=9)], panels=[shown(signed(10), pose(), 8)]).finish()
    assert ("SUSPECT", "registered_code_not_seen") in said(found)


def test_the_end_closes_what_is_still_in_sight_and_what_still_waits() -> None:
    made = judge(faces=[seen(None)], newest_ms=400)
    made.on_sightings(Sightings(11, 440, 1536, 864, [box()]))
    made.on_sightings(Sightings(12, 480, 1536, 864, [box()]))
    (only,) = made.finish()
    assert (only.last_frame, only.sightings) == (12, 13)
    assert (made._state.pending, made._state.faces) == ([], [])


# --- what was shown before ----------------------------------------------------------------------------------------


def test_a_code_that_was_judged_in_its_place_is_remembered_with_its_panels_pose() -> None:
    made = judge(faces=[seen(pose(9), last=20)], panels=[shown(signed(10), pose(1), last=15, votes={1: 3})])
    made.finish()
    assert made._state.shown == [Shown(ID, 600, pose(1))]
    assert made._state.attributed == [SeenSign(ID, 800)]


def test_a_code_that_is_not_in_its_place_is_not_remembered() -> None:
    made = judge(listed(5, sign_id=OTHER_ID), panels=[shown(signed(90), pose())])
    made.finish()
    assert (made._state.shown, made._state.attributed) == ([], [SeenSign(OTHER_ID, 400)])


def test_a_code_whose_place_is_not_known_is_taken_for_the_entry_here_though_it_is_its_own() -> None:
    made = judge(listed(10), panels=[shown(signed(10), pose(accuracy_m=11.0))])
    assert said(made.finish()) == [("SUSPECT", "place_unchecked")]
    assert made._state.attributed == [SeenSign(ID, 400)]


def test_the_same_code_further_on_hangs_at_two_places() -> None:
    found = judge(panels=[shown(signed(10), pose(-6), 7, last=9), shown(signed(10), pose(10.5), 8)]).finish()
    assert said(found) == [("CODE_ONLY", "no_sign_recognised"), ("MISPLACED", "code_at_two_places")]


# --- what is missing ----------------------------------------------------------------------------------------------


def passed(sign_id: bytes = ID, passed_ms: int = 1000) -> ExpectedSign:
    return ExpectedSign(
        sign_id, 1, 9, passed_ms, 25.0, 6.0, 4.0, 19.0, 9.0, 6.0, passed_ms, UTC_MS, pose(-1), view_m=80, view_ms=9000
    )


def met() -> list[CodedSign]:
    """Another sign's code was in its place before."""
    return [CodedSign(OTHER_ID, 0, 0.0, 0.0, 0.0, True)]


def test_a_passed_sign_of_which_nothing_was_seen_is_missing() -> None:
    made = judge(listed(), listed(5, sign_id=OTHER_ID, class_id=1), expected=[passed(), passed(OTHER_ID)])
    found = made.finish()
    assert [(one.state, one.class_id, one.verdict_id) for one in found] == [
        ("MISSING", 14, "test:1:9:5"),
        ("MISSING", 1, "test:1:9:6"),
    ]
    assert made._state.verdicts == 6


def test_a_sign_is_missing_two_and_a_half_seconds_after_it_was_passed_and_at_the_end() -> None:
    cases = ((3499, met(), 0), (3500, met(), 1), (20_999, [], 0), (21_000, [], 1))
    for t_ms, coded, missing in cases:
        made = judge(listed(), expected=[passed()], coded=coded)
        found = made.on_sightings(Sightings(50, t_ms, 1536, 864, [])) + made.on_readings(
            Readings(50, t_ms, 1536, 864, [])
        )
        assert len(found) == missing
        assert len(made.finish()) == 1 - missing


def test_a_sign_of_which_something_was_seen_is_not_missing() -> None:
    assert judge(listed(), expected=[passed()], attributed=[SeenSign(ID, 900)]).finish() == []
    assert said(judge(listed(), expected=[passed()], attributed=[SeenSign(OTHER_ID, 900)]).finish()) == [
        ("MISSING", "registered_sign_not_seen")
    ]
    found = judge(listed(), expected=[passed()], faces=[seen(pose())]).finish()
    assert said(found) == [("SUSPECT", "registered_code_not_seen")]


def test_a_sign_that_is_still_in_sight_is_not_missing() -> None:
    for place, missing in ((pose(), 0), (pose(60), 1)):
        made = judge(listed(), expected=[passed()], faces=[seen(place, last=80)], first_fix_ms=1, coded=met())
        found = made.on_sightings(Sightings(90, 3600, 1536, 864, [])) + made.on_readings(
            Readings(90, 3600, 1536, 864, [])
        )
        assert len(found) == missing


def test_what_has_gone_by_is_judged_before_what_is_missing_is_told() -> None:
    near = seen(pose(), last=10)
    near.trend = trend(2.0, 0.4)
    made = judge(listed(), expected=[passed()], faces=[near], **LOOKING)
    found = made.on_sightings(Sightings(90, 3600, 1536, 864, [])) + made.on_readings(Readings(90, 3600, 1536, 864, []))
    assert said(found) == [("SUSPECT", "registered_code_not_seen")]


def test_the_registered_signs_around_are_watched_as_the_vehicle_goes_by() -> None:
    fixes = [timed(UTC_MS, -20.0), timed(UTC_MS + 1000, -10.0)]
    made = judge(listed(), start_utc_ms=UTC_MS, fixes=fixes)
    made.on_sightings(Sightings(0, 0, 1536, 864, []))
    made.on_readings(Readings(0, 0, 1536, 864, []))
    assert [(one.sign_id, round(one.nearest_ahead_m)) for one in made._state.expected] == [(ID, 20)]


def test_a_judge_that_cannot_be_restored_stays_as_it_was() -> None:
    made = judge(faces=[seen(None)])
    before = made._state
    with pytest.raises(ValueError, match="another stream"):
        made.restore(to_bytes(State("other")))
    assert made._state is before
