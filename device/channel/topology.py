"""Who shares a link with whom, and what goes over it: read from the compartments' policies, and from nowhere else.

A link between two compartments stands in both policies, once from each side. They must agree: what a side sends is
what the other takes. The control links, the same for every compartment, are in `phases`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from device.channel.messages import BY_TAG, Message
from device.channel.phases import Permits
from device.confine import policy as policies
from device.confine.errors import PolicyError
from device.confine.policy import LinkEnd, Policy
from wire.vocabulary import COMPARTMENTS, CompartmentName, word

RECORDER = "recorder"
"""The peer that is no compartment: the command that was started, which writes what it is sent to files."""
_REMEDY = "reinstall Sealcam"


@dataclass(frozen=True)
class End:
    """One end of a link, with its message types."""

    peer: str
    receives: Permits
    sends: frozenset[type[Message]]


@dataclass(frozen=True)
class WiredLink:
    """A link: two owners, and what each calls its end. The ends of `warden` and `recorder` stand in no policy."""

    first: CompartmentName
    first_end: str
    second: str
    second_end: str


def end_of(policy: Policy, end: str) -> End:
    """One end of a compartment's links, by its descriptor's name. Raises PolicyError."""
    rule = next((link for link in policy.links if link.end == end), None)
    if rule is None:
        raise PolicyError(f"the policy of {policy.compartment} has no link {end}", _REMEDY)
    return End(
        rule.peer,
        {_kind(policy, tag): permit for tag, permit in rule.receives.items()},
        frozenset(_kind(policy, tag) for tag in rule.sends),
    )


def sent(compartment: str, end: str) -> tuple[type[Message], ...]:
    """The message types that a compartment sends on a link, in the policy's order. Raises PolicyError."""
    policy = policies.load(compartment)
    rule = next((link for link in policy.links if link.end == end), None)
    return tuple(_kind(policy, tag) for tag in rule.sends) if rule is not None else ()


@functools.cache
def links() -> tuple[WiredLink, ...]:
    """Every link of the device, each once, in the order of the policies. Raises PolicyError where two disagree."""
    found: list[WiredLink] = []
    for name in COMPARTMENTS:
        for link in policies.load(name).links:
            theirs = _other_side(name, link)
            mirrored = any(known.first == link.peer and known.second == name for known in found)
            if not mirrored:
                found.append(WiredLink(name, link.end, link.peer, theirs.end if theirs is not None else link.end))
    return tuple(found)


def peers(name: str) -> frozenset[str]:
    """The compartments that `name` shares a link with: it can have seen no other's messages."""
    own = {link.peer for link in policies.load(name).links}
    return frozenset(own & set(COMPARTMENTS) - {"warden"})


def rated(name: str) -> frozenset[str]:
    """The peers of whose messages `name` takes no more than a rate: it can have dropped no other's."""
    links = policies.load(name).links
    return frozenset(
        link.peer for link in links if any(permit.per_second is not None for permit in link.receives.values())
    )


def _other_side(name: str, link: LinkEnd) -> LinkEnd | None:
    """The peer's entry for the same link, which must mirror this entry; None where the peer has no policy for it."""
    if link.peer in (RECORDER, "warden"):
        if link.peer == RECORDER and link.receives:
            raise PolicyError(f"{name} takes messages from {RECORDER}, which sends none", _REMEDY)
        return None
    peer = word(link.peer, COMPARTMENTS)
    theirs = [other for other in policies.load(peer).links if other.peer == name] if peer is not None else []
    if len(theirs) != 1:
        raise PolicyError(f"{name} has a link to {link.peer}, which has no link back", _REMEDY)
    if set(link.sends) != set(theirs[0].receives) or set(theirs[0].sends) != set(link.receives):
        raise PolicyError(f"{name} and {link.peer} do not agree on what goes over their link", _REMEDY)
    return theirs[0]


def _kind(policy: Policy, tag: str) -> type[Message]:
    if tag not in BY_TAG:
        raise PolicyError(f"the policy of {policy.compartment} names the message {tag}, which does not exist", _REMEDY)
    return BY_TAG[tag]
