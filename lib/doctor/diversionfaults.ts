/** What doctor says of diversions, and how much each counts. Pure. */

import {
  accessTables,
  type Diversion,
  diversionsIn,
  isCopy,
  isForeign,
  leadsToGate,
  miltersOf,
  placeOf,
  type Use,
} from '../postfix/diversion.js'
import type { Service } from '../postfix/mastercf.js'
import { gatePrefix, takesFromOutside } from '../postfix/services.js'
import type { Tabled } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Fault } from './facts.js'

/** How a diversion counts where it is met; undefined where it does no harm. */
export type Weigh = (diversion: Diversion) => (Pick<Fault, 'level' | 'why'> & { does: string }) | undefined

/** What FILTER, REDIRECT and HOLD do wherever mail is on its way to the gate, or might be; BCC is the caller's. */
export function weighWith(
  facts: Tabled,
  weighCopy: Weigh,
  isOutside = (address: string) => isForeign(facts, address),
): Weigh {
  // What a pattern puts in place of its `$1` may be anything.
  const mayBeOutside = (address: string): boolean => address.includes('$') || isOutside(address)
  return (diversion) => {
    const { action, target } = diversion
    switch (action) {
      case 'BCC':
        return mayBeOutside(target) ? weighCopy(diversion) : undefined
      case 'FILTER':
        if (leadsToGate(facts, diversion)) return undefined
        return {
          level: 'critical',
          does: words`goes round the gate`,
          why: words`FILTER takes the place of every other filter, for the whole message, and nobody is asked: take it out, or write FILTER ${gatePrefix(facts)}dummy`,
        }
      case 'REDIRECT':
        if (!mayBeOutside(target)) return undefined
        return {
          level: 'critical',
          does: words`goes round the gate`,
          why: words`the whole message goes there instead of to its recipients, before any filter, and nobody is asked: take it out`,
        }
      case 'HOLD':
        return {
          level: 'warning',
          does: words`keeps mail in Postfix's own hold queue`,
          why: words`toeh list does not show it, and nobody is told that it waits: take it out, or look into postqueue -p`,
        }
    }
  }
}

function idsOf(services: readonly Service[]): string {
  return services.map(({ id }) => id).join(', ')
}

/** Things of several services, each with the services that have it, by its name. */
function byService<T>(
  services: readonly Service[],
  thingsOf: (service: Service) => readonly T[],
  nameOf: (thing: T) => string,
): { things: T[]; services: Service[] }[] {
  const groups = new Map<string, { things: T[]; services: Service[] }>()
  for (const service of services) {
    for (const thing of thingsOf(service)) {
      const group = groups.get(nameOf(thing)) ?? { things: [], services: [] }
      groups.set(nameOf(thing), group)
      // Of one service come all entries; those of another are the same.
      if (group.services.length === 0 || group.services[0] === service) group.things.push(thing)
      if (!group.services.includes(service)) group.services.push(service)
    }
  }
  return [...groups.values()]
}

/** One fault a table and action, with the first entry that counts, and one a table that cannot be listed. */
export function diversionFaults(
  facts: Tabled,
  services: readonly Service[],
  tablesOf: (service: Service) => readonly Use[],
  weigh: Weigh,
): Fault[] {
  const weighed = byService(
    services,
    (service) =>
      diversionsIn(facts, tablesOf(service)).flatMap((diversion) => {
        const weight = weigh(diversion)
        return weight === undefined ? [] : [{ diversion, ...weight }]
      }),
    ({ diversion: { table, action } }) => `${action} ${table}`,
  )
  const faults = weighed.flatMap(({ things, services: having }): Fault[] => {
    const [first] = things
    if (first === undefined) return []
    const { diversion, does, level, why } = first
    const act = `${diversion.action} ${diversion.target}`.trim()
    const more = things.length === 1 ? '' : words` (and ${things.length - 1} more)`
    return [
      {
        // What comes in by port 25 meets it as well, and may be all that does.
        level: having.every(takesFromOutside) ? 'warning' : level,
        what: words`${placeOf(diversion)}: ${act} ${does}${more} (${idsOf(having)})`,
        why,
        mend: [],
      },
    ]
  })
  const closed = byService(
    services,
    (service) => tablesOf(service).filter(({ table }) => facts.answers.get(table) === undefined),
    ({ table }) => table,
  )
  return [
    ...faults,
    ...closed.flatMap(({ things, services: having }): Fault[] =>
      things.slice(0, 1).map((use) => ({
        level: isCopy(use) ? 'critical' : 'unknown',
        what: words`${use.setting} ${use.table} cannot be listed (${idsOf(having)})`,
        why: isCopy(use)
          ? words`it is there to add recipients, and the gate does not see them: take it out`
          : words`a FILTER, REDIRECT or BCC in it would go round the gate: look into it`,
        mend: [],
      })),
    ),
  ]
}

/** One fault a policy server. */
export function policyFaults(facts: Tabled, services: readonly Service[]): Fault[] {
  const policies = byService(
    services,
    (service) => accessTables(facts, service).policies,
    ({ table }) => table,
  )
  return policies.flatMap(({ things, services: having }): Fault[] =>
    things.slice(0, 1).map(({ setting, table }) => ({
      level: 'unknown',
      what: words`${setting} asks check_policy_service ${table}, whose answers cannot be listed (${idsOf(having)})`,
      why: words`a FILTER, REDIRECT or BCC among them would go round the gate: look into it`,
      mend: [],
    })),
  )
}

/** One fault a milter that nobody has vouched for. */
export function milterFaults(
  facts: Tabled,
  services: readonly Service[],
  level: Fault['level'],
  why: string,
): Fault[] {
  const milters = byService(
    services,
    (service) =>
      miltersOf(facts, service).filter(
        ({ milter }) => milter === undefined || !facts.toeh.trustedMilters.includes(milter),
      ),
    ({ table }) => table,
  )
  return milters.flatMap(({ things, services: having }): Fault[] =>
    things.slice(0, 1).map(({ setting, table, milter }) => ({
      level,
      what:
        milter === undefined
          ? words`${setting} ${table} cannot be listed (${idsOf(having)})`
          : words`${setting} ${milter} may add recipients that the gate does not see (${idsOf(having)})`,
      why: words`${why}: name it in trusted_milters of ${facts.toeh.path} if it adds none, or take it out there`,
      mend: [],
    })),
  )
}
