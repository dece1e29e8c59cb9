"""What can go wrong in `verdict`. Hostile sightings, readings and codes are no errors: they end as verdicts."""

from __future__ import annotations

from wire.errors import SealcamError


class SnapshotError(SealcamError, ValueError):
    """The saved state is not one that this version wrote for this stream; start empty instead."""
