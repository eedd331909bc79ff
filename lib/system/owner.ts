/**
 * The owner of the state folder, and how root comes to act as him: for the rest of a command, or for one piece of work
 * while root goes on.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants as files, realpathSync } from 'node:fs'
import { constants, userInfo } from 'node:os'
import { dirname } from 'node:path'
import { EXIT, type ExitStatus } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { words } from '../text/translate.js'
import { handOver } from './handover.js'
import { packagePath } from './package.js'

export interface Owner {
  uid: number
  gid: number
}

/** What a process of the owner runs. */
const PROGRAM = packagePath('dist/bin/toeh.cjs')

/** The word in the place of a command that starts a piece of work (lib/cli/errand.ts). */
export const ERRAND = 'errand'

function nameOf(uid: number): string {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
    return execFileSync('id', ['-nu', '--', String(uid)], { encoding: 'utf8', stdio }).trimEnd()
  } catch {
    return `uid ${uid}`
  }
}

/** A path and every folder above it, from the top. */
function wayTo(path: string): string[] {
  return dirname(path) === path ? [path] : [...wayTo(dirname(path)), path]
}

function closed(program: string, at: string, { uid }: Owner): Failure {
  return new Failure('start', words`${at} is closed to ${nameOf(uid)}`, {
    at: program,
    status: EXIT.noPermission,
    hint: words`put it where every user can reach it, as below /usr/local or /opt`,
  })
}

/** Tests each path, in pairs with test(1)'s letter, and names the first that fails. */
const TRY = 'while [ $# -gt 0 ]; do [ "-$1" "$2" ] || { printf %s "$2"; exit 1; }; shift 2; done'

/**
 * Asks whether the owner can start Node, and Node can read this program.
 * @throws Failure (77) that names the first folder or file on the way that is closed to him
 */
export function demandReach(owner: Owner): void {
  for (const [program, letter] of [
    [process.execPath, 'x'],
    [PROGRAM, 'r'],
  ] as const) {
    const folders = wayTo(dirname(program)).flatMap((folder) => ['x', folder])
    const args = ['-c', TRY, 'sh', ...folders, letter, program]
    const options = { ...owner, cwd: '/', env: {}, encoding: 'utf8' } as const
    const { error, status, stdout } = spawnSync('/bin/sh', args, options)
    if (error !== undefined) throw error
    if (status !== 0) throw closed(program, stdout, owner)
  }
}

/** The same where this process has become the owner already: what it loads later it could not read. */
function demandProgram(owner: Owner): void {
  for (const path of wayTo(PROGRAM)) {
    try {
      accessSync(path, path === PROGRAM ? files.R_OK : files.X_OK)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'EACCES') throw closed(PROGRAM, path, owner)
      throw error
    }
  }
}

/**
 * Makes root the owner, for good. Where Node's own calls are disabled, because its libuv may use io_uring (Debian 13's
 * Node 20: CVE-2024-22017, ERR_INVALID_STATE), the same command is run again as the owner, and this process ends as that
 * one does. So nothing may have been done or read before but what can be done twice, or goes by lib/system/handover.ts.
 * @throws Failure (77) where the owner cannot reach Node or this program; system errors
 */
export function become(owner: Owner): void {
  try {
    process.setgroups?.([])
    process.setgid?.(owner.gid)
    process.setuid?.(owner.uid)
  } catch (error) {
    const disabled = (error as { code?: unknown }).code === 'ERR_INVALID_STATE'
    // Another program that works at a desk has arguments of its own.
    if (!disabled || realpathSync(process.argv[1] ?? '') !== realpathSync(PROGRAM)) throw error
    goOnAs(owner)
  }
  demandProgram(owner)
}

/** What a command and the programs it starts ask of the environment. Of root's own the filter's user could read the rest. */
const ASKED =
  /^(?:PATH|HOME|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|TOEH_CONFIG|DOAS_USER|PKEXEC_UID|MAIL_(?:CONFIG|DEBUG|LOGTAG)|NODE_(?:OPTIONS|NO_WARNINGS))$/

function goOnAs(owner: Owner): never {
  demandReach(owner)
  const { descriptors, environment } = handOver()
  const { SUDO_USER, DOAS_USER, PKEXEC_UID } = process.env
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => ASKED.test(name))),
    ...environment,
    // The audit says who acts, not whose process it is: lib/system/accounts.ts.
    SUDO_USER: SUDO_USER || (DOAS_USER || PKEXEC_UID ? '' : userInfo().username),
  }
  const user = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
  const program = [process.execPath, ...process.execArgv, PROGRAM, ...process.argv.slice(2)]
  // Whoever ends this process means the other: the signal that it gets then is TERM.
  const { error, status, signal } = spawnSync('setpriv', [...user, '--pdeathsig=TERM', '--', ...program], {
    stdio: ['inherit', 'inherit', 'inherit', ...descriptors],
    env,
  })
  if (error !== undefined) {
    throw new Failure('start', describeError(error), {
      at: 'setpriv',
      hint: words`this Node cannot change its user; run the command as ${nameOf(owner.uid)}, or install util-linux`,
      cause: error,
    })
  }
  if (signal !== null) process.kill(process.pid, signal)
  // Where Node ignores that signal: as a shell has it.
  process.exit(status ?? 128 + (signal === null ? 0 : constants.signals[signal]))
}

/** An error in JSON, as far as {@link describeError} and the exit status know it. */
export interface Trouble {
  message: string
  failure?: { hint?: string | undefined; status: ExitStatus; inDoubt: boolean }
  code?: unknown
  errno?: unknown
}

export function troubleOf(error: unknown): Trouble {
  const { message, code, errno } = (error ?? {}) as Partial<Trouble>
  if (!(error instanceof Failure)) return { message: message ?? String(error), code, errno }
  const { hint, status, inDoubt } = error
  return { message: error.message, failure: { hint, status, inDoubt } }
}

export function errorOf({ message, failure, code, errno }: Trouble): Error {
  if (failure === undefined) return Object.assign(new Error(message), { code, errno })
  const error = new Failure('', '', failure)
  error.message = message
  return error
}

export type Outcome = { done: unknown } | { trouble: Trouble }

/**
 * Has a process of the owner do a piece of work, while root waits: root itself opens nothing in a folder where another
 * user may have put a link.
 * @param name of the work, and `input`, in JSON, what it is given
 * @returns what it gives
 * @throws whatever it has thrown; Failure where it cannot be started
 */
export function askOwner(owner: Owner, name: string, input: unknown): unknown {
  demandReach(owner)
  const { error, stdout, stderr, status, signal } = spawnSync(process.execPath, [PROGRAM, ERRAND, name], {
    ...owner,
    input: JSON.stringify(input),
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    encoding: 'utf8',
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  if (error !== undefined) throw error
  let outcome: Outcome
  try {
    outcome = JSON.parse(stdout) as Outcome
  } catch {
    const said = stderr.split('\n').find((line) => line !== '')
    throw new Failure(name, said ?? words`it ended with status ${status ?? signal ?? ''}`, {
      at: words`as ${nameOf(owner.uid)}`,
    })
  }
  if ('trouble' in outcome) throw errorOf(outcome.trouble)
  return outcome.done
}
