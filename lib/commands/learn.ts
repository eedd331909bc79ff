/**
 * toeh learn: proposes rules from the mail that was delivered, and adds them where a person says so.
 *
 * It is long because each kind of log and what is done with its proposals has options of its own.
 */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, type Desk } from '../cli/context.js'
import {
  attemptsIn,
  type LogReading,
  leftOutLines,
  noLogReading,
  openDeskBehind,
  openSources,
  parseLogSince,
  parseWays,
} from '../cli/maillogs.js'
import { demandTarget } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { describeError, Failure, toFailure } from '../failure.js'
import { type Candidate, DeliveryTally, dayOf, type Proposal } from '../learn/candidates.js'
import { Lookalikes } from '../learn/lookalikes.js'
import { PastVerdicts } from '../learn/pastverdicts.js'
import { openLogs, readLines } from '../logs/logfile.js'
import type { Attempt } from '../logs/maillog.js'
import { observedIn } from '../logs/observed.js'
import type { RuleDraft } from '../rules/decide.js'
import { draftRule } from '../rules/draft.js'
import { UseCount } from '../rules/usecount.js'
import { publish } from '../system/files.js'
import { counted } from '../text/amounts.js'
import { translated, words } from '../text/translate.js'
import { wallClock } from '../text/visible.js'

const DAY_MS = 86_400_000

interface Options extends CommonOptions {
  from: 'log' | 'observed'
  file: string[]
  journal?: string
  since?: string
  relay?: string[]
  'min-messages': number
  'min-days': number
  apply: boolean
  csv?: string
}

/** The attempts in the decision log, read as log files are. */
async function* observedAttempts(
  desk: Desk,
  since: number | undefined,
  reading: LogReading,
): AsyncGenerator<Attempt[]> {
  const folder = join(desk.config.state, 'decisions')
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch (error) {
    throw toFailure('decision log', error, { at: folder, status: EXIT.noInput })
  }
  // A file is a day of UTC, and days are told as the clock on the wall has them.
  const from = since === undefined ? '' : dayOf(since - DAY_MS)
  const days = names.filter((name) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(name) && name.slice(0, 10) >= from)
  for (const name of days) {
    for (const source of await openLogs([join(folder, name)], desk.actor.at)) {
      for await (const { lines, broken } of readLines(source)) {
        reading.lines += lines.length + broken
        reading.broken += broken
        const attempts: Attempt[] = []
        for (const line of lines) {
          const found = observedIn(line)
          if (found === undefined) reading.broken++
          else attempts.push(...found.map((attempt) => ({ ...attempt, at: wallClock(attempt.at) })))
        }
        yield attempts.filter(({ at }) => since === undefined || at >= since)
      }
    }
  }
}

/** Why a domain is no rule, in the words of `toeh allow`; undefined if it may be one. */
function refusalOf(domain: string, shared: ReadonlySet<string>): string | undefined {
  try {
    draftRule(domain, { effect: 'allow', subdomains: false, force: false, shared, source: '', note: '' })
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.message.replace(/^allow "[^"]*": /, '')
  }
}

/** Somebody of the company of whom no rule speaks: what is proposed is for everyone. */
const ANYBODY = { sender: undefined, login: '' }

async function propose(
  desk: Desk,
  judge: PastVerdicts,
  tally: DeliveryTally,
  options: Options,
): Promise<Proposal> {
  const standing = new Map<string, 'known' | 'open' | { why: string }>()
  for (const address of tally.addresses()) {
    const { pass, reason, rule } = await judge.verdict(ANYBODY, address)
    const why = rule === undefined ? translated(reason) : words`rule ${rule.id} of ${rule.addedBy} blocks it`
    standing.set(address, pass ? 'known' : reason === 'unknown' ? 'open' : { why })
  }
  const rules = desk.landscape.list(desk.actor.at)
  const blocked = new Map(
    rules
      .filter(({ kind, effect }) => kind === 'domain' && effect === 'block')
      .map(({ id, value, addedBy }) => [value, words`rule ${id} of ${addedBy} blocks it`]),
  )
  const known = rules
    .filter(({ effect }) => effect === 'allow')
    .map(({ value }) => value.slice(value.lastIndexOf('@') + 1))
  const lookalikes = new Lookalikes([...desk.config.internal, ...known], tally.domains())
  return tally.propose({
    standing: (address) => standing.get(address) ?? 'open',
    refusal: (domain) => blocked.get(domain) ?? refusalOf(domain, desk.config.shared),
    lookalikes: (...use) => lookalikes.of(...use),
    minMessages: options['min-messages'],
    minDays: options['min-days'],
  })
}

function candidatesOf(count: number): string {
  return counted(count, words`${count} candidate`, words`${count} candidates`)
}

/** What a rule says of where it comes from: `learn log mail.log.1 (214 messages, 2026-03-02 to 2026-11-20)`. Stored. */
function sourceOf(origin: string, { messages, first, last }: Candidate): string {
  return `${origin} (${messages} ${messages === 1 ? 'message' : 'messages'}, ${first} to ${last})`
}

/** What a person has to see of a candidate where he edits it: the same as in the table. */
function noteOf({ addresses, messages, senders, remarks }: Candidate): string {
  const numbers = [
    counted(messages, words`${messages} message`, words`${messages} messages`),
    counted(senders, words`${senders} sender`, words`${senders} senders`),
    ...(addresses > 1 ? [words`${addresses} addresses`] : []),
  ]
  return [numbers.join(', '), ...remarks.map(({ text }) => text)].join('; ')
}

/** Drafts for what may be a rule; what may not goes to the refused, with the reason. */
function draft(
  proposal: Proposal,
  origin: string,
  shared: ReadonlySet<string>,
): { drafts: RuleDraft[]; candidates: Candidate[] } {
  const drafts: RuleDraft[] = []
  const candidates: Candidate[] = []
  for (const candidate of proposal.candidates) {
    const { value, messages } = candidate
    try {
      const source = sourceOf(origin, candidate)
      drafts.push(
        draftRule(value, { effect: 'allow', subdomains: false, force: false, shared, source, note: '' }),
      )
      candidates.push(candidate)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      proposal.refused.push({ value, messages, why: describeError(error) })
    }
  }
  return { drafts, candidates }
}

const NAME_COLUMNS = 34

function tableOf(candidates: readonly Candidate[]): string[] {
  if (candidates.length === 0) return []
  const lines = [words`candidate                          messages days senders first      last`]
  for (const { value, messages, days, senders, first, last, remarks, addresses } of candidates) {
    // A long name has a line of its own: it is what the person decides on.
    if (value.length > NAME_COLUMNS) lines.push(value)
    const name = value.length > NAME_COLUMNS ? '' : value
    const numbers = [String(messages).padStart(8), String(days).padStart(4), String(senders).padStart(7)]
    lines.push(`${name.padEnd(NAME_COLUMNS)} ${numbers.join(' ')} ${first} ${last}`)
    if (addresses > 1) lines.push(words`    ${addresses} addresses`)
    for (const { text } of remarks) lines.push(`    ! ${text}`)
  }
  return lines
}

const REFUSED_SHOWN = 20

/** Of what has been added: who adds it all has seen it before, or has no use for hundreds of lines now. */
const ADDED_SHOWN = 20

/** The first of them, those in doubt before the others, and where the rest is to be seen. */
function someOf(candidates: readonly Candidate[]): string[] {
  if (candidates.length <= ADDED_SHOWN) return tableOf(candidates)
  const doubted = candidates.filter(({ remarks }) => remarks.length > 0)
  const others = candidates.filter(({ remarks }) => remarks.length === 0)
  const more = candidates.length - ADDED_SHOWN
  return [
    ...tableOf([...doubted, ...others].slice(0, ADDED_SHOWN)),
    words`and ${more} more: toeh known lists the rules, --json has the numbers too`,
  ]
}

function summaryOf(
  tally: DeliveryTally,
  reading: LogReading,
  proposal: Proposal,
  options: Options,
): string[] {
  const read = [
    counted(reading.lines, words`${reading.lines} line`, words`${reading.lines} lines`),
    words`${reading.broken} broken`,
    counted(tally.deliveries, words`${tally.deliveries} delivery`, words`${tally.deliveries} deliveries`),
    ...(tally.deliveries > 0 ? [words`${dayOf(tally.first)} to ${dayOf(tally.last)}`] : []),
  ]
  const lines = [read.join(', ')]
  const { known, below } = proposal
  if (tally.unjoined > 0) {
    const deliveries = counted(
      tally.unjoined,
      words`${tally.unjoined} delivery`,
      words`${tally.unjoined} deliveries`,
    )
    lines.push(words`${deliveries} not counted: the log begins too late`)
  }
  lines.push(...leftOutLines(reading))
  if (known > 0)
    lines.push(counted(known, words`${known} address already known`, words`${known} addresses already known`))
  if (below > 0) {
    const { 'min-messages': messages, 'min-days': days } = options
    const least = counted(messages, words`${messages} message`, words`${messages} messages`)
    const longest = counted(days, words`${days} day`, words`${days} days`)
    lines.push(words`${candidatesOf(below)} below ${least} or ${longest}`)
  }
  for (const { value, why } of proposal.refused.slice(0, REFUSED_SHOWN)) {
    lines.push(words`not proposed: ${value}: ${why}`)
  }
  const more = proposal.refused.length - REFUSED_SHOWN
  if (more > 0) lines.push(words`not proposed: ${more} more (--json has them all)`)
  return lines
}

const module: CommandModule = {
  command: 'learn <from> [file..]',
  describe: 'propose rules from delivered mail: from logs, or from observe mode',
  builder: (yargs: Argv) =>
    yargs
      .positional('from', {
        choices: ['log', 'observed'] as const,
        demandOption: true,
        describe: "Postfix's log, or the decision log of observe mode",
      })
      .positional('file', {
        type: 'string',
        array: true,
        default: [],
        describe: 'log files, plain or packed, in any order; - reads standard input',
      })
      .option('journal', {
        type: 'string',
        describe: "read systemd's journal, or that of another machine: a folder or a file",
      })
      .option('since', { type: 'string', requiresArg: true, describe: 'from this day on, as 2026-11-04' })
      .option('relay', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'the way out, where mail leaves by this host alone: HOST or HOST:PORT as in the log',
      })
      .option('min-messages', {
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'propose only what so many messages went to',
      })
      .option('min-days', {
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'propose only what was written to on so many days',
      })
      .option('csv', {
        type: 'string',
        requiresArg: true,
        describe: 'write the candidates into this file, to be edited and taken by toeh import',
      })
      .option('apply', { type: 'boolean', default: false, describe: 'add the rules; without it look only' })
      .example('toeh learn log /var/log/mail.log*', 'who the company writes to')
      .example('toeh learn observed --min-days 2 --apply', 'and make it known'),
  handler: async (args) => {
    const options = args as unknown as Options
    for (const name of ['min-messages', 'min-days'] as const) {
      if (!Number.isInteger(options[name]) || options[name] < 1) {
        throw new Failure('learn', words`it must be a whole number from 1`, {
          at: `--${name}`,
          status: EXIT.usage,
        })
      }
    }
    const observed = options.from === 'observed'
    const ways = parseWays('learn log', options.relay)
    if (observed && (options.file.length > 0 || options.journal !== undefined || ways.length > 0)) {
      throw new Failure('learn observed', words`it reads the decision log and takes no files`, {
        status: EXIT.usage,
      })
    }
    const since = parseLogSince('learn', options.since)
    if (options.csv !== undefined && options.apply)
      throw new Failure('learn', words`one of them: --apply adds the rules, --csv writes them to be edited`, {
        at: '--csv',
        status: EXIT.usage,
      })
    if (options.csv === '')
      throw new Failure('learn', words`which file?`, { at: '--csv', status: EXIT.usage })
    const sources = observed ? [] : await openSources('learn log', options, clock())
    const desk = openDeskBehind(sources, options, options.apply ? 'decide' : 'read')
    const csv = options.csv === undefined ? undefined : resolve(options.csv)
    if (csv !== undefined) demandTarget('learn', desk.config, csv, undefined)
    const reading = noLogReading()
    const tally = new DeliveryTally(desk.config)
    const batches = observed
      ? observedAttempts(desk, since, reading)
      : attemptsIn('learn log', sources, since, reading, ways)
    const judge = new PastVerdicts(desk)
    const uses = new UseCount()
    for await (const attempts of batches) {
      for (const attempt of attempts) {
        if (!tally.add(attempt) || !options.apply) continue
        const { pass, rule } = await judge.verdict(attempt, attempt.recipient)
        if (pass && rule !== undefined) uses.add(rule.id, dayOf(attempt.at), attempt.host, attempt.id)
      }
    }
    const proposal = await propose(desk, judge, tally, options)
    const names = sources.map(({ name }) => name)
    const more = names.length > 3 ? ` and ${names.length - 2} more` : ''
    const origin = observed
      ? 'learn observed'
      : `learn log ${names.slice(0, more === '' ? 3 : 2).join(', ')}${more}`
    const { drafts, candidates } = draft(proposal, origin, desk.config.shared)
    const results = options.apply ? desk.landscape.add(drafts, desk.actor) : []
    if (options.apply) {
      // A new rule has its history from its first day on.
      const learnt = results.flatMap(({ rule, added }) =>
        added
          ? tally.messagesByDay(rule.value).map(([day, messages]) => ({ rule: rule.id, day, messages }))
          : [],
      )
      desk.landscape.recordUses([...uses.uses(), ...learnt], desk.actor.at)
    }
    const added = results.filter((result) => result.added).length
    const table = options.apply ? someOf(candidates) : tableOf(candidates)
    const lines = [...table, ...summaryOf(tally, reading, proposal, options)]
    if (csv !== undefined) {
      const { writeProposals } = await import('../rules/csv.js')
      const proposals = candidates.map((candidate) => ({
        value: candidate.value,
        note: noteOf(candidate),
        source: sourceOf(origin, candidate),
      }))
      publish('learn', undefined, csv, writeProposals(proposals), 0o600)
      lines.push(
        words`${candidatesOf(candidates.length)} in ${csv}; toeh import takes them, nothing was added`,
      )
    } else if (options.apply)
      lines.push(counted(added, words`${added} rule added`, words`${added} rules added`))
    else if (candidates.length > 0) {
      lines.push(words`${candidatesOf(candidates.length)}; --apply makes them rules, nothing was written`)
    } else lines.push(words`nothing to propose`)
    const span = tally.deliveries > 0 ? { first: dayOf(tally.first), last: dayOf(tally.last) } : {}
    const { known, below, refused } = proposal
    const { deliveries, unjoined } = tally
    const summary = { ...reading, deliveries, unjoined, ...span, known, below }
    answer(options, { summary, candidates, refused, applied: options.apply, added }, lines)
  },
}
export default module
