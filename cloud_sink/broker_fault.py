"""Why there is no conversation with the broker, in words for the log and the page. Pure.

Nothing of what the other side sent gets into them: they are chosen by the kind of the error.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from typing import Final

_NOT_OURS: Final = "name your broker with --broker HOST:PORT"
_CLOCK: Final = "check the clock, then renew the certificate (sealcam keys renew in a development home) and restart it"
_BY_VERIFICATION: Final = {  # X509_V_ERR_... of openssl-verify(1)
    9: ("by this machine's clock its certificate is not valid yet", _CLOCK),
    10: ("by this machine's clock its certificate has expired", _CLOCK),
    62: ("its certificate does not name {host}", "name it with --broker as its certificate does"),
    64: ("its certificate does not name {host}", "name it with --broker as its certificate does"),
}
_UNTRUSTED: Final = (
    "its certificate is not by the authority in {authority}",
    f"if keys were renewed, restart the broker and then this, else {_NOT_OURS}, or put the certificate of its "
    "authority into {authority}",
)
_NO_TLS: Final = (
    "it answers, and does not speak TLS",
    "name its TLS port (8883 by custom) with --broker HOST:PORT",
)
CLOSED: Final = (
    "it closes the connection at once",
    "see its log: it may not accept the receiver's certificate (tls.crt in sink/ of the data home), as after keys were "
    "renewed until broker and receiver are restarted",
)
"""In TLS 1.3 a client's certificate is refused after the handshake."""


@dataclass(frozen=True)
class BrokerFault:
    """What is wrong, and what helps. `foreign`: what answers has shown that it is not the broker that is meant."""

    cause: str
    remedy: str
    foreign: bool = False


def fault_of(error: Exception, host: str, authority: str) -> BrokerFault:
    """The fault behind an error of the connection.

    Args:
        host: as the broker is named.
        authority: the file that says whom the receiver trusts.
    """
    cause, remedy, foreign = _words(error)
    return BrokerFault(cause.format(host=host, authority=authority), remedy.format(authority=authority), foreign)


def _words(error: Exception) -> tuple[str, str, bool]:
    match error:
        case ssl.SSLCertVerificationError():
            return *_BY_VERIFICATION.get(error.verify_code, _UNTRUSTED), True
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError() | BrokenPipeError():
            return *CLOSED, False
        case ssl.SSLError(reason=str(reason)) if "ALERT" in reason:
            return *CLOSED, False
        case ssl.SSLError():
            return *_NO_TLS, True
        case socket.gaierror() | UnicodeError():
            return "{host} has no address here: the name cannot be resolved", "check --broker and the network", False
        case ConnectionRefusedError():
            return "nothing listens there", "start it (sealcam-sink broker), or name another with --broker", False
        case TimeoutError():
            return "it does not answer", "check --broker, the network and firewalls", False
        case OSError():
            why = os.strerror(error.errno).lower() if error.errno else "the connection fails"
            return why, "check --broker and the network", False
        case _:  # paho lets through what its parser stumbles over
            return "it does not keep to MQTT 5", "check --broker, and what listens there", False
