/** toeh mode: whether what nobody knows is held, or passes and is written down only; shows it, or changes that one line. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { ask } from '../cli/bulk.js'
import { answer, type CommonOptions, clock, configPath } from '../cli/context.js'
import { type Observed, send } from '../cli/errand.js'
import { loadTrusted } from '../cli/trust.js'
import type { Config } from '../config.js'
import { EXIT } from '../exit.js'
import { Failure, toFailure } from '../failure.js'
import { type Mode, modeCommand, modeSetting, prepareMode } from '../setup/modeline.js'
import { accounts, demandMember, describeAccounts } from '../system/accounts.js'
import type { Owner } from '../system/owner.js'
import { words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'

interface Options extends CommonOptions {
  mode?: Mode
  yes: boolean
}

/** Destinations that are shown. */
const ROWS = 10

/** Whose the state folder is: the decision log and the audit are that user's. */
function ownerOf(state: string): Owner {
  try {
    return statSync(state)
  } catch (error) {
    throw toFailure('mode', error, { at: state, status: EXIT.config, hint: words`toeh init makes it` })
  }
}

function describeMode({ mode, path }: Config): string[] {
  return mode === 'observe'
    ? [
        words`observe: everything passes, and the decision log says what would have been held (${path})`,
        words`What ends it, and shows first what it would hold: ${modeCommand('enforce', path)}`,
      ]
    : [words`enforce: what nobody knows is held (${path})`]
}

/** What the days of observing say of enforcing. */
function describeObserved({ since, days, messages, recipients, held, still }: Observed): string[] {
  if (since === null)
    return [words`The decision log has no message that was observed: what enforcing would hold is not known.`]
  const rows = still.destinations
    .slice(0, ROWS)
    .map(
      ({ destination, recipients: number, days: on }) =>
        `${String(number).padStart(7)} ${String(on).padStart(5)}  ${destination}`,
    )
  const more = still.destinations.length - rows.length
  return [
    words`Observed since ${localTime(since)}: messages ${messages}, recipients ${recipients}, days ${days}.`,
    words`Would have been held: recipients ${held.recipients}, destinations ${held.destinations}, days ${held.days}.`,
    words`With the rules of today: recipients ${still.recipients}, destinations ${still.destinations.length}.`,
    ...(rows.length > 0 ? ['', words`recipients, days, destination:`, ...rows] : []),
    ...(more > 0 ? [words`and ${more} more; --json has all`] : []),
    ...(rows.length > 0 ? [words`toeh learn observed proposes rules for them.`] : []),
    '',
  ]
}

/** What is told before the question, or with the answer where --yes was said. @throws Failure where nobody says yes */
async function demandYes(options: Options, lines: readonly string[]): Promise<string[]> {
  if (options.yes) return [...lines]
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new Failure('mode', words`nobody is there to be asked`, {
      status: EXIT.usage,
      hint: words`--yes does it, and says what would have been held`,
    })
  for (const line of lines) process.stderr.write(`${visible(line)}\n`)
  if (await ask(words`hold from now on what nobody knows?`)) return []
  throw new Failure('mode', words`nothing was changed`, { status: EXIT.failed })
}

/** Changes the file and writes that down: the audit first, as a change that nobody is named for must not be. */
async function change(config: Config, to: Mode, owner: Owner): Promise<void> {
  const { path, state, busySeconds, mode: was } = config
  const deed = { who: describeAccounts(accounts()), at: clock(), what: 'mode', subject: path }
  const ready = prepareMode(path, to)
  try {
    await send('note', { state, busySeconds, deed: { ...deed, was, now: to } }, owner)
  } catch (error) {
    ready.drop()
    throw error
  }
  try {
    ready.put()
  } catch (error) {
    await send('note', { state, busySeconds, deed: { ...deed, was: to, now: was } }, owner)
    throw error
  }
}

const module: CommandModule = {
  command: 'mode [mode]',
  describe: 'show whether unknown mail is held or only observed, or change it',
  builder: (yargs: Argv) =>
    yargs
      .positional('mode', {
        choices: ['observe', 'enforce'] as const,
        describe: 'what is to be; without it, what is',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'enforce without asking' })
      .example('toeh mode', 'what is')
      .example('toeh mode enforce', 'shows what it would hold, and asks'),
  handler: async (args) => {
    const options = args as unknown as Options
    const path = resolve(configPath(options))
    const config = loadTrusted(path)
    const { mode: to } = options
    const was = config.mode
    if (to === undefined || to === was) {
      const same = to === undefined ? [] : [words`It is so already: nothing was changed.`]
      return answer(options, { config: path, mode: was, changed: false }, [...same, ...describeMode(config)])
    }
    const owner = ownerOf(config.state)
    demandMember(accounts(), config.people.group, owner.uid)
    // Refused before anything is shown or asked.
    prepareMode(path, to).drop()
    const observed = to === 'enforce' ? await send('observed', { config: path }, owner) : undefined
    const lines = observed === undefined ? [] : await demandYes(options, describeObserved(observed))
    await change(config, to, owner)
    answer(options, { config: path, mode: to, was, changed: true, ...(observed && { observed }) }, [
      ...lines,
      to === 'enforce'
        ? words`${path} has ${modeSetting(to)}: from the next message on what nobody knows is held. No restart is needed.`
        : words`${path} has ${modeSetting(to)}: from the next message on everything passes. No restart is needed. What is held stays held.`,
      words`What undoes it: ${modeCommand(was, path)}`,
    ])
  },
}
export default module
