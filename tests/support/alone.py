"""One confined compartment, started as warden starts it, but alone: its peers' ends are held and say nothing."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from device.channel import link as links
from device.channel import memory, ring
from device.channel.errors import HostileMessageError, PeerClosedError
from device.confine import policy as policies
from device.launcher.child import Child
from wire.vocabulary import CompartmentName

NO_PLACES: Mapping[str, Sequence[Path]] = {
    name: [] for name in ("input", "camera", "gpx", "trust", "signing", "spool", "tls", "gpiochip", "pipes")
}
_SECONDS = 60.0


@contextmanager
def started(
    name: CompartmentName,
    settings: msgspec.Struct,
    places: Mapping[str, Sequence[Path]] = NO_PLACES,
    models: Mapping[str, bytes] | None = None,
) -> Iterator[Child]:
    """The compartment while the block lasts. `models`: the bytes of "detector" and "classifier"."""
    policy = policies.load(name)
    handed: dict[str, int] = {}
    for descriptor in policy.descriptors:
        if descriptor.name == "ring":
            handed["ring"] = ring.create()
        elif descriptor.name == "memory":
            handed["memory"] = memory.create()
        else:
            handed[descriptor.name] = os.memfd_create(descriptor.name)
            os.write(handed[descriptor.name], (models or {}).get(descriptor.name, b""))
    pairs = {link.end: links.pair() for link in policy.links}
    ends = {end: pair[1].fileno() for end, pair in pairs.items()}
    child = Child(policy, {**handed, **ends}, settings, places)
    try:
        yield child
    finally:
        child.kill()
        child.release()
        for pair in pairs.values():
            for end in pair:
                end.close()
        for descriptor in handed.values():
            os.close(descriptor)


def until_ready_or_gone(child: Child) -> None:
    """Listens until the compartment is ready, or has ended and all that it said is heard."""
    give_up = time.monotonic() + _SECONDS
    while child.facts is None and time.monotonic() < give_up:
        gone = child.ended() is not None
        select.select([child.control], [], [], 0.1)
        try:
            child.listen()
        except PeerClosedError:
            child.process.wait()
        except HostileMessageError:
            return
        if gone:
            return
