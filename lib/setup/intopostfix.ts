/** Postfix's configuration as toeh init changes it: looked at, shown, put in place, taken back. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { answer, clock } from '../cli/context.js'
import type { Config } from '../config.js'
import { answerRemarks, relaysThrough } from '../doctor/answers.js'
import { injectorFaults } from '../doctor/entrances.js'
import { LANE_CHECKS, type LaneFacts, laneLeaks } from '../doctor/express.js'
import { findUnit, greet, lookInside, readSettings } from '../doctor/gather.js'
import { findInjectors } from '../doctor/injectors.js'
import { unitFaults } from '../doctor/unit.js'
import { EXIT } from '../exit.js'
import { laneFiles } from '../express/lane.js'
import { describeError, Failure } from '../failure.js'
import { type Network, nearestNetwork, networkText, parseNetwork } from '../mail/network.js'
import { askPostfix } from '../postfix/postconf.js'
import { networkFault, relayTable } from '../postfix/relay.js'
import { peoplesServices } from '../postfix/services.js'
import { instanceCommand, quote, type Setup } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import { FILES, GATE, type Layer, prepare, putInPlace, readRaw, type Table, undo } from './apply.js'
import { build, describeMode, draw, type Plan } from './install.js'
import type { InitOptions } from './options.js'
import { describePeople } from './people.js'
import { type Edit, leakHint, type Relay, wire } from './plan.js'

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
export async function demandTightLane({ path, config, owner }: Plan): Promise<void> {
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
export async function reload(configDir: string | undefined): Promise<void> {
  try {
    await askPostfix('postfix', configDir, 'reload')
  } catch (error) {
    throw new Failure('init --reload', words`${describeError(error)}; the change itself is made`, {
      hint: instanceCommand({ configDir }, 'postfix', 'start'),
    })
  }
}

/** How the reader goes on. */
export function next({ configDir, reload: done }: InitOptions): string {
  return done
    ? words`Postfix has read it.`
    : words`Now: ${instanceCommand({ configDir }, 'postfix', 'reload')}`
}

/** @param rest what is to be known of what is taken back */
export async function takeBack(options: InitOptions, layer: Layer, rest: string): Promise<void> {
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
function relayOf({ relay }: InitOptions, path: string): { relay: Relay; table: Table } | undefined {
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

export async function intoPostfix(options: InitOptions): Promise<void> {
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
