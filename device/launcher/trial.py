"""One compartment started alone, confined as in a run, to see whether it works on this machine. For `sealcam doctor`.

Its peers' ends are held here and say nothing. Whether the trial was good comes from the same words that a run would
get: so the answer is that of the real thing.
"""

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

_SHORTEST_WAIT = 0.1


@contextmanager
def started(name: CompartmentName, settings: msgspec.Struct, places: Mapping[str, Sequence[Path]]) -> Iterator[Child]:
    """The compartment while the block lasts. Raises CannotConfineError."""
    policy = policies.load(name)
    handed: dict[str, int] = {}
    for descriptor in policy.descriptors:
        made = {"ring": ring.create, "memory": memory.create}.get(descriptor.name)
        handed[descriptor.name] = made() if made else os.memfd_create(descriptor.name)
    pairs = {link.end: links.pair() for link in policy.links}
    ends = {end: pair[1].fileno() for end, pair in pairs.items()}
    everywhere: dict[str, Sequence[Path]] = {
        mount.path.strip("{}"): [] for mount in policy.mounts if mount.path.startswith("{")
    }
    everywhere.pop("runtime", None)
    try:
        child = Child(policy, {**handed, **ends}, settings, {**everywhere, **places})
        try:
            yield child
        finally:
            child.kill()
            child.release()
    finally:
        for pair in pairs.values():
            for end in pair:
                end.close()
        for number in handed.values():
            os.close(number)


def reason_against(
    name: CompartmentName,
    settings: msgspec.Struct,
    places: Mapping[str, Sequence[Path]],
    names: Mapping[str, str],
    *,
    handles: int = 0,
    seconds: float = 20.0,
) -> tuple[str, str] | None:
    """Why the compartment does not work here: sentence and remedy. None: it got ready, and handled so many things.

    Args:
        names: what its sentences call its inputs (`launcher.settings.names`).
        handles: for how many frames it is let go.
    """
    with started(name, settings, places) as child:
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            gone = child.ended() is not None
            select.select([child.control], [], [], _SHORTEST_WAIT)
            try:
                child.listen()
            except PeerClosedError:
                child.process.wait()
            except HostileMessageError:
                break
            if child.failed is not None:
                return child.reason(names)
            if child.facts is not None and child.phase == "ready":
                child.go(round(time.time() * 1000))
            if child.facts is not None and (child.beat.handled if child.beat else 0) >= handles:
                return None
            if gone:
                break
        how = child.ended()
    if how is None:
        return (
            f"{name} did not answer within {seconds:g} s",
            "end other programs on this machine, and check what it is connected to",
        )
    return (
        f"{name} ended ({how}) without saying why",
        "set SEALCAM_WARDEN_OUTPUT=inherit and run it, to see what it says",
    )
