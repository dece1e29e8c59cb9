"""What dialer does: connect to the one broker, and hand the connected socket on."""

from __future__ import annotations

import array
import errno
import socket
from typing import Final

from device.channel.messages import DialFailure, Dialled, encode

TIMEOUT_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""At least this long between two attempts, however often uplink asks."""
_BY_ERRNO: Final[dict[int, DialFailure]] = {
    errno.ECONNREFUSED: "not_listening",
    errno.ENETUNREACH: "no_way",
    errno.EHOSTUNREACH: "no_way",
    errno.ENETDOWN: "no_way",
    errno.ETIMEDOUT: "no_answer",
}


def connect(host: str, port: int, timeout: float = TIMEOUT_SECONDS) -> socket.socket | DialFailure:
    """A connected TCP socket, or why there is none. Not a byte is read from it or written to it."""
    try:
        connected = socket.create_connection((host, port), timeout)
    except (socket.gaierror, UnicodeError):
        return "no_name"
    except TimeoutError:
        return "no_answer"
    except OSError as error:
        return _BY_ERRNO.get(error.errno or 0, "failed")
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def answer(end: socket.socket, found: socket.socket | DialFailure) -> None:
    """Pass a connected socket on, or say why there is none. An uplink that does not listen loses it."""
    try:
        if not isinstance(found, socket.socket):
            end.send(encode(Dialled(ok=False, failure=found)), socket.MSG_DONTWAIT)
            return
        with found:
            rights = array.array("i", [found.fileno()])
            # not socket.send_fds: Python 3.11's ignores the flags
            end.sendmsg(
                [encode(Dialled(ok=True))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], socket.MSG_DONTWAIT
            )
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        return
