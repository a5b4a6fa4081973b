PRAGMA user_version = 6;

CREATE TABLE accounts (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 22),
    login       TEXT    NOT NULL UNIQUE CHECK (length(login) > 0),
    name        TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    role        INTEGER NOT NULL,
    departments BLOB    NOT NULL CHECK (length(departments) % 16 = 0), -- their ids, one after the other
    cap         INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    seen        INTEGER NOT NULL,
    password    TEXT    NOT NULL,
    factor      BLOB    NOT NULL, -- sealed by the keyring
    step        INTEGER NOT NULL,
    codes       BLOB    NOT NULL CHECK (length(codes) % 32 = 0), -- SHA-256 of each that is left
    familiar    BLOB    NOT NULL CHECK (length(familiar) % 16 = 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE organisation (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    name TEXT    NOT NULL
) STRICT;

CREATE TABLE account_sessions (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    step    INTEGER NOT NULL,
    began   INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    address TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_sessions_of ON account_sessions (account, began);

CREATE TABLE account_links (
    account  BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    until    INTEGER NOT NULL,
    password TEXT    NOT NULL,
    factor   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account_devices (
    key     BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32), -- public signature key
    account BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_devices_of ON account_devices (account, at, key);
