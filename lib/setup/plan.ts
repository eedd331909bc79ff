/**
 * The wiring: what Postfix lacks for the gate to stand in it, as changes that postconf(1) makes. What it does not
 * understand it refuses: two filters in one service, or a port of somebody else's, are for a person to sort out. Pure.
 *
 * It is long because each kind of entrance has its own changes, and what one needs another must not break.
 */
import { runsModerate } from '../doctor/answers.js'
import { endsInReject, type LaneFacts, laneLeaks } from '../doctor/express.js'
import { secondsOf, timeLimitFor } from '../doctor/gate.js'
import { notTheWayBack } from '../doctor/wayback.js'
import { EXIT } from '../exit.js'
import { LANE_PARAMETER, LANE_UTF8, laneRestrictions } from '../express/tables.js'
import { Failure } from '../failure.js'
import { type Network, networkText } from '../mail/network.js'
import { splitList } from '../postfix/braces.js'
import { DISCARD_MAPS } from '../postfix/diversion.js'
import { lineOf, type Service, wordValue } from '../postfix/mastercf.js'
import {
  CLASSES,
  describeClients,
  networksOf,
  RELAY_CLASS,
  RELAY_LIST,
  RELAY_PARAMETER,
  relayClass,
  relayCommand,
  relayed,
  relayList,
  shutOut,
  withRelay,
} from '../postfix/relay.js'
import { DISCARD, filtersIncoming, isGated, passages, type Restricted } from '../postfix/restrictions.js'
import {
  gatePrefix,
  HEADROOM,
  isFiltered,
  isLocalOnly,
  isReturn,
  isServer,
  peoplesServices,
  takesFromOutside,
  waysBack,
} from '../postfix/services.js'
import { settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'

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

/** What the wiring looks at: the setup, what its tables answer, and the parameters that main.cf itself sets, as they stand. */
export type PostfixConfig = Restricted & { set: ReadonlyMap<string, string> }

/** Who is to relay by port 25, and the table that says so. */
export interface Relay {
  networks: readonly Network[]
  /** Of the table's file. */
  path: string
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

function parameter({ set }: Pick<PostfixConfig, 'set'>, name: string, value: string): Edit {
  return { kind: 'parameter', service: '', name, value, was: set.get(name) ?? null }
}

function added(service: Service): Edit {
  return { kind: 'service', service: service.id, name: '', value: lineOf(service), was: null }
}

/** The gate's service, where it is missing. */
function gateEdits({ services, expected, configDir, main }: PostfixConfig): Edit[] {
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
function backEdits(ground: PostfixConfig): Edit[] {
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

const LONG_IDS = 'enable_long_queue_ids'

function parameterEdits(ground: PostfixConfig): Edit[] {
  const { main, set, expected, toeh } = ground
  const edits: Edit[] = []
  if (main.get(LONG_IDS) !== 'yes') edits.push(parameter(ground, LONG_IDS, 'yes'))
  // Those that are set already are somebody's choice; `toeh doctor` says where it is a bad one.
  const limit = `${expected.gate.name}_destination_recipient_limit`
  if (!set.has(limit)) edits.push(parameter(ground, limit, '50'))
  const time = `${expected.gate.name}_time_limit`
  if (!(secondsOf(set.get(time) ?? '') > toeh.longestRun))
    edits.push(parameter(ground, time, `${timeLimitFor(toeh.longestRun)}s`))
  return edits
}

/** Refuses a service whose mail goes to a filter that leaves nothing to any other. */
function demandFree(ground: PostfixConfig, service: Service): void {
  const proxy = settingOf(ground, service, 'smtpd_proxy_filter')
  if (proxy === '') return
  refuse(
    `master.cf, ${service.id}`,
    words`smtpd_proxy_filter=${proxy} takes its mail, and a content_filter there sees none`,
    words`make a content_filter of it, in the place of the proxy: it is then asked behind the gate (docs/postfix.md)`,
  )
}

/** Another filter that a service has: amavis, for instance. */
function otherFilter(ground: PostfixConfig, service: Service): string {
  const filter = settingOf(ground, service, 'content_filter')
  return filter.startsWith(gatePrefix(ground)) ? '' : filter
}

/**
 * The chain: Postfix takes one content_filter, so that of the entrances goes behind the gate, to the way back. What people
 * submit says which one: it may be another than that of incoming mail.
 */
function chainEdits(
  ground: PostfixConfig,
  entrances: readonly Service[],
): { edits: Edit[]; remarks: string[] } {
  const people = peoplesServices(ground)
  const filtered = entrances.filter((service) => otherFilter(ground, service) !== '')
  const having =
    [filtered.filter((service) => people.includes(service)), filtered.filter(isServer)].find(
      (some) => some.length > 0,
    ) ?? filtered
  const [filter = '', second] = new Set(having.map((service) => otherFilter(ground, service)))
  if (filter === '') return { edits: [], remarks: [] }
  const ids = having.map(({ id }) => id).join(', ')
  const hint = words`set the gate up by hand (docs/postfix.md)`
  if (second !== undefined)
    refuse(
      `master.cf, ${ids}`,
      words`they have several content_filters, ${filter} and ${second}: behind the gate there is one`,
      hint,
    )
  if (ground.toeh.reinject === undefined)
    refuse(`master.cf, ${ids}`, words`content_filter=${filter} is there already, and Postfix takes one`, hint)
  const looping = ground.services.find(
    (service) =>
      isServer(service) &&
      !entrances.includes(service) &&
      !waysBack(ground).includes(service) &&
      isReturn(service) &&
      settingOf(ground, service, 'content_filter').startsWith(gatePrefix(ground)),
  )
  if (looping !== undefined)
    refuse(
      `master.cf, ${looping.id}`,
      words`it hands to the gate what ${filter} hands back, incoming mail as well, and would go in a circle`,
      `postconf -P ${looping.id}/content_filter=`,
    )
  const ways = waysBack(ground)
  const targets = ways.length > 0 ? ways : [ground.expected.reinjection]
  return {
    edits: targets.flatMap((service) =>
      optionOf(service, 'content_filter') === filter ? [] : [option(service, 'content_filter', filter)],
    ),
    remarks: [
      words`${filter} comes behind the gate now: what ${ids} takes goes to the gate, what that lets out goes on to ${filter}, and from there to the service it hands mail back to. Restart that filter after the reload: on a connection that it keeps open the old settings count.`,
    ],
  }
}

/** What to do where the express lane would lead mail past the filter. */
export function leakHint(): string {
  return words`take it out, or leave the express lane off (docs/express.md)`
}

/** What puts a service into the express lane. Its own restrictions stay, behind the lane's. */
function laneEdits(ground: PostfixConfig, service: Service, facts: LaneFacts): Edit[] {
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
  if (ground.set.get(LANE_PARAMETER) !== wanted) edits.push(parameter(ground, LANE_PARAMETER, wanted))
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
function offerEdits(ground: PostfixConfig, service: Service): Edit[] {
  const edits: Edit[] = []
  if (!discards(settingOf(ground, service, DISCARD)))
    edits.push(option(service, DISCARD, withoutDsn(ground, service)))
  const most = sizeLimit(ground, waysBack(ground)[0] ?? ground.expected.reinjection) - HEADROOM
  if (Number.isFinite(most) && most > 0 && sizeLimit(ground, service) > most)
    edits.push(option(service, 'message_size_limit', String(most)))
  return edits
}

/** Bytes that a service takes at most. */
function sizeLimit(ground: PostfixConfig, service: Service): number {
  return Number(settingOf(ground, service, 'message_size_limit')) || Number.POSITIVE_INFINITY
}

/** What puts the gate to mail that port 25 relays, and what of it the reader should know. */
function relayEdits(ground: PostfixConfig, { networks, path }: Relay): { edits: Edit[]; remarks: string[] } {
  const edits: Edit[] = []
  const remarks: string[] = []
  const lists = new Set<string>()
  const servers = ground.services.filter(
    (service) =>
      takesFromOutside(service) &&
      !(isGated(ground, service) && !filtersIncoming(ground, service) && !asksRelay(service)),
  )
  if (servers.length === 0)
    refuse('master.cf', words`no smtpd(8) is on port 25 that could relay`, words`leave --relay out`)
  const logins = servers.some((service) => settingOf(ground, service, 'smtpd_sasl_auth_enable') === 'yes')
  for (const service of servers) {
    demandFree(ground, service)
    const list = relayList(ground, service, path, logins)
    lists.add(list)
    const own = settingOf(ground, service, 'content_filter').startsWith(gatePrefix(ground))
    if (own) edits.push(option(service, 'content_filter', ''))
    const before = { facts: ground, service }
    const after = withRelay(
      ground,
      own ? { ...service, options: new Map([...service.options, ['content_filter', '']]) } : service,
      { path, networks, list },
    )
    const [round] = passages(after.facts, after.service).round
    if (round !== undefined) {
      const [fate] = round.fates
      const word = fate?.filter ? `FILTER ${fate.filter}` : (fate?.permits.at(-1) ?? RELAY_LIST)
      refuse(
        `master.cf, ${service.id}`,
        words`${word} would still let ${round.client.label} send outside without the gate`,
        words`take it out of the restrictions there, and name who relays by it in --relay; or put the gate there by hand (docs/postfix.md)`,
      )
    }
    const lost = shutOut(before, after, networks)
    if (lost.length > 0)
      remarks.push(
        words`${service.id}: ${describeClients(lost)} may relay today and may not any more. To let them: ${relayCommand(ground, [...networks, ...networksOf(lost)])}`,
      )
    if (optionOf(service, RELAY_LIST) !== `$${RELAY_PARAMETER}`)
      edits.push(option(service, RELAY_LIST, `$${RELAY_PARAMETER}`))
    const classes = optionOf(service, CLASSES)
    if (classes !== null && !splitList(classes).includes(RELAY_CLASS))
      edits.push(option(service, CLASSES, [...splitList(classes), RELAY_CLASS].join()))
    edits.push(...silenceEdits(ground, service, path))
  }
  const [list = '', second] = lists
  const ids = servers.map(({ id }) => id).join(', ')
  if (second !== undefined)
    refuse(
      `master.cf, ${ids}`,
      words`they say in different ways who may relay`,
      words`give them one smtpd_relay_restrictions in main.cf, or put the gate there by hand (docs/postfix.md)`,
    )
  const main: Edit[] = []
  const classes = ground.set.get(CLASSES) ?? ''
  if (!splitList(classes).includes(RELAY_CLASS))
    main.push(parameter(ground, CLASSES, classes === '' ? RELAY_CLASS : `${classes}, ${RELAY_CLASS}`))
  for (const [name, value] of [
    [RELAY_CLASS, relayClass(ground.expected.gate.name)],
    [RELAY_PARAMETER, list],
  ] as const)
    if (ground.set.get(name) !== value) main.push(parameter(ground, name, value))
  const [back = ground.expected.reinjection] = waysBack(ground)
  const wanted = Math.max(...servers.map((service) => sizeLimit(ground, service))) + HEADROOM
  if (ground.toeh.reinject !== undefined && Number.isFinite(wanted) && sizeLimit(ground, back) < wanted)
    edits.push(option(back, 'message_size_limit', String(wanted)))
  remarks.push(
    words`${ids}: ${networks.map(networkText).join(' ')} relay, and all of it that goes outside meets the gate. To change who does: ${path}, then postfix reload.`,
  )
  if (settingOf(ground, servers[0] ?? back, 'virtual_alias_maps') !== '')
    remarks.push(
      words`A virtual alias of yours that leads outside goes round the gate on port 25, from wherever the mail comes: toeh doctor names them.`,
    )
  return { edits: [...main, ...edits], remarks }
}

function asksRelay(service: Service): boolean {
  return optionOf(service, RELAY_LIST) === `$${RELAY_PARAMETER}`
}

function discards(keywords: string): boolean {
  return splitList(keywords.toLowerCase()).includes('dsn')
}

/** What a service is not to offer: what it does not already, and DSN. */
function withoutDsn(ground: PostfixConfig, service: Service): string {
  const keywords = splitList(settingOf(ground, service, DISCARD).toLowerCase())
  return [...new Set(['silent-discard', ...keywords, 'dsn'])].join()
}

/** What keeps port 25 from offering DSN to whoever relays; the Internet is offered it as before, unless people log in there. */
function silenceEdits(ground: PostfixConfig, service: Service, path: string): Edit[] {
  if (discards(settingOf(ground, service, DISCARD))) return []
  if (settingOf(ground, service, 'smtpd_sasl_auth_enable') === 'yes')
    return [option(service, DISCARD, withoutDsn(ground, service))]
  const ours = `pipemap:{cidr:${path},static:{${withoutDsn(ground, service)}}}`
  const own = optionOf(service, DISCARD_MAPS) ?? ground.set.get(DISCARD_MAPS) ?? ''
  if (own.includes(`cidr:${path}`)) return []
  return [option(service, DISCARD_MAPS, own === '' ? ours : `${own.replace(/\s*[\s,]\s*/g, ',')},${ours}`)]
}

/** What relays by port 25 today without the gate, and what would put it there. */
function relayRemarks(ground: PostfixConfig): string[] {
  return ground.services.filter(takesFromOutside).flatMap((service) => {
    const clients = relayed(ground, service)
    if (clients.length === 0) return []
    return [
      words`${service.id} relays for ${describeClients(clients)}, and none of that meets the gate. To put it there: ${relayCommand(ground, networksOf(clients))}`,
    ]
  })
}

/**
 * A reload leaves connections that are open as they were, and what comes by one goes round the gate. A filter is spoken of where there
 * is one that may hand back to a service that is changed; where it is put behind the gate, that says so.
 */
function keptRemarks(
  ground: PostfixConfig,
  touched: readonly Service[],
  { isRelay, isChained }: { isRelay: boolean; isChained: boolean },
): string[] {
  const others = ground.services.filter((service) => isServer(service) && !touched.includes(service))
  const isBack = !isChained && touched.some((service) => isServer(service) && isLocalOnly(ground, service))
  const [filter] = isBack ? others.map((one) => otherFilter(ground, one)).filter((one) => one !== '') : []
  return [
    isRelay
      ? words`Who keeps a connection open, as an Exchange does, is served as before on that one until it ends: restart it after the reload.`
      : words`Who keeps a connection open is served as before on that one until it ends.`,
    ...(filter === undefined
      ? []
      : [
          words`${filter} may keep its connection back to Postfix open, as amavis does, and what it hands back there goes by the old settings: restart that filter after the reload.`,
        ]),
  ]
}

/**
 * Every change, in the order in which Postfix may be told of them, and what the reader should know besides.
 * @param lane what is known of the express lane, where submission is to take it
 * @param relay who is to relay by port 25, where the gate is to stand there too
 * @throws Failure where something is there that it does not understand; nothing is to be changed then
 */
export function wire(
  ground: PostfixConfig,
  lane?: LaneFacts,
  relay?: Relay,
): { edits: Edit[]; remarks: string[] } {
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
  const pickups = services.filter(({ program }) => program === 'pickup')
  const chained = toeh.reinject === undefined ? submissions : [...submissions, ...pickups]
  const chain = chainEdits(ground, [
    ...chained,
    ...(relay === undefined ? [] : services.filter(takesFromOutside)),
  ])
  edits.push(...chain.edits)
  remarks.push(...chain.remarks)
  for (const service of submissions) {
    demandFree(ground, service)
    if (lane !== undefined) {
      edits.push(...laneEdits(ground, service, lane))
      const doubts = laneLeaks(lane, [service]).filter(({ level }) => level === 'unknown')
      remarks.push(...doubts.map(({ what, why }) => `${what}: ${why}`))
    } else if (!isFiltered(ground, service) || relayed(ground, service).length > 0)
      edits.push(option(service, 'content_filter', 'toeh:dummy'))
    edits.push(...offerEdits(ground, service))
  }
  if (submissions.length === 0 && relay === undefined)
    remarks.push(
      words`master.cf has no submission service in use: only what this host's own programs send goes through the gate`,
    )
  for (const service of pickups) {
    if (toeh.reinject === undefined) {
      remarks.push(words`${service.id} gets no filter: what sendmail hands on would come back to it`)
      continue
    }
    demandFree(ground, service)
    if (!isFiltered(ground, service)) edits.push(option(service, 'content_filter', 'toeh:dummy'))
  }
  if (relay === undefined) remarks.push(...relayRemarks(ground))
  else {
    const relaying = relayEdits(ground, relay)
    edits.push(...relaying.edits)
    remarks.push(...relaying.remarks)
  }
  for (const service of services) {
    const apart = [...ways, ...submissions].includes(service) || takesFromOutside(service)
    if (!apart && isServer(service) && !isGated(ground, service))
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
  const served = services
    .filter((service) => isServer(service) && !ways.includes(service))
    .map(({ id }) => id)
  const touched = services.filter(({ id }) =>
    once.some(({ kind, service }) => kind === 'option' && service === id),
  )
  if (touched.some(({ id }) => served.includes(id)))
    remarks.push(
      ...keptRemarks(ground, touched, { isRelay: relay !== undefined, isChained: chain.remarks.length > 0 }),
    )
  if (once.some(({ name }) => name === LONG_IDS))
    remarks.push(
      words`Queue ids become long, such as 4bQ8Yk2hJnz1: logwatch reads them with ${'$postfix_Enable_Long_Queue_Ids = Yes'} in /etc/logwatch/conf/services/postfix.conf (docs/postfix.md).`,
    )
  if (once.some(({ kind, service }) => kind === 'service' && service === ground.expected.gate.id))
    remarks.push(
      words`A gate that cannot run leaves ${'status=SOFTBOUNCE'} in the log and the mail in the queue: pflogsumm does not count that (docs/postfix.md).`,
    )
  if (once.some(({ kind, service }) => kind === 'option' && pickups.some(({ id }) => id === service)))
    remarks.push(
      words`${'sendmail -N success'} cannot be refused on pickup: it gives a receipt that says delivered of mail that is held.`,
    )
  return { edits: once, remarks }
}

/**
 * The way back of changes that were made: what of them still stands is taken out, what has gone by itself is left.
 * @returns the changes, and each that somebody has changed since, in words
 */
export function unwire(
  made: readonly Edit[],
  { services, set }: Pick<PostfixConfig, 'services' | 'set'>,
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
      (runsFilter(service) || runsModerate(service) || isServer(service) || service.program === 'cleanup')
    if (is === value || ours) edits.push({ ...edit, value: was, was: is })
    else changed.push(words`${kind === 'parameter' ? name : `${id}/${name}`} is ${is}, not ${value ?? ''}`)
  }
  return { edits, changed }
}

/** What still leads to the gate's service: the first place, or undefined. */
export function leadsToGate({ services, set }: Pick<PostfixConfig, 'services' | 'set'>): string | undefined {
  const leads = (value: string): boolean => /(?:^|[\s,={])toeh:/.test(value)
  for (const { id, optionWords } of services)
    for (const word of optionWords) if (leads(word)) return `master.cf, ${id}: ${word}`
  for (const [name, value] of set) if (leads(value)) return `main.cf: ${name} = ${value}`
  return undefined
}
