"""Errors of the `hardware.signs` package."""


class SignsError(Exception):
    """A sign cannot be drawn; the message says why."""


class NoSuchSignError(SignsError, ValueError):
    """The class id or the size is outside what can be drawn."""
