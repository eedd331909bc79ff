/** What fsck sees of rights in the state folder. */
import { chmodSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { words } from '../../text/translate.js'
import type { FsckContext } from './context.js'

/** Everything in the state folder is its owner's alone: folders 0700, files 0600. */
export function checkRights({ config, options, findings }: FsckContext): void {
  const { state } = config
  const { uid } = statSync(state)
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' })
  for (const path of [state, ...names.map((name) => join(state, name))]) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) continue
    if (stat.uid !== uid) {
      findings.tell(
        'rights',
        path,
        words`it belongs to another user`,
        words`as root: ${`chown --reference=${state} ${path}`}`,
      )
      continue
    }
    if (!stat.isDirectory() && !stat.isFile()) {
      findings.tell('stray', path, words`it is neither a file nor a folder`, words`look what it is`)
      continue
    }
    const wanted = stat.isDirectory() ? 0o700 : 0o600
    const mode = stat.mode & 0o777
    if ((mode & 0o077) === 0 && (mode & wanted) === wanted) continue
    const why = words`its mode is ${mode.toString(8)}, not ${wanted.toString(8)}`
    if (options.repair) chmodSync(path, wanted)
    findings.tell('rights', path, why, `chmod ${wanted.toString(8)} ${path}`, options.repair)
  }
}
