"""From the plan of a run to each compartment's settings, and to the files that it may see. The one place for both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from device.annotator.settings import AnnotatorSettings
from device.capture.settings import CaptureSettings
from device.codes.settings import CodesSettings
from device.config import CameraConfig, IndicatorConfig, UplinkConfig
from device.dialer.settings import DialerSettings
from device.indicator.settings import PIPES, IndicatorSettings
from device.launcher.plan import RunPlan
from device.perception.settings import PerceptionSettings, PointSettings
from device.position.settings import PositionSettings
from device.sealer.settings import SealerSettings
from device.uplink.settings import UplinkSettings
from device.verdict.settings import VerdictSettings
from wire.manifest import Manifest, PointName, operating_point
from wire.vocabulary import CompartmentName


def settings(plan: RunPlan, manifest: Manifest, start_frame: int) -> Mapping[CompartmentName, msgspec.Struct]:
    """Settings of each compartment that warden starts: what it has to know and nothing else."""
    lockstep, on_camera = plan.pace == "lockstep", plan.kind == "camera"
    named, pins, uplink = plan.config.perception, plan.config.indicator, plan.config.uplink
    points = manifest.detector.operating_points
    return {
        "capture": _capture(plan, start_frame),
        "perception": perception(manifest, named.operating_point, named.threads, lockstep),
        "codes": CodesSettings(lockstep),
        "position": PositionSettings(plan.gpx or None),
        "verdict": VerdictSettings(
            trust=str(Path(plan.home) / "trust"),
            stream="v",
            lockstep=lockstep,
            sure_scores={"far": points.far.score_high, "fast": points.fast.score_high},
            track=bool(plan.gpx),
        ),
        "sealer": SealerSettings(
            home=plan.home,
            run_id=plan.run_id,
            max_bytes=plan.config.spool.max_mib * 1024 * 1024,
            uplink=bool(uplink.host),
            on_camera=on_camera,
        ),
        "uplink": UplinkSettings(home=plan.home, host=uplink.host, port=uplink.port, linger=on_camera),
        "indicator": indicator(pins),
    }


def dialer(uplink: UplinkConfig) -> DialerSettings:
    """The settings of dialer, which the command starts itself."""
    return DialerSettings(uplink.host, uplink.port)


def annotator(plan: RunPlan) -> AnnotatorSettings:
    """The settings of annotator, which the command starts itself after a replay: every frame is drawn into."""
    return AnnotatorSettings(_capture(msgspec.structs.replace(plan, pace="lockstep"), 0))


def _capture(plan: RunPlan, start_frame: int) -> CaptureSettings:
    camera = plan.config.camera
    return CaptureSettings(
        kind=plan.kind,
        path=plan.input,
        pace=plan.pace,
        folder_fps=camera.folder_fps,
        width=camera.width_px,
        height=camera.height_px,
        fps=camera.fps,
        start_frame=start_frame,
        rotate_degrees=camera.rotate_degrees,
        flip=camera.flip,
        untimed_fps=camera.untimed_fps,
    )


def perception(manifest: Manifest, name: PointName, threads: int, lockstep: bool) -> PerceptionSettings:
    """The settings of perception at an operating point, from which it may fall back to `fast` in realtime."""
    lighter = None if lockstep or name == "fast" else _point(manifest, "fast")
    return PerceptionSettings(
        lockstep=lockstep,
        threads=threads,
        stride=manifest.detector.stride,
        point=_point(manifest, name),
        lighter=lighter,
        nms_iou=manifest.detector.nms_iou,
        crop_expand=manifest.classifier.crop_expand,
        temperature=manifest.classifier.temperature,
        not_a_sign=manifest.classifier.not_a_sign,
    )


def _point(manifest: Manifest, name: PointName) -> PointSettings:
    point = operating_point(manifest, name)
    return PointSettings(name, point.input, point.score_proposed, point.score_low)


def mounts(plan: RunPlan) -> dict[str, list[Path]]:
    """What the `{name}` mounts of the policies stand for in this run; `{runtime}` is `confine.launch`'s own."""
    home = Path(plan.home)
    camera = plan.kind == "camera"
    public = [home / "trust" / name for name in ("sink_hpke.pub", "receipt.pub")]
    return {
        "input": [] if camera else [Path(plan.input)],
        "camera": [Path(plan.input)] if camera else [],
        "gpx": [Path(plan.gpx)] if plan.gpx else [],
        "trust": [home / "trust"],
        "signing": [home / "device" / "signing.key", home / "device" / "id", *public],
        "spool": [home / "spool"],
        "tls": [home / "device" / name for name in ("tls.key", "tls.crt", "ca.crt")],
        **pin_mounts(plan.config.indicator),
    }


def pin_mounts(pins: IndicatorConfig) -> dict[str, list[Path]]:
    """What the indicator may see of the machine."""
    real = pins.factory == "lgpio"
    return {"gpiochip": [Path(pins.chip)] if real else [], "pipes": [Path(PIPES)] if real else []}


def indicator(pins: IndicatorConfig) -> IndicatorSettings:
    """The settings of indicator."""
    return IndicatorSettings(pins.factory, pins.red, pins.green, pins.blue, pins.buzzer, pins.tamper)


def camera(config: CameraConfig, start_frame: int = 0) -> CaptureSettings:
    """The settings of capture on the camera of the configuration."""
    return CaptureSettings(
        kind="camera",
        path=config.device,
        pace="realtime",
        folder_fps=config.folder_fps,
        width=config.width_px,
        height=config.height_px,
        fps=config.fps,
        start_frame=start_frame,
    )


def names(plan: RunPlan) -> dict[str, str]:
    """What the sentences of `failures` call the inputs of this run."""
    return {"input": plan.shown, "gpx": plan.gpx_shown, "home": plan.home}
