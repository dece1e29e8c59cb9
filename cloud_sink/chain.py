"""The chain of one device's envelopes: which sequence numbers are missing. Pure. (`store` checks the links.)

What a device says that it could not store (`wire.events.GapEvent`) is no gap of the chain, whose numbers go on.

Each envelope carries its sequence number and the SHA-256 of the sealed envelope before it. Envelopes may arrive in any
order and more than once. A gap is therefore a state, not an event: it is there while a later envelope is stored and an
earlier envelope is not, and it goes away when the missing envelope comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wire.events import GapEvent

_SPANS_NAMED = 4
FIRST_SEQUENCE = 0
"""The sequence number of a device's first envelope; it names `wire.envelope.FIRST_PREVIOUS` as the digest before it."""


@dataclass(frozen=True)
class Span:
    """Sequence numbers `first` to `last`, both included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many sequence numbers that is."""
        return self.last - self.first + 1


def joined(below: Span | None, sequence: int, above: Span | None) -> Span:
    """The run that `sequence` makes with the runs that end just below it and begin just above it."""
    return Span(below.first if below else sequence, above.last if above else sequence)


def gaps(spans: Sequence[Span]) -> list[Span]:
    """What is missing between and before `spans`, which are in ascending order and do not touch."""
    expected = FIRST_SEQUENCE
    missing = []
    for span in spans:
        if span.first > expected:
            missing.append(Span(expected, span.first - 1))
        expected = span.last + 1
    return missing


def listed(spans: Iterable[Span], of: int = 0) -> str:
    """Spans as a reader wants them: the first few named, the rest counted; `of` is how many there are, if more."""
    every = list(spans)
    named = [f"{span.first}" if span.count == 1 else f"{span.first} to {span.last}" for span in every[:_SPANS_NAMED]]
    rest = max(of, len(every)) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


def unsealed_words(gap: GapEvent) -> str:
    """What a device says that it could not store, as a reader wants it."""
    parts = ((gap.verdicts, "verdict"), (gap.health, "report"))
    return " and ".join(f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in parts if count)
