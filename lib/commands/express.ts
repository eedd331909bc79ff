/** toeh express: what Postfix passes by itself; sets it up, and says whether all of it fits together. */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, configPath, openDesk } from '../cli/context.js'
import { send } from '../cli/errand.js'
import { loadTrusted } from '../cli/trust.js'
import type { Config } from '../config.js'
import { LANE_CHECKS } from '../doctor/express.js'
import { lookInside, postfixGroup, readMain, readSettings } from '../doctor/gather.js'
import { EXIT } from '../exit.js'
import { Lane, laneFiles, laneFolder, lanePath } from '../express/lane.js'
import { LANE_PARAMETER, LANE_SERVICES, LANE_UTF8, laneCommands, laneTexts } from '../express/tables.js'
import { Failure } from '../failure.js'
import { readTableTypes } from '../postfix/postconf.js'
import { laneServices } from '../postfix/services.js'
import { publish } from '../system/files.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  address: string[]
  write: boolean
  check: boolean
}

/**
 * Makes the lane's folder where it is missing: its owner writes in it, Postfix's group reads. What root changes is what it has
 * opened, because somebody who may write above it could put another in its place.
 */
function makeLaneFolder(path: string, owner: number, group: number): void {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined
  const refused = (why: string): Failure =>
    new Failure('express --write', why, { at: path, hint: words`look what it is, and take it away` })
  if (!isThere) mkdirSync(path, { mode: 0o700 })
  if (lstatSync(path).isDirectory() === false) throw refused(words`it is no folder`)
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const { uid } = fstatSync(fd)
    const isForeign = uid !== owner && (uid !== 0 || readdirSync(path).length > 0)
    if (isForeign) throw refused(words`it belongs to another user`)
    fchownSync(fd, owner, group)
    // Set-gid: what is made in it belongs to Postfix's group as well.
    fchmodSync(fd, 0o2750)
  } finally {
    closeSync(fd)
  }
}

/** Makes folder and files. Root gives the folder to the filter's user and to Postfix's group. */
async function prepare(config: Config): Promise<string[]> {
  const operation = 'express --write'
  if (process.getuid?.() !== 0) {
    throw new Failure(operation, words`only root can let Postfix read it`, { status: EXIT.noPermission })
  }
  if (!(await readTableTypes()).includes('sqlite')) {
    throw new Failure(operation, words`this Postfix has no sqlite tables`, {
      hint: 'apt install postfix-sqlite',
    })
  }
  const main = await readMain(undefined)
  const group = postfixGroup(main)
  if (group === undefined) throw new Failure(operation, words`Postfix has no user here: is it installed?`)
  const folder = laneFolder(config.state)
  const texts = laneTexts(
    laneFiles(config.path),
    lanePath(config.state),
    config,
    main.get('recipient_delimiter') ?? '',
  )
  makeLaneFolder(folder, statSync(config.state).uid, group)
  const written: string[] = []
  for (const [path, text] of texts) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    publish(operation, undefined, path, text, 0o644)
    written.push(words`${path} written`)
  }
  return written
}

async function write(options: Options, config: Config): Promise<void> {
  if (!config.express.enabled) {
    // Opening the desk empties what is still there.
    openDesk(options, 'write')
    const commands = [
      ...LANE_SERVICES.flatMap((service) => [
        `postconf -P '${service}/content_filter=toeh:dummy'`,
        `postconf -PX '${service}/smtpd_recipient_restrictions'`,
        `postconf -PX '${service}/${LANE_UTF8.name}'`,
      ]),
      `postconf -X ${LANE_PARAMETER}`,
    ]
    answer(options, { enabled: false, commands }, [
      words`The express lane is off, and passes nothing. To take it out of Postfix:`,
      '',
      ...commands,
      'postfix reload',
    ])
    return
  }
  const written = await prepare(config)
  // By the owner of the state folder, so that the lane's file is his.
  const mended = await send('fillLane', { config: resolve(config.path) }, statSync(config.state))
  const commands = laneCommands(LANE_SERVICES, laneFiles(config.path))
  answer(options, { enabled: true, written, mended, commands }, [
    ...written,
    words`${mended} rows of the lane written`,
    '',
    words`To put submission into it (where a service does not exist, leave its lines out):`,
    '',
    ...commands,
    'postfix reload',
  ])
}

async function check(options: Options, config: Config): Promise<void> {
  const settings = await readSettings(config, undefined)
  const { lane, trouble } = await lookInside(config, settings.main, clock())
  const { enabled, rows } = lane
  if (rows !== undefined && trouble !== undefined) throw trouble
  const facts = { ...settings, lane }
  const faults = LANE_CHECKS.flatMap(({ look }) => look(facts))
  const problems = faults.map(
    ({ what, why, mend }) => `${what}: ${mend.length === 0 ? why : mend.join('; ')}`,
  )
  const services = laneServices(facts).map(({ id }) => id)
  // What cannot be listed may be harmless: only a person can tell.
  if (faults.some(({ level }) => level !== 'unknown')) process.exitCode = EXIT.failed
  if (!enabled) {
    answer(options, { enabled, services, problems }, [words`The express lane is off.`, ...problems])
    return
  }
  const passing = rows?.filter(({ pass }) => pass).length ?? 0
  const stops = (rows?.length ?? 0) - passing
  answer(options, { enabled, services, passing, stops, problems }, [
    services.length === 0
      ? words`The express lane is on: ${passing} addresses and domains pass, ${stops} stops; no service asks it yet.`
      : words`The express lane is on: ${passing} addresses and domains pass, ${stops} stops; asked by ${services.join(', ')}.`,
    ...problems,
  ])
}

async function ask(options: Options): Promise<void> {
  const { config } = openDesk(options, 'read')
  const lane = config.express.enabled ? new Lane(config) : undefined
  const passing = lane?.passing(options.address)
  const results = options.address.map((recipient) => ({
    recipient,
    passes: passing?.has(recipient) ?? false,
  }))
  answer(
    options,
    results,
    results.map(({ recipient, passes }) =>
      passes ? words`${recipient}: past the filter` : words`${recipient}: to the filter`,
    ),
  )
}

const module: CommandModule = {
  command: 'express [address..]',
  describe: 'known mail past the filter: set it up, check it, ask it',
  builder: (yargs: Argv) =>
    yargs
      .positional('address', {
        type: 'string',
        array: true,
        default: [],
        describe: 'does it go past the filter?',
      })
      .option('write', {
        type: 'boolean',
        default: false,
        describe: 'make what Postfix reads as the configuration says; print its lines',
      })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'does it all fit together? (also without any option)',
      })
      .example('toeh express --write', 'then the printed commands, then postfix reload'),
  handler: async (args) => {
    const options = args as unknown as Options
    const asked = [options.write, options.check, options.address.length > 0].filter((one) => one)
    if (asked.length > 1)
      throw new Failure('express', words`an address, --write or --check: one of them`, { status: EXIT.usage })
    if (options.address.length > 0) return ask(options)
    const config = loadTrusted(configPath(options))
    return options.write ? write(options, config) : check(options, config)
  },
}
export default module
