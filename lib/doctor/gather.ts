/**
 * The installation: gathers what `toeh doctor` looks at, once, changing nothing.
 *
 * It is long because every fact is gathered in one place, once, and nothing of it decides anything.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Look, send } from '../cli/errand.js'
import { type Config, longestRun } from '../config.js'
import { databasePath } from '../database/database.js'
import { laneFiles, lanePath, lanePlaces } from '../express/lane.js'
import { laneTexts } from '../express/tables.js'
import { describeError, Failure } from '../failure.js'
import { foldAscii } from '../mail/address.js'
import { type Aliases, readAliases } from '../postfix/aliases.js'
import { splitList } from '../postfix/braces.js'
import { wantedTables } from '../postfix/diversion.js'
import { type Listing, listAll, listKeys } from '../postfix/listing.js'
import { lineOf, parseServices, type Service } from '../postfix/mastercf.js'
import { askPostfix } from '../postfix/postconf.js'
import { type Residence, reachable, readResidences } from '../postfix/residents.js'
import { sampleMaster } from '../postfix/sample.js'
import { ADDRESS_CLASSES, gateOf } from '../postfix/settings.js'
import { errorOf, troubleOf } from '../system/owner.js'
import { words } from '../text/translate.js'
import { GENERIC } from './aliases.js'
import { readAnswerWay } from './answerway.js'
import { MAPPINGS } from './express.js'
import type { Facts, LaneFact, PathFact, UnitFact } from './facts.js'
import { findArchives } from './gatherarchives.js'
import { LOGWATCH, readsLongIds } from './host.js'
import { findInjectors } from './injectors.js'
import { sieveIn } from './people.js'
import { readOrigins, readProperties, sandboxOf } from './unit.js'

/** How long a server or a program is waited for. */
const PATIENCE_MS = 20_000

/** What a command prints, without the last line end; undefined where it fails. */
function ask(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text)
}

/** What Postfix and TOEH are told to do. */
type Settings = Pick<
  Facts,
  'configDir' | 'versions' | 'main' | 'services' | 'expected' | 'toeh' | 'tables' | 'answers' | 'user'
>

/** Of Postfix 3.10 and newer: with it no Received has a HELO name, by which a loop is known (lib/mail/header.ts). */
const HIDING = 'smtpd_hide_client_session'

/** The way back with the option that keeps its HELO name to be seen, whatever main.cf says. */
function showing(reinjection: Service): Service {
  return parseServices(`${lineOf(reinjection)} -o ${HIDING}=no`)[0] ?? reinjection
}

/**
 * What is written in the configuration of both.
 * @param owner the filter's user where the state folder does not say
 * @throws Failure where Postfix cannot be asked
 */
export async function readSettings(
  config: Config,
  configDir: string | undefined,
  owner?: string,
): Promise<Settings> {
  const main = await readMain(configDir)
  const services = await readServices(main, configDir)
  const [gate, reinjection, cleanup] = parseServices(
    sampleMaster(owner ?? ownerOf(config.state) ?? 'toeh', config),
  )
  if (gate === undefined || reinjection === undefined || cleanup === undefined)
    throw new Failure('master.cf.sample', words`it is damaged`)
  const setup = {
    configDir,
    main,
    services,
    expected: { gate, reinjection: main.has(HIDING) ? showing(reinjection) : reinjection, cleanup },
    toeh: {
      path: config.path,
      mode: config.mode,
      state: config.state,
      internal: [...config.internal],
      delimiters: config.delimiters,
      reinject: config.reinject.kind === 'smtp' ? config.reinject : undefined,
      deadlineSeconds: config.deadlineSeconds,
      longestRun: longestRun(config),
      leastFree: config.limits.free,
      mostHeld: { messages: config.limits.holdMessages, bytes: config.limits.holdBytes },
      trustedMilters: config.trustedMilters,
    },
  }
  const { expected } = setup
  return {
    ...setup,
    versions: { postfix: main.get('mail_version') ?? '', node: process.versions.node },
    tables: await readTables(main, services, configDir),
    answers: await listAll((answers) => wantedTables({ ...setup, answers }), configDir),
    // Before its service is in master.cf it is known already who is to run it.
    user: userOf((gateOf({ services, expected }) ?? expected.gate).attributes.get('user') ?? ''),
  }
}

/**
 * Everything the checks want to know.
 * @param now milliseconds since 1970
 * @throws Failure where Postfix cannot be asked
 */
export async function gatherFacts(
  config: Config,
  configDir: string | undefined,
  now: number,
): Promise<Facts> {
  const settings = await readSettings(config, configDir)
  const { user, main } = settings
  const { reinject } = settings.toeh
  const service = gateOf(settings)
  const { lane, database, routine } = await lookInside(config, main, now)
  const aliases = await readAliases(configDir).catch(() => undefined)
  const residences = await readResidences(configDir).catch(() => [])
  const mailboxes = (address: string) => reachOf(address, { aliases, residences }, config.internal)
  const unit = findUnit(main, configDir)
  return {
    ...settings,
    now,
    unit,
    injectors: findInjectors(),
    paths: pathsOf(config),
    disks: [config.state, main.get('queue_directory') ?? '/'].flatMap(roomOf),
    clockKept: { yes: true, no: false }[ask('timedatectl', 'show', '-p', 'NTPSynchronized', '--value') ?? ''],
    running: isRunning(configDir),
    greeting: reinject === undefined ? undefined : await greet(reinject),
    strangerEnters: reinject === undefined ? undefined : await sendStranger(reinject, user.uid),
    trial: service === undefined ? undefined : await tryFilter(service, user, config, configDir, unit),
    lane,
    database,
    routine,
    approvers: await Promise.all(
      config.approvers.map(async (address) => ({ address, mailboxes: await mailboxes(address) })),
    ),
    notice: {
      from: config.notice.from,
      mailboxes: await readBy(await mailboxes(config.notice.from), settings, aliases),
    },
    sieve: sieveIn(ask('doveconf', '-n') ?? ''),
    moderate: config.moderate,
    answerWay:
      config.moderate.enabled && aliases !== undefined
        ? await readAnswerWay(config.moderate.address, configDir, { aliases, residences }).catch(
            () => undefined,
          )
        : undefined,
    logwatch: readLogwatch(),
    copies: await findArchives(config, configDir, now),
  }
}

/** Whether logwatch reads long queue ids, as Debian has it; undefined where it is not installed. */
function readLogwatch(): boolean | undefined {
  if (!existsSync('/usr/share/logwatch/default.conf/services/postfix.conf')) return undefined
  try {
    return readsLongIds(readFileSync(LOGWATCH, 'utf8'))
  } catch {
    return false
  }
}

/** Whom a notice to an address would go to; undefined where Postfix's aliases cannot be asked. */
async function reachOf(
  address: string,
  { aliases, residences }: { aliases: Aliases | undefined; residences: readonly Residence[] },
  internal: ReadonlySet<string>,
): Promise<string[] | undefined> {
  return aliases && (await reachable(address, { aliases, residences }, internal).catch(() => undefined))
}

/** Of mailboxes those that somebody reads: not that of the filter's own user, unless alias_maps lead it elsewhere. */
async function readBy(
  mailboxes: readonly string[] | undefined,
  { main, user }: Pick<Settings, 'main' | 'user'>,
  aliases: Aliases | undefined,
): Promise<string[] | undefined> {
  if (mailboxes === undefined || aliases === undefined) return undefined
  const read: string[] = []
  for (const mailbox of mailboxes) {
    const [local = '', domain = ''] = mailbox.split('@')
    const isOwn =
      user.uid !== undefined && foldAscii(local) === user.name && aliases.bare.has(foldAscii(domain))
    const tables = splitList(main.get('alias_maps') ?? '')
    const led = await Promise.all(tables.map((table) => aliases.lookUp(table, local).catch(() => '')))
    if (!isOwn || led.some((target) => target !== undefined)) read.push(mailbox)
  }
  return read
}

function parameters(text: string): Map<string, string> {
  return new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf(' =')
      return [line.slice(0, at), line.slice(at + 2).trim()]
    }),
  )
}

/** Every parameter of main.cf and its default, expanded. @throws Failure where Postfix cannot be asked */
export async function readMain(configDir: string | undefined): Promise<Map<string, string>> {
  return parameters(await askPostfix('postconf', configDir, '-x'))
}

/** Daemons whose settings are asked for, one by one. */
const ASKED = ['smtpd', 'pickup', 'qmqpd', 'cleanup']

/**
 * The services of master.cf, their options expanded. To these are added the settings that main.cf derives from one of them:
 * with `-o header_checks=…` mime_header_checks is another too.
 */
async function readServices(
  main: ReadonlyMap<string, string>,
  configDir: string | undefined,
): Promise<Service[]> {
  const expanded = parameters(await askPostfix('postconf', configDir, '-Px'))
  const services = parseServices(await askPostfix('postconf', configDir, '-M'))
  return Promise.all(
    services.map(async (service) => {
      const own = [...service.options].map(([name, value]): [string, string] => [
        name,
        expanded.get(`${service.id}/${name}`) ?? value,
      ])
      if (!ASKED.includes(service.program) || own.length === 0) return { ...service, options: new Map(own) }
      const told = [...service.options].flatMap(([name, value]) => ['-o', `${name}=${value}`])
      const seen = parameters(await askPostfix('postconf', configDir, '-x', ...told))
      const derived = [...seen].filter(([name, value]) => main.get(name) !== value)
      return { ...service, options: new Map([...derived, ...own]) }
    }),
  )
}

function isRunning(configDir: string | undefined): boolean {
  const where = configDir === undefined ? [] : ['-c', configDir]
  return ask('/usr/sbin/postfix', ...where, 'status') !== undefined
}

/** The unit that Postfix's master runs in, or would be started by. */
export function findUnit(
  main: ReadonlyMap<string, string>,
  configDir: string | undefined,
): UnitFact | undefined {
  if (!existsSync('/run/systemd/system')) return undefined
  // Debian 12's postfix.service only starts the others.
  const known = configDir === undefined ? ['postfix.service', 'postfix@-.service'] : []
  for (const name of [runningUnit(main) ?? [], known].flat()) {
    const properties = readProperties(ask('systemctl', 'show', '--', name) ?? '')
    if (properties.get('LoadState') !== 'loaded' || properties.get('Type') === 'oneshot') continue
    return { name, properties, origins: readOrigins(ask('systemctl', 'cat', '--', name) ?? '') }
  }
  return undefined
}

/** By the control group of the process that all others come from; undefined where it does not run, or by hand. */
function runningUnit(main: ReadonlyMap<string, string>): string | undefined {
  try {
    const folder = main.get('queue_directory') ?? ''
    const pid = Number(readFileSync(join(folder, 'pid/master.pid'), 'utf8'))
    if (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'master\n') return undefined
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    return /^(?:0:|\d+:name=systemd):.*\/([^/\n]+\.service)$/m.exec(groups)?.[1]
  } catch {
    return undefined
  }
}

/** Whose the state folder is. Root's it should not be, nor anybody's who does not exist: undefined. */
export function ownerOf(state: string): string | undefined {
  const uid = statSync(state, { throwIfNoEntry: false })?.uid ?? 0
  return uid === 0 ? undefined : ask('id', '-nu', '--', String(uid))
}

function userOf(attribute: string): Facts['user'] {
  const [name = '', named] = attribute.split(':')
  const uid = name === '' ? undefined : numberOf(ask('id', '-u', '--', name))
  const group = named ?? ask('id', '-gn', '--', name) ?? ''
  return { name, uid, group, gid: numberOf(ask('getent', 'group', group)?.split(':')[2]) }
}

async function readTables(
  main: ReadonlyMap<string, string>,
  services: readonly Service[],
  configDir: string | undefined,
): Promise<Listing> {
  const tables: Listing = new Map()
  const values = [...ADDRESS_CLASSES, 'alias_maps', ...MAPPINGS, ...GENERIC].flatMap((name) => [
    main.get(name) ?? '',
    ...services.flatMap(({ options }) => options.get(name) ?? []),
  ])
  for (const word of values.flatMap(splitList)) {
    if (/[:/]/.test(word) && !tables.has(word)) tables.set(word, await listKeys(word, configDir))
  }
  return tables
}

function pathsOf(config: Config): PathFact[] {
  const { state } = config
  const all: PathFact[] = [
    ...['', 'hold', 'hold/tmp', 'decisions'].map(
      (name): PathFact => ({ path: join(state, name), kind: 'folder' }),
    ),
    { path: databasePath(state), kind: 'database' },
    { path: config.path, kind: 'configuration' },
  ]
  return all.map((fact) => {
    // A link within the state folder is looked at itself; to the configuration it may lead.
    const look = fact.kind === 'configuration' ? statSync : lstatSync
    const stat = look(fact.path, { throwIfNoEntry: false })
    return stat === undefined ? fact : { ...fact, mode: stat.mode, uid: stat.uid, gid: stat.gid }
  })
}

function roomOf(path: string): Facts['disks'][number][] {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path)
    // Some file systems count no files.
    return [{ path, freeBytes: bavail * bsize, freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree }]
  } catch {
    return []
  }
}

/** Says EHLO to the service behind `reinject`, and QUIT. */
export function greet(server: { host: string; port: number }): Promise<NonNullable<Facts['greeting']>> {
  return new Promise((resolve) => {
    const where = `${server.host}:${server.port}`
    const socket = connect({ ...server, timeout: PATIENCE_MS })
    let text = ''
    let banner = ''
    const fail = (why: string): void => {
      socket.destroy()
      resolve({ failure: `${where}: ${why}` })
    }
    socket.on('timeout', () => fail(words`no answer`))
    socket.on('error', (error) => fail(describeError(error)))
    socket.on('close', () => fail(words`the connection was closed`))
    let step = 0
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (!/^\d{3} .*\r\n$/m.test(text)) return
      if (!text.startsWith(step === 0 ? '220' : '250')) return fail(text.trim().split('\r\n')[0] ?? '')
      if (step++ === 0) {
        banner = text.trim()
        socket.write('EHLO doctor.invalid\r\n')
      } else {
        const lines = text.trim().split('\r\n').slice(1)
        resolve({ banner, offers: lines.map((line) => line.slice(4).split(' ')[0] ?? '') })
        socket.end('QUIT\r\n')
      }
      text = ''
    })
  })
}

/** Not root's, not the filter's, and on most hosts nobody's. */
const STRANGERS = [65_533, 65_532]

/** Whether another user's process gets a greeting there. */
async function sendStranger(
  server: { host: string; port: number },
  filterUid: number | undefined,
): Promise<boolean | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const uid = STRANGERS.find((one) => one !== filterUid) ?? 0
  const script = `const s = require('node:net').connect(${server.port}, '${server.host}')
s.setTimeout(3000, () => process.exit(3)); s.on('error', () => process.exit(3)); s.on('data', () => process.exit(0))`
  const { status } = await run([process.execPath, '-e', script], { uid, gid: uid, cwd: '/', env: {} })
  // The end with 0 and with 3 are its own words; any other says that it did not run.
  return status === 0 ? true : status === 3 ? false : undefined
}

/**
 * The filter as pipe(8) would run it, with nothing to read: it opens all it needs, then misses the message. Where Postfix is
 * a unit of systemd, in a sandbox like that unit's.
 */
async function tryFilter(
  service: Service,
  user: Facts['user'],
  config: Config,
  configDir: string | undefined,
  unit: UnitFact | undefined,
): Promise<Facts['trial']> {
  const { uid, gid } = user
  if (uid === undefined || gid === undefined) return undefined
  const isRoot = process.getuid?.() === 0
  if (!isRoot && process.getuid?.() !== uid) return undefined
  const [internal = ''] = config.internal
  const values: Record<string, string> = { queue_id: 'DOCTOR', recipient: `postmaster@${internal}` }
  const argv = service.argv.map((word) =>
    word.replace(/\$(?:\{(\w+)\}|\((\w+)\)|(\w+))/g, (_, a, b, c) => values[a ?? b ?? c] ?? ''),
  )
  const cwd = service.attributes.get('directory') ?? config.state
  const env = { PATH: '/usr/bin:/bin', LANG: 'C', MAIL_CONFIG: configDir ?? '/etc/postfix' }
  if (isRoot && unit !== undefined) {
    const boxed = await run(inSandbox(unit, argv, { uid, gid, cwd, env }), { cwd: '/', env })
    // Without D-Bus there is no systemd-run, and an older one may not know a property: then without, by what the unit says.
    if (!/^(?:Failed|Unknown) /.test(boxed.output)) return boxed
  }
  return run(argv, { ...(isRoot ? { uid, gid } : {}), cwd, env })
}

/** systemd-run(1) on a program. As root, who then becomes the user: as pipe(8) does it, and with its one group. */
function inSandbox(
  unit: UnitFact,
  argv: readonly string[],
  { uid, gid, cwd, env }: { uid: number; gid: number; cwd: string; env: Record<string, string> },
): string[] {
  const properties = [
    `WorkingDirectory=${cwd}`,
    'UMask=0077',
    `RuntimeMaxSec=${PATIENCE_MS / 1000}`,
    ...sandboxOf(unit),
  ].flatMap((property) => ['-p', property])
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--']
  const manner = ['--pipe', '--wait', '--collect', '--quiet']
  return ['systemd-run', ...manner, ...properties, '--', 'env', '-i', ...environment, ...become, ...argv]
}

/** Runs a program on no input; its status and what it printed, both streams as one. */
function run(
  [program = '', ...args]: readonly string[],
  options: { uid?: number; gid?: number; cwd: string; env: Record<string, string> },
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    // Not spawn's own: where a program does not start, that would keep this one from its end.
    const limit = setTimeout(() => child.kill(), PATIENCE_MS)
    const take = (bytes: Buffer): void => {
      output += bytes.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.stdin.on('error', () => {}) // A program that does not start does not read.
    child.stdin.end()
    const end = (status: number | null, said: string): void => {
      clearTimeout(limit)
      resolve({ status, output: said })
    }
    child.on('error', (error) => end(null, describeError(error)))
    child.on('close', (status) => end(status, output.trim()))
  })
}

/** The group Postfix's daemons run as, or undefined where there is none. */
export function postfixGroup(main: ReadonlyMap<string, string>): number | undefined {
  return numberOf(ask('id', '-g', '--', main.get('mail_owner') || 'postfix'))
}

/** The database and the lane's rows, seen with the eyes of the owner of the state folder. */
async function askInside(config: Config, hasLane: boolean, now: number): Promise<Look> {
  const { state, busySeconds, internal } = config
  try {
    const input = { state, busySeconds, internal: [...internal], hasLane, now }
    return await send('look', input, statSync(state, { throwIfNoEntry: false }))
  } catch (error) {
    return { rowsFault: describeError(error), astray: [], trouble: troubleOf(error) }
  }
}

/**
 * What Postfix reads of the express lane, and the database.
 * @returns also, as `trouble`, why the lane's rows could not be compared with it
 */
export async function lookInside(
  config: Config,
  main: ReadonlyMap<string, string>,
  now: number,
): Promise<Pick<Facts, 'lane' | 'database' | 'routine'> & { trouble?: Error }> {
  const { enabled } = config.express
  const path = lanePath(config.state)
  const { rows, rowsFault, astray, database, routine, trouble } = await askInside(config, enabled, now)
  const error = trouble === undefined ? undefined : errorOf(trouble)
  const files = laneFiles(config.path)
  const wanted = enabled ? laneTexts(files, path, config, main.get('recipient_delimiter') ?? '') : []
  return {
    lane: {
      enabled,
      files,
      texts: wanted.map(([at, text]) => ({
        path: at,
        right: existsSync(at) && readFileSync(at, 'utf8') === text,
      })),
      places: enabled ? placesOf(config, main, rowsFault) : [],
      rows,
      astray,
    },
    database: database ?? { failure: describeError(error) },
    routine,
    ...(error === undefined ? {} : { trouble: error }),
  }
}

/** The lane's folder and what is in it, looked at as root, who opens nothing there. */
function placesOf(
  config: Config,
  main: ReadonlyMap<string, string>,
  rowsFault: string | undefined,
): LaneFact['places'] {
  const owner = statSync(config.state, { throwIfNoEntry: false })?.uid
  const group = postfixGroup(main)
  return lanePlaces(config.state).map(({ path, kind, mode }) => {
    try {
      const found = lstatSync(path)
      const isFit = kind === 'file' ? found.isFile() : found.isDirectory()
      if (!isFit || (found.mode & 0o777) !== mode || found.gid !== group || found.uid !== owner)
        return { path, fault: words`${path} is not for the toeh user and Postfix's group alone` }
      if (path === lanePath(config.state) && rowsFault !== undefined)
        return { path, fault: words`${path} cannot be read: ${rowsFault}` }
      return { path }
    } catch (error) {
      return { path, fault: words`${path} cannot be read: ${describeError(error)}` }
    }
  })
}
