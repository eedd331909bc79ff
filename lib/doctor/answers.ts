/**
 * The check on answers by mail: what keeps an approver's answer from being heard. One that comes through a relay has no login, and
 * one whose Received was taken away is found in the decision log by a long queue id alone. Another filter behind the gate loses both.
 * Pure.
 */

import { covers, isLoopbackNetwork, type Network, networkText, parseNetwork } from '../mail/network.js'
import { contentTables, placeOf } from '../postfix/diversion.js'
import type { Service } from '../postfix/mastercf.js'
import { isOfThisHost, passages, type Restricted } from '../postfix/restrictions.js'
import {
  gatePrefix,
  isServer,
  peoplesServices,
  takersBack,
  takesFromOutside,
  waysBack,
} from '../postfix/services.js'
import { postconf, quote, settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Check, Facts, Fault, ModerateFact } from './facts.js'

/** The Received that the way back writes, as header_checks(5) sees it. */
function receivedOf(host: string): string {
  const end = 'for <x@company.example>; Tue, 24 Nov 2026 12:00:00 +0000 (UTC)'
  return `Received: from toeh-reinject.invalid (localhost [127.0.0.1])\n\tby ${host} (Postfix) with ESMTP id 4jYhFX0000zKm1\n\t${end}`
}

/** Whether a line of header_checks takes that away or writes another: by its pattern, or else by the name in it. */
function takesReceived(pattern: string, value: string, host: string): boolean {
  if (!/^(?:IGNORE|REPLACE|STRIP)(?:\s|$)/i.test(value.trim())) return false
  const [, negated, expression = ''] = /^\s*(!?)\s*\/(.*)\/[a-z]*$/is.exec(pattern) ?? []
  try {
    if (expression !== '') return new RegExp(expression, 'is').test(receivedOf(host)) !== (negated === '!')
  } catch {
    // What is no pattern of ours may be one of Postfix's.
  }
  return /received/i.test(pattern)
}

/** Where the way back loses its Received, and with it the login of an answer that came through the gate. */
function lostFaults(facts: Facts): Fault[] {
  if (facts.main.get('enable_long_queue_ids') === 'yes') return []
  const host = facts.main.get('myhostname') ?? ''
  return takersBack(facts).flatMap((service) =>
    contentTables(facts, service)
      .filter(({ setting }) => setting === 'header_checks')
      .flatMap(({ setting, table }): Fault[] => {
        const entry = facts.answers.get(table)?.find(({ key, value }) => takesReceived(key, value, host))
        if (entry === undefined) return []
        return [
          {
            level: 'warning',
            what: words`${placeOf({ setting, table, entry })}: takes Received away on ${service.id}`,
            why: words`an approver's login is found by it, or by a long queue id: without both his answer is dropped`,
            mend: [postconf(facts, '-e', 'enable_long_queue_ids=yes')],
            affects: words`approvers: their answers are heard; and programs that read the log: queue ids become longer`,
          },
        ]
      }),
  )
}

/** What another filter behind the gate does to answers: what it hands back has a queue id that the decision log does not know. */
function behindFilter(filter: string): Fault {
  return {
    level: 'warning',
    what: words`approvers' answers by mail go through ${filter}, behind the gate, and their logins are lost there`,
    why: words`a login is found by the queue id that the gate has passed the mail on as, and what that filter hands back has another: answers count by DKIM alone (docs/moderate.md)`,
    mend: [],
  }
}

/** Filters that the way back hands its mail to. */
function filtersBehind(facts: Facts): string[] {
  const filters = waysBack(facts).map((service) => settingOf(facts, service, 'content_filter'))
  return filters.filter((filter) => filter !== '' && !filter.startsWith(gatePrefix(facts)))
}

/** Of networks that hand mail on for others those that nobody lets vouch for approvers. */
export function unheard(networks: readonly Network[], { enabled, relays }: ModerateFact): Network[] {
  if (!enabled) return []
  const named = relays.flatMap((relay) => parseNetwork(relay) ?? [])
  const others = networks.filter(
    (network) => !isLoopbackNetwork(network) && !named.some((one) => covers(network, one)),
  )
  return [...new Map(others.map((network) => [networkText(network), network])).values()]
}

/** The networks that relay by port 25 through the gate. */
export function relaysThrough(facts: Restricted): Network[] {
  return facts.services
    .filter(takesFromOutside)
    .flatMap((service) =>
      passages(facts, service).gated.flatMap(({ client }) =>
        client.network === undefined || client.login || isOfThisHost(client) ? [] : [client.network],
      ),
    )
}

/** What init says of them, and doctor where people can log in besides. */
export function describeUnheard(networks: readonly Network[]): string {
  const names = networks.map(networkText).join(' ')
  return words`approvers who answer by mail through ${names} have no login there: they are heard by DKIM, or where moderate.relays names the relay (docs/moderate.md)`
}

/**
 * What somebody should know who sets the gate up and lets approvers answer by mail.
 * @param networks that relay
 * @param filter that is put behind the gate
 */
export function answerRemarks(
  moderate: ModerateFact,
  networks: readonly Network[],
  filter: string | undefined,
): string[] {
  const deaf = unheard(networks, moderate)
  const lost = moderate.enabled && moderate.authservId === '' && filter !== undefined ? [filter] : []
  return [
    ...(deaf.length > 0 ? [describeUnheard(deaf)] : []),
    ...lost.map(behindFilter).map(({ what, why }) => `${what}: ${why}`),
  ]
}

/** Whether somebody can log in who hands mail in. */
function hasLogin(facts: Restricted): boolean {
  const services = [...peoplesServices(facts), ...facts.services.filter(takesFromOutside)]
  return services.some(
    (service) => isServer(service) && settingOf(facts, service, 'smtpd_sasl_auth_enable') === 'yes',
  )
}

/** Whether a service of pipe(8) runs toeh moderate. */
export function runsModerate({ program, argv }: Service): boolean {
  return program === 'pipe' && argv.includes('moderate')
}

/** The service of toeh moderate that a transport leads to. */
export function answerService(
  { services }: Pick<Facts, 'services'>,
  transport: string | undefined,
): Service | undefined {
  const [name] = (transport ?? '').split(':')
  return services.find((service) => service.type === 'unix' && service.name === name && runsModerate(service))
}

/** What keeps Postfix from handing an answer to toeh moderate. */
function refusedFaults(facts: Facts): Fault[] {
  const { answerWay: way, toeh, configDir } = facts
  if (way === undefined) return []
  const instance = configDir === undefined ? [] : ['--config-dir', configDir]
  const command = ['toeh', 'init', '--moderate', '--apply', '--reload', ...instance, '--config', toeh.path]
  const mend = [command.map(quote).join(' ')]
  const affects = words`approvers: their answers are heard; and whoever writes to ${way.address}: it goes to toeh moderate`
  if (way.list === undefined)
    return [
      {
        level: 'critical',
        what: words`Postfix takes no mail for the domain of moderate.address, ${way.address}`,
        why: words`approvers' answers by mail come back to them: it has to be at a domain of yours`,
        mend: [],
      },
    ]
  if (way.listed === false)
    return [
      {
        level: 'critical',
        what: words`Postfix has nobody of the name of moderate.address, ${way.address}`,
        why: words`approvers' answers by mail come back to them`,
        mend,
        affects,
      },
    ]
  if (answerService(facts, way.transport) !== undefined) return []
  return [
    {
      level: 'critical',
      what: words`mail to moderate.address, ${way.address}, does not go to toeh moderate`,
      why: words`approvers' answers by mail do nothing`,
      mend,
      affects,
    },
  ]
}

export const ANSWER_CHECKS: readonly Check[] = [
  {
    name: 'answers',
    good: (facts) => {
      const networks = unheard(relaysThrough(facts), facts.moderate)
      if (networks.length > 0) return describeUnheard(networks)
      return facts.moderate.enabled
        ? words`approvers who answer by mail are heard, by their login or as moderate says`
        : words`approvers do not answer by mail`
    },
    look: (facts) => {
      const { enabled, authservId } = facts.moderate
      if (!enabled) return []
      const networks = unheard(relaysThrough(facts), facts.moderate)
      const isDeaf = networks.length > 0 && authservId === '' && !hasLogin(facts)
      const deaf: Fault = {
        level: 'warning',
        what: words`approvers' answers by mail through ${networks.map(networkText).join(' ')} are dropped`,
        why: words`a relay hands on no login, and nobody logs in here: name it in moderate.relays, if it lets nobody write as another (docs/moderate.md)`,
        mend: [],
      }
      return [
        ...refusedFaults(facts),
        ...(isDeaf ? [deaf] : []),
        ...(authservId === '' ? filtersBehind(facts).map(behindFilter) : []),
        ...lostFaults(facts),
      ]
    },
  },
]
