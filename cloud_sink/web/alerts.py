"""What a person should look at, from verdicts, devices, refusals and the broker. Pure.

There is one alert for each kind of thing and device, however often it happened: a device that floods its receiver gets
as many alerts as there are kinds, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cloud_sink.acknowledgements import Acknowledgement, AlertKey
from cloud_sink.archive import DeviceFacts, StoredGroup, StoredHealth, StoredVerdict, TallyRow
from cloud_sink.chain import Span, listed
from cloud_sink.mqtt import BrokerState
from cloud_sink.silence import SILENT_AFTER_MS, silent_since
from cloud_sink.web.verdicts import VerdictView, moment, verdict_view
from cloud_sink.web.words import BROKER, HEALTH, STATES, TALLIES, Tone
from wire.vocabulary import HealthKind, StateName

_OTHERS: Final = "The others may have other reasons."
ALERT_STATES: Final[tuple[StateName, ...]] = tuple(state for state, words in STATES.items() if words.alert)
ALERT_HEALTH: Final[tuple[HealthKind, ...]] = tuple(kind for kind, words in HEALTH.items() if words.alert)
LOUDEST_FIRST: tuple[Tone, ...] = ("alarm", "warn", "plain", "good")

VERDICT, DEVICE_HEALTH, DEVICE, REFUSED, RECEIVER = "verdict", "health", "device", "refused", "receiver"
CHAIN_BROKEN: Final = f"{DEVICE}.chain_broken"
KINDS: Final[tuple[str, ...]] = (
    *(f"{RECEIVER}.{phase}" for phase in BROKER),
    CHAIN_BROKEN,
    *(f"{VERDICT}.{state}" for state in ALERT_STATES),
    *(f"{DEVICE_HEALTH}.{kind}" for kind in ALERT_HEALTH),
    *(f"{REFUSED}.{reason}" for reason in TALLIES),
    f"{DEVICE}.telemetry_missing",
    f"{DEVICE}.silent",
)
"""Every kind of alert; of two that are equally loud the first comes first."""
_WHEN: Final = {RECEIVER: "Since", DEVICE: "Device last heard", REFUSED: "Latest"}


@dataclass(frozen=True)
class Alert:
    """Something that a person should look at. `link` is where it is explained; `verdict` is the latest, if any.

    Attributes:
        kind: one of `KINDS`.
        count: how many there are that nobody acknowledged; of what is acknowledged, how many there were.
        mark: goes up with everything of this kind and device that happens, and with nothing else; who acknowledges the
            alert acknowledges what happened up to this mark. 0 where there is nothing to acknowledge.
        acknowledged: the last acknowledgement of this kind and device. The alert is open while its mark is beyond it.
    """

    tone: Tone
    title: str
    text: str
    device_id: str
    at: datetime | None
    link: str
    verdict: VerdictView | None = None
    kind: str = ""
    count: int = 1
    mark: int = 0
    acknowledged: Acknowledgement | None = None

    @property
    def when(self) -> str:
        """What `at` is the time of."""
        family = self.kind.partition(".")[0]
        if family in _WHEN:
            return _WHEN[family]
        return "Latest" if self.count > 1 else "Reported" if family == DEVICE_HEALTH else "Received"

    @property
    def key(self) -> AlertKey:
        """What an acknowledgement names."""
        return self.device_id, self.kind

    @property
    def open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.acknowledged is None or self.mark > self.acknowledged.through


def ranked(alerts: Iterable[Alert]) -> list[Alert]:
    """The loudest first; of those equally loud each device's first, then each device's second, and so on.

    So no device, however many kinds of alert it makes, pushes another's loudest out of sight.
    """
    order = {kind: number for number, kind in enumerate(KINDS)}
    latest = sorted(alerts, key=lambda alert: alert.at.timestamp() if alert.at else 0.0, reverse=True)
    by_kind = sorted(latest, key=lambda alert: (LOUDEST_FIRST.index(alert.tone), order.get(alert.kind, len(order))))
    before: Counter[tuple[Tone, str]] = Counter()
    turns = []
    for alert in by_kind:
        turns.append((LOUDEST_FIRST.index(alert.tone), before[alert.tone, alert.device_id], alert))
        before[alert.tone, alert.device_id] += 1
    return [alert for _, _, alert in sorted(turns, key=lambda turn: turn[:2])]


def marked(alerts: Iterable[Alert], latest: Mapping[AlertKey, Acknowledgement]) -> list[Alert]:
    """The alerts, each with its last acknowledgement, and of those that count up what came since."""
    return [_marked(alert, latest.get(alert.key)) for alert in alerts]


def _marked(alert: Alert, last: Acknowledgement | None) -> Alert:
    if last is None or not alert.mark:
        return alert
    since = alert.mark - last.through
    counts_up = alert.kind.startswith(f"{REFUSED}.") or alert.kind == CHAIN_BROKEN  # its mark is its count
    return replace(alert, acknowledged=last, count=since if counts_up and since > 0 else alert.count)


def device_alerts(facts: DeviceFacts, now_ms: int, *, enrolled: bool = True) -> list[Alert]:
    """What stands against one device: breaks, gaps, and silence. The loudest first.

    `enrolled`: whether the device still is; a retired device may be silent.
    """
    link, at = f"/devices/{facts.device_id}", moment(facts.last_received_ms)
    alerts = []
    if facts.breaks:
        broken = max(facts.break_count, len(facts.breaks))
        numbers = listed((Span(number, number) for number in facts.breaks), broken)
        envelopes = f"Envelope {numbers} does" if broken == 1 else f"Envelopes {numbers} do"
        text = f"{envelopes} not continue the envelope before: something was taken out, put in, or signed twice."
        alerts.append(
            Alert(
                "alarm",
                "Chain broken",
                text,
                facts.device_id,
                at,
                link,
                kind=CHAIN_BROKEN,
                count=broken,
                mark=broken,
            )
        )
    if facts.gaps:
        missing = sum(gap.count for gap in facts.gaps)
        late = "it arrives late" if missing == 1 else "they arrive late"
        text = f"{missing} of this device's envelopes did not arrive: {listed(facts.gaps)}. If {late}, the gap closes."
        alerts.append(
            Alert(
                "warn",
                "Telemetry missing",
                text,
                facts.device_id,
                at,
                link,
                kind=f"{DEVICE}.telemetry_missing",
                count=missing,
                mark=facts.gaps[-1].last + 1,
            )
        )
    if enrolled and silent_since(facts, now_ms) is not None:
        text = (
            f"Nothing new has come for more than {SILENT_AFTER_MS // 60_000} minutes, and the device did not say that "
            "it stops: it lost its power or its network, or somebody keeps back what it says."
        )
        alerts.append(
            Alert(
                "warn",
                "Silent",
                text,
                facts.device_id,
                at,
                link,
                kind=f"{DEVICE}.silent",
                mark=facts.envelopes,
            )
        )
    return alerts


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
            kind=f"{REFUSED}.{row.reason}",
            count=row.count,
            mark=row.count,
        )
        for row in tallies
        if (words := TALLIES.get(row.reason)) and words.alert
    ]


def group_alerts(groups: Sequence[StoredGroup]) -> list[Alert]:
    """The verdicts and the health events that are alerts, those of one word and device together."""
    return [alert for group in groups if (alert := _group_alert(group)) is not None]


def _group_alert(group: StoredGroup) -> Alert | None:
    count = group.open or group.total
    match group.latest:
        case StoredVerdict() as stored if stored.event.state in ALERT_STATES:
            view = verdict_view(stored)
            every = f"/?state={view.state}&device={group.device_id}"
            return Alert(
                view.words.tone,
                view.words.title,
                view.summary if count == 1 else f"The latest of {count}: {view.summary} {_OTHERS}",
                group.device_id,
                view.received,
                f"/verdicts/{stored.row_id}" if count == 1 else every,
                view,
                f"{VERDICT}.{view.state}",
                count,
                stored.row_id,
            )
        case StoredHealth() as stored if stored.event.kind in ALERT_HEALTH:
            words = HEALTH[stored.event.kind]
            reported = "Reported" if count == 1 else f"The latest of {count} was reported"
            return Alert(
                words.tone,
                words.title,
                f"{words.meaning} {reported} by {stored.event.compartment}.",
                group.device_id,
                moment(stored.event.at_ms) or moment(stored.received_ms),
                f"/devices/{group.device_id}",
                kind=f"{DEVICE_HEALTH}.{stored.event.kind}",
                count=count,
                mark=stored.row_id,
            )
        case _:
            return None


def broker_alerts(state: BrokerState) -> list[Alert]:
    """The receiver's own trouble: it goes away by itself, and cannot be acknowledged."""
    words = BROKER[state.phase]
    if not words.alert:
        return []
    kind = f"{RECEIVER}.{state.phase}"
    text = f"{words.meaning} The cause: {state.cause}." if state.cause else words.meaning
    return [Alert(words.tone, words.title, text, "", moment(state.since_ms), "/", kind=kind)]
