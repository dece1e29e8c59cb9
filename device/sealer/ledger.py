"""The row of the spool that counts what could not be stored. It is written in place, which takes no room on the disk.

It holds two gaps: what is lost, and what waits in memory. What waits when a run ends, however it ends, is lost too, and
the next run finds it here.
"""

from __future__ import annotations

import sqlite3

from device.sealer.gap import NO_GAP, Gap

_TABLE = """
CREATE TABLE IF NOT EXISTS unsealed (
    one INTEGER PRIMARY KEY CHECK (one = 1), run_id TEXT NOT NULL,
    verdicts INTEGER NOT NULL, health INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    waiting_verdicts INTEGER NOT NULL, waiting_health INTEGER NOT NULL,
    waiting_from_ms INTEGER NOT NULL, waiting_to_ms INTEGER NOT NULL) STRICT
"""
_NOTE = """
UPDATE unsealed SET run_id = ?, verdicts = ?, health = ?, from_ms = ?, to_ms = ?,
                    waiting_verdicts = ?, waiting_health = ?, waiting_from_ms = ?, waiting_to_ms = ?
"""


def make(db: sqlite3.Connection, run_id: str) -> None:
    """The table with its row, where it is missing."""
    db.execute(_TABLE)
    db.execute("INSERT OR IGNORE INTO unsealed VALUES (1, ?, 0, 0, 0, 0, 0, 0, 0, 0)", (run_id,))


def note(db: sqlite3.Connection, run_id: str, lost: Gap, waiting: Gap) -> None:
    """Write both gaps."""
    counts = [(gap.verdicts, gap.health, gap.from_ms, gap.to_ms) for gap in (lost, waiting)]
    db.execute(_NOTE, (run_id, *counts[0], *counts[1]))


def recall(db: sqlite3.Connection, run_id: str) -> tuple[Gap, Gap]:
    """What is lost by now, and the part of it that this run had lost when its sealer fell. Changes nothing.

    A verdict that waited in this very run is not lost: `verdict` keeps it and sends it again.
    """
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'unsealed'").fetchone():
        return NO_GAP, NO_GAP
    row = db.execute("SELECT * FROM unsealed").fetchone()
    lost, waiting, here = Gap(*row[2:6]), Gap(*row[6:10]), NO_GAP
    if row[1] == run_id:
        here = waiting = Gap(0, waiting.health, waiting.from_ms, waiting.to_ms).bounded()
    return lost.plus(waiting).bounded(), here
