/** A hold at which tests stand: its rows and folders, and the same through a second connection. */
import type { Test } from 'tap'
import type { Database } from '../../lib/database/database.js'
import type { HoldFolder } from '../../lib/hold/folder.js'
import { HoldUpkeep } from '../../lib/hold/upkeep.js'
import { makeLab } from './lab.js'

export const MARIE = { who: 'marie', at: 2000 }
export const PAUL = { who: 'paul', at: 3000 }
export const X = 'x@new.test'
export const Y = 'y@new.test'
export const Z = 'z@new.test'

export interface Stand {
  db: Database
  folder: HoldFolder
  hold: HoldUpkeep
  /** The same hold through a connection of its own, as another process has it. */
  other: HoldUpkeep
}

export function makeStand(t: Test): Stand {
  const lab = makeLab(t)
  const { db, folder, hold } = lab.stores()
  const second = lab.openDatabase()
  t.teardown(() => [db, second].map((one) => one.close()))
  return { db, folder, hold, other: new HoldUpkeep(second, folder) }
}

/** Recipients of a hold in words: `address state by at detail queueId`. */
export async function recipients(hold: HoldUpkeep, id: string): Promise<string[]> {
  return hold
    .find(id)
    .recipients.map(({ address, state, changedBy, changedAt, detail, queueId }) =>
      [address, state, changedBy, changedAt, detail, queueId].join(' ').trimEnd(),
    )
}

export function deeds(db: Database): string[] {
  return db
    .all<Record<string, string>>('SELECT * FROM audit ORDER BY id')
    .map(({ who, at, what, subject, was, now }) => [who, at, what, subject, was, now].join('|'))
}
