"""Puts hostile code into each compartment in turn and collects what it could do: attempts by compartment."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from device.channel import link as links
from device.channel import memory, ring
from device.channel.errors import PeerClosedError
from device.channel.link import Link
from device.channel.messages import Beat, Done, Failed, Go, Ready, Stop
from device.confine import launch, seccomp
from device.confine import policy as policies
from device.redteam.attempts import ALLOWED, ATTEMPTS
from wire.errors import RunError
from wire.vocabulary import CompartmentName

DENIED, ALLOWED_BY_POLICY, BREACH = "denied", "allowed by policy", "BREACH"
_SECONDS = 60.0


def places(home: Path, scratch: Path) -> dict[str, Sequence[Path]]:
    """The mounts of a real run, so that hostile code finds what the compartment's own code would find."""
    return {
        "input": [scratch],
        "camera": [],
        "gpx": [],
        "trust": [home / "trust"],
        "signing": [home / "device" / name for name in ("signing.key", "id")],
        "spool": [home / "spool"],
        "tls": [home / "device" / name for name in ("tls.key", "tls.crt", "ca.crt")],
        "gpiochip": [],
    }


def attack(compartment: CompartmentName, home: Path, scratch: Path) -> dict[str, str]:
    """Attempt -> outcome for one compartment. An attempt without a report counts as a breach.

    Raises RunError when the hostile code could not be started at all.
    """
    policy = policies.load(compartment)
    ours, theirs = links.pair()
    handed: dict[str, int] = {"control": theirs.fileno()}
    keep = []
    for descriptor in policy.descriptors:
        if descriptor.name == "ring":
            handed["ring"] = ring.create()
            if compartment != "capture":
                ring.RingWriter(os.dup(handed["ring"]))
        elif descriptor.name == "memory":
            handed["memory"] = memory.create()
        elif descriptor.name in ("detector", "classifier"):
            handed[descriptor.name] = os.memfd_create("model", 0)
        else:
            pair = links.pair()
            keep.append(pair)
            handed[descriptor.name] = pair[1].fileno()
    settings = msgspec.json.encode({"compartment": compartment, "home": str(home)})
    for name, content in (("filter", seccomp.run_filter(policy)), ("settings", settings)):
        handed[name] = os.memfd_create(name, 0)
        os.write(handed[name], content)
    control = Link(compartment, ours, Ready, Beat, Done, Failed)
    started = launch.start(policy, "device.redteam", handed, places(home, scratch), first_argument=compartment)
    try:
        results = _collect(control, compartment)
    finally:
        started.process.kill()
        started.process.wait()
        control.close()
        theirs.close()
        for a, b in keep:
            a.close()
            b.close()
        for name in {"ring", "memory", "detector", "classifier", "filter", "settings"} & set(handed):
            os.close(handed[name])
    allowed = ALLOWED[compartment]
    return {
        attempt: DENIED
        if results.get(attempt) == 0
        else ALLOWED_BY_POLICY
        if results.get(attempt) == 1 and attempt in allowed
        else BREACH
        for attempt in ATTEMPTS
    }


def _collect(control: Link, compartment: str) -> dict[str, int]:
    results: dict[str, int] = {}
    deadline = time.monotonic() + _SECONDS
    ready = False
    while time.monotonic() < deadline and "execute" not in results:
        select.select([control], [], [], 0.2)
        try:
            message = control.receive()
        except PeerClosedError:
            break
        match message:
            case Ready():
                ready = True
                control.send(Go(0))
            case Done(facts):
                results |= facts
            case Failed(reason):
                raise RunError(f"{compartment} could not be attacked: {reason}")
    if not ready:
        raise RunError(f"{compartment} could not be attacked: the hostile code did not start", "run: sealcam doctor")
    control.try_send(Stop())
    return results
