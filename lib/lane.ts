/**
 * The lane's file: a small SQLite database beside the state folder that Postfix reads. It holds keys and nothing else
 * of the landscape. Written in place, in short transactions: a running smtpd(8) would not notice a new file.
 */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Database, workBeside } from './database.js'
import { EXIT } from './exit.js'
import { LANE_SCHEMA, type LaneFiles, type LaneRow, laneKey, laneQuery } from './express.js'
import { Failure } from './failure.js'

/** The folder of the lane: beside the state folder, which nobody else may enter. */
export function laneFolder(state: string): string {
  return `${state.replace(/\/+$/, '')}-express`
}

export function lanePath(state: string): string {
  return `${laneFolder(state)}/lane.db`
}

/** The files Postfix reads when its services start, beside the configuration. */
export function laneFiles(config: string): LaneFiles {
  const folder = dirname(resolve(config))
  return {
    map: join(folder, 'express.cf'),
    senders: join(folder, 'express-senders'),
    recipients: join(folder, 'express-recipients'),
  }
}

const PUT = 'INSERT INTO lane (key, pass) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET pass = excluded.pass'

/** What the lane needs of the configuration. */
interface LaneConfig {
  state: string
  internal: ReadonlySet<string>
  busySeconds: number
}

export class Lane {
  readonly #config: LaneConfig
  /** Domains whose addresses never pass by the lane. */
  readonly internal: ReadonlySet<string>

  /** @throws Failure where it is missing or closed to this user: a rule that changes without it would go on passing */
  constructor(config: LaneConfig) {
    this.#config = config
    this.internal = config.internal
    const path = lanePath(config.state)
    if (existsSync(path)) return
    throw new Failure('express lane', 'its file is missing or closed to this user', {
      at: path,
      status: EXIT.config,
      hint: 'run toeh express --write as root, or set enabled = false under [express]',
    })
  }

  #work<T>(work: (db: Database) => T): T {
    return workBeside(lanePath(this.#config.state), LANE_SCHEMA, this.#config, (db) =>
      db.transaction(() => work(db)),
    )
  }

  /** Sends whatever these values cover to the filter, until {@link put} says how it stands. */
  shut(values: Iterable<string>): void {
    this.#work((db) => {
      for (const value of values) db.run(PUT, laneKey(value), 0)
    })
  }

  /** The row of each of these values, or none, in place of what is there. */
  put(rows: ReadonlyMap<string, LaneRow | undefined>): void {
    this.#work((db) => {
      for (const [value, row] of rows) {
        if (row === undefined) db.run('DELETE FROM lane WHERE key = ?', laneKey(value))
        else db.run(PUT, row.key, row.pass ? 1 : 0)
      }
    })
  }

  /**
   * These rows and no others; what is right already is not written.
   * @returns how many rows were wrong
   */
  replace(rows: readonly LaneRow[]): number {
    return this.#work((db) => {
      const { gone, changed } = differences(rowsIn(db), rows)
      for (const key of gone) db.run('DELETE FROM lane WHERE key = ?', key)
      for (const { key, pass } of changed) db.run(PUT, key, pass ? 1 : 0)
      return gone.length + changed.length
    })
  }

  rows(): LaneRow[] {
    return this.#work(rowsIn)
  }

  /** Those of these recipients whom Postfix lets go round the filter. */
  passing(recipients: readonly string[]): Set<string> {
    const of = (half: string): string => `(SELECT ${half} FROM given)`
    const query = laneQuery({ address: of('address'), local: of('local'), domain: of('domain') })
    const sql = `WITH given (address, local, domain) AS (SELECT ?, ?, ?) ${query}`
    const passes = (db: Database, recipient: string): boolean => {
      // As a service of the lane folds it.
      const address = recipient.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      const at = address.lastIndexOf('@')
      return at > 0 && db.get(sql, address, address.slice(0, at), address.slice(at)) !== undefined
    }
    return this.#work((db) => new Set(recipients.filter((one) => passes(db, one))))
  }
}

function rowsIn(db: Database): LaneRow[] {
  return db
    .all<{ key: string; pass: number }>('SELECT key, pass FROM lane ORDER BY key')
    .map(({ key, pass }) => ({ key, pass: pass === 1 }))
}

/** What would have to change for some rows to become others. */
export function differences(
  are: readonly LaneRow[],
  should: readonly LaneRow[],
): { gone: string[]; changed: LaneRow[] } {
  const there = new Map(are.map(({ key, pass }) => [key, pass]))
  const changed = should.filter(({ key, pass }) => there.get(key) !== pass)
  for (const { key } of should) there.delete(key)
  return { gone: [...there.keys()], changed }
}
