/**
 * Errands: pieces of work in the state folder and beside it that root has the owner do (lib/owner.ts). Each takes and gives
 * what JSON can hold, and says nothing to a person.
 */
import { existsSync, lchownSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { newestEntry } from './audit.js'
import { createDatabase, databasePath, openForReading, openForWriting } from './database.js'
import { decide, lookupKeys } from './decide.js'
import { enterState, openDesk } from './desk.js'
import type { LaneRow } from './express.js'
import { describeError } from './failure.js'
import { Hold } from './hold.js'
import { HoldFolder } from './holdfolder.js'
import { Landscape } from './landscape.js'
import { differences, Lane, tidyLane } from './lane.js'
import { askOwner, type Outcome, type Owner, type Trouble, troubleOf } from './owner.js'

/** A folder that was made, or was there: then what is wrong with it, as commands that mend it. */
export interface Folder {
  path: string
  made: boolean
  wrong: string[]
}

/** Makes a folder for the owner alone; an existing one is looked at, not changed. */
export function makeFolder(path: string, { uid, gid, name }: Owner & { name: string }): Folder {
  if (existsSync(path)) {
    const { mode, uid: whose } = statSync(path)
    const wrong = [
      (mode & 0o777) === 0o700 ? '' : `chmod 700 ${path}`,
      whose === uid ? '' : `chown ${name} ${path}`,
    ]
    return { path, made: false, wrong: wrong.filter((command) => command !== '') }
  }
  // What lies above it stays open for passing through: the owner has to get there.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  mkdirSync(path, { mode: 0o700 })
  // Not chown: somebody who may write above it could have put a link in its place meanwhile.
  if (process.getuid?.() === 0) lchownSync(path, uid, gid)
  return { path, made: true, wrong: [] }
}

/** Makes what lies in the state folder; what is there is left. */
async function furnish({
  state,
  owner,
  busySeconds,
}: {
  state: string
  owner: Owner & { name: string }
  busySeconds: number
}): Promise<{ folders: Folder[]; database: { path: string; made: boolean } }> {
  const folders = ['hold', 'hold/tmp', 'decisions'].map((name) => makeFolder(join(state, name), owner))
  const path = databasePath(state)
  const made = !existsSync(path)
  createDatabase(path, { busySeconds }).close()
  return { folders, database: { path, made } }
}

/** What `toeh doctor` and `toeh express --check` want to know of the database and of the lane's rows. */
export interface Look {
  rows?: LaneRow[]
  /** Why there are none. */
  rowsFault?: string
  /** Keys of rows that are not what the landscape says. */
  astray: string[]
  database?: { newest: number; load: { messages: number; bytes: number } }
  /** Why there is nothing of the database, nor what is astray. */
  trouble?: Trouble
}

async function look({
  state,
  busySeconds,
  internal,
  hasLane,
  now,
}: {
  state: string
  busySeconds: number
  internal: string[]
  hasLane: boolean
  now: number
}): Promise<Look> {
  const config = { state, internal: new Set(internal) }
  const seen: Look = { astray: [] }
  try {
    if (hasLane) seen.rows = new Lane(config).rows()
  } catch (error) {
    seen.rowsFault = describeError(error)
  }
  try {
    enterState(state)
    const db = openForReading(databasePath(state), { busySeconds })
    try {
      if (seen.rows !== undefined) {
        const { gone, changed } = differences(seen.rows, new Landscape(db).laneRows(now, config.internal))
        seen.astray = [...gone, ...changed.map(({ key }) => key)]
      }
      seen.database = { newest: newestEntry(db), load: await new Hold(db, new HoldFolder(state)).load() }
    } finally {
      db.close()
    }
  } catch (error) {
    seen.trouble = troubleOf(error)
  }
  return seen
}

/** Which of these recipients pass, whoever of the company writes. */
async function known({
  state,
  busySeconds,
  internal,
  recipients,
  now,
}: {
  state: string
  busySeconds: number
  internal: string[]
  recipients: string[]
  now: number
}): Promise<string[]> {
  enterState(state)
  const db = openForReading(databasePath(state), { busySeconds })
  try {
    const company = { internal: new Set(internal), senders: new Set<string>(), groups: new Map() }
    const rules = await new Landscape(db).facts(recipients.flatMap(lookupKeys), now)
    const envelope = { sender: `postmaster@${internal[0]}`, login: '', recipients }
    const verdicts = decide(envelope, { ...company, delimiters: '', logins: new Map(), rules })
    return verdicts.filter(({ pass }) => pass).map(({ recipient }) => recipient)
  } finally {
    db.close()
  }
}

/** Makes the lane where it is not there, and writes every row of it that is wrong. @returns how many */
async function fillLane({ config: path }: { config: string }): Promise<number> {
  // Before the lane is made: where there is no landscape, nothing may pass.
  const { config, actor } = openDesk({ config: path }, 'read')
  tidyLane(config.state)
  const db = openForWriting(databasePath(config.state), config)
  try {
    return await new Landscape(db, new Lane(config, true)).mendLane(actor.at)
  } finally {
    db.close()
  }
}

const ERRANDS = { furnish, look, known, fillLane }
type Name = keyof typeof ERRANDS
type Input<N extends Name> = Parameters<(typeof ERRANDS)[N]>[0]
type Result<N extends Name> = Awaited<ReturnType<(typeof ERRANDS)[N]>>

function work(name: string, input: unknown): Promise<unknown> {
  if (!Object.hasOwn(ERRANDS, name)) throw new Error(`there is no errand ${name}`)
  return (ERRANDS[name as Name] as (input: unknown) => Promise<unknown>)(input)
}

/**
 * Does an errand: root by a process of the owner, everybody else at once.
 * @param owner of the state folder; undefined where there is none yet
 * @throws whatever it has thrown
 */
export async function send<N extends Name>(
  name: N,
  input: Input<N>,
  owner: Owner | undefined,
): Promise<Result<N>> {
  const isOther = process.getuid?.() === 0 && owner !== undefined && owner.uid !== 0
  return (await (isOther ? askOwner(owner, name, input) : work(name, input))) as Result<N>
}

/** The other side: does the errand that standard input describes, and answers on standard output. */
export async function run(name: string): Promise<void> {
  let outcome: Outcome
  try {
    outcome = { done: await work(name, JSON.parse(await text(process.stdin))) }
  } catch (error) {
    outcome = { trouble: troubleOf(error) }
  }
  process.stdout.write(JSON.stringify(outcome))
}
