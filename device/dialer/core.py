"""What dialer does: connect to the one broker."""

from __future__ import annotations

import socket

TIMEOUT_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""At least this long between two attempts, whatever is asked."""


def connect(host: str, port: int, timeout: float = TIMEOUT_SECONDS) -> socket.socket | None:
    """A connected TCP socket, None when there is none to be had. Not a byte is read from it or written to it."""
    try:
        connected = socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError):
        return None
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
