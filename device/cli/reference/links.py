"""The links' diagram and tables, from the policies as `channel.topology` and `channel.phases` read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device.channel import phases, topology
from device.channel.messages import Message
from device.channel.phases import PHASES, Permits
from device.channel.topology import RECORDER, WiredLink
from device.cli.reference import markdown
from device.confine import policy as policies
from device.confine.policy import Permit
from device.warden.table import READERS, SOURCE
from wire.vocabulary import COMPARTMENTS, word

_OUTSIDE_BEFORE: Final = """\
flowchart LR
  subgraph street["the street: hostile"]
    video["camera, video, frames"]
    gpx["track"]
  end
  subgraph device["the device: compartments, each in its own namespaces"]"""
_OUTSIDE_AFTER: Final = """\
  end
  recorder["sealcam (the command)"]
  video --> capture
  gpx --> position
  recorder -- "starts" --> warden
  recorder -- "starts" --> dialer
  recorder -- "what to draw, after a replay" --> annotator
  video --> annotator
  dialer -- "connects" --> broker
  uplink <-- "MQTT 5, mutual TLS 1.3" --> broker
  broker <-- "MQTT 5, mutual TLS 1.3" --> sink["cloud_sink"]
  sink -- "page, acknowledgements back" --> browser"""
"""The world outside of the compartments, which no policy names."""


@dataclass(frozen=True)
class LinkWay:
    """One way of a link: who sends what to whom. `permits` is None where the receiver has no phases."""

    sender: str
    receiver: str
    sends: tuple[type[Message], ...]
    permits: Permits | None


def ways() -> Iterator[LinkWay]:
    """Every way that a message can go between two compartments, or to the command, in the order of the policies."""
    for link in topology.links():
        first = topology.end_of(policies.load(link.first), link.first_end)
        sent = topology.sent(link.first, link.first_end)
        if sent:
            yield LinkWay(link.first, link.second, sent, _permits_of_second(link))
        if first.receives:
            yield LinkWay(link.second, link.first, tuple(first.receives), first.receives)


def diagram() -> str:
    """A flow chart in Mermaid: frames in their ring dotted, messages as labels. The control links are left out."""
    inside = [f'    {SOURCE} -. "frames (sealed memory)" .-> {reader}' for reader in READERS]
    inside += [_arrow(way) for way in ways() if way.receiver != RECORDER]
    records = [_arrow(way)[2:] for way in ways() if way.receiver == RECORDER]
    return "\n".join(["```mermaid", _OUTSIDE_BEFORE, *inside, _OUTSIDE_AFTER, *records, "```"])


def table() -> str:
    """A row for each message on each link."""
    head = ("from", "to", "message", "what it says", "phases of the receiver in which it may come")
    rows: list[tuple[str, ...]] = []
    for way in ways():
        for number, kind in enumerate(way.sends):
            ends = (f"`{way.sender}`", f"`{way.receiver}`") if number == 0 else ("", "")
            when = _when(way.permits[kind]) if way.permits is not None else "any: the command has no phases"
            rows.append((*ends, f"`{_tag(kind)}`", _says(kind), when))
    return markdown.table(head, rows)


def control() -> str:
    """The control link: each message, and in which phases of the compartment it may come."""
    both = (("`warden`", "the compartment", phases.OF_A_COMPARTMENT), ("the compartment", "`warden`", phases.OF_WARDEN))
    rows = [
        (sender, receiver, f"`{_tag(kind)}`", _says(kind), *_marks(permit))
        for sender, receiver, permits in both
        for kind, permit in permits.items()
    ]
    return markdown.table(("from", "to", "message", "what it says", *PHASES), rows)


def _permits_of_second(link: WiredLink) -> Permits | None:
    receiver = word(link.second, COMPARTMENTS)
    return topology.end_of(policies.load(receiver), link.second_end).receives if receiver is not None else None


def _arrow(way: LinkWay) -> str:
    return f'    {way.sender} -- "{", ".join(_tag(kind) for kind in way.sends)}" --> {way.receiver}'


def _tag(kind: type[Message]) -> str:
    return str(kind.__struct_config__.tag)


def _says(kind: type[Message]) -> str:
    """What a message says: its docstring opens with who sends it to whom, and a colon."""
    return markdown.first_sentence(kind).partition(": ")[2]


def _when(permit: Permit) -> str:
    rate = f", at most {permit.per_second:g} a second" if permit.per_second is not None else ""
    return markdown.code(permit.during) + (", once" if permit.once else "") + rate


def _marks(permit: Permit) -> list[str]:
    yes = "once" if permit.once else "yes"
    return [yes if phase in permit.during else "" for phase in PHASES]
