"""Gives a message to sealer's service as sealer's handlers do, by its type."""

from __future__ import annotations

from device.channel.messages import Health, Message, Verdict
from device.sealer.service import Peer, SealerService


def from_inside(service: SealerService, message: Message, sender: Peer) -> None:
    """A message of verdict or warden, as sealer's handlers give it on."""
    if isinstance(message, Verdict):
        service.on_verdict(message)
    elif isinstance(message, Health):
        service.on_health(message, sender)
    else:
        raise TypeError(type(message).__name__)
