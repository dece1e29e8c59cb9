"""The settings of dialer."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DialerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one broker."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)]
