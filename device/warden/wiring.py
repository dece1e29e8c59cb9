"""The descriptors of the whole device: socket pairs for the links, the frame ring, memories that outlive a restart.

Warden keeps a copy of every end, so that what a restarted compartment was sent while it was away still waits for it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

from device.channel import link as links
from device.channel import memory, ring
from device.channel.topology import WiredLink
from device.confine import policy as policies
from device.warden.table import COMPARTMENTS, HEALTH, LINKS, OUTSIDE, SOURCE
from wire.vocabulary import CompartmentName

_MOST_QUEUED = 100_000  # smaller messages, and more of them, than a queue can hold


class Wiring:
    """Everything that is handed over at start: for each compartment, what its policy names.

    Args:
        outside: "compartment.end" -> descriptor of a link whose other end the starting command holds.
        models: "detector" and "classifier" -> sealed memory files.
    """

    def __init__(self, outside: Mapping[str, int], models: Mapping[str, int]) -> None:
        self._ends: dict[tuple[str, str], socket.socket] = {}
        for link in LINKS:
            self._join(link)
        for name, end in OUTSIDE:
            self._ends[name, end] = socket.socket(fileno=outside[f"{name}.{end}"])
        self.health, theirs = links.pair()
        self._ends[HEALTH] = theirs
        self._shared: dict[str, int] = {**models, "ring": ring.create()}
        self._memories = {
            row.name: memory.create()
            for row in COMPARTMENTS
            if any(d.name == "memory" for d in policies.load(row.name).descriptors)
        }

    def renew_ring(self) -> None:
        """A new ring and new links from the source, for a new source; the frames of the old ring are lost."""
        os.close(self._shared["ring"])
        self._shared["ring"] = ring.create()
        for link in LINKS:
            if link.first == SOURCE:
                self._ends[link.first, link.first_end].close()
                self._ends[link.second, link.second_end].close()
                self._join(link)

    def forget(self, compartment: CompartmentName) -> None:
        """An empty memory for a compartment that keeps failing, perhaps by what it remembers."""
        if compartment in self._memories:
            os.close(self._memories[compartment])
            self._memories[compartment] = memory.create()

    def descriptors(self, compartment: CompartmentName) -> dict[str, int]:
        """All that `compartment` is given, by the names in its policy."""
        found = {end: s.fileno() for (name, end), s in self._ends.items() if name == compartment}
        for descriptor in policies.load(compartment).descriptors:
            own = self._memories[compartment] if descriptor.name == "memory" else self._shared[descriptor.name]
            found[descriptor.name] = own
        return found

    def discard_from(self, name: CompartmentName) -> None:
        """Throw away what an ended compartment has sent and its peers have not read. Warden holds each end as well."""
        for link in LINKS:
            ends = {(link.first, link.first_end): link.second, (link.second, link.second_end): link.first}
            for end, sender in ends.items():
                if sender == name:
                    self._empty(self._ends[end])

    @staticmethod
    def _empty(end: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MOST_QUEUED):
                end.recv(1, socket.MSG_DONTWAIT)

    def last_frame(self) -> int:
        """The newest frame number in the ring, -1 for none: read from the slots' headers only, never the pixels."""
        return ring.newest_frame(self._shared["ring"])

    def _join(self, link: WiredLink) -> None:
        first, second = links.pair()
        self._ends[link.first, link.first_end], self._ends[link.second, link.second_end] = first, second
