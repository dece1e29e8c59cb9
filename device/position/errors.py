"""What can go wrong with a source of positions."""

from __future__ import annotations


class PositionError(ValueError):
    """The position source cannot be used; the message says what is wrong with it, where, and what to do."""
