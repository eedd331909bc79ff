/** Express: what the tables of the lane say of a sender and of a recipient, and which row a value has. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import {
  LANE_PARAMETER,
  LANE_SCHEMA,
  LANE_SERVICES,
  LANE_UTF8,
  laneCommands,
  laneMap,
  laneQuery,
  laneRestrictions,
  laneTexts,
} from '../../lib/express/tables.js'
import { isOwnSender, senderOf } from '../../lib/mail/mailbox.js'
import { makeFolder } from '../support/lab.js'
import { smallSender } from '../support/landscape.js'
import { hasPostfix } from '../support/postfix.js'
import { strangeAddress } from '../support/strange.js'

const FILES = { map: '/etc/toeh/map', senders: '/etc/toeh/senders', recipients: '/etc/toeh/recipients' }
const FILTER = 'FILTER toeh:dummy'

/** The text of one of the lane's files. */
function textOf(path: string, internal: string[], delimiters = '', senders: string[] = []): string {
  const own = { internal: new Set(internal), senders: new Set(senders) }
  const texts = laneTexts(FILES, '/var/lib/toeh-express/lane.db', own, delimiters)
  return new Map(texts).get(path) ?? ''
}

/** What a regexp_table(5) answers: the first line that matches, without regard to case, or nothing. */
function answerOf(table: string, key: string): string | undefined {
  for (const line of table.split('\n')) {
    const [, not, pattern = '', answer] = /^(!?)\/(.*)\/ (.*)$/.exec(line) ?? []
    if (answer !== undefined && new RegExp(pattern, 'i').test(key) === (not === '')) return answer
  }
  return undefined
}

/** The same by postmap(1), where there is one. */
function askPostmap(t: Test, table: string, keys: readonly string[]): Map<string, string> | undefined {
  if (!hasPostfix()) return undefined
  const folder = makeFolder(t)
  const file = join(folder, 'table')
  writeFileSync(file, table)
  writeFileSync(join(folder, 'main.cf'), 'compatibility_level = 3.6\n')
  const { stdout, stderr } = spawnSync('/usr/sbin/postmap', ['-c', folder, '-q', '-', `regexp:${file}`], {
    input: `${keys.join('\n')}\n`,
    encoding: 'utf8',
  })
  t.equal(stderr, '')
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t') as [string, string]),
  )
}

/** Asserts of each of these keys that a table passes it, or sends it to the filter. */
function assertAnswers(t: Test, table: string, passed: readonly string[], filtered: readonly string[]): void {
  const real = askPostmap(t, table, [...passed, ...filtered])
  for (const key of passed) {
    t.equal(answerOf(table, key), undefined, `${key} passes`)
    t.equal(real?.get(key), undefined, `${key} passes, says postmap(1)`)
  }
  for (const key of filtered) {
    t.equal(answerOf(table, key), FILTER, `${key} is filtered`)
    if (real !== undefined) t.equal(real.get(key), FILTER, `${key} is filtered, says postmap(1)`)
  }
}

t.test("senders: the company's own domains and no others, each letter and each dot of them", async (t) => {
  const table = textOf(FILES.senders, ['mail.corp.com', 'corp.test', 'a-b.corp.test'])
  const passed = [
    'anna@mail.corp.com',
    'Anna@MAIL.Corp.COM',
    'anna@corp.test',
    'anna@a-b.corp.test',
    'first.last=x_y+tag-1@corp.test',
    '<>',
    `${'a'.repeat(65)}@corp.test`,
  ]
  const filtered = [
    // A dot is a dot.
    ...['anna@mailxcorp.com', 'anna@mail.corpxcom', 'anna@corpxtest', 'anna@a-bxcorp.test'],
    // Nothing before it, nothing behind it, none below it, none of its halves.
    ...[
      'anna@xmail.corp.com',
      'anna@mail.corp.com.evil.test',
      'anna@x.corp.test',
      'anna@corp.com',
      'anna@corp',
    ],
    ...['anna@', 'anna', '@corp.test', 'evil.test', 'anna@evil.test', '<>x', 'x<>', '<anna@corp.test>'],
    // What is not plain.
    ...[
      'anna@evil.test@corp.test',
      'anna%evil.test@corp.test',
      'evil.test!anna@corp.test',
      '"anna"@corp.test',
    ],
    ...['-anna@corp.test', '.anna@corp.test', 'anna.@corp.test', 'an..na@corp.test', 'an na@corp.test'],
    // What is too long.
    `anna@${'x'.repeat(240)}.corp.test`,
  ]
  assertAnswers(t, table, passed, filtered)
})

t.test(
  'senders: those of the configuration besides, and none that our own server has rewritten',
  async (t) => {
    const senders = ['@printer.test', 'root@web1.other.test', 'a.b@c.test', 'x+y@d.test', "o'neil@d.test"]
    const table = textOf(FILES.senders, ['corp.test', 'localhost'], '', senders)
    const passed = [
      'scanner@printer.test',
      'Root@Web1.other.test',
      'a.b@c.test',
      'root@localhost',
      'srs0@corp.test',
      '<>',
    ]
    const filtered = [
      ...[
        'x@web1.other.test',
        'xroot@web1.other.test',
        'root@web1.other.test.x',
        'axb@c.test',
        'root@web1xother.test',
      ],
      // What begins an extension is not the lane's to know.
      ...[
        'root+x@web1.other.test',
        'x+y@d.test',
        "o'neil@d.test",
        'x@sub.printer.test',
        'x@localhost.x',
        'x@c.test',
      ],
      ...[
        'SRS0=a=b=other.test=x@corp.test',
        'srs0+a=b=corp.test=anna@corp.test',
        'SRS1-a=f==b=c=d.test=x@printer.test',
      ],
      'srs0=opaque@localhost',
    ]
    assertAnswers(t, table, passed, filtered)
    // Whom the lane lets by, the gate has for ours.
    const people = {
      internal: new Set(['corp.test', 'localhost']),
      senders: new Set(senders),
      delimiters: undefined,
    }
    for (const sender of passed) t.equal(isOwnSender(sender === '<>' ? '' : sender, people), true, sender)
    const strange = fc.sample(fc.oneof(strangeAddress, smallSender), {
      numRuns: 5000,
      seed: Number(process.env.SEED ?? 1),
    })
    let letBy = 0
    for (const sender of strange) {
      if (sender === '' || /[^\x20-\x7e]/.test(sender) || answerOf(table, sender) !== undefined) continue
      letBy++
      t.equal(
        isOwnSender(sender, people) && senderOf(sender, people).key === sender.toLowerCase(),
        true,
        sender,
      )
    }
    t.ok(letBy > 100, `${letBy} of them`)
  },
)

t.test('a sender of 254 bytes, and one of 255', async (t) => {
  const domain = `${`${'d'.repeat(59)}.`.repeat(3)}corp.test`
  const table = textOf(FILES.senders, [domain])
  const fits = `${'a'.repeat(254 - 1 - domain.length)}@${domain}`
  t.equal(fits.length, 254)
  assertAnswers(t, table, [fits], [`a${fits}`])
})

t.test('a company without a domain has no senders but the null one', async (t) => {
  assertAnswers(t, textOf(FILES.senders, []), ['<>'], ['anna@corp.test', 'anna', '@', 'anna@.'])
})

t.test('recipients: the plainest characters alone, and no recipient delimiter', async (t) => {
  const passed = [
    'x@a_b.known_.test',
    'x@known.test',
    'X@Known.Test',
    'first.last=x_y@known.test',
    'x9@a-b.c1.test',
  ]
  const always = [
    'x+y@known.test',
    'x@known+test',
    'x y@known.test',
    'x@',
    '@known.test',
    'x',
    'x@y@known.test',
  ]
  const hyphened = 'x-y@known.test'
  assertAnswers(t, textOf(FILES.recipients, ['corp.test']), [...passed, hyphened], always)
  assertAnswers(t, textOf(FILES.recipients, ['corp.test'], '+'), [...passed, hyphened], always)
  assertAnswers(t, textOf(FILES.recipients, ['corp.test'], '+-'), passed, [...always, hyphened])
  assertAnswers(
    t,
    textOf(FILES.recipients, ['corp.test'], '=_.-'),
    ['x9@a-b.c1.test', 'x9@a_b.test'],
    [...always, ...['x=y@known.test', 'x_y@known.test', 'x.y@known.test', hyphened]],
  )
})

t.test('what Postfix is told', async (t) => {
  t.match(
    laneMap('/d/lane.db'),
    /^# .*toeh express --write.*\ndbpath = \/d\/lane\.db\nquery = SELECT 'OK' WHERE/,
  )
  t.match(laneMap('/d/lane.db'), laneQuery({ address: "'%s'", local: "'%u'", domain: "'@%d'" }))
  t.equal(textOf(FILES.map, []), laneMap('/var/lib/toeh-express/lane.db'))
  for (const path of [FILES.senders, FILES.recipients])
    t.match(textOf(path, ['corp.test']), /^# Written by toeh express --write\. /)
  t.equal(
    laneRestrictions(FILES),
    'check_recipient_access regexp:/etc/toeh/recipients, check_sender_access regexp:/etc/toeh/senders, ' +
      'warn_if_reject check_recipient_access sqlite:/etc/toeh/map, ' +
      'check_recipient_access static:{FILTER toeh:dummy}',
  )
  t.strictSame(laneCommands(['submission/inet'], FILES), [
    `postconf -e 'toeh_express_restrictions=${laneRestrictions(FILES)}'`,
    "postconf -F 'submission/inet/chroot=n'",
    "postconf -P 'submission/inet/content_filter='",
    "postconf -P 'submission/inet/smtputf8_enable=no'",
    `postconf -P 'submission/inet/smtpd_recipient_restrictions=$${LANE_PARAMETER}'`,
  ])
})

t.test('whom it is for, and what a service has to say for it', async (t) => {
  t.strictSame(LANE_SERVICES, ['submission/inet', 'submissions/inet'])
  t.equal(LANE_PARAMETER, 'toeh_express_restrictions')
  t.strictSame(LANE_UTF8, { name: 'smtputf8_enable', value: 'no' })
  t.strictSame(LANE_SCHEMA, [
    'CREATE TABLE generation (number INTEGER) STRICT',
    'CREATE TABLE lane (key TEXT PRIMARY KEY, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  ])
})
