"""What isolation costs: the same stages in one unconfined process, and as confined compartments, on the same frames.

`python -m bench.isolation [VIDEO]` (without a video: a short drive is rendered) prints frames per second of both, their
ratio, and the hand-over of a frame through the sealed ring, in one run on this machine. The confined device has every
compartment, log files and a spool; the unconfined process has the stages alone, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import program
from bench.footage import frames as frames_of
from device.channel.messages import Readings, Sightings
from device.channel.ring import RingReader, RingWriter, create
from device.codes.core import CodeReader
from device.config import MODELS, Config
from device.launcher import settings
from device.launcher.plan import RunPlan
from device.launcher.session import Session
from device.perception.core import Recogniser
from device.verdict.judge import Judge
from identity.home import Home
from models.release.shipped import load_manifest
from program.arguments import new_parser, place
from wire.errors import RunError


def unconfined(video: Path) -> tuple[int, float]:
    """(frames, seconds) of all stages in this process, one after the other, through the same ring."""
    manifest = load_manifest(MODELS)
    models = [(MODELS / entry.file).read_bytes() for entry in (manifest.detector, manifest.classifier)]
    perception = Recogniser(
        models[0],
        models[1],
        settings.perception(manifest, "far", threads=1, lockstep=True),
        lambda stage, seconds: None,
    )
    perception.warm_up()
    reader = CodeReader()
    reader.warm_up()
    judge = Judge({}, None, stream="bench", lockstep=True)
    judge.on_fixes_end()
    descriptor = create()
    ring = RingWriter(os.dup(descriptor))
    frames = RingReader(descriptor)
    began, number = time.perf_counter(), -1
    for number, t_ms in frames_of(video, ring.slot):
        slot, generation = ring.publish(number)
        frame = frames.view(slot, generation, number)
        seen = perception.look(frame)
        readings = reader.read(frame, seen.regions, number)
        judge.on_sightings(Sightings(number, t_ms, frame.shape[1], frame.shape[0], seen.boxes))
        judge.on_readings(Readings(number, t_ms, frame.shape[1], frame.shape[0], readings))
    judge.finish()
    return number + 1, time.perf_counter() - began


def confined(video: Path, home: Path) -> tuple[int, float]:
    """(frames, seconds) of the confined device, from the moment when every compartment is ready."""
    made = Home(home)
    made.ensure_development()
    outcome = Session(_plan(video, home), home / "out", lambda message: None).run()
    if outcome.exit_status:
        raise RunError(f"the confined device failed: {outcome.sentence}", outcome.remedy or "run: sealcam doctor")
    return outcome.summary["frames"], outcome.summary["seconds"]


def hand_over(frames: int = 400, width: int = 1536, height: int = 864) -> dict[str, float]:
    """Microseconds from a finished write to a mapped, checked view, at percentiles."""
    descriptor = create()
    writer, reader = RingWriter(os.dup(descriptor)), RingReader(descriptor)
    samples = []
    for frame in range(frames):
        writer.slot(width, height)[:] = frame & 0xFF
        began = time.perf_counter()
        slot, generation = writer.publish(frame)
        view = reader.view(slot, generation, frame)
        int(view[height // 2, width // 2, 0])
        samples.append((time.perf_counter() - began) * 1e6)
    return {f"p{p}": round(float(np.percentile(samples, p)), 1) for p in (50, 99)}


def _plan(video: Path, home: Path) -> RunPlan:
    return RunPlan(
        kind="video",
        input=str(video.resolve()),
        shown=video.name,
        gpx="",
        gpx_shown="",
        pace="lockstep",
        start="file",
        home=str(home),
        models=str(MODELS),
        run_id=secrets.token_hex(16),
        config=Config(),
    )


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.isolation", lambda: _work())


def _work() -> int | None:
    parser = new_parser(prog="python -m bench.isolation", description=__doc__)
    parser.add_argument("video", nargs="?", type=place)
    parser.add_argument("--json", action="store_true")
    _compare(parser.parse_args())
    return 0


def _compare(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        video = arguments.video or _render(Path(scratch))
        alone_frames, alone = unconfined(video)
        frames, apart = confined(video, Path(scratch) / "home")
    figures = {
        "frames": frames,
        "unconfined_fps": round(alone_frames / alone, 1),
        "confined_fps": round(frames / apart, 1),
        "throughput_ratio": round(alone / apart * frames / alone_frames, 3),
        "hand_over_us": hand_over(),
    }
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:18} {value}" for name, value in figures.items()))


def _render(folder: Path) -> Path:
    from hardware.rig import drive

    names = ("honest", "uncoded")
    return drive.render(folder, 3, Ed25519PrivateKey.generate(), round(time.time() * 1000), None, names=names).video


if __name__ == "__main__":
    sys.exit(main())
