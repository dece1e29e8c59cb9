"""The settings of sealer."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class SealerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run_id`: 16 bytes in hex, the same over restarts within a run. `uplink`: whether there is a broker at all.

    `home`: the data home, of which only the signing key, the device's id, the sink's public keys and the spool are
    visible here.
    `on_camera`: whether this run seals `alive` now and then, and `stopped` at its end.
    """

    home: str
    run_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    max_bytes: Annotated[int, Meta(ge=1024 * 1024)]
    uplink: bool
    on_camera: bool = False
