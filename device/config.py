"""The one configuration file (TOML): every key typed, bounded and with a default; environment variables override.

`SEALCAM_UPLINK_PORT=8883` overrides `port` in `[uplink]`. An unknown key, in the file or in the environment, is an
error: a misspelt safety setting must not be ignored. What each key does stands beside it: `make docs` writes the table
in docs/configuration.md from here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct, inspect

from program import toml
from program.wording import HOME_VARIABLE, nearest, plain_types
from wire.errors import UsageError
from wire.manifest import PointName

MODELS = Path(__file__).resolve().parent.parent / "models" / "artifacts"
"""The shipped models."""

TcpPort = Annotated[int, Meta(ge=1, le=65535, extra={"unit": "TCP port"})]
BcmPin = Annotated[int, Meta(ge=0, le=27, extra={"unit": "BCM pin"})]
Seconds = Annotated[float, Meta(gt=0.0, le=1000.0, extra={"unit": "seconds"})]
FrameRate = Annotated[float, Meta(gt=0.0, le=1000.0, extra={"unit": "frames a second"})]


def _does(what: str, unit: str = "") -> Meta:
    """What a key does, and its unit or form where its type does not say: a row of the table in the documentation."""
    return Meta(description=what, extra={"unit": unit} if unit else None)


class CameraConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[camera]`: the device for `sealcam run`, what is asked of it and how it hangs; rates of what tells none."""

    device: Annotated[
        str,
        Meta(pattern=r"^/dev/video[0-9]{1,3}\Z"),
        _does("the V4L2 camera of `sealcam run`", "`/dev/videoN`"),
    ] = "/dev/video0"
    width_px: Annotated[int, Meta(ge=64, le=4096), _does("frame width asked of the camera", "pixels")] = 1536
    height_px: Annotated[int, Meta(ge=64, le=2304), _does("frame height asked of the camera", "pixels")] = 864
    fps: Annotated[FrameRate, _does("frame rate asked of the camera")] = 15.0
    rotate_degrees: Annotated[
        Literal[0, 90, 180, 270],
        _does(
            "how far the picture is turned clockwise, for a camera that hangs upside down or on its side; a replayed "
            "file or folder too, after it was laid as it says itself",
            "0, 90, 180 or 270 degrees",
        ),
    ] = 0
    flip: Annotated[
        Literal["none", "horizontal", "vertical"],
        _does("mirror the picture after that: `horizontal` changes left and right, `vertical` top and bottom"),
    ] = "none"
    folder_fps: Annotated[
        float,
        Meta(ge=0.0, le=1000.0),
        _does(
            "the rate at which the images of a replayed folder were taken. 0: not known; they are played at 15 and no "
            "code after the first image is placed",
            "frames a second",
        ),
    ] = 0.0
    untimed_fps: Annotated[
        float,
        Meta(ge=0.0, le=1000.0),
        _does(
            "the rate of a replayed video that has no time stamps: H.264 or JPEG frames without a container. 0: as the "
            "frames say; where they do not, they are played at 25 and no code is placed",
            "frames a second",
        ),
    ] = 0.0


class PerceptionConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[perception]`: the detector's CPU threads and the size it sees frames at. Thresholds ship with the models."""

    threads: Annotated[int, Meta(ge=1, le=16), _does("of the detector; the classifier has one", "CPU threads")] = 1
    operating_point: Annotated[
        PointName,
        _does(
            "the size at which the detector sees frames; `fast` is for slow boards: it finds fewer small signs, in two "
            "thirds of the time"
        ),
    ] = "far"


class ModelsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[models]`: the public key that models must be signed with; empty for the release key, which is in the code."""

    release_key: Annotated[
        str,
        Meta(pattern=r"^(/[^\x00]{1,1023})?\Z"),
        _does(
            "the public key (ECDSA P-256, PEM) that the models must be signed with, for models of your own "
            "([operations](operations.md#models-and-the-release-key)); other users must not be able to change it. "
            "Empty: the release key that comes with the code",
            "absolute path",
        ),
    ] = ""


class UplinkConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[uplink]`: the one broker. Without a host, sealed envelopes wait in the spool."""

    host: Annotated[
        str,
        Meta(pattern=r"^([0-9A-Za-z.-]{0,253}|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]{0,250})\Z"),  # or IPv6
        _does(
            "the one broker; must be a name in its certificate. Empty: nothing is sent, sealed envelopes wait in the "
            "spool",
            "host name or address, without a port",
        ),
    ] = ""
    port: Annotated[TcpPort, _does("the broker's port")] = 8883

    @property
    def where(self) -> str:
        """HOST:PORT, as people write it; empty without a host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if host else ""


class SpoolConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[spool]`: sealed envelopes that have no receipt yet."""

    max_mib: Annotated[
        int, Meta(ge=1, le=65536), _does("how much the envelopes may take that wait for their receipts", "MiB")
    ] = 256


class IndicatorConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[indicator]`: BCM pin numbers; factory `mock` where there are no pins, `lgpio` on a Raspberry Pi."""

    factory: Annotated[
        Literal["mock", "lgpio"],
        _does("`mock` where there are no pins, `lgpio` on a Raspberry Pi (extra `pi`)"),
    ] = "mock"
    chip: Annotated[
        str,
        Meta(pattern=r"^/dev/gpiochip[0-9]{1,2}\Z"),
        _does(
            "the one GPIO device that the compartment is given, with `lgpio`. gpiozero opens `gpiochip0` or, on a "
            "Raspberry Pi 5, `gpiochip4`, and no other",
            "`/dev/gpiochipN`",
        ),
    ] = "/dev/gpiochip0"
    red: Annotated[BcmPin, _does("LED, red")] = 17
    green: Annotated[BcmPin, _does("LED, green")] = 27
    blue: Annotated[BcmPin, _does("LED, blue")] = 22
    buzzer: Annotated[BcmPin, _does("buzzer")] = 23
    tamper: Annotated[BcmPin, _does("tamper switch, closed to ground while the case is shut")] = 24


class WardenConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`[warden]`: how long a compartment may take to start or stay silent, and how often it may be restarted."""

    start_seconds: Annotated[Seconds, _does("by then every compartment is ready, or the run ends")] = 60.0
    silent_seconds: Annotated[Seconds, _does("a compartment silent for longer is killed and restarted")] = 20.0
    stalled_seconds: Annotated[
        Seconds,
        _does(
            "where the frames do not go on for longer although there is work, who is at fault is restarted, also where "
            "it beats. It has to be longer than the slowest frame takes on this machine"
        ),
    ] = 30.0
    restarts: Annotated[
        int,
        Meta(ge=0, le=1000),
        _does(
            "restarts of one compartment within the window, and of one pair that accuse each other. When it falls once "
            "more the run ends; `uplink` and `indicator` stay down for the length of the window instead, and are then "
            "tried again"
        ),
    ] = 5
    restart_window_seconds: Annotated[Seconds, _does("the window")] = 60.0
    output: Annotated[
        Literal["discard", "inherit"],
        _does(
            "the compartments' standard error. `inherit` is for debugging: a compromised compartment could write "
            "terminal escapes"
        ),
    ] = "discard"
    least_judged_share: Annotated[
        float,
        Meta(ge=0.0, le=1.0, extra={"unit": "share of the frames"}),
        _does(
            "in realtime, a reader that judges less than this of the frames is an `overload` event; a replay then ends "
            "with status 1. Of 15 frames a second, half are twice what the signs of the demo's drive need"
        ),
    ] = 0.5
    deliver_seconds: Annotated[
        Seconds,
        _does(
            "how long a replay that is judged to its end waits for its verdicts to be stored (at most 5 s where the "
            "spool takes nothing and no broker is configured), then for the receipts (at most 3 s where the broker is "
            "known to be out of reach, or to refuse)"
        ),
    ] = 30.0


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    camera: CameraConfig = CameraConfig()
    perception: PerceptionConfig = PerceptionConfig()
    models: ModelsConfig = ModelsConfig()
    uplink: UplinkConfig = UplinkConfig()
    spool: SpoolConfig = SpoolConfig()
    indicator: IndicatorConfig = IndicatorConfig()
    warden: WardenConfig = WardenConfig()


_PREFIX = "SEALCAM_"
_KEYS = "all keys: sealcam config show"
_KEYS_OF_THE_ENVIRONMENT = "unset it; docs/configuration.md has all keys"
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)  # how msgspec ends its sentences
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")


class Loaded(NamedTuple):
    """A configuration, and where each key that is not a default comes from: "section.key" -> file or variable."""

    config: Config
    sources: Mapping[str, str]


class _Origin(NamedTuple):
    """Where a table comes from: how it is called, the file's text ("" for the environment), each key's source."""

    name: str
    text: str
    sources: Mapping[str, str]


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """Defaults, then the file, then `SEALCAM_<SECTION>_<KEY>`. Raises UsageError naming the key and its source."""
    return load_with_sources(path, environment).config


def load_with_sources(path: Path | None, environment: Mapping[str, str] = os.environ) -> Loaded:
    """As `load`, and what each value comes from."""
    text, table = toml.read(path, "the configuration", "name a TOML file that can be read") if path else ("", {})
    sources = {f"{name}.{key}": str(path) for name, keys in table.items() if isinstance(keys, dict) for key in keys}
    if path is not None:
        _convert(table, _Origin(str(path), text, sources))
    for name, value in environment.items():
        if name.startswith(_PREFIX) and name != HOME_VARIABLE:
            section, _, key = name.removeprefix(_PREFIX).lower().partition("_")
            if not key:
                near = nearest(name, {HOME_VARIABLE, *variables()})
                remedy = f"did you mean {near}?" if near else "write SEALCAM_<SECTION>_<KEY>"
                raise UsageError(f"the environment: {name} names no key", remedy)
            table.setdefault(section, {})[key] = value
            sources[f"{section}.{key}"] = name
    return Loaded(_convert(table, _Origin("the environment", text, sources)), sources)


def variables() -> list[str]:
    """The environment's variable for each key."""
    return [
        f"{_PREFIX}{name}_{key}".upper() for name, section in _sections().items() for key in section.__struct_fields__
    ]


def _sections() -> dict[str, type[Struct]]:
    return {name: type(getattr(Config(), name)) for name in Config.__struct_fields__}


def _convert(table: Mapping[str, Any], origin: _Origin) -> Config:
    try:
        config = msgspec.convert(table, Config, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(str(error), origin) from None
    pins = config.indicator
    if len({pins.red, pins.green, pins.blue, pins.buzzer, pins.tamper}) < 5:
        raise UsageError(f"{origin.name}: two pins under [indicator] are the same pin", "give each a pin of its own")
    return config


def _refused(said: str, origin: _Origin) -> UsageError:
    """What msgspec says -> which key it is about, as its user wrote it, where, what is wrong with it, what to do."""
    found = _AT.match(said)
    what, path = (found["what"], found["path"] or "") if found else (said, "")
    unknown = _UNKNOWN.search(what)
    if unknown:
        path = f"{path}.{unknown['key']}".lstrip(".")
        what = "there is no such key" if "." in path else "there is no such section"
    section, _, key = path.partition(".")
    within = (source for name, source in origin.sources.items() if name.startswith(f"{path}."))  # an unknown section's
    source = origin.sources.get(path) or next(within, origin.name)
    of_a_variable = source.startswith(_PREFIX)
    place = f"the environment: {source}" if of_a_variable else _place(section, key, source, origin.text)
    if not unknown:
        mend = (
            "correct it, or unset it for the default" if of_a_variable else "correct it, or remove it for the default"
        )
        return UsageError(f"{place}: {_wrong(what, section, key)}", mend)
    if of_a_variable:
        near, keys = nearest(source, {HOME_VARIABLE, *variables()}), _KEYS_OF_THE_ENVIRONMENT
    else:
        near, keys = nearest(key or section, _sections()[section].__struct_fields__ if key else _sections()), _KEYS
    return UsageError(f"{place}: {what}", f"did you mean {near}?" if near else keys)


def _place(section: str, key: str, source: str, text: str) -> str:
    name = f"[{section}] {key}".rstrip() if section else ""
    line = toml.line_of(text, [section, key] if key else [section]) if section and text else None
    return f"{name} in {source}".removeprefix(" in ") + (f", line {line}" if line else "")


def _wrong(what: str, section: str, key: str) -> str:
    """What is wrong with a value, without a type's name, a pattern or a list that is not told."""
    if "regex" in what:
        return f"its form must be: {_form(section, key)}"
    if what.startswith("Invalid enum value"):
        return f"{what.removeprefix('Invalid enum value ')} is none of: {_choices(section, key)}"
    return plain_types(what)


def _field(section: str, key: str) -> inspect.Type | None:
    for within in inspect.type_info(Config).fields:  # type: ignore[attr-defined]
        for field in within.type.fields if within.name == section else ():
            if field.name == key:
                kind: inspect.Type = field.type
                return kind
    return None


def _form(section: str, key: str) -> str:
    """What a text must look like: the unit beside its type, which the documentation shows too."""
    return str((getattr(_field(section, key), "extra", None) or {}).get("unit", "another text"))


def _choices(section: str, key: str) -> str:
    kind = _field(section, key)
    return ", ".join(str(value) for value in getattr(getattr(kind, "type", kind), "values", ()))
