/** What Postfix says of itself, by postconf(1). */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describeError, Failure } from '../failure.js'
import { parseOwnDomain } from '../mail/address.js'
import { words } from '../text/translate.js'
import { ADDRESS_CLASSES } from './settings.js'

export interface AddressClasses {
  /** Domains named outright, folded. */
  domains: string[]
  /** Look-up tables and patterns, whose domains postconf does not show. */
  tables: string[]
}

/** Its last complaint. From 3.8 on warnings come on the same stream, and may follow what it ended for. */
function complaintIn(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.findLast((line) => /\b(?:fatal|panic|error): /.test(line)) ?? lines.at(-1)
}

/** Why a command of Postfix could not be run, or failed. */
function failureOf(
  command: string,
  configDir: string | undefined,
  args: readonly string[],
  error: unknown,
): Failure {
  const { stderr = '', code } = error as { stderr?: string; code?: unknown }
  if (code === 'ENOENT')
    return new Failure(command, words`there is no Postfix here`, { hint: 'apt install postfix' })
  const said = complaintIn(stderr)
  const [, folder] = /: open (.*)\/main\.cf: No such file or directory$/.exec(said ?? '') ?? []
  if (folder !== undefined)
    return new Failure(command, words`there is no main.cf: Postfix has no configuration there`, {
      at: folder,
      // Debian's "No configuration", and a host where nobody has answered its questions.
      hint: configDir === undefined ? 'dpkg-reconfigure postfix' : undefined,
    })
  const silent = typeof code === 'number' ? `${args[0]} fails and does not say why` : describeError(error)
  return new Failure(command, said || silent, { at: configDir })
}

/** Readings of main.cf, with its variables expanded or not. */
const READINGS = ['-h', '-hx', '-n', '-Px', '-x']

/**
 * Postfix 3.10 forgets which folder it was told of where main.cf is newer than a second or two: $config_directory is
 * the one that was compiled in then, which is another instance's.
 */
function insist(command: string, folder: string | undefined, mode: string | undefined): string[] {
  if (command !== 'postconf' || folder === undefined || !READINGS.includes(mode ?? '')) return []
  return ['-o', `config_directory=${folder}`]
}

/**
 * What a command of Postfix prints, for the instance in `configDir` or the system's.
 * @throws Failure when it cannot be run or fails
 */
export async function askPostfix(
  command: 'postconf' | 'postmap' | 'postqueue' | 'postfix',
  configDir: string | undefined,
  ...args: string[]
): Promise<string> {
  const where = [
    ...(configDir === undefined ? [] : ['-c', configDir]),
    ...insist(command, configDir ?? process.env.MAIL_CONFIG, args[0]),
  ]
  try {
    // A login shell's PATH may lack sbin, where they are.
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` }
    const { stdout } = await promisify(execFile)(command, [...where, ...args], { env, maxBuffer: 2 ** 26 })
    return stdout
  } catch (error) {
    throw failureOf(command, configDir, args, error)
  }
}

/** What postconf(1) prints, by lines. @throws Failure where it fails */
async function ask(configDir: string | undefined, ...args: string[]): Promise<string[]> {
  return (await askPostfix('postconf', configDir, ...args)).split('\n').filter((line) => line !== '')
}

/** The types of look-up tables this Postfix knows. @throws Failure where it cannot be asked */
export function readTableTypes(): Promise<string[]> {
  return ask(undefined, '-m')
}

/** Postfix's own domains (ADDRESS_CLASS_README). @throws Failure where it cannot be asked */
export async function readAddressClasses(configDir?: string): Promise<AddressClasses> {
  const lines = await ask(configDir, '-hx', ...ADDRESS_CLASSES)
  const domains = new Set<string>()
  const tables: string[] = []
  for (const word of lines.join('\n').split(/[\s,]+/)) {
    if (word === '') continue
    if (/[:/]/.test(word)) tables.push(word)
    else {
      const domain = parseOwnDomain(word)
      if (domain.plain) domains.add(domain.domain)
    }
  }
  return { domains: [...domains], tables }
}

/** Postfix's recipient_delimiter. @throws Failure where it cannot be asked */
export async function readDelimiters(configDir?: string): Promise<string> {
  const [line = ''] = await ask(configDir, '-hx', 'recipient_delimiter')
  return line.trim()
}
