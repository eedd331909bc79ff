/** toeh revoke: ends the rules of a destination, of a number, or of a source. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, type Desk, openDesk } from '../cli/context.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import type { Rule } from '../rules/decide.js'
import { parseRuleValue, parseScope } from '../rules/draft.js'
import { describeRule } from '../rules/landscape.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  value: string[]
  for?: string
  only?: 'allow' | 'block'
  source?: string
  dryRun: boolean
}

const NUMBER = /^[0-9]+$/

/** What is named: values, or numbers of rules, which no domain looks like. */
interface Named {
  values: string[]
  ids: number[]
}

function parseNames({ value, source }: Options): Named {
  if (value.length === 0 && source === undefined)
    throw new Failure('usage', words`name destinations or numbers of rules, or a source`, {
      status: EXIT.usage,
      hint: 'toeh revoke --help',
    })
  const ids = value.filter((text) => NUMBER.test(text)).map(Number)
  const values = value
    .filter((text) => !NUMBER.test(text))
    .map((text) => parseRuleValue('revoke', text).value)
  return { values: [...new Set(values)], ids }
}

/** The rules that are meant. @throws Failure (66) for one that is named and is not there */
async function find(desk: Desk, options: Options, { values, ids }: Named): Promise<Rule[]> {
  const { landscape, actor, config } = desk
  const scope = options.for === undefined ? undefined : parseScope('revoke', options.for, config)
  const fits = (rule: Rule): boolean =>
    (scope === undefined || rule.scope === scope) &&
    (options.only === undefined || rule.effect === options.only) &&
    (options.source === undefined || rule.source === options.source)
  const none = (why: string, at: string): Failure =>
    new Failure('revoke', why, { at, status: EXIT.noInput, hint: words`toeh known lists them` })
  const numbered = landscape.numbered(ids, actor.at).filter(fits)
  for (const id of ids)
    if (!numbered.some((rule) => rule.id === id)) throw none(words`there is no rule of this number`, `${id}`)
  const facts = landscape.facts(values, actor.at)
  const valued = values.flatMap((value) => {
    const rules = (facts.get(value) ?? []).filter(fits)
    if (rules.length === 0) throw none(words`there is no rule of exactly this name`, value)
    return rules
  })
  if (options.source === undefined || options.value.length > 0) return [...valued, ...numbered]
  const rules = landscape.from(options.source, actor.at).filter(fits)
  if (rules.length === 0) throw none(words`no rule is from this source`, JSON.stringify(options.source))
  return rules
}

const module: CommandModule = {
  command: 'revoke [value..]',
  describe: 'end the rules of destinations',
  builder: (yargs: Argv) =>
    yargs
      .positional('value', {
        type: 'string',
        array: true,
        default: [],
        describe: 'addresses or domains, as toeh known shows them, or numbers of rules',
      })
      .option('for', {
        type: 'string',
        requiresArg: true,
        describe: 'only rules for this sender, @domain or group',
      })
      .option('only', {
        choices: ['allow', 'block'] as const,
        requiresArg: true,
        describe: 'only rules that allow, or only those that block',
      })
      .option('source', {
        type: 'string',
        requiresArg: true,
        describe: 'only rules from this source; by itself all of them',
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'show what would change; change nothing',
      })
      .example('toeh revoke old-supplier.example', 'from now on it is unknown')
      .example(
        'toeh revoke supplier.example --only block',
        'a block that was a mistake; what was allowed stays',
      )
      .example('toeh revoke --source learn --dry-run', 'before all that was learned goes'),
  handler: async (args) => {
    const options = args as unknown as Options
    const named = parseNames(options)
    const desk = openDesk(options, options.dryRun ? 'read' : 'decide')
    const found = await find(desk, options, named)
    const rules = [...new Map(found.map((rule) => [rule.id, rule])).values()]
    const ended = options.dryRun ? rules : desk.landscape.endRules(rules, desk.actor)
    answer(
      options,
      ended,
      ended.map((rule) =>
        options.dryRun
          ? words`would end rule ${rule.id}: ${describeRule(rule)}`
          : words`rule ${rule.id} ended: ${describeRule(rule)}`,
      ),
    )
  },
}
export default module
