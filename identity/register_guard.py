"""The road authority's register only goes forward: the time of issue of the newest register used is remembered.

The compartment that uses the register cannot write, so the command checks it before it starts the device. This stops
an old register that comes with a delivery, a backup or an update. It does not stop who can write the trust folder: they
can change the remembered time and the trust anchors too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from identity import load
from identity.errors import DamagedKeyError, KeysError, RegisterRollbackError, UnrememberedRegisterError
from identity.files import read_private, write_private
from wire.times import iso8601

SEEN = "register.seen"
_FORM = re.compile(rb"([0-9]{1,13})(?: ([0-9a-f]{64}))?")
"""The time of issue, of as many digits as `wire.register`'s largest; earlier versions wrote no digest behind it."""


@dataclass(frozen=True)
class RegisterMark:
    """The newest register used: its time of issue, unix seconds, and SHA-256 of its file, "" where that is not known.

    Two registers of one second would otherwise take each other's place as often as somebody likes.
    """

    issued_at: int
    digest: str


def check(trust: Path) -> int | None:
    """Check a trust folder's register and remember its time of issue (unix seconds), returned; None: no register.

    Raises:
        RegisterRollbackError: it is older than a register that was used before, or another with the same time, or gone
            although a register was used.
        UnrememberedRegisterError: it is good to use, and the disk does not take that it was used.
        KeysError: register, trust anchors or what is remembered are damaged, missing or open to others.
    """
    path, seen_path = trust / "register.cose", trust / SEEN
    seen = _seen(seen_path)
    if not path.exists():
        if seen is None:
            return None
        raise RegisterRollbackError(
            f"the register {path} is gone, one was used before",
            f"get the newest from the road authority, or, if there is to be none any more, remove {seen_path}",
        )
    issued_at = load.register_issued_at(path, load.trust_anchors(trust / "authority"))
    found = RegisterMark(issued_at, hashlib.sha256(load.register_bytes(path)).hexdigest())
    if seen is not None and issued_at < seen.issued_at:
        raise RegisterRollbackError(
            f"the register {path} is older than one that was used before (issued at {iso8601(issued_at)}, seen "
            f"{iso8601(seen.issued_at)})",
            f"get the newest from the road authority, or, if it took the newer one back, remove {seen_path}",
        )
    if seen is not None and issued_at == seen.issued_at and seen.digest not in ("", found.digest):
        raise RegisterRollbackError(
            f"the register {path} is another than the one of the same time that was used before "
            f"({iso8601(issued_at)}): which of the two is the newer cannot be told",
            f"get a newer one from the road authority, or, if this one is right, remove {seen_path}",
        )
    if found != seen:
        try:
            write_private(seen_path, f"{found.issued_at} {found.digest}\n".encode())
        except KeysError as error:
            unremembered = UnrememberedRegisterError(error.sentence, error.remedy)
            unremembered.issued_at = issued_at
            raise unremembered from None
    return issued_at


def newest_seen(trust: Path) -> int | None:
    """When the newest register that was used was issued, unix seconds; None where none was. Raises KeysError."""
    seen = _seen(trust / SEEN)
    return None if seen is None else seen.issued_at


def _seen(path: Path) -> RegisterMark | None:
    if not path.exists():
        return None
    match = _FORM.fullmatch(read_private(path, 96).strip())
    if match is None:
        raise DamagedKeyError(f"{path} holds no time of issue", "remove it if the register beside it is the newest")
    return RegisterMark(int(match[1]), (match[2] or b"").decode())
