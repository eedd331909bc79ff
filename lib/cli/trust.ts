/** Trust: which configuration counts, and where a file that a person names may be written. Both are asked of the caller. */
import { realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Config, loadConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { laneFolder } from '../express/lane.js'
import { Failure } from '../failure.js'
import { caller, mayWrite, wayTo } from '../system/caller.js'
import { words } from '../text/translate.js'

/**
 * Keeps a file that a person has named from being written where it would do harm: into the state folder or that of the express
 * lane, in the place of the configuration, or where he could not write himself.
 * @param toStdout how the command is said to write to standard output; undefined where it cannot
 * @throws Failure (77)
 */
export function demandTarget(
  operation: string,
  { path: config, state }: Pick<Config, 'path' | 'state'>,
  path: string,
  toStdout: string | undefined,
): void {
  const refused = (why: string, hint: string): Failure =>
    new Failure(operation, why, { at: path, status: EXIT.noPermission, hint })
  const found = statSync(path, { throwIfNoEntry: false })
  const folder = found?.isDirectory() ? path : dirname(path)
  try {
    const own = [state, laneFolder(state)].map((name) => statSync(name, { throwIfNoEntry: false }))
    const isOwn = (stat: Stats): boolean => own.some((one) => one?.ino === stat.ino && one.dev === stat.dev)
    if (wayTo(realpathSync(folder)).some((one) => isOwn(statSync(one))))
      throw refused(
        words`what is in the state folder is for toeh alone to write`,
        words`name a file elsewhere`,
      )
    const settings = statSync(config, { throwIfNoEntry: false })
    if (found?.isFile() && found.ino === settings?.ino && found.dev === settings.dev)
      throw refused(words`it is the configuration`, words`name another file`)
    const who = caller()
    if (who === undefined || mayWrite(who, folder, found)) return
    throw refused(
      words`${who.name} may not write there`,
      toStdout === undefined
        ? words`run it in a root shell`
        : words`let the shell write: ${`toeh ${toStdout} > FILE`}`,
    )
  } catch (error) {
    if (error instanceof Failure) throw error
    // It is not there, or closed to us: so it will turn out where it is written.
  }
}

/** Why what a file says may not count here: somebody could have written it who has no right to what this process may. */
function distrust({ uid, mode }: Stats): string | undefined {
  if ((mode & 0o022) !== 0) return 'others than its owner can change it'
  if (uid === 0 || (uid === process.getuid?.() && caller() === undefined)) return undefined
  return caller() === undefined ? 'it belongs to another user' : 'behind sudo it has to belong to root'
}

/**
 * The configuration of a command. With what it says this process would do things with rights that the caller has not, so it
 * has to be a file that root alone can change, or the caller himself where nobody has lent him any.
 * @throws Failure (77, 78)
 */
export function loadTrusted(path: string): Config {
  return loadConfig(path, (stat) => {
    const why = distrust(stat)
    if (why === undefined) return
    const hint = 'toeh takes one that belongs to root, and that nobody else can change'
    throw new Failure('configuration', why, { at: path, status: EXIT.noPermission, hint })
  })
}

/**
 * The same of the folder of a Postfix instance: its main.cf names programs that postfix(1) starts.
 * @throws Failure (77)
 */
export function demandTrustedInstance(operation: string, folder: string | undefined): void {
  if (folder === undefined) return
  for (const path of [folder, join(folder, 'main.cf'), join(folder, 'master.cf')]) {
    const stat = statSync(path, { throwIfNoEntry: false })
    const why = stat === undefined ? undefined : distrust(stat)
    if (why === undefined) continue
    const hint = 'Postfix would run what it names'
    throw new Failure(operation, why, { at: path, status: EXIT.noPermission, hint })
  }
}
