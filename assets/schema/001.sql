-- The store's first form. What is sealed is marked so; all else may be read by whoever has the file.

-- One row: the store's random id, to which everything sealed is bound.
CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id BLOB NOT NULL
);

-- The locks that open the store: each wraps the store key (sealed).
CREATE TABLE slots (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    lock TEXT NOT NULL,
    salt BLOB NOT NULL,
    memory INTEGER NOT NULL,
    passes INTEGER NOT NULL,
    lanes INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    UNIQUE (kind, lock)
);

-- Where keys came from: backup versions and key files (sealed).
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    lookup BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
);

-- Room ids (sealed), each with a small number for the rows of its sessions.
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    lookup BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
);

-- One row per kept key (sealed). In order of arrival, and found by an index on the keyed hash: a
-- table ordered by random hashes would split its fat pages all the time.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    room INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    lookup BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX sessions_by_lookup ON sessions (lookup);

-- Keyed hashes of entries that need no second opening, and what came of them.
CREATE TABLE done (
    mark BLOB PRIMARY KEY,
    outcome INTEGER NOT NULL
) WITHOUT ROWID;
