/** The checks on the entrances: where outgoing mail comes in, and what they offer and take. Pure. */

import { covers, parseNetwork } from '../mail/network.js'
import { splitList } from '../postfix/braces.js'
import { portOf, type Service } from '../postfix/mastercf.js'
import { describeClients, networksOf, relayCommand, relayed } from '../postfix/relay.js'
import {
  type Client,
  clientsOf,
  DISCARD,
  discardedFor,
  fatesOf,
  filtersIncoming,
  goesToGate,
  isOfThisHost,
  passages,
  type Restricted,
  whatPassesBy,
} from '../postfix/restrictions.js'
import {
  gatePrefix,
  HEADROOM,
  isFiltered,
  isLocalOnly,
  isPickup,
  isReturn,
  isServer,
  peoplesServices,
  submissions,
  takesFromOutside,
  waysBack,
} from '../postfix/services.js'
import { gateOf, initCommand, postconf, setOption, settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Check, Facts, Fault } from './facts.js'

/** Those with checks of their own, and one that is for the log. */
export const APART = ['content_filter', 'cleanup_service_name', 'syslog_name']

/** The content_filter that leads to the gate. */
function filterOf(facts: Facts): string {
  return `${gateOf(facts)?.name ?? facts.expected.gate.name}:dummy`
}

/** How a service is told of a setting for what would happen then. */
function withSetting(service: Service, name: string, value: string): Service {
  return { ...service, options: new Map([...service.options, [name, value]]) }
}

/** What gives an entrance the gate; nothing where a line would not do it, or would hold incoming mail. */
function mendEntrance(facts: Facts, service: Service): string[] {
  const filter = settingOf(facts, service, 'content_filter')
  if (filter !== '' && !filter.startsWith(gatePrefix(facts)))
    return isPickup(service) || peoplesServices(facts).includes(service) ? [initCommand(facts)] : []
  const mended = withSetting(service, 'content_filter', filterOf(facts))
  const isDone = isPickup(service) || passages(facts, mended).round.length === 0
  if (!isDone || (isServer(service) && handsBack(facts, service))) return []
  return [setOption(facts, service, 'content_filter', filterOf(facts))]
}

/** Whether another filter may hand back its mail there: incoming mail too, which a filter would hold. */
function handsBack(facts: Facts, service: Service): boolean {
  return (
    isLocalOnly(facts, service) &&
    !peoplesServices(facts).includes(service) &&
    facts.services.some((one) => isServer(one) && otherFilter(facts, one) !== '')
  )
}

/** A filter beside the gate that takes a service's mail: amavis, for instance. */
function otherFilter(facts: Facts, service: Service): string {
  const filter = settingOf(facts, service, 'content_filter')
  return filter.startsWith(gatePrefix(facts)) ? settingOf(facts, service, 'smtpd_proxy_filter') : filter
}

function withoutNextHop(facts: Facts, service: Service): Fault[] {
  if (!/^[^:]+:$/.test(settingOf(facts, service, 'content_filter'))) return []
  return [
    {
      level: 'warning',
      what: words`${service.id} has a content_filter without a next hop`,
      why: words`Postfix keeps a queue for each recipient domain and starts the filter once for each`,
      mend: [setOption(facts, service, 'content_filter', filterOf(facts))],
      affects: words`nobody: the same mail goes to the gate, from one queue`,
    },
  ]
}

function pickupFault(facts: Facts, service: Service): Fault[] {
  if (isFiltered(facts, service)) return withoutNextHop(facts, service)
  return [
    {
      level: 'critical',
      what: words`${service.id} does not hand its mail to the gate`,
      why: words`what is sent through it goes to anybody, and nobody is asked`,
      mend: mendEntrance(facts, service),
      affects: words`programs of this host, cron and webmail among them: what they send to recipients nobody knows is held`,
    },
  ]
}

function entranceFault(facts: Facts, service: Service): Fault[] {
  const proxy = settingOf(facts, service, 'smtpd_proxy_filter')
  if (proxy !== '')
    return [
      {
        level: 'critical',
        what: words`${service.id} has ${'smtpd_proxy_filter'}=${proxy}`,
        why: words`its mail goes there, and neither content_filter nor a FILTER action sees any: let that filter hand it on to a service with content_filter=${filterOf(facts)}`,
        mend: [],
      },
    ]
  const { gated, round } = passages(facts, service)
  if (isFiltered(facts, service) && handsBack(facts, service) && isReturn(service) && gated.length > 0)
    return [
      {
        level: 'critical',
        what: words`${service.id} hands to the gate what another filter hands back`,
        why: words`that is incoming mail as well, and what of it leads outside has a foreign sender and is held. Let the entrances have the gate, and the way back that filter (docs/postfix.md); restart that filter after the reload, or mail goes in a circle on the connection that it keeps open, until Postfix refuses it`,
        mend: [setOption(facts, service, 'content_filter', ''), initCommand(facts)],
        affects: words`incoming mail: it is not held any more; and whoever sends by the entrances: their mail meets the gate before the other filter`,
      },
    ]
  const [first] = round
  if (first === undefined) return gated.length > 0 ? withoutNextHop(facts, service) : []
  const isLocal = round.every(({ client }) => isOfThisHost(client))
  const who = describeClients(round.map(({ client }) => client))
  const filter = first.fates[0]?.filter ?? ''
  const past = whatPassesBy(facts, service, first.client)
  const isSome = gated.length > 0 || past !== undefined
  return [
    {
      level: isLocal ? 'warning' : 'critical',
      what:
        filter !== ''
          ? words`${service.id} hands mail to ${filter}, and not to the gate (${who})`
          : isSome
            ? words`${service.id} hands only some of its mail to the gate: ${past ?? 'FILTER'} comes before its FILTER`
            : words`${service.id} does not hand its mail to the gate`,
      why: isSome
        ? words`what does not come to the FILTER goes to anybody, and nobody is asked`
        : isLocal
          ? words`any process on this host sends to anybody through it`
          : words`what is sent through it goes to anybody, and nobody is asked`,
      mend: mendEntrance(facts, service),
      affects: words`${who}: what they send by ${service.id} to recipients nobody knows is held`,
    },
  ]
}

/** What port 25 does with mail that is not for us, and with mail that is. */
function relayFault(facts: Facts, service: Service): Fault[] {
  const unfiltered = withSetting(service, 'content_filter', '')
  const round = relayed(facts, filtersIncoming(facts, service) ? unfiltered : service)
  const relay = relayCommand(facts, networksOf(round), '--apply')
  // Who is in mynetworks or logs in is whom the command names; what else lets somebody relay is for a person to take out.
  const isNamed = round.every(({ inside, login, network }) => login || (inside && network !== undefined))
  const faults: Fault[] = []
  if (filtersIncoming(facts, service))
    faults.push({
      level: 'critical',
      what: words`${service.id} hands mail from outside to the gate`,
      why: words`its senders are foreign: all incoming mail is held`,
      mend: filtersIncoming(facts, unfiltered)
        ? []
        : [setOption(facts, service, 'content_filter', ''), ...(round.length > 0 && isNamed ? [relay] : [])],
      affects: words`whoever writes to us from outside: their mail comes in and is not held any more`,
    })
  else if (round.length > 0)
    faults.push({
      level: round.every(isOfThisHost) ? 'warning' : 'critical',
      what: words`${service.id} relays for ${describeClients(round)}, without the gate`,
      why: isNamed
        ? words`who sends there instead of to submission goes round the gate`
        : words`who sends there goes round the gate: take out what lets them, then toeh init --postfix --relay`,
      mend: isNamed ? [relay] : [],
      affects: words`${describeClients(round)}: they go on sending by ${service.id}, and what they send to recipients nobody knows is held`,
    })
  return faults
}

/** Ports by their names in master.cf. */
const PORTS: Record<string, string> = { smtp: '25', submission: '587', submissions: '465', smtps: '465' }

/** What programs of this host hand over by SMTP where the gate does not stand. */
export function injectorFaults(facts: Restricted & Pick<Facts, 'injectors'>): Fault[] {
  const loopback = parseNetwork('127.0.0.1')
  const client = { label: '127.0.0.1', network: loopback, inside: false, login: false, certificate: false }
  return facts.injectors.flatMap(({ program, setting, host, port }): Fault[] => {
    const isHere =
      /^(?:127\.[\d.]+|::1|localhost)$/.test(host) || host === (facts.main.get('myhostname') ?? '')
    if (!isHere) return []
    const [service] = facts.services.filter(
      (one) => isServer(one) && (one.type === 'pass' ? '25' : (PORTS[portOf(one)] ?? portOf(one))) === port,
    )
    if (service === undefined) return []
    const inside = clientsOf(facts, service).some(
      (one) => one.inside && one.network && loopback && covers(one.network, loopback),
    )
    // Whoever hands mail to submission has a login.
    const fates = [
      { ...client, inside },
      { ...client, inside, login: true },
    ].flatMap((one) => fatesOf(facts, service, one, 'foreign'))
    if (fates.every((fate) => goesToGate(facts, fate))) return []
    return [
      {
        level: 'critical',
        what: words`${program} hands mail to ${host}:${port} (${setting}), and ${service.id} hands it to anybody without the gate`,
        why: words`what its users and lists send outside goes round the gate: give that service the gate, or let the program hand its mail to one that has it`,
        mend: [],
      },
    ]
  })
}

/** The services that hand outgoing mail to the gate by SMTP, each with those whose mail it is. */
function entrances(facts: Facts): { service: Service; clients: Client[] }[] {
  const back = waysBack(facts)
  return facts.services
    .filter((service) => isServer(service) && !back.includes(service))
    .map((service) => ({ service, clients: passages(facts, service).gated.map(({ client }) => client) }))
    .filter(({ service, clients }) => clients.length > 0 || !takesFromOutside(service))
}

/** Where outgoing mail comes in. */
export const ENTRANCE_CHECKS: Check[] = [
  {
    name: 'entrances',
    good: () =>
      words`submission, submissions and whatever else takes outgoing mail by SMTP hand it to the gate`,
    look: (facts) => submissions(facts).flatMap((service) => entranceFault(facts, service)),
  },
  {
    name: 'pickup',
    good: () => words`mail of sendmail(1) goes to the gate, and not in a circle`,
    look: (facts) =>
      facts.services
        .filter(({ program }) => program === 'pickup' || program === 'qmqpd')
        .flatMap((service): Fault[] => {
          if (facts.toeh.reinject !== undefined) return pickupFault(facts, service)
          if (settingOf(facts, service, 'content_filter') === '') return []
          return [
            {
              level: 'critical',
              what: words`${service.id} has a content_filter, and sendmail is the way on`,
              why: words`what the gate sends on comes back to it: mail goes in a circle until Postfix has counted enough`,
              mend: [setOption(facts, service, 'content_filter', '')],
              affects: words`programs of this host: what they send goes out, and nobody is asked`,
            },
          ]
        }),
  },
  {
    name: 'port-25',
    good: () => words`port 25 takes no outgoing mail that the gate does not see`,
    look: (facts) => facts.services.filter(takesFromOutside).flatMap((service) => relayFault(facts, service)),
  },
  {
    name: 'injectors',
    good: () => words`no program of this host hands mail over where the gate does not stand`,
    look: injectorFaults,
  },
]

/** What the entrances offer and take. */
export const OFFER_CHECKS: Check[] = [
  {
    name: 'dsn',
    good: () =>
      words`whoever hands over outgoing mail by SMTP is not offered DSN, which does not survive pipe(8); sendmail -N success still gets a receipt for what is held`,
    look: (facts) =>
      entrances(facts).flatMap(({ service, clients }): Fault[] => {
        const offers = (one: Service): boolean =>
          clients.length === 0
            ? !splitList(settingOf(facts, one, DISCARD).toLowerCase()).includes('dsn')
            : clients.some((client) => !discardedFor(facts, one, client).includes('dsn'))
        if (!offers(service)) return []
        const keywords = splitList(settingOf(facts, service, DISCARD).toLowerCase())
        const wanted = [...new Set(['silent-discard', ...keywords, 'dsn'])].join()
        const isMended = !offers(withSetting(service, DISCARD, wanted))
        return [
          {
            level: 'warning',
            what: words`${service.id} offers DSN`,
            why: words`who asks for a delivery receipt is told that mail was delivered which the gate holds`,
            mend: takesFromOutside(service)
              ? [relayCommand(facts, networksOf(clients), '--apply')]
              : isMended
                ? [setOption(facts, service, DISCARD, wanted)]
                : [],
            affects: words`whoever asks ${service.id} for a delivery receipt: they get none`,
          },
        ]
      }),
  },
  {
    name: 'size-limits',
    good: () => words`the entrances take at least ${HEADROOM / 1000} kB less than the way back`,
    look: (facts) => {
      const limitOf = (service: Service): number => {
        const limit = Number(settingOf(facts, service, 'message_size_limit'))
        return limit === 0 ? Number.POSITIVE_INFINITY : limit
      }
      const backs = waysBack(facts)
      const back = Math.min(...backs.map(limitOf))
      return entrances(facts).flatMap(({ service }): Fault[] => {
        if (back === Number.POSITIVE_INFINITY) return []
        if (limitOf(service) <= back - HEADROOM) return []
        const isPort25 = takesFromOutside(service)
        const raised = Number.isFinite(limitOf(service)) ? limitOf(service) + HEADROOM : 0
        return [
          {
            level: 'warning',
            what: words`${service.id} takes ${limitOf(service)} bytes, the way back ${back}`,
            why: words`a message that has just fitted is refused behind the gate, and parked`,
            mend: isPort25
              ? backs.map((one) => setOption(facts, one, 'message_size_limit', String(raised)))
              : [setOption(facts, service, 'message_size_limit', String(back - HEADROOM))],
            affects: isPort25
              ? words`nobody: the way back takes larger messages`
              : words`whoever sends more than ${back - HEADROOM} bytes by ${service.id}: it is refused, and not parked`,
          },
        ]
      })
    },
  },
  {
    name: 'queue-ids',
    good: () => words`queue ids are long`,
    look: (facts) => {
      if (facts.main.get('enable_long_queue_ids') === 'yes') return []
      const why = words`short ones come back after a while: lines of the log can no longer be told apart`
      const mend = [postconf(facts, '-e', 'enable_long_queue_ids=yes')]
      const affects = words`programs that read the log: queue ids become longer (docs/postfix.md)`
      return [{ level: 'warning', what: words`enable_long_queue_ids is not yes`, why, mend, affects }]
    },
  },
]
