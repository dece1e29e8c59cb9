"""The device as data: which processes there are, and which two of them share a link. Nothing else is connected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CompartmentRow:
    """One compartment. `ring`: "writer" or "reader" of the frame ring. `memory`: has a memory that outlives it.

    `needed`: without it the device stops. The others stay down when their restart budget is spent, are tried again now
    and then, and are reported as degraded: signs are judged, and verdicts kept, without network and without lamps.
    """

    name: str
    ring: str = ""
    memory: bool = False
    needed: bool = True


COMPARTMENTS: tuple[CompartmentRow, ...] = (
    CompartmentRow("capture", ring="writer"),
    CompartmentRow("perception", ring="reader"),
    CompartmentRow("codes", ring="reader"),
    CompartmentRow("position"),
    CompartmentRow("verdict", memory=True),
    CompartmentRow("sealer"),
    CompartmentRow("uplink", needed=False),
    CompartmentRow("indicator", needed=False),
)

LINKS: tuple[tuple[str, str], ...] = (
    ("capture", "perception"),
    ("capture", "codes"),
    ("perception", "codes"),
    ("perception", "verdict"),
    ("codes", "verdict"),
    ("position", "verdict"),
    ("verdict", "indicator"),
    ("verdict", "sealer"),
    ("sealer", "uplink"),
)
"""Pairs of compartments with a socket pair of their own; each end is named after the peer."""

PEERS: dict[str, frozenset[str]] = {
    row.name: frozenset({b for a, b in LINKS if a == row.name} | {a for a, b in LINKS if b == row.name})
    for row in COMPARTMENTS
}
"""Compartment -> those that it shares a link with: the only ones whose messages it can have seen."""

OUTSIDE: tuple[tuple[str, str], ...] = (
    ("perception", "recorder"),
    ("verdict", "recorder"),
    ("uplink", "dialer"),
)
"""(compartment, name of the end) for links that the command which started warden holds the other end of."""

HEALTH = ("sealer", "health")
"""The link on which warden itself reports restarts and alarms."""

FRAME_GROUP = ("capture", "perception", "codes")
"""Share one ring. A ring has one writer in its life, so that a new capture means a new ring and new readers."""
