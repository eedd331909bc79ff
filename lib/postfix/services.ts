/** The ways: which services of Postfix take mail, which of them hand it to the gate, and which take it back. Pure. */

import type { LaneFiles } from '../express/tables.js'
import { splitList } from './braces.js'
import { hostOf, portOf, type Service } from './mastercf.js'
import { gateOf, type Setup, settingOf } from './settings.js'

function isLoopback(host: string): boolean {
  return /^127\.[\d.]+$/.test(host) || host === '::1' || host === 'localhost'
}

/** Whether only this host can connect. */
export function isLocalOnly(facts: Setup, service: Service): boolean {
  const host = hostOf(service)
  const hosts = host === '' ? splitList(facts.main.get('inet_interfaces') ?? '') : [host]
  return hosts.every((one) => isLoopback(one) || one === 'loopback-only')
}

export function isServer(service: Service): boolean {
  return service.program === 'smtpd' && (service.type === 'inet' || service.type === 'pass')
}

/** Whether it takes what programs of this host hand over without SMTP. */
export function isPickup({ program }: Service): boolean {
  return program === 'pickup' || program === 'qmqpd'
}

/** Services on the port that the configuration names as the way back. */
export function waysBack(facts: Setup): Service[] {
  const { reinject } = facts.toeh
  return facts.services.filter(
    (service) =>
      reinject !== undefined && service.type === 'inet' && portOf(service) === String(reinject.port),
  )
}

/** What takes back what the gate sends on: pickup where that is done by sendmail(1). */
export function takersBack(facts: Setup): Service[] {
  if (facts.toeh.reinject !== undefined) return waysBack(facts)
  return facts.services.filter(({ program }) => program === 'pickup')
}

export function takesFromOutside(service: Service): boolean {
  return isServer(service) && (service.type === 'pass' || ['smtp', '25'].includes(portOf(service)))
}

/** Where people hand their mail over (RFC 6409, RFC 8314), whatever address it is on. */
const SUBMISSION_PORTS = ['submission', '587', 'submissions', 'smtps', '465']

/** The services that people submit by. */
export function peoplesServices(facts: Setup): Service[] {
  const back = waysBack(facts)
  return facts.services.filter(
    (service) => isServer(service) && SUBMISSION_PORTS.includes(portOf(service)) && !back.includes(service),
  )
}

/** Services that take the company's own mail by SMTP. */
export function submissions(facts: Setup): Service[] {
  const back = waysBack(facts)
  return facts.services.filter(
    (service) => isServer(service) && !takesFromOutside(service) && !back.includes(service),
  )
}

/** The beginning of a `transport:nexthop` that leads to the gate. */
export function gatePrefix(facts: Pick<Setup, 'services' | 'expected'>): string {
  return `${gateOf(facts)?.name ?? facts.expected.gate.name}:`
}

/** Whether all its mail is handed to the gate, by content_filter or by a FILTER action (access(5)). */
export function isFiltered(facts: Setup, service: Service): boolean {
  const gate = gatePrefix(facts)
  if (settingOf(facts, service, 'content_filter').startsWith(gate)) return true
  return [...service.options].some(
    ([name, value]) => name.endsWith('_restrictions') && value.includes(`FILTER ${gate}`),
  )
}

/** Whether a service is set up as FILTER_README has it for what another filter hands back: all was looked at before. */
export function isReturn({ options }: Service): boolean {
  return (
    splitList(options.get('receive_override_options') ?? '').includes('no_unknown_recipient_checks') ||
    options.get('local_recipient_maps') === ''
  )
}

/** The services that ask the express lane. */
export function laneServices({
  services,
  lane,
}: Pick<Setup, 'services'> & { lane: { files: LaneFiles } }): Service[] {
  return services.filter(
    ({ program, options }) =>
      program === 'smtpd' &&
      [...options.values()].some((value) => value.includes(`sqlite:${lane.files.map}`)),
  )
}

/** The service of cleanup(8) that a service hands its mail to; undefined where master.cf has none of that name. */
export function cleanupOf(facts: Setup, service: Service): Service | undefined {
  const name = settingOf(facts, service, 'cleanup_service_name') || 'cleanup'
  return facts.services.find((one) => one.type === 'unix' && one.name === name)
}

/** Whether a service's receive_override_options have this word. */
export function overrides(facts: Setup, service: Service, word: string): boolean {
  return splitList(settingOf(facts, service, 'receive_override_options')).includes(word)
}

/** The copy gains a Received header; Postfix's limit there must leave room for it. Bytes. */
export const HEADROOM = 100_000
