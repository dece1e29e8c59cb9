"""What can go wrong in `verdict`. Hostile sightings, readings and codes are no errors: they end as
verdicts, or count against their sender.
"""

from __future__ import annotations

from wire.errors import SealcamError


class SnapshotError(SealcamError, ValueError):
    """This version did not write the saved state for this stream; start empty instead."""
