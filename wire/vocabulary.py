"""The words that cross machines: every table over them, on the device and at the receiver, is typed by them.

A word that is added here makes `mypy --strict` and `tests/unit/test_vocabulary.py` name each table that lacks it.
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
"""What Sealcam holds to be true about one physical sign (DESIGN.md, Verdicts)."""

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
    "alive",
]
"""What the device says of itself."""

STATES: Final[tuple[StateName, ...]] = get_args(StateName)
COMPARTMENTS: Final[tuple[CompartmentName, ...]] = get_args(CompartmentName)
HEALTH_KINDS: Final[tuple[HealthKind, ...]] = get_args(HealthKind)

_Word = TypeVar("_Word", bound=str)


def word(text: str, words: tuple[_Word, ...]) -> _Word | None:
    """The word of the vocabulary that `text` is, from our own table; None where it is none."""
    return next((known for known in words if known == text), None)
