/** What every part of `toeh fsck` works with, and what it finds. */

import type { Config } from '../../config.js'
import type { Actor } from '../../database/audit.js'
import type { HoldFolder } from '../folder.js'

/** What can be wrong. docs/backup.md tells each. */
export type FsckFault =
  | 'database'
  | 'counts'
  | 'orphan'
  | 'unlisted'
  | 'gone'
  | 'bytes'
  | 'envelope'
  | 'rows'
  | 'moved'
  | 'stuck'
  | 'leftover'
  | 'temporary'
  | 'stray'
  | 'rights'

export interface FsckFinding {
  fault: FsckFault
  /** A hold id, or a path. */
  at: string
  why: string
  /** What a person can do, or what was done. */
  what: string
  repaired: boolean
}

export interface FsckReport {
  findings: FsckFinding[]
  /** Messages whose bytes were read. */
  checked: number
  /** Whether nothing is wrong, or not any more. */
  whole: boolean
}

export interface FsckOptions {
  repair: boolean
  /** Rows whose bytes are gone become rejected. */
  settleGone: boolean
  /** The file or folder a lost database is rebuilt from; else where the last backup was put. */
  backup: string | undefined
}

/** What was found, in the order in which it was. */
export class FsckFindings {
  readonly list: FsckFinding[] = []

  /** @param what a person can do, or what was done */
  tell(fault: FsckFault, at: string, why: string, what: string, repaired = false): void {
    this.list.push({ fault, at, why, what, repaired })
  }
}

export interface FsckContext {
  config: Config
  actor: Actor
  options: FsckOptions
  folder: HoldFolder
  findings: FsckFindings
}
