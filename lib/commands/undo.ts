/** toeh undo: takes back the last act of the person who runs it, as far as it can be taken back. */
import type { Argv, CommandModule } from 'yargs'
import { ask } from '../cli/bulk.js'
import { answer, type CommonOptions, type Desk, openDesk } from '../cli/context.js'
import type { AuditRow } from '../database/audit.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import type { Rule } from '../rules/decide.js'
import { describeRule } from '../rules/landscape.js'
import { words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'

interface Options extends CommonOptions {
  dryRun: boolean
  yes: boolean
}

/** A recipient whose rejection can be taken back. */
interface Rejected {
  id: string
  address: string
}

/** What would be done, and a line for each thing that cannot be. */
interface Plan {
  act: AuditRow[]
  /** Rules that end. */
  end: Rule[]
  /** Rules that stand again. */
  reinstate: Rule[]
  restore: Rejected[]
  cannot: string[]
}

/** A deed about held mail has `hold recipient` for its subject. */
function recipientOf({ subject }: AuditRow): Rejected {
  return { id: subject.slice(0, 12), address: subject.slice(13) }
}

/** Why a deed cannot be taken back by this; undefined where it is looked at otherwise. */
function refusalOf(deed: AuditRow): string | undefined {
  const { id, address } = recipientOf(deed)
  switch (deed.what) {
    case 'allow':
    case 'block':
    case 'revoke':
    case 'rejected':
    case 'restored':
      return undefined
    case 'released':
      return words`${id} went to ${address}: what is sent cannot be called back`
    case 'mode':
      return words`the mode is changed by its own command: toeh mode ${deed.was}`
    case 'forget':
      return words`what was erased is gone (${deed.subject})`
    default:
      return words`${deed.what}, ${deed.subject}: that cannot be taken back`
  }
}

async function planFor({ audit, landscape, hold, actor }: Desk): Promise<Plan> {
  const act = await audit.lastAct(actor.who)
  const [first] = act
  if (first === undefined)
    throw new Failure('undo', words`there is nothing that you have done`, {
      at: actor.who,
      status: EXIT.noInput,
      hint: words`toeh audit lists who did what`,
    })
  const cannot = act.flatMap((deed) => refusalOf(deed) ?? [])
  const changes = act.some(({ what }) => ['allow', 'block', 'revoke'].includes(what))
    ? landscape.changesOf(first.who, first.at)
    : { added: [], ended: [] }
  const end = changes.added.filter(({ live }) => live).map(({ rule }) => rule)
  for (const { rule, live } of changes.added)
    if (!live) cannot.push(words`rule ${rule.id} has ended since: ${describeRule(rule)}`)
  const [over, reinstate] = [
    changes.ended.filter(({ endsAt }) => endsAt !== null && endsAt <= actor.at),
    changes.ended.filter(({ endsAt }) => endsAt === null || endsAt > actor.at),
  ]
  for (const rule of over) cannot.push(words`the time of rule ${rule.id} is over: ${describeRule(rule)}`)
  // A rule that was imported with its history is not in the name of who imported it.
  const made = act.filter(({ what }) => what === 'allow' || what === 'block').length
  if (made > changes.added.length)
    cannot.push(
      words`rules that came with their history: ${made - changes.added.length} (toeh revoke --source ends them)`,
    )
  const rejected = act.filter(({ what }) => what === 'rejected').map(recipientOf)
  const restore: Rejected[] = []
  for (const { id, address } of rejected)
    if (hold.isRestorable(id, address, first)) restore.push({ id, address })
    else cannot.push(words`${id} for ${address}: the message is gone; its sender can send it again`)
  for (const { id, address } of act.filter(({ what }) => what === 'restored').map(recipientOf))
    cannot.push(words`${id} waits again for ${address}: toeh reject ${id} rejects it`)
  return { act, end, reinstate, restore, cannot }
}

/** What was done, then what undoes it. */
function describePlan({ act, end, reinstate, restore, cannot }: Plan, done: boolean): string[] {
  const [first] = act
  const seen = act.map(({ what, subject }) => `  ${what}  ${subject}`)
  return [
    ...(first === undefined || done ? [] : [words`done by ${first.who} on ${localTime(first.at)}:`, ...seen]),
    ...end.map((rule) =>
      done
        ? words`rule ${rule.id} ended: ${describeRule(rule)}`
        : words`would end rule ${rule.id}: ${describeRule(rule)}`,
    ),
    ...reinstate.map((rule) =>
      done ? words`stands again: ${describeRule(rule)}` : words`would stand again: ${describeRule(rule)}`,
    ),
    ...restore.map(({ id, address }) =>
      done ? words`${id} waits again for ${address}` : words`${id} would wait again for ${address}`,
    ),
    ...(restore.length > 0
      ? [words`Nobody is told of that: a sender may have had the news that it was rejected.`]
      : []),
    ...cannot.map((line) => words`cannot be undone: ${line}`),
  ]
}

/** What is shown before the question. */
const LINES_SHOWN = 40

async function demandYes(options: Options, lines: readonly string[]): Promise<void> {
  if (options.yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new Failure('undo', words`nobody is there to be asked`, {
      status: EXIT.usage,
      hint: words`--dry-run shows what there is, --yes does it`,
    })
  for (const line of lines.slice(0, LINES_SHOWN)) process.stderr.write(`${visible(line)}\n`)
  if (lines.length > LINES_SHOWN)
    process.stderr.write(`${words`and ${lines.length - LINES_SHOWN} more (--dry-run shows all)`}\n`)
  if (!(await ask(words`undo that?`)))
    throw new Failure('undo', words`nothing was changed`, { status: EXIT.failed })
}

async function carryOut({ landscape, hold, actor }: Desk, plan: Plan): Promise<void> {
  const [first] = plan.act
  if (first === undefined) return
  const { end, reinstate } = plan
  if (end.length + reinstate.length > 0) landscape.exchange(end, reinstate, actor)
  const back: Rejected[] = []
  for (const { id, address } of plan.restore)
    if (hold.restore(id, address, first, actor)) back.push({ id, address })
    else plan.cannot.push(words`${id} for ${address}: the message is gone; its sender can send it again`)
  plan.restore = back
}

const module: CommandModule = {
  command: 'undo',
  describe: 'take back your own last act, as far as that goes',
  builder: (yargs: Argv) =>
    yargs
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'show what would change; change nothing',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' })
      .example('toeh undo', 'after an allow that was a mistake'),
  handler: async (args) => {
    const options = args as unknown as Options
    const desk = openDesk(options, options.dryRun ? 'read' : 'decide')
    const plan = await planFor(desk)
    const tell = (done: boolean, lines: readonly string[]): void => {
      if (plan.cannot.length > 0) process.exitCode = EXIT.failed
      answer(options, { ...plan, done }, lines)
    }
    const shown = describePlan(plan, false)
    if (options.dryRun) return tell(false, shown)
    if (plan.end.length + plan.reinstate.length + plan.restore.length === 0)
      throw new Failure('undo', words`cannot be undone: ${plan.cannot[0] ?? ''}`, {
        status: EXIT.failed,
        hint: words`toeh undo --dry-run shows what was done`,
      })
    await demandYes(options, shown)
    await carryOut(desk, plan)
    tell(true, describePlan(plan, true))
  },
}
export default module
