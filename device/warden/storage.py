"""What warden makes of what sealer and verdict say about verdicts that are not stored: words for the user, and a count.

Either may be compromised. Each can make the count larger, so that the user looks; neither can hide what the other says.
What verdict was not told to be stored, when it ends, counts: also where sealer, which ended in order, never got it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from device.channel.failures import FAILURES, MAX_NUMBER, REFUSALS, words
from device.warden.table import JUDGE, STORE
from wire.vocabulary import CompartmentName

NOTICE_SECONDS: Final = 5.0
"""Between two words to the user at least: sealer chooses when its facts change."""
MOST_NOTICES: Final = 50

_NOUNS: Final = {"verdict": ("verdict", "verdicts"), "health": ("report of itself", "reports of itself")}


@dataclass(frozen=True)
class Trouble:
    """Why the spool takes nothing, in our own words."""

    word: str
    sentence: str
    remedy: str


class Facts(Protocol):
    """What compartments say in their beats, as the supervisor knows it."""

    def fact(self, name: CompartmentName, key: str, /) -> int:
        """The newest value, 0 where there is none."""

    def total(self, name: CompartmentName, key: str, /) -> int:
        """The sum over a compartment's restarts."""


def trouble(device: Facts, names: Mapping[str, str]) -> Trouble | None:
    """Why the spool takes nothing at the moment, by sealer's facts; None where it does.

    Args:
        names: what this run calls its inputs (`launcher.settings.names`).
    """
    place = device.fact(STORE, "trouble")  # in REFUSALS, from 1
    if not 0 < place <= len(REFUSALS):
        return None
    word = REFUSALS[place - 1]
    numbers = [min(device.fact(STORE, "trouble_number"), MAX_NUMBER)] * FAILURES[word].numbers
    return Trouble(word, *words(word, numbers, None, names))


def unsealed(device: Facts) -> dict[str, int]:
    """Kind -> how many were not stored, kinds without any left out. Right once the device has stopped."""
    unstored = max(0, device.fact(JUDGE, "unstored") - device.fact(STORE, "refused_last"))  # those are lost already
    refused = max(device.fact(STORE, "refused_verdicts"), unstored)
    found = {
        "verdict": device.total(STORE, "lost_verdicts") + refused + device.fact(JUDGE, "dropped"),
        "health": device.total(STORE, "lost_health") + device.fact(STORE, "refused_health"),
    }
    return {kind: count for kind, count in found.items() if count}


def was_refused(device: Facts) -> bool:
    """Whether sealer itself says that it could not store something, be it that there is room again."""
    lost = any(device.total(STORE, key) for key in ("lost_verdicts", "lost_health"))
    return lost or any(device.fact(STORE, key) for key in ("refused_verdicts", "refused_health", "trouble"))


class StorageWatch:
    """Decides when the user is told that the spool takes nothing, and that it takes events again."""

    def __init__(self) -> None:
        self._told: Trouble | None = None
        self._not_before = 0.0
        self._left = MOST_NOTICES

    def news(self, now: Trouble | None, at: float) -> tuple[str, str] | None:
        """Sentence and remedy, if there is something to say now. `at`: seconds, monotonic."""
        if now == self._told or at < self._not_before or not self._left:
            return None
        self._told, self._not_before, self._left = now, at + NOTICE_SECONDS, self._left - 1
        if now is None:
            return "the spool takes events again", ""
        return f"{now.sentence}: verdicts and reports are judged and shown, but not stored", now.remedy


def told(unsealed: Mapping[str, int]) -> str:
    """The counts for people: "3 verdicts and 1 report"."""
    return " and ".join(f"{count} {_NOUNS[kind][count > 1]}" for kind, count in unsealed.items())
