"""What the page says about states, reasons, health and refusals, read from `words.toml` beside this module.

A word from a device that is not in the tables is never shown as it is: it gets a sentence of ours instead.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Tone = Literal["good", "alarm", "warn", "plain"]


@dataclass(frozen=True)
class StateWords:
    """How a verdict's state is shown: a title, how loud, what it means, and what Sealcam does with the sign."""

    title: str
    tone: Tone
    meaning: str
    consequence: str


@dataclass(frozen=True)
class Words:
    """How a health event, a refusal or the broker's state is shown; `alert`: whether it stands among the alerts."""

    title: str
    tone: Tone
    meaning: str
    alert: bool


_TABLES = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _table(name: str) -> dict[str, Words]:
    return {word: Words(**row) for word, row in _TABLES[name].items()}


STATES: Final[dict[str, StateWords]] = {state: StateWords(**row) for state, row in _TABLES["states"].items()}
HEALTH: Final = _table("health")
TALLIES: Final = _table("tallies")
BROKER: Final = _table("broker")
REASONS: Final[dict[str, str]] = _TABLES["reasons"]
UNKNOWN_REASON: Final[str] = _TABLES["unknown_reason"]


def reason_sentence(word: str, held: str, seen: str) -> str:
    """The sentence for a device's reason word; `held` and `seen` are class names for the places it leaves open."""
    return REASONS.get(word, UNKNOWN_REASON).format(held=held, seen=seen)
