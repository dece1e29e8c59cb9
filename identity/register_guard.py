"""The road authority's register only goes forward: the time of issue of the newest register used is remembered.

The compartment that uses the register cannot write, so the command checks it before it starts the device. This stops
an old register that comes with a delivery, a backup or an update. It does not stop who can write the trust folder: they
can change the remembered time and the trust anchors too.
"""

from __future__ import annotations

from pathlib import Path

from identity import load
from identity.errors import DamagedKeyError, RegisterRollbackError
from identity.files import read_private, write_private

SEEN = "register.seen"
_MAX_DIGITS = 13  # of `wire.register`'s largest time


def check(trust: Path) -> int | None:
    """Check a trust folder's register and remember its time of issue (unix seconds), returned; None: no register.

    Raises:
        RegisterRollbackError: it is older than a register that was used before, or gone although a register was used.
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
    if seen is not None and issued_at < seen:
        raise RegisterRollbackError(
            f"the register {path} is older than one that was used before (issued at {issued_at}, seen {seen})",
            f"get the newest from the road authority, or, if it took the newer one back, remove {seen_path}",
        )
    if issued_at != seen:
        write_private(seen_path, b"%d\n" % issued_at)
    return issued_at


def _seen(path: Path) -> int | None:
    if not path.exists():
        return None
    text = read_private(path, 32).strip()
    if not (text.isdigit() and len(text) <= _MAX_DIGITS):
        raise DamagedKeyError(f"{path} holds no time of issue", "remove it if the register beside it is the newest")
    return int(text)
