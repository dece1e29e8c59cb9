-- The receiver's database. store.py fills in the braces and sets the version (PRAGMA user_version). Every table is
-- STRICT; times are unix milliseconds.

CREATE TABLE device (
    device_id TEXT PRIMARY KEY CHECK (length(device_id) BETWEEN 1 AND 64)
) STRICT, WITHOUT ROWID;

-- One row per sequence number of a device ever accepted. An erased row is a tombstone: sequence and digests stay, so that the
-- chain can still be checked and the same bytes are still known as a duplicate; content and time of arrival are gone.
CREATE TABLE envelope (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival; the cursor of `after=`
    device_id   TEXT NOT NULL REFERENCES device (device_id),
    sequence    INTEGER NOT NULL CHECK (sequence BETWEEN 0 AND 9007199254740992),
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    previous    BLOB NOT NULL CHECK (length(previous) = 32),
    boot_id     BLOB CHECK (length(boot_id) = 16),
    sealed      BLOB CHECK (length(sealed) BETWEEN 1 AND 32768),
    event       BLOB CHECK (length(event) BETWEEN 1 AND 32768),
    received_ms INTEGER CHECK (received_ms >= 0),
    erased_ms   INTEGER CHECK (erased_ms >= 0),
    UNIQUE (device_id, sequence),
    CHECK ((erased_ms IS NULL) = (sealed IS NOT NULL)),
    CHECK ((sealed IS NULL) = (event IS NULL)),
    CHECK ((sealed IS NULL) = (boot_id IS NULL)),
    CHECK ((sealed IS NULL) = (received_ms IS NULL))
) STRICT;

CREATE INDEX envelope_by_device ON envelope (device_id, id);
CREATE INDEX envelope_by_time ON envelope (received_ms);

-- What lists and alerts are made from; the whole event is envelope.event.
CREATE TABLE verdict (
    envelope_id INTEGER PRIMARY KEY REFERENCES envelope (id) ON DELETE CASCADE,
    device_id   TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ({STATES})),  -- those of wire.vocabulary
    class_id    INTEGER CHECK (class_id BETWEEN 0 AND 42)
) STRICT;

CREATE INDEX verdict_by_state ON verdict (state, envelope_id);
CREATE INDEX verdict_by_device ON verdict (device_id, envelope_id);

CREATE TABLE health (
    envelope_id INTEGER PRIMARY KEY REFERENCES envelope (id) ON DELETE CASCADE,
    device_id   TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32)
) STRICT;

CREATE INDEX health_by_device ON health (device_id, kind, envelope_id);

-- Unbroken runs of received sequence numbers per device; what lies between or before the runs is a gap.
CREATE TABLE span (
    device_id TEXT NOT NULL REFERENCES device (device_id),
    first     INTEGER NOT NULL CHECK (first >= 0),
    last      INTEGER NOT NULL CHECK (last >= first),
    PRIMARY KEY (device_id, first),
    UNIQUE (device_id, last)
) STRICT, WITHOUT ROWID;

-- Sequence numbers whose envelope does not name the digest of the envelope before it.
CREATE TABLE chain_break (
    device_id TEXT NOT NULL REFERENCES device (device_id),
    sequence  INTEGER NOT NULL CHECK (sequence >= 0),
    PRIMARY KEY (device_id, sequence)
) STRICT, WITHOUT ROWID;

-- What was not stored, counted by reason: refused messages, duplicates, messages that came while the database failed, and
-- what devices say that they themselves could not store. device_id '' gathers what came while the database failed, and
-- what names no enrolled device.
CREATE TABLE tally (
    device_id TEXT NOT NULL CHECK (length(device_id) <= 64),
    reason    TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 32),
    count     INTEGER NOT NULL CHECK (count > 0),
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    PRIMARY KEY (device_id, reason)
) STRICT, WITHOUT ROWID;
