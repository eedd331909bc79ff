/** toeh release: sends held mail on after a person's yes. */
import type { Argv, CommandModule } from 'yargs'
import { describeReleased, type Released, tryRelease } from '../approval/release.js'
import {
  BULK_OPTIONS,
  type BulkOptions,
  type Choice,
  choose,
  countChoice,
  demandChoice,
  demandYes,
  describeChoice,
  outline,
} from '../cli/bulk.js'
import { answer, type Desk, openDesk, presently } from '../cli/context.js'
import { showCount } from '../cli/progressbar.js'
import { companyOf } from '../config.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { parseAddress } from '../mail/address.js'
import { describeLapsed, lapsedAt, type SignatureEnd } from '../mail/dkim.js'
import { signaturesIn } from '../mime/describe.js'
import { decide, lookupKeys, type Rule, type RuleDraft, type Verdict } from '../rules/decide.js'
import { draftRule } from '../rules/draft.js'
import { describeRule } from '../rules/landscape.js'
import { translated, words } from '../text/translate.js'

interface Options extends BulkOptions {
  allow?: 'address' | 'domain'
  again: boolean
  quiet: boolean
  force: boolean
}

function draftRules(options: Options, choices: readonly Choice[], shared: ReadonlySet<string>): RuleDraft[] {
  if (options.allow === undefined) return []
  return choices.flatMap(({ message, chosen }) =>
    chosen.map((recipient) => {
      const address = parseAddress(recipient)
      const value = options.allow === 'domain' && address.plain ? address.domain : recipient
      const { force } = options
      return draftRule(value, {
        effect: 'allow',
        subdomains: false,
        force,
        shared,
        note: '',
        source: `release ${message.id}`,
      })
    }),
  )
}

/** A recipient who would be held again, whatever rule is made for him. */
interface Idle extends Pick<Verdict, 'recipient' | 'reason'> {
  id: string
  /** What would let such mail by, if a rule can. */
  instead: string | null
}

/**
 * Those for whom the rules would have no effect: the next mail like this would be held all the same, because it is from a sender
 * who is not ours, or by a block that is nearer.
 */
async function findIdle(
  { config, landscape, actor }: Desk,
  choices: readonly Choice[],
  drafts: readonly RuleDraft[],
): Promise<Idle[]> {
  if (drafts.length === 0) return []
  const idle: Idle[] = []
  const made = drafts.map(
    (draft, index): Rule => ({ ...draft, id: Number.MAX_SAFE_INTEGER - index, addedBy: '', addedAt: 0 }),
  )
  for (const { message, chosen } of choices) {
    const rules = new Map(landscape.facts(chosen.flatMap(lookupKeys), actor.at))
    for (const rule of made) rules.set(rule.value, [...(rules.get(rule.value) ?? []), rule])
    const envelope = { sender: message.sender, login: message.client.saslUser, recipients: chosen }
    for (const { recipient, reason, pass } of decide(envelope, { ...companyOf(config), rules })) {
      if (pass) continue
      const draft = drafts.find(({ value }) => lookupKeys(recipient).includes(value))
      const instead =
        reason === 'foreign-sender' && draft !== undefined ? `toeh allow ${draft.value} --for foreign` : null
      idle.push({ id: message.id, recipient, reason, instead })
    }
  }
  return idle
}

function describeIdle({ recipient, reason, instead }: Idle): string {
  const line = words`the rule has no effect on mail like this to ${recipient}: ${translated(reason)}`
  return instead === null ? line : words`${line}; ${instead} has`
}

/** DKIM signatures that have run out in the hold, of each message. */
async function findLapsed(
  { folder, actor }: Desk,
  choices: readonly Choice[],
): Promise<(SignatureEnd & { id: string })[]> {
  const lapsed: (SignatureEnd & { id: string })[] = []
  for (const { message } of choices) {
    const { id } = message
    for (const end of lapsedAt(await signaturesIn(folder.messagePath(id)), actor.at))
      lapsed.push({ id, ...end })
  }
  return lapsed
}

/** The rules that would be new. @throws Failure for one that a block stands in the way of, as adding it would */
async function foreseeRules({ landscape, actor }: Desk, drafts: readonly RuleDraft[]): Promise<RuleDraft[]> {
  const foreseen = landscape.foresee(drafts, actor.at)
  return drafts.filter(({ value }, index) => {
    const { fate, meets } = foreseen[index] ?? { fate: 'new' }
    if (fate !== 'blocked') return fate !== 'same'
    const rule = typeof meets === 'object' ? `rule ${meets.id} of ${meets.addedBy}` : 'a rule'
    throw new Failure('allow', `${rule} blocks it`, {
      at: value,
      hint: words`toeh revoke ${value} first, if you are sure`,
    })
  })
}

const module: CommandModule = {
  command: 'release [id..]',
  describe: 'send held mail on, with its original envelope and bytes',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', array: true, default: [], describe: 'hold ids, from toeh list' })
      .options(BULK_OPTIONS)
      .option('allow', {
        choices: ['address', 'domain'] as const,
        requiresArg: true,
        describe: 'and make it known from now on',
      })
      .option('again', {
        type: 'boolean',
        default: false,
        describe: 'repeat a release that was cut off and may have gone out',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'do not tell the sender' })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'with --allow domain: take a whole domain of freemail or another shared one',
      })
      .example('toeh release 7k3m9q2x4v0a --allow address', 'this once, and from now on')
      .example('toeh release --domain supplier.example --dry-run', 'who would get it'),
  handler: async (args) => {
    const options = args as unknown as Options
    demandChoice('release', options)
    const desk = openDesk(options, options.dryRun ? 'read' : 'decide')
    const choices = await choose(desk, options)
    const drafts = draftRules(options, choices, desk.config.shared)
    const fresh = await foreseeRules(desk, drafts)
    const would = fresh.map((draft) => words`would add the rule: ${describeRule(draft)}`)
    const idle = await findIdle(desk, choices, drafts)
    const inVain = idle.map(describeIdle)
    const lapsed = await findLapsed(desk, choices)
    const unsigned = lapsed.map((end) => `${end.id} ${describeLapsed(end)}`)
    if (options.dryRun) {
      const lines = [
        ...describeChoice('release', choices),
        ...would,
        ...inVain,
        ...unsigned,
        words`${countChoice(choices)}, none released`,
      ]
      answer(options, { dryRun: true, rules: fresh, idle, lapsed, messages: outline(choices) }, lines)
      return
    }
    await demandYes('release', options, choices, [...would, ...inVain, ...unsigned])
    const rules = desk.landscape.add(drafts, presently(desk).actor)
    const results: Released[] = []
    const progress = await showCount('releasing', choices.length)
    for (const { message, chosen } of choices) {
      results.push(await tryRelease(presently(desk), message, chosen, options.again, options.quiet))
      progress.update(results.length)
    }
    progress.stop()
    const lines = [
      ...rules.filter(({ added }) => added).map(({ rule }) => words`rule ${rule.id}: ${describeRule(rule)}`),
      ...inVain,
      ...results.flatMap(describeReleased),
    ]
    const none = [words`nothing that waits is selected`]
    answer(options, { rules: rules.map(({ rule }) => rule), idle, results }, lines.length > 0 ? lines : none)
    if (results.some(({ failed }) => failed.length > 0)) process.exitCode = EXIT.failed
  },
}
export default module
