/** toeh express: what Postfix passes by itself; sets it up, and says whether all of it fits together. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { Argv, CommandModule } from 'yargs'
import { parseAddress } from '../address.js'
import { type Config, loadConfig } from '../config.js'
import { answer, type CommonOptions, configPath, type Desk, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import {
  LANE_PARAMETER,
  LANE_SERVICES,
  type LaneRow,
  laneCommands,
  laneMap,
  laneRestrictions,
  recipientTable,
  senderTable,
} from '../express.js'
import { describeError, Failure } from '../failure.js'
import { differences, Lane, laneFiles, laneFolder, lanePath } from '../lane.js'
import { readKeys, readParameter, readSmtpdServices, readTableTypes } from '../postconf.js'

interface Options extends CommonOptions {
  address: string[]
  write: boolean
  check: boolean
}

/** Each file with what should stand in it. */
async function textsOf(config: Config): Promise<[string, string][]> {
  const { map, senders, recipients } = laneFiles(config.path)
  return [
    [map, laneMap(lanePath(config.state))],
    [senders, senderTable(config.internal)],
    [recipients, recipientTable(await readParameter('recipient_delimiter'))],
  ]
}

/** The group Postfix's daemons run as. */
async function postfixGroup(): Promise<number> {
  const owner = (await readParameter('mail_owner')) || 'postfix'
  try {
    const text = execFileSync('id', ['-g', '--', owner], { stdio: ['ignore', 'pipe', 'ignore'] })
    return Number(text)
  } catch {
    throw new Failure('express', 'there is no such user: is Postfix installed?', { at: owner })
  }
}

/** Makes folder and files. Root gives the folder to the filter's user and to Postfix's group. */
async function prepare(config: Config): Promise<string[]> {
  if (process.getuid?.() !== 0) {
    throw new Failure('express --write', 'only root can let Postfix read it', { status: EXIT.noPermission })
  }
  if (!(await readTableTypes()).includes('sqlite')) {
    throw new Failure('express --write', 'this Postfix has no sqlite tables', {
      hint: 'apt install postfix-sqlite',
    })
  }
  const folder = laneFolder(config.state)
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
  chownSync(folder, statSync(config.state).uid, await postfixGroup())
  // Set-gid: what is made in it belongs to Postfix's group as well.
  chmodSync(folder, 0o2770)
  const written: string[] = []
  for (const [path, text] of await textsOf(config)) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    writeFileSync(`${path}.new`, text, { mode: 0o644 })
    chmodSync(`${path}.new`, 0o644)
    renameSync(`${path}.new`, path)
    written.push(`${path} written`)
  }
  return written
}

/** Makes the lane's file, as the owner of its folder. */
function makeLane(config: Config): void {
  const path = lanePath(config.state)
  // An smtpd that was started too early has made an empty file of root's.
  if (existsSync(path) && statSync(path).uid !== process.getuid?.()) rmSync(path)
  if (existsSync(path)) return
  // For all who can reach it, which the folder leaves to us and to Postfix: its log is made by whoever comes first,
  // with the same rights, and the other has to write it too.
  writeFileSync(path, '', { flag: 'wx' })
  chmodSync(path, 0o666)
}

async function write(options: Options, config: Config): Promise<void> {
  if (!config.express.enabled) {
    // Opening the desk empties what is still there.
    openDesk(options, 'write')
    const commands = [
      ...LANE_SERVICES.flatMap((service) => [
        `postconf -P '${service}/content_filter=toeh:dummy'`,
        `postconf -PX '${service}/smtpd_recipient_restrictions'`,
      ]),
      `postconf -X ${LANE_PARAMETER}`,
    ]
    answer(options, { enabled: false, commands }, [
      'The express lane is off, and passes nothing. To take it out of Postfix:',
      '',
      ...commands,
      'postfix reload',
    ])
    return
  }
  const written = await prepare(config)
  // Opening the desk becomes the owner of the state folder, so that the lane's file is his.
  openDesk(options, 'read')
  makeLane(config)
  const desk = openDesk(options, 'write')
  const mended = await desk.landscape.mendLane(desk.actor.at)
  const commands = laneCommands(LANE_SERVICES, laneFiles(config.path))
  answer(options, { enabled: true, written, mended, commands }, [
    ...written,
    `${mended} rows of the lane written`,
    '',
    'To put submission into it (where a service does not exist, leave its lines out):',
    '',
    ...commands,
    'postfix reload',
  ])
}

/** Rights and contents of what Postfix reads. */
async function checkFiles(config: Config): Promise<string[]> {
  const problems: string[] = []
  for (const [path, text] of await textsOf(config)) {
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text)
      problems.push(`${path} is not as it should be: toeh express --write, then postfix reload`)
  }
  const group = await postfixGroup()
  const owner = statSync(config.state).uid
  for (const [path, mode] of [
    [laneFolder(config.state), 0o2770],
    [lanePath(config.state), 0o666],
  ] as const) {
    try {
      const found = statSync(path)
      if ((found.mode & 0o7777) === mode && found.gid === group && found.uid === owner) continue
      problems.push(`${path} is not for the toeh user and Postfix's group alone: toeh express --write`)
    } catch (error) {
      problems.push(`${path}: ${describeError(error)}: toeh express --write`)
    }
  }
  return problems
}

const words = (text: string): string => text.replaceAll(/[\s,]+/g, ' ').trim()

/** The services in the lane, and what is wrong with them. */
async function checkServices(config: Config): Promise<{ services: string[]; problems: string[] }> {
  const files = laneFiles(config.path)
  const problems: string[] = []
  const services: string[] = []
  const relay = await readParameter('smtpd_relay_restrictions')
  for (const { name, chroot, options } of await readSmtpdServices()) {
    const restrictions = [...options].filter(([, value]) => value.includes(`sqlite:${files.map}`))
    if (restrictions.length === 0) continue
    services.push(name)
    const own = words(options.get('smtpd_recipient_restrictions') ?? '')
    const lane = words(laneRestrictions(files))
    if (own !== lane && !own.startsWith(`${lane} `))
      problems.push(
        `${name}: smtpd_recipient_restrictions does not begin with the lane: toeh express --write prints it`,
      )
    if (chroot)
      problems.push(`${name}: chrooted, it cannot see a cut-off write: postconf -F ${name}/chroot=n`)
    if (
      !/\b(reject|defer|reject_unauth_destination|defer_unauth_destination)\b/.test(
        options.get('smtpd_relay_restrictions') ?? relay,
      )
    )
      problems.push(
        `${name}: smtpd_relay_restrictions ends without reject: anybody could relay to known recipients`,
      )
  }
  return { services, problems }
}

/** Settings by which cleanup(8) makes other recipients of one that Postfix has let by. */
const MAPPINGS = ['virtual_alias_maps', 'canonical_maps', 'recipient_canonical_maps']
const COPIES = ['recipient_bcc_maps', 'sender_bcc_maps']

/** Aliases that could lead out of what was asked: they are expanded after Postfix has asked the lane. */
async function checkAliases(config: Config, rows: readonly LaneRow[]): Promise<string[]> {
  const problems: string[] = []
  const passing = rows.filter(({ pass }) => pass).map(({ key }) => key)
  const keys = new Set(passing)
  const domains = new Set(passing.map((key) => key.slice(key.lastIndexOf('@'))))
  for (const setting of MAPPINGS) {
    for (const table of (await readParameter(setting)).split(/[\s,]+/).filter((word) => word !== '')) {
      const mapped = await readKeys(table)
      if (mapped === undefined) {
        problems.push(
          `${setting} ${table} cannot be listed: it may lead known recipients elsewhere, past the filter`,
        )
        continue
      }
      for (const key of mapped) {
        const folded = key.toLowerCase()
        const at = folded.lastIndexOf('@')
        if (at < 0) continue
        const domain = folded.slice(at)
        const meets = at === 0 ? domains.has(domain) : keys.has(folded) || keys.has(domain)
        if (meets)
          problems.push(`${setting} ${table}: ${key} leads a known recipient elsewhere, past the filter`)
      }
    }
  }
  for (const setting of COPIES) {
    const tables = await readParameter(setting)
    if (tables !== '') problems.push(`${setting} ${tables} adds recipients that the filter would not see`)
  }
  const copy = parseAddress((await readParameter('always_bcc')) || `x@${[...config.internal][0]}`)
  if (!copy.plain || !config.internal.has(copy.domain))
    problems.push('always_bcc adds a recipient outside that the filter would not see')
  return problems
}

function checkRows(desk: Desk, rows: readonly LaneRow[]): string[] {
  const { gone, changed } = differences(rows, desk.landscape.laneRows(desk.actor.at, desk.config.internal))
  const wrong = [...gone, ...changed.map(({ key }) => key)]
  return wrong.length === 0
    ? []
    : [`${wrong.length} rows of the lane differ from the landscape (${wrong[0]}): toeh express --write`]
}

async function check(options: Options, config: Config): Promise<void> {
  if (!config.express.enabled) {
    const { services } = await checkServices(config)
    const problems = services.map(
      (name) => `${name} asks the express lane, which is off: toeh express --write`,
    )
    answer(options, { enabled: false, services, problems }, ['The express lane is off.', ...problems])
    if (problems.length > 0) process.exitCode = EXIT.failed
    return
  }
  const { services, problems: ofServices } = await checkServices(config)
  const ofFiles = await checkFiles(config)
  let rows: LaneRow[] = []
  let ofRows: string[] = []
  let ofAliases: string[] = []
  if (existsSync(lanePath(config.state))) {
    // As root still: what the tables hold may be root's to read.
    rows = new Lane(config).rows()
    ofAliases = await checkAliases(config, rows)
    const desk = openDesk(options, 'read')
    ofRows = checkRows(desk, rows)
  }
  const problems = [...ofFiles, ...ofServices, ...ofAliases, ...ofRows]
  const passing = rows.filter(({ pass }) => pass).length
  const taking = services.length === 0 ? 'no service asks it yet' : `asked by ${services.join(', ')}`
  answer(options, { enabled: true, services, passing, stops: rows.length - passing, problems }, [
    `The express lane is on: ${passing} addresses and domains pass, ${rows.length - passing} stops; ${taking}.`,
    ...problems,
  ])
  if (problems.length > 0) process.exitCode = EXIT.failed
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
    results.map(({ recipient, passes }) => `${recipient}: ${passes ? 'past the filter' : 'to the filter'}`),
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
      throw new Failure('express', 'an address, --write or --check: one of them', { status: EXIT.usage })
    if (options.address.length > 0) return ask(options)
    const config = loadConfig(configPath(options))
    return options.write ? write(options, config) : check(options, config)
  },
}
export default module
