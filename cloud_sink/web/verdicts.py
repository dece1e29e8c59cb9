"""One verdict, from what is stored to what the templates show: plain values and finished sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cloud_sink.archive import StoredVerdict
from cloud_sink.web.words import STATES, StateWords, reason_sentence
from wire.classes import class_name
from wire.vocabulary import StateName


@dataclass(frozen=True)
class SignView:
    """A sign's picture and name; `class_id` None stands for "no sign"."""

    class_id: int | None
    name: str


HELD_FROM_ELSEWHERE: Final[frozenset[StateName]] = frozenset({"VERIFIED", "CONTRADICTED", "CODE_ONLY", "MISSING"})
"""The states whose class is the code's or the register's: the confidence is in that, and says nothing of the camera."""


@dataclass(frozen=True)
class VerdictView:
    """One verdict, ready to be shown.

    `refuted`: the camera saw a sign that Sealcam does not believe. `camera_confidence`: 0 to 1, None where not known.
    """

    stored: StoredVerdict
    state: StateName
    words: StateWords
    seen: SignView
    held: SignView
    refuted: bool
    title: str
    summary: str
    reasons: tuple[str, ...]
    passed: datetime | None
    received: datetime
    camera_confidence: float | None


def moment(ms: int | None) -> datetime | None:
    """Unix milliseconds as UTC; None for 0 and None, which stand for "not known"."""
    if not ms:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError):
        return None  # a lying device can say the year 10889


def sign(class_id: int | None, nothing: str) -> SignView:
    """The picture of a class, or of none, which is then called `nothing`."""
    return SignView(class_id, class_name(class_id, nothing))


def verdict_view(stored: StoredVerdict) -> VerdictView:
    """One stored verdict in words."""
    event = stored.event
    held, seen = sign(event.class_id, "nothing believed"), sign(event.perceived_class_id, "no sign seen")
    names = (_quoted(held, "a sign"), _quoted(seen, "no sign"))
    reasons = tuple(reason_sentence(word, *names) for word in event.reasons)
    received = moment(stored.received_ms) or datetime.fromtimestamp(0, UTC)
    return VerdictView(
        stored=stored,
        state=event.state,
        words=STATES[event.state],
        seen=seen,
        held=held,
        refuted=event.perceived_class_id not in (None, event.class_id),
        title=held.name.capitalize(),
        summary=reasons[0] if reasons else STATES[event.state].meaning,
        reasons=reasons,
        passed=moment(event.utc_ms),
        received=received,
        camera_confidence=None if event.state in HELD_FROM_ELSEWHERE else event.confidence,
    )


def _quoted(sign: SignView, otherwise: str) -> str:
    return otherwise if sign.class_id is None else f"“{sign.name}”"
