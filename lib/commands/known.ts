/** toeh known: lists the rules. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, openDesk, terminalWidth } from '../cli/context.js'
import { foldAscii } from '../mail/address.js'
import type { Rule } from '../rules/decide.js'
import { foldUses } from '../rules/foldusecount.js'
import { describeRule } from '../rules/landscape.js'
import { describeUsage, type Usage } from '../rules/usecount.js'
import { wrap } from '../text/columns.js'
import { parseSince } from '../text/durations.js'
import { spoken, words } from '../text/translate.js'
import { localDay, visible } from '../text/visible.js'

interface Options extends CommonOptions {
  pattern?: string
  stale?: string
}

/** Who added it and when, what brought it in, why, and how much it was used. */
function describeOrigin(rule: Rule, uses: Usage | undefined, now: number): string {
  const { addedBy, addedAt, source, note } = rule
  const parts = [addedBy, localDay(addedAt), source === 'command' ? '' : source, note]
  if (uses !== undefined) parts.push(describeUsage(uses, spoken(), now))
  return parts.filter((part) => part !== '').join(', ')
}

/** A rule's number, what it says and where it is from: in one line for programs, in a terminal's columns for people. */
function inColumns(id: string, rule: string, origin: string): string[] {
  const [first, margin] = [`${id.padStart(5)}  `, ' '.repeat(7)]
  const line = `${first}${rule}  ${origin}`
  const columns = terminalWidth()
  if (!process.stdout.isTTY || columns < 40) return [line]
  const [whole = '', ...more] = wrap(visible(line), columns)
  if (more.length === 0) return [whole]
  const said = wrap(visible(rule), columns - margin.length)
  const from = wrap(visible(origin), columns - margin.length - 2).map((part) => `  ${part}`)
  return [...said, ...from].map((part, index) => `${index === 0 ? first : margin}${part}`)
}

/** Whether a rule is older than this and was not used since; a month or year that it may lie in counts as use. */
function isStale({ addedAt }: Rule, uses: Usage | undefined, since: number): boolean {
  return addedAt < since && (uses === undefined || uses.last < localDay(since).slice(0, uses.last.length))
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
    const found = desk.landscape.list(desk.actor.at, foldAscii(options.pattern ?? ''))
    const uses = desk.landscape.usesOf(found)
    const rules = found.filter((rule) => since === undefined || isStale(rule, uses.get(rule.id), since))
    const lines = rules.flatMap((rule) => {
      const origin = describeOrigin(rule, uses.get(rule.id), desk.actor.at)
      return inColumns(String(rule.id), describeRule(rule), `(${origin})`)
    })
    const all = rules.map((rule) => ({ ...rule, uses: uses.get(rule.id) ?? null }))
    answer(options, all, lines.length > 0 ? lines : [words`no rule`])
  },
}
export default module
