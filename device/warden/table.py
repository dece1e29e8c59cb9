"""The device as data: what warden has to know of each compartment. Who shares a link with whom: `channel.topology`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from device.channel import topology
from device.channel.topology import RECORDER, WiredLink
from wire.vocabulary import CompartmentName

Role = Literal["source", "track", "reader", "judge", "store", "edge"]
"""What a compartment is to a run: gives the frames; gives the fixes; looks at the frames; judges; stores the
verdicts; or stands at the edge: the run goes on without it."""


@dataclass(frozen=True)
class CompartmentRow:
    """One compartment that warden starts, in the order of the flow.

    Attributes:
        role: what it is to a run.
        needed: without it the device stops. The others stay down when their restart budget is spent, are tried again
            after a restart window, and are reported as degraded: signs are judged and verdicts stored without them.
        tells_again: the compartments that are restarted too when this compartment's memory is thrown away, since what
            they sent once is only in there.
    """

    name: CompartmentName
    role: Role
    needed: bool = True
    tells_again: tuple[CompartmentName, ...] = ()


COMPARTMENTS: Final[tuple[CompartmentRow, ...]] = (
    CompartmentRow("capture", "source"),
    CompartmentRow("perception", "reader"),
    CompartmentRow("codes", "reader"),
    CompartmentRow("position", "track"),
    CompartmentRow("verdict", "judge", tells_again=("position",)),
    CompartmentRow("sealer", "store"),
    CompartmentRow("uplink", "edge", needed=False),
    CompartmentRow("indicator", "edge", needed=False),
)
ROWS: Final = {row.name: row for row in COMPARTMENTS}


def with_role(role: Role) -> tuple[CompartmentName, ...]:
    """The compartments of a role, in the order of the flow."""
    return tuple(row.name for row in COMPARTMENTS if row.role == role)


SOURCE: Final = with_role("source")[0]
TRACK: Final = with_role("track")[0]
JUDGE: Final = with_role("judge")[0]
STORE: Final = with_role("store")[0]
READERS: Final = with_role("reader")
"""They share one ring with the source. A ring has one writer in its life: a new source means a new ring and new
readers."""

_OURS: Final = frozenset(ROWS)
LINKS: Final[tuple[WiredLink, ...]] = tuple(
    link for link in topology.links() if link.first in _OURS and link.second in _OURS
)
"""Links between two compartments that warden starts."""
OUTSIDE: Final[tuple[tuple[str, str], ...]] = tuple(
    (link.first, link.first_end)
    for link in topology.links()
    if link.first in _OURS and link.second not in _OURS and link.second != "warden"
)
"""(compartment, name of the end) for each link whose other end is with the command that started warden: to
`recorder`, and to dialer, which the command starts itself."""
RECORDED: Final[tuple[str, ...]] = tuple(link.first for link in topology.links() if link.second == RECORDER)
"""The compartments that the command records."""
HEALTH: Final[tuple[str, str]] = next(
    (link.first, link.first_end) for link in topology.links() if link.second == "warden"
)
"""(compartment, name of the end) of the link on which warden itself reports restarts and alarms."""
PEERS: Final[dict[str, frozenset[str]]] = {row.name: topology.peers(row.name) for row in COMPARTMENTS}
"""Compartment -> the compartments that it shares a link with: it can have seen no other's messages."""
RATED: Final[dict[str, frozenset[str]]] = {row.name: topology.rated(row.name) for row in COMPARTMENTS}
"""Compartment -> the peers whose messages beyond a rate it drops: of no other can it say that it was flooded."""
