"""Starts dialer, the one compartment with the network, and starts it again when it ends.

Warden cannot do this: its filter, which all that it starts inherits, knows no internet socket.
"""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Final

from device.config import UplinkConfig
from device.confine import policy as policies
from device.confine import verify
from device.launcher import settings
from device.launcher.child import Child
from device.launcher.errors import StartError

DIALER: Final = "dialer"
_RESTART_SECONDS = 0.2


class DialService:
    """Keeps dialer running while the block lasts, without a restart budget; idle where no broker is configured."""

    def __init__(self, end: socket.socket, uplink: UplinkConfig, *, show_output: bool) -> None:
        self._end, self._uplink, self._show = end, uplink, show_output
        self._child: Child | None = None
        self._told = False
        self._restart_at = 0.0
        self.restarts = -1
        self.layers: dict[str, bool] = {}

    def __enter__(self) -> DialService:
        self.keep_alive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.release()
        self._end.close()

    def keep_alive(self) -> None:
        """Call a few times a second. Raises StartError where dialer lacks a layer."""
        if not self._uplink.host:
            return
        if self._child is not None and self._child.ended() is not None:
            self._child.release()
            self._child = None
        now = time.monotonic()
        if self._child is None:
            if now < self._restart_at:
                return
            self._restart_at = now + _RESTART_SECONDS
            self.restarts += 1
            self._child = Child(
                policies.load(DIALER),
                {"uplink": self._end.fileno()},
                settings.dialer(self._uplink),
                {},
                show_output=self._show,
            )
            self._told = False
        try:
            self._child.listen()
        except (ConnectionError, ValueError):
            return
        if self._child.facts is not None and not self._told:
            held = verify.enforced(self._child.policy, self._child.pid)
            missing = [layer for layer in held if not held[layer]]
            if missing and verify.has_ended(self._child.pid):
                return
            self.layers = held
            if missing:
                raise StartError(f"dialer runs without {', '.join(missing)}", "run: sealcam doctor")
            self._told = True
            self._child.go(0)
