/** Older schemas: what takes a database back to them, for tests of what migrates it. */

/** From 8 to 7. */
const BACK_TO_7 = [
  'DROP INDEX audit_bounced',
  'ALTER TABLE hold DROP COLUMN automatic',
  'ALTER TABLE hold DROP COLUMN reminded_at',
]

/** From 8 to 5. */
export const BACK_TO_5: readonly string[] = [
  ...BACK_TO_7,
  'ALTER TABLE audit DROP COLUMN salt',
  'ALTER TABLE audit DROP COLUMN seal',
  ...['recipient_comes', 'recipient_moves', 'recipient_goes', 'hold_comes', 'hold_counts', 'hold_goes'].map(
    (name) => `DROP TRIGGER ${name}`,
  ),
  ...['hold_waiting', 'hold_miscounted', 'hold_due', 'hold_unnotified'].map((name) => `DROP INDEX ${name}`),
  ...['recipient_settled', 'recipient_released', 'recipient_released_domain', 'token_expires'].map(
    (name) => `DROP INDEX ${name}`,
  ),
  'CREATE INDEX hold_unnotified ON hold (held_at) WHERE notified_at IS NULL',
  'ALTER TABLE hold DROP COLUMN waiting',
  'DROP TABLE leaving',
  'DROP TABLE load',
  'PRAGMA user_version = 5',
]
