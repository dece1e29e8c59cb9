"""Puts hostile code into each compartment in turn and collects what it could do: attempts by compartment."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from device.channel import link as links
from device.channel import memory, ring
from device.channel.errors import PeerClosedError
from device.channel.link import Link
from device.channel.messages import Beat, Done, Failed, Go, Ready, Stop
from device.config import Config
from device.confine import launch, seccomp
from device.confine import policy as policies
from device.launcher import settings
from device.launcher.plan import RunPlan
from device.redteam.attempts import ALLOWED, ATTEMPTS
from device.warden.table import SOURCE
from wire.errors import RunError
from wire.vocabulary import CompartmentName

DENIED, ALLOWED_BY_POLICY, BREACH = "denied", "allowed by policy", "BREACH"
_SECONDS = 60.0


def plan_of(home: Path, scratch: Path) -> RunPlan:
    """A run on the folder `scratch`: hostile code gets the mounts that the compartment's own code would get in it."""
    return RunPlan(
        kind="folder",
        input=str(scratch),
        shown=scratch.name,
        gpx="",
        gpx_shown="",
        pace="lockstep",
        start="file",
        home=str(home),
        models="",
        run_id="",
        config=Config(),
    )


def attack(compartment: CompartmentName, home: Path, scratch: Path) -> dict[str, str]:
    """Attempt -> outcome for one compartment. An attempt without a report counts as a breach.

    Raises RunError when the hostile code did not start, CannotConfineError when nothing can be started here.
    """
    policy = policies.load(compartment)
    ours, theirs = links.pair()
    handed: dict[str, int] = {"control": theirs.fileno()}
    keep = []
    for descriptor in policy.descriptors:
        handed[descriptor.name] = _SPARES.get(descriptor.name, _empty_model)()
        if descriptor.name == "ring" and compartment != SOURCE:
            ring.RingWriter(os.dup(handed["ring"]))  # as it is once the source has sealed it
    for link in policy.links:
        pair = links.pair()
        keep.append(pair)
        handed[link.end] = pair[1].fileno()
    told = msgspec.json.encode({"compartment": compartment, "home": str(home)})
    for name, content in (("filter", seccomp.run_filter(policy)), ("settings", told)):
        handed[name] = os.memfd_create(name, 0)
        os.write(handed[name], content)
    control = Link(compartment, ours, Ready, Beat, Done, Failed)
    started = launch.start(policy, ["device.redteam", compartment], handed, settings.mounts(plan_of(home, scratch)))
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
        for name in {d.name for d in policy.descriptors} | {"filter", "settings"}:
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


def _empty_model() -> int:
    return os.memfd_create("model", 0)


_SPARES: dict[str, Callable[[], int]] = {"ring": ring.create, "memory": memory.create}
"""How to make what a policy's descriptor names; anything else is a file that no attempt looks into."""


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
            case Failed(failure=failure):
                raise RunError(f"{compartment} could not be attacked ({failure})", "run: sealcam doctor")
    if not ready:
        raise RunError(f"{compartment} could not be attacked: the hostile code did not start", "run: sealcam doctor")
    control.try_send(Stop())
    return results
