/** The upkeep of the hold: what cleanup and fsck do to it, of themselves, by the clock. */

import { syncPath } from '../system/files.js'
import { ANSWERABLE, type HeldMessage, WAITING } from './heldmail.js'
import { Hold } from './hold.js'

/** Ids of messages that are not counted as they are, and `load` where the sum is wrong. One statement: one moment. */
const MISCOUNTED = `
  WITH counted AS MATERIALIZED (SELECT hold.id, hold.waiting, hold.size, count(*) AS n FROM recipient
    JOIN hold ON hold.id = recipient.hold WHERE state IN ${WAITING} GROUP BY recipient.hold)
  SELECT id FROM counted WHERE n <> waiting
  UNION ALL SELECT id FROM hold WHERE (waiting > 0 OR waiting < 0) AND NOT EXISTS
    (SELECT 1 FROM recipient WHERE recipient.hold = hold.id AND state IN ${WAITING})
  UNION ALL SELECT 'load' WHERE NOT EXISTS (SELECT 1 FROM load WHERE messages = (SELECT count(*) FROM counted)
    AND recipients = (SELECT coalesce(sum(n), 0) FROM counted)
    AND bytes = (SELECT coalesce(sum(size), 0) FROM counted))`

/** A hold that is kept in order. */
export class HoldUpkeep extends Hold {
  /**
   * Removes the bytes of messages whose last recipient has left since this was last called, where they are still there:
   * the run that was to do it was cut off. A message is forgotten only once its folder is gone for good.
   * @returns how many were still there
   */
  removeLeft(): number {
    const ids = this.db.all<{ hold: string }>('SELECT hold FROM leaving').map(({ hold }) => hold)
    if (ids.length === 0) return 0
    const left = ids.filter((id) => this.folder.isThere(id))
    for (const id of left) this.removeSettled(id)
    syncPath(this.folder.root)
    this.db.run('DELETE FROM leaving WHERE hold IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
    return left.filter((id) => !this.folder.isThere(id)).length
  }

  /**
   * Counts all that wait and compares it with what is kept. Nothing of ours makes the two differ; but a message that is
   * counted wrongly would be neither listed nor expired, so it is not taken on trust.
   * @param mend whether to put it right
   * @returns what was wrong: ids of messages, and `load`, the sum of all
   */
  recount(mend: boolean): string[] {
    const wrong = this.db.still(() => this.db.all<{ id: string }>(MISCOUNTED)).map(({ id }) => id)
    if (!mend || wrong.length === 0) return wrong
    return this.db.transaction(() => {
      // What looked wrong may have been in the middle of a change.
      const ids = this.db.all<{ id: string }>(MISCOUNTED).map(({ id }) => id)
      const counted = `SELECT count(*) FROM recipient WHERE recipient.hold = hold.id AND state IN ${WAITING}`
      const sql = `UPDATE hold SET waiting = (${counted}) WHERE id IN (SELECT value FROM json_each(?))`
      this.db.run(sql, JSON.stringify(ids))
      this.db.run('DELETE FROM load')
      this.db.run(`INSERT INTO load SELECT count(*), coalesce(sum(waiting), 0), coalesce(sum(size), 0) FROM hold
                   WHERE waiting > 0`)
      return ids
    })
  }

  /**
   * Takes messages that have expired and that no other cleanup has in hand.
   * @param staleBefore a claim older than this was left by a cleanup that died
   */
  claimExpired(now: number, staleBefore: number): HeldMessage[] {
    return this.db.transaction(() => {
      const expired = `expires_at <= ? AND (closing_at IS NULL OR closing_at < ?) AND ${ANSWERABLE} ORDER BY expires_at, id`
      const messages = this.select(expired, now, staleBefore)
      for (const { id } of messages) this.db.run('UPDATE hold SET closing_at = ? WHERE id = ?', now, id)
      return messages
    })
  }

  /** Gives an expired message back to the next cleanup. */
  unclaimExpired(id: string): void {
    this.db.run('UPDATE hold SET closing_at = NULL WHERE id = ?', id)
  }

  /**
   * Takes messages of which somebody is to be reminded, each once: those that end within this time, waited longer than that before, and
   * are no program's.
   */
  claimReminders(now: number, aheadMs: number): HeldMessage[] {
    const ending = `expires_at > ? AND expires_at <= ? AND expires_at - held_at > ? AND reminded_at IS NULL
                    AND closing_at IS NULL AND automatic = '' AND ${ANSWERABLE} ORDER BY expires_at, id`
    return this.db.transaction(() => {
      const messages = this.select(ending, now, now + aheadMs, aheadMs)
      for (const { id } of messages) this.db.run('UPDATE hold SET reminded_at = ? WHERE id = ?', now, id)
      return messages
    })
  }

  /** Gives messages back of which nobody can have been reminded. */
  unclaimReminders(ids: readonly string[]): void {
    this.db.transaction(() => {
      for (const id of ids) this.db.run('UPDATE hold SET reminded_at = NULL WHERE id = ?', id)
    })
  }

  /**
   * Lets messages wait from `last` on that were due at `last` and that the cleanup of that time did not know: a clock
   * that was behind has written their times.
   * @param known ids of messages that it could not end
   * @returns the ids of those that were put off
   */
  putOff(last: number, known: readonly string[]): string[] {
    const from = `waiting > 0 AND expires_at <= ? AND held_at <= expires_at AND closing_at IS NULL AND ${ANSWERABLE}
                  AND id NOT IN (SELECT value FROM json_each(?))`
    const late = JSON.stringify(known)
    return this.db.transaction(() => {
      const ids = this.db.all<{ id: string }>(`SELECT id FROM hold WHERE ${from}`, last, late)
      for (const { id } of ids)
        this.db.run('UPDATE hold SET expires_at = ? + expires_at - held_at WHERE id = ?', last, id)
      return ids.map(({ id }) => id)
    })
  }
}
