"""What a person should look at, from verdicts, devices, refusals and the broker. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud_sink.archive import DeviceFacts, StoredHealth, TallyRow
from cloud_sink.chain import Span, listed
from cloud_sink.mqtt import BrokerState
from cloud_sink.silence import SILENT_AFTER_MS, silent_since
from cloud_sink.web.verdicts import VerdictView, moment
from cloud_sink.web.words import BROKER, HEALTH, STATES, TALLIES, Tone
from wire.vocabulary import StateName

ALERT_STATES: Final[tuple[StateName, ...]] = tuple(state for state, words in STATES.items() if words.alert)
LOUDEST_FIRST: tuple[Tone, ...] = ("alarm", "warn", "plain", "good")


@dataclass(frozen=True)
class Alert:
    """Something that a person should look at. `link` is where it is explained; `verdict` is its verdict, if any."""

    tone: Tone
    title: str
    text: str
    device_id: str
    at: datetime | None
    link: str
    verdict: VerdictView | None = None


def loudest_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts by tone, otherwise in the order that they are in."""
    return sorted(alerts, key=lambda alert: LOUDEST_FIRST.index(alert.tone))


def device_alerts(facts: DeviceFacts, now_ms: int, *, enrolled: bool = True) -> list[Alert]:
    """What stands against one device: breaks, gaps, silence, and the health events that are alerts. The loudest first.

    `enrolled`: whether the device still is; a retired device may be silent.
    """
    link, at = f"/devices/{facts.device_id}", moment(facts.last_received_ms)
    alerts = []
    if facts.breaks:
        text = (
            f"Envelope {listed(Span(number, number) for number in facts.breaks)} does not continue the one "
            "before it: something was taken out, put in, or signed twice."
        )
        alerts.append(Alert("alarm", "Chain broken", text, facts.device_id, at, link))
    if facts.gaps:
        missing = sum(gap.count for gap in facts.gaps)
        text = f"{missing} of this device's envelopes did not arrive: {listed(facts.gaps)}. Late ones fill the gap."
        alerts.append(Alert("warn", "Telemetry missing", text, facts.device_id, at, link))
    if enrolled and silent_since(facts, now_ms) is not None:
        text = (
            f"Nothing new has come for more than {SILENT_AFTER_MS // 60_000} minutes, and the device did not say that "
            "it stops: it lost its power or its network, or somebody keeps back what it says."
        )
        alerts.append(Alert("warn", "Silent", text, facts.device_id, at, link))
    for kind, stored in facts.latest_health.items():
        if HEALTH[kind].alert:
            alerts.append(_health_alert(stored, link))
    return loudest_first(alerts)


def tally_alerts(tallies: Iterable[TallyRow]) -> list[Alert]:
    """The refusals that are alerts."""
    return [
        Alert(
            tone=words.tone,
            title=words.title,
            text=f"{words.meaning} {row.count} so far.",
            device_id=row.device_id,
            at=moment(row.last_ms),
            link=f"/devices/{row.device_id}" if row.device_id else "/alerts",
        )
        for row in tallies
        if (words := TALLIES.get(row.reason)) and words.alert
    ]


def verdict_alerts(verdicts: Iterable[VerdictView]) -> list[Alert]:
    """Verdicts of the states that are alerts."""
    return [
        Alert(
            view.words.tone,
            view.words.title,
            view.summary,
            view.stored.device_id,
            view.received,
            f"/verdicts/{view.stored.row_id}",
            view,
        )
        for view in verdicts
        if view.state in ALERT_STATES
    ]


def broker_alerts(state: BrokerState) -> list[Alert]:
    """The receiver's own trouble."""
    words = BROKER[state.phase]
    return [Alert(words.tone, words.title, words.meaning, "", moment(state.since_ms), "/")] if words.alert else []


def _health_alert(stored: StoredHealth, link: str) -> Alert:
    words = HEALTH[stored.event.kind]
    return Alert(
        words.tone,
        words.title,
        f"{words.meaning} Reported by {stored.event.compartment}.",
        stored.device_id,
        moment(stored.event.at_ms) or moment(stored.received_ms),
        link,
    )
