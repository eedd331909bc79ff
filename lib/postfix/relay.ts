/**
 * The relay: port 25 takes mail from the Internet, and in most companies it also takes the mail that servers, printers and
 * programs of the house hand on. One list says who these are, and that all they send outside meets the gate. Pure.
 */

import { covers, isLoopbackNetwork, type Network, networkText, parseNetwork } from '../mail/network.js'
import { words } from '../text/translate.js'
import { splitList } from './braces.js'
import type { TableEntry } from './lookuptable.js'
import type { Service } from './mastercf.js'
import { type Client, clientsOf, fatesOf, goesToGate, passages, type Restricted } from './restrictions.js'
import type { Setup } from './settings.js'
import { instanceCommand, quote, settingOf } from './settings.js'

/** The restriction class by which whoever may relay meets the gate. */
export const RELAY_CLASS = 'toeh_gate'
/** The parameter of main.cf that has the list of port 25: `postconf -P` takes no blanks in a value. */
export const RELAY_PARAMETER = 'toeh_relay_restrictions'
export const RELAY_LIST = 'smtpd_relay_restrictions'
export const CLASSES = 'smtpd_restriction_classes'

/**
 * What the class says. Mail for our own domains is let in as before, and from wherever: its senders are foreign.
 * @param gate the gate's name in master.cf
 */
export function relayClass(gate: string): string {
  return `permit_auth_destination, check_client_access static:{FILTER ${gate}:dummy}, permit`
}

/** The networks that may relay, as the text of a cidr_table(5). */
export function relayTable(networks: readonly Network[], command: string): string {
  return `# Who may relay by port 25, in the order of cidr_table(5). What they send outside meets the gate.
# Written by ${command}; a line more is as good, then: postfix reload
${networks.map((network) => `${networkText(network)} ${RELAY_CLASS}\n`).join('')}`
}

/** Where port 25's list may have an end. */
const ENDS = ['reject_unauth_destination', 'defer_unauth_destination', 'reject', 'defer']

/**
 * A service's list of who may relay, with the gate's class in the place of each permission. All else stays, in its order. Where
 * nobody can log in, nothing is asked of logins: smtpd(8) would warn of that with every mail that comes from the Internet.
 * @param path of the table of {@link relayTable}
 * @param logins whether people log in at any service that takes this list
 */
export function relayList(facts: Restricted, service: Service, path: string, logins: boolean): string {
  const asked = `check_client_access cidr:${path}`
  const own = settingOf(facts, service, RELAY_LIST)
  const recipients = splitList(settingOf(facts, service, 'smtpd_recipient_restrictions'))
  // Before Postfix 2.10 smtpd_recipient_restrictions said this too, and some have left it there.
  const base =
    own.trim() === ''
      ? [...PERMISSIONS.filter((word) => recipients.includes(word)), 'reject_unauth_destination'].join(', ')
      : own
  const known = base.replace(wordPattern('permit_mynetworks'), (_, before) => `${before}${asked}`)
  const list = logins
    ? known.replace(wordPattern('permit_sasl_authenticated'), (_, before) => `${before}${askedOfLogins()}`)
    : known
        .replace(/(^|[\s,])(?:permit_sasl_authenticated(?:$|[\s,]+))+/g, (_, before) => before)
        .replace(/[\s,]+$/, '')
  if (list.includes(`cidr:${path}`)) return list
  return list.replace(wordPattern(`(${ENDS.join('|')})`, ''), (_, before, end) => `${before}${asked}, ${end}`)
}

const PERMISSIONS = ['permit_mynetworks', 'permit_sasl_authenticated']

function askedOfLogins(): string {
  return `check_sasl_access static:{${RELAY_CLASS}}`
}

/** A whole word of a list. */
function wordPattern(word: string, flags = 'g'): RegExp {
  return new RegExp(`(^|[\\s,])${word}(?=$|[\\s,])`, flags)
}

/** A setup as it would be with the list, for what would happen then. */
export function withRelay(
  facts: Restricted,
  service: Service,
  { path, networks, list }: { path: string; networks: readonly Network[]; list: string },
): { facts: Restricted; service: Service } {
  const gate = facts.expected.gate.name
  const classes = [settingOf(facts, service, CLASSES), RELAY_CLASS].join(' ')
  const options = new Map([...service.options, [RELAY_LIST, list], [CLASSES, classes]])
  const entries = networks.map((network) => ({ key: networkText(network), value: RELAY_CLASS }))
  return {
    facts: {
      ...facts,
      main: new Map([...facts.main, [RELAY_CLASS, relayClass(gate)]]),
      // What stands in a table's name needs no listing.
      answers: new Map<string, readonly TableEntry[] | undefined>([
        ...facts.answers,
        [`cidr:${path}`, entries],
      ]),
    },
    service: { ...service, options },
  }
}

/** Who may send outside by a service and goes round the gate. */
export function relayed(facts: Restricted, service: Service): Client[] {
  return passages(facts, service).round.map(({ client }) => client)
}

/** Who may send outside today and may not any more, or not from every address. */
export function shutOut(
  before: { facts: Restricted; service: Service },
  after: { facts: Restricted; service: Service },
  networks: readonly Network[],
): Client[] {
  return clientsOf(before.facts, before.service).filter((client) => {
    if (fatesOf(before.facts, before.service, client, 'foreign').length === 0) return false
    const { network } = client
    if (network !== undefined) return !networks.some((one) => covers(one, network))
    return !fatesOf(after.facts, after.service, client, 'foreign').some((fate) =>
      goesToGate(after.facts, fate),
    )
  })
}

/** The networks among clients that permit_mynetworks means: they are what --relay can name. */
export function networksOf(clients: readonly Client[]): Network[] {
  const all = clients.flatMap(({ network, inside }) => (inside && network !== undefined ? [network] : []))
  return all.filter((one) => !all.some((other) => other !== one && covers(other, one)))
}

/** toeh init with the relay: what puts the gate there for these networks. */
export function relayCommand(
  { configDir, toeh }: Pick<Setup, 'configDir' | 'toeh'>,
  networks: readonly Network[],
  ...options: string[]
): string {
  const named = networks.length > 0 ? networks : [parseNetwork('127.0.0.0/8')].flatMap((one) => one ?? [])
  const where = configDir === undefined ? [] : ['--config-dir', configDir]
  return [
    'toeh init --postfix --relay',
    named.map(networkText).join(),
    ...[...options, ...where, '--config', toeh.path].map(quote),
  ].join(' ')
}

/** How many addresses a relay's network may have: shorter ones would be half the Internet. */
const SHORTEST = { 32: 8, 128: 16 }

/** Why a network is not one that may relay; undefined where it is. */
export function networkFault(network: Network): string | undefined {
  if (network.length >= SHORTEST[network.bits] || isLoopbackNetwork(network)) return undefined
  return words`that is half the Internet, and an open relay`
}

export function describeClients(clients: readonly Client[]): string {
  return clients.map(({ label }) => label).join(' ')
}

/** `postfix reload` of this instance. */
export function reloadCommand(facts: Pick<Setup, 'configDir'>): string {
  return instanceCommand(facts, 'postfix', 'reload')
}
