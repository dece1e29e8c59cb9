"""The broker's configuration, made of a data home: mosquitto with mutual TLS, and who may use which topic.

Every client shows a certificate, whose common name is the user. A device may publish to its own envelope topic and
read its own receipt topic, and nothing else; the sink reads all envelopes and publishes receipts.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from identity.errors import BusyPortError, KeysError, MissingBrokerError
from wire.envelope import MAX_ENVELOPE_BYTES
from wire.topics import ENVELOPE_FILTER, SINK_NAME

LogName = Literal["errors", "connections"]
DEFAULT_PORT: Final = 8883
_SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/sbin"  # not in an ordinary user's PATH

ACCESS_LIST: Final = f"""\
pattern write sealcam/v1/%u/envelope
pattern read sealcam/v1/%u/receipt

user {SINK_NAME}
topic read {ENVELOPE_FILTER}
topic write sealcam/v1/+/receipt
"""

# max_keepalive stays at its default: at 60, which applies to a client before its CONNECT, mosquitto 2.0.21 ends
# new connections as timed out whenever the second turns between accept and CONNECT.
_CONFIGURATION: Final = """\
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
{limit}max_inflight_messages 64
max_queued_messages 4096
max_connections 64
log_dest stderr
{log}{user}"""
LOGS: Final[Mapping[LogName, str]] = {
    "errors": "log_type error\nlog_type warning\n",
    "connections": "log_type error\nlog_type warning\nlog_type notice\nlog_timestamp_format %Y-%m-%dT%H:%M:%S\n",
}
_EARLIER: Final = "message_size_limit {packet}\n"
"""What earlier versions wrote too, and mosquitto asks at each start to leave out: the other limit is the stricter."""
_USERS: Final = ("", "user root\n")
"""For an ordinary user, and for root."""


def find() -> str:
    """The path of mosquitto. Raises MissingBrokerError."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")
    if found is None:
        raise MissingBrokerError("mosquitto is not installed", "run: sudo apt-get install mosquitto")
    return found


_LISTENS: Final = re.compile(r"^listener ([0-9]{1,5}) 127\.0\.0\.1$", re.MULTILINE)
_LIES: Final = re.compile(r"^cafile (.+)/ca\.crt$", re.MULTILINE)
_NAMES: Final = re.compile(r"^(?:cafile|certfile|keyfile|acl_file) +(/.+?)\s*$", re.MULTILINE)


class WrittenFor(NamedTuple):
    """What a configuration of ours was written for: a `broker/` folder, which may have been moved since, and a port."""

    folder: Path
    port: int


def files(folder: Path, port: int, *, log: LogName) -> dict[Path, str]:
    """What is to be written into `broker/` of a data home: file -> text. Raises KeysError.

    Started by root, mosquitto would change to a user that cannot read 0600 keys: there it is told to stay.
    """
    if not str(folder).isprintable() or str(folder) != str(folder).strip():
        raise KeysError(f"{str(folder)!r} cannot be written into mosquitto.conf", "set SEALCAM_HOME to a plain path")
    text = _text(folder, port, log, _USERS[os.geteuid() == 0])
    return {folder / "mosquitto.conf": text, folder / "acl": ACCESS_LIST}


def written_for(text: str) -> WrittenFor | None:
    """What a configuration was written for, where it is ours to the letter; None for any other."""
    port, folder = port_in(text), _LIES.search(text)
    if port is None or folder is None:
        return None
    place = Path(folder[1])
    ours = {_text(place, port, log, user, limit) for log in LOGS for user in _USERS for limit in ("", _EARLIER)}
    return WrittenFor(place, port) if text in ours else None


def port_in(text: str) -> int | None:
    """The port of this machine itself that a configuration listens on, written as ours are; None without, or several.

    It is a proposal for a new configuration, whose reader is mosquitto: nothing is concluded from it.
    """
    found = [int(port) for port in _LISTENS.findall(text)]
    return found[0] if len(found) == 1 and 0 < found[0] < 65536 else None


def named_elsewhere(text: str, folder: Path) -> list[str]:
    """The key, certificate and access files that a configuration names and that do not lie in `folder`."""
    return [name for name in _NAMES.findall(text) if Path(name).parent != folder]


def _text(folder: Path, port: int, log: LogName, user: str, limit: str = "") -> str:
    packet = MAX_ENVELOPE_BYTES + 4096
    return _CONFIGURATION.format(
        folder=folder, port=port, packet=packet, limit=limit.format(packet=packet), log=LOGS[log], user=user
    )


def check_port(port: int, remedy: str = "stop what uses it, or choose another port") -> None:
    """Raises BusyPortError where the port cannot be listened on, before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BusyPortError(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror})",
                remedy,
            ) from None
