"""What SQLite or the system says about the database, as cause and remedy. Source: sqlite.org/rescode.html. Pure."""

from __future__ import annotations

import os
import sqlite3
from typing import Final

from wire.errors import remedy_of

_CHECK_DISK: Final = "check its disk: free space, health, and who owns it"
_REMEDIES: Final = {
    sqlite3.SQLITE_NOTADB: "move that file away, or name another --home",
    sqlite3.SQLITE_CORRUPT: "restore a copy of it, or move it away: devices send again only what has no receipt",
    sqlite3.SQLITE_READONLY: "see who owns it and its folder, and whether its disk is mounted read-only",
    sqlite3.SQLITE_PERM: "see who owns it and its folder",
    sqlite3.SQLITE_CANTOPEN: "see who owns it and its folder",
    sqlite3.SQLITE_BUSY: "end the other program that holds it",
    sqlite3.SQLITE_LOCKED: "end the other program that holds it",
    sqlite3.SQLITE_FULL: "free some space on its disk",
}


def database_fault(error: OSError | sqlite3.Error) -> tuple[str, str]:
    """Cause and remedy, for a sentence that names the file."""
    if isinstance(error, OSError):
        number = error.errno or 0
        return os.strerror(number).lower(), remedy_of(number, "see what is at that path, and who owns it")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the upper bits say more
    return str(error), _REMEDIES.get(code, _CHECK_DISK)
