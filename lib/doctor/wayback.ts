/** The checks on the way back: what takes in again what the gate sends on. Pure. */
import { splitList } from '../postfix/braces.js'
import { lineOf, type Service } from '../postfix/mastercf.js'
import { gatePrefix, isLocalOnly, isServer, waysBack } from '../postfix/services.js'
import { gateOf, postconf, type Setup, setOption, settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import { APART } from './entrances.js'
import type { Check, Fault } from './facts.js'

/** Options of the way back that decide who gets in and what is changed; the others are for the log and for order. */
const DECISIVE = [
  'mynetworks',
  'receive_override_options',
  'smtpd_client_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_authorized_xforward_hosts',
  'smtpd_command_filter',
  'smtpd_proxy_filter',
]

const WHY_OPTION: Record<string, () => string> = {
  mynetworks: () => words`others than this host may send through it, and nobody is asked`,
  smtpd_client_restrictions: () => words`others than this host may send through it, and nobody is asked`,
  smtpd_recipient_restrictions: () =>
    words`it may relay for others than this host, or refuse what the gate lets out`,
  smtpd_command_filter: () =>
    words`it can write other recipients into what the gate says, and nobody is asked about them`,
  smtpd_proxy_filter: () => words`what the gate sends on goes to another filter, and may come back to it`,
  receive_override_options: () =>
    words`what is sent is not what the gate decided on, or stray line ends are no longer repaired`,
  smtpd_authorized_xforward_hosts: () =>
    words`the log does not show whose mail it was, or others may say whose it is`,
  smtpd_forbid_bare_newline: () =>
    words`a slip of the line ends would be SMTP smuggling instead of a refusal`,
  smtpd_forbid_bare_newline_exclusions: () =>
    words`loopback is excluded from the defence against SMTP smuggling`,
  smtpd_hide_client_session: () =>
    words`the copy does not show that it comes from the gate: where it comes back, nothing notices the loop`,
  local_header_rewrite_clients: () => words`headers are rewritten after the sender has signed them`,
}

/** no_milters may be left out, for a milter that signs behind the gate; no_header_body_checks must be. */
function isEnoughOverride(value: string): boolean {
  const given = splitList(value)
  return (
    ['no_unknown_recipient_checks', 'no_address_mappings'].every((word) => given.includes(word)) &&
    !given.includes('no_header_body_checks')
  )
}

function backFaults(facts: Setup): Fault[] {
  const { reinject } = facts.toeh
  if (reinject === undefined) return []
  const { reinjection } = facts.expected
  const add = postconf(facts, '-M', `${reinjection.id}=${lineOf(reinjection)}`)
  const services = waysBack(facts)
  const good = services.filter((service) => isLocalOnly(facts, service) && isServer(service))
  const bad = services.filter((service) => !good.includes(service))
  const faults = bad.map(
    (service): Fault => ({
      level: 'critical',
      what: words`${service.id} is not on loopback alone`,
      why: words`whoever reaches this host sends to anybody through it, and nobody is asked`,
      mend: [postconf(facts, '-MX', service.id), ...(good.length === 0 ? [add] : [])],
      affects: words`whoever sends through ${service.id} from another host: their connection is refused`,
    }),
  )
  if (services.length > 0) return faults
  const what = words`no service of master.cf listens on ${reinject.host}:${reinject.port}`
  return [
    {
      level: 'critical',
      what,
      why: words`known mail cannot go on: all of it is deferred`,
      mend: [add],
      affects: words`known mail that waits, and what is released: it goes on`,
    },
  ]
}

/** A filter that comes behind the gate is right there, unless what it hands back goes to the gate again. */
function backFilterFaults(facts: Setup): Fault[] {
  return waysBack(facts).flatMap((service): Fault[] => {
    const filter = settingOf(facts, service, 'content_filter')
    if (!filter.startsWith(gatePrefix(facts))) return []
    const mend = [setOption(facts, service, 'content_filter', '')]
    const why = words`what the gate sends on comes back to it: all known mail is deferred`
    const what = words`${service.id} has ${'content_filter'}=${filter}`
    const affects = words`known mail that waits: it goes on, and does not come back to the gate`
    return [{ level: 'critical', what, why, mend, affects }]
  })
}

function backOptionFaults(facts: Setup): Fault[] {
  return waysBack(facts).flatMap((service) =>
    [...facts.expected.reinjection.options].flatMap(([name, wanted]): Fault[] => {
      if (APART.includes(name)) return []
      const value = settingOf(facts, service, name)
      if (splitList(value).join() === splitList(wanted).join()) return []
      if (name === 'receive_override_options' && isEnoughOverride(value)) return []
      return [
        {
          level: DECISIVE.includes(name) ? 'critical' : 'warning',
          what: words`${service.id} has ${name}=${value}`,
          why: WHY_OPTION[name]?.() ?? words`main.cf may refuse here what was checked before, or change it`,
          mend: [setOption(facts, service, name, wanted)],
          affects: words`whatever but the gate sends through ${service.id}: it is taken as the sample says, or refused`,
        },
      ]
    }),
  )
}

/** What keeps the services on the port of `reinject` from being the way back; nothing where there is none. */
export function notTheWayBack(facts: Setup): Fault[] {
  if (waysBack(facts).length === 0) return []
  return [...backFaults(facts), ...backFilterFaults(facts), ...backOptionFaults(facts)].filter(
    ({ level }) => level === 'critical',
  )
}

/** The services that take back what the gate sends on. */
export const WAYBACK_CHECKS: Check[] = [
  {
    name: 'way-back',
    good: () => words`the service behind \`reinject\` is in master.cf, on loopback alone`,
    look: backFaults,
  },
  {
    name: 'way-back-filter',
    good: (facts) => {
      const filters = waysBack(facts).map((service) => settingOf(facts, service, 'content_filter'))
      const [filter = ''] = filters.filter((one) => one !== '')
      return filter === ''
        ? words`its content_filter does not lead to the gate again`
        : words`its content_filter, ${filter}, does not lead to the gate again; what keeps a connection, as amavis does, is to be restarted after a reload`
    },
    look: backFilterFaults,
  },
  {
    name: 'way-back-options',
    good: () => words`its restrictions and options are those of the sample`,
    look: backOptionFaults,
  },
  {
    name: 'way-back-processes',
    good: () => words`it has at least as many processes as the gate`,
    look: (facts) => {
      const limitOf = (service: Service): number => {
        const text =
          service.processLimit === '-' ? facts.main.get('default_process_limit') : service.processLimit
        return Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text)
      }
      const gate = gateOf(facts)
      if (gate === undefined) return []
      return waysBack(facts).flatMap((service): Fault[] => {
        if (limitOf(service) >= limitOf(gate)) return []
        const what = words`${service.id} has ${limitOf(service)} processes, ${gate.id} ${limitOf(gate)}`
        const wanted = Number.isFinite(limitOf(gate)) ? 2 * limitOf(gate) : 0
        return [
          {
            level: 'warning',
            what,
            why: words`the gate waits for itself: under load mail is deferred`,
            mend: [postconf(facts, '-F', `${service.id}/process_limit=${wanted}`)],
            affects: words`nobody: this host may run more processes of it`,
          },
        ]
      })
    },
  },
]
