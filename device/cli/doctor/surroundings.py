"""Camera, pins, position, broker: what the device is connected to. Camera and pins are tried confined, as in a run."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.cli.doctor.check import Check, Looks
from device.confine.errors import CannotConfineError
from device.dialer.core import connect
from device.launcher import settings
from device.warden.refusals import words
from identity import load
from identity.errors import KeysError

_CAMERA_FRAMES = 1
_CONNECT_SECONDS = 5.0
_REFUSES_WITHIN_S = 0.5


def _camera(looks: Looks) -> Check:
    camera = looks.config.camera
    named = "camera.device" in looks.named
    path = Path(camera.device)
    if not path.is_char_device():
        return Check(
            "camera",
            False,
            _not_there(path, "video[0-9]*"),
            "connect it, or set [camera] device; replay takes recorded video without one",
            required=named,
        )
    if not os.access(path, os.R_OK | os.W_OK):
        remedy = "sudo usermod -aG video $USER, then log in again"
        return Check("camera", False, f"{path} may not be used by this user", remedy)
    from device.launcher import trial  # here: numpy would make every other command wait

    found = _tried(
        lambda: trial.reason_against(
            "capture", settings.camera(camera), {"camera": [path]}, {"input": str(path)}, handles=_CAMERA_FRAMES
        )
    )
    return Check("camera", False, *found) if found else Check("camera", True, f"{path} gives frames", "")


def _not_there(path: Path, pattern: str) -> str:
    others = ", ".join(sorted(str(other) for other in Path("/dev").glob(pattern) if other != path))
    return f"there is no {path}" + (f", but {others}" if others else "")


def _pins(looks: Looks) -> Check:
    pins = looks.config.indicator
    if pins.factory == "mock":
        return Check("pins", True, 'none configured ([indicator] factory = "mock")', "")
    chip = Path(pins.chip)
    if not chip.exists():
        remedy = 'set [indicator] chip to one that is there, or factory = "mock" to drive without pins'
        return Check("pins", False, _not_there(chip, "gpiochip*"), remedy)
    if not os.access(chip, os.R_OK | os.W_OK):
        remedy = "sudo usermod -aG gpio $USER, then log in again"
        return Check("pins", False, f"{chip} may not be used by this user", remedy)
    from device.launcher import trial

    found = _tried(lambda: trial.reason_against("indicator", settings.indicator(pins), settings.pin_mounts(pins), {}))
    return Check("pins", False, *found) if found else Check("pins", True, f"LED, buzzer and switch on {chip}", "")


def _position(looks: Looks) -> Check:
    return Check(
        "position",
        False,
        "there is no live position source yet: on a camera no code is VERIFIED",
        "none yet; a replay takes a recorded track (--gps)",
        required=False,
    )


def _broker(looks: Looks) -> Check:
    """Finds it, connects, and shows it our certificate: step by step, so that the step that fails is told."""
    host, port = looks.config.uplink.host, looks.config.uplink.port
    if not host:
        return Check("broker", True, "none configured ([uplink] host): sealed events wait in the spool", "")
    from device.uplink.refusal import BY_DIALLING, Refusal, of_tls  # here: paho would make every other command wait

    where = f"{host}:{port}"
    connected = connect(host, port, _CONNECT_SECONDS)
    if not isinstance(connected, socket.socket):
        return _refused(looks, BY_DIALLING[connected])
    device = looks.home.device
    with connected:
        try:
            context = load.client_context(device / "tls.key", device / "tls.crt", device / "ca.crt")
            with context.wrap_socket(connected, server_hostname=host) as secured:
                cipher = (secured.cipher() or ("TLS",))[0]
                _hear_of_our_certificate(secured)
        except KeysError as error:
            return Check("broker", False, f"{where} answers, but {error.sentence}", error.remedy)
        except ssl.SSLError as error:
            return _refused(looks, of_tls(error, Refusal.NO_TLS))
        except TimeoutError:
            return _refused(looks, Refusal.SILENT)
        except OSError:
            return _refused(looks, Refusal.HANGS_UP)
    return Check("broker", True, f"{where} is found, answers and shows a good certificate ({cipher})", "")


def _hear_of_our_certificate(secured: ssl.SSLSocket) -> None:
    """Raises ssl.SSLError where the broker refuses our certificate: in TLS 1.3 it says so after the handshake.

    One that takes it waits for us to speak.
    """
    secured.settimeout(_REFUSES_WITHIN_S)
    with contextlib.suppress(TimeoutError):
        secured.recv(1)


def _refused(looks: Looks, why: int) -> Check:
    """The finding in the words that a run has for it. `why`: a Refusal."""
    row = words(why, looks.config.uplink)
    return Check("broker", False, *((row.sentence, row.remedy) if row else ("it is refused", "look at its log")))


def _tried(attempt: Callable[[], tuple[str, str] | None]) -> tuple[str, str] | None:
    try:
        return attempt()
    except CannotConfineError as error:
        return error.sentence, error.remedy


CHECKS: Final = (_camera, _pins, _position, _broker)
