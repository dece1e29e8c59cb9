"""What the command that starts warden tells it: typed, and turned into settings and mounts for each compartment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from device.config import Config
from device.warden.artifacts import Manifest, OperatingPoint

PointName = Literal["fast", "far"]


class RunPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of the device. Paths are absolute; empty strings mean "none"."""

    kind: Literal["video", "folder", "camera"]
    input: str
    shown: str
    gpx: str
    gpx_shown: str
    pace: Literal["lockstep", "realtime"]
    start: Annotated[str, Meta(pattern=r"^(file|gps|[0-9]{1,15})\Z")]  # when the stream begins; digits: UTC ms
    home: str
    models: str
    run_id: str  # 16 random bytes as hex: new for each run, kept over restarts in it
    config: Config


def mounts(plan: RunPlan) -> dict[str, list[Path]]:
    """What the `{name}` mounts of the policies stand for in this run."""
    home = Path(plan.home)
    camera = plan.kind == "camera"
    pins = plan.config.indicator.factory == "lgpio"
    return {
        "input": [] if camera else [Path(plan.input)],
        "camera": [Path(plan.input)] if camera else [],
        "gpx": [Path(plan.gpx)] if plan.gpx else [],
        "trust": [home / "trust"],
        "signing": [home / "device" / "signing.key", home / "device" / "id", *_public(home)],
        "spool": [home / "spool"],
        "tls": [home / "device" / name for name in ("tls.key", "tls.crt", "ca.crt")],
        "gpiochip": [Path(plan.config.indicator.chip)] if pins else [],
    }


def _public(home: Path) -> list[Path]:
    return [home / "trust" / "sink_hpke.pub", home / "trust" / "receipt.pub"]


def settings(plan: RunPlan, manifest: Manifest, start_frame: int) -> dict[str, dict[str, Any]]:
    """Settings of each compartment: what it has to know, and no more."""
    lockstep = plan.pace == "lockstep"
    named = plan.config.perception
    point = operating_point(manifest, named.operating_point)
    camera, pins = plan.config.camera, plan.config.indicator
    return {
        "capture": {
            "kind": plan.kind,
            "path": plan.input,
            "shown": plan.shown,
            "pace": plan.pace,
            "folder_fps": camera.folder_fps,
            "width": camera.width_px,
            "height": camera.height_px,
            "fps": camera.fps,
            "start_frame": start_frame,
        },
        "perception": perception(manifest, named.operating_point, named.threads, lockstep),
        "codes": {"lockstep": lockstep},
        "position": {"gpx": plan.gpx or None, "shown": plan.gpx_shown},
        "verdict": {
            "trust": str(Path(plan.home) / "trust"),
            "stream": "v",
            "lockstep": lockstep,
            "sure_score": point.score_high,
        },
        "sealer": {
            "home": plan.home,
            "run_id": plan.run_id,
            "max_bytes": plan.config.spool.max_mib * 1024 * 1024,
            "uplink": bool(plan.config.uplink.host),
            "on_camera": plan.kind == "camera",
        },
        "uplink": {
            "home": plan.home,
            "host": plan.config.uplink.host,
            "port": plan.config.uplink.port,
            "linger": plan.kind == "camera",
        },
        "indicator": {
            "factory": pins.factory,
            "red": pins.red,
            "green": pins.green,
            "blue": pins.blue,
            "buzzer": pins.buzzer,
            "tamper": pins.tamper,
        },
    }


def operating_point(manifest: Manifest, name: PointName) -> OperatingPoint:
    """The detector's size and thresholds by name."""
    points = manifest.detector.operating_points
    return points.far if name == "far" else points.fast


def perception(manifest: Manifest, name: PointName, threads: int, lockstep: bool) -> dict[str, Any]:
    """The settings of `perception` at an operating point (`device.perception.core.PerceptionSettings`)."""
    point = operating_point(manifest, name)
    return {
        "lockstep": lockstep,
        "threads": threads,
        "stride": manifest.detector.stride,
        "input": point.input,
        "score_proposed": point.score_proposed,
        "score_low": point.score_low,
        "nms_iou": manifest.detector.nms_iou,
        "crop_expand": manifest.classifier.crop_expand,
        "temperature": manifest.classifier.temperature,
        "not_a_sign": manifest.classifier.not_a_sign,
    }
