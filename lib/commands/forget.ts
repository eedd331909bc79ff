/** toeh forget: what is known of a person, and its erasure; the deeds stay, with a pseudonym in them. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { ask } from '../cli/bulk.js'
import { answer, type CommonOptions, type Desk, openDesk } from '../cli/context.js'
import { backupsBeside } from '../database/backup.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { type Naming, RETRY_MS } from '../hold/erasure.js'
import { readEnvelope } from '../hold/orphan.js'
import { blackOut } from '../logs/blackout.js'
import { drawPseudonym } from '../mail/pseudonym.js'
import { Redaction } from '../mail/redaction.js'
import { parseRuleValue } from '../rules/draft.js'
import { words } from '../text/translate.js'
import { localDay, visible } from '../text/visible.js'

interface Options extends CommonOptions {
  address: string[]
  dryRun: boolean
  yes: boolean
}

/** Everything that names them. */
interface Found extends Naming {
  decisions: { day: string; lines: number }[]
  /** Lines of the configuration. */
  settings: number[]
  /** Folders of the hold that have no rows. */
  orphans: string[]
}

function parseAddresses({ address }: Options): string[] {
  const named = address.map((text) => parseRuleValue('forget', text))
  const domain = named.find(({ kind }) => kind === 'domain')
  if (domain === undefined) return [...new Set(named.map(({ value }) => value))]
  throw new Failure('forget', words`it is a domain: name the addresses of one person`, {
    at: domain.value,
    status: EXIT.usage,
  })
}

async function find({ config, erasure, folder, hold, actor }: Desk, redaction: Redaction): Promise<Found> {
  const text = readFileSync(config.path, 'utf8').split('\n')
  const settings = text.flatMap((line, index) => (redaction.touches(line) ? [index + 1] : []))
  const orphans: string[] = []
  for (const id of folder.ids()) {
    if (hold.standing(id) !== 'unknown') continue
    const envelope = readEnvelope(folder, id)
    if (!(envelope instanceof Failure) && redaction.touches(JSON.stringify(envelope))) orphans.push(id)
  }
  const decisions = blackOut(config.state, redaction, false)
  return { ...(await erasure.naming(redaction, actor.at)), decisions, settings, orphans }
}

/** What has to end first, a line each: nothing that waits, and nothing in force, is taken from under those who decide. */
function inTheWay({ messages, rules }: Naming, orphans: readonly string[], now: number): string[] {
  const waiting = messages.filter((message) => message.waiting > 0)
  const recent = messages.filter(({ waiting, heldAt }) => waiting === 0 && heldAt > now - RETRY_MS)
  return [
    ...waiting.map(({ id }) => words`${id} waits: release or reject it first (toeh show ${id})`),
    ...recent.map(({ id, heldAt }) => {
      const [held, free] = [localDay(heldAt), localDay(heldAt + RETRY_MS + 86_400_000)]
      return words`${id} was held on ${held}: Postfix may still hand it over again, so its rows stay until ${free}`
    }),
    ...rules
      .filter(({ inForce }) => inForce)
      .map(({ id }) => words`rule ${id} is in force: toeh revoke ${id} ends it`),
    ...orphans.map((id) => words`${id} is a folder without rows: toeh fsck says what to do with it`),
  ]
}

/** Where it stands, a line each. */
function describeFound(found: Found): string[] {
  const lines = found.messages.map(({ id, heldAt, asSender }) =>
    asSender
      ? words`hold: ${id} of ${localDay(heldAt)}, as its sender`
      : words`hold: ${id} of ${localDay(heldAt)}, as a recipient`,
  )
  for (const { id, inForce } of found.rules)
    lines.push(inForce ? words`rules: ${id}, in force` : words`rules: ${id}, ended or in its words`)
  if (found.tokens > 0) lines.push(words`answers to notices: ${found.tokens}`)
  if (found.notices > 0) lines.push(words`time of the last notice: ${found.notices}`)
  for (const { id, at, what } of found.audit) lines.push(words`audit: row ${id} of ${localDay(at)}, ${what}`)
  for (const { day, lines: count } of found.decisions)
    lines.push(words`decision log: ${day}, lines: ${count}`)
  return lines
}

/** What this does not reach. */
function describeElsewhere({ config }: Desk, { settings }: Found): string[] {
  const backups = backupsBeside(config.state)
  const [newest, oldest] = [backups.at(0), backups.at(-1)]
  return [
    ...settings.map((line) => words`${config.path}:${line} names them: change it by hand`),
    newest === undefined || oldest === undefined
      ? words`Backups that were made before name them for as long as they are kept; after one is restored: toeh forget again.`
      : words`Backups that were made before name them for as long as they are kept: ${backups.length} in ${dirname(newest.path)}, ${localDay(oldest.at)} to ${localDay(newest.at)}; after one is restored: toeh forget again.`,
    words`Postfix's log, mailboxes and notices that were sent are not TOEH's to change.`,
  ]
}

async function demandYes(options: Options, lines: readonly string[]): Promise<void> {
  if (options.yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new Failure('forget', words`nobody is there to be asked`, {
      status: EXIT.usage,
      hint: words`--dry-run shows what there is, --yes does it`,
    })
  for (const line of lines) process.stderr.write(`${visible(line)}\n`)
  if (!(await ask(words`erase that, for good?`)))
    throw new Failure('forget', words`nothing was changed`, { status: EXIT.failed })
}

/** @throws Failure where something has to end first */
function demandNothing(lines: readonly string[]): void {
  const [first] = lines
  if (first === undefined) return
  const more = lines.length - 1
  throw new Failure('forget', words`nothing was changed: ${first}`, {
    status: EXIT.failed,
    hint: more > 0 ? words`and ${more} more (--dry-run shows all)` : undefined,
  })
}

/** Erases it. @returns what is left to say */
async function erase(
  desk: Desk,
  redaction: Redaction,
  pseudonyms: string[],
  orphans: string[],
): Promise<string[]> {
  const { actor, config, erasure } = desk
  await erasure.forget(redaction, pseudonyms, actor, (naming) =>
    demandNothing(inTheWay(naming, orphans, actor.at)),
  )
  blackOut(config.state, redaction, true)
  return compact(desk)
}

async function compact({ erasure }: Desk): Promise<string[]> {
  try {
    await erasure.compact()
    return []
  } catch (error) {
    process.exitCode = EXIT.failed
    return [
      words`The database's file could not be written anew (${describeError(error)}): free places in it still have what was erased. toeh cleanup tries it again.`,
    ]
  }
}

const module: CommandModule = {
  command: 'forget <address..>',
  describe: 'show what is known of a person, and erase it; the audit keeps the deeds',
  builder: (yargs: Argv) =>
    yargs
      .positional('address', { type: 'string', array: true, describe: 'all addresses of one person' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'show what there is; change nothing' })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' })
      .example('toeh forget jean@supplier.example --dry-run', 'what a person may ask to know')
      .example('toeh forget jean@supplier.example', 'shows it, asks, erases it'),
  handler: async (args) => {
    const options = args as unknown as Options
    const addresses = parseAddresses(options)
    const desk = openDesk(options, options.dryRun ? 'read' : 'decide')
    const pseudonyms = new Map(addresses.map((address) => [address, drawPseudonym()]))
    const redaction = new Redaction(pseudonyms)
    const found = await find(desk, redaction)
    const { settings: _, ...erasable } = found
    const names = [...pseudonyms.values()]
    const blocked = inTheWay(found, found.orphans, desk.actor.at)
    const nothing = Object.values(erasable).every((part) =>
      typeof part === 'number' ? part === 0 : part.length === 0,
    )
    const there = nothing ? [words`nothing names them`] : describeFound(found)
    const tell = (done: boolean, lines: string[]): void =>
      answer(options, { addresses, pseudonyms: done ? names : [], found, inTheWay: blocked, done }, lines)
    if (options.dryRun) return tell(false, [...there, ...blocked, ...describeElsewhere(desk, found)])
    if (nothing) return tell(false, [...there, ...(await compact(desk)), ...describeElsewhere(desk, found)])
    demandNothing(blocked)
    await demandYes(options, there)
    const left = await erase(desk, redaction, names, found.orphans)
    tell(true, [
      ...(options.yes ? there : []),
      words`erased; in its place: ${names.join(', ')}`,
      ...left,
      ...describeElsewhere(desk, found),
    ])
  },
}
export default module
