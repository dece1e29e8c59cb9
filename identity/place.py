"""Where the data home is: what the environment or a user names, and the command that acts on that very home."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from identity.errors import KeysError

HOME_VARIABLE = "SEALCAM_HOME"


def default() -> Path:
    """`$SEALCAM_HOME`, else `$XDG_DATA_HOME/sealcam`, else `~/.local/share/sealcam`.

    A relative XDG_DATA_HOME is passed over, as the XDG Base Directory Specification asks.

    Raises:
        KeysError: SEALCAM_HOME is empty or relative: it would silently be another home than was meant.
    """
    named = os.environ.get(HOME_VARIABLE)
    if named is None:
        return _unnamed()
    if not named.strip():
        raise KeysError(f"{HOME_VARIABLE} is empty", f"unset {HOME_VARIABLE}, or name the data home's folder")
    if not named.startswith(("/", "~")):
        raise KeysError(
            f"{HOME_VARIABLE} is relative ({named}): it would be another data home in each folder",
            f"write {HOME_VARIABLE}={shlex.quote(os.path.abspath(named))}",  # noqa: PTH100 -- also where it is gone
        )
    return expanded(Path(named))


def _unnamed() -> Path:
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    return expanded((data if data.is_absolute() else Path("~/.local/share")) / "sealcam")


def expanded(place: Path) -> Path:
    """A folder that a user named, as an absolute path. Raises KeysError where `~` stands for no folder."""
    try:
        found = place.expanduser()
    except RuntimeError:
        raise KeysError(f"{place} names no folder: this user has no home folder", "set SEALCAM_HOME") from None
    if place.parts[:1] == ("~",) and not Path(os.environ.get("HOME", "/")).is_absolute():
        raise KeysError(f"{place} names no folder: HOME is empty or relative", "set HOME, or SEALCAM_HOME")
    return found.absolute()


def command(words: str, home: Path) -> str:
    """`sealcam keys init` as it is typed to act on `home`: without a word more where no variable is needed for that.

    A variable that is set now may have been set for one command only.
    """
    try:
        same = home == _unnamed()
    except KeysError:
        same = False
    return words if same else f"{HOME_VARIABLE}={shlex.quote(str(home))} {words}"
