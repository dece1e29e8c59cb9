"""The verdict table is complete, has no dead row, and never lets an unchecked claim through."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from device.verdict.decision.table import (
    ACTED_ON,
    COLUMNS,
    TABLE,
    Code,
    Consistency,
    ErrorRate,
    InForce,
    Inputs,
    Perception,
    Registered,
    Where,
    decide,
)


def every_combination() -> Iterator[Inputs]:
    for values in itertools.product(*(kind for _, kind in COLUMNS)):
        yield Inputs(*values)


def test_every_combination_has_an_answer_and_every_row_decides_some() -> None:
    rows = {id(decide(inputs)) for inputs in every_combination()}
    assert rows == {id(row) for row in TABLE}


def test_every_state_names_its_class_source() -> None:
    assert {row.state for row in TABLE} - {"NO_VERDICT"} == set(ACTED_ON)


def test_verified_needs_everything_to_be_good() -> None:
    for inputs in every_combination():
        if decide(inputs).state == "VERIFIED":
            assert inputs.code is Code.AUTHENTIC
            assert inputs.in_force is InForce.YES
            assert inputs.where is Where.FITS
            assert inputs.error_rate is ErrorRate.NORMAL
            assert inputs.perception is Perception.AGREES


def test_a_class_from_the_code_needs_an_authentic_code_in_force_and_in_place() -> None:
    for inputs in every_combination():
        state = decide(inputs).state
        if state != "NO_VERDICT" and ACTED_ON[state] == "code":
            assert (inputs.code, inputs.in_force, inputs.where) == (Code.AUTHENTIC, InForce.YES, Where.FITS)
            assert inputs.error_rate is ErrorRate.NORMAL


def test_a_bad_code_is_forged_whatever_else_is_known() -> None:
    for inputs in every_combination():
        if inputs.code in (Code.BAD_FORMAT, Code.BAD_SIGNATURE, Code.UNKNOWN_KEY, Code.CONFLICTING):
            assert decide(inputs).state == "FORGED"


def test_silence_without_a_register_entry_gives_no_verdict() -> None:
    for inputs in every_combination():
        if inputs.code is Code.NONE and inputs.perception is Perception.NOTHING:
            expected = "MISSING" if inputs.registered is Registered.ENTRY else "NO_VERDICT"
            assert decide(inputs).state == expected


GOOD = {"code": Code.AUTHENTIC, "in_force": InForce.YES, "where": Where.FITS, "perception": Perception.AGREES}


@pytest.mark.parametrize(
    ("changes", "state", "because"),
    [
        ({}, "VERIFIED", "code_and_perception_agree"),
        ({"consistency": Consistency.DISAGREES}, "VERIFIED", "code_and_perception_agree"),
        ({"registered": Registered.ENTRY}, "VERIFIED", "code_and_perception_agree"),
        ({"perception": Perception.OTHER_CLASS_STABLE}, "CONTRADICTED", "perception_says_otherwise"),
        ({"perception": Perception.UNSTABLE}, "CODE_ONLY", "perception_unstable"),
        ({"perception": Perception.NOTHING}, "CODE_ONLY", "no_sign_recognised"),
        ({"code": Code.BAD_FORMAT}, "FORGED", "code_format_bad"),
        ({"code": Code.BAD_SIGNATURE}, "FORGED", "code_signature_bad"),
        ({"code": Code.UNKNOWN_KEY}, "FORGED", "code_key_unknown"),
        ({"code": Code.CONFLICTING}, "FORGED", "codes_conflict"),
        ({"code": Code.FOREIGN}, "FORGED", "code_not_ours"),
        ({"code": Code.FOREIGN, "perception": Perception.NOTHING}, "NO_VERDICT", "foreign_symbol"),
        (
            {"code": Code.FOREIGN, "perception": Perception.NOTHING, "registered": Registered.ENTRY},
            "FORGED",
            "code_not_ours",
        ),
        ({"code": Code.UNREADABLE}, "DAMAGED", "code_unreadable"),
        ({"code": Code.UNREADABLE, "perception": Perception.NOTHING}, "NO_VERDICT", "symbol_without_sign"),
        (
            {"code": Code.UNREADABLE, "perception": Perception.NOTHING, "registered": Registered.ENTRY},
            "DAMAGED",
            "code_unreadable",
        ),
        ({"in_force": InForce.REVOKED}, "MISPLACED", "code_revoked"),
        ({"in_force": InForce.SUPERSEDED}, "MISPLACED", "code_superseded"),
        ({"in_force": InForce.EXPIRED}, "MISPLACED", "code_expired"),
        ({"in_force": InForce.NOT_YET}, "MISPLACED", "code_not_yet_valid"),
        ({"where": Where.ELSEWHERE}, "MISPLACED", "code_elsewhere"),
        ({"where": Where.WRONG_HEADING}, "MISPLACED", "code_wrong_heading"),
        ({"where": Where.ANOTHERS}, "SUSPECT", "code_of_another_sign"),
        ({"where": Where.TWICE}, "MISPLACED", "code_at_two_places"),
        ({"error_rate": ErrorRate.UNMEASURED}, "UNVERIFIED", "error_rate_unmeasured"),
        (
            {"error_rate": ErrorRate.UNMEASURED, "perception": Perception.OTHER_CLASS_STABLE},
            "SUSPECT",
            "error_rate_unmeasured",
        ),
        ({"error_rate": ErrorRate.HIGH}, "DAMAGED", "code_error_rate_high"),
        ({"in_force": InForce.EXPIRED, "error_rate": ErrorRate.HIGH}, "MISPLACED", "code_expired"),
        ({"in_force": InForce.UNKNOWN_TIME}, "UNVERIFIED", "time_unchecked"),
        ({"in_force": InForce.UNKNOWN_TIME, "perception": Perception.NOTHING}, "SUSPECT", "time_unchecked"),
        ({"where": Where.UNKNOWN}, "UNVERIFIED", "place_unchecked"),
        ({"where": Where.UNKNOWN, "perception": Perception.OTHER_CLASS_STABLE}, "SUSPECT", "place_unchecked"),
        ({"where": Where.UNKNOWN, "error_rate": ErrorRate.HIGH}, "DAMAGED", "code_error_rate_high"),
        ({"code": Code.NONE}, "UNVERIFIED", "perception_alone"),
        ({"code": Code.NONE, "consistency": Consistency.DISAGREES}, "SUSPECT", "consistency_checks_disagree"),
        ({"code": Code.NONE, "perception": Perception.UNSTABLE}, "SUSPECT", "class_unstable"),
        ({"code": Code.NONE, "registered": Registered.UNREACHED}, "UNVERIFIED", "sign_not_reached"),
        (
            {"code": Code.NONE, "registered": Registered.UNREACHED, "perception": Perception.OTHER_CLASS_STABLE},
            "SUSPECT",
            "class_unexpected",
        ),
        (
            {"code": Code.NONE, "registered": Registered.UNREACHED, "consistency": Consistency.DISAGREES},
            "SUSPECT",
            "consistency_checks_disagree",
        ),
        ({"code": Code.NONE, "consistency": Consistency.UNFINISHED}, "NO_VERDICT", "pass_unfinished"),
        (
            {"code": Code.NONE, "consistency": Consistency.UNFINISHED, "registered": Registered.ENTRY},
            "SUSPECT",
            "registered_code_not_seen",
        ),
        ({"consistency": Consistency.UNFINISHED}, "VERIFIED", "code_and_perception_agree"),
        ({"code": Code.NONE, "perception": Perception.OTHER_CLASS_STABLE}, "SUSPECT", "class_unexpected"),
        ({"code": Code.NONE, "perception": Perception.NOTHING}, "NO_VERDICT", "nothing_seen"),
        ({"code": Code.NONE, "registered": Registered.UNKNOWN}, "SUSPECT", "register_unchecked"),
        (
            {"code": Code.NONE, "registered": Registered.UNKNOWN, "perception": Perception.NOTHING},
            "NO_VERDICT",
            "nothing_seen",
        ),
        (
            {"code": Code.FOREIGN, "registered": Registered.UNKNOWN, "perception": Perception.NOTHING},
            "NO_VERDICT",
            "foreign_symbol",
        ),
        ({"code": Code.NONE, "registered": Registered.ENTRY}, "SUSPECT", "registered_code_not_seen"),
        (
            {"code": Code.NONE, "registered": Registered.ENTRY, "perception": Perception.NOTHING},
            "MISSING",
            "registered_sign_not_seen",
        ),
    ],
)
def test_row(changes: dict[str, object], state: str, because: str) -> None:
    row = decide(Inputs(**(GOOD | changes)))  # type: ignore[arg-type]
    assert (row.state, row.because) == (state, because)
