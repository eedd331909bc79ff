/** toeh revoke: ends the rules of a destination. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { describeRule } from '../landscape.js'
import { parseRuleValue, parseScope } from '../ruledraft.js'
import { words } from '../speech.js'

interface Options extends CommonOptions {
  value: string[]
  for?: string
}

const module: CommandModule = {
  command: 'revoke <value..>',
  describe: 'end the rules of destinations',
  builder: (yargs: Argv) =>
    yargs
      .positional('value', {
        type: 'string',
        array: true,
        describe: 'addresses or domains, as toeh known shows them',
      })
      .option('for', {
        type: 'string',
        requiresArg: true,
        describe: 'only rules for this sender, @domain or group',
      })
      .example('toeh revoke old-supplier.example', 'from now on it is unknown'),
  handler: async (args) => {
    const options = args as unknown as Options
    const values = options.value.map((text) => parseRuleValue('revoke', text).value)
    const desk = openDesk(options, 'decide')
    const scope = options.for === undefined ? undefined : parseScope('revoke', options.for, desk.config)
    const facts = await desk.landscape.facts(values, desk.actor.at)
    for (const value of values) {
      const rules = facts.get(value) ?? []
      if (rules.some((rule) => scope === undefined || rule.scope === scope)) continue
      throw new Failure('revoke', words`there is no rule of exactly this name`, {
        at: value,
        status: EXIT.noInput,
        hint: words`toeh known lists them`,
      })
    }
    const ended = await desk.landscape.revoke([...new Set(values)], scope, desk.actor)
    answer(
      options,
      ended,
      ended.map((rule) => words`rule ${rule.id} ended: ${describeRule(rule)}`),
    )
  },
}
export default module
