/** The express lane's checks: what Postfix reads of it, who asks it, and what could lead round it. Pure. */
import { parseAddress } from './address.js'
import { LANE_PARAMETER, LANE_UTF8, laneRestrictions } from './express.js'
import { type Check, type Facts, type Fault, postconf, quote, type Setup, settingOf } from './facts.js'
import type { Service } from './mastercf.js'
import { words } from './speech.js'

/** Settings by which cleanup(8) makes other recipients of one that Postfix has let by. */
export const MAPPINGS = ['virtual_alias_maps', 'canonical_maps', 'recipient_canonical_maps']
const COPIES = ['recipient_bcc_maps', 'sender_bcc_maps']

/** What the checks look at. */
export type LaneFacts = Setup & Pick<Facts, 'lane' | 'tables'>

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

/** The services that ask the lane. */
export function laneServices({ services, lane }: Pick<Facts, 'services' | 'lane'>): Service[] {
  return services.filter(
    ({ program, options }) =>
      program === 'smtpd' &&
      [...options.values()].some((value) => value.includes(`sqlite:${lane.files.map}`)),
  )
}

function write(facts: Setup): string {
  return `toeh express --write --config ${quote(facts.toeh.path)}`
}

function fileFaults(facts: LaneFacts): Fault[] {
  const { lane } = facts
  if (!lane.enabled) return []
  const level = laneServices(facts).length > 0 ? 'critical' : 'warning'
  const why = words`mail is not taken, or is passed that should go to the filter`
  const mend = [write(facts)]
  return [
    ...lane.texts
      .filter(({ right }) => !right)
      .map(({ path }): Fault => ({ level, what: words`${path} is not as it should be`, why, mend })),
    ...lane.places.flatMap(({ fault }): Fault[] =>
      fault === undefined ? [] : [{ level, what: fault, why, mend }],
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
      })
    if (chroot === 'y')
      faults.push({
        level: 'critical',
        what: words`${id}: chrooted, it cannot see a cut-off write`,
        why: words`the look-up opens the log of the lane by its path`,
        mend: [postconf(facts, '-F', `${id}/chroot=n`)],
      })
    if (settingOf(facts, service, LANE_UTF8.name) !== LANE_UTF8.value)
      faults.push({
        level: 'critical',
        what: words`${id}: with ${LANE_UTF8.name} Postfix takes a sharp s for ss, and lets mail to a stranger by`,
        why: words`the lane is asked about the folded address, and the mail goes to the one that was written`,
        mend: [postconf(facts, '-P', `${id}/${LANE_UTF8.name}=${LANE_UTF8.value}`)],
      })
    if (!endsInReject(settingOf(facts, service, 'smtpd_relay_restrictions')))
      faults.push({
        level: 'critical',
        what: words`${id}: smtpd_relay_restrictions ends without reject: anybody could relay to known recipients`,
        why: words`the lane's OK ends smtpd_recipient_restrictions, and nothing else asks who is sending`,
        mend: [postconf(facts, '-P', `${id}/smtpd_relay_restrictions=permit_sasl_authenticated,reject`)],
      })
    return faults
  })
}

/** Aliases that could lead out of what was asked: they are expanded after Postfix has asked the lane. */
function aliasFaults(facts: LaneFacts): Fault[] {
  const { lane, main, tables, toeh } = facts
  if (!lane.enabled || lane.rows === undefined) return []
  const passing = lane.rows.filter(({ pass }) => pass).map(({ key }) => key)
  const keys = new Set(passing)
  const domains = new Set(passing.map((key) => key.slice(key.lastIndexOf('@'))))
  const wordsOf = (name: string): string[] =>
    (main.get(name) ?? '').split(/[\s,]+/).filter((word) => word !== '')
  const leads = (key: string): boolean => {
    const folded = key.toLowerCase()
    const at = folded.lastIndexOf('@')
    if (at < 0) return false
    const domain = folded.slice(at)
    return at === 0 ? domains.has(domain) : keys.has(folded) || keys.has(domain)
  }
  // RCPT TO:<postmaster>, the bare word, is asked no restriction (smtpd_check_rcpt, RFC 2821 3.6): it needs no row to pass.
  const takesPostmaster = (key: string): boolean => {
    const [local, domain] = key.toLowerCase().split('@')
    return local === 'postmaster' || (local === '' && toeh.internal.includes(domain ?? ''))
  }
  const isOutside = (word: string): boolean => {
    const at = word.lastIndexOf('@')
    if (at < 0) return false
    const domain = word.slice(at + 1)
    // `@domain` as a value keeps the local part.
    if (at > 0 && !parseAddress(word).plain) return true
    return !toeh.internal.includes(domain) && !keys.has(word) && !keys.has(`@${domain}`)
  }
  const listed = MAPPINGS.flatMap(wordsOf).flatMap((table) => tables.get(table) ?? [])
  /** Whether what an alias says, or an alias of that, is outside. */
  const leadsOutside = (value: string, seen = new Set<string>()): boolean =>
    value
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
          isOutside(word) ||
          listed.some((entry) => isOf(entry.key.toLowerCase()) && leadsOutside(entry.value, seen))
        )
      })
  const what: string[] = []
  for (const setting of MAPPINGS) {
    for (const table of wordsOf(setting)) {
      const entries = tables.get(table)
      if (entries === undefined)
        what.push(
          words`${setting} ${table} cannot be listed: it may lead known recipients elsewhere, past the filter`,
        )
      for (const { key, value } of entries ?? []) {
        if (leads(key))
          what.push(words`${setting} ${table}: ${key} leads a known recipient elsewhere, past the filter`)
        else if (takesPostmaster(key) && leadsOutside(value))
          what.push(words`${setting} ${table}: ${key} leads mail to postmaster outside, past the filter`)
      }
    }
  }
  for (const setting of COPIES) {
    const named = wordsOf(setting)
    if (named.length > 0)
      what.push(words`${setting} ${named.join(' ')} adds recipients that the filter would not see`)
  }
  const copy = parseAddress(main.get('always_bcc') || `x@${toeh.internal[0]}`)
  if (!copy.plain || !toeh.internal.includes(copy.domain))
    what.push(words`always_bcc adds a recipient outside that the filter would not see`)
  const why = words`Postfix expands these after it has asked the lane, and nobody is asked about where they lead`
  return what.map((one) => ({ level: 'critical', what: one, why, mend: [] }))
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
    look: aliasFaults,
  },
  {
    name: 'express-rows',
    good: () => words`the express lane's rows are what the landscape says`,
    look: rowFaults,
  },
]
