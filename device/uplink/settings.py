"""The settings of uplink."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class UplinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data home, of which only the TLS client files are visible here, and the broker (an empty host: no broker).

    `linger`: whether to go on for a moment when it is stopped, so that sealer's last envelopes get through.
    """

    home: str
    host: Annotated[str, Meta(max_length=253)]
    port: Annotated[int, Meta(ge=0, le=65535)]
    linger: bool = False
