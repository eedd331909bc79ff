/** What `toeh fsck` does to the hold: it brings rows and folders together where a crash or a backup has parted them. */
import { type Actor, appendAudit } from '../database/audit.js'
import { Failure } from '../failure.js'
import type { HoldEnvelope, HoldFolder, Move } from './folder.js'
import { type HeldMessage, isWaiting, type State, WAITING } from './heldmail.js'
import { HoldUpkeep } from './upkeep.js'

/** The detail of a recipient whose message has no bytes any more. */
const GONE = 'its bytes were gone: settled after a backup that was restored, or removed'

const DAY_MS = 86_400_000

const SETTLED: readonly string[] = ['released', 'rejected', 'expired', 'passed'] satisfies State[]

/** Whether the folder knows more than the row of a recipient: that somebody began to send to it, or settled it. */
export function isAhead({ state }: { state: string }, row: State): boolean {
  if (SETTLED.includes(state)) return isWaiting({ state: row })
  return state === 'releasing' && (row === 'held' || row === 'refused')
}

/** What has become of recipients since they were parked, by the folder and by the decision log. */
export function movesOf(
  folder: HoldFolder,
  id: string,
  passed: ReadonlyMap<string, Move> | undefined,
): Map<string, Move> {
  return new Map([...(passed ?? []), ...folder.moves(id)])
}

/** A hold that can be mended. Nothing else moves a recipient without asking where he stands. */
export class MendableHold extends HoldUpkeep {
  /** The ids that somebody waits under, and those of recipients who have lost their message's row. */
  ids(): string[] {
    const sql = `SELECT DISTINCT hold AS id FROM recipient WHERE state IN ${WAITING}
                 UNION SELECT hold FROM recipient WHERE hold NOT IN (SELECT id FROM hold)`
    return this.db.still(() => this.db.all<{ id: string }>(sql)).map(({ id }) => id)
  }

  /** As {@link find}; undefined where the message has no row. */
  lookFor(id: string): HeldMessage | undefined {
    return this.db.get('SELECT 1 FROM hold WHERE id = ?', id) === undefined ? undefined : this.find(id)
  }

  /**
   * Takes in what a folder has and the rows have not: the message, and recipients as they were parked, or as they were
   * moved since. Rows that are there stay. Nobody has been told of it, and it waits for a day at the least.
   * @returns the addresses that are new
   */
  adopt(envelope: HoldEnvelope, moves: ReadonlyMap<string, Move>, actor: Actor): string[] {
    const { id, queueId, sender, sha256, size, subject, messageId, client, heldAt, expiresAt, automatic } =
      envelope
    const parked = new Map(envelope.recipients.map((recipient) => [recipient.address, recipient]))
    const sql = `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
    return this.db.transaction(() => {
      if (!this.folder.has(id)) throw new Failure('adopt', 'its bytes are gone', { at: id })
      const until = Math.max(expiresAt, actor.at + DAY_MS)
      this.db.run(
        `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at, automatic)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ...[
          id,
          queueId,
          sender,
          sha256,
          size,
          subject,
          messageId,
          JSON.stringify(client),
          heldAt,
          until,
          automatic,
        ],
      )
      const adopted = [...new Set([...parked.keys(), ...moves.keys()])].filter((address) => {
        const { state, reason, detail } = parked.get(address) ?? {
          state: 'held',
          reason: 'unknown',
          detail: '',
        }
        const move = moves.get(address)
        const moved = move !== undefined && isAhead(move, state) ? move : undefined
        const { who = actor.who, at = heldAt, queueId: sentAs = '' } = moved ?? {}
        const to = moved?.state ?? state
        if (this.db.run(sql, id, address, to, reason, detail, sentAs, who, at) !== 1) return false
        appendAudit(this.db, { ...actor, what: 'adopted', subject: `${id} ${address}`, was: '', now: to })
        return true
      })
      if (adopted.length > 0) this.db.run('UPDATE hold SET notified_at = NULL WHERE id = ?', id)
      return adopted
    })
  }

  /** Brings rows to where the folder knows them to be. @returns the addresses that were moved */
  followMoves(id: string, moves: ReadonlyMap<string, Move>, actor: Actor): string[] {
    return this.db.transaction(() =>
      [...moves.values()]
        .filter((move) => {
          const sql = 'SELECT state FROM recipient WHERE hold = ? AND address = ?'
          const row = this.db.get<{ state: State }>(sql, id, move.address)
          if (row === undefined || !isAhead(move, row.state)) return false
          const change = `UPDATE recipient SET state = ?, queue_id = ?, changed_by = ?, changed_at = ?
                          WHERE hold = ? AND address = ?`
          this.db.run(change, move.state, move.queueId, move.who, move.at, id, move.address)
          const subject = `${id} ${move.address}`
          appendAudit(this.db, { ...actor, what: 'followed', subject, was: row.state, now: move.state })
          return true
        })
        .map(({ address }) => address),
    )
  }

  /** Writes envelope.json anew from the rows; one that is there and cannot be used is kept beside it. */
  restoreEnvelope(id: string, setAside: boolean): void {
    this.db.transaction(() => {
      const envelope = this.envelopeOf(id)
      if (setAside) this.folder.setEnvelopeAside(id)
      this.folder.rewrite(envelope)
    })
  }

  /** Everybody who waits in a message whose bytes are gone → rejected, with that as the detail. */
  settleGone(id: string, actor: Actor): string[] {
    return this.db.transaction(() => {
      if (this.folder.has(id)) return []
      const addresses = this.waitingIn(id).map(({ address }) => address)
      const sql = 'UPDATE recipient SET detail = ? WHERE hold = ? AND address = ?'
      return addresses.filter((address) => {
        if (!this.move(id, address, 'rejected', actor, `state IN ${WAITING}`)) return false
        this.db.run(sql, GONE, id, address)
        return true
      })
    })
  }
}
