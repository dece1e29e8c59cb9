"""`sealcam-sink verify`: is everything that is stored still what its devices sealed, and is the chain whole?

Digests are made anew from the sealed bytes, the envelopes are opened and their signatures verified again, and gaps and
breaks are recomputed from the rows. Then every table that lists and counts come from is compared with the envelopes:
`verdict`, `health`, `span`, `chain_break`, `device`; and what is acknowledged with what has come. So a change to what
is stored is found, unless it was made with the device's key. What a device says that it could not store is repeated
here; the chain has no hole there.

Limits: of what is erased only the links can be checked; a chain that lost its latest envelopes looks like a shorter
chain; times of arrival, the counts of what was refused (`tally`) and who acknowledged are this receiver's own word,
which nothing else confirms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sink.acknowledgements import Acknowledgements
from cloud_sink.archive import Archive, StoredLink
from cloud_sink.chain import FIRST_SEQUENCE, unsealed_words
from cloud_sink.receiver import DeviceKeys
from cloud_sink.store import UNSEALED, defined
from wire import envelope, events, topics
from wire.envelope import FIRST_PREVIOUS
from wire.errors import HostileInputError
from wire.events import GapEvent, HealthEvent, VerdictEvent
from wire.sink_key import SinkPrivateKey

Problem = Literal["missing", "broken_link", "not_enrolled", "changed", "not_authentic", "listed_otherwise", "unsealed"]

SENTENCES: dict[Problem, str] = {
    "missing": "did not arrive",
    "broken_link": "does not name the digest of the envelope before it",
    "not_enrolled": "cannot be checked: the device is not enrolled any more",
    "changed": "is not what was stored: the bytes and their digest, event or boot differ",
    "not_authentic": "does not open, or its device did not sign it",
    "listed_otherwise": "is not listed as what it is: lists and alerts show something else",
    "unsealed": "says that the device could not store",
}


@dataclass(frozen=True)
class ChainFinding:
    """Something that is not as it must be, with envelopes `first` to `last` of a device."""

    device_id: str
    problem: Problem
    first: int
    last: int
    detail: str = ""

    def __str__(self) -> str:
        numbers = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.device_id}: envelope {numbers} {SENTENCES[self.problem]} {self.detail}".rstrip()


@dataclass(frozen=True)
class TableFinding:
    """Something that is not as it must be in the database itself. `device_id`: '' where it is of no device."""

    device_id: str
    table: str
    problem: str

    def __str__(self) -> str:
        return f"{self.device_id or 'the database'}: {self.table}: {self.problem}"


Finding: TypeAlias = ChainFinding | TableFinding


def verify(archive: Archive, opening: SinkPrivateKey, devices: DeviceKeys) -> Iterator[Finding]:
    """Check the database and every device's chain, one envelope in memory at a time. Raises StoreError."""
    yield from (TableFinding("", "file", fault) for fault in archive.faults())
    yield from _verify_definitions(archive)
    chains = {}
    for device_id in archive.device_names():
        key = devices.signing_key(device_id)
        if key is None:
            yield ChainFinding(device_id, "not_enrolled", FIRST_SEQUENCE, FIRST_SEQUENCE)
        chains[device_id] = chain = CheckedChain()
        yield from _verify_chain(archive, device_id, opening, key, chain)
    yield from _verify_acknowledgements(archive, chains)


@dataclass
class CheckedChain:
    """What one device's envelopes themselves say: the unbroken runs of their numbers, and where links do not hold."""

    spans: list[list[int]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)

    def reached(self, kind: str) -> int:
        """How far an alert of this kind can have come that is made from the chain."""
        return {
            "device.chain_broken": len(self.breaks),
            "device.telemetry_missing": self.spans[-1][0] if self.spans else 0,
            "device.silent": sum(last - first + 1 for first, last in self.spans),
        }.get(kind, 0)


def _verify_chain(
    archive: Archive, device_id: str, opening: SinkPrivateKey, key: Ed25519PublicKey | None, found: CheckedChain
) -> Iterator[Finding]:
    expected, before = FIRST_SEQUENCE, FIRST_PREVIOUS
    spans, breaks = found.spans, found.breaks
    for link in archive.chain(device_id):
        if link.sequence > expected:
            yield ChainFinding(device_id, "missing", expected, link.sequence - 1)
        elif link.previous != before:
            breaks.append(link.sequence)
            yield ChainFinding(device_id, "broken_link", link.sequence, link.sequence)
        problem = _problem(link, device_id, opening, key) if key is not None else None
        if problem is None and (link.verdict, link.health) != _listed(device_id, link.event):
            problem = "listed_otherwise"
        if problem is not None:
            yield ChainFinding(device_id, problem, link.sequence, link.sequence)
        elif lost := _lost(link):
            yield ChainFinding(device_id, "unsealed", link.sequence, link.sequence, lost)
        if not spans or link.sequence > expected:
            spans.append([link.sequence, link.sequence])
        spans[-1][1] = link.sequence
        expected, before = link.sequence + 1, link.digest
    if not spans:
        yield TableFinding(device_id, "device", "there is no envelope of this device")
    if archive.spans(device_id) != [tuple(span) for span in spans]:
        yield TableFinding(device_id, "span", "the gaps that are shown are not those between the envelopes")
    if archive.breaks(device_id) != breaks:
        yield TableFinding(device_id, "chain_break", "the breaks that are shown are not those of the chain")


def _lost(link: StoredLink) -> str:
    """What the device says in this link that it could not store, empty in all other links."""
    try:
        gap = events.parse(link.event or b"")
    except HostileInputError:
        return ""
    if not isinstance(gap, GapEvent):
        return ""
    from_time, to_time = (_clock(ms) for ms in (gap.from_ms, gap.to_ms))
    return f"{unsealed_words(gap)}, {from_time} to {to_time}"


def _clock(ms: int) -> str:
    """The device's word for a time; it may say any year."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ms / 1000)) if ms < 2**42 else "the far future"


def _problem(link: StoredLink, device_id: str, opening: SinkPrivateKey, key: Ed25519PublicKey) -> Problem | None:
    if link.sealed is None:
        return None
    if envelope.digest(link.sealed) != link.digest:
        return "changed"
    try:
        opened = envelope.open_envelope(
            link.sealed,
            topic=topics.envelope_topic(device_id),
            device_id=device_id,
            sink_private=opening,
            device_key=key,
        )
    except HostileInputError:
        return "not_authentic"
    stored = (link.sequence, link.previous, link.event, link.boot_id)
    return None if stored == (opened.sequence, opened.previous, opened.event, opened.boot_id) else "changed"


def _listed(device_id: str, event: bytes | None) -> tuple[tuple[object, ...] | None, tuple[object, ...] | None]:
    """The rows that an envelope with this event must have in `verdict` and `health`."""
    try:
        parsed = events.parse(event) if event is not None else None
    except HostileInputError:
        return ("unreadable",), ("unreadable",)
    match parsed:
        case VerdictEvent(state=state, class_id=class_id):
            return (device_id, state, class_id), None
        case HealthEvent(kind=kind):
            return None, (device_id, kind)
        case GapEvent():
            return None, (device_id, UNSEALED)
        case None:
            return None, None


def _verify_definitions(archive: Archive) -> Iterator[TableFinding]:
    """A trigger or a view could change what is read or written; a table that is gone, what is shown."""
    sound, found = defined(), archive.objects()
    for name in sorted(sound.keys() | found.keys()):
        if name not in sound:
            yield TableFinding("", name[:40], "this is none of ours")
        elif sound[name] != found.get(name):
            yield TableFinding("", name, "this is missing, or defined otherwise than by this version")


def _verify_acknowledgements(archive: Archive, chains: Mapping[str, CheckedChain]) -> Iterator[TableFinding]:
    """What has not come yet cannot have been acknowledged; who writes that wants it never to be an alert."""
    if "acknowledgement" not in archive.objects():
        return
    last = archive.last_row()
    tallies = {(row.device_id, row.reason): row.count for row in archive.tallies()}
    for mark in Acknowledgements(archive.path).latest().values():
        family, _, word = mark.kind.partition(".")
        reached = {
            "verdict": last,
            "health": last,
            "refused": tallies.get((mark.device_id, word), 0),
            "device": chains.get(mark.device_id, CheckedChain()).reached(mark.kind),
        }
        if mark.through > reached.get(family, 0):
            yield TableFinding(mark.device_id, "acknowledgement", f"{mark.kind} is acknowledged beyond what has come")
