"""What can be wrong with a track: a fixed vocabulary, so that facts hold words and never a text."""

from __future__ import annotations

from typing import Final, Literal, get_args

LeftOut = Literal[
    "alone",
    "before_fix",
    "contradicted",
    "damaged",
    "decimal_comma",
    "held",
    "impossible",
    "no_checksum",
    "no_date",
    "no_fix",
    "no_place",
    "no_time",
    "not_degrees",
    "repeated",
]
LEFT_OUT: Final[tuple[LeftOut, ...]] = get_args(LeftOut)

LEFT_OUT_WORDS: Final[dict[LeftOut, str]] = {
    "alone": "with no other near it in time that agrees",
    "before_fix": "of before the receiver's first fix",
    "contradicted": "of two recordings of the same time that contradict each other",
    "damaged": "damaged or cut off",
    "decimal_comma": "with decimal commas",
    "held": "where the receiver only repeated its last place",
    "impossible": "where no vehicle can have been then",
    "no_checksum": "without a checksum",
    "no_date": "without a date (only RMC and ZDA sentences tell it)",
    "no_fix": "that the receiver itself calls no fix",
    "no_place": "without a place on Earth that a road leads to",
    "no_time": "without a time that can be read",
    "not_degrees": "with a place that is not written as decimal degrees",
    "repeated": "with the same time as another",
}
"""What the screen says after the number of points."""

LEFT_OUT_REMEDIES: Final[dict[LeftOut, str]] = {
    "alone": "record a point each second",
    "before_fix": "record until the receiver has a fix, or take another track",
    "contradicted": "give the recording of this drive alone, cut where its times go back (as where its clock was set)",
    "damaged": "copy it again",
    "decimal_comma": "export it with decimal points (52.5)",
    "held": "give the track of another receiver, if there is one",
    "impossible": "give the track of one receiver alone, if several tell in turn, or record with a view of the sky",
    "no_checksum": "have the logger keep the checksums (*5A at the end)",
    "no_date": "record RMC or ZDA sentences as well",
    "no_fix": "record with a view of the sky, or take another track",
    "no_place": "export it with places in degrees and with decimal points",
    "no_time": "record the track with times, as 2026-01-31T12:00:05Z",
    "not_degrees": "export it in degrees as 52.2712 and 10.5268, south and west negative",
    "repeated": "export it with its times to the second, as 2026-01-31T12:00:05Z",
}
"""What helps where most of a track was left out for this reason."""

Miswritten = Literal["swapped", "east_for_west", "north_for_south", "minutes_for_decimals"]
MISWRITTEN: Final[tuple[Miswritten, ...]] = get_args(Miswritten)
"""How places may have been meant that lie near no registered sign. Verdict tells which in here, from 1."""

MISWRITTEN_WORDS: Final[dict[Miswritten, str]] = {
    "swapped": "with latitude and longitude swapped",
    "east_for_west": "with east for west",
    "north_for_south": "with north for south",
    "minutes_for_decimals": "with its decimals read as minutes",
}
"""What the screen says of each: how the way would come near registered signs."""

PREFIX: Final = "left_"
"""A fact of position that counts points left out is named by this and the word."""
