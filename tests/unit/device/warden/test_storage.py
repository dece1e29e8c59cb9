"""What warden tells about verdicts that are not stored, by the facts of two compartments that may both be hostile."""

from __future__ import annotations

import errno

import pytest

from device.channel.failures import REFUSALS
from device.warden import storage
from device.warden.storage import MOST_NOTICES, NOTICE_SECONDS, StorageWatch, Trouble
from wire.vocabulary import CompartmentName

NAMES = {"home": "/h", "input": "drive.mp4", "gpx": "drive.gpx"}


class Facts:
    """What sealer and verdict say, by "compartment.fact"."""

    def __init__(self, **said: int) -> None:
        self._said = said

    def fact(self, name: CompartmentName, key: str) -> int:
        return self._said.get(f"{name}_{key}", 0)

    total = fact


def test_nothing_lost_is_nothing_told() -> None:
    assert storage.unsealed(Facts(sealer_finished=1)) == {}


def test_what_sealer_and_verdict_lost_adds_up_by_kind() -> None:
    said = Facts(
        sealer_finished=1,
        sealer_lost_verdicts=3,
        sealer_lost_health=2,
        sealer_refused_verdicts=1,
        sealer_refused_health=1,
        verdict_dropped=10,
    )
    assert storage.unsealed(said) == {"verdict": 14, "health": 3}


@pytest.mark.parametrize(
    ("refused", "unstored", "last", "counted", "lost"),
    [
        (0, 2, 0, 0, 2),  # verdict never heard that they are stored: sealer was killed, or never got them
        (5, 2, 0, 0, 5),  # a sealer that is silent at the end hides nothing, nor does verdict
        (2, 5, 0, 0, 5),
        (5, 0, 0, 0, 5),
        (0, 9, 9, 9, 9),  # sealer has counted those that it refused as lost
        (0, 9, 4, 4, 9),  # five more never reached it
        (0, 0, 4, 4, 4),
    ],
)
def test_neither_sealer_nor_verdict_is_believed_alone(
    refused: int, unstored: int, last: int, counted: int, lost: int
) -> None:
    said = Facts(
        sealer_refused_verdicts=refused,
        verdict_unstored=unstored,
        sealer_refused_last=last,
        sealer_lost_verdicts=counted,
        sealer_finished=1,
    )
    assert storage.unsealed(said).get("verdict", 0) == lost


def test_the_counts_are_words() -> None:
    assert storage.told({"verdict": 1}) == "1 verdict"
    assert storage.told({"verdict": 3, "health": 1}) == "3 verdicts and 1 report of itself"
    assert storage.told({"health": 2}) == "2 reports of itself"


def test_the_trouble_is_one_of_our_own_sentences() -> None:
    place = 1 + REFUSALS.index("spool_unwritable")
    found = storage.trouble(Facts(sealer_trouble=place, sealer_trouble_number=errno.EROFS), NAMES)
    assert found is not None
    assert found.sentence == "the spool in /h cannot be written (Read-only file system)"
    assert "remount" in found.remedy
    full = storage.trouble(Facts(sealer_trouble=1 + REFUSALS.index("disk_full")), NAMES)
    assert full is not None and full.sentence == "the disk of the spool in /h is full"


@pytest.mark.parametrize("place", [0, len(REFUSALS) + 1, 2**53])
def test_a_trouble_that_is_none_is_none(place: int) -> None:
    assert storage.trouble(Facts(sealer_trouble=place), NAMES) is None


def test_a_number_that_is_none_of_the_systems_breaks_nothing() -> None:
    place = 1 + REFUSALS.index("spool_unwritable")
    found = storage.trouble(Facts(sealer_trouble=place, sealer_trouble_number=2**53), NAMES)
    assert found is not None and "damaged or not of this kind" in found.sentence


FULL = Trouble("disk_full", "the disk is full", "free some space")


def test_trouble_and_its_end_are_told_once_each() -> None:
    watch = StorageWatch()
    assert watch.news(None, 0.0) is None
    assert watch.news(FULL, 1.0) == (
        "the disk is full: verdicts and reports are judged and shown, but not stored",
        "free some space",
    )
    assert watch.news(FULL, 100.0) is None
    assert watch.news(None, 101.0) == ("the spool takes events again", "")
    assert watch.news(None, 200.0) is None


def test_a_sealer_that_changes_its_mind_all_the_time_fills_no_screen() -> None:
    watch = StorageWatch()
    at, told = 0.0, 0
    for number in range(10_000):
        at += 0.25
        told += watch.news(FULL if number % 2 else None, at) is not None
    assert told == MOST_NOTICES
    assert NOTICE_SECONDS * MOST_NOTICES < 10_000 * 0.25
