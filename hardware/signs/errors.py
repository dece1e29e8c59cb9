"""Errors of the `hardware.signs` package."""

from wire.errors import UsageError


class NoSuchSignError(UsageError):
    """The class id or the size is outside what can be drawn."""
