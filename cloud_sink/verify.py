"""`sealcam-sink verify`: is everything that is stored still what its devices sealed, and is the chain whole?

Digests are made anew from the sealed bytes, the envelopes are opened and their signatures verified again, and gaps and
breaks are recomputed from the rows. So a change to a stored envelope or event is found, unless it was made with the
device's key. What a device says that it could not store is repeated here; the chain has no hole there. Limits: of what
is erased only the links can be checked; a chain that lost its latest envelopes looks like a shorter chain; boot ids,
times of arrival and the tables that lists and counts come from are not compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sink.archive import Archive, StoredLink
from cloud_sink.chain import FIRST_SEQUENCE, unsealed_words
from cloud_sink.receiver import DeviceKeys
from wire import envelope, events, topics
from wire.envelope import FIRST_PREVIOUS
from wire.errors import HostileInputError
from wire.events import GapEvent
from wire.sink_key import SinkPrivateKey

Problem = Literal["missing", "broken_link", "not_enrolled", "changed", "not_authentic", "unsealed"]

SENTENCES: dict[Problem, str] = {
    "missing": "did not arrive",
    "broken_link": "does not name the digest of the envelope before it",
    "not_enrolled": "cannot be checked: the device is not enrolled any more",
    "changed": "is not what was stored: the bytes and their digest or event differ",
    "not_authentic": "does not open, or its device did not sign it",
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


def verify(archive: Archive, opening: SinkPrivateKey, devices: DeviceKeys) -> Iterator[ChainFinding]:
    """Check every device's chain, one envelope in memory at a time. Raises StoreError."""
    for device_id in archive.device_names():
        key = devices.signing_key(device_id)
        if key is None:
            yield ChainFinding(device_id, "not_enrolled", FIRST_SEQUENCE, FIRST_SEQUENCE)
        yield from _verify_chain(archive, device_id, opening, key)


def _verify_chain(
    archive: Archive, device_id: str, opening: SinkPrivateKey, key: Ed25519PublicKey | None
) -> Iterator[ChainFinding]:
    expected, before = FIRST_SEQUENCE, FIRST_PREVIOUS
    for link in archive.chain(device_id):
        if link.sequence > expected:
            yield ChainFinding(device_id, "missing", expected, link.sequence - 1)
        elif link.previous != before:
            yield ChainFinding(device_id, "broken_link", link.sequence, link.sequence)
        problem = _problem(link, device_id, opening, key) if key is not None else None
        if problem is not None:
            yield ChainFinding(device_id, problem, link.sequence, link.sequence)
        elif lost := _lost(link):
            yield ChainFinding(device_id, "unsealed", link.sequence, link.sequence, lost)
        expected, before = link.sequence + 1, link.digest


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
    stored = (link.sequence, link.previous, link.event)
    return None if stored == (opened.sequence, opened.previous, opened.event) else "changed"
