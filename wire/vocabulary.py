"""The words that cross machines. Every table over them, on the device and at the receiver, is typed by them.

`tests/unit/test_vocabulary.py` names each table that lacks a word that is added here; `mypy --strict` finds each use of
a word that is taken away.
"""

from __future__ import annotations

from typing import Final, Literal, TypeVar, get_args

StateName = Literal[
    "VERIFIED",
    "CONTRADICTED",
    "FORGED",
    "MISPLACED",
    "DAMAGED",
    "CODE_ONLY",
    "MISSING",
    "UNVERIFIED",
    "SUSPECT",
]
"""What Sealcam holds to be true about one physical sign; `device.verdict.decision.table` says when."""

CompartmentName = Literal[
    "capture",
    "perception",
    "codes",
    "position",
    "verdict",
    "sealer",
    "uplink",
    "indicator",
    "dialer",
    "annotator",
    "warden",
]
"""The device's processes."""

HealthKind = Literal[
    "started",
    "stopped",
    "restarted",
    "invalid_message",
    "budget_spent",
    "degraded",
    "tamper",
    "spool_full",
    "overload",
    "input_damaged",
    "alive",
    "unsealed",
    "clock_unsure",
]
"""What the device says of itself."""

ReasonName = Literal[
    "code_format_bad",
    "code_signature_bad",
    "code_key_unknown",
    "codes_conflict",
    "code_not_ours",
    "code_unreadable",
    "code_revoked",
    "code_superseded",
    "code_expired",
    "code_not_yet_valid",
    "code_elsewhere",
    "code_wrong_heading",
    "code_of_another_sign",
    "code_at_two_places",
    "code_error_rate_high",
    "time_unchecked",
    "place_unchecked",
    "error_rate_unmeasured",
    "code_and_perception_agree",
    "perception_says_otherwise",
    "perception_unstable",
    "no_sign_recognised",
    "registered_sign_not_seen",
    "registered_code_not_seen",
    "register_unchecked",
    "class_unstable",
    "consistency_checks_disagree",
    "perception_alone",
    "sign_not_reached",
    "class_unexpected",
    # what is said beside the word that decided
    "decoders_disagree",
    "code_oversized",
    "code_keeps_changing",
    "class_flips",
    "class_uncertain",
    "shape_odd",
    "moves_with_vehicle",
]
"""Why a verdict is what it is: first the word of the rule that decided, then whatever else was noticed.

A verdict may carry words that are not here: they come from a newer device, and are never shown as they are.
"""

STATES: Final[tuple[StateName, ...]] = get_args(StateName)
COMPARTMENTS: Final[tuple[CompartmentName, ...]] = get_args(CompartmentName)
HEALTH_KINDS: Final[tuple[HealthKind, ...]] = get_args(HealthKind)
REASONS: Final[tuple[ReasonName, ...]] = get_args(ReasonName)

_Word = TypeVar("_Word", bound=str)


def word(text: str, words: tuple[_Word, ...]) -> _Word | None:
    """`text` as a word of the vocabulary; None where it is not in it."""
    return next((known for known in words if known == text), None)
