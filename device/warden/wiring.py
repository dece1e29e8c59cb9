"""The descriptors of the whole device: socket pairs for the links, the frame ring, memories that outlive a restart.

Warden keeps a copy of every end, so that what a restarted compartment was sent while it was away still waits for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from device.channel import link as links
from device.channel import memory, ring
from device.warden.table import COMPARTMENTS, FRAME_GROUP, HEALTH, LINKS, OUTSIDE


class Wiring:
    """Everything that is handed over at start.

    Args:
        outside: "compartment.end" -> descriptor of a link whose other end the starting command holds.
        models: "detector" and "classifier" -> sealed memory files.
    """

    def __init__(self, outside: Mapping[str, int], models: Mapping[str, int]) -> None:
        self._ends: dict[tuple[str, str], socket.socket] = {}
        for a, b in LINKS:
            self._join(a, b)
        for name, end in OUTSIDE:
            self._ends[name, end] = socket.socket(fileno=outside[f"{name}.{end}"])
        self.health, theirs = links.pair()
        self._ends[HEALTH] = theirs
        self._models = dict(models)
        self._ring = ring.create()
        self._memories = {row.name: memory.create() for row in COMPARTMENTS if row.memory}

    def renew_ring(self) -> None:
        """A new ring and new links from capture, for a new capture; what was announced in the old ring is gone."""
        os.close(self._ring)
        self._ring = ring.create()
        for a, b in LINKS:
            if a == FRAME_GROUP[0]:
                self._ends[a, b].close()
                self._ends[b, a].close()
                self._join(a, b)

    def forget(self, compartment: str) -> None:
        """A clean memory for a compartment that does not get over what it remembers."""
        if compartment in self._memories:
            os.close(self._memories[compartment])
            self._memories[compartment] = memory.create()

    def descriptors(self, compartment: str) -> dict[str, int]:
        """All that `compartment` is given, by the names in its policy."""
        found = {end: s.fileno() for (name, end), s in self._ends.items() if name == compartment}
        row = next(r for r in COMPARTMENTS if r.name == compartment)
        if row.ring:
            found["ring"] = self._ring
        if row.memory:
            found["memory"] = self._memories[compartment]
        if compartment == "perception":
            found |= self._models
        return found

    def last_frame(self) -> int:
        """The newest frame number in the ring, -1 for none: read from the slots' headers only, never the pixels."""
        return ring.newest_frame(self._ring)

    def _join(self, a: str, b: str) -> None:
        self._ends[a, b], self._ends[b, a] = links.pair()
