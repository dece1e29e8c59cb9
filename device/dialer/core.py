"""What dialer does: connect to the one broker, and hand the connected socket on."""

from __future__ import annotations

import array
import socket

from device.channel.messages import Dialled, encode

TIMEOUT_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""At least this long between two attempts, however often uplink asks."""


def connect(host: str, port: int, timeout: float = TIMEOUT_SECONDS) -> socket.socket | None:
    """A connected TCP socket, None where no connection can be made. Not a byte is read from it or written to it."""
    try:
        connected = socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError):
        return None
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def answer(end: socket.socket, connected: socket.socket | None) -> None:
    """Pass a connected socket on, or say that there is none. An uplink that does not listen loses it."""
    try:
        if connected is None:
            end.send(encode(Dialled(ok=False)), socket.MSG_DONTWAIT)
            return
        with connected:
            rights = array.array("i", [connected.fileno()])
            # not socket.send_fds: Python 3.11's ignores the flags
            end.sendmsg(
                [encode(Dialled(ok=True))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], socket.MSG_DONTWAIT
            )
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        return
