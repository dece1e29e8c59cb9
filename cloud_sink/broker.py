"""`sealcam-sink broker`: writes mosquitto's configuration into the data home, tells so, and runs mosquitto.

What this command wrote itself it writes anew as it is asked, also for a home that was moved or copied since. What
somebody changed is theirs: it is never rewritten but with --overwrite, and it is what mosquitto is started with.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud_sink.errors import AlreadyServingError, BrokerEndedError, SetupError
from cloud_sink.lock import only_one
from identity import load, mosquitto
from identity.files import read_private, write_private
from program.bound import bound

_THEIRS: Final = "is not as this version writes it: changed by hand, or of an earlier version"


@dataclass(frozen=True)
class BrokerFiles:
    """What mosquitto is started with. `port`: where it will listen, None where a changed configuration says it."""

    configuration: Path
    port: int | None


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Hold `broker/` of a data home, so that no second broker takes its files; gives what its broker has to hold too.

    Raises AlreadyServingError, KeysError where a certificate is missing or expired.
    """
    for name in ("tls.crt", "ca.crt"):
        load.certificate(folder / name)
    taken = AlreadyServingError(
        f"another sealcam-sink broker works in {folder} already", "end it first, with Ctrl-C where it was started"
    )
    with only_one(folder / "broker.lock", taken) as held:
        yield held


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
        KeysError: the folder cannot be written.
    """
    configuration, access = (folder / name for name in ("mosquitto.conf", "acl"))
    there = {path: read_private(path) for path in (configuration, access) if path.exists()}
    text = there.get(configuration, b"").decode(errors="replace")
    before = mosquitto.written_for(text)
    theirs = set()
    if configuration in there and before is None:
        theirs.add(configuration)
    if there.get(access, mosquitto.ACCESS_LIST.encode()) != mosquitto.ACCESS_LIST.encode():
        theirs.add(access)
    if configuration in theirs and port is not None and not overwrite:
        raise SetupError(
            f"{configuration} {_THEIRS}: it is not changed to port {port}",
            "write the port there (listener), or give --overwrite too, to start over",
        )
    kept = set() if overwrite else theirs
    port = port or mosquitto.port_in(text) or mosquitto.DEFAULT_PORT
    if check is not None and configuration not in kept:
        check(port)
    if before is not None and before.folder != folder:
        say(f"{configuration} was written for {before.folder}; it is written for this home now")
    wanted = mosquitto.files(folder, port, log="connections")
    for path, text_wanted in wanted.items():
        if path in kept:
            say(f"kept {path}, which {_THEIRS}; --overwrite starts over")
        elif there.get(path) == text_wanted.encode():
            say(f"kept {path}: it says the same")
        else:
            write_private(path, text_wanted.encode())
            say(f"{_did(path, there, theirs)} {path} (mode 0600)")
    if configuration in kept and (elsewhere := mosquitto.named_elsewhere(text, folder)):
        say(f"look whether that is meant: {configuration} names {', '.join(elsewhere)}, outside {folder}")
    return BrokerFiles(configuration, None if configuration in kept else port)


def _did(path: Path, there: Mapping[Path, bytes], theirs: set[Path]) -> str:
    return "overwrote" if path in theirs else "renewed" if path in there else "wrote"


def run(files: BrokerFiles, held: int, *, say: Callable[[str], None]) -> None:
    """Run mosquitto until it ends, or until this process is asked to end: then mosquitto ends first, in order.

    It is bound to this process, writes to the same standard error, and holds the lock `held` as long as it lives.

    Raises:
        MissingBrokerError: with the remedy.
        SetupError: mosquitto ends by itself, which it does only where it cannot work as it is configured.
        BrokerEndedError: somebody else's signal ended it.
    """
    program = mosquitto.find()
    where = "as that configuration says"
    if files.port is not None:
        where = f"on 127.0.0.1:{files.port} (receiver: sealcam-sink serve --broker localhost:{files.port})"
    say(f"starting {program} {where}; Ctrl-C ends it")
    with subprocess.Popen(bound([program, "-c", str(files.configuration)]), pass_fds=(held,)) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            status = process.wait()
            if status == -signal.SIGTERM:  # it was not up yet
                return
    if status > 0:
        raise SetupError(
            f"mosquitto cannot work with {files.configuration} (it says why above, its exit status is {status})",
            "correct what it names, or write the file anew with --overwrite",
        )
    if status < 0:
        raise BrokerEndedError(
            f"mosquitto was ended by signal {-status}", "look at the machine's log (journalctl -k), and start it again"
        )


def check_port(port: int) -> None:
    """Raises BusyPortError with the options of this command."""
    mosquitto.check_port(
        port,
        "stop what uses it, or choose another with --port, and tell it to devices ([uplink] port) and to sealcam-sink "
        "serve (--broker)",
    )
