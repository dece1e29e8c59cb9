"""What the page says about states, reasons, health and refusals, read from `words.toml` beside this module.

A reason word that is not in the tables is never shown as it is: `unknown_reason` is shown instead.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from wire import vocabulary
from wire.vocabulary import HealthKind, ReasonName, StateName

Tone = Literal["good", "alarm", "warn", "plain"]


@dataclass(frozen=True)
class StateWords:
    """How a verdict's state is shown: a title, how loud, what it means, and what Sealcam does with the sign.

    `alert`: whether a person should look.
    """

    title: str
    tone: Tone
    meaning: str
    consequence: str
    alert: bool


@dataclass(frozen=True)
class Words:
    """How a health event, a refusal or the broker's state is shown; `alert`: whether it is an alert."""

    title: str
    tone: Tone
    meaning: str
    alert: bool


_Word = TypeVar("_Word", bound=str)

_TABLES = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _table(name: str) -> dict[str, Words]:
    return {word: Words(**row) for word, row in _TABLES[name].items()}


def _over(words: tuple[_Word, ...], name: str) -> Iterator[tuple[_Word, Any]]:
    """The rows of a table over the vocabulary. A test checks that it has each word and no other."""
    for text, row in _TABLES[name].items():
        if known := vocabulary.word(text, words):
            yield known, row


STATES: Final[dict[StateName, StateWords]] = {
    state: StateWords(**row) for state, row in _over(vocabulary.STATES, "states")
}
HEALTH: Final[dict[HealthKind, Words]] = {kind: Words(**row) for kind, row in _over(vocabulary.HEALTH_KINDS, "health")}
REASONS: Final[dict[ReasonName, str]] = dict(_over(vocabulary.REASONS, "reasons"))
TALLIES: Final = _table("tallies")
BROKER: Final = _table("broker")
UNKNOWN_REASON: Final[str] = _TABLES["unknown_reason"]


def reason_sentence(word: str, held: str, seen: str) -> str:
    """The sentence for a device's reason word; `held` and `seen` are class names for the places it leaves open."""
    known = vocabulary.word(word, vocabulary.REASONS)
    return (REASONS[known] if known else UNKNOWN_REASON).format(held=held, seen=seen)
