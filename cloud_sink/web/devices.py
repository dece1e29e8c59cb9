"""How a device is doing, in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from cloud_sink.archive import DeviceFacts, StoredGap, StoredHealth, TallyRow
from cloud_sink.chain import Span, listed, unsealed_words
from cloud_sink.store import UNSEALED
from cloud_sink.web.alerts import VERDICT, Alert
from cloud_sink.web.verdicts import moment
from cloud_sink.web.words import HEALTH, STATES, TALLIES, StateWords, Tone, Words
from wire.events import GapEvent
from wire.vocabulary import CompartmentName, StateName


@dataclass(frozen=True)
class DeviceView:
    """One device: how it is doing, in words."""

    device_id: str
    tone: Tone
    standing: str
    last_heard: datetime | None
    envelopes: int
    chain: str
    chain_tone: Tone
    states: tuple[tuple[StateName, StateWords, int], ...]
    health: tuple[tuple[Words, int], ...]
    tallies: tuple[tuple[Words, TallyRow], ...]


@dataclass(frozen=True)
class HealthLine:
    """One health event or gap, ready to be shown. Of a gap: `what` it counts, and `since` when."""

    words: Words
    at: datetime | None
    compartment: CompartmentName
    count: int
    what: str = ""
    since: datetime | None = None


def health_line(stored: StoredHealth | StoredGap) -> HealthLine:
    """One stored health event or gap in words."""
    event = stored.event
    if isinstance(event, GapEvent):
        return HealthLine(
            HEALTH[UNSEALED], moment(event.to_ms), "sealer", 1, unsealed_words(event), moment(event.from_ms)
        )
    return HealthLine(HEALTH[event.kind], moment(event.at_ms), event.compartment, event.count)


def device_view(
    device_id: str, facts: DeviceFacts | None, tallies: Iterable[TallyRow], alerts: Iterable[Alert]
) -> DeviceView:
    """One enrolled or known device in words.

    Args:
        facts: None where nothing came from it yet.
        alerts: what nobody acknowledged, the loudest first; the first of this device that is not about a sign says how
            it is doing.
    """
    own = tuple((TALLIES[row.reason], row) for row in tallies if row.device_id == device_id and row.reason in TALLIES)
    if facts is None:
        return DeviceView(device_id, "plain", "enrolled, nothing received yet", None, 0, "", "plain", (), (), own)
    chain, chain_tone = chain_words(facts)
    against = (alert for alert in alerts if alert.device_id == device_id and not alert.kind.startswith(f"{VERDICT}."))
    loudest = next(against, None)
    return DeviceView(
        device_id=device_id,
        tone=loudest.tone if loudest else "good",
        standing=loudest.title.lower() if loudest else "in good order",
        last_heard=moment(facts.last_received_ms),
        envelopes=facts.envelopes,
        chain=chain,
        chain_tone=chain_tone,
        states=tuple((state, words, facts.states[state]) for state, words in STATES.items() if state in facts.states),
        health=tuple(
            (words, facts.health_counts[kind]) for kind, words in HEALTH.items() if kind in facts.health_counts
        ),
        tallies=own,
    )


def chain_words(facts: DeviceFacts) -> tuple[str, Tone]:
    """What the device's chain of envelopes looks like, and how loud that is."""
    if facts.breaks:
        return f"broken at {listed((Span(number, number) for number in facts.breaks), facts.break_count)}", "alarm"
    if facts.gaps:
        missing = sum(gap.count for gap in facts.gaps)
        return f"{missing} missing: {listed(facts.gaps)}", "warn"
    return f"complete, 0 to {facts.highest_sequence}", "good"


def device_names(enrolled: Collection[str], facts: Iterable[DeviceFacts]) -> list[str]:
    """Every device to show, by name."""
    return sorted({*enrolled, *(device.device_id for device in facts)})
