"""warden: confines itself, checks the models, wires and starts the device, supervises it, reports how it went."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from device.channel.errors import PeerClosedError
from device.channel.link import Link
from device.channel.messages import Stop
from device.confine import launch
from device.launcher.plan import RunPlan
from device.launcher.report import Finished
from device.warden import artifacts
from device.warden.self_confine import confine
from device.warden.summary import summarise
from device.warden.supervisor import Supervisor
from device.warden.table import OUTSIDE, SOURCE
from device.warden.wiring import Wiring
from wire.errors import MachineError, SealcamError

_MAX_PLAN_BYTES = 256 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="device.warden", description="Started by sealcam, never by hand.")
    parser.add_argument("--descriptors", required=True)
    pairs = (part.split("=", 1) for part in parser.parse_args().descriptors.split(","))
    descriptors = {name: int(number) for name, number in pairs}
    launcher = Link.from_descriptor("launcher", descriptors["launcher"], Stop)
    with os.fdopen(descriptors["plan"], "rb") as file:
        plan = msgspec.json.decode(file.read(_MAX_PLAN_BYTES), type=RunPlan, strict=True)
    try:
        launch.check()
        confine()
        return _supervise(plan, launcher, {f"{n}.{e}": descriptors[f"{n}.{e}"] for n, e in OUTSIDE})
    except SealcamError as error:
        launcher.send(Finished(error.exit_status, error.sentence, error.remedy, {}))
        return error.exit_status
    except PeerClosedError:
        return 1  # the command that started us is gone, and everything with it
    except (OSError, MemoryError) as error:
        failure = MachineError.of(error)
        launcher.send(Finished(failure.exit_status, failure.sentence, failure.remedy, {}))
        return failure.exit_status


def _supervise(plan: RunPlan, launcher: Link, outside: dict[str, int]) -> int:
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
    summary = summarise(device, seconds)
    if not status and any(child.done and child.done.get("damaged") for child in device.generations(SOURCE)):
        status = 1
        sentence = f"{plan.shown} is damaged or cut off after {summary['frames']} frames"
        remedy = "what was read is reported; get the whole file for the rest"
    launcher.send(Finished(status, sentence, remedy, summary))
    return status


if __name__ == "__main__":
    sys.exit(main())
