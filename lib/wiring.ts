/**
 * The wiring: what Postfix lacks for the gate to stand in it, as changes that postconf(1) makes. What it does not
 * understand it refuses: two filters in one service, or a port of somebody else's, are for a person to sort out. Pure.
 */
import { EXIT } from './exit.js'
import { LANE_PARAMETER, LANE_UTF8, laneRestrictions } from './express.js'
import { type Setup, settingOf } from './facts.js'
import { Failure } from './failure.js'
import { secondsOf, timeLimitFor } from './gatecheck.js'
import { endsInReject, type LaneFacts, laneLeaks } from './lanecheck.js'
import { lineOf, type Service, wordValue } from './mastercf.js'
import { words } from './speech.js'
import { isFiltered, isServer, peoplesServices, takesFromOutside, waysBack } from './ways.js'
import { HEADROOM, notTheWayBack } from './wayscheck.js'

/** One change of main.cf or master.cf. What stands there is null where nothing does. */
export interface Edit {
  /** A whole service, one of its fields, one of its `-o` options, or a parameter of main.cf. */
  kind: 'service' | 'field' | 'option' | 'parameter'
  /** The service, as postconf(1) names it; empty for a parameter. */
  service: string
  /** Of the field, option or parameter; empty for a service. */
  name: string
  value: string | null
  was: string | null
}

/** What postconf(1) is told; a value with blanks of an option it would not take. */
export function argumentsOf({ kind, service, name, value }: Edit): string[] {
  switch (kind) {
    case 'service':
      return value === null ? ['-MX', service] : ['-M', `${service}=${value}`]
    case 'field':
      return ['-F', `${service}/${name}=${value ?? '-'}`]
    case 'option':
      return value === null ? ['-PX', `${service}/${name}`] : ['-P', `${service}/${name}=${value}`]
    case 'parameter':
      return value === null ? ['-X', name] : ['-e', `${name}=${value}`]
  }
}

/** What the wiring looks at: the setup, and the parameters that main.cf itself sets, as they stand. */
export interface Ground extends Setup {
  set: ReadonlyMap<string, string>
}

function refuse(at: string | undefined, why: string, hint: string): never {
  throw new Failure('init --postfix', why, { at, hint, status: EXIT.failed })
}

function runsFilter({ program, argv }: Service): boolean {
  return program === 'pipe' && argv.some((word) => word.includes('toeh-filter'))
}

/** A service's option as it stands, or null. */
function optionOf(service: Service, name: string): string | null {
  return wordValue(service.optionWords, name) ?? null
}

function option(service: Service, name: string, value: string): Edit {
  return { kind: 'option', service: service.id, name, value, was: optionOf(service, name) }
}

function added(service: Service): Edit {
  return { kind: 'service', service: service.id, name: '', value: lineOf(service), was: null }
}

/** The gate's service, where it is missing. */
function gateEdits({ services, expected, configDir, main }: Ground): Edit[] {
  const { gate } = expected
  if ((main.get('multi_instance_directories') ?? '') !== '' && configDir === undefined)
    refuse(
      'multi_instance_directories',
      words`there is more than one instance of Postfix`,
      words`say which has the gate, by --config-dir FOLDER`,
    )
  const named = services.find(({ name }) => name === gate.name)
  if (named !== undefined && !runsFilter(named))
    refuse(
      `master.cf, ${named.id}`,
      words`a service of this name is there already, and does not run toeh-filter`,
      words`give it another name, or set the gate up by hand (docs/postfix.md)`,
    )
  const other = services.find((service) => runsFilter(service) && service.name !== gate.name)
  if (other !== undefined)
    refuse(
      `master.cf, ${other.id}`,
      words`it runs toeh-filter already`,
      words`call it ${gate.name}, or take it out`,
    )
  return named === undefined ? [added(gate)] : []
}

/** By which a service names its cleanup(8). */
const CLEANUP = 'cleanup_service_name'

/** The service behind `reinject` and its cleanup(8), where they are missing. */
function backEdits(ground: Ground): Edit[] {
  const { expected, services, toeh } = ground
  if (toeh.reinject === undefined) return []
  const ways = waysBack(ground)
  const hint = words`set reinject in ${toeh.path} to a free port`
  for (const service of ways)
    if (!isServer(service))
      refuse(`master.cf, ${service.id}`, words`its port belongs to another: it runs ${service.program}`, hint)
  const [fault] = notTheWayBack(ground)
  if (fault !== undefined)
    refuse(
      'master.cf',
      words`${fault.what}: it is not the way back`,
      words`${hint}, or see what toeh doctor says`,
    )
  const { cleanup, reinjection } = expected
  const named = services.find(({ name }) => name === cleanup.name)
  if (named !== undefined && named.program !== cleanup.program)
    refuse(
      `master.cf, ${named.id}`,
      words`a service of this name is there already, and does not run ${cleanup.program}`,
      words`give it another name, or set the gate up by hand (docs/postfix.md)`,
    )
  const missing = named === undefined ? [added(cleanup)] : []
  if (ways.length === 0) return [...missing, added(reinjection)]
  // Where another cleanup is named, that is somebody's choice; `toeh doctor` says where it is a bad one.
  const unnamed = ways.filter((service) => optionOf(service, CLEANUP) === null)
  const isAsked = unnamed.length > 0 || ways.some((service) => optionOf(service, CLEANUP) === cleanup.name)
  return [...(isAsked ? missing : []), ...unnamed.map((service) => option(service, CLEANUP, cleanup.name))]
}

function parameterEdits({ main, set, expected, toeh }: Ground): Edit[] {
  const parameter = (name: string, value: string): Edit => ({
    kind: 'parameter',
    service: '',
    name,
    value,
    was: set.get(name) ?? null,
  })
  const edits: Edit[] = []
  if (main.get('enable_long_queue_ids') !== 'yes') edits.push(parameter('enable_long_queue_ids', 'yes'))
  // Those that are set already are somebody's choice; `toeh doctor` says where it is a bad one.
  const limit = `${expected.gate.name}_destination_recipient_limit`
  if (!set.has(limit)) edits.push(parameter(limit, '50'))
  const time = `${expected.gate.name}_time_limit`
  if (!(secondsOf(set.get(time) ?? '') > toeh.longestRun))
    edits.push(parameter(time, `${timeLimitFor(toeh.longestRun)}s`))
  return edits
}

/** Refuses a service whose mail goes to another filter. */
function demandFree(ground: Ground, service: Service): void {
  const proxy = settingOf(ground, service, 'smtpd_proxy_filter')
  if (proxy !== '')
    refuse(
      `master.cf, ${service.id}`,
      words`smtpd_proxy_filter=${proxy} takes its mail, and a content_filter there sees none`,
      words`take it out, or set content_filter=toeh:dummy by hand on the service it hands mail back to`,
    )
  const filter = settingOf(ground, service, 'content_filter')
  if (filter === '' || isFiltered(ground, service)) return
  const where = service.options.has('content_filter')
    ? `master.cf, ${service.id}`
    : words`main.cf, for ${service.id}`
  refuse(
    where,
    words`content_filter=${filter} is there already, and Postfix takes one`,
    words`let that filter hand its mail on to the gate: content_filter=toeh:dummy on the service it hands mail back to`,
  )
}

/** What to do where the express lane would lead mail past the filter. */
export function leakHint(): string {
  return words`take it out, or leave the express lane off (docs/express.md)`
}

/** What puts a service into the express lane. Its own restrictions stay, behind the lane's. */
function laneEdits(ground: Ground, service: Service, facts: LaneFacts): Edit[] {
  const { files } = facts.lane
  const { id } = service
  const leaks = laneLeaks(facts, [service]).filter(({ level }) => level === 'critical')
  if (leaks.length > 0) refuse(`master.cf, ${id}`, leaks.map(({ what }) => what).join('; '), leakHint())
  const name = 'smtpd_recipient_restrictions'
  const wanted = laneRestrictions(files)
  const own = optionOf(service, name) ?? ground.set.get(name) ?? ''
  const expanded = settingOf(ground, service, name)
  const edits: Edit[] = []
  const inLane = own.startsWith(`$${LANE_PARAMETER}`)
  if (!inLane && expanded.includes('FILTER '))
    refuse(
      `master.cf, ${id}`,
      words`${name} has a FILTER of its own`,
      words`put the express lane in by hand (docs/express.md)`,
    )
  if (ground.set.get(LANE_PARAMETER) !== wanted)
    edits.push({
      kind: 'parameter',
      service: '',
      name: LANE_PARAMETER,
      value: wanted,
      was: ground.set.get(LANE_PARAMETER) ?? null,
    })
  const relay = settingOf(ground, service, 'smtpd_relay_restrictions')
  if (!endsInReject(relay)) {
    // The lane's OK would end the list that says who may send: it has to be said in the other one.
    if (relay.trim() !== '' || !endsInReject(expanded) || inLane)
      refuse(
        `master.cf, ${id}`,
        words`smtpd_relay_restrictions ends without reject: anybody could relay to known recipients`,
        `postconf -P ${id}/smtpd_relay_restrictions=permit_sasl_authenticated,reject`,
      )
    edits.push(option(service, 'smtpd_relay_restrictions', own))
  }
  if (service.chroot === 'y')
    edits.push({ kind: 'field', service: id, name: 'chroot', value: 'n', was: service.chroot })
  if (optionOf(service, 'content_filter') !== '') edits.push(option(service, 'content_filter', ''))
  if (settingOf(ground, service, LANE_UTF8.name) !== LANE_UTF8.value)
    edits.push(option(service, LANE_UTF8.name, LANE_UTF8.value))
  if (!inLane) {
    const behind = own === '' ? '' : `,${own.replace(/\s*,\s*/g, ',')}`
    edits.push(option(service, name, `$${LANE_PARAMETER}${behind}`))
  }
  return edits
}

/** What docs/postfix.md asks of a service that takes people's mail, the filter apart. */
function offerEdits(ground: Ground, service: Service): Edit[] {
  const edits: Edit[] = []
  const keywords = settingOf(ground, service, 'smtpd_discard_ehlo_keywords')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  if (!keywords.includes('dsn')) {
    const wanted = [...new Set(['silent-discard', ...keywords, 'dsn'])].join()
    edits.push(option(service, 'smtpd_discard_ehlo_keywords', wanted))
  }
  const limitOf = (of: Service): number =>
    Number(settingOf(ground, of, 'message_size_limit')) || Number.POSITIVE_INFINITY
  const most = limitOf(waysBack(ground)[0] ?? ground.expected.reinjection) - HEADROOM
  if (Number.isFinite(most) && most > 0 && limitOf(service) > most)
    edits.push(option(service, 'message_size_limit', String(most)))
  return edits
}

/**
 * Every change, in the order in which Postfix may be told of them, and what the reader should know besides.
 * @param lane what is known of the express lane, where submission is to take it
 * @throws Failure where something is there that it does not understand; nothing is to be changed then
 */
export function wire(ground: Ground, lane?: LaneFacts): { edits: Edit[]; remarks: string[] } {
  const { main, services, toeh } = ground
  const edits = [...gateEdits(ground), ...backEdits(ground), ...parameterEdits(ground)]
  const remarks: string[] = []
  const whole = main.get('content_filter') ?? ''
  if (whole.startsWith(`${ground.expected.gate.name}:`))
    refuse(
      'main.cf',
      words`content_filter=${whole} is for port 25 as well: all incoming mail would be held`,
      'postconf -X content_filter',
    )
  const ways = waysBack(ground)
  const submissions = peoplesServices(ground)
  for (const service of submissions) {
    demandFree(ground, service)
    if (lane !== undefined) {
      edits.push(...laneEdits(ground, service, lane))
      const doubts = laneLeaks(lane, [service]).filter(({ level }) => level === 'unknown')
      remarks.push(...doubts.map(({ what, why }) => `${what}: ${why}`))
    } else if (!isFiltered(ground, service)) edits.push(option(service, 'content_filter', 'toeh:dummy'))
    edits.push(...offerEdits(ground, service))
  }
  if (submissions.length === 0)
    remarks.push(
      words`master.cf has no submission service in use: only what this host's own programs send goes through the gate`,
    )
  for (const service of services.filter(({ program }) => program === 'pickup')) {
    if (toeh.reinject === undefined) {
      remarks.push(words`${service.id} gets no filter: what sendmail hands on would come back to it`)
      continue
    }
    demandFree(ground, service)
    if (!isFiltered(ground, service)) edits.push(option(service, 'content_filter', 'toeh:dummy'))
  }
  for (const service of services) {
    const apart = [...ways, ...submissions].includes(service) || takesFromOutside(service)
    if (!apart && isServer(service) && !isFiltered(ground, service))
      remarks.push(
        words`${service.id} takes mail by SMTP and is left as it is: see that none of it goes outside`,
      )
  }
  // Several services may ask for the same parameter.
  const seen = new Set<string>()
  const once = edits.filter((edit) => {
    const key = argumentsOf(edit).join('\0')
    return seen.size < seen.add(key).size
  })
  return { edits: once, remarks }
}

/**
 * The way back of changes that were made: what of them still stands is taken out, what has gone by itself is left.
 * @returns the changes, and each that somebody has changed since, in words
 */
export function unwire(
  made: readonly Edit[],
  { services, set }: Pick<Ground, 'services' | 'set'>,
): { edits: Edit[]; changed: string[] } {
  const edits: Edit[] = []
  const changed: string[] = []
  for (const edit of made.toReversed()) {
    const { kind, service: id, name, value, was } = edit
    const service = services.find((one) => one.id === id)
    const is =
      kind === 'parameter'
        ? (set.get(name) ?? null)
        : service === undefined
          ? null
          : kind === 'service'
            ? lineOf(service)
            : kind === 'field'
              ? service.chroot
              : optionOf(service, name)
    if (is === null || is === was) continue
    // A service that was mended since is still ours.
    const ours =
      kind === 'service' &&
      service !== undefined &&
      (runsFilter(service) || isServer(service) || service.program === 'cleanup')
    if (is === value || ours) edits.push({ ...edit, value: was, was: is })
    else changed.push(words`${kind === 'parameter' ? name : `${id}/${name}`} is ${is}, not ${value ?? ''}`)
  }
  return { edits, changed }
}

/** What still leads to the gate's service: the first place, or undefined. */
export function leadsToGate({ services, set }: Pick<Ground, 'services' | 'set'>): string | undefined {
  const leads = (value: string): boolean => /(?:^|[\s,={])toeh:/.test(value)
  for (const { id, optionWords } of services)
    for (const word of optionWords) if (leads(word)) return `master.cf, ${id}: ${word}`
  for (const [name, value] of set) if (leads(value)) return `main.cf: ${name} = ${value}`
  return undefined
}
