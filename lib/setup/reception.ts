/**
 * The reception: what Postfix lacks to hand approvers' answers to `toeh moderate`, as changes that postconf(1) makes. What it needs to
 * know of one address it is told in main.cf itself, before its other tables: no file of anybody else's is touched. Pure.
 */

import { answerService, runsModerate } from '../doctor/answers.js'
import type { AnswerWayFact } from '../doctor/facts.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { foldAscii } from '../mail/address.js'
import { commandOf, lineOf, type Service } from '../postfix/mastercf.js'
import { words } from '../text/translate.js'
import type { Edit } from './plan.js'

export interface Reception {
  /** What Postfix makes of moderate.address today. */
  way: AnswerWayFact
  /** The same of the address that it is to be delivered to. */
  delivery: AnswerWayFact | undefined
  services: readonly Service[]
  /** Parameters that main.cf itself sets, as they stand. */
  set: ReadonlyMap<string, string>
  /** Postfix's own values of those it does not set. */
  defaults: ReadonlyMap<string, string>
  /** The service of toeh moderate, as it is to be here. */
  expected: Service
}

/** Lists that may be led. */
export const LED = [
  'transport_maps',
  'virtual_alias_maps',
  'local_recipient_maps',
  'virtual_mailbox_maps',
  'relay_recipient_maps',
]

function refuse(at: string | undefined, why: string, hint: string): never {
  throw new Failure('init --moderate', why, { at, hint, status: EXIT.failed })
}

/** One more table before those that a parameter names. */
function led({ set, defaults }: Reception, name: string, table: string): Edit {
  const was = set.get(name) ?? null
  const others = was ?? defaults.get(name) ?? ''
  return { kind: 'parameter', service: '', name, value: others === '' ? table : `${table}, ${others}`, was }
}

/** The service, where it is missing, or does not name its programs by their paths: pipe(8) has a PATH of its own. */
function serviceEdits({ services, expected }: Reception): Edit[] {
  const named = services.find(({ id }) => id === expected.id)
  const value = lineOf(expected)
  if (named === undefined) return [{ kind: 'service', service: expected.id, name: '', value, was: null }]
  if (!runsModerate(named))
    refuse(
      `master.cf, ${named.id}`,
      words`a service of this name is there already, and does not run toeh moderate`,
      words`give it another name`,
    )
  return commandOf(named) === commandOf(expected)
    ? []
    : [{ kind: 'service', service: expected.id, name: '', value, was: lineOf(named) }]
}

/**
 * Every change, in the order in which Postfix may be told of them, and what the reader should know besides.
 * @throws Failure where answers cannot be delivered at that address; nothing is to be changed then
 */
export function receive(reception: Reception): { edits: Edit[]; remarks: string[] } {
  const { way, delivery, services, set, expected } = reception
  const address = foldAscii(way.address)
  const hint = words`set moderate.address to one at a domain that Postfix delivers mail for`
  if (!/^[a-z0-9._+-]+@/.test(address))
    refuse(way.address, words`its name has signs that mean something in main.cf`, hint)
  if (delivery?.list === undefined) refuse(way.address, words`Postfix delivers no mail for its domain`, hint)
  const present = answerService({ services }, delivery.transport)
  const edits: Edit[] = present === undefined || present.id === expected.id ? serviceEdits(reception) : []
  const remarks: string[] = []
  const [target, ...others] = way.targets.map(foldAscii)
  if (target !== delivery.address || others.length > 0) {
    edits.push(led(reception, 'virtual_alias_maps', `inline:{${address}=${delivery.address}}`))
    if (target !== undefined)
      remarks.push(words`${address} is an alias of ${way.targets.join(', ')}, and will not be any more.`)
  }
  if (delivery.listed === false)
    edits.push(led(reception, delivery.list, `inline:{${delivery.address}=toeh}`))
  if (present === undefined)
    edits.push(led(reception, 'transport_maps', `inline:{${delivery.address}=${expected.name}:}`))
  const limit = `${(present ?? expected).name}_destination_recipient_limit`
  if (set.get(limit) !== '1')
    edits.push({ kind: 'parameter', service: '', name: limit, value: '1', was: set.get(limit) ?? null })
  return { edits, remarks }
}
