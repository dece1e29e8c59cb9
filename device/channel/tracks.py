"""Why a point of a track was left out: a fixed vocabulary, so that position's facts hold words and never a text."""

from __future__ import annotations

from typing import Final, Literal, get_args

LeftOut = Literal[
    "alone",
    "before_fix",
    "damaged",
    "impossible",
    "no_fix",
    "no_place",
    "no_time",
    "out_of_order",
    "repeated",
]
LEFT_OUT: Final[tuple[LeftOut, ...]] = get_args(LeftOut)

LEFT_OUT_WORDS: Final[dict[LeftOut, str]] = {
    "alone": "with no other near it in time that agrees",
    "before_fix": "of before the receiver's first fix",
    "damaged": "damaged or cut off",
    "impossible": "where no vehicle can have been then",
    "no_fix": "that the receiver itself calls no fix",
    "no_place": "without a place on Earth",
    "no_time": "without a time that can be read",
    "out_of_order": "that go back in time",
    "repeated": "with the same time as another",
}
"""What the screen says after the number of points."""

PREFIX: Final = "left_"
"""A fact of position that counts points left out is named by this and the word."""
