"""The judge says of each scene what the verdict table says, once per physical sign, and fails closed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from device.channel.messages import Box, Fix, Reading, Readings, Sightings, Verdict, encode
from device.verdict.errors import SnapshotError
from device.verdict.state import MAX_SNAPSHOT_BYTES
from tests.support.verdict_drive import (
    FOCAL,
    STRANGER,
    UTC_S,
    Journey,
    Sign,
    claims,
    code,
    entry,
    feed,
    north,
    registered,
)
from wire import signcode
from wire.register import RegisterEntry

AT = 90.0


def only(verdicts: list[Verdict]) -> Verdict:
    assert len(verdicts) == 1, [(v.state, v.first_frame, v.last_frame, v.reasons) for v in verdicts]
    encode(verdicts[0])
    return verdicts[0]


def test_an_honest_coded_sign_is_verified() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id) == ("VERIFIED", 14, 14)
    assert verdict.code is not None
    assert verdict.code.sign_id == "01" * 8
    assert verdict.position is not None
    assert verdict.sightings > 50


def test_a_sticker_is_contradicted_and_the_code_is_believed() -> None:
    fooled = Sign(AT, lambda distance: (1, 0.9) if distance < 25 else (14, 0.8), code(AT))
    verdict = only(Journey([fooled], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id) == ("CONTRADICTED", 14, 1)


@pytest.mark.parametrize(("score", "certainty"), [(0.45, 0.9), (0.9, 0.55)])
def test_a_bag_that_now_and_then_looks_like_a_sign_does_not_contradict_the_code(score: float, certainty: float) -> None:
    covered = Sign(AT, lambda distance: (13, certainty), code(AT), score=score)
    verdict = only(Journey([covered], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id) == ("CODE_ONLY", 14)


def test_a_code_of_an_unknown_key_is_forged() -> None:
    forged = signcode.issue(claims(AT), STRANGER).encode()
    verdict = only(Journey([Sign(AT, data=forged)], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.code) == ("FORGED", None, None)
    assert "code_key_unknown" in verdict.reasons


@pytest.mark.parametrize(
    "data", [b"SR1:", b"SR1:" + b"A" * 600, b"<script>alert(1)</script>", b"\x1b[2J'; DROP TABLE x"]
)
def test_a_hostile_payload_under_a_sign_is_forged_and_never_repeated(data: bytes) -> None:
    verdict = only(Journey([Sign(AT, data=data)]).run())
    assert (verdict.state, verdict.class_id, verdict.code) == ("FORGED", None, None)


def test_an_altered_code_is_forged() -> None:
    good = bytearray(code(AT))
    good[-3] = ord("0") if good[-3] != ord("0") else ord("1")
    assert only(Journey([Sign(AT, data=bytes(good))]).run()).state == "FORGED"


def test_a_copied_code_is_misplaced() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT + 500))]).run())
    assert (verdict.state, verdict.class_id) == ("MISPLACED", None)
    assert "code_elsewhere" in verdict.reasons


@pytest.mark.parametrize("at", [AT, AT + 500])
def test_where_the_time_of_the_frames_is_lost_no_code_is_placed_and_none_accused(at: float) -> None:
    verdict = only(Journey([Sign(AT, data=code(at))], untimed_from=1).run())
    assert (verdict.state, verdict.reasons[0], verdict.position) == ("UNVERIFIED", "time_unchecked", None)
    assert verdict.utc_ms == 0


def test_a_code_for_the_other_direction_is_misplaced() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT, heading=180.0))]).run())
    assert (verdict.state, verdict.reasons[0]) == ("MISPLACED", "code_wrong_heading")


@pytest.mark.parametrize(
    ("span", "because"),
    [((UTC_S - 72_000, UTC_S - 3600), "code_expired"), ((UTC_S + 3600, UTC_S + 72_000), "code_not_yet_valid")],
)
def test_a_code_out_of_its_time_is_misplaced(span: tuple[int, int], because: str) -> None:
    data = code(AT, valid_from=span[0], valid_until=span[1])
    verdict = only(Journey([Sign(AT, data=data)]).run())
    assert (verdict.state, verdict.reasons[0]) == ("MISPLACED", because)


@pytest.mark.parametrize(
    ("changes", "because"),
    [({"revoked": True}, "code_revoked"), ({"class_id": 1}, "code_superseded"), ({"lat": 48.5}, "code_superseded")],
)
def test_the_register_overrules_a_code(changes: dict[str, object], because: str) -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], register=registered(entry(AT, **changes))).run())
    assert (verdict.state, verdict.reasons[0]) == ("MISPLACED", because)


def test_many_wrong_modules_are_damage() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT), error_rate=0.06)]).run())
    assert (verdict.state, verdict.class_id) == ("DAMAGED", None)


def test_a_symbol_that_never_decodes_is_damage() -> None:
    assert only(Journey([Sign(AT, data=b"x", unreadable=True)]).run()).state == "DAMAGED"


def test_an_uncoded_unregistered_sign_is_unverified() -> None:
    verdict = only(Journey([Sign(AT)]).run())
    assert (verdict.state, verdict.class_id) == ("UNVERIFIED", 14)
    assert 0.9 < verdict.confidence <= 1


def test_a_sign_whose_class_flips_is_suspect() -> None:
    flips = Sign(AT, lambda distance: (int(distance * 3) % 3, 0.9))
    verdict = only(Journey([flips]).run())
    assert (verdict.state, verdict.class_id) == ("SUSPECT", None)


def test_a_registered_sign_without_its_code_is_suspect() -> None:
    verdict = only(Journey([Sign(AT)], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("SUSPECT", None, "registered_code_not_seen")


def test_a_removed_sign_is_missing() -> None:
    verdict = only(Journey([], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id) == ("MISSING", 14, None)


def test_a_sign_for_the_other_direction_is_not_missing() -> None:
    assert Journey([], register=registered(entry(AT, heading=180.0))).run() == []


def test_nothing_is_missing_that_the_camera_did_not_watch() -> None:
    drive = Journey([], register=registered(entry(AT)), lost_readings=frozenset(range(1000)))
    assert drive.run() == []


def test_a_covered_sign_is_known_by_its_code_alone() -> None:
    verdict = only(Journey([Sign(AT, lambda distance: None, code(AT))], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id) == ("CODE_ONLY", 14, None)


def test_a_code_without_a_position_is_not_verified() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], with_fixes=False).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("UNVERIFIED", 14, "place_unchecked")


def test_a_code_without_a_time_is_not_verified() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], with_fixes=False, with_utc=False).run())
    assert (verdict.state, verdict.reasons[0]) == ("UNVERIFIED", "time_unchecked")


def test_without_a_clock_the_first_fix_is_the_start_of_the_stream() -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], with_utc=False).run())
    assert verdict.state == "VERIFIED"
    assert verdict.utc_ms > UTC_S * 1000


def test_decoders_that_disagree_are_not_believed() -> None:
    def split(frame: int, readings: list[Reading]) -> list[Reading]:
        (reading,) = readings
        place = (reading.x, reading.y, reading.w, reading.h, reading.module_px, reading.error_rate)
        return [Reading(reading.data, ["zbar"], *place), Reading(b"SR1:OTHER", ["zxing"], *place)]

    verdict = only(Journey([Sign(AT, data=code(AT), change=split)]).run())
    assert (verdict.state, verdict.class_id) == ("FORGED", None)
    assert "decoders_disagree" in verdict.reasons


def test_an_oversized_symbol_is_forged() -> None:
    def huge(frame: int, readings: list[Reading]) -> list[Reading]:
        (reading,) = readings
        return [Reading(b"", ["zbar"], reading.x, reading.y, reading.w, reading.h, reading.module_px, None, True)]

    verdict = only(Journey([Sign(AT, data=b"x", change=huge)]).run())
    assert (verdict.state, verdict.reasons[1]) == ("FORGED", "code_oversized")


def test_a_swapped_code_spoils_the_good_one() -> None:
    forged = signcode.issue(claims(AT, 1), STRANGER).encode()

    def swap(frame: int, readings: list[Reading]) -> list[Reading]:
        (reading,) = readings
        place = (reading.x, reading.y, reading.w, reading.h, reading.module_px, reading.error_rate)
        return [Reading(forged if frame % 7 == 0 else reading.data, ["zxing"], *place)]

    assert only(Journey([Sign(AT, data=code(AT), change=swap)]).run()).state == "FORGED"


def test_two_authentic_codes_on_one_panel_conflict() -> None:
    other = code(AT, 1, number=2)

    def swap(frame: int, readings: list[Reading]) -> list[Reading]:
        (reading,) = readings
        place = (reading.x, reading.y, reading.w, reading.h, reading.module_px, reading.error_rate)
        return [Reading(other if frame % 3 == 0 else reading.data, ["zxing"], *place)]

    verdict = only(Journey([Sign(AT, data=code(AT), change=swap)]).run())
    assert (verdict.state, verdict.reasons[0]) == ("FORGED", "codes_conflict")


def test_a_foreign_symbol_without_a_sign_gives_no_verdict() -> None:
    assert Journey([Sign(AT, lambda distance: None, b"https://example.org")]).run() == []


def test_sporadic_boxes_give_no_verdict() -> None:
    source = random.Random(5)

    def clutter(frame: int) -> list[Box]:
        if source.random() < 0.6:
            return []
        x, size = source.uniform(0, 1400), source.uniform(12, 60)
        return [Box(x, 300.0, size, size, 0.5, source.randrange(43), source.uniform(0.2, 0.6))]

    assert Journey([], clutter=clutter).run() == []


def test_gaps_in_the_sightings_do_not_split_a_sign() -> None:
    blinking = Sign(AT, lambda distance: None if int(distance * 1.7) % 4 else (14, 0.9), data=code(AT))
    assert only(Journey([blinking]).run()).state == "VERIFIED"


def test_signs_in_a_row_each_get_their_verdict() -> None:
    signs = [Sign(AT, data=code(AT)), Sign(AT + 60), Sign(AT + 140, data=code(0, number=3))]
    drive = Journey(signs, length_m=320, register=registered(entry(AT), entry(AT + 200, number=2)))
    assert [verdict.state for verdict in drive.run()] == ["VERIFIED", "UNVERIFIED", "MISPLACED", "MISSING"]


# --- recordings that end before the sign is near ------------------------------------------------------------------

UNSETTLED: tuple[Callable[[float], tuple[int, float]], ...] = (
    lambda distance: (14, 0.7),
    lambda distance: (1, 0.97) if distance > 40 else (14, 0.97),
)
ENDS_M = (45.0, 50.0, 55.0, 60.0, 62.0, 66.0, 70.0, 74.0)


@pytest.mark.parametrize("ends_m", ENDS_M)
@pytest.mark.parametrize("known", [True, False])
def test_a_recording_that_ends_before_the_sign_is_near_accuses_nobody(ends_m: float, known: bool) -> None:
    register = registered(entry(AT)) if known else registered(entry(AT + 5000))
    for perceives in (lambda distance: (14, 0.97), *UNSETTLED):
        for verdict in Journey([Sign(AT, perceives, code(AT))], ends_m, register=register).run():
            assert verdict.state == "UNVERIFIED", (ends_m, verdict.reasons)
            assert verdict.reasons[0] in ("perception_alone", "sign_not_reached")


@pytest.mark.parametrize("ends_m", [84.0, 100.0, 150.0])
def test_a_registered_sign_whose_code_would_have_been_read_is_suspect_without_one(ends_m: float) -> None:
    verdict = only(Journey([Sign(AT)], ends_m, register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("SUSPECT", None, "registered_code_not_seen")


def test_a_sticker_that_is_seen_from_afar_only_is_suspect_where_a_registered_sign_stands() -> None:
    verdict = only(Journey([Sign(AT, lambda distance: (1, 0.97))], 66, register=registered(entry(AT))).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("SUSPECT", None, "class_unexpected")


@pytest.mark.parametrize("perceives", UNSETTLED)
def test_what_is_never_settled_is_suspect_once_the_sign_has_gone_by(
    perceives: Callable[[float], tuple[int, float]],
) -> None:
    far_only = Sign(AT, lambda distance: perceives(distance) if distance > 25 else None)
    assert {verdict.state for verdict in Journey([far_only], 150).run()} == {"SUSPECT"}


# --- copies within reach, and what could not be checked -----------------------------------------------------------


def as_sign(number: int, at_m: float, class_id: int, *, shows: bytes) -> Sign:
    return Sign(at_m, lambda distance: (class_id, 0.97), shows)


def across_the_road(frame: int, readings: list[Reading]) -> list[Reading]:
    return [replace(reading, x=1536 - reading.x - reading.w) for reading in readings]


@pytest.mark.parametrize("apart_m", [12.0, 20.0, 30.0])
@pytest.mark.parametrize("stickered", [False, True])
def test_a_code_copied_to_a_registered_neighbour_is_never_acted_on(apart_m: float, stickered: bool) -> None:
    """A stop sign's code is covered by a copy of the code of the speed limit sign a few metres on."""
    genuine = code(AT + apart_m, 7)
    stop = as_sign(2, AT, 7 if stickered else 14, shows=genuine)
    verdicts = Journey(
        [stop, as_sign(1, AT + apart_m, 7, shows=genuine)],
        length_m=220,
        register=registered(entry(AT + apart_m, 7), entry(AT, 14, number=2)),
    ).run()
    assert (verdicts[0].state, verdicts[0].class_id) == ("SUSPECT", None)
    assert all(verdict.class_id in (None, 7) for verdict in verdicts)


def test_registered_neighbours_with_their_own_codes_are_verified() -> None:
    signs = [as_sign(1, AT, 14, shows=code(AT, 14)), as_sign(2, AT + 12, 7, shows=code(AT + 12, 7, number=2))]
    both = registered(entry(AT, 14), entry(AT + 12, 7, number=2))
    assert [verdict.state for verdict in Journey(signs, length_m=180, register=both).run()] == [
        "VERIFIED",
        "VERIFIED",
    ]


@pytest.mark.parametrize("apart_m", [9.0, 17.0, 35.0])
def test_the_second_place_of_one_code_is_misplaced_without_a_register_too(apart_m: float) -> None:
    """Both are in sight at once, or the vehicle has left the first behind, or the second is out of reach."""
    copy = Sign(AT + apart_m, lambda distance: None, code(AT), code_from_m=17.0, change=across_the_road)
    verdict = Journey([Sign(AT, data=code(AT)), copy], length_m=220).run()[-1]
    assert (verdict.state, verdict.class_id) == ("MISPLACED", None)


def test_a_copy_nearby_does_not_take_the_registers_protection_from_a_sign() -> None:
    """The sign is stickered, its code is covered, and a copy of the code hangs across the road."""
    stickered = Sign(AT, lambda distance: (1, 0.97))
    copy = Sign(AT, lambda distance: None, code(AT), change=across_the_road)
    verdicts = Journey([stickered, copy], register=registered(entry(AT))).run()
    assert ("SUSPECT", None) in [(verdict.state, verdict.class_id) for verdict in verdicts]
    assert 1 not in {verdict.class_id for verdict in verdicts}


class AcrossTheRoad(Sign):
    """A sign of a side road, seven metres to the left of the others."""

    def box(self, distance: float) -> Box | None:
        box = super().box(distance)
        return None if box is None else replace(box, x=box.x - FOCAL * 7 / distance)


@pytest.mark.parametrize("apart_m", [-3.0, 0.0, 4.0])
def test_the_entry_of_a_neighbour_that_is_verified_itself_accuses_no_sign_of_a_side_road(apart_m: float) -> None:
    """Its code is turned away too far to be read, and its entry speaks to another road."""
    side = AcrossTheRoad(AT + apart_m, lambda distance: (20, 0.97))
    for neighbour, state in ((Sign(AT, data=code(AT)), "UNVERIFIED"), (Sign(AT), "SUSPECT")):
        verdicts = Journey([neighbour, side], register=registered(entry(AT))).run()
        found = {verdict.perceived_class_id: verdict.state for verdict in verdicts}
        assert found == {14: "VERIFIED" if neighbour.data else "SUSPECT", 20: state}


def test_an_inaccurate_fix_never_puts_a_code_in_its_place() -> None:
    inaccurate = Journey(
        [Sign(AT + 85, data=code(AT))], length_m=220, accuracy_m=9999.0, register=registered(entry(AT))
    )
    verdict = only([found for found in inaccurate.run() if found.state != "MISSING"])
    assert (verdict.state, verdict.reasons[0]) == ("UNVERIFIED", "place_unchecked")


@pytest.mark.parametrize(
    ("changes", "because"),
    [({"valid_until": UTC_S - 3600}, "code_expired"), ({"valid_from": UTC_S + 3600}, "code_not_yet_valid")],
)
def test_the_registers_validity_counts_as_well_as_the_codes_own(changes: dict[str, object], because: str) -> None:
    verdict = only(Journey([Sign(AT, data=code(AT))], register=registered(entry(AT, **changes))).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("MISPLACED", None, because)


@pytest.mark.parametrize("jammed_from_m", [15.0, 40.0, 70.0])
def test_where_the_register_cannot_be_asked_an_uncoded_sign_is_suspect(jammed_from_m: float) -> None:
    jammed = Journey(
        [Sign(AT, lambda distance: (1, 0.97))], register=registered(entry(AT)), jammed_from_m=jammed_from_m
    )
    verdict = only(jammed.run())
    assert (verdict.state, verdict.class_id) == ("SUSPECT", None)
    assert verdict.reasons[0] in {"register_unchecked", "registered_code_not_seen"}


def test_an_inaccurate_fix_does_not_tell_that_no_registered_sign_is_here() -> None:
    far = registered(entry(AT + 2000))
    verdict = only(Journey([Sign(AT)], register=far, accuracy_m=60.0).run())
    assert (verdict.state, verdict.reasons[0]) == ("SUSPECT", "register_unchecked")


@pytest.mark.parametrize("entries", [[], [entry(AT + 2000)]])
def test_without_any_position_source_an_uncoded_sign_is_unverified(entries: list[RegisterEntry]) -> None:
    verdict = only(Journey([Sign(AT)], register=registered(*entries), with_fixes=False).run())
    assert (verdict.state, verdict.class_id, verdict.reasons[0]) == ("UNVERIFIED", 14, "perception_alone")


@pytest.mark.parametrize(("face", "state"), [((14, 0.97), "UNVERIFIED"), ((1, 0.97), "SUSPECT"), (None, "SUSPECT")])
def test_a_code_whose_errors_could_not_be_counted_is_not_verified(face: tuple[int, float] | None, state: str) -> None:
    sign = Sign(AT, lambda distance: face, code(AT), error_rate=None)
    verdict = only(Journey([sign], register=registered(entry(AT))).run())
    assert (verdict.state, verdict.reasons[0]) == (state, "error_rate_unmeasured")


# --- order, restarts, floods --------------------------------------------------------------------------------------

BUSY = Journey(
    [Sign(AT, data=code(AT)), Sign(AT + 60), Sign(AT + 140, data=code(0, number=3))],
    length_m=320,
    register=registered(entry(AT), entry(AT + 200, number=2)),
)


def test_the_verdicts_do_not_depend_on_the_order_of_arrival() -> None:
    expected = BUSY.run()
    source = random.Random(3)
    for _ in range(3):
        queues = [
            [BUSY.sightings(frame) for frame in range(BUSY.frames)],
            [BUSY.readings(frame) for frame in range(BUSY.frames)],
            BUSY.fixes(),
        ]
        judge, verdicts = BUSY.judge(), []
        while any(queues):
            longest = max((len(queue) for queue in queues[:2]), default=0)
            queue = source.choice([q for q in queues if q and (q is queues[2] or len(q) > longest - 50)])
            verdicts += feed(judge, queue.pop(0))  # type: ignore[arg-type]
        verdicts += judge.on_fixes_end() + judge.finish()
        assert verdicts == expected


def test_duplicates_and_old_messages_are_ignored() -> None:
    judge, verdicts = BUSY.judge(), []
    for fix in BUSY.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()
    for message in BUSY.messages():
        for again in (message, message):
            verdicts += feed(judge, again)
    assert verdicts + judge.finish() == BUSY.run()
    assert judge.ignored == 2 * BUSY.frames


def test_a_restart_from_a_snapshot_changes_nothing() -> None:
    judge, verdicts = BUSY.judge(), []
    for fix in BUSY.fixes():
        verdicts += judge.on_fix(fix)
    verdicts += judge.on_fixes_end()
    for number, message in enumerate(BUSY.messages()):
        verdicts += feed(judge, message)
        if number % 40 == 7:
            saved = judge.snapshot()
            judge = BUSY.judge()
            judge.restore(saved)
    assert verdicts + judge.finish() == BUSY.run()


def test_a_restart_without_a_snapshot_never_verifies_by_halves() -> None:
    """What is left of the pass may be too little for a verdict, but never turns into a wrong verdict."""
    drive = Journey([Sign(AT, data=code(AT + 500))], register=registered(entry(AT)))
    for first in range(60, drive.frames, 5):
        judge, verdicts = drive.judge(), []
        for fix in drive.fixes():
            verdicts += judge.on_fix(fix)
        verdicts += judge.on_fixes_end()
        for frame in range(first, drive.frames):
            verdicts += judge.on_sightings(drive.sightings(frame)) + judge.on_readings(drive.readings(frame))
        assert {v.state for v in verdicts + judge.finish()} <= {"MISPLACED", "SUSPECT"}


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\xc1" * 40, b"\x91" * 5000, b"\x80"])
def test_a_spoilt_snapshot_is_refused(damage: bytes) -> None:
    judge = BUSY.judge()
    before = judge.snapshot()
    with pytest.raises(SnapshotError):
        judge.restore(damage)
    assert judge.snapshot() == before


def test_a_snapshot_of_another_stream_is_refused() -> None:
    with pytest.raises(SnapshotError, match="another stream"):
        BUSY.judge(stream="one").restore(BUSY.judge(stream="two").snapshot())


def test_a_flood_stays_within_bounds() -> None:
    source = random.Random(1)
    judge = Journey([], register=registered(entry(AT))).judge()
    for frame in range(60):
        boxes = [
            Box(source.uniform(0, 1500), source.uniform(0, 800), 30.0, 30.0, 1.0, source.randrange(43), 1.0)
            for _ in range(64)
        ]
        readings = [
            Reading(source.randbytes(1024), ["zbar"], source.uniform(0, 1400), 300.0, 60.0, 60.0, 4.0, 0.1)
            for _ in range(8)
        ]
        judge.on_sightings(Sightings(frame, frame * 33, 1536, 864, boxes))
        judge.on_readings(Readings(frame, frame * 33, 1536, 864, readings))
        judge.on_fix(Fix(UTC_S * 1000 + frame, north(0), 11.0, 0.0, 3.0))
    assert len(judge.snapshot()) < MAX_SNAPSHOT_BYTES
    assert len(judge.finish()) < 200


def test_readings_without_sightings_are_held_back_within_bounds() -> None:
    judge = Journey([]).judge()
    for frame in range(500):
        judge.on_readings(
            Readings(frame, frame * 33, 1536, 864, [Reading(b"x" * 1024, ["zbar"], 1.0, 1.0, 9.0, 9.0, 4.0, None)] * 8)
        )
    assert len(judge.snapshot()) < MAX_SNAPSHOT_BYTES


@pytest.mark.parametrize("side", [Sightings, Readings])
def test_a_leap_into_the_future_is_not_believed(side: type[Sightings | Readings]) -> None:
    """Both may leap: over damaged frames, which capture shows to nobody. One alone does not."""
    drive = Journey([Sign(AT, data=code(AT))])
    judge, verdicts = drive.judge(), []
    for fix in drive.fixes():
        judge.on_fix(fix)
    judge.on_fixes_end()
    for message in drive.messages():
        verdicts += feed(judge, message)
        if message.frame == 50:
            verdicts += feed(judge, side(2**40, 2**48, 1536, 864, []))
    assert [v.state for v in verdicts + judge.finish()] == ["VERIFIED"]


def test_fixes_are_refused_when_the_buffer_is_full_and_wanted_again_later() -> None:
    judge = Journey([]).judge()
    for number in range(3000):
        judge.on_fix(Fix(UTC_S * 1000 + number * 1000, north(number), 11.0, 0.0, 3.0))
    assert not judge.wants_fixes
    judge.start((UTC_S + 2000) * 1000)
    judge.on_sightings(Sightings(0, 0, 1536, 864, []))
    judge.on_readings(Readings(0, 0, 1536, 864, []))
    assert judge.wants_fixes


def second_place(frame: int, readings: list[Reading]) -> list[Reading]:
    return readings + [replace(reading, x=200.0, y=500.0) for reading in readings]


def wrong_modules(frame: int, readings: list[Reading]) -> list[Reading]:
    return [replace(reading, error_rate=0.2) for reading in readings]


def another_symbol(frame: int, readings: list[Reading]) -> list[Reading]:
    return readings + [replace(reading, data=b"SR1:" + b"A" * 90) for reading in readings]


@pytest.mark.parametrize(
    ("change", "state"), [(second_place, "MISPLACED"), (wrong_modules, "DAMAGED"), (another_symbol, "FORGED")]
)
def test_the_code_reader_can_spoil_a_code_and_make_none(
    change: Callable[[int, list[Reading]], list[Reading]], state: str
) -> None:
    """What a fallen code reader can do to an honest sign, as the threat model says: its class is not acted on."""
    sign = Sign(AT, data=code(AT), change=change)
    verdicts = Journey([sign], register=registered(entry(AT))).run()
    assert state in {verdict.state for verdict in verdicts}
    assert all(verdict.class_id is None for verdict in verdicts if verdict.state == state)
