/** The schema, as steps: a database is of the version whose steps it has gone. A step that was released never changes. */

/** Each entry takes the schema one version further; user_version counts those that were applied. */
export const MIGRATIONS = [
  `
  CREATE TABLE rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('address', 'domain')),
    value TEXT NOT NULL,
    subdomains INTEGER NOT NULL CHECK (subdomains IN (0, 1)),
    scope TEXT NOT NULL DEFAULT '',
    effect TEXT NOT NULL CHECK (effect IN ('allow', 'block')),
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    revoked_by TEXT,
    revoked_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX rule_live ON rule (value, scope, effect) WHERE revoked_at IS NULL;

  CREATE TABLE hold (
    id TEXT PRIMARY KEY,
    queue_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    client TEXT NOT NULL,  -- JSON
    held_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    notified_at INTEGER,
    closing_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hold_unnotified ON hold (held_at) WHERE notified_at IS NULL;

  CREATE TABLE recipient (
    hold TEXT NOT NULL REFERENCES hold (id),
    address TEXT NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('held', 'refused', 'releasing', 'released', 'rejected', 'expired', 'passed')),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (hold, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recipient_waiting ON recipient (hold) WHERE state IN ('held', 'refused', 'releasing');

  CREATE TABLE notice (sender TEXT PRIMARY KEY, sent_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    was TEXT NOT NULL,
    now TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE rule ADD COLUMN ends_at INTEGER;
  ALTER TABLE rule ADD COLUMN last_used_at INTEGER;
  CREATE TABLE progress (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  'CREATE INDEX hold_queue_id ON hold (queue_id);',
  // What only knew the last use counts from the decision log anew.
  `
  CREATE TABLE rule_use (
    rule INTEGER NOT NULL REFERENCES rule (id),
    period TEXT NOT NULL,  -- a day, 2026-11-20; of older ones the month, 2026-03, or the year
    messages INTEGER NOT NULL,
    PRIMARY KEY (rule, period)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO rule_use
    SELECT id, date(last_used_at / 1000, 'unixepoch', 'localtime'), 1 FROM rule WHERE last_used_at IS NOT NULL;
  ALTER TABLE rule DROP COLUMN last_used_at;
  DELETE FROM progress WHERE name = 'uses folded to';
  `,
  `
  CREATE TABLE token (
    hash TEXT PRIMARY KEY,  -- SHA-256 of what a notice carries
    hold TEXT NOT NULL REFERENCES hold (id),
    recipients TEXT NOT NULL,  -- JSON
    approver TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    answer TEXT CHECK (answer IN ('release', 'know', 'reject')),
    used_by TEXT,  -- SHA-256 of the mail
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_hold ON token (hold);
  `,
  // What waits and how much of it there is, kept beside the rows, so that nobody goes through all of them to know it.
  // Triggers keep it: whatever moves a recipient, by whichever statement, takes it along in the same transaction.
  `
  ALTER TABLE hold ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;  -- how many of its recipients wait
  UPDATE hold SET waiting =
      (SELECT count(*) FROM recipient r WHERE r.hold = hold.id AND r.state IN ('held', 'refused', 'releasing'))
    WHERE id IN (SELECT hold FROM recipient WHERE state IN ('held', 'refused', 'releasing'));
  -- With waiting in it, as SQLite else looks for it in the table.
  CREATE INDEX hold_waiting ON hold (held_at, id, waiting) WHERE waiting > 0;
  CREATE INDEX hold_miscounted ON hold (id) WHERE waiting < 0;  -- Empty, so that finding that out costs nothing.
  CREATE INDEX hold_due ON hold (expires_at) WHERE waiting > 0;
  DROP INDEX hold_unnotified;
  CREATE INDEX hold_unnotified ON hold (held_at) WHERE notified_at IS NULL AND waiting > 0;

  CREATE TABLE load (messages INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO load SELECT count(*), coalesce(sum(waiting), 0), coalesce(sum(size), 0) FROM hold WHERE waiting > 0;
  DELETE FROM progress WHERE name = 'hold load';

  -- Messages nobody waits in any more and whose folder may still be there.
  CREATE TABLE leaving (hold TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TRIGGER recipient_comes AFTER INSERT ON recipient WHEN new.state IN ('held', 'refused', 'releasing')
  BEGIN
    UPDATE hold SET waiting = waiting + 1 WHERE id = new.hold;
  END;
  CREATE TRIGGER recipient_moves AFTER UPDATE OF state ON recipient
    WHEN (new.state IN ('held', 'refused', 'releasing')) <> (old.state IN ('held', 'refused', 'releasing'))
  BEGIN
    UPDATE hold SET waiting = waiting + iif(new.state IN ('held', 'refused', 'releasing'), 1, -1) WHERE id = new.hold;
  END;
  CREATE TRIGGER recipient_goes AFTER DELETE ON recipient WHEN old.state IN ('held', 'refused', 'releasing')
  BEGIN
    UPDATE hold SET waiting = waiting - 1 WHERE id = old.hold;
  END;
  -- Of a message whose row was lost and is put back, recipients may be there already.
  CREATE TRIGGER hold_comes AFTER INSERT ON hold
    WHEN EXISTS (SELECT 1 FROM recipient WHERE hold = new.id AND state IN ('held', 'refused', 'releasing'))
  BEGIN
    UPDATE hold SET waiting =
        (SELECT count(*) FROM recipient WHERE hold = new.id AND state IN ('held', 'refused', 'releasing'))
      WHERE id = new.id;
  END;
  CREATE TRIGGER hold_counts AFTER UPDATE OF waiting ON hold
  BEGIN
    UPDATE load SET recipients = recipients + new.waiting - old.waiting,
      messages = messages + (new.waiting > 0) - (old.waiting > 0),
      bytes = bytes + (new.waiting > 0) * new.size - (old.waiting > 0) * old.size;
    INSERT INTO leaving SELECT new.id WHERE old.waiting > 0 AND new.waiting = 0
      AND NOT EXISTS (SELECT 1 FROM leaving WHERE hold = new.id);
  END;
  CREATE TRIGGER hold_goes AFTER DELETE ON hold WHEN old.waiting > 0
  BEGIN
    UPDATE load SET recipients = recipients - old.waiting, messages = messages - 1, bytes = bytes - old.size;
  END;

  CREATE INDEX recipient_settled ON recipient (changed_at, state) WHERE state IN ('released', 'rejected', 'expired');
  CREATE INDEX recipient_released ON recipient (lower(address), changed_at) WHERE state = 'released';
  -- From the last @ on.
  CREATE INDEX recipient_released_domain
    ON recipient (lower(substr(address, length(rtrim(address, replace(address, '@', ''))))), changed_at)
    WHERE state = 'released';
  CREATE INDEX token_expires ON token (expires_at);
  `,
  // What people are forgotten by (lib/database/audit.ts): rows that are there have no salt, and keep the hash that they have.
  `
  ALTER TABLE audit ADD COLUMN salt TEXT NOT NULL DEFAULT '';
  ALTER TABLE audit ADD COLUMN seal TEXT;
  `,
  `
  ALTER TABLE hold ADD COLUMN automatic TEXT NOT NULL DEFAULT '';  -- what shows that a program has written it
  ALTER TABLE hold ADD COLUMN reminded_at INTEGER;
  CREATE INDEX audit_bounced ON audit (subject, at) WHERE what = 'bounced';
  `,
]
