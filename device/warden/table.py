"""The device as data: which processes there are, and which two of them share a link. Nothing else is connected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One compartment. `ring`: "writer" or "reader" of the frame ring. `memory`: has a memory that outlives it."""

    name: str
    ring: str = ""
    memory: bool = False


COMPARTMENTS: tuple[Row, ...] = (
    Row("capture", ring="writer"),
    Row("perception", ring="reader"),
    Row("codes", ring="reader"),
    Row("position"),
    Row("verdict", memory=True),
    Row("sealer"),
    Row("uplink"),
    Row("indicator"),
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
