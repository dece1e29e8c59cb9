"""What can go wrong on a channel: the other side's hostile input and our own side's state are two types."""

from __future__ import annotations

from device.channel import failures
from device.channel.failures import FailureName, SubjectName
from wire.errors import SealcamError, UsageError


class ChannelError(SealcamError, RuntimeError):
    """Root of the channel's errors. None of them reaches a user."""


class HostileMessageError(ChannelError, ValueError):
    """A peer sent what it may not send now. The message is dropped and counted; the peer counts as compromised."""


class RingError(ChannelError, ValueError):
    """The ring or the memory that was handed over has the wrong size or seals, or a frame fits no slot of the ring."""


class OvertakenError(ChannelError):
    """The writer has gone on: the slot no longer holds the frame that was announced. The reader lost this frame."""


class PeerClosedError(ChannelError, ConnectionError):
    """The other end of the channel is gone for good."""


class OwnFaultError(ChannelError, ValueError):
    """We were about to send or to keep what no receiver takes: our own bug, not the other side's."""


class CompartmentError(UsageError):
    """A compartment cannot do its work. Sentence and remedy are those of `failures.FAILURES`, which warden has too.

    Args:
        failure: the word that is sent to warden.
        numbers: what the sentence counts or measures, at most two, 0 to 2**40.
        subject: the file, model or library that the sentence is about.
    """

    def __init__(self, failure: FailureName, *numbers: int, subject: SubjectName | None = None) -> None:
        super().__init__(*failures.words(failure, numbers, subject, failures.UNNAMED))
        self.failure: FailureName = failure
        self.numbers = numbers
        self.subject: SubjectName | None = subject

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.failure, self.numbers, self.subject)


def _rebuilt(
    kind: type[CompartmentError], failure: FailureName, numbers: tuple[int, ...], subject: SubjectName | None
) -> CompartmentError:
    return kind(failure, *numbers, subject=subject)
