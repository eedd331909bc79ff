/** The line of the mode in toeh.toml, changed alone: every other byte, the owner, the rights and a link to the file stay. */
import { execFileSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Config, DEFAULT_CONFIG_PATH, parseConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { quote } from '../postfix/settings.js'
import { syncPath } from '../system/files.js'
import { words } from '../text/translate.js'

export type Mode = Config['mode']

/** A line that may be the mode's: a text of several lines may hold one like it. */
const LINE = /^([ \t]*(?:mode|"mode"|'mode')[ \t]*=[ \t]*)(["'])[^"'\n]*\2(?=[ \t]*(?:#[^\n]*)?\r?$)/gm

/** The setting as it stands in the file. */
export function modeSetting(mode: Mode): string {
  return `mode = "${mode}"`
}

/** The command that changes the mode of a configuration. */
export function modeCommand(mode: Mode, path: string): string {
  return `toeh mode ${mode}${path === DEFAULT_CONFIG_PATH ? '' : ` --config ${quote(path)}`}`
}

/** What the file could become, in bytes as Latin-1: one line changed, or one more at its top. */
function* changesOf(text: string, mode: Mode): Generator<string> {
  for (const { 0: line, 1: name = '', 2: quote = '', index } of text.matchAll(LINE))
    yield `${text.slice(0, index)}${name}${quote}${mode}${quote}${text.slice(index + line.length)}`
  yield `${modeSetting(mode)}${/\r\n/.test(text) ? '\r\n' : '\n'}${text}`
}

/**
 * The file with another mode and nothing else changed, which the parser itself is asked for.
 * @param text its bytes
 * @throws Failure where its mode is written in a way that no one line can be changed for
 */
export function withMode(path: string, text: Buffer, mode: Mode): Buffer {
  const wanted = { ...parseConfig(path, text.toString()), mode }
  for (const change of changesOf(text.toString('latin1'), mode)) {
    const bytes = Buffer.from(change, 'latin1')
    try {
      if (isDeepStrictEqual(parseConfig(path, bytes.toString()), wanted)) return bytes
    } catch {
      // Two of the same name, for instance.
    }
  }
  throw new Failure('mode', words`its mode is not written as one line that could be changed`, {
    at: path,
    status: EXIT.config,
    hint: words`set ${modeSetting(mode)} by hand`,
  })
}

/** A file that is ready to come into the place of the old one. */
export interface Ready {
  /** Puts it there. */
  put(): void
  /** Leaves everything as it was. */
  drop(): void
}

function refused(path: string, mode: Mode, error: unknown): Failure {
  return new Failure('mode', words`it cannot be changed here: ${describeError(error)}`, {
    at: path,
    status: EXIT.noPermission,
    hint: words`run it as root; or set ${modeSetting(mode)} where the file is made`,
    cause: error,
  })
}

/**
 * Makes the changed file beside the old one, whole and synced: what can fail fails here, but for the renaming.
 * @throws Failure with nothing changed
 */
export function prepareMode(named: string, mode: Mode): Ready {
  let folder: string | undefined
  const drop = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    const path = realpathSync(named)
    // Root may write where nobody may, but not into what chattr(1) or the file system keeps.
    accessSync(path, constants.W_OK)
    const text = withMode(named, readFileSync(path), mode)
    // A folder of our own: nobody has put anything under that name.
    folder = mkdtempSync(join(dirname(path), '.toeh-mode-'))
    const file = join(folder, 'toeh.toml')
    // With access lists and labels, which Node knows nothing of.
    execFileSync('cp', ['--preserve=all', '--', path, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    const [before, after] = [path, file].map((name) => statSync(name))
    if (before?.uid !== after?.uid || before?.gid !== after?.gid || before?.mode !== after?.mode)
      throw new Error(words`its owner and rights could not be kept`)
    const fd = openSync(file, 'r+')
    try {
      ftruncateSync(fd)
      writeFileSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    const put = (): void => {
      try {
        renameSync(file, path)
        syncPath(dirname(path))
      } catch (error) {
        throw refused(named, mode, error)
      } finally {
        drop()
      }
    }
    return { put, drop }
  } catch (error) {
    drop()
    throw error instanceof Failure ? error : refused(named, mode, error)
  }
}
