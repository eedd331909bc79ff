/**
 * Errands: pieces of work in the state folder and beside it that root has the owner do (lib/system/owner.ts). Each takes and gives
 * what JSON can hold, and says nothing to a person.
 */
import { existsSync, lchownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Audit, type Deed, newestEntry } from '../database/audit.js'
import { newestBackup } from '../database/backup.js'
import { createDatabase, type Database, databasePath, openState } from '../database/database.js'
import { differences, Lane, tidyLane } from '../express/lane.js'
import { describeError } from '../failure.js'
import { HoldFolder } from '../hold/folder.js'
import { HeldMail } from '../hold/heldmail.js'
import { decisionFolder, readDecisions } from '../logs/decisionlog.js'
import { foldAscii } from '../mail/address.js'
import { decide, lookupKeys } from '../rules/decide.js'
import { Landscape } from '../rules/landscape.js'
import type { LaneRow } from '../rules/lanerow.js'
import { askOwner, type Outcome, type Owner, type Trouble, troubleOf } from '../system/owner.js'
import { enterState, openDesk, verdictsOf } from './context.js'
import { type RoutineFact, readRoutine } from './routine.js'

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

/** What speaks of a database that was there. */
export interface Earlier {
  /** Messages in the hold. */
  messages: number
  /** Days of the decision log, `YYYY-MM-DD`, oldest first. */
  days: string[]
  /** The newest backup, or null. */
  backup: string | null
}

/** The newest backup of where the last one was put, or of where docs/backup.md has them. */
function backupOf(state: string, place: string | undefined): string | null {
  try {
    const last = newestBackup(state, undefined)
    if (last !== undefined) return last.path
  } catch {
    // Its folder is closed, for instance.
  }
  try {
    return place === undefined || !existsSync(place) ? null : (newestBackup(state, place)?.path ?? null)
  } catch {
    return null
  }
}

/** Looks for an earlier life of this state folder. @param place the folder of dated backups */
export function earlierLife(state: string, place: string | undefined): Earlier | undefined {
  const messages = new HoldFolder(state).ids().filter((id) => HOLD_ID.test(id)).length
  const folder = decisionFolder(state)
  const days = readdirSync(folder)
    .filter((name) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(name) && statSync(join(folder, name)).size > 0)
    .map((name) => name.slice(0, 10))
    .sort()
  const backup = backupOf(state, place)
  return messages + days.length > 0 || backup !== null ? { messages, days, backup } : undefined
}

/** Makes what lies in the state folder; what is there is left. No database is made where one was, unless that is meant. */
async function furnish({
  state,
  owner,
  busySeconds,
  place,
  anew,
}: {
  state: string
  owner: Owner & { name: string }
  busySeconds: number
  place?: string | undefined
  anew: boolean
}): Promise<{ folders: Folder[]; database: { path: string; made: boolean }; earlier?: Earlier }> {
  const folders = ['hold', 'hold/tmp', 'decisions'].map((name) => makeFolder(join(state, name), owner))
  const path = databasePath(state)
  // An empty file is what a truncation leaves.
  const made = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0
  const earlier = made && !anew ? earlierLife(state, place) : undefined
  if (earlier !== undefined) return { folders, database: { path, made: false }, earlier }
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
  routine?: RoutineFact | undefined
  /** Why there is nothing of the database, nor what is astray. */
  trouble?: Trouble
}

/** Undefined where it cannot be looked at: then nothing is said of it. */
function routineOf(state: string, db: Database): RoutineFact | undefined {
  try {
    return readRoutine(state, db)
  } catch {
    return undefined
  }
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
    const db = openState({ state, busySeconds }, 'read')
    try {
      if (seen.rows !== undefined) {
        const { gone, changed } = differences(seen.rows, new Landscape(db).laneRows(now, config.internal))
        seen.astray = [...gone, ...changed.map(({ key }) => key)]
      }
      seen.database = { newest: newestEntry(db), load: new HeldMail(db, new HoldFolder(state)).load() }
      seen.routine = routineOf(state, db)
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
  const db = openState({ state, busySeconds }, 'read')
  try {
    const company = { internal: new Set(internal), senders: new Set<string>(), groups: new Map() }
    const rules = new Landscape(db).facts(recipients.flatMap(lookupKeys), now)
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
  const db = openState(config, 'write')
  try {
    return new Landscape(db, new Lane(config, true)).mendLane(actor.at)
  } finally {
    db.close()
  }
}

/** What the decision log says since everything passes: of the mail after the last that was judged in earnest. */
export interface Observed {
  /** When the first of it was judged, milliseconds since 1970; null where there is none. */
  since: number | null
  /** On how many days there was any (UTC). */
  days: number
  messages: number
  recipients: number
  /** What would have been held, as it was judged then. */
  held: { recipients: number; destinations: number; days: number }
  /** What of it the rules of today would hold, most recipients first. */
  still: { recipients: number; destinations: { destination: string; recipients: number; days: number }[] }
}

function destinationOf(address: string): string {
  return foldAscii(address.slice(address.lastIndexOf('@') + 1))
}

/** Reads the decision log, and judges anew what would have been held. */
async function observed({ config: path }: { config: string }): Promise<Observed> {
  const desk = openDesk({ config: path }, 'read')
  const judged = new Map<string, boolean>()
  const isKnown = async (sender: string, login: string, to: string): Promise<boolean> => {
    const key = JSON.stringify([sender, login, to])
    const before = judged.get(key)
    if (before !== undefined) return before
    const [verdict] = await verdictsOf(desk, { sender, login }, [to])
    judged.set(key, verdict?.pass === true)
    return verdict?.pass === true
  }
  const nothing = () => ({
    since: null as number | null,
    days: new Set<string>(),
    messages: 0,
    recipients: 0,
    held: { recipients: 0, destinations: new Set<string>(), days: new Set<string>() },
    still: new Map<string, { recipients: number; days: Set<string> }>(),
  })
  let seen = nothing()
  for await (const { at, mode, sender, saslUser, recipients } of readDecisions(desk.config.state)) {
    if (mode !== 'observe') {
      seen = nothing()
      continue
    }
    const day = at.slice(0, 10)
    seen.since ??= Date.parse(at)
    seen.days.add(day)
    seen.messages++
    seen.recipients += recipients.length
    for (const { to, verdict } of recipients) {
      if (verdict !== 'hold') continue
      const destination = destinationOf(to)
      seen.held.recipients++
      seen.held.destinations.add(destination)
      seen.held.days.add(day)
      if (await isKnown(sender, saslUser, to)) continue
      const row = seen.still.get(destination) ?? { recipients: 0, days: new Set() }
      row.recipients++
      row.days.add(day)
      seen.still.set(destination, row)
    }
  }
  const { since, days, messages, held, still } = seen
  const destinations = [...still]
    .map(([destination, row]) => ({ destination, recipients: row.recipients, days: row.days.size }))
    .sort((a, b) => b.recipients - a.recipients || (a.destination < b.destination ? -1 : 1))
  return {
    ...{ since, days: days.size, messages, recipients: seen.recipients },
    held: { recipients: held.recipients, destinations: held.destinations.size, days: held.days.size },
    still: { recipients: destinations.reduce((sum, row) => sum + row.recipients, 0), destinations },
  }
}

/** Writes down a deed that is done outside the database. */
async function note({
  state,
  busySeconds,
  deed,
}: {
  state: string
  busySeconds: number
  deed: Deed
}): Promise<void> {
  enterState(state)
  const db = openState({ state, busySeconds }, 'write')
  try {
    await new Audit(db).note(deed)
  } finally {
    db.close()
  }
}

/** The name of a message's folder. */
const HOLD_ID = /^[0-9a-z]{12}$/

const ERRANDS = { furnish, look, known, fillLane, observed, note }
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
