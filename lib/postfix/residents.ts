/**
 * Residents: whom Postfix has a mailbox for, as its own lists of recipients say (ADDRESS_CLASS_README). smtpd(8) refuses others at
 * the entrance by these; the way back is told not to look, and a notice to nobody would bounce to nobody.
 */
import { foldAscii, parseAddress } from '../mail/address.js'
import { type Aliases, entryOf, reachedBy, readLists } from './aliases.js'

/** A class of addresses that are delivered here: its domains, and the tables that list its recipients. */
export interface Residence {
  domains: readonly string[]
  /** The setting that names these tables. */
  list: string
  /** None: whoever is named there is taken. */
  maps: readonly string[]
  /** Whether users may stand in the tables without a domain. */
  bare: boolean
  /** Whether a domain stands for those below it as well. */
  subdomains: boolean
}

/** In the order in which Postfix asks (trivial-rewrite(8)); of virtual aliases lib/postfix/aliases.ts knows. */
const CLASSES = [
  { domains: 'mydestination', maps: 'local_recipient_maps', bare: true },
  { domains: 'virtual_mailbox_domains', maps: 'virtual_mailbox_maps', bare: false },
  { domains: 'relay_domains', maps: 'relay_recipient_maps', bare: false },
] as const
const SUBDOMAINS = 'parent_domain_matches_subdomains'

/** @param configDir as for readAliases @throws Failure where Postfix cannot be asked */
export async function readResidences(configDir?: string): Promise<Residence[]> {
  const names = CLASSES.flatMap(({ domains, maps }) => [domains, maps])
  const lists = await readLists(configDir, [...names, SUBDOMAINS])
  return CLASSES.map(({ domains, maps, bare }) => ({
    domains: lists.get(domains) ?? [],
    list: maps,
    maps: lists.get(maps) ?? [],
    bare,
    subdomains: lists.get(SUBDOMAINS)?.includes(domains) ?? false,
  }))
}

/** Whether a list has this domain; undefined where it is written in a way that is not followed here. */
async function lists(
  { domains, subdomains }: Residence,
  domain: string,
  lookUp: Aliases['lookUp'],
): Promise<boolean | undefined> {
  for (const word of domains) {
    if (/^[!/]/.test(word)) return undefined
    const name = foldAscii(word)
    if (name === domain) return true
    if (domain.endsWith(name.startsWith('.') ? name : `.${name}`) && (subdomains || name.startsWith('.')))
      return true
    if (word.includes(':') && (await lookUp(word, domain)) !== undefined) return true
  }
  return false
}

/**
 * The class that Postfix delivers mail to a domain by.
 * @param domain folded
 * @returns undefined where it does not, or its lists are written in a way that is not followed here
 */
export async function residenceOf(
  domain: string,
  residences: readonly Residence[],
  lookUp: Aliases['lookUp'],
): Promise<Residence | undefined> {
  for (const residence of residences) {
    const isThere = await lists(residence, domain, lookUp)
    if (isThere === undefined) return undefined
    if (isThere) return residence
  }
  return undefined
}

/**
 * Whether Postfix has somebody of this name.
 * @returns undefined where that cannot be known: it lists no recipients of the domain, or the address is not delivered here
 */
export async function isResident(
  address: string,
  residences: readonly Residence[],
  aliases: Pick<Aliases, 'bare' | 'delimiters' | 'lookUp'>,
): Promise<boolean | undefined> {
  const parsed = parseAddress(address, aliases.bare)
  if (!parsed.plain) return undefined
  const residence = await residenceOf(parsed.domain, residences, aliases.lookUp)
  if (residence === undefined || residence.maps.length === 0) return undefined
  const bare = new Set(residence.bare ? [...aliases.bare, parsed.domain] : [])
  return (await entryOf(residence.maps, parsed, { ...aliases, bare })) !== undefined
}

/**
 * Whom a notice to an address would reach: those inside that it stands for, without those whom Postfix would say it does not
 * know. A list that cannot be asked says nothing against anybody.
 * @param internal domains of the company, folded
 * @throws Failure where the aliases cannot be asked
 */
export async function reachable(
  address: string,
  { aliases, residences }: { aliases: Aliases; residences: readonly Residence[] },
  internal: ReadonlySet<string>,
): Promise<string[]> {
  const found: string[] = []
  for (const target of await reachedBy(address, aliases, internal))
    if ((await isResident(target, residences, aliases).catch(() => undefined)) !== false) found.push(target)
  return found
}
