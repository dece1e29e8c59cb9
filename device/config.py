"""The one configuration file (TOML): every key typed, bounded and with a default; environment variables override.

`SEALCAM_UPLINK_PORT=8883` overrides `port` in `[uplink]`. An unknown key, in the file or in the environment, is an
error: a misspelt safety setting must not be ignored.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from wire.errors import UsageError

MODELS = Path(__file__).resolve().parent.parent / "models" / "artifacts"
"""The shipped models."""

Port = Annotated[int, Meta(ge=1, le=65535)]
Pin = Annotated[int, Meta(ge=0, le=27)]
Positive = Annotated[float, Meta(gt=0.0, le=1000.0)]


class CameraConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[camera]`: the device for `sealcam run`, and the frame size and rate asked of it."""

    device: Annotated[str, Meta(pattern=r"^/dev/video[0-9]{1,3}\Z")] = "/dev/video0"
    width_px: Annotated[int, Meta(ge=64, le=4096)] = 1536
    height_px: Annotated[int, Meta(ge=64, le=2304)] = 864
    fps: Positive = 15.0
    folder_fps: Positive = 15.0  # the rate that a replayed folder of frames is taken to have


class PerceptionConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[perception]`: the detector's CPU threads and the size it sees frames at. Thresholds ship with the models."""

    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    operating_point: Literal["fast", "far"] = "far"  # fast finds fewer small signs, in two thirds of the time


class ModelsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[models]`: the public key that models must be signed with; empty for the release key, which is in the code."""

    release_key: Annotated[str, Meta(pattern=r"^(/[^\x00]{1,1023})?\Z")] = ""


class UplinkConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[uplink]`: the one broker. Without a host, sealed envelopes wait in the spool."""

    host: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.:-]{0,253}\Z")] = ""
    port: Port = 8883


class SpoolConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[spool]`: sealed envelopes that have no receipt yet."""

    max_mib: Annotated[int, Meta(ge=1, le=65536)] = 256


class IndicatorConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[indicator]`: BCM pin numbers; factory `mock` where there are no pins, `lgpio` on a Raspberry Pi."""

    factory: Literal["mock", "lgpio"] = "mock"
    chip: Annotated[str, Meta(pattern=r"^/dev/gpiochip[0-9]{1,2}\Z")] = "/dev/gpiochip0"
    red: Pin = 17
    green: Pin = 27
    blue: Pin = 22
    buzzer: Pin = 23
    tamper: Pin = 24


class WardenConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[warden]`: how long a compartment may take to start or stay silent, and how often it may be restarted."""

    start_seconds: Positive = 60.0
    silent_seconds: Positive = 20.0
    restarts: Annotated[int, Meta(ge=0, le=1000)] = 5
    restart_window_seconds: Positive = 60.0
    output: Literal["discard", "inherit"] = "discard"  # the compartments' own standard error: inherit to debug
    deliver_seconds: Positive = 30.0  # how long a replay waits for the last verdicts to be stored, then for receipts


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    camera: CameraConfig = CameraConfig()
    perception: PerceptionConfig = PerceptionConfig()
    models: ModelsConfig = ModelsConfig()
    uplink: UplinkConfig = UplinkConfig()
    spool: SpoolConfig = SpoolConfig()
    indicator: IndicatorConfig = IndicatorConfig()
    warden: WardenConfig = WardenConfig()


_OURS = {"SEALCAM_HOME"}  # read by identity: the data home, not a configuration key


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """Defaults, then the file, then `SEALCAM_<SECTION>_<KEY>`. Raises UsageError naming the file and the key."""
    origin = str(path) if path else "the environment"
    table: dict[str, Any] = {}
    if path is not None:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"the configuration {path} cannot be read ({error.strerror})", "check --config") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"the configuration {path} is not TOML ({error})", "correct it") from None
    for name, value in environment.items():
        if name.startswith("SEALCAM_") and name not in _OURS:
            section, _, key = name.removeprefix("SEALCAM_").lower().partition("_")
            if not isinstance(table.setdefault(section, {}), dict):
                raise UsageError(f"{origin}: {section} is not a section", f"write [{section}] and its keys below")
            table[section][key] = value
    try:
        return msgspec.convert(table, Config, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{origin}: {error}", "see docs/configuration.md for the keys") from None
