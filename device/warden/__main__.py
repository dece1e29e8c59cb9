"""warden: confines itself, checks the models, wires and starts the device, supervises it, reports how it went."""

from __future__ import annotations

import argparse
import os
import signal
import sys

import msgspec

from device.channel.errors import PeerClosedError
from device.channel.link import Link
from device.channel.messages import Stop
from device.confine import launch
from device.launcher.plan import RunPlan
from device.launcher.report import Finished
from device.warden.run import supervise
from device.warden.self_confine import confine
from device.warden.table import OUTSIDE
from program.bound import bind
from wire.errors import MachineError, SealcamError

_MAX_PLAN_BYTES = 256 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="device.warden", description="Started by sealcam, never by hand.")
    parser.add_argument("--descriptors", required=True)
    parser.add_argument("--parent", required=True, type=int)
    arguments = parser.parse_args()
    if not bind(arguments.parent, signal.SIGKILL):
        return 1  # the command that started us is gone, and everything with it
    pairs = (part.split("=", 1) for part in arguments.descriptors.split(","))
    descriptors = {name: int(number) for name, number in pairs}
    launcher = Link.from_descriptor("launcher", descriptors["launcher"], Stop)
    with os.fdopen(descriptors["plan"], "rb") as file:
        plan = msgspec.json.decode(file.read(_MAX_PLAN_BYTES), type=RunPlan, strict=True)
    try:
        launch.check()
        confine()
        return supervise(plan, launcher, {f"{n}.{e}": descriptors[f"{n}.{e}"] for n, e in OUTSIDE})
    except PeerClosedError:
        return 1
    except SealcamError as error:
        launcher.send(Finished(error.exit_status, error.sentence, error.remedy, {}))
        return error.exit_status
    except (OSError, MemoryError) as error:
        failure = MachineError.of(error)
        launcher.send(Finished(failure.exit_status, failure.sentence, failure.remedy, {}))
        return failure.exit_status


if __name__ == "__main__":
    sys.exit(main())
