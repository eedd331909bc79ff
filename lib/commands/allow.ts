/** toeh allow: says that a destination is known. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { describeRule } from '../landscape.js'
import { draftRule } from '../ruledraft.js'

interface Options extends CommonOptions {
  value: string[]
  subdomains: boolean
  force: boolean
  note: string
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
        .option('force', { type: 'boolean', default: false, describe: 'take a whole freemail domain' })
        .example(example, describe),
    handler: async (args) => {
      const options = args as unknown as Options
      const { subdomains, force, note } = options
      const drafts = options.value.map((text) =>
        draftRule(text, { effect, subdomains, force, note, source: 'command' }),
      )
      const desk = openDesk(options, 'write')
      const results = await desk.landscape.add(drafts, desk.actor)
      const lines = results.map(({ rule, added }) =>
        added
          ? `rule ${rule.id}: ${describeRule(rule)}`
          : `rule ${rule.id} says so already: ${describeRule(rule)}`,
      )
      answer(options, results, lines)
    },
  }
}

export default ruleCommand(
  'allow',
  'make destinations known',
  'toeh allow supplier.example --note "contract 2214"',
)
