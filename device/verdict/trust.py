"""The trust anchors and the register, loaded once, before the run filter is in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from identity import load
from wire.register import Register


@dataclass(frozen=True)
class Trust:
    """Road authorities' keys by 8-byte key id, and their verified register where there is one."""

    anchors: dict[bytes, Ed25519PublicKey] = field(default_factory=dict)
    register: Register | None = None


def load_trust(folder: Path | None) -> Trust:
    """`authority/*.pub` and `register.cose` of a trust folder. Without a folder nothing is trusted.

    Raises the errors of `identity`: a damaged or wrongly signed file stops the device instead of being skipped.
    """
    if folder is None or not (folder / "authority").is_dir():
        return Trust()
    anchors = load.trust_anchors(folder / "authority")
    path = folder / "register.cose"
    return Trust(anchors, load.register(path, anchors) if path.exists() else None)
