/** toeh why: the verdict the filter would give, and what it rests on. */
import type { Argv, CommandModule } from 'yargs'
import { parseAddress } from '../address.js'
import { lookupKeys, type Verdict } from '../decide.js'
import { answer, type CommonOptions, openDesk, verdictsOf } from '../desk.js'
import { localTime } from '../display.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { describeRule } from '../landscape.js'
import { nearMissLines } from '../sidebyside.js'

interface Options extends CommonOptions {
  recipient: string
  sender?: string
}

function explain(verdict: Verdict, keys: readonly string[]): string[] {
  const { reason, rule, fault } = verdict
  const lines = [`${verdict.pass ? 'pass' : 'hold'}: ${reason}${fault === undefined ? '' : ` (${fault})`}`]
  if (rule !== undefined) {
    const source = rule.source === 'command' ? '' : `, ${rule.source}`
    lines.push(
      `rule ${rule.id}: ${describeRule(rule)}, by ${rule.addedBy} on ${localTime(rule.addedAt)}${source}`,
    )
    if (rule.note !== '') lines.push(`note: ${rule.note}`)
    lines.push(rule.lastUsedAt === null ? 'not used so far' : `last used on ${localTime(rule.lastUsedAt)}`)
  }
  if (keys.length > 0 && (reason === 'unknown' || rule !== undefined))
    lines.push(`looked at, in order: ${keys.join(', ')}`)
  return lines
}

const module: CommandModule = {
  command: 'why <recipient>',
  describe: 'the verdict for a recipient, and the row it rests on',
  builder: (yargs: Argv) =>
    yargs
      .positional('recipient', { type: 'string', demandOption: true, describe: 'an address' })
      .option('sender', {
        type: 'string',
        requiresArg: true,
        describe: 'as if sent by this address (default: one of your own)',
      })
      .example('toeh why someone@supplier.example', 'pass or hold, and why'),
  handler: async (args) => {
    const options = args as unknown as Options
    const desk = openDesk(options, 'read')
    const { recipient, sender = '' } = options
    if (recipient === '') throw new Failure('why', 'which recipient?', { status: EXIT.usage })
    const keys = lookupKeys(recipient)
    const [verdict] = await verdictsOf(desk, sender, [recipient])
    if (verdict === undefined) throw new Failure('why', 'there is no verdict', { at: recipient })
    const address = parseAddress(recipient)
    const nearMisses = verdict.reason === 'unknown' ? await desk.neighbours.of(recipient) : undefined
    const lookedAt = address.plain ? keys : []
    answer(options, { ...verdict, lookedAt, nearMisses }, [
      ...explain(verdict, keys),
      ...nearMissLines(nearMisses ?? []),
    ])
  },
}
export default module
