/** The way of answers: what Postfix makes of the address that approvers answer to. */
import { parseAddress } from './address.js'
import { type Aliases, entryOf, isOfAliases, readLists, resolveAlias } from './aliases.js'
import type { AnswerWayFact } from './facts.js'
import { isResident, type Residence, residenceOf } from './residents.js'

/** @param configDir as for readAliases @throws Failure where Postfix cannot be asked */
export async function readAnswerWay(
  address: string,
  configDir: string | undefined,
  { aliases, residences }: { aliases: Aliases; residences: readonly Residence[] },
): Promise<AnswerWayFact> {
  const targets = await resolveAlias(address, aliases)
  const parsed = parseAddress(address, aliases.bare)
  if (!parsed.plain) return { address, list: undefined, targets, listed: undefined, transport: undefined }
  const [target = address] = targets
  const wanted = parseAddress(target, aliases.bare)
  const maps = (await readLists(configDir, ['transport_maps'])).get('transport_maps') ?? []
  const list = (await isOfAliases(parsed.domain, aliases))
    ? ''
    : (await residenceOf(parsed.domain, residences, aliases.lookUp))?.list
  return {
    address,
    list,
    targets,
    listed: targets.length === 0 ? false : await isResident(target, residences, aliases),
    // A transport table has no users without a domain (transport(5)).
    transport: wanted.plain
      ? await entryOf(maps, wanted, { ...aliases, bare: new Set<string>() })
      : undefined,
  }
}
