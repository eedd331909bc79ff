/** The desk a command works at: configuration, landscape, hold, who is acting, and how the answer is given. */
import { existsSync, statSync } from 'node:fs'
import { type Config, companyOf, DEFAULT_CONFIG_PATH } from '../config.js'
import { type Actor, Audit } from '../database/audit.js'
import { type Database, openState } from '../database/database.js'
import { Progress } from '../database/progress.js'
import { EXIT } from '../exit.js'
import { Lane, lanePath } from '../express/lane.js'
import { describeError, Failure } from '../failure.js'
import { Erasure } from '../hold/erasure.js'
import { HoldFolder } from '../hold/folder.js'
import { Tokens } from '../hold/token.js'
import { HoldUpkeep } from '../hold/upkeep.js'
import type { Origin } from '../mail/mailbox.js'
import { Neighbours } from '../nearmiss/neighbours.js'
import { decide, lookupKeys, type Verdict } from '../rules/decide.js'
import { Landscape } from '../rules/landscape.js'
import { accounts, demandMember, describeAccounts } from '../system/accounts.js'
import { become } from '../system/owner.js'
import { visible } from '../text/visible.js'
import { loadTrusted } from './trust.js'

/** Options every command has. */
export interface CommonOptions {
  config?: string | undefined
  json?: boolean | undefined
}

export interface Desk {
  config: Config
  landscape: Landscape
  neighbours: Neighbours
  hold: HoldUpkeep
  folder: HoldFolder
  audit: Audit
  progress: Progress
  tokens: Tokens
  erasure: Erasure
  actor: Actor
}

/** The time, milliseconds since 1970: the one clock of the commands. */
export function clock(): number {
  return Date.now()
}

/** Where the configuration is: --config, TOEH_CONFIG, or /etc/toeh/toeh.toml. */
export function configPath(options: CommonOptions): string {
  return options.config ?? process.env.TOEH_CONFIG ?? DEFAULT_CONFIG_PATH
}

/**
 * Opens everything. Root becomes the owner of the state folder first, so that whatever a command makes there
 * belongs to the filter's user, who has to write it next.
 * @param access `read` leaves the database untouched; `decide` writes what a person has decided, who must be one of
 *   those that the configuration lets decide
 * @throws Failure when a part is missing, busy, damaged or not this user's
 */
export function openDesk(options: CommonOptions, access: 'read' | 'write' | 'decide'): Desk {
  const config = loadTrusted(configPath(options))
  const who = accounts()
  const actor = { who: describeAccounts(who), at: clock() }
  const owner = enterState(config.state)
  if (access === 'decide') demandMember(who, config.people.group, owner)
  const db = openState(config, access === 'read' ? 'read' : 'write')
  const folder = new HoldFolder(config.state)
  const neighbours = new Neighbours(db, config.internal)
  const landscape = new Landscape(db, access === 'read' ? undefined : keptLane(config, db))
  const hold = new HoldUpkeep(db, folder)
  const kept = {
    ...{ audit: new Audit(db), progress: new Progress(db) },
    ...{ tokens: new Tokens(db), erasure: new Erasure(db, folder) },
  }
  return { config, landscape, neighbours, hold, folder, ...kept, actor }
}

/**
 * The same desk at the present time: for the next piece of work that takes long. A claim that is dated with the start
 * of the whole would look abandoned while it is alive, and could be sent twice.
 */
export function presently(desk: Desk): Desk {
  return { ...desk, actor: { ...desk.actor, at: clock() } }
}

/**
 * The express lane that goes with every change, or undefined where it is off. One that was switched off and is still
 * there is emptied: nobody would take out of it what is revoked, and Postfix may still ask it.
 */
function keptLane(config: Config, db: Database): Lane | undefined {
  const { enabled } = config.express
  if (!enabled && !existsSync(lanePath(config.state))) return undefined
  const lane = new Lane(config)
  if (enabled) return lane
  db.transaction(() => lane.replace([]))
  return undefined
}

/**
 * Makes root the owner of the state folder, which may take another process ({@link become}).
 * @returns the user id of that owner
 * @throws Failure where it is closed to this user, or incomplete, or its owner cannot run this program
 */
export function enterState(state: string): number {
  const hint = 'run as root or as the owner of that folder; toeh init makes it'
  try {
    const { uid, gid } = statSync(state)
    if (process.getuid?.() === 0 && uid !== 0) become({ uid, gid })
    if (existsSync(`${state}/hold/tmp`)) return uid
  } catch (error) {
    // It cannot become him, which is no fault of the folder.
    if (error instanceof Failure) throw error
    if ((error as { code?: unknown }).code !== 'EACCES')
      throw new Failure('state', describeError(error), { at: state, status: EXIT.config, hint })
  }
  throw new Failure('state', 'it is closed to this user, or incomplete', {
    at: state,
    status: EXIT.noPermission,
    hint,
  })
}

/** The verdicts the filter would give now: the same facts, the same decision. */
export async function verdictsOf(
  desk: Desk,
  origin: Origin,
  recipients: readonly string[],
): Promise<Verdict[]> {
  const { config, landscape, actor } = desk
  const rules = landscape.facts(recipients.flatMap(lookupKeys), actor.at)
  return decide({ ...origin, recipients }, { ...companyOf(config), rules })
}

/** A file as it was named; bin/toeh gives yargs /dev/stdin for a lone hyphen, which it would lose. */
export function fileOrHyphen(file: string): string {
  return file === '/dev/stdin' ? '-' : file
}

/** Prints one line, made safe for a terminal. */
export function say(line = ''): void {
  process.stdout.write(`${visible(line)}\n`)
}

/** Gives a command's answer: as JSON with --json, else as lines. */
export function answer(options: CommonOptions, value: unknown, lines: readonly string[]): void {
  if (options.json === true) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  else for (const line of lines) say(line)
}

/** Columns of the terminal; 80 where there is none. */
export function terminalWidth(): number {
  // A serial line or a terminal of script(1) says it has 0 columns.
  return process.stdout.columns || 80
}
