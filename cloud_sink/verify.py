"""`sealcam-sink verify`: is everything that is stored still what its devices sealed, and is the chain whole?

Digests are made anew from the sealed bytes, the envelopes are opened and their signatures verified again, and gaps and
breaks are recomputed from the rows. So a change to a stored envelope or event is found, unless it was made with the
device's key. Limits: of what is erased only the links can be checked; a chain that lost its latest envelopes looks like
a shorter chain; boot ids, times of arrival and the tables that lists and counts come from are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sink.archive import Archive, StoredLink
from cloud_sink.chain import FIRST_SEQUENCE
from cloud_sink.receiver import DeviceKeys
from wire import envelope, topics
from wire.envelope import FIRST_PREVIOUS
from wire.errors import HostileInputError
from wire.sink_key import SinkPrivateKey

Problem = Literal["missing", "broken_link", "not_enrolled", "changed", "not_authentic"]

SENTENCES: dict[Problem, str] = {
    "missing": "did not arrive",
    "broken_link": "does not name the digest of the envelope before it",
    "not_enrolled": "cannot be checked: the device is not enrolled any more",
    "changed": "is not what was stored: the bytes and their digest or event differ",
    "not_authentic": "does not open, or its device did not sign it",
}


@dataclass(frozen=True)
class ChainFinding:
    """Something that is not as it must be, with envelopes `first` to `last` of a device."""

    device_id: str
    problem: Problem
    first: int
    last: int

    def __str__(self) -> str:
        numbers = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.device_id}: envelope {numbers} {SENTENCES[self.problem]}"


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
        expected, before = link.sequence + 1, link.digest


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
