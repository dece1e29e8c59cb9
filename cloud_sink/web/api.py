"""The JSON that the API serves: the stored facts under the events' field names, nothing that is only for show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from msgspec import Struct, structs

from cloud_sink.archive import DeviceFacts, Stored, StoredVerdict, TallyRow
from cloud_sink.web.alerts import Alert
from wire.classes import class_name
from wire.events import Event, GapEvent, HealthEvent, VerdictEvent

_TYPES: Final[dict[type[Event], str]] = {VerdictEvent: "verdict", HealthEvent: "health", GapEvent: "gap"}


def event_json(stored: Stored) -> dict[str, Any]:
    """One event and the facts of its delivery."""
    event = {
        name: structs.asdict(value) if isinstance(value, Struct) else value
        for name, value in structs.asdict(stored.event).items()
    }
    if isinstance(stored.event, VerdictEvent):
        event["class_name"] = class_name(stored.event.class_id, None)
    return {
        "id": stored.row_id,
        "device_id": stored.device_id,
        "sequence": stored.sequence,
        "digest": stored.digest.hex(),
        "previous": stored.previous.hex(),
        "boot_id": stored.boot_id.hex(),
        "sealed_bytes": stored.sealed_bytes,
        "received_ms": stored.received_ms,
        "type": _TYPES[type(stored.event)],
        **event,
    }


def verdicts_json(verdicts: Iterable[StoredVerdict], after: int) -> dict[str, Any]:
    """A page of verdicts in order of arrival; `next` is the `after` of the next page."""
    rows = [verdict_json(stored) for stored in verdicts]
    return {"verdicts": rows, "next": rows[-1]["id"] if rows else after}


def verdict_json(stored: StoredVerdict) -> dict[str, Any]:
    """One verdict, without its `type`."""
    row = event_json(stored)
    del row["type"]
    return row


def device_json(device_id: str, facts: DeviceFacts | None, tallies: Iterable[TallyRow]) -> dict[str, Any]:
    """One device, also where it is enrolled and was never heard."""
    return {
        "device_id": device_id,
        "last_received_ms": facts.last_received_ms if facts else None,
        "envelopes": facts.envelopes if facts else 0,
        "highest_sequence": facts.highest_sequence if facts and facts.envelopes else None,
        "gaps": [asdict(gap) for gap in facts.gaps] if facts else [],
        "breaks": list(facts.breaks) if facts else [],
        "break_count": facts.break_count if facts else 0,
        "verdicts": facts.states if facts else {},
        "health": facts.health_counts if facts else {},
        "not_stored": {row.reason: row.count for row in tallies if row.device_id == device_id},
    }


def alert_json(alert: Alert) -> dict[str, Any]:
    """One alert: those of one kind and device, however many."""
    return {
        "level": alert.tone,
        "title": alert.title,
        "text": alert.text,
        "device_id": alert.device_id or None,
        "at": alert.at.isoformat() if alert.at else None,
        "kind": alert.kind,
        "count": alert.count,
        "acknowledged": acknowledged_json(alert),
        "verdict_id": alert.verdict.stored.row_id if alert.verdict else None,
        "link": alert.link,
    }


def acknowledged_json(alert: Alert) -> dict[str, Any] | None:
    """Who acknowledged such an alert last, and when; None where nobody did. `open`: more have come since."""
    last = alert.acknowledged
    return {"who": last.who or None, "at_ms": last.at_ms, "open": alert.open} if last else None
