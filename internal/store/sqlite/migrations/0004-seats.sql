PRAGMA user_version = 4;

ALTER TABLE conversations ADD COLUMN since INTEGER NOT NULL DEFAULT 0; -- when it began, or began again
ALTER TABLE conversations ADD COLUMN site  TEXT    NOT NULL DEFAULT '';
UPDATE conversations SET since = (SELECT at FROM entries WHERE entries.conv = conversations.conv AND seq = 0);

DROP INDEX conversations_waiting;
CREATE INDEX conversations_waiting ON conversations (dept, since, conv) WHERE state = 1;
CREATE INDEX conversations_taken   ON conversations (dept, since, conv) WHERE state = 2;

-- The people who answer, each once, however many devices they have there.
CREATE TABLE seats (
    conv    BLOB    NOT NULL REFERENCES conversations (conv),
    subject BLOB    NOT NULL CHECK (length(subject) = 16),
    dept    BLOB    NOT NULL CHECK (length(dept) = 16),
    closed  INTEGER, -- when the conversation was closed; NULL while it is open
    PRIMARY KEY (conv, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX seats_open   ON seats (subject, dept) WHERE closed IS NULL;
CREATE INDEX seats_closed ON seats (subject, closed DESC) WHERE closed IS NOT NULL;

-- Who was a member before: a certificate (kind 8) of an agent (2) or a
-- supervisor (3) has its subject behind header, organisation, kind and custody.
INSERT INTO seats (conv, subject, dept, closed)
SELECT DISTINCT c.conv, substr(o.bytes, 39, 16), c.dept, CASE c.state WHEN 3 THEN c.at END
FROM members m
JOIN objects o ON o.hash = m.member AND o.kind = 8 AND substr(o.bytes, 37, 1) IN (x'02', x'03')
JOIN conversations c ON c.conv = m.conv;

DROP INDEX conversations_of_member;
