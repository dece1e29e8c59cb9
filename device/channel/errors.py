"""What can go wrong on a channel: the other side's hostile input and our own side's state are two types."""

from wire.errors import SealcamError


class ChannelError(SealcamError, RuntimeError):
    """Root of the channel's errors. None of them reaches a user."""


class HostileMessageError(ChannelError, ValueError):
    """A peer sent what its type does not allow. The message is dropped and counted; the peer is held compromised."""


class RingError(ChannelError, ValueError):
    """The frame ring's descriptor is not what it must be: wrong size, missing seals, or sizes that do not add up."""


class OvertakenError(ChannelError):
    """The writer has gone on: the slot no longer holds the frame that was announced. The reader lost this frame."""


class PeerClosedError(ChannelError, ConnectionError):
    """The other end of the channel is gone for good."""
