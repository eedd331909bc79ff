/**
 * Restrictions: what smtpd(8) would do with a message, by the lists of SMTPD_ACCESS_README, the tables they ask (access(5))
 * and the restriction classes they name. What nobody can know here, such as who the sender will be, is taken to be either
 * way, so that a message may have several fates; a refusal that may not come is taken not to come. Pure.
 *
 * It is long because smtpd's lists are evaluated as one, and a model in pieces would be wrong in pieces.
 */

import type { LaneFiles } from '../express/tables.js'
import { covers, isLoopbackNetwork, isMapped, type Network, parseNetwork } from '../mail/network.js'
import { words } from '../text/translate.js'
import { splitList } from './braces.js'
import { ACTION, accessTables, actionOf, besideLane, DISCARD_MAPS, RESTRICTIONS } from './diversion.js'
import { sourceOf, type TableEntry } from './lookuptable.js'
import type { Service } from './mastercf.js'
import { gatePrefix, isLocalOnly, takesFromOutside } from './services.js'
import type { Setup } from './settings.js'
import { settingOf, type Tabled } from './settings.js'

/** What is looked at; the express lane's own tables decide nothing here. */
export type Restricted = Tabled & { lane: { files: LaneFiles } }

/** Who hands a message over, as far as restrictions tell clients apart. */
export interface Client {
  /** As it is said to people: a network, or in words. */
  label: string
  /** Undefined for one of whom nobody has written down an address. */
  network: Network | undefined
  /** A name that a table of clients has. */
  host?: string
  /** Whether permit_mynetworks means it. */
  inside: boolean
  login: boolean
  certificate: boolean
}

/** One way a message that is taken may go. */
export interface Fate {
  /** `transport:nexthop` of the filter it is handed to; empty for none. */
  filter: string
  /** What has ended a list before its end: `permit_mynetworks`, a table. */
  permits: readonly string[]
}

/** Where the message is to go: to a domain of our own, or to any other. */
type Destination = 'own' | 'foreign'

interface Branches {
  permitted: Fate[]
  open: Fate[]
}

/** What an EHLO does not offer: for everybody, and by tables of clients. */
export const DISCARD = 'smtpd_discard_ehlo_keywords'

/** Words that take one more, and refuse or let be. */
const WITH_ARGUMENT = /^(?:reject_rbl_client|reject_rhsbl_\w+|permit_dnswl_client|permit_rhswl_client|sleep)$/

/** Patterns that every key matches. */
const EVERYTHING = ['', '/./', '/^/', '/.*/', '/^.*/', '/^.*$/', '/$/', '0.0.0.0/0']

function distinct(fates: readonly Fate[]): Fate[] {
  return [...new Map(fates.map((fate) => [`${fate.filter}\0${fate.permits.join('\0')}`, fate])).values()]
}

/** What mynetworks says, in its order: networks, and what is a table or a file. */
function mynetworksOf(
  facts: Restricted,
  service: Service,
): { networks: [Network, boolean][]; others: string[] } {
  const networks: [Network, boolean][] = []
  const others: string[] = []
  for (const word of splitList(settingOf(facts, service, 'mynetworks'))) {
    const isNot = word.startsWith('!')
    const network = parseNetwork(word.slice(isNot ? 1 : 0))
    if (network === undefined) others.push(word)
    else networks.push([network, !isNot])
  }
  return { networks, others }
}

function isInside(networks: readonly [Network, boolean][], network: Network): boolean {
  return networks.find(([one]) => covers(one, network))?.[1] ?? false
}

/** The network that a key of a table of clients means: `192.0.2` is `192.0.2.0/24` (access(5)). */
function networkOfKey(key: string): Network | undefined {
  const octets = key.split('.')
  const isPrefix = octets.length < 4 && /^\d{1,3}(?:\.\d{1,3}){0,2}$/.test(key)
  if (!isPrefix) return parseNetwork(key)
  return parseNetwork(`${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${8 * octets.length}`)
}

const CHANGES_NOTHING = /^(?:DUNNO|REJECT|DEFER|DISCARD|WARN|INFO|PREPEND|HOLD|DELAY|[45]\d\d)\b/i

/** The networks of a table's keys, each read once: a table may have tens of thousands, and many are asked about. */
const networksByTable = new WeakMap<readonly TableEntry[], (Network | undefined)[]>()

function networksOfKeys(entries: readonly TableEntry[]): (Network | undefined)[] {
  const known = networksByTable.get(entries)
  if (known !== undefined) return known
  const networks = entries.map(({ key }) => networkOfKey(key.replace(/^!/, '')))
  networksByTable.set(entries, networks)
  return networks
}

/** The tables of clients that a service's lists ask, and what these answer. */
function clientKeys(facts: Restricted, service: Service): string[] {
  const found = new Set<string>()
  const take = (table: string): void => {
    // Whom it refuses or says nothing of is nobody apart: a list of those may be long.
    for (const { key, value } of facts.answers.get(table) ?? [])
      if (!CHANGES_NOTHING.test(value)) found.add(key)
  }
  const walk = (setting: string, list: string, seen: ReadonlySet<string>): void => {
    const names = splitList(list)
    for (let at = 0; at < names.length; at++) {
      const name = names[at] ?? ''
      if (/^check_client_access$/i.test(name)) take(names[++at] ?? '')
      else if (name.includes(':') && kindOf(setting) === 'client') take(name)
      else if (/^\w+$/.test(name) && !seen.has(name))
        walk(setting, facts.main.get(name) ?? '', new Set([...seen, name]))
    }
  }
  for (const name of RESTRICTIONS) walk(name, settingOf(facts, service, name), new Set())
  return [...found]
}

function asksCertificates(facts: Restricted, service: Service): boolean {
  return RESTRICTIONS.some((name) => /\bpermit_tls_/.test(settingOf(facts, service, name)))
}

/** Everybody whom a service may treat in a way of his own. */
export function clientsOf(facts: Restricted, service: Service): Client[] {
  const plain = { inside: false, login: false, certificate: false }
  const { networks, others } = mynetworksOf(facts, service)
  // Port 25 may be reached through something that stands before it, whatever address it is on.
  const isLocal = isLocalOnly(facts, service) && !takesFromOutside(service)
  const hasLogin = settingOf(facts, service, 'smtpd_sasl_auth_enable') === 'yes'
  const known: Client[] = []
  const take = (network: Network, label: string): void => {
    if (isMapped(network) || (isLocal && !isLoopbackNetwork(network))) return
    if (known.some((one) => one.network !== undefined && sameNetwork(one.network, network))) return
    known.push({ ...plain, label, network, inside: isInside(networks, network) })
  }
  for (const word of splitList(settingOf(facts, service, 'mynetworks'))) {
    const network = parseNetwork(word)
    if (network !== undefined) take(network, word)
  }
  const loopback = parseNetwork('127.0.0.1')
  if (loopback !== undefined && !known.some(({ network }) => network && covers(network, loopback)))
    take(loopback, '127.0.0.1')
  const hosts: Client[] = []
  for (const key of clientKeys(facts, service)) {
    const network = networkOfKey(key)
    if (network !== undefined && network.length > 0) take(network, key)
    else if (/^\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(key) && !isLocal)
      hosts.push({ ...plain, label: key, network: undefined, host: key.toLowerCase() })
  }
  const inTables = others.map((label) => ({ ...plain, label, network: undefined, inside: true }))
  const strangers: Client[] = [
    ...(hasLogin ? [{ ...plain, label: words`whoever logs in`, network: undefined, login: true }] : []),
    ...(asksCertificates(facts, service)
      ? [{ ...plain, label: words`whoever has a certificate`, network: undefined, certificate: true }]
      : []),
    ...(isLocal ? [] : [{ ...plain, label: words`anybody`, network: undefined }]),
  ]
  return [...strangers, ...known, ...inTables, ...hosts]
}

function sameNetwork(one: Network, other: Network): boolean {
  return covers(one, other) && covers(other, one)
}

/** Whether only processes of this host are meant. */
export function isOfThisHost({ network, login, certificate }: Client): boolean {
  return network !== undefined && isLoopbackNetwork(network) && !login && !certificate
}

class Reading {
  readonly #facts: Restricted
  readonly #service: Service
  readonly #client: Client
  readonly #destination: Destination
  readonly #classes: ReadonlySet<string>
  #depth = 0

  constructor(facts: Restricted, service: Service, client: Client, destination: Destination) {
    this.#facts = facts
    this.#service = service
    this.#client = client
    this.#destination = destination
    this.#classes = new Set(splitList(settingOf(facts, service, 'smtpd_restriction_classes')))
  }

  /** One of smtpd's own lists: whoever comes to its end is let through, as whoever is permitted. */
  whole(setting: string, fates: readonly Fate[]): Fate[] {
    const isEarly =
      /_(?:client|helo)_/.test(setting) &&
      settingOf(this.#facts, this.#service, 'smtpd_delay_reject') === 'no'
    const { permitted, open } = this.#list(setting, settingOf(this.#facts, this.#service, setting), fates)
    const all = distinct([...permitted, ...open])
    // There is no message yet in the context of these commands, and smtpd(8) passes over a FILTER.
    return isEarly ? (all.length === 0 ? [] : [...fates]) : all
  }

  #list(setting: string, text: string, fates: readonly Fate[]): Branches {
    let open = [...fates]
    const permitted: Fate[] = []
    const names = splitList(text)
    let isOnlyWarning = false
    const permit = (word: string): void => {
      permitted.push(...open.map((fate) => ({ ...fate, permits: [...fate.permits, word] })))
    }
    for (let at = 0; at < names.length && open.length > 0; at++) {
      const name = names[at] ?? ''
      const word = name.toLowerCase()
      const wasOnlyWarning = isOnlyWarning
      isOnlyWarning = word === 'warn_if_reject'
      if (isOnlyWarning) continue
      if (this.#isPermit(word)) {
        permit(name)
        open = []
      } else if (this.#isReject(word)) {
        if (!wasOnlyWarning) open = []
      } else if (this.#mayPermit(word)) permit(name)
      else if (word === 'check_policy_service') at++
      else if (/^check_\w+_access$/.test(word) || (name.includes(':') && !name.startsWith('{'))) {
        const kind = name.includes(':') ? kindOf(setting) : word.slice('check_'.length, -'_access'.length)
        const table = name.includes(':') ? name : (names[++at] ?? '')
        const done = this.#ask(setting, kind, table, open)
        permitted.push(...done.permitted)
        open = done.open
      } else if (this.#classes.has(name)) {
        const done = this.#inner(setting, settingOf(this.#facts, this.#service, name), open)
        permitted.push(...done.permitted)
        open = done.open
      }
      if (WITH_ARGUMENT.test(word)) at++
      open = distinct(open)
    }
    return { permitted: distinct(permitted), open }
  }

  /** A list within a list; Postfix ends one that names itself. */
  #inner(setting: string, text: string, fates: readonly Fate[]): Branches {
    if (this.#depth > 20) return { permitted: [], open: [...fates] }
    this.#depth++
    const done = this.#list(setting, text, fates)
    this.#depth--
    return done
  }

  #isPermit(word: string): boolean {
    const { inside, login, network } = this.#client
    switch (word) {
      case 'permit':
        return true
      case 'permit_mynetworks':
        return inside
      case 'permit_sasl_authenticated':
        return login && settingOf(this.#facts, this.#service, 'smtpd_sasl_auth_enable') === 'yes'
      case 'permit_auth_destination':
        return this.#destination === 'own'
      case 'permit_inet_interfaces':
        return network !== undefined && isLoopbackNetwork(network)
    }
    return false
  }

  #mayPermit(word: string): boolean {
    if (/^permit_tls_/.test(word)) return this.#client.certificate
    return /^permit_(?:dnswl_client|rhswl_client|naked_ip_address)$/.test(word)
  }

  #isReject(word: string): boolean {
    if (['reject', 'defer'].includes(word)) return true
    return (
      ['reject_unauth_destination', 'defer_unauth_destination', 'check_relay_domains'].includes(word) &&
      this.#destination === 'foreign'
    )
  }

  /** What a table answers, with what that does. */
  #ask(setting: string, kind: string, table: string, fates: readonly Fate[]): Branches {
    if (besideLane(this.#facts, [{ setting, table }]).length === 0) return { permitted: [], open: [...fates] }
    const { values, isCertain } = this.#answers(kind, table)
    const all: Branches[] = [...new Set(values)].map((value) => this.#act(setting, table, value, fates))
    if (!isCertain) all.push({ permitted: [], open: [...fates] })
    return {
      permitted: all.flatMap(({ permitted }) => permitted),
      open: distinct(all.flatMap(({ open }) => open)),
    }
  }

  #act(setting: string, table: string, value: string, fates: readonly Fate[]): Branches {
    const text = value.trim()
    const act = actionOf(text)
    if (act?.action === 'FILTER')
      return { permitted: [], open: fates.map((fate) => ({ ...fate, filter: act.target })) }
    if (/^(?:OK|\d+)$/i.test(text))
      return { permitted: fates.map((fate) => ({ ...fate, permits: [...fate.permits, table] })), open: [] }
    if (/^(?:REJECT|DEFER|DISCARD|[45]\d\d)(?:\s|$)/i.test(text)) return { permitted: [], open: [] }
    if (ACTION.test(text)) return { permitted: [], open: [...fates] }
    return this.#inner(setting, text, fates)
  }

  /** What a list of tables answers of a client: the first answer there is; undefined where there is none, or may be none. */
  firstOf(tables: readonly string[]): string | undefined {
    for (const table of tables) {
      const { values, isCertain } = this.#answers('client', table)
      if (values.length > 0) return isCertain ? values[0] : undefined
    }
    return undefined
  }

  /** `isCertain`: one of these it will be. */
  #answers(kind: string, table: string): { values: string[]; isCertain: boolean } {
    const source = sourceOf(table)
    // Of a pipe only the last table's answers count, where every one before has an answer.
    if (/^pipemap:/.test(table) && source.kind === 'parts') {
      const parts = source.tables.map((part) => this.#answers(kind, part))
      const isNone = parts.some(({ values }) => values.length === 0)
      return isNone
        ? { values: [], isCertain: false }
        : { values: parts.at(-1)?.values ?? [], isCertain: parts.every(({ isCertain }) => isCertain) }
    }
    if (kind === 'sasl' && !this.#client.login) return { values: [], isCertain: false }
    if (kind === 'ccert' && !this.#client.certificate) return { values: [], isCertain: false }
    const entries = this.#facts.answers.get(table) ?? (source.kind === 'written' ? source.entries : [])
    const values: string[] = []
    const networks = kind === 'client' ? networksOfKeys(entries) : []
    for (const [at, entry] of entries.entries()) {
      const matches = this.#matches(kind, table, entry, networks[at])
      if (matches === 'no') continue
      values.push(entry.value)
      if (matches === 'yes') return { values, isCertain: true }
    }
    return { values, isCertain: false }
  }

  #matches(
    kind: string,
    table: string,
    { key }: TableEntry,
    own: Network | undefined,
  ): 'yes' | 'no' | 'maybe' {
    if (EVERYTHING.includes(key)) return 'yes'
    const isPattern = /^(?:regexp|pcre):/.test(table)
    if (isPattern) return 'maybe'
    if (kind === 'client') return this.#matchesClient(key, own)
    if (kind === 'recipient') {
      const domain = key.slice(key.lastIndexOf('@') + 1).toLowerCase()
      const isOwn = this.#facts.toeh.internal.includes(domain)
      // A key of our own domain says nothing of mail to others.
      if (domain !== '' && domain.includes('.') && isOwn !== (this.#destination === 'own')) return 'no'
    }
    return 'maybe'
  }

  #matchesClient(key: string, own: Network | undefined): 'yes' | 'no' | 'maybe' {
    const { network, host } = this.#client
    if (own === undefined) {
      const name = key.toLowerCase().replace(/^\./, '')
      return host !== undefined && (host === key.toLowerCase() || host.endsWith(`.${name}`)) ? 'yes' : 'no'
    }
    if (key.startsWith('!')) return network === undefined || !covers(own, network) ? 'yes' : 'no'
    if (network === undefined) return 'no'
    return covers(own, network) ? 'yes' : covers(network, own) ? 'maybe' : 'no'
  }
}

/** What `type:name` alone is short for, in a list. */
function kindOf(setting: string): string {
  const [, list = ''] = /^smtpd_(\w+?)_restrictions$/.exec(setting) ?? []
  return ['client', 'helo', 'sender', 'recipient', 'etrn'].includes(list) ? list : 'recipient'
}

/** Every way a message of this client may go that is not refused; none where all are. */
export function fatesOf(
  facts: Restricted,
  service: Service,
  client: Client,
  destination: Destination,
): Fate[] {
  const reading = new Reading(facts, service, client, destination)
  let fates: Fate[] = [{ filter: settingOf(facts, service, 'content_filter'), permits: [] }]
  for (const setting of RESTRICTIONS) fates = reading.whole(setting, fates)
  return fates
}

export function goesToGate(facts: Pick<Setup, 'services' | 'expected'>, { filter }: Fate): boolean {
  return filter.startsWith(gatePrefix(facts))
}

/** What smtpd(8) does not offer a client when it says EHLO, in lower case. */
export function discardedFor(facts: Restricted, service: Service, client: Client): string[] {
  const tables = splitList(settingOf(facts, service, DISCARD_MAPS))
  const own = settingOf(facts, service, DISCARD)
  const said = new Reading(facts, service, client, 'foreign').firstOf(tables) ?? own
  return splitList(said.toLowerCase())
}

/**
 * Where a client's mail goes by although a FILTER to the gate is there: what stands before it, or the setting in which a
 * table asks for it on a condition; undefined where nothing leads to the gate.
 */
export function whatPassesBy(facts: Restricted, service: Service, client: Client): string | undefined {
  const leading = accessTables(facts, service).tables.filter(({ table }) =>
    (facts.answers.get(table) ?? []).some(({ value }) => {
      const act = actionOf(value)
      return act?.action === 'FILTER' && act.target.startsWith(gatePrefix(facts))
    }),
  )
  const [first] = leading
  if (first === undefined) return undefined
  const { setting } = first
  const isEarly =
    /_(?:client|helo)_/.test(setting) && settingOf(facts, service, 'smtpd_delay_reject') === 'no'
  if (isEarly) return 'smtpd_delay_reject=no'
  const reading = new Reading(facts, service, client, 'foreign')
  const past = reading.whole(setting, [{ filter: '', permits: [] }]).find((fate) => !goesToGate(facts, fate))
  return past?.permits.at(-1) ?? setting
}

/** A client, and what becomes of what it sends outside. */
export interface Passage {
  client: Client
  fates: Fate[]
}

/** Who may send outside by a service: each with the ways that lead to the gate, and with those that go round it. */
export function passages(facts: Restricted, service: Service): { gated: Passage[]; round: Passage[] } {
  const gated: Passage[] = []
  const round: Passage[] = []
  for (const client of clientsOf(facts, service)) {
    const fates = fatesOf(facts, service, client, 'foreign')
    const [seen, unseen] = [true, false].map((wanted) =>
      fates.filter((fate) => goesToGate(facts, fate) === wanted),
    )
    if (seen !== undefined && seen.length > 0) gated.push({ client, fates: seen })
    if (unseen !== undefined && unseen.length > 0) round.push({ client, fates: unseen })
  }
  return { gated, round }
}

/** Whether some of what a service takes from anywhere for our own domains is handed to the gate. */
export function filtersIncoming(facts: Restricted, service: Service): boolean {
  return clientsOf(facts, service)
    .filter(({ network, inside, login, certificate }) => !(network || inside || login || certificate))
    .some((client) => fatesOf(facts, service, client, 'own').some((fate) => goesToGate(facts, fate)))
}

/** Whether all that a service takes for outside is handed to the gate, and it takes some. */
export function isGated(facts: Restricted, service: Service): boolean {
  const { gated, round } = passages(facts, service)
  return gated.length > 0 && round.length === 0
}
