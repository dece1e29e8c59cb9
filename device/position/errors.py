"""What can go wrong with a source of positions."""

from __future__ import annotations

from wire.errors import UsageError


class PositionError(UsageError):
    """The position source cannot be used; the message says what is wrong with it, where, and what to do."""
