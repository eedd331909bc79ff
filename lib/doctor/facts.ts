/** Facts: what `toeh doctor` has gathered of an installation, and what a check makes of them. Pure. */

import type { RoutineFact } from '../cli/routine.js'
import type { LaneFiles } from '../express/tables.js'
import type { TableEntry } from '../postfix/lookuptable.js'
import type { Tabled } from '../postfix/settings.js'
import type { LaneRow } from '../rules/lanerow.js'
import { words } from '../text/translate.js'

/** Best first. `unknown`: it could not be looked at. */
export type Level = 'good' | 'unknown' | 'warning' | 'critical'

/** Commands for a root shell that mend a fault, in order, and whom they affect; none where only a person can decide. */
export type Mending = { mend: [] } | { mend: string[]; affects: string }

/** What is not as it should be. */
export type Fault = {
  level: Exclude<Level, 'good'>
  /** What is wrong, on one line. */
  what: string
  /** Why it matters. */
  why: string
} & Mending

/** One point of the contract. */
export interface Check {
  name: string
  /** What is good when it is. */
  good: (facts: Facts) => string
  look: (facts: Facts) => Fault[]
}

/** A file or folder of the installation; undefined fields where it does not exist. */
export interface PathFact {
  path: string
  kind: 'folder' | 'database' | 'configuration'
  mode?: number
  uid?: number
  gid?: number
}

export interface Facts extends Tabled {
  /** Milliseconds since 1970. */
  now: number
  versions: { postfix: string; node: string }
  /** What look-up tables list, or undefined for those that cannot be listed: those of patterns cannot. */
  tables: ReadonlyMap<string, readonly TableEntry[] | undefined>
  /** The user and group pipe(8) runs the filter as; undefined where there are none of that name. */
  user: { name: string; uid: number | undefined; group: string; gid: number | undefined }
  paths: readonly PathFact[]
  disks: readonly { path: string; freeBytes: number; freeFiles: number }[]
  /** Whether Postfix's master is running. */
  running: boolean
  /** What the service behind `reinject` says. */
  greeting: { banner: string; offers: string[] } | { failure: string } | undefined
  /** Whether a stranger's process can talk to it; undefined where that could not be tried. */
  strangerEnters: boolean | undefined
  /** The filter, run as pipe(8) would, on nothing; undefined where that takes root. */
  trial: { status: number | null; output: string } | undefined
  /** The newest time in it, and what waits. */
  database: { newest: number; load: { messages: number; bytes: number } } | { failure: string }
  /** Undefined where the state folder cannot be looked into. */
  routine: RoutineFact | undefined
  /** Whether the clock is kept by the network; undefined where nobody says. */
  clockKept: boolean | undefined
  lane: LaneFact
  /** Programs of this host that hand mail over by SMTP. */
  injectors: readonly Injector[]
  /** Approvers, with those that Postfix delivers to under each; undefined where its aliases cannot be asked. */
  approvers: readonly { address: string; mailboxes: readonly string[] | undefined }[]
  /** Undefined where Dovecot does not run Sieve here. */
  sieve: SieveFact | undefined
  /** The From of notices, and whom Postfix delivers to there; undefined where it cannot be asked. */
  notice: { from: string; mailboxes: readonly string[] | undefined }
  moderate: ModerateFact
  /** Undefined where approvers do not answer by mail, or Postfix cannot be asked. */
  answerWay: AnswerWayFact | undefined
  /** Whether logwatch is told of long queue ids; undefined where it is not here. */
  logwatch: boolean | undefined
  /** Undefined where Postfix cannot be asked for them. */
  copies: CopiesFact | undefined
  /** Undefined where systemd does not run, or has no unit for this Postfix. */
  unit: UnitFact | undefined
}

/** A program that hands mail to an SMTP server, as it is set up to. */
export interface Injector {
  program: string
  /** The setting or the file that says so. */
  setting: string
  host: string
  port: string
}

/** Of [moderate] what decides who is heard. */
export interface ModerateFact {
  enabled: boolean
  /** Addresses of relays that vouch for approvers. */
  relays: readonly string[]
  /** Empty: no DKIM signature counts. */
  authservId: string
}

/** What Postfix makes of moderate.address. */
export interface AnswerWayFact {
  address: string
  /** The setting that lists recipients where it is delivered; empty at a domain of aliases, undefined where it is not delivered here. */
  list: string | undefined
  /** Whom it stands for: itself where it is no alias. */
  targets: readonly string[]
  /** Whether that list has it; undefined where it lists nobody, or cannot be asked. */
  listed: boolean | undefined
  /** What transport_maps have for it. */
  transport: string | undefined
}

/** The copies that Postfix makes of itself: those to outside, and tables of which that cannot be told. */
export interface CopiesFact {
  /** `known` is undefined where the landscape cannot be asked. */
  outside: readonly { address: string; setting: string; known: boolean | undefined }[]
  unseen: readonly { setting: string; table: string }[]
}

/** What Dovecot's Sieve writes into MAIL FROM of a redirect. */
export interface SieveFact {
  /** sieve_redirect_envelope_from; Pigeonhole's own default is `sender`. */
  envelopeFrom: string
}

/** The unit of systemd that Postfix's master runs in. */
export interface UnitFact {
  name: string
  /** As systemctl show prints them: SystemCallFilter's sets are written out, and `~` alone means no filter. */
  properties: ReadonlyMap<string, string>
  /** The file that has set a property last. */
  origins: ReadonlyMap<string, string>
}

/** The express lane: what Postfix reads of it, and whether that is as it should be. */
export interface LaneFact {
  enabled: boolean
  files: LaneFiles
  /** The files Postfix reads when its services start. */
  texts: readonly { path: string; right: boolean }[]
  /** The lane's folder and file; `fault`, in words, where their owner, group or mode is wrong, or they cannot be seen. */
  places: readonly { path: string; fault?: string }[]
  /** Undefined where the file is not there. */
  rows: readonly LaneRow[] | undefined
  /** Keys whose row is not what the landscape says. */
  astray: readonly string[]
}

/** Why pipe(8) would not run as this user, or should not. */
export function userFault(facts: Facts): string | undefined {
  const { name, uid, group, gid } = facts.user
  if (name === '') return words`user= is missing`
  if (uid === undefined) return words`there is no user ${name}`
  if (gid === undefined) return words`there is no group ${group}`
  if (uid === 0) return words`user= is root`
  if (name === facts.main.get('mail_owner')) return words`user=${name} is Postfix's own`
  if (group === facts.main.get('setgid_group')) return words`group ${group} is postdrop's`
  return undefined
}
