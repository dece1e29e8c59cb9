"""`sealcam-sink broker`: writes mosquitto's configuration into the data home, tells so, and becomes mosquitto."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cloud_sink.errors import SetupError
from identity import load, mosquitto
from identity.files import read_private, write_private


def write(folder: Path, port: int, *, overwrite: bool, say: Callable[[str], None]) -> Path:
    """Write what mosquitto needs into `broker/` of a data home; return its configuration.

    What is there and says the same is kept; what says something else is somebody's work, and kept too.

    Raises:
        SetupError: a file is there that says something else, and `overwrite` was not given.
        KeysError: a certificate is missing or expired, or the folder cannot be written.
    """
    for name in ("tls.crt", "ca.crt"):
        load.certificate(folder / name)
    wanted = mosquitto.files(folder, port, log="connections")
    differ = {path for path, text in wanted.items() if path.exists() and read_private(path) != text.encode()}
    if differ and not overwrite:
        named = " and ".join(str(path) for path in sorted(differ))
        raise SetupError(
            f"{named} would be written with something else in it",
            f"give --overwrite, or start the broker as it is there: mosquitto -c {folder / 'mosquitto.conf'}",
        )
    for path, text in wanted.items():
        if path in differ or not path.exists():
            write_private(path, text.encode())
            say(f"{'overwrote' if path in differ else 'wrote'} {path} (mode 0600)")
        else:
            say(f"kept {path}: it says the same")
    return folder / "mosquitto.conf"


def become(configuration: Path, port: int, *, say: Callable[[str], None]) -> NoReturn:
    """Turn this process into mosquitto, so that signals, a service manager and its log reach it directly.

    Raises MissingBrokerError and BusyPortError, each with the remedy.
    """
    program = mosquitto.find()
    mosquitto.check_port(port)
    say(f"starting {program} on 127.0.0.1:{port}; Ctrl-C ends it")
    os.execv(program, [program, "-c", str(configuration)])  # noqa: S606 -- no shell is wanted
