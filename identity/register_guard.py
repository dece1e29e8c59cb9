"""The road authority's register only ever goes forward: the time of issue of the newest one used is remembered.

The compartments that use the register cannot write, so the command that starts them checks it, before they start. It
stops an old register that comes by the way that registers come by: a delivery, a backup, an update. Who can write the
trust folder can change what is remembered too, and the trust anchors with it.
"""

from __future__ import annotations

from pathlib import Path

from identity import load
from identity.errors import DamagedKeyError, RegisterRollbackError
from identity.files import read_private, write_private

SEEN = "register.seen"
_MAX_DIGITS = 13  # of `wire.register`'s largest time


def check(trust: Path) -> int | None:
    """The time of issue (unix seconds) of the register in a trust folder, which is remembered; None: there is none.

    Raises:
        RegisterRollbackError: it is older than one that was used before, or gone although one was used.
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
