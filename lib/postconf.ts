/** What Postfix says of itself, by postconf(1). */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { parseDomain } from './address.js'
import { ADDRESS_CLASSES } from './facts.js'
import { describeError, Failure } from './failure.js'

export interface AddressClasses {
  /** Domains named outright, folded. */
  domains: string[]
  /** Look-up tables and patterns, whose domains postconf does not show. */
  tables: string[]
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
  const where = configDir === undefined ? [] : ['-c', configDir]
  try {
    // A login shell's PATH may lack sbin, where they are.
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` }
    const { stdout } = await promisify(execFile)(command, [...where, ...args], { env, maxBuffer: 2 ** 26 })
    return stdout
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: unknown }
    const said = stderr?.trim().split('\n').at(-1)
    const silent = typeof code === 'number' ? `${args[0]} fails and does not say why` : describeError(error)
    throw new Failure(command, said || silent, { at: configDir })
  }
}

/** What postconf(1) prints by lines, or undefined where it fails. */
async function ask(configDir: string | undefined, ...args: string[]): Promise<string[] | undefined> {
  try {
    return (await askPostfix('postconf', configDir, ...args)).split('\n').filter((line) => line !== '')
  } catch {
    return undefined
  }
}

/** The types of look-up tables this Postfix knows. */
export async function readTableTypes(): Promise<string[]> {
  return (await ask(undefined, '-m')) ?? []
}

/** Postfix's own domains (ADDRESS_CLASS_README), or undefined where there is no Postfix. */
export async function readAddressClasses(configDir?: string): Promise<AddressClasses | undefined> {
  const lines = await ask(configDir, '-hx', ...ADDRESS_CLASSES)
  if (lines === undefined) return undefined
  const domains = new Set<string>()
  const tables: string[] = []
  for (const word of lines.join('\n').split(/[\s,]+/)) {
    if (word === '') continue
    if (/[:/]/.test(word)) tables.push(word)
    else {
      const domain = parseDomain(word)
      if (domain.plain) domains.add(domain.domain)
    }
  }
  return { domains: [...domains], tables }
}
