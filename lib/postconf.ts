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
  command: 'postconf' | 'postmap' | 'postqueue',
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
    const { stderr } = error as { stderr?: string }
    throw new Failure(command, stderr?.trim().split('\n').at(-1) || describeError(error), { at: configDir })
  }
}

/** What {@link askPostfix} gives for the system's instance, by lines, or undefined where it fails. */
async function ask(command: 'postconf' | 'postmap', ...args: string[]): Promise<string[] | undefined> {
  try {
    return (await askPostfix(command, undefined, ...args)).split('\n').filter((line) => line !== '')
  } catch {
    return undefined
  }
}

/** A parameter of main.cf, expanded; empty where there is no Postfix. */
export async function readParameter(name: string): Promise<string> {
  return ((await ask('postconf', '-hx', name)) ?? []).join(' ')
}

/** The types of look-up tables this Postfix knows. */
export async function readTableTypes(): Promise<string[]> {
  return (await ask('postconf', '-m')) ?? []
}

/** The keys of a table, or undefined where it cannot be listed: a pattern, a directory, another database. */
export async function readKeys(table: string): Promise<string[] | undefined> {
  const lines = await ask('postmap', '-s', table)
  return lines?.map((line) => line.split('\t')[0] ?? '')
}

export interface Service {
  /** As postconf(1) names it: `submission/inet`. */
  name: string
  chroot: boolean
  /** Its `-o` options. */
  options: Map<string, string>
}

/** The smtpd services of master.cf. */
export async function readSmtpdServices(): Promise<Service[]> {
  const fields = new Map<string, string>()
  for (const line of (await ask('postconf', '-F')) ?? []) {
    const [, key, value] = /^(\S+) = (.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) fields.set(key, value)
  }
  const options = (await ask('postconf', '-Px')) ?? []
  return [...fields]
    .filter(([key, value]) => key.endsWith('/command') && /^smtpd\b/.test(value))
    .map(([key]) => key.slice(0, -'/command'.length))
    .map((name) => ({
      name,
      // Since Postfix 3 a hyphen is no.
      chroot: fields.get(`${name}/chroot`) === 'y',
      options: new Map(
        options
          .filter((line) => line.startsWith(`${name}/`))
          .map((line) => [line.slice(name.length + 1).replace(/ = .*$/, ''), line.replace(/^.*? = ?/, '')]),
      ),
    }))
}

/** Postfix's own domains (ADDRESS_CLASS_README), or undefined where there is no Postfix. */
export async function readAddressClasses(): Promise<AddressClasses | undefined> {
  const lines = await ask('postconf', '-hx', ...ADDRESS_CLASSES)
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
