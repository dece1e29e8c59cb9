"""What can go wrong in `codes`. Hostile pictures are no errors: they end as readings."""

from __future__ import annotations

from wire.errors import UsageError


class DecoderMissingError(UsageError, ImportError):
    """The barcode library libzbar is not installed: install the system package libzbar0."""
