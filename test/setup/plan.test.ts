/** The wiring: what is added where, and what is refused; taken back again. On texts alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { LaneFacts } from '../../lib/doctor/express.js'
import { laneRestrictions } from '../../lib/express/tables.js'
import { parseNetwork } from '../../lib/mail/network.js'
import { sourceOf } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import {
  argumentsOf,
  type Edit,
  leadsToGate,
  type PostfixConfig,
  unwire,
  wire,
} from '../../lib/setup/plan.js'
import { ROOT } from '../support/lab.js'

const SAMPLE = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')
const [GATE, BACK, CLEANUP] = parseServices(SAMPLE)
if (GATE === undefined || BACK === undefined || CLEANUP === undefined)
  throw new Error('the sample is damaged')
const FILES = {
  map: '/etc/toeh/express.cf',
  senders: '/etc/toeh/express-senders',
  recipients: '/etc/toeh/express-recipients',
}
const DEFAULTS = {
  message_size_limit: '10240000',
  enable_long_queue_ids: 'no',
  smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
  inet_interfaces: 'all',
}
const PICKUP = 'pickup unix n - y 60 1 pickup'
const SUBMISSION = 'submission inet n - y - - smtpd'

/** What postconf would say of these two files. */
function ground(
  master: readonly string[],
  main: Record<string, string> = {},
  changes: Partial<PostfixConfig> = {},
): PostfixConfig {
  const set = new Map(Object.entries(main))
  const all = new Map(Object.entries({ ...DEFAULTS, ...main }))
  const services = parseServices(master.join('\n')).map((service) => {
    const expand = (value: string): string => value.replace(/\$(\w+)/g, (_, name) => all.get(name) ?? '')
    const options = [...service.options].map(([name, value]): [string, string] => [name, expand(value)])
    return { ...service, options: new Map(options) }
  })
  return {
    configDir: undefined,
    main: all,
    set,
    services,
    expected: { gate: GATE as never, reinjection: BACK as never, cleanup: CLEANUP as never },
    toeh: {
      path: '/etc/toeh/toeh.toml',
      mode: 'enforce',
      state: '/var/lib/toeh',
      internal: ['corp.test'],
      delimiters: '',
      reinject: { host: '127.0.0.1', port: 10026 },
      deadlineSeconds: 60,
      longestRun: 685,
      leastFree: 0,
      mostHeld: { messages: 0, bytes: 0 },
      trustedMilters: [],
    },
    lane: { files: FILES },
    answers: written(),
    ...changes,
  }
}

/** Tables that answer what stands in their names, and no others. */
function written(): Map<string, { key: string; value: string }[]> {
  const get = (table: string): { key: string; value: string }[] | undefined => {
    const source = sourceOf(table)
    return source.kind === 'written' ? source.entries : undefined
  }
  return Object.assign(new Map<string, { key: string; value: string }[]>(), { get })
}

/** What is known of the lane, with tables that answer what stands in their names. */
function laneOf(from: PostfixConfig): LaneFacts {
  const lane = { enabled: true, files: FILES, texts: [], places: [], rows: [], astray: [] }
  return { ...from, lane, tables: new Map() }
}

/** The changes where submission takes the lane. */
function wireLane(from: PostfixConfig): ReturnType<typeof wire> {
  return wire(from, laneOf(from))
}

/** The changes in short, without the services' lines. */
function short(edits: readonly Edit[]): string[] {
  return edits.map((edit) =>
    argumentsOf(edit)
      .join(' ')
      .replace(/=(toeh|toeh-cleanup|127\.0\.0\.1:10026) .*$/, '=…'),
  )
}

const SERVICES = ['-M toeh/unix=…', '-M toeh-cleanup/unix=…', '-M 127.0.0.1:10026/inet=…']
const PARAMETERS = [
  '-e enable_long_queue_ids=yes',
  '-e toeh_destination_recipient_limit=50',
  '-e toeh_time_limit=1000s',
]

const KEPT = 'Who keeps a connection open is served as before on that one until it ends.'
const LONG_IDS =
  'Queue ids become long, such as 4bQ8Yk2hJnz1: logwatch reads them with $postfix_Enable_Long_Queue_Ids = Yes in /etc/logwatch/conf/services/postfix.conf (docs/postfix.md).'
const SOFT =
  'A gate that cannot run leaves status=SOFTBOUNCE in the log and the mail in the queue: pflogsumm does not count that (docs/postfix.md).'
const RECEIPT =
  'sendmail -N success cannot be refused on pickup: it gives a receipt that says delivered of mail that is held.'
/** Of a gate that was not there before. */
const FRESH = [LONG_IDS, SOFT, RECEIPT]

t.test('a fresh Postfix', (t) => {
  const { edits, remarks } = wire(ground(['smtp inet n - y - - smtpd', PICKUP]))
  t.same(short(edits), [...SERVICES, ...PARAMETERS, '-P pickup/unix/content_filter=toeh:dummy'])
  t.same(remarks, [
    "master.cf has no submission service in use: only what this host's own programs send goes through the gate",
    ...FRESH,
  ])
  t.end()
})

t.test('every service people submit by, whatever its name and address', (t) => {
  for (const name of ['submission', '587', '127.0.0.1:submission', '[::1]:submissions', 'smtps', '465']) {
    const { edits, remarks } = wire(ground([`${name} inet n - y - - smtpd`, PICKUP]))
    t.same(short(edits).slice(6, 9), [
      `-P ${name}/inet/content_filter=toeh:dummy`,
      `-P ${name}/inet/smtpd_discard_ehlo_keywords=silent-discard,dsn`,
      `-P ${name}/inet/message_size_limit=10140000`,
    ])
    t.same(remarks, [KEPT, ...FRESH])
  }
  t.end()
})

t.test('a way back of before has no cleanup of its own yet', (t) => {
  const older = SAMPLE.replace('  -o cleanup_service_name=toeh-cleanup\n', '').replace(
    /^toeh-cleanup unix(.*\n)*?\n/m,
    '',
  )
  const { edits } = wire(ground([...older.split('\n'), PICKUP]))
  t.same(
    short(edits).filter((one) => one.includes('cleanup')),
    ['-M toeh-cleanup/unix=…', '-P 127.0.0.1:10026/inet/cleanup_service_name=toeh-cleanup'],
  )
  const own = SAMPLE.replaceAll('toeh-cleanup', 'mine')
  t.notMatch(short(wire(ground(own.split('\n'))).edits).join(' '), 'cleanup', "somebody's own is left")
  const lost = SAMPLE.replace(/^toeh-cleanup unix(.*\n)*?\n/m, '')
  t.match(short(wire(ground(lost.split('\n'))).edits), ['-M toeh-cleanup/unix=…', /./])
  t.end()
})

t.test('what is right already is left, and what is missing is added', (t) => {
  const done = [
    ...SAMPLE.split('\n'),
    SUBMISSION,
    ' -o content_filter=toeh:dummy -o smtpd_discard_ehlo_keywords=chunking,dsn -o message_size_limit=500',
    PICKUP,
    ' -o content_filter=toeh:dummy',
  ]
  const main = {
    enable_long_queue_ids: 'yes',
    toeh_destination_recipient_limit: '20',
    toeh_time_limit: '15m',
  }
  t.same(wire(ground(done, main)), { edits: [], remarks: [] })
  t.same(short(wire(ground(done, { ...main, toeh_time_limit: '90s' })).edits), ['-e toeh_time_limit=1000s'])
  const limits = wire(
    ground([...done.slice(0, -4), SUBMISSION, ' -o smtpd_discard_ehlo_keywords=CHUNKING'], main),
  )
  t.match(short(limits.edits).join(' '), 'keywords=silent-discard,chunking,dsn')
  const unlimited = wire(ground([SUBMISSION], { message_size_limit: '0' }))
  t.notMatch(short(unlimited.edits).join(), 'message_size_limit')
  t.end()
})

t.test('sendmail as the way on gets no filter on pickup and no way back', (t) => {
  const base = ground([SUBMISSION, PICKUP])
  const { edits, remarks } = wire({ ...base, toeh: { ...base.toeh, reinject: undefined } })
  t.same(
    short(edits).filter((one) => /pickup|10026|cleanup/.test(one)),
    [],
  )
  t.match(remarks.join(), 'pickup/unix gets no filter')
  t.end()
})

t.test('other servers are named, and left', (t) => {
  const wrapped = wire(ground(['submissions inet n n n - 0 spawn user=nobody argv=/usr/bin/stunnel', PICKUP]))
  t.notMatch(short(wrapped.edits).join(), 'submissions')
  const { edits, remarks } = wire(ground([SUBMISSION, PICKUP, '127.0.0.1:10025 inet n - n - - smtpd']))
  t.notMatch(short(edits).join(), '10025')
  t.same(remarks, [
    '127.0.0.1:10025/inet takes mail by SMTP and is left as it is: see that none of it goes outside',
    KEPT,
    ...FRESH,
  ])
  t.end()
})

t.test('what it does not understand is refused', (t) => {
  const table: [master: string[], main: Record<string, string>, where: string, why: RegExp][] = [
    [
      ['toeh unix - n n - 10 pipe', ' flags=q argv=/bin/other'],
      {},
      'master.cf, toeh/unix',
      /does not run toeh-filter/,
    ],
    [['toeh inet n - n - - smtpd'], {}, 'master.cf, toeh/inet', /of this name is there already/],
    [
      ['gate unix - n n - 10 pipe', ' flags=q argv=/usr/bin/toeh-filter -- $recipient'],
      {},
      'master.cf, gate/unix',
      /runs toeh-filter already/,
    ],
    [
      ['127.0.0.1:10026 inet n n n - 0 spawn'],
      {},
      '127.0.0.1:10026/inet',
      /belongs to another: it runs spawn/,
    ],
    [
      ['toeh-cleanup unix n - n - 0 pipe argv=/bin/x'],
      {},
      'master.cf, toeh-cleanup/unix',
      /does not run cleanup/,
    ],
    [
      ['127.0.0.1:10026 inet n - n - - smtpd', ' -o content_filter='],
      {},
      'master.cf',
      /has receive_override_options=: it is not the way back; set reinject in/,
    ],
    [['10026 inet n - n - - smtpd'], {}, 'master.cf', /10026\/inet is not on loopback alone/],
    [
      [
        SUBMISSION,
        ' -o content_filter=scan:[127.0.0.1]:10024',
        '465 inet n - n - - smtpd',
        ' -o content_filter=scan:[127.0.0.1]:10030',
      ],
      {},
      'master.cf, submission/inet, 465/inet',
      /several content_filters, scan:\[127\.0\.0\.1\]:10024 and scan:\[127\.0\.0\.1\]:10030: behind the gate there is one/,
    ],
    [
      [
        SUBMISSION,
        '127.0.0.1:10025 inet n - n - - smtpd',
        ' -o content_filter=toeh:dummy -o local_recipient_maps=',
      ],
      { content_filter: 'scan:x' },
      'master.cf, 127.0.0.1:10025/inet',
      /it hands to the gate what scan:x hands back/,
    ],
    [[SUBMISSION], { content_filter: 'toeh:dummy' }, 'main.cf', /port 25 as well/],
    [
      [SUBMISSION, ' -o smtpd_proxy_filter=127.0.0.1:8025'],
      {},
      'master.cf, submission/inet',
      /smtpd_proxy_filter/,
    ],
    [[SUBMISSION], { smtpd_proxy_filter: '127.0.0.1:8025' }, 'submission/inet', /smtpd_proxy_filter/],
    [
      [SUBMISSION],
      { multi_instance_directories: '/etc/postfix-out' },
      'multi_instance',
      /--config-dir FOLDER/,
    ],
  ]
  for (const [master, main, where, why] of table) {
    assertRefusal(t, () => wire(ground(master, main)), where, why)
  }
  const named = ground(
    [SUBMISSION],
    { multi_instance_directories: '/etc/postfix-out' },
    { configDir: '/etc/postfix-out' },
  )
  t.not(wire(named).edits.length, 0, 'an instance that is named is one')
  const base = ground([SUBMISSION], { content_filter: 'scan:x' })
  assertRefusal(
    t,
    () => wire({ ...base, toeh: { ...base.toeh, reinject: undefined } }),
    'master.cf, submission/inet',
    /content_filter=scan:x is there already, and Postfix takes one/,
  )
  t.end()
})

t.test('another filter comes behind the gate', (t) => {
  const table: [master: string[], main: Record<string, string>, filter: string | undefined][] = [
    [
      [SUBMISSION, ' -o content_filter=smtp-amavis:[127.0.0.1]:10024', PICKUP],
      {},
      'smtp-amavis:[127.0.0.1]:10024',
    ],
    [[PICKUP, ' -o content_filter=scan:x'], {}, 'scan:x'],
    [[SUBMISSION, PICKUP], { content_filter: 'scan:x' }, 'scan:x'],
    // What people submit says which one it is.
    [[SUBMISSION, ' -o content_filter=scan:out', PICKUP], { content_filter: 'scan:in' }, 'scan:out'],
    // An empty option of its own is no filter, nor is the gate.
    [
      [SUBMISSION, ' -o content_filter=', PICKUP, ' -o content_filter='],
      { content_filter: 'scan:x' },
      undefined,
    ],
    [[SUBMISSION, ' -o content_filter=toeh:dummy'], { content_filter: 'scan:x' }, undefined],
  ]
  for (const [master, main, filter] of table) {
    const { edits, remarks } = wire(ground(master, main))
    const lines = short(edits)
    const behind = lines.filter((line) => line.includes('10026/inet/content_filter'))
    t.same(
      behind,
      filter === undefined ? [] : [`-P 127.0.0.1:10026/inet/content_filter=${filter}`],
      master.join(),
    )
    t.equal(
      remarks.some((remark) => remark.includes('comes behind the gate now')),
      filter !== undefined,
    )
    for (const line of master.filter((one) => /^(?:submission|pickup)/.test(one))) {
      const id = line.startsWith('pickup') ? 'pickup/unix' : 'submission/inet'
      const isDone = master.some((one) => one.includes('content_filter=toeh:dummy'))
      t.equal(lines.includes(`-P ${id}/content_filter=toeh:dummy`), !isDone, id)
    }
  }
  const made = [...SAMPLE.split('\n'), SUBMISSION, ' -o content_filter=toeh:dummy']
  const chained = made.map((line) => (line === '  -o content_filter=' ? '  -o content_filter=scan:x' : line))
  const again = wire(ground(chained, { content_filter: 'scan:x' }))
  t.notMatch(short(again.edits).join(), 'content_filter', 'what is made stays')
  t.end()
})

function assertRefusal(t: Test, work: () => unknown, where: string, why: RegExp): void {
  try {
    work()
    t.fail(`nothing was refused: ${where}`)
  } catch (error) {
    const { line } = error as { line: string }
    t.match(line, why)
    t.ok(line?.startsWith('init --postfix ') && line.includes(where), line)
    t.notMatch(line, '\n')
  }
}

t.test('the express lane', (t) => {
  const lane = laneRestrictions(FILES)
  // As Debian's commented lines have it: what may relay is said in the recipient restrictions.
  const debian = ground([
    SUBMISSION,
    ' -o smtpd_relay_restrictions=',
    ' -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject',
    PICKUP,
  ])
  const { edits } = wireLane(debian)
  t.same(
    short(edits).filter((one) => !SERVICES.includes(one) && !PARAMETERS.includes(one)),
    [
      `-e toeh_express_restrictions=${lane}`,
      '-P submission/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject',
      '-F submission/inet/chroot=n',
      '-P submission/inet/content_filter=',
      '-P submission/inet/smtputf8_enable=no',
      '-P submission/inet/smtpd_recipient_restrictions=$toeh_express_restrictions,permit_sasl_authenticated,reject',
      '-P submission/inet/smtpd_discard_ehlo_keywords=silent-discard,dsn',
      '-P submission/inet/message_size_limit=10140000',
      '-P pickup/unix/content_filter=toeh:dummy',
    ],
  )
  const both = wireLane(ground([SUBMISSION, 'submissions inet n - n - - smtpd']))
  t.equal(short(both.edits).filter((one) => one.startsWith('-e toeh_express')).length, 1, 'said once')
  t.match(
    short(both.edits).join(' '),
    'submissions/inet/smtpd_recipient_restrictions=$toeh_express_restrictions',
  )
  t.notMatch(short(both.edits).join(' '), 'submissions/inet/chroot')

  const inLane = [
    SUBMISSION.replace('- y -', '- n -'),
    ' -o content_filter= -o smtputf8_enable=no -o smtpd_recipient_restrictions=$toeh_express_restrictions',
    ' -o smtpd_discard_ehlo_keywords=dsn -o message_size_limit=500',
  ]
  const main = {
    toeh_express_restrictions: lane,
    smtpd_relay_restrictions: 'permit_sasl_authenticated,reject',
  }
  for (const how of [wireLane, wire]) {
    const rest = short(how(ground(inLane, main)).edits)
    t.same(rest, [...SERVICES, ...PARAMETERS], 'who is in it stays in it')
  }
  const refusals: [string[], Record<string, string>, RegExp][] = [
    [
      [SUBMISSION, ' -o smtpd_relay_restrictions='],
      {},
      /anybody could relay to known recipients; postconf -P submission/,
    ],
    [[SUBMISSION], { smtpd_relay_restrictions: 'permit' }, /anybody could relay/],
    [
      [SUBMISSION, ' -o { smtpd_recipient_restrictions = check_client_access static:{FILTER scan:x} }'],
      {},
      /smtpd_recipient_restrictions static:\{FILTER scan:x\}: FILTER scan:x goes round the gate/,
    ],
    [
      [SUBMISSION, ' -o { smtpd_recipient_restrictions = check_client_access static:{FILTER toeh:x} }'],
      {},
      /smtpd_recipient_restrictions has a FILTER of its own/,
    ],
    [
      [SUBMISSION],
      { always_bcc: 'spy@outside.test', smtpd_milters: 'inet:localhost:8891' },
      /: always_bcc: BCC spy@outside\.test adds a recipient that the gate does not see \(submission\/inet\); smtpd_milters inet:localhost:8891 may add recipients .*; take it out, or leave the express lane off/,
    ],
    [[SUBMISSION], { recipient_bcc_maps: 'mysql:/x' }, /recipient_bcc_maps mysql:\/x cannot be listed/],
    [
      [SUBMISSION],
      { smtpd_relay_restrictions: 'reject', header_checks: 'regexp:{ { /x/ REDIRECT spy@outside.test } }' },
      /header_checks regexp:\S+ .*, line 1, \/x\/: REDIRECT spy@outside\.test goes round the gate/,
    ],
    [[SUBMISSION], { virtual_alias_maps: 'ldap:/x' }, /virtual_alias_maps ldap:\/x cannot be listed/],
  ]
  const doubtful = ground(inLane, { ...main, smtpd_data_restrictions: 'check_policy_service unix:private/p' })
  const { edits: none, remarks } = wireLane(doubtful)
  t.same(short(none), [...SERVICES, ...PARAMETERS], 'what only a person can tell is told')
  t.match(remarks, [
    /^smtpd_data_restrictions asks check_policy_service unix:private\/p, whose answers cannot be listed/,
  ])
  for (const [master, settings, why] of refusals)
    assertRefusal(t, () => wireLane(ground(master, settings)), 'master.cf, submission/inet', why)
  t.end()
})

t.test('the relay on port 25', (t) => {
  const networks = ['127.0.0.0/8', '10.0.0.5'].flatMap((text) => parseNetwork(text) ?? [])
  const relay = { networks, path: '/etc/toeh/toeh-clients' }
  const mynetworks = '127.0.0.0/8 10.0.0.0/24'
  const asked = 'check_client_access cidr:/etc/toeh/toeh-clients'
  const own = 'pipemap:{cidr:/etc/toeh/toeh-clients,static:{silent-discard,dsn}}'
  const lines = (from: PostfixConfig, lane?: LaneFacts): string[] =>
    short(wire(from, lane, relay).edits).filter(
      (line) => !SERVICES.includes(line) && !PARAMETERS.includes(line),
    )
  const common = [
    '-P pickup/unix/content_filter=toeh:dummy',
    '-e smtpd_restriction_classes=toeh_gate',
    '-e toeh_gate=permit_auth_destination, check_client_access static:{FILTER toeh:dummy}, permit',
    `-e toeh_relay_restrictions=${asked}, defer_unauth_destination`,
  ]
  const options = (id: string): string[] => [
    `-P ${id}/smtpd_relay_restrictions=$toeh_relay_restrictions`,
    `-P ${id}/smtpd_discard_ehlo_keyword_address_maps=${own}`,
  ]
  const back = '-P 127.0.0.1:10026/inet/message_size_limit=10340000'
  t.same(lines(ground(['smtp inet n - y - - smtpd', PICKUP], { mynetworks })), [
    ...common,
    ...options('smtp/inet'),
    back,
  ])
  t.same(
    lines(ground(['smtp inet n - y - 1 postscreen', 'smtpd pass - - y - - smtpd', PICKUP], { mynetworks })),
    [...common, ...options('smtpd/pass'), back],
    'behind postscreen',
  )
  const both = lines(
    ground(['smtp inet n - y - - smtpd', '10.0.0.1:25 inet n - y - - smtpd', PICKUP], { mynetworks }),
  )
  t.same(both, [...common, ...options('smtp/inet'), ...options('10.0.0.1:25/inet'), back], 'on two addresses')
  const gated = [
    '10.0.0.1:25 inet n - y - - smtpd',
    ' -o content_filter=toeh:dummy -o smtpd_client_restrictions=permit_mynetworks,reject',
  ]
  t.notMatch(
    lines(ground(['smtp inet n - y - - smtpd', ...gated, PICKUP], { mynetworks })).join(),
    '10.0.0.1:25',
    'one that has the gate already is left',
  )
  const people = {
    mynetworks,
    smtpd_sasl_auth_enable: 'yes',
    smtpd_restriction_classes: 'mine',
    mine: 'reject',
  }
  t.same(
    lines(ground(['smtp inet n - y - - smtpd', PICKUP], people)).filter((line) =>
      /discard|classes/.test(line),
    ),
    [
      '-e smtpd_restriction_classes=mine, toeh_gate',
      '-P smtp/inet/smtpd_discard_ehlo_keywords=silent-discard,dsn',
    ],
    'where people log in nobody is offered receipts',
  )
  t.match(
    lines(
      ground(['smtp inet n - y - - smtpd', ' -o smtpd_restriction_classes=mine', PICKUP], { mynetworks }),
    ).join(' '),
    '-P smtp/inet/smtpd_restriction_classes=mine,toeh_gate',
    'a service with classes of its own takes none from main.cf',
  )
  const base = ground(['smtp inet n - y - - smtpd', PICKUP], { mynetworks })
  const bySendmail = lines({ ...base, toeh: { ...base.toeh, reinject: undefined } })
  t.notMatch(bySendmail.join(), '10026', 'with sendmail as the way on there is no way back')
  t.same(bySendmail.slice(-2), options('smtp/inet'))
  const scanned = ground([SUBMISSION, ' -o content_filter=scan:out', 'smtp inet n - y - - smtpd', PICKUP], {
    mynetworks,
    content_filter: 'scan:in',
  })
  t.same(
    lines(scanned).filter((line) => line.includes('content_filter')),
    [
      '-P 127.0.0.1:10026/inet/content_filter=scan:out',
      '-P submission/inet/content_filter=toeh:dummy',
      '-P pickup/unix/content_filter=toeh:dummy',
    ],
    'incoming mail keeps its filter, and what goes out has that of submission',
  )
  const lane = ground([SUBMISSION, 'smtp inet n - y - - smtpd', PICKUP], {
    mynetworks,
    smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, reject',
  })
  const laned = lines(lane, laneOf(lane))
  t.match(laned.join(' '), '-F submission/inet/chroot=n')
  t.notMatch(laned.join(' '), /smtp\/inet\/(?:chroot|smtputf8|smtpd_recipient)/, 'port 25 is not in the lane')
  assertRefusal(
    t,
    () => wire(ground([SUBMISSION]), undefined, relay),
    'master.cf',
    /no smtpd\(8\) is on port 25/,
  )
  assertRefusal(
    t,
    () =>
      wire(
        ground(
          [
            'smtp inet n - y - - smtpd',
            '10.0.0.1:25 inet n - y - - smtpd',
            ' -o smtpd_relay_restrictions=reject',
          ],
          { mynetworks },
        ),
        undefined,
        relay,
      ),
    'master.cf, smtp/inet, 10.0.0.1:25/inet',
    /they say in different ways who may relay/,
  )
  t.end()
})

t.test('taken back: our own, as far as it still stands', (t) => {
  const before = ground([SUBMISSION, ' -o smtpd_discard_ehlo_keywords=chunking', PICKUP], {
    toeh_time_limit: '90s',
  })
  const made = wire(before).edits
  const after = [
    SUBMISSION,
    ' -o smtpd_discard_ehlo_keywords=silent-discard,chunking,dsn -o content_filter=toeh:dummy',
    ' -o message_size_limit=10140000 -o syslog_name=mine',
    PICKUP,
    ' -o content_filter=toeh:dummy',
  ]
  const main = {
    enable_long_queue_ids: 'yes',
    toeh_destination_recipient_limit: '50',
    toeh_time_limit: '1000s',
  }
  const all = unwire(made, ground([...after, ...SAMPLE.replace(' 10 pipe', ' 33 pipe').split('\n')], main))
  t.same(all.changed, [])
  t.same(short(all.edits), [
    '-PX pickup/unix/content_filter',
    '-PX submission/inet/message_size_limit',
    '-P submission/inet/smtpd_discard_ehlo_keywords=chunking',
    '-PX submission/inet/content_filter',
    '-e toeh_time_limit=90s',
    '-X toeh_destination_recipient_limit',
    '-X enable_long_queue_ids',
    '-MX 127.0.0.1:10026/inet',
    '-MX toeh-cleanup/unix',
    '-MX toeh/unix',
  ])
  t.same(unwire(made, before), { edits: [], changed: [] }, 'what has gone by itself is left')
  const other = after.map((line) =>
    line.replace(' -o content_filter=toeh:dummy', ' -o content_filter=scan:x'),
  )
  t.same(unwire(made, ground(other, { ...main, toeh_time_limit: '200s' })).changed, [
    'pickup/unix/content_filter is scan:x, not toeh:dummy',
    'submission/inet/content_filter is scan:x, not toeh:dummy',
    'toeh_time_limit is 200s, not 1000s',
  ])
  t.end()
})

t.test('what leads to the gate besides', (t) => {
  t.equal(leadsToGate(ground([SUBMISSION, ' -o syslog_name=toeh'])), undefined)
  t.equal(
    leadsToGate(ground(['587 inet n - n - - smtpd', ' -o content_filter=toeh:dummy'])),
    'master.cf, 587/inet: content_filter=toeh:dummy',
  )
  t.equal(
    leadsToGate(ground([SUBMISSION], { mine: 'check_sender_access static:{FILTER toeh:dummy}' })),
    'main.cf: mine = check_sender_access static:{FILTER toeh:dummy}',
  )
  t.end()
})

t.test('a filter that keeps its connection is spoken of where there is one', (t) => {
  const scanned = ['smtp inet n - y - - smtpd', ' -o content_filter=smtp-amavis:[127.0.0.1]:10024', PICKUP]
  const spoken = (lines: string[], main = {}): string[] =>
    wire(ground(lines, main)).remarks.filter((remark) => /amavis|restart/i.test(remark))
  t.same(spoken([SUBMISSION, PICKUP]), [], 'none is here')
  t.same(spoken([SUBMISSION, ...scanned]), [], 'it hands back to another service')
  t.match(spoken(['127.0.0.1:submission inet n - y - - smtpd', ...scanned]), [
    /^smtp-amavis:\[127\.0\.0\.1\]:10024 may keep its connection back to Postfix open, as amavis does, .*restart that filter after the reload\.$/,
  ])
  t.match(spoken([SUBMISSION, PICKUP], { content_filter: 'scan:x' }), [/^scan:x comes behind the gate now: /])
  t.end()
})
