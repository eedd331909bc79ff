/** toeh why: the verdict the filter would give, and what it rests on. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, type Desk, openDesk, verdictsOf } from '../cli/context.js'
import { companyOf } from '../config.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { parseDomain } from '../mail/address.js'
import { FOREIGN } from '../mail/mailbox.js'
import { nearMissLines } from '../nearmiss/describe.js'
import { decide, lookupKeys, type Rule, scopesAsked, type Verdict } from '../rules/decide.js'
import { describeRule } from '../rules/landscape.js'
import { describeUsage, type Usage } from '../rules/usecount.js'
import { spoken, translated, words } from '../text/translate.js'
import { localTime } from '../text/visible.js'

interface Options extends CommonOptions {
  recipient: string
  sender?: string
  login: string
}

/** What the filter would say to some senders, where that is not what it says to one without rules of his own. */
interface Other extends Omit<Verdict, 'recipient'> {
  /** A sender, `@domain`, or a group. */
  for: string
}

function inShort({ pass, reason, fault }: Omit<Verdict, 'recipient'>): string {
  const why = `${translated(reason)}${fault === undefined ? '' : ` (${fault})`}`
  return pass ? words`pass: ${why}` : words`hold: ${why}`
}

function explain(verdict: Verdict, uses: Usage | null, now: number): string[] {
  const { rule } = verdict
  const lines = [inShort(verdict)]
  if (rule === undefined) return lines
  const source = rule.source === 'command' ? '' : `, ${rule.source}`
  lines.push(
    words`rule ${rule.id}: ${describeRule(rule)}, by ${rule.addedBy} on ${localTime(rule.addedAt)}${source}`,
  )
  if (rule.note !== '') lines.push(words`note: ${rule.note}`)
  lines.push(words`used: ${describeUsage(uses, spoken(), now)}`)
  return lines
}

function explainOther({ for: whom, ...verdict }: Other): string {
  const { rule } = verdict
  const by = rule === undefined ? '' : words`, rule ${rule.id}: ${describeRule(rule)}`
  return words`and for ${whom}: ${inShort(verdict)}${by}`
}

/** The values and the scopes of rules in the order in which the filter looks at them. */
function explainOrder(values: readonly string[], scopes: readonly string[][]): string[] {
  const nearest = values.slice(0, 2)
  const reaching = values.slice(2).map((value) => words`${value} with subdomains`)
  const whose = scopes.map((equals) => equals.map((scope) => scope || words`everyone`).join(words` and `))
  const lines = [words`looked at, in order: ${[...nearest, ...reaching].join(', ')}`]
  return scopes.length > 1 ? [...lines, words`each for, in order: ${whose.join(', ')}`] : lines
}

/**
 * The verdicts of others: of each sender, domain and group that a rule at these values speaks of. A group is asked
 * member by member, since each may have rules of his own besides, and told as one where all have the same answer.
 */
async function askOthers(
  { config, landscape, actor }: Desk,
  recipient: string,
  usual: Verdict,
): Promise<Other[]> {
  const { groups } = config
  const rules = landscape.facts(lookupKeys(recipient), actor.at)
  const scopes = new Set([...rules.values()].flat().map(({ scope }) => scope))
  const named = new Set([...scopes, ...[...groups.values()].flat()])
  const others = new Map<string, Other>()
  for (const scope of [...scopes].filter((scope) => scope !== '').sort()) {
    // A group that the configuration has no more is nobody.
    const members = scope === FOREIGN ? [OUTSIDER] : scope.includes('@') ? [scope] : (groups.get(scope) ?? [])
    const answers = members.flatMap((member) => {
      const sender = member.startsWith('@') ? anyoneAt(member, named) : member
      const facts = { ...companyOf(config), rules }
      const verdicts = decide({ sender, login: '', recipients: [recipient] }, facts)
      return verdicts.map(({ recipient: _, ...verdict }): Other => ({ for: member, ...verdict }))
    })
    const [first] = answers
    const alike = answers.every(({ reason, rule }) => reason === first?.reason && rule === first.rule)
    const told = first !== undefined && alike ? [{ ...first, for: scope }] : answers
    for (const other of told) if (other.reason !== usual.reason) others.set(other.for, other)
  }
  return [...others.values()]
}

/** A sender who can be nobody's (RFC 2606, 2). */
const OUTSIDER = 'somebody@outside.invalid'

/** An address at a domain that nothing is said of. */
function anyoneAt(domain: string, named: ReadonlySet<string>): string {
  let local = 'x'
  while (named.has(`${local}${domain}`)) local += 'x'
  return `${local}${domain}`
}

/** The domain that is asked for, folded; undefined for an address, be it malformed, and for what can be neither. */
function domainIn(text: string): string | undefined {
  if (text.includes('@')) return undefined
  const domain = parseDomain(text)
  return domain.plain ? domain.domain : undefined
}

function isAt(domain: string): (rule: Rule) => boolean {
  return ({ kind, value }) => kind === 'address' && value.endsWith(`@${domain}`)
}

const module: CommandModule = {
  command: 'why <recipient>',
  describe: 'the verdict for a recipient, and the row it rests on',
  builder: (yargs: Argv) =>
    yargs
      .positional('recipient', {
        type: 'string',
        demandOption: true,
        describe: 'an address; or a domain, for anyone there',
      })
      .option('sender', {
        type: 'string',
        requiresArg: true,
        describe: 'as if sent by this address (default: one of your own that no rule speaks of)',
      })
      .option('login', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'as if handed in with this login',
      })
      .example('toeh why someone@supplier.example', 'pass or hold, and why')
      .example('toeh why supplier.example', 'and whether it is known as a whole'),
  handler: async (args) => {
    const options = args as unknown as Options
    const desk = openDesk(options, 'read')
    const { sender, login } = options
    const domain = domainIn(options.recipient)
    const rulesThere =
      domain === undefined ? [] : desk.landscape.list(desk.actor.at, `@${domain}`).filter(isAt(domain))
    const addresses = new Set(rulesThere.map(({ value }) => value))
    const recipient = domain === undefined ? options.recipient : anyoneAt(`@${domain}`, addresses)
    if (recipient === '') throw new Failure('why', 'which recipient?', { status: EXIT.usage })
    const [verdict] = await verdictsOf(desk, { sender, login }, [recipient])
    if (verdict === undefined) throw new Failure('why', 'there is no verdict', { at: recipient })
    const { reason } = verdict
    const byRules = reason === 'allowed' || reason === 'blocked' || reason === 'unknown'
    const others = sender === undefined && byRules ? await askOthers(desk, recipient, verdict) : undefined
    const nearMisses = reason === 'unknown' ? await desk.neighbours.of(recipient) : undefined
    const lookedAt = lookupKeys(recipient).slice(domain === undefined ? 0 : 1)
    const company = companyOf(desk.config)
    const scopes = scopesAsked({ sender, login: '' }, company)
    const { rule } = verdict
    const uses = rule === undefined ? undefined : (desk.landscape.usesOf([rule]).get(rule.id) ?? null)
    const told = domain === undefined ? verdict : { ...verdict, recipient: domain, addresses: rulesThere }
    answer(options, { ...told, uses, lookedAt, scopes, others, nearMisses }, [
      ...(domain === undefined ? [] : [words`anyone at ${domain} whom no rule names:`]),
      ...explain(verdict, uses ?? null, desk.actor.at),
      ...(byRules ? explainOrder(lookedAt, scopes) : []),
      ...(others ?? []).map(explainOther),
      ...nearMissLines(nearMisses ?? [], spoken(), desk.actor.at),
      ...rulesThere.map((rule) => words`and rule ${rule.id}: ${describeRule(rule)}`),
    ])
  },
}
export default module
