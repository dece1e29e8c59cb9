"""One supervised run: the models checked, the device started, watched and stopped, and how it went."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device.channel import damage
from device.channel.link import Link
from device.launcher.errors import UnstoredError
from device.launcher.plan import RunPlan
from device.launcher.report import Finished
from device.warden import artifacts, storage
from device.warden.notes import notes
from device.warden.summary import summarise
from device.warden.supervisor import Supervisor
from device.warden.wiring import Wiring
from wire.errors import MachineError, SealcamError, line

Wrong = tuple[str, str]
"""Sentence and remedy."""

_REMEDIES = {
    "video": "what is good is judged and reported; get the whole file for the rest",
    "folder": "what is good is judged and reported; get these images again for the rest",
    "camera": "check its cable and its power supply",
}
"""For an input that is damaged."""


def supervise(plan: RunPlan, launcher: Link, outside: dict[str, int]) -> int:
    """Run the plan to its end and report it on `launcher`; returns the exit status.

    Args:
        outside: "compartment.end" -> descriptor of a link whose other end the command holds.

    Raises:
        ArtifactError: a model is missing, or is not what was signed. StartError: a compartment did not get ready.
    """
    manifest, models = artifacts.load_signed(Path(plan.models), plan.config.models.release_key)
    device = Supervisor(plan, manifest, Wiring(outside, models), launcher)
    wrong: list[Wrong] = []
    unstored: UnstoredError | None = None
    seconds = 0.0
    try:
        device.start()
        began = time.monotonic()
        try:
            device.run()
        except UnstoredError as error:
            unstored = error  # told with the count, which is not known before the end
        except (SealcamError, OSError, MemoryError) as error:
            failure = error if isinstance(error, SealcamError) else MachineError.of(error)
            wrong.append((failure.sentence, failure.remedy))  # the run had begun
        seconds = device.stream_seconds(began)
    finally:
        device.stop()
    summary = summarise(device, seconds, lockstep=plan.pace == "lockstep")
    on_camera = plan.kind == "camera"  # it ends by being stopped
    summary["complete"] = not wrong and unstored is None and (on_camera or not device.stopping)
    wrong += found_wrong(plan, device, summary, unstored)
    sentence, remedy = wrong[0] if wrong else ("", "")
    others = [line(*found) for found in wrong[1:]]
    launcher.send(Finished(int(bool(wrong)), sentence, remedy, summary, others + notes(plan, device)))
    return int(bool(wrong))


def found_wrong(
    plan: RunPlan, device: Supervisor, summary: Mapping[str, Any], unstored: UnstoredError | None = None
) -> list[Wrong]:
    """What a run that came to its end found wrong, the gravest first: each makes its exit status 1.

    Args:
        unstored: why verdicts were still not stored when the run gave up waiting for room.
    """
    wrong: list[Wrong] = []
    if summary["unsealed"]:
        lost = f"{storage.told(summary['unsealed'])} could not be stored, and will not reach the receiver"
        if unstored is not None:
            wrong.append((f"{lost}: {unstored.sentence}", unstored.remedy))
        else:
            mend = "make room on the disk of the spool, and let the device reach its sink; --out keeps verdicts too"
            wrong.append((lost, mend))
    elif unstored is not None:  # all were stored in the end, later than a run waits
        wrong.append((unstored.sentence, unstored.remedy))
    if found := device.damage():
        wrong.append((damage.sentence(plan.shown, found), _REMEDIES[plan.kind]))
    least = plan.config.warden.least_judged_share
    if plan.kind != "camera" and summary["judged_share"] < least:
        wrong.append(_overloaded(summary, least))
    return wrong


def _overloaded(summary: Mapping[str, Any], least: float) -> Wrong:
    """Sentence and remedy for a replay of which too few frames were judged."""
    share = summary["judged_share"]
    reader = min(summary["judged_shares"], key=summary["judged_shares"].__getitem__)
    return (
        f"{reader} judged {share:.0%} of {summary['frames']} frames, less than {least:.0%} ([warden] "
        "least_judged_share): signs may have been missed",
        "replay it with --pace lockstep, or end other programs on this machine; for a camera, ask for fewer frames "
        "([camera] fps) or set "
        '[perception] operating_point = "fast"',
    )
