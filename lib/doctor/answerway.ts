/** The way of answers: what Postfix makes of the address that approvers answer to. */
import { foldAscii, parseAddress } from '../mail/address.js'
import { type Aliases, entryOf, isOfAliases, readLists, resolveAlias } from '../postfix/aliases.js'
import { isResident, type Residence, residenceOf } from '../postfix/residents.js'
import type { AnswerWayFact } from './facts.js'

interface Lists {
  aliases: Aliases
  residences: readonly Residence[]
}

/** What Postfix makes of an address after its aliases. @throws Failure where it cannot be asked */
async function placeOf(
  address: string,
  configDir: string | undefined,
  { aliases, residences }: Lists,
): Promise<Pick<AnswerWayFact, 'list' | 'listed' | 'transport'>> {
  const parsed = parseAddress(address, aliases.bare)
  if (!parsed.plain) return { list: undefined, listed: undefined, transport: undefined }
  const maps = (await readLists(configDir, ['transport_maps'])).get('transport_maps') ?? []
  return {
    list: (await residenceOf(parsed.domain, residences, aliases.lookUp))?.list,
    listed: await isResident(address, residences, aliases),
    // A transport table has no users without a domain (transport(5)).
    transport: await entryOf(maps, parsed, { ...aliases, bare: new Set<string>() }),
  }
}

/** @param configDir as for readAliases @throws Failure where Postfix cannot be asked */
export async function readAnswerWay(
  address: string,
  configDir: string | undefined,
  lists: Lists,
): Promise<AnswerWayFact> {
  const { aliases } = lists
  const parsed = parseAddress(address, aliases.bare)
  const targets = await resolveAlias(address, aliases)
  const [target] = targets
  const place = await placeOf(target ?? address, configDir, lists)
  if (parsed.plain && (await isOfAliases(parsed.domain, aliases)))
    return { address, ...place, targets, list: '', ...(target === undefined ? { listed: false } : {}) }
  return { address, ...place, targets }
}

/**
 * The address that answers are delivered to once they are set up: that of the configuration, or at a domain of aliases one of the
 * same name at a domain that Postfix delivers itself, to which it is to be an alias; undefined where there is none.
 * @param internal domains of the company, folded: the gate passes mail to these
 */
export async function deliveryOf(
  way: AnswerWayFact,
  internal: ReadonlySet<string>,
  configDir: string | undefined,
  lists: Lists,
): Promise<AnswerWayFact | undefined> {
  const address = foldAscii(way.address)
  if (way.list !== '') return { address, targets: [address], ...(await placeOf(address, configDir, lists)) }
  const [local = ''] = address.split('@')
  const homes = [...internal].filter((name) => lists.aliases.bare.has(name))
  const home = homes.find((name) => name.includes('.')) ?? homes[0]
  if (home === undefined) return undefined
  const target = `${local}@${home}`
  return { address: target, targets: [target], ...(await placeOf(target, configDir, lists)) }
}
