-- What people have looked at, made where it is missing. It lies beside the events, since it counts in their row numbers.
-- A row says: of this device, everything of this kind up to `through` was looked at. Nothing is ever changed or taken out.

CREATE TABLE IF NOT EXISTS acknowledgement (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL CHECK (length(device_id) <= 64),  -- '' where no device can be named
    kind      TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    through   INTEGER NOT NULL CHECK (through >= 0),
    who       TEXT NOT NULL CHECK (length(who) <= 64),  -- '' where nobody had to log in
    at_ms     INTEGER NOT NULL CHECK (at_ms >= 0)
) STRICT;

CREATE INDEX IF NOT EXISTS acknowledgement_by_kind ON acknowledgement (device_id, kind, through);
