"""What can go wrong at a trust boundary between machines.

Two roots under `WireError`, never mixed: `HostileInputError` is what the other side sent, `IssueError` is what our own
side asked for. A hostile input's message is a fixed sentence and its `reason` a fixed word of [a-z_]: nothing of the
input itself ever gets into either, so both are safe to show, to log and to store.
"""

from __future__ import annotations

from typing import ClassVar


class WireError(Exception):
    """Root of the wire's errors."""


class IssueError(WireError, ValueError):
    """Our own side asked to issue or seal something that the format cannot carry. The message names the field."""


class HostileInputError(WireError, ValueError):
    """The other side's bytes are not what they must be.

    Attributes:
        reason: a fixed word of [a-z_], for counters, verdict reasons and telemetry.
    """

    sentence: ClassVar[str] = "the bytes are not what they must be"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.sentence} ({reason})")
        self.reason = reason


class NotOursError(HostileInputError):
    """The bytes do not even claim to be one of our formats: some other QR code, some other publisher."""

    sentence = "this is not in a format of Sealcam"


class MalformedError(HostileInputError):
    """The bytes claim to be ours and are not well formed: truncated, oversized, wrong types, not deterministic."""

    sentence = "this claims to be in a format of Sealcam and is not well formed"


class ForgedError(HostileInputError):
    """Well formed, and the signature does not verify."""

    sentence = "the signature is not good"


class UnknownKeyError(ForgedError):
    """Well formed, and the key that it names is not among the trusted ones."""

    sentence = "the signing key is not a trusted one"


class SealBrokenError(HostileInputError):
    """An envelope does not decrypt under the topic, device and sequence that it came with."""

    sentence = "the envelope does not open under its topic, device and sequence"
