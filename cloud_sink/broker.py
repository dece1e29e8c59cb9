"""`sealcam-sink broker`: writes mosquitto's configuration into the data home, tells so, and becomes mosquitto.

What this command wrote itself it writes anew as it is asked. What somebody changed is theirs: it is never rewritten but
with --overwrite, and it is what mosquitto is started with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from cloud_sink.errors import SetupError
from identity import load, mosquitto
from identity.files import read_private, write_private

_LISTENS: Final = re.compile(r"^listener ([0-9]{1,5}) 127\.0\.0\.1$", re.MULTILINE)
"""How our own configuration says it; what is recognised by it is then compared as a whole."""


@dataclass(frozen=True)
class BrokerFiles:
    """What mosquitto is started with. `port`: where it will listen, None where a changed configuration says it."""

    configuration: Path
    port: int | None


def write(
    folder: Path,
    port: int | None,
    *,
    overwrite: bool,
    say: Callable[[str], None],
    check: Callable[[int], None] | None = None,
) -> BrokerFiles:
    """Write what mosquitto needs into `broker/` of a data home, as far as nobody changed it.

    Args:
        port: None for that of before, 8883 where there is none.
        overwrite: also what somebody changed.
        check: called with the port before anything is written.

    Raises:
        SetupError: a port is asked for, and the configuration there is not ours to change.
        KeysError: a certificate is missing or expired, or the folder cannot be written.
    """
    for name in ("tls.crt", "ca.crt"):
        load.certificate(folder / name)
    configuration, access = (folder / name for name in ("mosquitto.conf", "acl"))
    there = {path: read_private(path) for path in (configuration, access) if path.exists()}
    before = _own_port(folder, there.get(configuration))
    theirs = set()
    if configuration in there and before is None:
        theirs.add(configuration)
    if there.get(access, mosquitto.ACCESS_LIST.encode()) != mosquitto.ACCESS_LIST.encode():
        theirs.add(access)
    if configuration in theirs and port is not None and not overwrite:
        raise SetupError(
            f"{configuration} was changed by hand, and is not changed to port {port}",
            "write the port there (listener), or give --overwrite too, to start over",
        )
    kept = set() if overwrite else theirs
    port = port or before or mosquitto.DEFAULT_PORT
    if check is not None and configuration not in kept:
        check(port)
    wanted = mosquitto.files(folder, port, log="connections")
    for path, text in wanted.items():
        if path in kept:
            say(f"kept {path}, which was changed by hand; --overwrite starts over")
        elif there.get(path) == text.encode():
            say(f"kept {path}: it says the same")
        else:
            write_private(path, text.encode())
            say(f"{_did(path, there, theirs)} {path} (mode 0600)")
    return BrokerFiles(configuration, None if configuration in kept else port)


def _did(path: Path, there: Mapping[Path, bytes], theirs: set[Path]) -> str:
    return "overwrote" if path in theirs else "renewed" if path in there else "wrote"


def _own_port(folder: Path, text: bytes | None) -> int | None:
    """The port of a configuration that we wrote, for this folder and whatever port; None for any other."""
    found = _LISTENS.search(text.decode(errors="replace")) if text is not None else None
    if found is None:
        return None
    port = int(found[1])
    ours = (mosquitto.files(folder, port, log=log)[folder / "mosquitto.conf"] for log in mosquitto.LOGS)
    return port if text in [text_.encode() for text_ in ours] else None


def become(files: BrokerFiles, *, say: Callable[[str], None]) -> NoReturn:
    """Turn this process into mosquitto, so that signals, a service manager and its log reach it directly.

    Raises MissingBrokerError with the remedy.
    """
    program = mosquitto.find()
    where = "as that configuration says"
    if files.port is not None:
        where = f"on 127.0.0.1:{files.port} (receiver: sealcam-sink serve --broker localhost:{files.port})"
    say(f"starting {program} {where}; Ctrl-C ends it")
    os.execv(program, [program, "-c", str(files.configuration)])  # noqa: S606 -- no shell is wanted


def check_port(port: int) -> None:
    """Raises BusyPortError with the options of this command."""
    mosquitto.check_port(
        port,
        "stop what uses it, or choose another with --port, and tell it to devices ([uplink] port) and to sealcam-sink "
        "serve (--broker)",
    )
