"""One supervised run: the models checked, the device started, watched and stopped, and how it went."""

from __future__ import annotations

import time
from pathlib import Path

from device.channel.link import Link
from device.launcher.plan import RunPlan
from device.launcher.report import Finished
from device.warden import artifacts
from device.warden.summary import summarise
from device.warden.supervisor import Supervisor
from device.warden.table import SOURCE
from device.warden.wiring import Wiring
from wire.errors import MachineError, SealcamError


def supervise(plan: RunPlan, launcher: Link, outside: dict[str, int]) -> int:
    """Run the plan to its end and report it on `launcher`; returns the exit status.

    Args:
        outside: "compartment.end" -> descriptor of a link whose other end the command holds.

    Raises:
        ArtifactError: a model is missing, or is not what was signed. StartError: a compartment did not get ready.
    """
    manifest, models = artifacts.load_signed(Path(plan.models), plan.config.models.release_key)
    device = Supervisor(plan, manifest, Wiring(outside, models), launcher)
    sentence, remedy, status, seconds = "", "", 0, 0.0
    try:
        device.start()
        began = time.monotonic()
        try:
            device.run()
        except (SealcamError, OSError, MemoryError) as error:
            failure = error if isinstance(error, SealcamError) else MachineError.of(error)
            sentence, remedy, status = failure.sentence, failure.remedy, 1  # the run had begun
        seconds = device.stream_seconds(began)
    finally:
        device.stop()
    summary, failed = summarise(device, seconds), status != 0
    if not status and any(child.done and child.done.get("damaged") for child in device.generations(SOURCE)):
        status = 1
        sentence = f"{plan.shown} is damaged or cut off after {summary['frames']} frames"
        remedy = "what was read is reported; get the whole file for the rest"
    summary["complete"] = not failed and (
        plan.kind == "camera" or not device.stopping
    )  # a camera ends by being stopped
    launcher.send(Finished(status, sentence, remedy, summary))
    return status
