PRAGMA user_version = 5;

-- How far the server's own seat has read a conversation of an assisted
-- department: the sequence that comes next. What was said is not here.
CREATE TABLE assisted (
    conv BLOB    NOT NULL PRIMARY KEY REFERENCES conversations (conv),
    next INTEGER NOT NULL CHECK (next >= 0)
) STRICT, WITHOUT ROWID;
