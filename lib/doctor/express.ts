/** The express lane's checks: what Postfix reads of it, who asks it, and what could lead round it. Pure. */

import { LANE_PARAMETER, LANE_UTF8, laneRestrictions } from '../express/tables.js'
import { parseAddress } from '../mail/address.js'
import { splitList } from '../postfix/braces.js'
import {
  accessTables,
  besideLane,
  cleanupSetting,
  contentTables,
  copyTables,
  type Use,
} from '../postfix/diversion.js'
import type { Service } from '../postfix/mastercf.js'
import { laneServices, overrides, peoplesServices } from '../postfix/services.js'
import { postconf, quote, type Setup, settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import { diversionFaults, milterFaults, policyFaults, weighWith } from './diversionfaults.js'
import type { Check, Facts, Fault } from './facts.js'

/** Settings by which cleanup(8) makes other recipients of one that Postfix has let by. */
export const MAPPINGS = ['virtual_alias_maps', 'canonical_maps', 'recipient_canonical_maps']

/** What the checks look at. */
export type LaneFacts = Setup & Pick<Facts, 'lane' | 'tables' | 'answers'>

function spaced(value: string): string {
  return value.replaceAll(/[\s,]+/g, ' ').trim()
}

/** Whether a list of restrictions says in the end who may not send. */
export function endsInReject(restrictions: string): boolean {
  return /\b(?:reject|defer|reject_unauth_destination|defer_unauth_destination)\b/.test(
    // A table's action is not the list's own word.
    restrictions.replaceAll(/\{[^{}]*\}|\S+:\S+/g, ' '),
  )
}

/** Whether a service's restrictions begin with the lane's, `$name` expanded. */
export function beginsWithLane(facts: Pick<Facts, 'lane'>, restrictions: string): boolean {
  const lane = spaced(laneRestrictions(facts.lane.files))
  return `${spaced(restrictions)} `.startsWith(`${lane} `)
}

/** It asks the Postfix that postconf(1) means, as all of Postfix's programs do. */
function write({ configDir, toeh }: Setup): string {
  const where = configDir === undefined ? [] : [`MAIL_CONFIG=${quote(configDir)}`]
  return [...where, 'toeh express --write --config', quote(toeh.path)].join(' ')
}

function fileFaults(facts: LaneFacts): Fault[] {
  const { lane } = facts
  if (!lane.enabled) return []
  const level = laneServices(facts).length > 0 ? 'critical' : 'warning'
  const why = words`mail is not taken, or is passed that should go to the filter`
  const mend = [write(facts)]
  const affects = words`mail in the express lane: what the landscape knows passes, and nothing else`
  return [
    ...lane.texts
      .filter(({ right }) => !right)
      .map(({ path }): Fault => ({ level, what: words`${path} is not as it should be`, why, mend, affects })),
    ...lane.places.flatMap(({ fault }): Fault[] =>
      fault === undefined ? [] : [{ level, what: fault, why, mend, affects }],
    ),
  ]
}

function serviceFaults(facts: LaneFacts): Fault[] {
  const asking = laneServices(facts)
  if (!facts.lane.enabled) {
    return asking.map(({ id }) => ({
      level: 'warning',
      what: words`${id} asks the express lane, which is off`,
      why: words`nothing passes there, and who reads master.cf thinks so`,
      mend: [
        postconf(facts, '-P', `${id}/content_filter=${facts.expected.gate.name}:dummy`),
        postconf(facts, '-PX', `${id}/smtpd_recipient_restrictions`),
        postconf(facts, '-PX', `${id}/${LANE_UTF8.name}`),
      ],
      affects: words`whoever sends by ${id}: all their mail goes to the filter`,
    }))
  }
  return asking.flatMap((service): Fault[] => {
    const { id, chroot, options } = service
    const faults: Fault[] = []
    if (!beginsWithLane(facts, options.get('smtpd_recipient_restrictions') ?? ''))
      faults.push({
        level: 'critical',
        what: words`${id}: smtpd_recipient_restrictions does not begin with the lane`,
        why: words`what stands before it may let mail by that should go to the filter`,
        mend: [
          postconf(facts, '-e', `${LANE_PARAMETER}=${laneRestrictions(facts.lane.files)}`),
          postconf(facts, '-P', `${id}/smtpd_recipient_restrictions=$${LANE_PARAMETER}`),
        ],
        affects: words`whoever sends by ${id}: the lane is asked first, and what else stood in that list counts no more`,
      })
    if (chroot === 'y')
      faults.push({
        level: 'critical',
        what: words`${id}: chrooted, it cannot see a cut-off write`,
        why: words`the look-up opens the log of the lane by its path`,
        mend: [postconf(facts, '-F', `${id}/chroot=n`)],
        affects: words`nobody: ${id} runs outside of its chroot`,
      })
    if (settingOf(facts, service, 'smtpd_proxy_filter') !== '')
      faults.push({
        level: 'critical',
        what: words`${id}: with smtpd_proxy_filter no FILTER of the lane counts`,
        why: words`mail to strangers goes there as known mail does: take the service out of the lane`,
        mend: [],
      })
    if (settingOf(facts, service, LANE_UTF8.name) !== LANE_UTF8.value)
      faults.push({
        level: 'critical',
        what: words`${id}: with ${LANE_UTF8.name} Postfix takes a sharp s for ss, and lets mail to a stranger by`,
        why: words`the lane is asked about the folded address, and the mail goes to the one that was written`,
        mend: [postconf(facts, '-P', `${id}/${LANE_UTF8.name}=${LANE_UTF8.value}`)],
        affects: words`whoever writes by ${id} to an address with other than ASCII letters: it is refused`,
      })
    if (!endsInReject(settingOf(facts, service, 'smtpd_relay_restrictions')))
      faults.push({
        level: 'critical',
        what: words`${id}: smtpd_relay_restrictions ends without reject: anybody could relay to known recipients`,
        why: words`the lane's OK ends smtpd_recipient_restrictions, and nothing else asks who is sending`,
        // Printers and programs in mynetworks have no login, and were let in until now.
        mend: [
          postconf(
            facts,
            '-P',
            `${id}/smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,reject`,
          ),
        ],
        affects: words`whoever sends by ${id} without a login and from outside of mynetworks: they are refused`,
      })
    return faults
  })
}

/** Whose mail cleanup(8) maps, and by which tables: those of these services, each table once. */
function mappingsOf(facts: LaneFacts, services: readonly Service[]): [setting: string, table: string][] {
  const mapped = services.filter((service) => !overrides(facts, service, 'no_address_mappings'))
  const all = mapped.flatMap((service) =>
    MAPPINGS.flatMap((setting) =>
      splitList(cleanupSetting(facts, service, setting)).map((table): [string, string] => [setting, table]),
    ),
  )
  return [...new Map(all.map((one) => [one.join(' '), one])).values()]
}

/** What the lane lets pass. */
class Passing {
  readonly #keys: ReadonlySet<string>
  readonly #domains: ReadonlySet<string>
  readonly #internal: readonly string[]
  readonly #aliases: readonly { key: string; value: string }[]

  constructor(facts: LaneFacts, services: readonly Service[]) {
    const passing = (facts.lane.rows ?? []).filter(({ pass }) => pass).map(({ key }) => key)
    this.#keys = new Set(passing)
    this.#domains = new Set(passing.map((key) => key.slice(key.lastIndexOf('@'))))
    this.#internal = facts.toeh.internal
    this.#aliases = mappingsOf(facts, services).flatMap(([, table]) => facts.tables.get(table) ?? [])
  }

  /** Whether a table's key covers somebody who passes. */
  covers(key: string): boolean {
    const folded = key.toLowerCase()
    const at = folded.lastIndexOf('@')
    if (at < 0) return false
    const domain = folded.slice(at)
    return at === 0 ? this.#domains.has(domain) : this.#keys.has(folded) || this.#keys.has(domain)
  }

  // RCPT TO:<postmaster>, the bare word, is asked no restriction (smtpd_check_rcpt, RFC 2821 3.6): it needs no row to pass.
  isPostmaster(key: string): boolean {
    const [local, domain] = key.toLowerCase().split('@')
    return local === 'postmaster' || (local === '' && this.#internal.includes(domain ?? ''))
  }

  #isOutside(word: string): boolean {
    const at = word.lastIndexOf('@')
    if (at < 0) return false
    const domain = word.slice(at + 1)
    // `@domain` as a value keeps the local part.
    if (at > 0 && !parseAddress(word, new Set(this.#internal)).plain) return true
    return !this.#internal.includes(domain) && !this.#keys.has(word) && !this.#keys.has(`@${domain}`)
  }

  /** Whether what an alias says, or an alias of that, is neither inside nor somebody who passes. */
  leadsOutside(value: string, seen = new Set<string>()): boolean {
    return value
      .toLowerCase()
      .split(/[\s,]+/)
      .some((word) => {
        if (seen.has(word)) return false
        seen.add(word)
        const [local, domain] = word.split('@')
        const isOf = (key: string): boolean =>
          key === word ||
          key === local ||
          key === `@${domain}` ||
          (domain === undefined && key.split('@')[0] === local)
        return (
          this.#isOutside(word) ||
          this.#aliases.some((entry) => isOf(entry.key.toLowerCase()) && this.leadsOutside(entry.value, seen))
        )
      })
  }
}

/** Aliases that could lead out of what was asked: they are expanded after Postfix has asked the lane. */
function aliasFaults(facts: LaneFacts, services: readonly Service[]): Fault[] {
  const passing = new Passing(facts, services)
  const what: string[] = []
  for (const [setting, table] of mappingsOf(facts, services)) {
    const entries = facts.tables.get(table)
    if (entries === undefined)
      what.push(
        words`${setting} ${table} cannot be listed: it may lead known recipients elsewhere, past the filter`,
      )
    for (const { key, value } of entries ?? []) {
      if (passing.covers(key))
        what.push(words`${setting} ${table}: ${key} leads a known recipient elsewhere, past the filter`)
      else if (passing.isPostmaster(key) && passing.leadsOutside(value))
        what.push(words`${setting} ${table}: ${key} leads mail to postmaster outside, past the filter`)
    }
  }
  for (const service of services) {
    const domains = cleanupSetting(facts, service, 'masquerade_domains')
    const classes = splitList(cleanupSetting(facts, service, 'masquerade_classes'))
    const isMapped = !overrides(facts, service, 'no_address_mappings')
    if (isMapped && domains !== '' && classes.includes('envelope_recipient'))
      what.push(words`masquerade_domains ${domains} leads recipients elsewhere, past the filter`)
  }
  const why = words`Postfix expands these after it has asked the lane, and nobody is asked about where they lead`
  return [...new Set(what)].map((one) => ({ level: 'critical', what: one, why, mend: [] }))
}

/** What adds recipients, or leads elsewhere, once the lane has been asked: tables, copies and milters. */
function additionFaults(facts: LaneFacts, services: readonly Service[]): Fault[] {
  const passing = new Passing(facts, services)
  const weigh = weighWith(
    facts,
    () => ({
      level: 'critical',
      does: words`adds a recipient that the gate does not see`,
      why: words`Postfix has asked the lane about the others by then: take it out, or leave the service out of the lane`,
    }),
    (address) => passing.leadsOutside(address),
  )
  const tablesOf = (service: Service): Use[] =>
    besideLane(facts, [
      ...contentTables(facts, service),
      ...accessTables(facts, service).tables,
      ...copyTables(facts, service),
    ])
  return [
    ...diversionFaults(facts, services, tablesOf, weigh),
    ...policyFaults(facts, services),
    ...milterFaults(
      facts,
      services,
      'critical',
      words`Postfix has asked the lane about the others by then, and nobody is asked about these`,
    ),
  ]
}

/** What of a service would lead mail past the filter that takes the lane. */
export function laneLeaks(facts: LaneFacts, services: readonly Service[]): Fault[] {
  return [...aliasFaults(facts, services), ...additionFaults(facts, services)]
}

/** The same for the services that ask the lane; where none does yet, a warning for those that would. */
function leaks(facts: LaneFacts, look: (facts: LaneFacts, services: readonly Service[]) => Fault[]): Fault[] {
  if (!facts.lane.enabled || facts.lane.rows === undefined) return []
  const asking = laneServices(facts)
  if (asking.length > 0) return look(facts, asking)
  return look(facts, peoplesServices(facts)).map((fault) => ({
    ...fault,
    level: fault.level === 'critical' ? 'warning' : fault.level,
  }))
}

function rowFaults(facts: LaneFacts): Fault[] {
  const { enabled, astray } = facts.lane
  if (!enabled || astray.length === 0) return []
  return [
    {
      level: 'critical',
      what: words`${astray.length} rows of the lane differ from the landscape (${astray[0] ?? ''})`,
      why: words`what was revoked may pass, or what is known goes to the filter`,
      mend: [write(facts)],
      affects: words`mail in the express lane: it passes by the rules of today`,
    },
  ]
}

/** `look` of these needs {@link LaneFacts} alone. */
export const LANE_CHECKS: (Omit<Check, 'look'> & { look: (facts: LaneFacts) => Fault[] })[] = [
  {
    name: 'express-files',
    good: () => words`the express lane is off, or Postfix can read what it has to, and nobody else`,
    look: fileFaults,
  },
  {
    name: 'express-services',
    good: () => words`services in the express lane begin with it, and say who may send`,
    look: serviceFaults,
  },
  {
    name: 'express-aliases',
    good: () => words`no alias leads mail of the express lane elsewhere`,
    look: (facts) => leaks(facts, aliasFaults),
  },
  {
    name: 'express-additions',
    good: () => words`nothing adds recipients to mail of the express lane, or leads it elsewhere`,
    look: (facts) => leaks(facts, additionFaults),
  },
  {
    name: 'express-rows',
    good: () => words`the express lane's rows are what the landscape says`,
    look: rowFaults,
  },
]
