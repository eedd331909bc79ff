/** Tests of config.ts: every setting, its default and every way to get it wrong. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import t from 'tap'
import { type Config, DEFAULTS, loadConfig, parseConfig } from '../lib/config.js'
import { EXIT } from '../lib/exit.js'
import { Failure } from '../lib/failure.js'
import { makeFolder } from './support/lab.js'

const PATH = '/etc/toeh/toeh.toml'
const OWN = 'internal_domains = ["corp.test"]\n'

function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('the defaults', (t) => {
  const defaults: Config = {
    path: PATH,
    mode: 'enforce',
    state: '/var/lib/toeh',
    internal: new Set(['corp.test']),
    senders: new Set(),
    delimiters: undefined,
    reinject: { kind: 'smtp', host: '127.0.0.1', port: 10026 },
    deadlineSeconds: 60,
    answerSeconds: 600,
    busySeconds: 5,
    expireDays: 14,
    retention: { settledDays: 365, decisionLogDays: 365, auditDays: 3650 },
    language: 'en',
    approvers: [],
    trustedMilters: [],
    groups: new Map(),
    shared: new Set(),
    people: { group: '' },
    notice: { enabled: true, from: 'toeh@corp.test', contact: '', intervalMinutes: 60 },
    limits: { free: 104_857_600, holdMessages: 0, holdBytes: 0 },
    express: { enabled: false },
    moderate: {
      enabled: false,
      address: '',
      expireHours: 168,
      logins: new Map(),
      authservId: '',
      receivedBy: [],
      relays: [],
      two: [],
    },
  }
  t.strictSame(parseConfig(PATH, OWN), defaults)
  t.end()
})

t.test('the example states every default, and nothing else', (t) => {
  const path = resolve(import.meta.dirname, '../../examples/toeh.toml')
  const text = readFileSync(path, 'utf8')
  t.strictSame(JSON.parse(JSON.stringify(parse(text))), DEFAULTS)
  const failure = failureOf(() => parseConfig(path, text))
  const line = text.split('\n').indexOf('internal_domains = []') + 1
  const why = "it must name the company's own domains, as Postfix knows them"
  t.equal(failure.message, `configuration ${path}:${line}: internal_domains: ${why}`)
  t.strictSame(
    parseConfig(PATH, text.replace('internal_domains = []\n', OWN)),
    parseConfig(PATH, OWN),
    'as if nothing were said',
  )
  t.end()
})

interface Cases {
  /** The value in TOML, and what it becomes. */
  good: [string, unknown][]
  /** The value in TOML, and the complaint. */
  bad: [string, string][]
  /** Where it ends up. */
  get: (config: Config) => unknown
}

const MODE = 'it must be one of enforce, observe'
const LANGUAGE = 'it must be one of en, fr'
const DELIMITER =
  'it must be as `postconf -h recipient_delimiter` shows it (signs, no letters or digits), or "unknown"'
const REINJECT = 'it must be smtp:127.0.0.1:PORT (a literal loopback address) or sendmail:/PATH'
const DEADLINE = 'it must be a whole number from 1 to 3600'
const ANSWER = 'it must be a whole number from 1 to 3600'
const BUSY = 'it must be a whole number from 0 to 600'
const EXPIRE = 'it must be a whole number from 1 to 3650'
const DAYS = 'it must be a whole number from 1 to 36500'
const INTERVAL = 'it must be a whole number from 0 to 10080'
const NO_TEXT = (what: string): string => `it must be a text, not ${what}`
const NO_NUMBER = (what: string): string => `it must be a number, not ${what}`
const NO_LIST = (what: string): string => `it must be a list of texts, not ${what}`
const FROM = 'it must be one plain address'

// tsc demands a row for each setting.
const SETTINGS: Record<
  Exclude<
    keyof typeof DEFAULTS,
    'notice' | 'limits' | 'people' | 'express' | 'moderate' | 'landscape' | 'retention' | 'groups'
  >,
  Cases
> = {
  mode: {
    get: ({ mode }) => mode,
    good: [
      ['"enforce"', 'enforce'],
      ['"observe"', 'observe'],
    ],
    bad: [
      ['"Observe"', MODE],
      ['""', MODE],
      ['true', NO_TEXT('true or false')],
      ['[]', NO_TEXT('a list of texts')],
    ],
  },
  state: {
    get: ({ state }) => state,
    good: [['"/srv/toeh"', '/srv/toeh']],
    bad: [
      ['"toeh"', 'it must be an absolute path'],
      ['"./toeh"', 'it must be an absolute path'],
      ['""', 'it must be an absolute path'],
      ['1', NO_TEXT('a number')],
      ['2026-11-24', NO_TEXT('a date')],
    ],
  },
  internal_domains: {
    get: ({ internal }) => [...internal],
    good: [
      ['["Corp.TEST", "corp.test", "corp.example"]', ['corp.test', 'corp.example']],
      ['["bücher.test"]', ['xn--bcher-kva.test']],
      ['["localhost"]', ['localhost']],
    ],
    bad: [
      ['[]', "it must name the company's own domains, as Postfix knows them"],
      ['"corp.test"', NO_LIST('a text')],
      ['[1]', NO_LIST('a list')],
      ['["corp.test", 1]', NO_LIST('a list')],
      ['["1"]', '"1": numeric top-level domain'],
      ['["corp.test", "a@corp.test"]', '"a@corp.test": domain is not a host name'],
      ['[""]', '"": no domain'],
      ['["*.corp.test"]', '"*.corp.test": domain is not a host name'],
      ['[".corp.test"]', '".corp.test": domain is not a host name'],
      ['["BÜCHER.test"]', '"BÜCHER.test": internationalised domain does not round-trip'],
    ],
  },
  reinject: {
    get: ({ reinject }) => reinject,
    good: [
      ['"smtp:127.0.0.1:25"', { kind: 'smtp', host: '127.0.0.1', port: 25 }],
      ['"smtp:127.9.8.7:65535"', { kind: 'smtp', host: '127.9.8.7', port: 65535 }],
      ['"smtp:[::1]:10026"', { kind: 'smtp', host: '::1', port: 10026 }],
      ['"sendmail:/usr/sbin/sendmail"', { kind: 'sendmail', path: '/usr/sbin/sendmail' }],
    ],
    bad: [
      ['""', REINJECT],
      ['"smtp"', REINJECT],
      ['"smtp:127.0.0.1"', REINJECT],
      ['"smtp:127.0.0.1:0"', REINJECT],
      ['"smtp:127.0.0.1:65536"', REINJECT],
      ['"smtp:127.0.0.1:100260"', REINJECT],
      ['"smtp:127.0.0.1:10026 "', REINJECT],
      ['"smtp:localhost:10026"', REINJECT], // may be ::1
      ['"smtp:192.0.2.1:10026"', REINJECT],
      ['"smtp:127.1:10026"', REINJECT],
      ['"smtp:0.0.0.0:10026"', REINJECT],
      ['"smtp:127.0.0.256:10026"', REINJECT],
      ['"smtp:::1:10026"', REINJECT],
      ['"smtp:[::]:10026"', REINJECT],
      ['"smtp:[2001:db8::1]:10026"', REINJECT],
      ['"smtp:[127.0.0.1]:10026"', REINJECT],
      ['"SMTP:127.0.0.1:10026"', REINJECT],
      ['"sendmail:"', REINJECT],
      ['"sendmail:sendmail"', REINJECT],
      ['"lmtp:127.0.0.1:24"', REINJECT],
      ['10026', NO_TEXT('a number')],
    ],
  },
  recipient_delimiter: {
    get: ({ delimiters }) => delimiters,
    good: [
      ['"unknown"', undefined],
      ['""', ''],
      ['"+"', '+'],
      ['"-+_=."', '-+_=.'],
    ],
    bad: [
      ['"x"', DELIMITER],
      ['"+@"', DELIMITER],
      ['"+ "', DELIMITER],
      ['"Unknown"', DELIMITER],
      ['"\u00b7"', DELIMITER],
      ['true', NO_TEXT('true or false')],
    ],
  },
  deadline_seconds: {
    get: ({ deadlineSeconds }) => deadlineSeconds,
    good: [
      ['1', 1],
      ['3600', 3600],
      ['30.0', 30],
    ],
    bad: [
      ['0', DEADLINE],
      ['-1', DEADLINE],
      ['3601', DEADLINE],
      ['1.5', DEADLINE],
      ['nan', DEADLINE],
      ['inf', DEADLINE],
      ['"60"', NO_NUMBER('a text')],
    ],
  },
  answer_seconds: {
    get: ({ answerSeconds }) => answerSeconds,
    good: [
      ['1', 1],
      ['3600', 3600],
    ],
    bad: [
      ['0', ANSWER],
      ['3601', ANSWER],
      ['"600"', NO_NUMBER('a text')],
    ],
  },
  busy_seconds: {
    get: ({ busySeconds }) => busySeconds,
    good: [
      ['0', 0],
      ['600', 600],
    ],
    bad: [
      ['-1', BUSY],
      ['601', BUSY],
      ['false', NO_NUMBER('true or false')],
    ],
  },
  expire_days: {
    get: ({ expireDays }) => expireDays,
    good: [
      ['1', 1],
      ['3650', 3650],
    ],
    bad: [
      ['0', EXPIRE],
      ['3651', EXPIRE],
      ['{ days = 1 }', NO_NUMBER('a table')],
    ],
  },
  language: {
    get: ({ language }) => language,
    good: [
      ['"en"', 'en'],
      ['"fr"', 'fr'],
    ],
    bad: [
      ['"de"', LANGUAGE],
      ['"FR"', LANGUAGE],
      ['12:00:00', NO_TEXT('a date')],
    ],
  },
  trusted_milters: {
    get: ({ trustedMilters }) => trustedMilters,
    good: [
      ['[]', []],
      [
        '["inet:localhost:8891", "unix:/run/opendkim/sock"]',
        ['inet:localhost:8891', 'unix:/run/opendkim/sock'],
      ],
    ],
    bad: [
      ['["opendkim"]', '"opendkim": it must be as smtpd_milters names it, inet:HOST:PORT or unix:/PATH'],
      [
        '["inet:localhost:8891, unix:/x"]',
        '"inet:localhost:8891, unix:/x": it must be as smtpd_milters names it, inet:HOST:PORT or unix:/PATH',
      ],
      ['"inet:localhost:8891"', NO_LIST('a text')],
    ],
  },
  sender_domains: {
    get: ({ senders }) => [...senders],
    good: [
      ['[]', []],
      [
        '["Printer.TEST", "bücher.test", "corp.test"]',
        ['@printer.test', '@xn--bcher-kva.test', '@corp.test'],
      ],
    ],
    bad: [
      ['["printer"]', '"printer": single-label domain'],
      ['["corp.test", "a@corp.test"]', '"a@corp.test": domain is not a host name'],
      ['"corp.test"', NO_LIST('a text')],
    ],
  },
  senders: {
    get: ({ senders }) => [...senders],
    good: [
      ['[]', []],
      ['["Root@Web1.corp.test", "news@b.test"]', ['root@web1.corp.test', 'news@b.test']],
    ],
    bad: [
      ['["root"]', '"root": no domain'],
      ['["root@web1"]', '"root@web1": single-label domain'],
      ['["@b.test"]', '"@b.test": local part is not a dot-atom'],
      ['"a@b.test"', NO_LIST('a text')],
    ],
  },
  approvers: {
    get: ({ approvers }) => approvers,
    good: [
      ['[]', []],
      ['["Boss@corp.test", "chef@bücher.test"]', ['Boss@corp.test', 'chef@bücher.test']],
    ],
    bad: [
      ['["boss"]', '"boss": no domain'],
      ['["boss@corp.test", "Boss <boss@corp.test>"]', '"Boss <boss@corp.test>": blank'],
      ['["a@corp.test,b@corp.test"]', '"a@corp.test,b@corp.test": second @'],
      ['["a\\r\\nBcc: x@evil.test"]', '"a\\r\\nBcc: x@evil.test": control character'],
      ['"boss@corp.test"', NO_LIST('a text')],
    ],
  },
}

const CONTACT = 'it must be one line of at most 200 characters, each of them visible'
const NOTICE: Record<keyof typeof DEFAULTS.notice, Cases> = {
  enabled: {
    get: ({ notice }) => notice.enabled,
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: [
      ['"no"', 'it must be true or false, not a text'],
      ['0', 'it must be true or false, not a number'],
    ],
  },
  from: {
    get: ({ notice }) => notice.from,
    good: [
      ['""', 'toeh@corp.test'],
      ['"gate@corp.test"', 'gate@corp.test'],
    ],
    bad: [
      ['"gate"', FROM],
      ['"Gate <gate@corp.test>"', FROM],
      ['[]', NO_TEXT('a list of texts')],
    ],
  },
  contact: {
    get: ({ notice }) => notice.contact,
    good: [
      ['""', ''],
      ['"Marie Durand, poste 214 (+33 1 23)"', 'Marie Durand, poste 214 (+33 1 23)'],
      [`"${'é'.repeat(200)}"`, 'é'.repeat(200)],
    ],
    bad: [
      ['"Marie\\nDurand"', CONTACT],
      ['"Marie\\u202eDurand"', CONTACT],
      [`"${'x'.repeat(201)}"`, CONTACT],
      ['214', NO_TEXT('a number')],
    ],
  },
  interval_minutes: {
    get: ({ notice }) => notice.intervalMinutes,
    good: [
      ['0', 0],
      ['10080', 10080],
    ],
    bad: [
      ['-1', INTERVAL],
      ['10081', INTERVAL],
      ['0.5', INTERVAL],
      ['"60"', NO_NUMBER('a text')],
    ],
  },
}

const LIMIT = 'it must be a whole number from 0 to 1000000000'
/** A limit, and what it is multiplied with. */
function limitCases(get: Cases['get'], unit: number): Cases {
  return {
    get,
    good: [
      ['0', 0],
      ['1000000000', 1_000_000_000 * unit],
    ],
    bad: [
      ['-1', LIMIT],
      ['1000000001', LIMIT],
      ['0.5', LIMIT],
      ['"1G"', NO_NUMBER('a text')],
    ],
  }
}
const LIMITS: Record<keyof typeof DEFAULTS.limits, Cases> = {
  free_megabytes: limitCases(({ limits }) => limits.free, 1_048_576),
  hold_messages: limitCases(({ limits }) => limits.holdMessages, 1),
  hold_megabytes: limitCases(({ limits }) => limits.holdBytes, 1_048_576),
}

const LANDSCAPE: Record<keyof typeof DEFAULTS.landscape, Cases> = {
  shared: {
    get: ({ shared }) => shared,
    good: [
      ['[]', new Set()],
      ['["Portal.test", "@bücher.test"]', new Set(['portal.test', 'xn--bcher-kva.test'])],
    ],
    bad: [
      ['"portal.test"', 'it must be a list of texts, not a text'],
      ['["com"]', '"com": single-label domain'],
      ['["a@portal.test"]', '"a@portal.test": domain is not a host name'],
      ['["corp.test"]', '"corp.test" is one of internal_domains'],
    ],
  },
}

const RETENTION: Record<keyof typeof DEFAULTS.retention, Cases> = {
  settled_days: {
    get: ({ retention }) => retention.settledDays,
    good: [
      ['7', 7],
      ['36500', 36500],
    ],
    bad: [
      ['6', 'it must be a whole number from 7 to 36500'],
      ['36501', 'it must be a whole number from 7 to 36500'],
    ],
  },
  decision_log_days: {
    get: ({ retention }) => retention.decisionLogDays,
    good: [
      ['1', 1],
      ['36500', 36500],
    ],
    bad: [
      ['0', DAYS],
      ['36501', DAYS],
      ['"1"', NO_NUMBER('a text')],
    ],
  },
  audit_days: {
    get: ({ retention }) => retention.auditDays,
    good: [
      ['1', 1],
      ['36500', 36500],
    ],
    bad: [
      ['0', DAYS],
      ['36501', DAYS],
      ['1.5', DAYS],
    ],
  },
}

const PEOPLE: Record<keyof typeof DEFAULTS.people, Cases> = {
  group: {
    get: ({ people }) => people.group,
    good: [
      ['""', ''],
      ['"toeh-approvers"', 'toeh-approvers'],
      ['"_G.1"', '_G.1'],
    ],
    bad: [
      ['"-x"', 'it must be the name of one group of this system'],
      ['"a b"', 'it must be the name of one group of this system'],
      ['"a\\nb"', 'it must be the name of one group of this system'],
      ['["a"]', NO_TEXT('a list of texts')],
    ],
  },
}

function testSettings(t: Tap, table: string, settings: Record<string, Cases>): void {
  for (const [key, { get, good, bad }] of Object.entries(settings)) {
    // The setting stands on the third line in both forms.
    const place = table === '' ? (key === 'internal_domains' ? '\n\n' : `\n${OWN}`) : `${OWN}[${table}]\n`
    const name = table === '' ? key : `${table}.${key}`
    for (const [toml, value] of good) {
      t.strictSame(get(parseConfig(PATH, `${place}${key} = ${toml}\n`)), value, `${name} = ${toml}`)
    }
    for (const [toml, why] of bad) {
      const failure = failureOf(() => parseConfig(PATH, `${place}${key} = ${toml}\n`))
      t.equal(failure.message, `configuration ${PATH}:3: ${name}: ${why}`, `${name} = ${toml}`)
      t.equal(failure.status, EXIT.config, `${name} = ${toml}`)
    }
  }
}
const EXPRESS: Record<keyof typeof DEFAULTS.express, Cases> = {
  enabled: {
    get: ({ express }) => express.enabled,
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: [['1', 'it must be true or false, not a number']],
  },
}

type Tap = typeof t

t.test('settings', (t) => {
  testSettings(t as unknown as Tap, '', SETTINGS)
  testSettings(t as unknown as Tap, 'notice', NOTICE)
  testSettings(t as unknown as Tap, 'limits', LIMITS)
  testSettings(t as unknown as Tap, 'landscape', LANDSCAPE)
  testSettings(t as unknown as Tap, 'retention', RETENTION)
  testSettings(t as unknown as Tap, 'people', PEOPLE)
  testSettings(t as unknown as Tap, 'express', EXPRESS)
  t.end()
})

t.test('an internationalised first domain makes the From of notices', (t) => {
  const { notice } = parseConfig(PATH, 'internal_domains = ["bücher.test", "corp.test"]')
  t.equal(notice.from, 'toeh@xn--bcher-kva.test')
  t.end()
})

t.test('a domain of one label is internal where it is named', (t) => {
  const text = `internal_domains = ["LocalHost", "web1", "corp.test"]
[groups]
cron = ["Root@WEB1", "@localhost"]
`
  const { internal, notice, groups } = parseConfig(PATH, text)
  t.strictSame([...internal], ['localhost', 'web1', 'corp.test'])
  t.equal(notice.from, 'toeh@corp.test', 'whom people can answer, where there is one')
  t.strictSame(groups.get('cron'), ['root@web1', '@localhost'])
  t.equal(parseConfig(PATH, 'internal_domains = ["localhost"]').notice.from, 'toeh@localhost')
  for (const [line, why] of [
    ['internal_domains = ["corp.test", "local host"]', /domain is not a host name/],
    [`${OWN}approvers = ["root@localhost"]`, /single-label domain/],
    [`${OWN}[groups]\ncron = ["root@localhost"]`, /single-label domain/],
  ] as const)
    t.throws(() => parseConfig(PATH, line), why, line)
  t.end()
})

const UNKNOWN = 'there is no such setting'
// The text, the line, and what is said.
const WRONG: [string, number, string][] = [
  ['', 1, "internal_domains: it must name the company's own domains, as Postfix knows them"],
  [`${OWN}\n# a comment\nmodus = "enforce"\n`, 4, `modus: ${UNKNOWN}`],
  [`${OWN}  "mode " = "enforce"\n`, 2, `mode : ${UNKNOWN}`],
  [`${OWN}'odd' = 1\n`, 2, `odd: ${UNKNOWN}`],
  [`${OWN}Mode = "enforce"\n`, 2, `Mode: ${UNKNOWN}`],
  [`${OWN}toString = 1\n`, 2, `toString: ${UNKNOWN}`],
  [`${OWN}constructor = 1\n`, 2, `constructor: ${UNKNOWN}`],
  [`${OWN}\n[notice]\nenabled = true\nfrm = "x"\n`, 5, `notice.frm: ${UNKNOWN}`],
  [`${OWN}\n[notices]\nenabled = true\n`, 3, `notices: ${UNKNOWN}`],
  [`${OWN}notice.frm = "x"\n`, 2, `notice.frm: ${UNKNOWN}`],
  [`${OWN}smtp.port = 1\n`, 2, `smtp: ${UNKNOWN}`],
  // The same name elsewhere does not mislead.
  [`mode = "enforce"\n${OWN}[notice]\nmode = "enforce"\n`, 4, `notice.mode: ${UNKNOWN}`],
  [`${OWN}from = "x@corp.test"\n[notice]\nfrom = "x@corp.test"\n`, 2, `from: ${UNKNOWN}`],
  [`${OWN}notice = 5\n`, 2, 'notice: it must be a table, not a number'],
  [`${OWN}[[notice]]\nenabled = true\n`, 2, 'notice: it must be a table, not a list'],
  [`${OWN}[notice.from]\nx = 1\n`, 2, 'notice.from: it must be a text, not a table'],
  [`${OWN}mode.x = 1\n`, 2, 'mode: it must be a text, not a table'],
]

t.test('an unknown or misplaced setting is named with its line', (t) => {
  for (const [text, line, why] of WRONG) {
    const failure = failureOf(() => parseConfig(PATH, text))
    t.equal(failure.message, `configuration ${PATH}:${line}: ${why}`, JSON.stringify(text))
    t.equal(failure.status, EXIT.config)
  }
  t.end()
})

t.test('what is no TOML', (t) => {
  const texts: [string, number][] = [
    [`${OWN}mode = enforce\n`, 2],
    [`${OWN}\nmode = "enforce\n`, 3],
    [`${OWN}mode = "enforce"\nmode = "observe"\n`, 3],
    [`${OWN}[notice\n`, 2],
    [`${OWN}expire_days = 99999999999999999999\n`, 2],
    [`${OWN}= 1\n`, 2],
  ]
  for (const [text, line] of texts) {
    const failure = failureOf(() => parseConfig(PATH, text))
    t.ok(failure.message.startsWith(`configuration ${PATH}:${line}: `), `${failure.message} for ${text}`)
    t.notMatch(failure.message, /Invalid TOML document|\n/)
    t.equal(failure.status, EXIT.config)
  }
  t.end()
})

t.test('loading', (t) => {
  const path = join(makeFolder(t), 'toeh.toml')
  const failure = failureOf(() => loadConfig(path))
  t.equal(failure.line, `configuration ${path}: no such file or directory (ENOENT); toeh init makes one`)
  t.equal(failure.status, EXIT.config)
  writeFileSync(path, OWN)
  t.strictSame(loadConfig(path), parseConfig(path, OWN))
  writeFileSync(path, `\u{feff}${OWN}`)
  t.strictSame([...loadConfig(path).internal], ['corp.test'], 'a byte order mark does not count')
  t.end()
})

t.test('groups: names of the reader, members folded', (t) => {
  const text = `${OWN}[groups]\naccounting = ["Anna@Corp.TEST", "@Billing.corp.test"]\nthe-board = []\n`
  t.strictSame(
    [...parseConfig(PATH, text).groups],
    [
      ['accounting', ['anna@corp.test', '@billing.corp.test']],
      ['the-board', []],
    ],
  )
  const bad: [string, string][] = [
    ['Board = []', 'groups.Board: a name is lower-case letters, digits and hyphens'],
    ['"a@b.test" = []', 'groups.a@b.test: a name is lower-case letters, digits and hyphens'],
    ['board = "anna@corp.test"', 'groups.board: it must be a list of texts, not a text'],
    ['board = [1]', 'groups.board: it must be a list of texts, not a list'],
    ['board = ["anna"]', 'groups.board: "anna": no domain'],
    ['board = ["@corp"]', 'groups.board: "@corp": single-label domain'],
    ['board = ["a%b@corp.test"]', 'groups.board: "a%b@corp.test": percent or bang routing'],
  ]
  for (const [line, complaint] of bad) {
    const failure = failureOf(() => parseConfig(PATH, `${OWN}[groups]\n${line}\n`))
    t.equal(failure.message, `configuration ${PATH}:${OWN.split('\n').length + 1}: ${complaint}`)
    t.equal(failure.status, EXIT.config)
  }
  t.end()
})

t.test('approval by mail', (t) => {
  const people = 'approvers = ["Boss@corp.test", "deputy@other.test"]\n'
  const groups = '[groups]\naccounting = ["anna@corp.test"]\n'
  const read = (lines: string, approvers = people): Config =>
    parseConfig(PATH, `${OWN}${approvers}[moderate]\n${lines}\n${groups}`)
  t.strictSame(
    read(`enabled = true
address = "toeh-moderate@Corp.test"
expire_hours = 24
logins = { boss = "boss@CORP.test", "d.e" = "deputy@other.test" }
authserv_id = "mx.corp.test"
received_by = ["MX2.corp.test"]
relays = ["10.99.0.2", "2001:db8::2"]
two = ["accounting"]`).moderate,
    {
      enabled: true,
      address: 'toeh-moderate@Corp.test',
      expireHours: 24,
      logins: new Map([
        ['boss', 'boss@CORP.test'],
        ['d.e', 'deputy@other.test'],
      ]),
      authservId: 'mx.corp.test',
      receivedBy: ['mx2.corp.test'],
      relays: ['10.99.0.2', '2001:db8::2'],
      two: ['accounting'],
    },
  )
  t.strictSame(
    read('[moderate.logins]\nboss = "boss@corp.test"').moderate.logins,
    new Map([['boss', 'boss@corp.test']]),
    'logins as a table of their own',
  )
  const bad: [string, string, string?][] = [
    ['enabled = true', 'moderate.enabled: moderate.address must be one plain address'],
    ['address = "x"', 'moderate.address: moderate.address must be one plain address'],
    ['address = "x@other.test"', 'moderate.address: its domain must be one of internal_domains'],
    ['expire_hours = 0', 'moderate.expire_hours: it must be a whole number from 1 to 8760'],
    ['logins = { boss = 1 }', 'moderate.logins: "boss": it must be a text, not a number'],
    ['logins = []', 'moderate.logins: it must be a table, not a list of texts'],
    ['logins = { eve = "eve@corp.test" }', 'moderate.logins: "eve": "eve@corp.test" is not one of approvers'],
    ['authserv_id = "mx corp"', 'moderate.authserv_id: it must be a name without blanks'],
    ['received_by = ["a b"]', 'moderate.received_by: "a b" is no host name'],
    ['relays = ["10.0.0.0/8"]', 'moderate.relays: "10.0.0.0/8": it must be one address, as Postfix logs it'],
    ['relays = ["exchange"]', 'moderate.relays: "exchange": it must be one address, as Postfix logs it'],
    ['two = ["nobody"]', 'moderate.two: there is no group "nobody" in [groups]'],
    ['two = ["constructor"]', 'moderate.two: there is no group "constructor" in [groups]'],
    ['other = 1', 'moderate.other: there is no such setting'],
    [
      'enabled = true\naddress = "m@corp.test"\ntwo = ["accounting"]',
      'moderate.two: it needs two approvers',
      'approvers = ["boss@corp.test", "BOSS@corp.test"]\n',
    ],
    [
      'enabled = true\naddress = "m@corp.test"\ntwo = ["accounting"]',
      'moderate.two: it needs two approvers',
      'approvers = ["boss@corp.test", "boss+two@corp.test"]\nrecipient_delimiter = "+"\n',
    ],
  ]
  for (const [lines, why, approvers] of bad) {
    const failure = failureOf(() => read(lines, approvers))
    t.match(failure.message, why, lines)
    t.match(failure.message, /^configuration \/etc\/toeh\/toeh\.toml:[3-9]: /, 'with its line')
  }
  t.end()
})

t.test('two settings of [retention] may stand by themselves, as they once did', (t) => {
  const read = (text: string): Config['retention'] => parseConfig('t.toml', `${OWN}${text}`).retention
  t.strictSame(read('decision_log_days = 30\naudit_days = 60\n'), {
    ...{ settledDays: 365, decisionLogDays: 30, auditDays: 60 },
  })
  t.strictSame(read('audit_days = 60\n[retention]\nsettled_days = 90\n'), {
    ...{ settledDays: 90, decisionLogDays: 365, auditDays: 60 },
  })
  const wrong: [string, RegExp][] = [
    [
      'audit_days = 60\n[retention]\naudit_days = 90\n',
      /t\.toml:2: audit_days: it stands in \[retention\] as well/,
    ],
    ['audit_days = 0\n', /t\.toml:2: audit_days: it must be a whole number from 1 to 36500/],
    ['audit_days = "x"\n', /t\.toml:2: audit_days: it must be a number, not a text/],
    ['audit_days = 60\nretention = 7\n', /retention: it must be a table, not a number/],
    [
      '[retention]\nsettled_days = 1\n',
      /t\.toml:3: retention\.settled_days: it must be a whole number from 7 /,
    ],
  ]
  for (const [text, line] of wrong) t.throws(() => read(text), { message: line }, text)
  t.end()
})
