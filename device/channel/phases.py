"""What may be asked now: which message may come in which phase of its receiver, after the table of OpenSSH's monitor.

The data links' permits stand in the compartments' policies. Those of the control link, which is the same for every
compartment, stand here, at both its ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from device.channel.messages import Beat, Done, Failed, Go, Message, Ready, Stop
from device.confine.policy import Permit, Phase

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
Permits = Mapping[type[Message], Permit]

OF_A_COMPARTMENT: Final[Permits] = {
    Go: Permit(["ready"], once=True),  # the time that it carries is taken once
    Stop: Permit(list(PHASES)),
}
"""What a compartment takes from warden, by its own phase."""

OF_WARDEN: Final[Permits] = {
    Ready: Permit(["starting"], once=True),
    Beat: Permit(["running", "ending"]),
    Done: Permit(["running", "ending"], once=True),
    Failed: Permit(list(PHASES), once=True),
}
"""What warden takes from a compartment, by the phase that warden knows it to be in: what it claims does not matter."""


def always(*kinds: type[Message]) -> Permits:
    """These kinds at any time: for an end that has no phases."""
    return {kind: Permit(list(PHASES)) for kind in kinds}
