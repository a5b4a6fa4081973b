PRAGMA user_version = 2;

-- Each is encrypted by the root key, which is not in this file.
CREATE TABLE keysets (
    purpose TEXT NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL CHECK (length(wrapped) > 0)
) STRICT, WITHOUT ROWID;
