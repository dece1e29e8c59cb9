"""From the evidence to the verdict: each field of it, exactly."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from device.channel.messages import CodeClaims, Place, Verdict
from device.verdict.decision.code_evidence import Checked, CodeEvidence
from device.verdict.decision.judgement import Case, about, absent, inputs, judge
from device.verdict.decision.table import (
    TABLE,
    Code,
    Consistency,
    ErrorRate,
    InForce,
    Inputs,
    Perception,
    Registered,
    Where,
)
from device.verdict.persistence import sound
from device.verdict.state import ExpectedSign
from device.verdict.tracking.association import PhysicalSign
from device.verdict.tracking.faces import Perceived
from device.verdict.trust import Trust
from tests.support.verdict_drive import UTC_S
from tests.support.verdict_samples import ID, OTHER_ID, UTC_MS, claimed, face, listed, panel, pose, sight, unrounded

HUNG = panel(7, b"SR1:A", first=6, last=30, sight=sight(6, 30, utc_ms=UTC_MS + 1200, last_pose=pose(9.0), pose_ms=1200))
SIGN = PhysicalSign([face(1, 5, 20)], [HUNG])
CLAIMS = claimed(10.0)
FOUND = CodeEvidence(Code.AUTHENTIC, Checked(Code.AUTHENTIC, CLAIMS, b"\x0a" * 8), 0.01, 42, HUNG)
SEEN = Perceived(14, 0.9, 0.8, 16, (), 1.0)
GOOD = Case(SIGN, FOUND, SEEN, None, Where.FITS, True)
ALONE = replace(GOOD, found=CodeEvidence(), where=Where.UNKNOWN)
PLACE = Place(pose(9.0).lat, 0.0, 0.0, 3.0)


def test_a_verified_sign_carries_all_that_is_known_of_it() -> None:
    claims = CodeClaims("01" * 8, 14, CLAIMS.lat, CLAIMS.lon, 0.0, UTC_S - 3600, UTC_S + 60, "0a" * 8, 0.01, 42)
    assert judge(GOOD, None, "test:5:30:1") == Verdict(
        verdict_id="test:5:30:1",
        state="VERIFIED",
        class_id=14,
        perceived_class_id=14,
        confidence=1.0,
        first_frame=5,
        last_frame=30,
        utc_ms=UTC_MS + 1200,
        sightings=16,
        code=claims,
        position=PLACE,
        reasons=["code_and_perception_agree"],
    )


def test_what_perception_alone_says_is_as_sure_as_its_share_and_its_certainty() -> None:
    seen = Perceived(3, 0.87654, 0.76543, 11, (), 1.0)
    assert judge(replace(ALONE, seen=seen), None, "test:5:30:2") == Verdict(
        "test:5:30:2",
        "UNVERIFIED",
        3,
        3,
        0.6709,
        5,
        30,
        UTC_MS + 1200,
        11,
        None,
        PLACE,
        ["perception_alone"],
    )


def test_a_contradicted_sign_is_that_of_its_code_and_fully_sure() -> None:
    verdict = judge(replace(GOOD, seen=Perceived(1, 0.9, 0.8, 16, (), 1.0)), None, "x")
    assert verdict is not None
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id, verdict.confidence) == (
        "CONTRADICTED",
        14,
        1,
        1.0,
    )


def test_a_suspect_sign_has_no_class_but_what_perception_said() -> None:
    verdict = judge(replace(ALONE, entry=listed()), None, "x")
    assert verdict is not None
    assert (verdict.state, verdict.class_id, verdict.perceived_class_id, verdict.confidence, verdict.code) == (
        "SUSPECT",
        None,
        14,
        0.72,
        None,
    )


def test_a_registered_sign_whose_face_is_not_recognised_is_missing_with_the_registers_class() -> None:
    verdict = judge(replace(ALONE, seen=Perceived(), entry=listed(class_id=3)), None, "x")
    assert verdict is not None
    assert (verdict.state, verdict.class_id, verdict.confidence, verdict.sightings) == ("MISSING", 3, 0.0, 0)


@pytest.mark.parametrize(
    ("share", "certainty", "confidence"), [(1.0, 1.0000001, 1.0), (1.1, 1.1, 1.0), (0.6, 0.6, 0.36)]
)
def test_confidence_is_one_at_most(share: float, certainty: float, confidence: float) -> None:
    verdict = judge(replace(ALONE, seen=Perceived(14, share, certainty, 16, (), 1.0)), None, "x")
    assert verdict is not None
    assert verdict.confidence == confidence
    assert sound(verdict)


def test_what_is_no_sign_gets_no_verdict() -> None:
    assert judge(replace(ALONE, seen=Perceived()), None, "x") is None
    foreign = CodeEvidence(Code.FOREIGN, Checked(Code.FOREIGN), None, 5, HUNG)
    assert judge(replace(ALONE, seen=Perceived(), found=foreign), None, "x") is None


def test_without_a_pose_there_is_no_position() -> None:
    verdict = judge(replace(ALONE, sign=PhysicalSign([face(1, 5, 20)], [])), None, "x")
    assert verdict is not None
    assert (verdict.position, verdict.first_frame, verdict.last_frame) == (None, 5, 20)


def test_a_missing_sign_is_told_fully_sure_with_its_place_and_the_registers_class() -> None:
    passing = ExpectedSign(
        ID, 3, 9, 360, 25.0, 6.0, 4.0, 19.0, 9.0, 6.0, 400, UTC_MS + 360, pose(7.0, heading=None), True
    )
    told = Verdict(
        verdict_id="test:3:9:1",
        state="MISSING",
        class_id=14,
        perceived_class_id=None,
        confidence=1.0,
        first_frame=3,
        last_frame=9,
        utc_ms=UTC_MS + 360,
        sightings=0,
        code=None,
        position=Place(pose(7.0).lat, 0.0, None, 3.0),
        reasons=["registered_sign_not_seen"],
    )
    assert absent(passing, unrounded(listed()), "test:3:9:1") == told
    other = absent(passing, unrounded(listed(sign_id=OTHER_ID)), "test:3:9:1")
    assert (other.class_id, absent(passing, None, "test:3:9:1").class_id) == (None, None)
    passing.pose = None
    assert absent(passing, None, "test:3:9:1").position is None


# --- reasons ------------------------------------------------------------------------------------------------------


def test_the_reasons_are_the_rows_then_the_codes_then_the_doubts_each_once() -> None:
    strange = CodeEvidence(Code.BAD_FORMAT, panel=HUNG, reasons=("decoders_disagree", "class_flips"))
    seen = replace(SEEN, doubts=("class_flips", "shape_odd"))
    verdict = judge(replace(ALONE, found=strange, seen=seen), None, "x")
    assert verdict is not None
    assert verdict.reasons == ["code_format_bad", "decoders_disagree", "class_flips", "shape_odd"]


@pytest.mark.parametrize("doubts", [14, 15, 16, 40])
def test_the_first_sixteen_reasons_are_told(doubts: int) -> None:
    words = tuple(f"doubt_{number}" for number in range(doubts))
    verdict = judge(replace(GOOD, seen=replace(SEEN, doubts=words)), None, "x")
    assert verdict is not None
    assert verdict.reasons == ["code_and_perception_agree", *words][:16]


# --- what a case is about -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        (Where.FITS, True),
        (Where.TWICE, True),
        (Where.ELSEWHERE, False),
        (Where.WRONG_HEADING, False),
        (Where.ANOTHERS, False),
        (Where.UNKNOWN, False),
    ],
)
def test_a_case_is_about_the_sign_of_its_code_where_that_fits_else_about_that_of_its_place(
    where: Where, shown: bool
) -> None:
    case = replace(GOOD, where=where)
    assert case.shown == (CLAIMS if shown else None)
    assert about(case) == ({ID} if shown else set())
    assert about(replace(case, entry=listed(sign_id=OTHER_ID))) == {ID if shown else OTHER_ID}
    assert about(replace(case, found=CodeEvidence(), entry=listed(sign_id=OTHER_ID))) == {OTHER_ID}


# --- the table's terms --------------------------------------------------------------------------------------------


def test_the_evidence_in_the_tables_terms() -> None:
    assert inputs(GOOD, None) == Inputs(
        Code.AUTHENTIC,
        InForce.YES,
        Where.FITS,
        ErrorRate.NORMAL,
        Perception.AGREES,
        Registered.NO_ENTRY,
        Consistency.OK,
    )
    revoked = unrounded(listed(10.0, revoked=True))
    worse = replace(GOOD, found=replace(FOUND, error_rate=0.03), seen=replace(SEEN, doubts=("shape_odd",)))
    assert inputs(replace(worse, where=Where.TWICE, entry=listed()), revoked) == Inputs(
        Code.AUTHENTIC,
        InForce.REVOKED,
        Where.TWICE,
        ErrorRate.HIGH,
        Perception.AGREES,
        Registered.ENTRY,
        Consistency.DISAGREES,
    )


def test_what_nothing_is_known_of_in_the_tables_terms() -> None:
    assert inputs(replace(ALONE, seen=Perceived(), can_tell=False), None) == Inputs(
        Code.NONE,
        InForce.UNKNOWN_TIME,
        Where.UNKNOWN,
        ErrorRate.UNMEASURED,
        Perception.NOTHING,
        Registered.UNKNOWN,
        Consistency.OK,
    )
    assert inputs(replace(ALONE, entry=listed(), can_tell=False), None).registered is Registered.ENTRY


@pytest.mark.parametrize(
    ("seen", "coded", "said"),
    [
        (Perceived(), 14, Perception.NOTHING),
        (Perceived(14, 0.6, 0.1, 9), 14, Perception.AGREES),
        (Perceived(14, 0.59, 0.9, 9, (), 1.0), 14, Perception.UNSTABLE),
        (Perceived(1, 0.6, 0.6, 9, (), 0.5), 14, Perception.OTHER_CLASS_STABLE),
        (Perceived(1, 0.6, 0.59, 9, (), 0.5), 14, Perception.UNSTABLE),
        (Perceived(1, 0.6, 0.6, 9, (), 0.49), 14, Perception.UNSTABLE),
        (Perceived(1, 0.59, 0.6, 9, (), 0.5), 14, Perception.UNSTABLE),
        (Perceived(1, 0.6, 0.1, 9), None, Perception.AGREES),
        (Perceived(0, 0.6, 0.1, 9), 0, Perception.AGREES),
        (Perceived(0, 0.59, 0.1, 9), None, Perception.UNSTABLE),
    ],
)
def test_what_perception_says_against_the_class_that_is_claimed(
    seen: Perceived, coded: int | None, said: Perception
) -> None:
    for found, entry in (
        (replace(FOUND, checked=Checked(Code.AUTHENTIC, claimed(class_id=coded))), listed(class_id=30)),
        (CodeEvidence(), listed(class_id=coded)),
    ):
        case = replace(GOOD, found=found, entry=entry, seen=seen)
        if coded is None:
            case = replace(case, found=CodeEvidence(), entry=None)
        assert inputs(case, None).perception is said


def test_unless_it_is_said_the_table_looks_at_nothing_good() -> None:
    assert Inputs() == Inputs(
        Code.NONE,
        InForce.UNKNOWN_TIME,
        Where.UNKNOWN,
        ErrorRate.NORMAL,
        Perception.NOTHING,
        Registered.NO_ENTRY,
        Consistency.OK,
    )


@pytest.mark.parametrize(
    "evidence", [SEEN, FOUND, FOUND.checked, GOOD, Inputs(), TABLE[0], Trust()], ids=lambda one: type(one).__name__
)
def test_evidence_cannot_be_changed_once_it_is_gathered(evidence: object) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(evidence, next(iter(vars(evidence))), None)
