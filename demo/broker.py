"""A real mosquitto for the demo and the tests: its start, until it accepts, and a clean end."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import time
from types import TracebackType
from typing import BinaryIO

from identity import Home, load, mosquitto
from identity.files import PRIVATE_FILE, write_private
from identity.mosquitto import DEFAULT_PORT
from program.bound import bound
from wire.errors import RunError

START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class BrokerError(RunError):
    """The broker did not start, ended by itself, or that of another data home answers; see the sentence."""


def free_port() -> int:
    """A port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A mosquitto of one data home, running while the block lasts.

    `start` and `stop` may be called in turns within the block, to take the broker away for a while. Start it from the
    main thread: it ends with the thread that started it.

    Raises:
        MissingBrokerError, BusyPortError: nothing was started.
        BrokerError: it ended or did not come up in ten seconds, or a broker of another data home answers.
        KeysError: a certificate is missing or expired.
    """

    def __init__(self, home: Home, port: int = DEFAULT_PORT) -> None:
        self._home = home
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Write the configuration, start, and wait until a client of this home is let in."""
        program = mosquitto.find()
        folder = self._home.broker
        for name in ("tls.crt", "ca.crt"):
            load.certificate(folder / name)
        mosquitto.check_port(self.port)
        for path, text in mosquitto.files(folder, self.port, log="errors").items():
            write_private(path, text.encode())
        with self._log() as log:
            self._process = subprocess.Popen(
                bound([program, "-c", str(folder / "mosquitto.conf")], signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for us; we end the broker after the device
            )
        try:
            self._wait_until_it_accepts(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; nothing is left running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def said(self) -> str:
        """The last line of its log, in printable characters."""
        path = self._home.broker / "mosquitto.log"
        lines = path.read_bytes()[-2000:].decode("ascii", "replace").strip().splitlines() if path.exists() else []
        return "".join(c if c.isprintable() else "?" for c in lines[-1])[:200] if lines else "nothing"

    def _see_log(self) -> str:
        return f"see all that it said in {self._home.broker / 'mosquitto.log'}"

    def _log(self) -> BinaryIO:
        path = self._home.broker / "mosquitto.log"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(path, flags, PRIVATE_FILE), "wb")

    def _wait_until_it_accepts(self, process: subprocess.Popen[bytes]) -> None:
        sink = self._home.sink
        context = load.client_context(sink / "tls.key", sink / "tls.crt", sink / "ca.crt")
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            if process.poll() is not None:
                raise BrokerError(
                    f"mosquitto ended with status {process.returncode} and said: {self.said()}", self._see_log()
                )
            try:
                with (
                    socket.create_connection(("127.0.0.1", self.port), 1.0) as connected,
                    context.wrap_socket(connected, server_hostname="localhost"),
                ):
                    return
            except ssl.SSLCertVerificationError:
                raise BrokerError(
                    f"port {self.port} is answered by a broker of another data home", "stop it, or choose another port"
                ) from None
            except OSError:
                time.sleep(0.05)
        raise BrokerError(
            f"mosquitto did not accept connections in {START_SECONDS:g} s and said: {self.said()}", self._see_log()
        )
