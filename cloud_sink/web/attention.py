"""What needs attention now, and what somebody has looked at: the alerts of `alerts`, asked of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cloud_sink.acknowledgements import Acknowledgement, Acknowledgements
from cloud_sink.archive import Archive, DeviceFacts, StoredGroup, StoredVerdict, TallyRow
from cloud_sink.mqtt import BrokerState
from cloud_sink.web.alerts import (
    ALERT_HEALTH,
    ALERT_STATES,
    DEVICE_HEALTH,
    VERDICT,
    Alert,
    broker_alerts,
    device_alerts,
    group_alerts,
    marked,
    ranked,
    tally_alerts,
)


@dataclass(frozen=True)
class Picture:
    """Everything that stands against anybody at one moment, ranked, with what it was made from."""

    alerts: tuple[Alert, ...]
    devices: dict[str, DeviceFacts]
    tallies: tuple[TallyRow, ...]

    def open(self, device_id: str | None = None) -> list[Alert]:
        """What nobody acknowledged, of all or of one device."""
        return [alert for alert in self.alerts if alert.open and device_id in (None, alert.device_id)]

    def put_away(self, device_id: str | None = None) -> list[Alert]:
        """What somebody acknowledged, of all or of one device."""
        return [alert for alert in self.alerts if not alert.open and device_id in (None, alert.device_id)]


class AlertBoard:
    """Asks for the alerts, and puts one away. Each raises StoreError."""

    def __init__(
        self,
        archive: Archive,
        broker: Callable[[], BrokerState],
        enrolled: Callable[[], Collection[str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._archive, self._broker, self._enrolled, self._now_ms = archive, broker, enrolled, now_ms
        self._acknowledgements = Acknowledgements(archive.path)

    def picture(self) -> Picture:
        """What stands against anybody now."""
        latest, archive = self._acknowledgements.latest(), self._archive
        through = {(device, kind): mark.through for (device, kind), mark in latest.items()}

        def after(family: str) -> dict[tuple[str, str], int]:
            words = ((device, kind.partition(".")) for device, kind in through)
            return {(d, word): through[d, f"{of}.{word}"] for d, (of, _, word) in words if of == family}

        devices, tallies = archive.devices(), archive.tallies()
        enrolled, now_ms = self._enrolled(), self._now_ms()
        found = [
            *broker_alerts(self._broker()),
            *(a for d in devices for a in device_alerts(d, now_ms, enrolled=d.device_id in enrolled)),
            *group_alerts(archive.groups("verdict", ALERT_STATES, after(VERDICT))),
            *group_alerts(archive.groups("health", ALERT_HEALTH, after(DEVICE_HEALTH))),
            *tally_alerts(tallies),
        ]
        facts = {device.device_id: device for device in devices}
        return Picture(tuple(ranked(marked(found, latest))), facts, tuple(tallies))

    def of_verdict(self, stored: StoredVerdict) -> Alert | None:
        """One verdict as an alert by itself, None where its state is none; marked as the verdicts up to it are."""
        alone = StoredGroup(stored.device_id, stored.event.state, 1, 1, stored)
        return next(iter(marked(group_alerts([alone]), self._acknowledgements.latest())), None)

    def acknowledge(self, device_id: str, kind: str, through: int, who: str) -> bool:
        """Put the alert of this device and kind away, up to a mark that it has reached.

        Returns whether there was anything to put away. What is not there, or has not come yet, cannot be acknowledged:
        nobody can have looked at it.
        """
        standing = {alert.key: alert.mark for alert in self.picture().alerts}
        if not 0 < through <= standing.get((device_id, kind), 0):
            return False
        return self._acknowledgements.add(Acknowledgement(device_id, kind, through, who, self._now_ms()))
