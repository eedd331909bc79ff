/**
 * toeh init: makes configuration, folders and database, and prints the master.cf lines, or puts them into Postfix. Twice
 * changes nothing.
 *
 * It is long because it has four jobs (to look, apply, undo, set up answers) with one set of options; its parts are to go to setup/.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, lchownSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, configPath } from '../cli/context.js'
import { type Earlier, type Folder, makeFolder, send } from '../cli/errand.js'
import { demandTrustedInstance, loadTrusted } from '../cli/trust.js'
import { type Config, DEFAULT_CONFIG_PATH, DEFAULTS, parseConfig } from '../config.js'
import { answerRemarks, relaysThrough } from '../doctor/answers.js'
import { deliveryOf, readAnswerWay } from '../doctor/answerway.js'
import { archiveFaults } from '../doctor/archives.js'
import { injectorFaults } from '../doctor/entrances.js'
import { LANE_CHECKS, type LaneFacts, laneLeaks } from '../doctor/express.js'
import { findUnit, greet, lookInside, ownerOf, readSettings } from '../doctor/gather.js'
import { findArchives } from '../doctor/gatherarchives.js'
import { findInjectors } from '../doctor/injectors.js'
import { unitFaults } from '../doctor/unit.js'
import { EXIT } from '../exit.js'
import { laneFiles } from '../express/lane.js'
import { LANE_SERVICES, laneCommands } from '../express/tables.js'
import { describeError, Failure, toFailure } from '../failure.js'
import { foldAscii, parseAddress, parseOwnDomain } from '../mail/address.js'
import { faultIn } from '../mail/addressfault.js'
import { type Delimiters, isDelimiters } from '../mail/mailbox.js'
import { type Network, nearestNetwork, networkText, parseNetwork } from '../mail/network.js'
import { readAliases } from '../postfix/aliases.js'
import { parseServices } from '../postfix/mastercf.js'
import { type AddressClasses, askPostfix, readAddressClasses, readDelimiters } from '../postfix/postconf.js'
import { networkFault, relayTable } from '../postfix/relay.js'
import { readResidences } from '../postfix/residents.js'
import { BACKUPS, cronLines, moderateService, sampleConfig, sampleMaster } from '../postfix/sample.js'
import { peoplesServices } from '../postfix/services.js'
import { instanceCommand, quote, type Setup } from '../postfix/settings.js'
import {
  ANSWERS,
  FILES,
  GATE,
  type Layer,
  prepare,
  putInPlace,
  readRaw,
  type Table,
  undo,
} from '../setup/apply.js'
import { modeCommand } from '../setup/modeline.js'
import { type Edit, leakHint, type Relay, wire } from '../setup/plan.js'
import { LED, receive } from '../setup/reception.js'
import { demandReach } from '../system/owner.js'
import { languageOf, spoken, words } from '../text/translate.js'
import { visible } from '../text/visible.js'

interface Options extends CommonOptions {
  user?: string
  internal?: string[]
  approver?: string[]
  language?: Config['language']
  state: string
  express: boolean
  anew: boolean
  postfix: boolean
  moderate: boolean
  cron: boolean
  apply: boolean
  undo: boolean
  reload: boolean
  relay?: string[]
  configDir?: string
}

type People = Pick<Config, 'approvers' | 'language'>

interface Owner {
  name: string
  uid: number
  gid: number
}

/** Whose the state folder is, where there is one that is not root's. */
function ownerOfState(options: Options): string | undefined {
  const path = configPath(options)
  if (!existsSync(path)) return undefined
  return ownerOf(loadTrusted(path).state)
}

/** The user who is to own everything. Root makes it for the filter's user, anybody else for himself. */
function findOwner(options: Options): Owner {
  const me = { name: userInfo().username, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (me.uid !== 0) return me
  const name = options.user ?? ownerOfState(options) ?? 'toeh'
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { name, uid: id('-u'), gid: id('-g') }
  } catch {
    throw new Failure('init', words`there is no such user`, {
      at: name,
      status: EXIT.usage,
      hint: `adduser --system --group --home /var/lib/toeh --no-create-home ${name}`,
    })
  }
}

/** The internal domains to begin with, and what the reader should know of them. */
async function findInternal(options: Options): Promise<{ domains: string[]; remarks: string[] }> {
  if (options.internal !== undefined) {
    const domains = options.internal.map((text) => {
      const domain = parseOwnDomain(text)
      if (domain.plain) return domain.domain
      throw new Failure('init --internal', faultIn(spoken(), domain.fault), {
        at: JSON.stringify(text),
        status: EXIT.usage,
      })
    })
    return { domains, remarks: [] }
  }
  const hint = words`name the company's domains: toeh init --internal company.example`
  let classes: AddressClasses
  try {
    classes = await readAddressClasses(options.configDir)
  } catch (error) {
    const why = words`Postfix cannot be asked for its domains: ${describeError(error)}`
    throw new Failure('init', why, { status: EXIT.usage, hint })
  }
  if (classes.domains.length === 0)
    throw new Failure('init', words`Postfix names no domain of its own here`, { status: EXIT.usage, hint })
  const remarks = classes.tables.map(
    (table) => words`look into ${table}: add its domains to internal_domains`,
  )
  return { domains: classes.domains, remarks }
}

/** An approver's address, as the configuration takes it. @throws Failure */
function parseApprover(text: string): string {
  const address = parseAddress(text)
  if (address.plain) return text
  throw new Failure('init --approver', faultIn(spoken(), address.fault), {
    at: JSON.stringify(text),
    status: EXIT.usage,
  })
}

/** Each once. */
function approversIn(texts: readonly string[]): string[] {
  return [...new Map(texts.map((text) => [foldAscii(text), parseApprover(text)])).values()]
}

/** Asks a person at the terminal; no answer, and no terminal, is nobody. */
async function askApprovers(): Promise<string[]> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return []
  const question = (): boolean =>
    process.stderr.write(
      `${words`Who may say yes to held mail, and is told of it? Addresses with blanks between, or nothing:`} `,
    )
  question()
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    try {
      return approversIn(line.split(/[\s,]+/).filter((text) => text !== ''))
    } catch (error) {
      process.stderr.write(`${visible(describeError(error))}\n`)
      question()
    }
  }
  process.stderr.write('\n')
  return []
}

/** Whom and in which language a new configuration has notices go to. */
async function findPeople({ approver, language, json, ...options }: Options): Promise<People> {
  const makes = !options.postfix || options.apply
  const asked = approver === undefined && makes && json !== true ? await askApprovers() : (approver ?? [])
  return { approvers: approversIn(asked), language: language ?? languageOf(process.env) ?? 'en' }
}

/** A configuration that is there is left alone: what was said of people has to stand in it already. */
function demandPeople({ approver, language }: Options, config: Config): void {
  const refused = (option: string, setting: string): Failure =>
    new Failure(`init --${option}`, words`the configuration is there already, and says something else`, {
      at: config.path,
      status: EXIT.usage,
      hint: words`set ${setting} in it`,
    })
  const there = new Set(config.approvers.map(foldAscii))
  const approvers = approversIn(approver ?? [])
  if (approvers.some((address) => !there.has(foldAscii(address))))
    throw refused('approver', `approvers = ${JSON.stringify(approvers)}`)
  if (language !== undefined && language !== config.language)
    throw refused('language', `language = "${language}"`)
}

function describePeople({ approvers, path }: Config): string[] {
  return approvers.length > 0
    ? [words`Approvers: ${approvers.join(', ')}`]
    : [
        words`No approvers are named: of held mail its senders are told, and nobody who could say yes. To name them: approvers in ${path}`,
      ]
}

/** Postfix's own domains that a configuration does not have, as one that was made before Postfix was set up. */
async function lackingDomains({ internal, path }: Config, { configDir }: Options): Promise<string[]> {
  const classes = await readAddressClasses(configDir).catch(() => undefined)
  const lacking = classes?.domains.filter((domain) => !internal.has(domain)) ?? []
  if (lacking.length === 0) return []
  return [
    words`${path} lacks domains that Postfix has as its own: ${lacking.join(', ')}. Mail to them and from them is held. If they are yours, add them to internal_domains.`,
  ]
}

/** Outside addresses that Postfix copies mail to, each with the command that makes it known. */
async function offerArchives(config: Config, configDir: string | undefined): Promise<string[]> {
  const copies = await findArchives(config, configDir, clock())
  if (copies === undefined) return []
  return archiveFaults(copies, config.path).map(({ what, why }) => `${what}: ${why}`)
}

/** Postfix's recipient_delimiter, where it can be asked and the configuration can have it; doctor speaks of the rest. */
async function findDelimiters({ configDir }: Options): Promise<Delimiters> {
  const value = await readDelimiters(configDir).catch(() => undefined)
  return value !== undefined && isDelimiters(value) ? value : undefined
}

function describeFolder({ path, made, wrong }: Folder, owner: Owner): string {
  if (made) return words`${path} made, for ${owner.name} alone`
  return wrong.length === 0
    ? words`${path} is there`
    : words`${path} is there, but not for ${owner.name} alone: ${wrong.join('; ')}`
}

interface Plan {
  path: string
  owner: Owner
  config: Config
  /** The configuration that is to be written, where there is none. */
  text: string | undefined
  remarks: string[]
  /** What is to be made known, each with its command. */
  offers: string[]
}

/** What is to be made; nothing is, yet. */
async function draw(options: Options): Promise<Plan> {
  const path = resolve(configPath(options))
  const owner = findOwner(options)
  if (existsSync(path)) {
    const config = loadTrusted(path)
    demandPeople(options, config)
    const offers = [
      ...(await lackingDomains(config, options)),
      ...(await offerArchives(config, options.configDir)),
    ]
    return { path, owner, config, text: undefined, remarks: [], offers }
  }
  const { domains, remarks } = await findInternal(options)
  const text = sampleConfig(
    resolve(options.state),
    domains,
    await findDelimiters(options),
    await findPeople(options),
  )
  const config = parseConfig(path, text)
  return { path, owner, config, text, remarks, offers: await offerArchives(config, options.configDir) }
}

/** What becomes of mail that nobody knows, and the command that changes that. */
function describeMode({ mode, path }: Config): string[] {
  return [
    mode === 'observe'
      ? words`It begins by observing: everything passes, and the decision log says what would have been held. What ends that, and shows it first: ${modeCommand('enforce', path)}`
      : words`What goes outside waits from now on until somebody says yes. To watch first: ${modeCommand('observe', path)}`,
  ]
}

/** A database was here: an empty one in its place would know nobody, and nothing that waits. */
function lost(config: Config, path: string, { messages, days, backup }: Earlier): Failure {
  const [first = '', last = first] = [days[0], days.at(-1)]
  const signs = [
    ...(messages > 0 ? [words`messages in the hold (${messages})`] : []),
    ...(days.length > 0 ? [words`a decision log of ${first} to ${last}`] : []),
    ...(backup === null ? [] : [words`the backup ${backup}`]),
  ]
  const where = config.path === DEFAULT_CONFIG_PATH ? '' : ` --config ${quote(config.path)}`
  const from = backup === null ? '' : ` --backup ${quote(backup)}`
  return new Failure('init', words`it is gone, and there was one here: ${signs.join(', ')}`, {
    at: path,
    status: EXIT.failed,
    hint: words`to restore it: ${`toeh fsck --repair${from}${where}`} (docs/backup.md); to begin without it: ${`toeh init --anew${where}`}`,
  })
}

/** Makes configuration, folders and database; what is there is left. @returns what was done, in lines */
async function build({ path, owner, config, text, remarks }: Plan, anew: boolean): Promise<string[]> {
  const lines: string[] = []
  if (process.getuid?.() === 0 && owner.uid !== 0) demandReach(owner)
  // The modes below are meant: under a root's umask of 077 the filter could not read its configuration.
  process.umask(0o022)
  if (text === undefined) lines.push(words`${path} is there`)
  else {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { flag: 'wx', mode: 0o640 })
    lchownSync(path, process.getuid?.() ?? owner.uid, owner.gid)
    lines.push(words`${path} made, internal domains: ${[...config.internal].join(', ')}`, ...remarks)
  }
  const { state, busySeconds } = config
  lines.push(describeFolder(makeFolder(state, owner), owner))
  process.umask(0o077)
  // What lies in it is made without root's rights: it is the owner's to put links there.
  const place = state === DEFAULTS.state ? BACKUPS : undefined
  const { folders, database, earlier } = await send(
    'furnish',
    { state, owner, busySeconds, place, anew },
    owner,
  )
  if (earlier !== undefined) throw lost(config, database.path, earlier)
  lines.push(...folders.map((folder) => describeFolder(folder, owner)))
  lines.push(database.made ? words`${database.path} made` : words`${database.path} is there`)
  return lines
}

/** The express lane's files come first: Postfix may only be told of what is there and right. */
function demandLane(config: Config, facts: LaneFacts): LaneFacts {
  const hint = `toeh express --write --config ${quote(config.path)}`
  if (!config.express.enabled)
    throw new Failure('init --express', words`the express lane is off`, {
      at: config.path,
      hint: words`set enabled = true under [express], then: ${hint}`,
    })
  const [fault] = LANE_CHECKS.filter(({ name }) => name === 'express-files').flatMap(({ look }) =>
    look(facts),
  )
  if (fault !== undefined) throw new Failure('init --express', fault.what, { hint })
  return facts
}

/** Refuses where mail that takes the lane would go on elsewhere. Without a Postfix to ask there is nothing to refuse. */
async function demandTightLane({ path, config, owner }: Plan): Promise<void> {
  let settings: Awaited<ReturnType<typeof readSettings>>
  try {
    settings = await readSettings(config, undefined, owner.name)
  } catch {
    return
  }
  const files = laneFiles(path)
  const { lane } = existsSync(config.state)
    ? await lookInside(config, settings.main, clock())
    : { lane: { enabled: false, files, texts: [], places: [], rows: undefined, astray: [] } }
  const faults = laneLeaks({ ...settings, lane }, peoplesServices(settings))
  const leaks = faults.filter(({ level }) => level === 'critical')
  if (leaks.length > 0)
    throw new Failure('init --express', leaks.map(({ what }) => what).join('; '), { hint: leakHint() })
}

/** Refuses a way back that would not be ours: somebody listens there, and master.cf does not say who. */
async function demandPort(edits: readonly Edit[], { expected, toeh }: Setup): Promise<void> {
  const { reinject } = toeh
  if (reinject === undefined) return
  if (!edits.some(({ kind, service }) => kind === 'service' && service === expected.reinjection.id)) return
  const greeting = await greet(reinject)
  const who = 'banner' in greeting ? greeting.banner : greeting.failure
  if (who.includes('ECONNREFUSED')) return
  throw new Failure('init --postfix', words`something listens there already: ${who}`, {
    at: `${reinject.host}:${reinject.port}`,
    hint: words`set reinject in ${toeh.path} to a free port; or, where it is a Postfix that has not been told: postfix reload`,
  })
}

/** Tells Postfix of it. @throws Failure where it is not running; what was changed stays */
async function reload(configDir: string | undefined): Promise<void> {
  try {
    await askPostfix('postfix', configDir, 'reload')
  } catch (error) {
    throw new Failure('init --reload', words`${describeError(error)}; the change itself is made`, {
      hint: instanceCommand({ configDir }, 'postfix', 'start'),
    })
  }
}

/** How the reader goes on. */
function next({ configDir, reload: done }: Options): string {
  return done
    ? words`Postfix has read it.`
    : words`Now: ${instanceCommand({ configDir }, 'postfix', 'reload')}`
}

/** @param rest what is to be known of what is taken back */
async function takeBack(options: Options, layer: Layer, rest: string): Promise<void> {
  const { folder, difference, whole, left } = await undo(options.configDir, layer)
  if (options.reload) await reload(options.configDir)
  const files = FILES.map((name) => join(folder, name))
  const [main = '', master = ''] = files
  const how = whole
    ? words`${main} and ${master} are byte for byte what they were.`
    : words`${main} and ${master} are without our lines; what others have changed is kept.`
  const json = { folder, difference, undone: true, whole, left, reloaded: options.reload }
  answer(options, layer === GATE ? { postfix: json } : { moderate: json }, [
    ...difference.trimEnd().split('\n'),
    '',
    how,
    ...left.map((path) => words`${path} is left: somebody has changed it. Postfix asks it no more.`),
    next(options),
    rest,
  ])
}

/** Prints what cron is to run; the configuration says by whom. */
function printCron(options: Options): void {
  const config = loadTrusted(resolve(configPath(options)))
  const owner = options.user ?? ownerOf(config.state) ?? 'toeh'
  const cron = cronLines(owner, config)
  answer(options, { config: config.path, cron }, cron)
}

/** The lines of toeh.toml that a person adds. */
function describeModerate({ moderate, path }: Config, address: string): string[] {
  if (moderate.enabled && foldAscii(moderate.address) === foldAscii(address)) return []
  return [
    words`Then, under [moderate] in ${path}: enabled = true, address = ${JSON.stringify(address)}. Until then nobody is asked to answer by mail.`,
  ]
}

/** Hands approvers' answers to toeh moderate. */
async function intoModerate(options: Options): Promise<void> {
  const { configDir } = options
  if (process.getuid?.() !== 0)
    throw new Failure('init --moderate', words`only root can change Postfix`, { status: EXIT.noPermission })
  const path = resolve(configPath(options))
  if (options.undo)
    return takeBack(
      options,
      ANSWERS,
      words`Approvers' answers by mail find nobody any more: enabled = false, under [moderate] in ${path}.`,
    )
  await prepare(configDir, [])
  const config = loadTrusted(path)
  const domains = [...config.internal]
  const home = domains.find((domain) => domain.includes('.')) ?? domains[0]
  const address = config.moderate.address || `toeh-moderate@${home}`
  const lists = { aliases: await readAliases(configDir), residences: await readResidences(configDir) }
  const way = await readAnswerWay(address, configDir, lists)
  const values = (await askPostfix('postconf', configDir, '-h', ...LED)).split('\n')
  const [expected] = parseServices(moderateService(findOwner(options).name, config))
  if (expected === undefined) throw new Failure('init --moderate', words`it is damaged`)
  const { edits, remarks } = receive({
    way,
    delivery: await deliveryOf(way, config.internal, configDir, lists),
    ...(await readRaw(configDir)),
    defaults: new Map(LED.map((name, index) => [name, values[index]?.trim() ?? ''])),
    expected,
  })
  const alteration = await prepare(configDir, edits)
  const { folder, difference } = alteration
  const applied = options.apply && difference !== ''
  const backups = applied ? await putInPlace(alteration, ANSWERS) : []
  if (applied && options.reload) await reload(configDir)
  const json = {
    folder,
    difference,
    applied: options.apply,
    backups,
    reloaded: applied && options.reload,
    remarks,
  }
  const settings = describeModerate(config, address)
  if (difference === '')
    return answer(options, { config: path, moderate: json }, [
      words`Postfix has all of it already: nothing is changed in ${folder}.`,
      ...settings,
    ])
  answer(
    options,
    { config: path, moderate: json },
    applied
      ? [
          words`${folder}/main.cf and master.cf are changed, and postfix check finds nothing wrong.`,
          words`As they were: ${backups.join(', ')}. toeh init --moderate --undo puts that back.`,
          ...remarks,
          next(options),
          ...settings,
        ]
      : [
          ...difference.trimEnd().split('\n'),
          '',
          ...remarks,
          words`Nothing is changed yet: the same with --apply does it.`,
          ...settings,
        ],
  )
}

/** The networks of --relay, each once. @throws Failure for what is none */
function networksIn(texts: readonly string[]): Network[] {
  const found = texts
    .flatMap((text) => text.split(/[\s,]+/))
    .filter((text) => text !== '')
    .map((text) => {
      const network = parseNetwork(text)
      const fault = network === undefined ? undefined : networkFault(network)
      if (network !== undefined && fault === undefined) return network
      const nearest = nearestNetwork(text)
      throw new Failure('init --relay', fault ?? words`that is no IP address and no network`, {
        at: JSON.stringify(text),
        status: EXIT.usage,
        hint:
          nearest !== undefined && fault === undefined
            ? words`the network it lies in is ${networkText(nearest)}`
            : words`such as 192.0.2.25 or 192.0.2.0/24`,
      })
    })
  return [...new Map(found.map((network) => [networkText(network), network])).values()]
}

/** Who is to relay by port 25, and the table that says so. */
function relayOf({ relay }: Options, path: string): { relay: Relay; table: Table } | undefined {
  if (relay === undefined) return undefined
  const networks = networksIn(relay)
  if (networks.length === 0)
    throw new Failure('init --relay', words`it names nobody`, {
      status: EXIT.usage,
      hint: words`such as 192.0.2.25 or 192.0.2.0/24`,
    })
  const table = join(dirname(path), 'toeh-clients')
  return {
    relay: { networks, path: table },
    table: { path: table, text: relayTable(networks, 'toeh init --postfix --relay') },
  }
}

async function intoPostfix(options: Options): Promise<void> {
  const { configDir } = options
  if (process.getuid?.() !== 0)
    throw new Failure('init --postfix', words`only root can change Postfix`, { status: EXIT.noPermission })
  if (options.undo)
    return takeBack(
      options,
      GATE,
      words`Mail that is queued for the gate finds it no more: postsuper -r ALL, after the reload. What is held stays held: toeh list.`,
    )
  // First: without a Postfix nothing else need be said.
  await prepare(configDir, [])
  const plan = await draw(options)
  const { config, owner, path } = plan
  const settings = await readSettings(config, configDir, owner.name)
  const { set } = await readRaw(configDir)
  const lane = options.express
    ? demandLane(config, { ...settings, lane: (await lookInside(config, settings.main, clock())).lane })
    : undefined
  const relay = relayOf(options, path)
  const { edits, remarks } = wire({ ...settings, set, lane: { files: laneFiles(path) } }, lane, relay?.relay)
  if (relay === undefined)
    remarks.push(
      ...injectorFaults({
        ...settings,
        lane: { files: laneFiles(path) },
        injectors: findInjectors(),
      }).map(({ what, why }) => `${what}: ${why}`),
    )
  const through = [
    ...relaysThrough({ ...settings, lane: { files: laneFiles(path) } }),
    ...(relay?.relay.networks ?? []),
  ]
  const chained = edits.find(
    ({ name, value }) => name === 'content_filter' && /^(?!toeh:)./.test(value ?? ''),
  )
  remarks.push(...answerRemarks(config.moderate, through, chained?.value ?? undefined))
  if (relay !== undefined && (options.express || config.express.enabled))
    remarks.push(
      words`The express lane is not on port 25: what relays there goes through the filter. The lane takes ${'smtputf8_enable=no'} and no chroot, which would be for the Internet's mail as well.`,
    )
  remarks.push(...describeUnit(settings, configDir), ...plan.offers)
  await demandPort(edits, settings)
  const alteration = await prepare(configDir, edits, relay === undefined ? [] : [relay.table])
  const { folder, difference } = alteration
  const lines: string[] = []
  let backups: string[] = []
  if (options.apply) {
    lines.push(...(await build(plan, options.anew)))
    if (difference === '')
      lines.push(
        '',
        words`Postfix has all of it already: nothing is changed in ${folder}.`,
        ...remarks,
        ...(plan.text === undefined ? [] : [...describePeople(config), ...describeMode(config)]),
      )
    else {
      backups = await putInPlace(alteration)
      if (options.reload) await reload(configDir)
      lines.push(
        '',
        words`${folder}/main.cf and master.cf are changed, and postfix check finds nothing wrong.`,
        words`As they were: ${backups.join(', ')}. toeh init --postfix --undo puts that back.`,
        ...remarks,
        ...describePeople(config),
        ...describeMode(config),
        next(options),
      )
    }
  } else {
    if (plan.text !== undefined)
      lines.push(words`${path} would be made, internal domains: ${[...config.internal].join(', ')}`)
    if (difference === '') lines.push(words`Postfix has all of it already: ${folder}.`)
    else lines.push(...difference.trimEnd().split('\n'), '')
    lines.push(...plan.remarks, ...remarks)
    if (difference !== '' || plan.text !== undefined)
      lines.push(words`Nothing is changed yet: the same with --apply does it.`)
  }
  const json = {
    folder,
    difference,
    applied: options.apply,
    backups,
    reloaded: options.apply && options.reload,
    remarks,
  }
  answer(options, { config: path, state: config.state, postfix: json }, lines)
}

/** What Postfix's unit forbids the filter, as Debian 13's does, and the drop-in that lets it. */
function describeUnit(setup: Setup, configDir: string | undefined): string[] {
  const faults = unitFaults({ ...setup, unit: findUnit(setup.main, configDir) })
  if (faults.length === 0) return []
  const commands = new Set(faults.flatMap(({ mend }) => mend))
  return [
    ...faults.map(({ what, why }) => `${what}: ${why}`),
    ...(commands.size > 0 ? [words`What mends it, in a root shell:`, ...commands] : []),
  ]
}

/** Options that mean nothing without --postfix, and two that contradict one another. */
function demandSense(options: Options): void {
  const { postfix, moderate, apply, undo: back, reload: read, relay, configDir } = options
  const parts = Object.entries({ postfix, moderate, cron: options.cron }).filter(([, there]) => there)
  if (parts.length > 1)
    throw new Failure('init', words`${parts.map(([name]) => `--${name}`).join(', ')}: one of them`, {
      status: EXIT.usage,
    })
  const given = {
    apply,
    undo: back,
    reload: read,
    relay: relay !== undefined,
    'config-dir': configDir !== undefined,
  }
  for (const [name, there] of Object.entries(given))
    if (there && !postfix && !(moderate && name !== 'relay'))
      throw new Failure(`init --${name}`, words`it belongs to --postfix`, { status: EXIT.usage })
  // What makes a configuration: this only reads one.
  const { express, anew, internal, approver, language } = options
  for (const [name, there] of Object.entries({ express, anew, internal, approver, language }))
    if (moderate && there !== undefined && there !== false)
      throw new Failure(`init --${name}`, words`it does not go with --moderate`, { status: EXIT.usage })
  if (apply && back) throw new Failure('init', words`--apply or --undo: one of them`, { status: EXIT.usage })
  if (relay !== undefined && back)
    throw new Failure('init', words`--relay or --undo: one of them`, { status: EXIT.usage })
  if (read && !apply && !back)
    throw new Failure('init --reload', words`it goes with --apply or --undo`, { status: EXIT.usage })
}

const module: CommandModule = {
  command: 'init',
  describe: 'make configuration, folders and database; print the master.cf lines',
  builder: (yargs: Argv) =>
    yargs
      .option('user', {
        type: 'string',
        requiresArg: true,
        describe: "the filter's user (for root; default toeh)",
      })
      .option('internal', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: "the company's own domains (default: Postfix's)",
      })
      .option('approver', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'who may say yes to held mail, and is told of it',
      })
      .option('language', {
        choices: ['en', 'fr'] as const,
        requiresArg: true,
        describe: 'of notices (default: that of this shell)',
      })
      .option('state', {
        type: 'string',
        default: DEFAULTS.state,
        requiresArg: true,
        describe: 'state folder',
      })
      .option('express', {
        type: 'boolean',
        default: false,
        describe: 'print what the express lane needs as well',
      })
      .option('anew', {
        type: 'boolean',
        default: false,
        describe: 'make an empty database also where one was lost',
      })
      .option('postfix', {
        type: 'boolean',
        default: false,
        describe: 'show what would change in main.cf and master.cf',
      })
      .option('moderate', {
        type: 'boolean',
        default: false,
        describe: "show what would change in Postfix for approvers' answers by mail",
      })
      .option('cron', {
        type: 'boolean',
        default: false,
        describe: 'print the lines for cron, their programs by their paths',
      })
      .option('apply', {
        type: 'boolean',
        default: false,
        describe: 'with --postfix: change it, and make all the rest; or change it alone (--moderate)',
      })
      .option('undo', {
        type: 'boolean',
        default: false,
        describe: 'with --postfix or --moderate: put back what was there',
      })
      .option('reload', {
        type: 'boolean',
        default: false,
        describe: 'with --apply or --undo: tell Postfix of it',
      })
      .option('relay', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'with --postfix: the networks that relay by port 25, through the gate',
      })
      .option('config-dir', {
        type: 'string',
        requiresArg: true,
        describe: "with --postfix or --moderate: another Postfix instance's configuration folder",
      })
      .example('toeh init --postfix', 'see what it would do to Postfix')
      .example('toeh init --moderate --apply --reload', 'let approvers answer by mail')
      .example('toeh init --cron > /etc/cron.d/toeh', 'have cleanup, digest and backup run')
      .example('toeh init --postfix --relay 127.0.0.0/8,10.0.0.5', 'put the gate before what port 25 relays')
      .example('toeh init --internal company.example', 'then add the printed lines to master.cf'),
  handler: async (args) => {
    const options = args as unknown as Options
    demandSense(options)
    demandTrustedInstance('init --config-dir', options.configDir)
    try {
      if (options.cron) return printCron(options)
      if (options.postfix) return await intoPostfix(options)
      if (options.moderate) return await intoModerate(options)
      const plan = await draw(options)
      const { path, owner, config } = plan
      if (options.express) await demandTightLane(plan)
      const lines = await build(plan, options.anew)
      const master = sampleMaster(owner.name, config).trimEnd().split('\n')
      const express = options.express ? laneCommands(LANE_SERVICES, laneFiles(path)) : []
      const first = words`For the express lane, set enabled = true under [express], run toeh express --write, then:`
      answer(
        options,
        { config: path, state: config.state, master, ...(options.express ? { express } : {}) },
        [
          ...lines,
          ...(plan.text === undefined ? [] : [...describePeople(config), ...describeMode(config)]),
          '',
          words`Add to master.cf:`,
          '',
          ...master,
          ...(plan.offers.length > 0 ? ['', ...plan.offers] : []),
          ...(options.express ? ['', first, '', ...express, 'postfix reload'] : []),
        ],
      )
    } catch (error) {
      throw toFailure('init', error, { at: resolve(configPath(options)), status: EXIT.failed })
    }
  },
}
export default module
