/** toeh known: lists the rules. */
import type { Argv, CommandModule } from 'yargs'
import { foldAscii } from '../address.js'
import type { Rule } from '../decide.js'
import { answer, type CommonOptions, clock, openDesk } from '../desk.js'
import { localTime } from '../display.js'
import { describeRule } from '../landscape.js'
import { parseSince } from '../term.js'
import { foldUses } from '../uses.js'

interface Options extends CommonOptions {
  pattern?: string
  stale?: string
}

/** Who added it and when, what brought it in, why, and when it last decided. */
function describeOrigin({ addedBy, addedAt, source, note, lastUsedAt }: Rule): string {
  const day = (time: number): string => localTime(time).slice(0, 10)
  const parts = [addedBy, day(addedAt), source === 'command' ? '' : source, note]
  if (lastUsedAt !== null) parts.push(`last used ${day(lastUsedAt)}`)
  return parts.filter((part) => part !== '').join(', ')
}

const module: CommandModule = {
  command: 'known [pattern]',
  describe: 'list the rules, or those that contain a text, or those nobody uses',
  builder: (yargs: Argv) =>
    yargs
      .positional('pattern', { type: 'string', describe: 'part of an address or domain' })
      .option('stale', {
        type: 'string',
        requiresArg: true,
        describe: 'only rules that are older and were not used for so long (180d) or since a day',
      })
      .example('toeh known supplier', 'every rule with that word in it'),
  handler: async (args) => {
    const options = args as unknown as Options
    const since = options.stale === undefined ? undefined : parseSince('--stale', options.stale, clock())
    const desk = openDesk(options, since === undefined ? 'read' : 'write')
    if (since !== undefined) await foldUses(desk)
    const found = await desk.landscape.list(desk.actor.at, foldAscii(options.pattern ?? ''))
    const rules = found.filter(
      ({ addedAt, lastUsedAt }) => since === undefined || Math.max(addedAt, lastUsedAt ?? 0) < since,
    )
    const lines = rules.map(
      (rule) => `${String(rule.id).padStart(5)}  ${describeRule(rule)}  (${describeOrigin(rule)})`,
    )
    answer(options, rules, lines.length > 0 ? lines : ['no rule'])
  },
}
export default module
