/** The express lane's checks on facts alone: what each finds, and what is sound. */
import t from 'tap'
import { beginsWithLane, endsInReject, LANE_CHECKS, type LaneFacts } from '../../lib/doctor/express.js'
import { laneRestrictions } from '../../lib/express/tables.js'
import { sourceOf, type TableEntry } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'

const files = { map: '/e/express.cf', senders: '/e/express-senders', recipients: '/e/express-recipients' }
const LANE = laneRestrictions(files)
const SERVICE = `submission inet n - n - - smtpd -o smtputf8_enable=no -o {smtpd_recipient_restrictions = ${LANE}}`

function faults(changes: {
  lane?: object
  main?: Record<string, string>
  service?: string
  tables?: Record<string, TableEntry[]>
  milters?: string[]
}): string[] {
  const { tables = {} } = changes
  const get = (table: string): TableEntry[] | undefined => {
    const source = sourceOf(table)
    return source.kind === 'written' ? source.entries : tables[table]
  }
  const facts = {
    configDir: undefined,
    main: new Map(
      Object.entries({ smtpd_relay_restrictions: 'permit_sasl_authenticated, reject', ...changes.main }),
    ),
    services: parseServices(changes.service ?? SERVICE),
    expected: { gate: { name: 'toeh' } },
    toeh: { path: '/e/toeh.toml', internal: ['corp.test'], trustedMilters: changes.milters ?? [] },
    tables: new Map(Object.entries(tables)),
    answers: { get },
    lane: {
      enabled: true,
      files,
      texts: [{ path: files.map, right: true }],
      places: [{ path: '/s/lane.db' }],
      rows: [
        { key: '@known.test', pass: true },
        { key: 'x@one.test', pass: true },
        { key: '@stopped.test', pass: false },
      ],
      astray: [],
      ...changes.lane,
    },
  } as unknown as LaneFacts
  return LANE_CHECKS.flatMap(({ name, look }) =>
    look(facts).map(({ level, what }) => `${name} ${level} ${what}`),
  )
}

t.test('what each finds', (t) => {
  t.same(faults({}), [], 'sound')
  const table: [Parameters<typeof faults>[0], RegExp][] = [
    [
      { lane: { texts: [{ path: files.map, right: false }] } },
      /^express-files critical \/e\/express\.cf is not as/,
    ],
    [{ lane: { texts: [{ path: files.map, right: false }] }, service: '' }, /^express-files warning /],
    [
      { lane: { places: [{ path: '/s/lane.db', fault: '/s/lane.db is wrong' }] } },
      /^express-files critical \/s\/lane\.db is wrong$/,
    ],
    [
      { service: SERVICE.replace('= check', '= permit_mynetworks, check') },
      /^express-services critical .*not begin/,
    ],
    [{ service: SERVICE.replace('n - n', 'n - y') }, /^express-services critical submission\/inet: chrooted/],
    [
      { service: SERVICE.replace('_enable=no', '_enable=yes') },
      /^express-services critical submission\/inet: with smtputf8_enable Postfix takes a sharp s for ss/,
    ],
    [{ main: { smtpd_relay_restrictions: '' } }, /^express-services critical .*anybody could relay/],
    [{ lane: { enabled: false, rows: undefined } }, /^express-services warning .* which is off$/],
    [{ lane: { astray: ['a@b.test', '@c.test'] } }, /^express-rows critical 2 rows of .* \(a@b\.test\)$/],
    [
      { service: `${SERVICE} -o smtpd_proxy_filter=127.0.0.1:8025` },
      /^express-services critical submission\/inet: with smtpd_proxy_filter no FILTER of the lane counts/,
    ],
    [
      {
        main: { masquerade_domains: 'known.test', masquerade_classes: 'envelope_sender, envelope_recipient' },
      },
      /^express-aliases critical masquerade_domains known\.test leads recipients elsewhere/,
    ],
    [
      {
        service: `${SERVICE} -o cleanup_service_name=mine\nmine unix n - n - 0 cleanup -o virtual_alias_maps=ldap:/x`,
      },
      /^express-aliases critical virtual_alias_maps ldap:\/x cannot be listed/,
    ],
    [
      { main: { canonical_maps: 'regexp:/x' } },
      /^express-aliases critical canonical_maps regexp:\/x cannot be listed/,
    ],
    ...['Sales@Known.test', '@known.test', 'x@one.test'].map(
      (key): [Parameters<typeof faults>[0], RegExp] => [
        {
          main: { virtual_alias_maps: 'hash:/x' },
          tables: { 'hash:/x': [{ key, value: 'y@outside.test' }] },
        },
        new RegExp(
          `^express-aliases critical virtual_alias_maps hash:/x: ${key} leads a known recipient elsewhere`,
        ),
      ],
    ),
  ]
  for (const [changes, what] of table) {
    const found = faults(changes)
    t.equal(found.length, 1, found.join('\n'))
    t.match(found[0], what)
  }
  const postmaster = (key: string, value: string): string[] =>
    faults({ main: { virtual_alias_maps: 'hash:/x' }, tables: { 'hash:/x': [{ key, value }] } })
  for (const [key, value] of [
    ['postmaster', 'y@outside.test'],
    ['Postmaster@Corp.test', 'otto@corp.test, y@outside.test'],
    ['postmaster@mx.corp.test', 'y@one.test'],
    ['@corp.test', '@outside.test'],
    ['postmaster', '"y z"@corp.test'],
  ] as const)
    t.same(
      postmaster(key, value),
      [
        `express-aliases critical virtual_alias_maps hash:/x: ${key} leads mail to postmaster outside, past the filter`,
      ],
      `${key} ${value}`,
    )
  for (const [key, value] of [
    ['postmaster', 'otto@corp.test'],
    ['postmaster', 'root'],
    ['postmaster', 'X@one.test y@known.test'],
    ['postmaster', 'postmaster'],
    ['@corp.test', '@corp.test'],
    ['@corp.test', '@known.test'],
    ['@outside.test', 'y@outside.test'],
    ['otto@corp.test', 'y@outside.test'],
  ] as const)
    t.same(postmaster(key, value), [], `${key} ${value}`)
  const chain = (...entries: [string, string][]): number =>
    faults({
      main: { virtual_alias_maps: 'hash:/x' },
      tables: { 'hash:/x': entries.map(([key, value]) => ({ key, value })) },
    }).length
  t.equal(chain(['postmaster', 'root'], ['root@corp.test', 'Otto@corp.test'], ['otto', 'y@outside.test']), 1)
  t.equal(
    chain(['postmaster', 'root@corp.test'], ['@corp.test', 'all@corp.test'], ['all', 'y@outside.test']),
    2,
  )
  t.equal(chain(['postmaster', 'root'], ['root', 'postmaster'], ['eva@corp.test', 'y@outside.test']), 0)
  const harmless = { key: 'y@one.test', value: 'z@corp.test' }
  t.same(faults({ main: { virtual_alias_maps: 'hash:/x' }, tables: { 'hash:/x': [harmless] } }), [])
  const elsewhere = {
    service: SERVICE.replace(' -o smtputf8_enable=no', ''),
    main: { smtputf8_enable: 'no' },
  }
  t.same(faults(elsewhere), [], 'for the whole of Postfix')
  t.same(faults({ lane: { enabled: false, rows: undefined }, service: '' }), [], 'off, and nobody asks it')
  t.end()
})

t.test('what adds recipients after the lane was asked', (t) => {
  const outside: TableEntry[] = [{ key: 'anna@corp.test', value: 'spy@outside.test' }]
  const inside: TableEntry[] = [{ key: 'anna@corp.test', value: 'archive@corp.test' }]
  const added = (where: string): string =>
    `express-additions critical ${where}: BCC spy@outside.test adds a recipient that the gate does not see (submission/inet)`
  const table: [Parameters<typeof faults>[0], string[]][] = [
    [{ main: { always_bcc: 'spy@outside.test' } }, [added('always_bcc')]],
    [{ main: { always_bcc: 'archive@corp.test' } }, []],
    [{ main: { always_bcc: 'x@one.test' } }, []],
    [
      { main: { sender_bcc_maps: 'hash:/x' }, tables: { 'hash:/x': outside } },
      [added('sender_bcc_maps hash:/x, anna@corp.test')],
    ],
    [
      { main: { recipient_bcc_maps: 'hash:/x' }, tables: { 'hash:/x': outside } },
      [added('recipient_bcc_maps hash:/x, anna@corp.test')],
    ],
    [{ main: { recipient_bcc_maps: 'hash:/x' }, tables: { 'hash:/x': inside } }, []],
    [
      { main: { sender_bcc_maps: 'hash:/x' } },
      ['express-additions critical sender_bcc_maps hash:/x cannot be listed (submission/inet)'],
    ],
    [
      { main: { header_checks: 'regexp:{ { /x/ BCC spy@outside.test } }' } },
      [added('header_checks regexp:{ { /x/ BCC spy@outside.test } }, line 1, /x/')],
    ],
    [
      { main: { nested_header_checks: 'regexp:{ { /x/ REDIRECT spy@outside.test } }' } },
      [
        'express-additions critical nested_header_checks regexp:{ { /x/ REDIRECT spy@outside.test } }, line 1, /x/: REDIRECT spy@outside.test goes round the gate (submission/inet)',
      ],
    ],
    [
      { main: { smtpd_client_restrictions: 'check_client_access static:{FILTER scan:x}' } },
      [
        'express-additions critical smtpd_client_restrictions static:{FILTER scan:x}: FILTER scan:x goes round the gate (submission/inet)',
      ],
    ],
    [
      { main: { smtpd_data_restrictions: 'check_sender_access static:{BCC spy@outside.test}' } },
      [added('smtpd_data_restrictions static:{BCC spy@outside.test}')],
    ],
    [
      { main: { smtpd_data_restrictions: 'check_policy_service unix:p' } },
      [
        'express-additions unknown smtpd_data_restrictions asks check_policy_service unix:p, whose answers cannot be listed (submission/inet)',
      ],
    ],
    [
      { main: { smtpd_milters: 'inet:localhost:1, unix:/s' }, milters: ['unix:/s'] },
      [
        'express-additions critical smtpd_milters inet:localhost:1 may add recipients that the gate does not see (submission/inet)',
      ],
    ],
    [
      {
        main: { smtpd_milter_maps: 'hash:/m' },
        tables: { 'hash:/m': [{ key: '10', value: '{ unix:/s, timeout=1s }' }] },
      },
      [
        'express-additions critical smtpd_milter_maps unix:/s may add recipients that the gate does not see (submission/inet)',
      ],
    ],
    [
      {
        main: {
          always_bcc: 'spy@outside.test',
          header_checks: 'regexp:{ { /x/ BCC spy@outside.test } }',
          smtpd_milters: 'unix:/s',
        },
        service: `${SERVICE} -o receive_override_options=no_address_mappings,no_header_body_checks,no_milters`,
      },
      [],
    ],
    [
      {
        main: { always_bcc: 'spy@outside.test', header_checks: 'regexp:{ { /x/ BCC spy@outside.test } }' },
        service: `${SERVICE} -o cleanup_service_name=mine\nmine unix n - n - 0 cleanup -o always_bcc= -o header_checks=`,
      },
      [],
    ],
  ]
  for (const [changes, found] of table) t.strictSame(faults(changes), found, JSON.stringify(changes.main))
  const led = faults({
    main: { always_bcc: 'archive@corp.test', virtual_alias_maps: 'hash:/v' },
    tables: { 'hash:/v': [{ key: 'archive@corp.test', value: 'spy@outside.test' }] },
  })
  t.match(
    led,
    [/^express-additions critical always_bcc: BCC archive@corp\.test adds/],
    'an alias that leads out',
  )
  t.strictSame(
    faults({ main: { always_bcc: 'spy@outside.test' }, service: 'submission inet n - n - - smtpd' }),
    [added('always_bcc').replace('critical', 'warning')],
    'where no service asks yet: those that would',
  )
  t.strictSame(
    faults({ main: { always_bcc: 'spy@outside.test' }, lane: { enabled: false }, service: '' }),
    [],
    'off',
  )
  t.end()
})

t.test('who may send is said', (t) => {
  for (const list of ['permit_sasl_authenticated,reject', 'permit_mynetworks defer_unauth_destination'])
    t.ok(endsInReject(list))
  for (const list of [
    '',
    'permit',
    'check_client_access static:reject',
    'check_client_access static:{reject now}',
    'reject_unknown_sender_domain',
  ])
    t.notOk(endsInReject(list), list)
  t.ok(beginsWithLane({ lane: { files } } as LaneFacts, LANE.replaceAll(', ', ',\n  ')))
  t.notOk(beginsWithLane({ lane: { files } } as LaneFacts, `${LANE}x`))
  t.end()
})
