/**
 * Aliases: whom Postfix delivers to under one of its virtual aliases (virtual(5)). The way back behind the gate maps no addresses,
 * since they were mapped before the gate, and a notice begins there: to an alias it would bounce, and nobody would hear of that.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describeError, Failure } from '../failure.js'
import { foldAscii, type PlainAddress, parseAddress } from '../mail/address.js'
import { splitList } from './braces.js'
import { askPostfix } from './postconf.js'

/** What Postfix knows of its aliases. */
export interface Aliases {
  /** Tables of virtual_alias_maps. */
  maps: readonly string[]
  /** Words of virtual_alias_domains: names, and tables of them. */
  domains: readonly string[]
  /** Whose users may stand in the tables without a domain: mydestination and myorigin. */
  bare: ReadonlySet<string>
  origin: string
  delimiters: string
  /** @returns what a table has under a key, or undefined */
  lookUp: (table: string, key: string) => Promise<string | undefined>
}

const SETTINGS = [
  'virtual_alias_maps',
  'virtual_alias_domains',
  'mydestination',
  'myorigin',
  'recipient_delimiter',
]
const SBIN = '/usr/sbin:/usr/local/sbin'
/** An alias of an alias, and so on: more is a mistake. */
const DEEPEST = 20

/**
 * What postmap(1) says, which ends with 1 and without a word where a table has no such key. It is asked about the table itself: by
 * proxymap(8) only Postfix's own users may ask, and who else does waits eleven seconds.
 * @throws Failure where it cannot be asked
 */
async function ask(configDir: string | undefined, table: string, key: string): Promise<string | undefined> {
  const where = configDir === undefined ? [] : ['-c', configDir]
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:${SBIN}` }
  const itself = table.replace(/^(?:proxy:)+/, '')
  try {
    const { stdout } = await promisify(execFile)('postmap', [...where, '-q', key, itself], { env })
    return stdout.trim() || undefined
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (code === 1 && stderr === '') return undefined
    throw new Failure('postmap', stderr?.trim() || describeError(error), { at: table, cause: error })
  }
}

/**
 * Settings that are lists of words.
 * @param configDir of an instance; else that which MAIL_CONFIG names, as pipe(8) sets it, or the system's
 * @throws Failure where it cannot be asked
 */
export async function readLists(
  configDir: string | undefined,
  names: readonly string[],
): Promise<Map<string, string[]>> {
  const text = await askPostfix('postconf', configDir, '-x', ...names)
  return new Map(
    text.split('\n').map((line): [string, string[]] => {
      const [name = '', ...value] = line.split(' =')
      return [name, splitList(value.join(' ='))]
    }),
  )
}

/** @param configDir as for {@link readLists} @throws Failure where Postfix cannot be asked */
export async function readAliases(configDir?: string): Promise<Aliases> {
  const lists = await readLists(configDir, SETTINGS)
  const words = (name: string): string[] => lists.get(name) ?? []
  const origin = foldAscii(words('myorigin').join(' '))
  return {
    maps: words('virtual_alias_maps'),
    domains: words('virtual_alias_domains'),
    bare: new Set([origin, ...words('mydestination').map(foldAscii)]),
    origin,
    delimiters: words('recipient_delimiter').join(''),
    lookUp: (table, key) => ask(configDir, table, key),
  }
}

/**
 * What tables have for an address, in the order of virtual(5), which the *_bcc_maps share: itself, without its extension, its bare
 * local part, its domain.
 */
export async function entryOf(
  maps: readonly string[],
  { local, domain, key }: PlainAddress,
  { bare, delimiters, lookUp }: Pick<Aliases, 'bare' | 'delimiters' | 'lookUp'>,
): Promise<string | undefined> {
  const cut = [...local].findIndex((sign, index) => index > 0 && delimiters.includes(sign))
  const user = cut < 0 ? local : local.slice(0, cut)
  const names = bare.has(domain) ? [local, user] : []
  for (const one of new Set([key, `${user}@${domain}`, ...names, `@${domain}`]))
    for (const map of maps) {
      const value = await lookUp(map, one)
      if (value !== undefined) return value
    }
  return undefined
}

/**
 * Whom an address stands for.
 * @returns itself where it is no alias; nobody where it is at a domain of aliases alone, and is none
 */
export async function resolveAlias(address: string, aliases: Aliases, depth = 0): Promise<string[]> {
  const parsed = parseAddress(address, aliases.bare)
  if (aliases.maps.length === 0 || !parsed.plain || depth > DEEPEST) return [address]
  const { local, domain, key } = parsed
  const found = await entryOf(aliases.maps, parsed, aliases)
  if (found === undefined) return (await isOfAliases(domain, aliases)) ? [] : [address]
  const targets = splitList(found).map((target) => {
    if (target.startsWith('@')) return `${local}${target}`
    return target.includes('@') ? target : `${target}@${aliases.origin}`
  })
  const resolved: string[] = []
  // What names itself is at its end (cleanup_map1n.c).
  for (const target of targets)
    resolved.push(...(foldAscii(target) === key ? [target] : await resolveAlias(target, aliases, depth + 1)))
  return [...new Set(resolved)]
}

/**
 * Where a notice to an address may go: to itself where it is no alias, else to those of its mailboxes that are inside. A notice does
 * not pass the gate, so an alias that leads outside would let it out unasked.
 * @param internal domains of the company, folded
 */
export async function reachedBy(
  address: string,
  aliases: Aliases,
  internal: ReadonlySet<string>,
): Promise<string[]> {
  const inside = (target: string): boolean => {
    const parsed = parseAddress(target, aliases.bare)
    return parsed.plain && (internal.has(parsed.domain) || aliases.bare.has(parsed.domain))
  }
  return (await resolveAlias(address, aliases)).filter((target) => target === address || inside(target))
}

/** Whether a domain has aliases and no mailboxes. */
export async function isOfAliases(domain: string, { domains, lookUp }: Aliases): Promise<boolean> {
  for (const word of domains) {
    if (/[:/]/.test(word) ? (await lookUp(word, domain)) !== undefined : foldAscii(word) === domain)
      return true
  }
  return false
}
