"""What uplink is told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class UplinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data home, whose TLS client files alone are to be seen here, and the one broker (no host: there is none).

    `linger`: whether to go on for a moment when it is stopped, so that sealer's last words get through.
    """

    home: str
    host: Annotated[str, Meta(max_length=253)]
    port: Annotated[int, Meta(ge=0, le=65535)]
    linger: bool = False
