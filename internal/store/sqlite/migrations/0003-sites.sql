PRAGMA user_version = 3;

CREATE TABLE sites (
    id          TEXT    NOT NULL PRIMARY KEY,
    site        TEXT    NOT NULL, -- what an administrator sets, as JSON
    seen_at     INTEGER NOT NULL DEFAULT 0, -- 0 is never
    seen_origin TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Open conversations that one person may have in a department.
CREATE TABLE caps (
    dept BLOB    NOT NULL PRIMARY KEY CHECK (length(dept) = 16),
    open INTEGER NOT NULL CHECK (open > 0)
) STRICT, WITHOUT ROWID;
