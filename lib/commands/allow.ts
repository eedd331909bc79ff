/** toeh allow: says that a destination is known. */
import type { Argv, CommandModule } from 'yargs'
import { knownBy } from '../cli/becameknown.js'
import { countChoice } from '../cli/bulk.js'
import { answer, type CommonOptions, clock, openDesk, say } from '../cli/context.js'
import type { RuleDraft } from '../rules/decide.js'
import { draftRule, parseScope } from '../rules/draft.js'
import { describeRule } from '../rules/landscape.js'
import { parseEnd } from '../text/durations.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  value: string[]
  subdomains: boolean
  force: boolean
  note: string
  for?: string
  until?: string
}

/** The command module of allow, and of block: they differ in their effect and their words. */
export function ruleCommand(effect: 'allow' | 'block', describe: string, example: string): CommandModule {
  return {
    command: `${effect} <value..>`,
    describe,
    builder: (yargs: Argv) =>
      yargs
        .positional('value', { type: 'string', array: true, describe: 'addresses or domains' })
        .option('subdomains', {
          type: 'boolean',
          default: false,
          describe: 'a domain also stands for those below it',
        })
        .option('note', {
          type: 'string',
          default: '',
          requiresArg: true,
          describe: 'why, for whoever looks later',
        })
        .option('for', {
          type: 'string',
          requiresArg: true,
          describe: 'only for mail of this sender, @domain or group; foreign: of senders who are not ours',
        })
        .option('until', {
          type: 'string',
          requiresArg: true,
          describe: 'only until the end of this day (2026-12-31), or for so long (30d)',
        })
        .option('force', {
          type: 'boolean',
          default: false,
          describe:
            effect === 'allow'
              ? 'take a whole domain of freemail or another shared one'
              : 'means nothing here',
        })
        .example(example, describe),
    handler: async (args) => {
      const options = args as unknown as Options
      const { subdomains, force, note } = options
      const now = clock()
      const endsAt = options.until === undefined ? null : parseEnd('--until', options.until, now)
      const draft = (scope: string, shared: ReadonlySet<string> = new Set()): RuleDraft[] =>
        options.value.map((text) =>
          draftRule(text, { effect, subdomains, force, shared, note, scope, endsAt, source: 'command' }),
        )
      draft('') // What is wrong with a value is said before anything is opened.
      const desk = openDesk(options, 'decide')
      const scope = options.for === undefined ? '' : parseScope(effect, options.for, desk.config)
      const results = desk.landscape.add(draft(scope, desk.config.shared), desk.actor)
      const lines = results.map(({ rule, added, replaced }) => {
        if (!added) return words`rule ${rule.id} says so already: ${describeRule(rule)}`
        const instead =
          replaced === undefined ? '' : words`, in place of rule ${replaced.id}: ${describeRule(replaced)}`
        return words`rule ${rule.id}: ${describeRule(rule)}${instead}`
      })
      answer(options, results, lines)
      if (effect !== 'allow' || options.json === true) return
      // The rules stand: that nobody can be counted now is no failure of theirs.
      const choices = await knownBy(
        desk,
        results.map(({ rule }) => rule.value),
      ).catch(() => [])
      if (choices.length > 0)
        say(words`${countChoice(choices)} waited for that: toeh recheck releases what has become known`)
    },
  }
}

export default ruleCommand(
  'allow',
  'make destinations known',
  'toeh allow supplier.example --note "contract 2214"',
)
