/**
 * Diversions: what Postfix's own tables do to a whole message, whichever recipient or header asked for it. FILTER, REDIRECT,
 * BCC and HOLD in access tables (access(5)) and in header and body checks (header_checks(5)); milters and copies. Pure.
 */

import type { LaneFiles } from '../express/tables.js'
import { parseAddress } from '../mail/address.js'
import { words } from '../text/translate.js'
import { splitList, withoutBraces } from './braces.js'
import { sourceOf, type TableEntry } from './lookuptable.js'
import type { Service } from './mastercf.js'
import { cleanupOf, gatePrefix, isPickup, isServer, overrides } from './services.js'
import { type Setup, settingOf, type Tabled } from './settings.js'

type Action = 'FILTER' | 'REDIRECT' | 'BCC' | 'HOLD'

/** A table, and the setting that names it. */
export interface Use {
  setting: string
  table: string
}

export interface Diversion extends Use {
  entry: TableEntry
  action: Action
  /** Of FILTER `transport:nexthop`, of REDIRECT and BCC an address, of HOLD what is logged. */
  target: string
}

/** What cleanup(8) looks up of a message itself, on every way in. */
export const CONTENT_CHECKS = [
  'header_checks',
  'mime_header_checks',
  'nested_header_checks',
  'body_checks',
] as const
/** The same of headers that a milter adds. It knows no BCC. */
export const MILTER_CHECKS = 'milter_header_checks'

/** Where smtpd(8) asks. Not smtpd_etrn_restrictions: ETRN brings no mail, and these actions are refused there. */
export const RESTRICTIONS = ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data'].map(
  (name) => `smtpd_${name}_restrictions`,
)
/** What makes copies: settings that are tables, and one that is an address. */
const COPY_MAPS = ['recipient_bcc_maps', 'sender_bcc_maps']
const COPY = 'always_bcc'
const MILTER_MAPS = 'smtpd_milter_maps'
/** Tables of what EHLO does not offer, by client. */
export const DISCARD_MAPS = 'smtpd_discard_ehlo_keyword_address_maps'

/** What a table's answer does, where it is one of these actions and Postfix does not pass over it. */
export function actionOf(value: string): Pick<Diversion, 'action' | 'target'> | undefined {
  const [, word = '', rest = ''] = /^(FILTER|REDIRECT|BCC|HOLD)(?:\s+(.*))?$/is.exec(value.trim()) ?? []
  const action = word.toUpperCase()
  const target = rest.trim()
  if (action === 'HOLD') return { action, target }
  if (action === 'FILTER') return target.includes(':') ? { action, target } : undefined
  if (action !== 'REDIRECT' && action !== 'BCC') return undefined
  return target.includes('@') ? { action, target } : undefined
}

/** A setting of the cleanup(8) that a service hands its mail to. */
export function cleanupSetting(facts: Setup, service: Service, name: string): string {
  const cleanup = cleanupOf(facts, service)
  return cleanup === undefined ? (facts.main.get(name) ?? '') : settingOf(facts, cleanup, name)
}

function usesOf(setting: string, value: string): Use[] {
  return splitList(value).map((table) => ({ setting, table }))
}

/** One use a table: mime_header_checks and nested_header_checks are header_checks where nobody says otherwise. */
function once(uses: readonly Use[]): Use[] {
  return uses.filter(({ table }, index) => uses.findIndex((other) => other.table === table) === index)
}

/** The milters a service's mail meets, each as its list names it, and tables of them that cannot be listed. */
export function miltersOf(facts: Tabled, service: Service): (Use & { milter?: string })[] {
  if (overrides(facts, service, 'no_milters')) return []
  const named = (setting: string, value: string): { setting: string; table: string; milter: string }[] =>
    splitList(value).map((word) => {
      const [milter = ''] = splitList(withoutBraces(word))
      return { setting, table: milter, milter }
    })
  if (!isServer(service))
    return named('non_smtpd_milters', cleanupSetting(facts, service, 'non_smtpd_milters'))
  const byClient = usesOf(MILTER_MAPS, settingOf(facts, service, MILTER_MAPS)).flatMap((use) => {
    const entries = facts.answers.get(use.table)
    return (
      entries?.flatMap(({ value }) => (/^disable$/i.test(value) ? [] : named(use.setting, value))) ?? [use]
    )
  })
  return [...named('smtpd_milters', settingOf(facts, service, 'smtpd_milters')), ...byClient]
}

/** The tables of header and body checks that a service's mail meets. */
export function contentTables(facts: Tabled, service: Service): Use[] {
  const checks: string[] = overrides(facts, service, 'no_header_body_checks') ? [] : [...CONTENT_CHECKS]
  if (miltersOf(facts, service).length > 0) checks.push(MILTER_CHECKS)
  return once(checks.flatMap((name) => usesOf(name, cleanupSetting(facts, service, name))))
}

/** An answer that is an action of access(5); any other is a list of restrictions. */
export const ACTION =
  /^(?:OK|REJECT|DEFER|DEFER_IF_REJECT|DEFER_IF_PERMIT|BCC|DISCARD|DELAY|DUNNO|ERR|FILTER|HOLD|INFO|PREPEND|REDIRECT|WARN|\d+)(?:\s|$)/i

/**
 * The tables that smtpd(8) asks about a service's mail: in its restrictions, in the restriction classes these name, and in
 * what such a table answers. `policies` are servers of check_policy_service, which may answer the same.
 */
export function accessTables(facts: Tabled, service: Service): { tables: Use[]; policies: Use[] } {
  const tables: Use[] = []
  const policies: Use[] = []
  if (!isServer(service)) return { tables, policies }
  const classes = new Set(splitList(settingOf(facts, service, 'smtpd_restriction_classes')))
  const seen = new Set<string>()
  const isNew = (name: string): boolean => seen.size < seen.add(name).size
  const take = (setting: string, table: string): void => {
    if (!isNew(table)) return
    tables.push({ setting, table })
    for (const { value } of facts.answers.get(table) ?? []) if (!ACTION.test(value)) walk(setting, value)
  }
  const walk = (setting: string, list: string): void => {
    const names = splitList(list)
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (/^check_policy_service$/i.test(name)) {
        const [table = ''] = splitList(withoutBraces(names.shift() ?? ''))
        if (isNew(table)) policies.push({ setting, table })
      } else if (/^check_\w+_access$/i.test(name)) take(setting, names.shift() ?? '')
      // Short for check_client_access and so on, according to the list.
      else if (name.includes(':')) take(setting, name)
      else if (classes.has(name) && isNew(name)) walk(setting, settingOf(facts, service, name))
    }
  }
  for (const name of RESTRICTIONS) walk(name, settingOf(facts, service, name))
  return { tables, policies }
}

export function isCopy({ setting }: Use): boolean {
  return setting === COPY || COPY_MAPS.includes(setting)
}

/** These without the express lane's own, which have a check of their own. */
export function besideLane({ lane }: { lane: { files: LaneFiles } }, uses: readonly Use[]): Use[] {
  const { map, senders, recipients } = lane.files
  const own = [`sqlite:${map}`, `regexp:${senders}`, `regexp:${recipients}`]
  return uses.filter(({ table }) => !own.includes(table))
}

/** What these tables do. One that cannot be listed does nothing here. */
export function diversionsIn(facts: Tabled, uses: readonly Use[]): Diversion[] {
  return uses.flatMap((use) =>
    (facts.answers.get(use.table) ?? []).flatMap((entry): Diversion[] => {
      if (isCopy(use)) return [{ ...use, entry, action: 'BCC', target: entry.value }]
      const act = actionOf(entry.value)
      const isKnown = act !== undefined && !(act.action === 'BCC' && use.setting === MILTER_CHECKS)
      return isKnown ? [{ ...use, entry, ...act }] : []
    }),
  )
}

/** Whether an address is none of the company's own. */
export function isForeign({ toeh }: Setup, address: string): boolean {
  const parsed = parseAddress(address, new Set(toeh.internal))
  return !parsed.plain || !toeh.internal.includes(parsed.domain)
}

export function leadsToGate(facts: Tabled, { action, target }: Diversion): boolean {
  return action === 'FILTER' && target.startsWith(gatePrefix(facts))
}

/** Whether some of a service's mail is handed to the gate by its access tables. */
export function asksGate(facts: Tabled, service: Service): boolean {
  return diversionsIn(facts, accessTables(facts, service).tables).some((one) => leadsToGate(facts, one))
}

/** Where an entry stands. */
export function placeOf({ setting, table, entry: { key, line } }: Use & Pick<Diversion, 'entry'>): string {
  if (line !== undefined) return words`${setting} ${table}, line ${line}, ${key}`
  if (setting === COPY) return setting
  return key === '' ? `${setting} ${table}` : `${setting} ${table}, ${key}`
}

/** The tables of copies that a service's mail meets; always_bcc is one with one answer. */
export function copyTables(facts: Setup, service: Service): Use[] {
  if (overrides(facts, service, 'no_address_mappings')) return []
  const always = cleanupSetting(facts, service, COPY)
  return [
    ...once(COPY_MAPS.flatMap((name) => usesOf(name, cleanupSetting(facts, service, name)))),
    ...(always === '' ? [] : [{ setting: COPY, table: `static:${always}` }]),
  ]
}

/** Every table whose answers are asked for here, as far as the answers that are known tell. */
export function wantedTables(facts: Tabled): string[] {
  const uses = facts.services
    .filter((service) => isServer(service) || isPickup(service))
    .flatMap((service) => [
      ...usesOf(MILTER_MAPS, settingOf(facts, service, MILTER_MAPS)),
      ...[...CONTENT_CHECKS, MILTER_CHECKS].flatMap((name) =>
        usesOf(name, cleanupSetting(facts, service, name)),
      ),
      ...accessTables(facts, service).tables,
      ...copyTables(facts, service),
      ...usesOf(DISCARD_MAPS, settingOf(facts, service, DISCARD_MAPS)),
    ])
  const tables = uses.flatMap(({ table }) => [table, ...partsOf(table)])
  return [...new Set(tables)]
}

/** The tables a pipe is made of: what it answers takes each of them. */
function partsOf(table: string): string[] {
  const source = sourceOf(table)
  return table.startsWith('pipemap:') && source.kind === 'parts' ? source.tables : []
}
