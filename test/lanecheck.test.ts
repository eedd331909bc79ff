/** The express lane's checks on facts alone: what each finds, and what is sound. */
import t from 'tap'
import { laneRestrictions } from '../lib/express.js'
import { beginsWithLane, endsInReject, LANE_CHECKS, type LaneFacts } from '../lib/lanecheck.js'
import { parseServices } from '../lib/mastercf.js'

const files = { map: '/e/express.cf', senders: '/e/express-senders', recipients: '/e/express-recipients' }
const LANE = laneRestrictions(files)
const SERVICE = `submission inet n - n - - smtpd -o smtputf8_enable=no -o {smtpd_recipient_restrictions = ${LANE}}`

function faults(changes: {
  lane?: object
  main?: Record<string, string>
  service?: string
  tables?: object
}): string[] {
  const facts = {
    configDir: undefined,
    main: new Map(
      Object.entries({ smtpd_relay_restrictions: 'permit_sasl_authenticated, reject', ...changes.main }),
    ),
    services: parseServices(changes.service ?? SERVICE),
    expected: { gate: { name: 'toeh' } },
    toeh: { path: '/e/toeh.toml', internal: ['corp.test'] },
    tables: new Map(Object.entries(changes.tables ?? {})),
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
    [{ main: { always_bcc: 'spy@outside.test' } }, /^express-aliases critical always_bcc/],
    [{ main: { sender_bcc_maps: 'hash:/x' } }, /^express-aliases critical sender_bcc_maps hash:\/x adds/],
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
