"""A real mosquitto for the demo and the tests: configuration, access list, start, and a clean end.

Every client shows a certificate, whose common name is the user. A device may publish to its own envelope topic and
read its own receipt topic, and nothing else; the sink reads all envelopes and publishes receipts.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from identity import Home, load
from identity.files import PRIVATE_FILE, write_private
from program.bound import bound
from wire.envelope import MAX_ENVELOPE_BYTES
from wire.errors import RunError, UsageError
from wire.topics import ENVELOPE_FILTER, SINK_NAME

DEFAULT_PORT = 8883
START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"  # not in an ordinary user's PATH

ACCESS_LIST = f"""\
pattern write sealcam/v1/%u/envelope
pattern read sealcam/v1/%u/receipt

user {SINK_NAME}
topic read {ENVELOPE_FILTER}
topic write sealcam/v1/+/receipt
"""

# max_keepalive stays at its default: at 60, which applies to a client before its CONNECT, mosquitto 2.0.21 ends
# new connections as timed out whenever the second turns between accept and CONNECT.
_CONFIGURATION = """\
per_listener_settings false
listener {port} 127.0.0.1
protocol mqtt
socket_domain ipv4
allow_anonymous false
require_certificate true
use_identity_as_username true
tls_version tlsv1.3
cafile {folder}/ca.crt
certfile {folder}/tls.crt
keyfile {folder}/tls.key
acl_file {folder}/acl
persistence false
max_packet_size {packet}
message_size_limit {packet}
max_inflight_messages 64
max_queued_messages 4096
max_connections 64
log_dest stderr
log_type error
log_type warning
{user}"""


class BrokerError(RunError):
    """The broker did not start, ended by itself, or that of another data home answers; see the sentence."""


class MissingBrokerError(UsageError, FileNotFoundError):
    """mosquitto is not installed; the remedy names the package."""


class BusyPortError(UsageError, OSError):
    """Something else listens on the port; the remedy is another port."""


def find_mosquitto() -> str:
    """The path of mosquitto. Raises MissingBrokerError."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")
    if found is None:
        raise MissingBrokerError("mosquitto is not installed", "run: sudo apt-get install mosquitto")
    return found


def configuration(folder: Path, port: int, *, root: bool) -> str:
    """The text of mosquitto.conf. Started by root, mosquitto would change to a user that cannot read 0600 keys."""
    return _CONFIGURATION.format(
        folder=folder, port=port, packet=MAX_ENVELOPE_BYTES + 4096, user="user root\n" if root else ""
    )


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
        program = find_mosquitto()
        folder = self._home.broker
        for name in ("tls.crt", "ca.crt"):
            load.certificate(folder / name)
        self._check_port()
        write_private(folder / "acl", ACCESS_LIST.encode())
        write_private(folder / "mosquitto.conf", configuration(folder, self.port, root=os.geteuid() == 0).encode())
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

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise BusyPortError(
                    f"port {self.port} of 127.0.0.1 cannot be used ({error.strerror})",
                    "stop what uses it, or choose another port",
                ) from None

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
