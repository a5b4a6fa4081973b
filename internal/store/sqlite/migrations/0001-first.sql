-- The file is Aldaba's ("Alda") and of this version.
PRAGMA application_id = 1097622625;
PRAGMA user_version = 1;

CREATE TABLE conversations (
    conv  BLOB    NOT NULL PRIMARY KEY CHECK (length(conv) = 32),
    dept  BLOB    NOT NULL CHECK (length(dept) = 16),
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    seq   INTEGER NOT NULL CHECK (seq >= 0), -- of the last entry
    at    INTEGER NOT NULL                   -- of the last entry
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_waiting ON conversations (dept, at, conv) WHERE state = 1;

CREATE TABLE entries (
    conv    BLOB    NOT NULL REFERENCES conversations (conv),
    seq     INTEGER NOT NULL CHECK (seq >= 0),
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    log     BLOB    NOT NULL CHECK (length(log) = 32),
    at      INTEGER NOT NULL,
    message BLOB             CHECK (length(message) = 18), -- leaf and msg_id
    object  BLOB    NOT NULL CHECK (length(object) > 0),
    PRIMARY KEY (conv, seq),
    UNIQUE (conv, hash)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX entries_by_message ON entries (conv, message) WHERE message IS NOT NULL;

-- The wraps that came with an entry, in their order of arrival.
CREATE TABLE wraps (
    conv   BLOB    NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 32),
    seq    INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    object BLOB    NOT NULL CHECK (length(object) > 0),
    PRIMARY KEY (conv, key, seq, place),
    FOREIGN KEY (conv, seq) REFERENCES entries (conv, seq)
) STRICT, WITHOUT ROWID;

-- The members after the last entry, in the order of the roster.
CREATE TABLE members (
    conv   BLOB    NOT NULL REFERENCES conversations (conv),
    place  INTEGER NOT NULL,
    member BLOB    NOT NULL CHECK (length(member) = 32),
    PRIMARY KEY (conv, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_of_member ON members (member);

CREATE TABLE objects (
    place  INTEGER NOT NULL PRIMARY KEY, -- grows: the order of arrival
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind   INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
    owner  BLOB    NOT NULL CHECK (length(owner) = 32),
    number INTEGER NOT NULL CHECK (number >= 0),
    bytes  BLOB    NOT NULL CHECK (length(bytes) > 0)
) STRICT;

CREATE INDEX objects_of_kind ON objects (kind, number DESC, place DESC);
CREATE INDEX objects_of_owner ON objects (owner, kind, place DESC);

CREATE TABLE enrolments (
    place       INTEGER NOT NULL PRIMARY KEY, -- grows: the order of arrival
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    invitation  BLOB    NOT NULL UNIQUE CHECK (length(invitation) = 16),
    request     BLOB    NOT NULL CHECK (length(request) > 0),
    mac         BLOB    NOT NULL,
    at          INTEGER NOT NULL,
    certificate BLOB             CHECK (length(certificate) = 32)
) STRICT;

CREATE INDEX enrolments_unsigned ON enrolments (place) WHERE certificate IS NULL;
CREATE INDEX enrolments_by_age ON enrolments (at) WHERE certificate IS NULL;

CREATE TABLE department_keys (
    device      BLOB NOT NULL CHECK (length(device) = 32),
    certificate BLOB NOT NULL CHECK (length(certificate) = 32), -- the department's
    wrap        BLOB NOT NULL CHECK (length(wrap) > 0),
    PRIMARY KEY (device, certificate)
) STRICT, WITHOUT ROWID;
