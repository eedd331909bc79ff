/** The ways' checks: how mail comes to the gate, how it leaves, and what goes round it. Pure. */
import { parseAddress, parseOwnDomain } from './address.js'
import { splitList } from './braces.js'
import type { Check, Facts, Fault } from './facts.js'
import { isDelimiters } from './mailbox.js'
import { lineOf, portOf, type Service } from './mastercf.js'
import { covers, parseNetwork } from './network.js'
import { describeClients, networksOf, relayCommand, relayed } from './relay.js'
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
} from './restrictions.js'
import { ADDRESS_CLASSES, gateOf, initCommand, postconf, quote, type Setup, settingOf } from './setup.js'
import { words } from './speech.js'
import {
  gatePrefix,
  isFiltered,
  isLocalOnly,
  isPickup,
  isReturn,
  isServer,
  peoplesServices,
  submissions,
  takesFromOutside,
  waysBack,
} from './ways.js'

/** The copy gains a Received header; Postfix's limit there must leave room for it. Bytes. */
export const HEADROOM = 100_000

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

/** Those with checks of their own, and one that is for the log. */
const APART = ['content_filter', 'cleanup_service_name', 'syslog_name']

/** The content_filter that leads to the gate. */
function filterOf(facts: Facts): string {
  return `${gateOf(facts)?.name ?? facts.expected.gate.name}:dummy`
}

/** `postconf -P`, which takes no blanks in a value. */
function setOption(facts: Setup, service: Service, name: string, value: string): string {
  return postconf(facts, '-P', `${service.id}/${name}=${value}`)
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

/** Domains of the four address classes; `complete` where no table hides any. */
export function postfixDomains(facts: Facts): { domains: Set<string>; complete: boolean } {
  const domains = new Set<string>()
  let complete = true
  const take = (text: string): void => {
    const domain = parseOwnDomain(text)
    if (domain.plain) domains.add(domain.domain)
  }
  for (const name of ADDRESS_CLASSES) {
    for (const word of splitList(facts.main.get(name) ?? '')) {
      if (!/[:/]/.test(word)) take(word)
      else if (facts.tables.get(word) === undefined) complete = false
      else for (const { key } of facts.tables.get(word) ?? []) take(key)
    }
  }
  return { domains, complete }
}

/** Sets internal_domains, wherever its list ends. */
function setInternal(facts: Facts, domains: readonly string[]): string {
  const list = domains.map((domain) => JSON.stringify(domain)).join(', ')
  const program = `s/^internal_domains\\s*=\\s*\\[.*?\\]/internal_domains = [${list}]/ms`
  return `perl -0pi -e ${quote(program)} ${quote(facts.toeh.path)}`
}

/** Sets recipient_delimiter, above all tables where the file does not have it. */
function setDelimiter(facts: Facts, value: string): string {
  const line = `recipient_delimiter = ${JSON.stringify(value)}`
  // Within Perl's q() these would be more than themselves.
  const text = line.replace(/[\\()]/g, '\\$&')
  const program = `$line = q(${text}); s/^recipient_delimiter *=.*$/$line/m or s/^/$line\\n/`
  return `perl -0pi -e ${quote(program)} ${quote(facts.toeh.path)}`
}

/** Addresses of an alias's right side that lie outside. Commands, files and includes are none. */
function outsideTargets(facts: Facts, value: string): string[] {
  return (value.match(/"[^"]*"|[^\s,]+/g) ?? []).filter((target) => {
    if (/^["|/:]/.test(target) || !target.includes('@')) return false
    const address = parseAddress(target, new Set(facts.toeh.internal))
    return !address.plain || !facts.toeh.internal.includes(address.domain)
  })
}

function aliasFaults(facts: Facts, parameter: string): Fault[] {
  const local = parameter === 'alias_maps'
  return splitList(facts.main.get(parameter) ?? '').flatMap((table): Fault[] => {
    const entries = facts.tables.get(table)
    if (entries === undefined) {
      const why = words`an outside address in it would be a way round the gate: look into it`
      return [{ level: 'unknown', what: words`${parameter}: ${table} cannot be listed`, why, mend: [] }]
    }
    return entries.flatMap(({ key, value }): Fault[] => {
      const outside = outsideTargets(facts, value)
      if (outside.length === 0) return []
      return [
        {
          level: 'warning',
          what: words`${table}: ${key} leads outside, to ${outside.join(' ')}`,
          why: local
            ? words`local(8) expands it behind the gate: mail to this name leaves, and nobody is asked`
            : words`mail from outside to this address, which passes no gate, goes on to there`,
          // It may be wanted, and lead to a partner who is known: a person decides.
          mend: [],
        },
      ]
    })
  })
}

/** What rewrites addresses when mail leaves: senders, as it is meant, and recipients too (generic(5)). */
export const GENERIC = ['smtp_generic_maps', 'lmtp_generic_maps']

function genericFaults(facts: Facts, setting: string): Fault[] {
  const values = [
    facts.main.get(setting) ?? '',
    ...facts.services.flatMap(({ options }) => options.get(setting) ?? []),
  ]
  return [...new Set(values.flatMap(splitList))].flatMap((table): Fault[] => {
    const entries = facts.tables.get(table)
    if (entries === undefined) {
      const why = words`one that rewrites recipients leads mail elsewhere behind the gate: look into it`
      return [{ level: 'unknown', what: words`${setting}: ${table} cannot be listed`, why, mend: [] }]
    }
    return entries
      .filter(({ key }) => key.includes('@') && outsideTargets(facts, key.replace(/^@/, 'x@')).length > 0)
      .map(({ key, value }) => ({
        level: 'warning',
        what: words`${table}: ${key} is rewritten to ${value} when mail leaves`,
        why: words`mail to this recipient goes on under another name, and nobody is asked about that`,
        mend: [],
      }))
  })
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

export const WAYS_CHECKS: Check[] = [
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
  {
    name: 'internal-domains',
    good: () => words`internal_domains are Postfix's own domains`,
    look: (facts) => {
      const { domains, complete } = postfixDomains(facts)
      const { internal, path } = facts.toeh
      const missing = [...domains].filter((domain) => !internal.includes(domain))
      const extra = internal.filter((domain) => !domains.has(domain))
      const kept = complete ? internal.filter((domain) => domains.has(domain)) : internal
      // With no domain left there would be no configuration.
      const mend = domains.size === 0 ? [] : [setInternal(facts, [...kept, ...missing])]
      const faults: Fault[] = []
      if (extra.length > 0) {
        faults.push({
          level: complete ? 'critical' : 'unknown',
          what: complete
            ? words`${path} has ${extra.join(' ')} as internal, Postfix does not`
            : words`${path} has ${extra.join(' ')} as internal, Postfix does not name it outside its tables`,
          why: words`mail to there leaves this host, and nobody is asked`,
          mend: complete ? mend : [],
          affects: words`whoever writes to ${extra.join(' ')}: it is held where nobody knows the recipient`,
        })
      }
      if (missing.length > 0) {
        faults.push({
          level: 'warning',
          what: words`${missing.join(' ')} is Postfix's own, and not in internal_domains of ${path}`,
          why: words`mail between colleagues is held, and mail from there is from a foreign sender`,
          mend,
          affects: words`mail to and from ${missing.join(' ')}: it is our own, and what goes there passes`,
        })
      }
      return faults
    },
  },
  {
    name: 'recipient-delimiter',
    good: () => words`recipient_delimiter is Postfix's own`,
    look: (facts) => {
      const { delimiters, path } = facts.toeh
      const value = facts.main.get('recipient_delimiter') ?? ''
      // What the configuration does not take is left unknown.
      const mend = isDelimiters(value) ? [setDelimiter(facts, value)] : []
      const affects = words`people with an address extension: rules and approvals for their address count for these, too`
      if (delimiters === undefined) {
        const what = words`${path} does not say what recipient_delimiter is in Postfix`
        const why = words`a block for anna holds anna.smith's mail too, and an allow for anna does not pass what she sends as anna+list`
        return [{ level: 'warning', what, why, mend, affects }]
      }
      const what = words`recipient_delimiter is ${JSON.stringify(delimiters)} in ${path}, and ${JSON.stringify(value)} in Postfix`
      if ([...value].some((sign) => !delimiters.includes(sign))) {
        const why = words`with an address extension people evade blocks for them, approval by two, and the limit on notices`
        return [{ level: 'critical', what, why, mend, affects }]
      }
      if ([...delimiters].every((sign) => value.includes(sign))) return []
      const why = words`mail of one person counts as that of another`
      return [{ level: 'warning', what, why, mend, affects }]
    },
  },
  {
    name: 'aliases',
    good: () => words`no alias of local(8) leads outside`,
    look: (facts) => aliasFaults(facts, 'alias_maps'),
  },
  {
    name: 'virtual-aliases',
    good: () => words`no virtual alias leads outside`,
    look: (facts) => aliasFaults(facts, 'virtual_alias_maps'),
  },
  {
    name: 'generic',
    good: () => words`smtp(8) rewrites no recipient outside`,
    look: (facts) => GENERIC.flatMap((setting) => genericFaults(facts, setting)),
  },
  {
    name: 'forward',
    good: () => words`.forward files are off`,
    look: (facts) => {
      const path = facts.main.get('forward_path') ?? ''
      const transport = facts.main.get('local_transport') ?? ''
      if (path === '' || !/^local(:|$)/.test(transport)) return []
      return [
        {
          level: 'warning',
          what: `forward_path = ${path}`,
          why: words`local(8) expands .forward files behind the gate: everybody with a home folder can send his mail outside`,
          mend: [postconf(facts, '-e', 'forward_path=')],
          affects: words`people with a .forward file: it does not count any more, and their mail stays here`,
        },
      ]
    },
  },
]

/** no_milters may be left out, for a milter that signs behind the gate; no_header_body_checks must be. */
function isEnoughOverride(value: string): boolean {
  const given = splitList(value)
  return (
    ['no_unknown_recipient_checks', 'no_address_mappings'].every((word) => given.includes(word)) &&
    !given.includes('no_header_body_checks')
  )
}

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
