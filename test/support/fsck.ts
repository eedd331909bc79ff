/** fsck: what its parts work with, on an installation of a test. */
import { loadConfig } from '../../lib/config.js'
import { HoldFolder } from '../../lib/hold/folder.js'
import { type FsckContext, FsckFindings, type FsckOptions } from '../../lib/hold/fsck/context.js'
import type { Lab } from './lab.js'

/** @param at when fsck runs, milliseconds since 1970 */
export function fsckContext(lab: Lab, options: Partial<FsckOptions> = {}, at = Date.now()): FsckContext {
  return {
    config: loadConfig(lab.config),
    actor: { who: 'marie', at },
    options: { repair: false, settleGone: false, backup: undefined, ...options },
    folder: new HoldFolder(lab.state),
    findings: new FsckFindings(),
  }
}

/** What was found, as `fault place: why → what`, with an exclamation mark where it was repaired. */
export function told({ findings }: FsckContext): string[] {
  return findings.list.map(
    ({ fault, at, why, what, repaired }) => `${fault}${repaired ? '!' : ''} ${at}: ${why} → ${what}`,
  )
}
