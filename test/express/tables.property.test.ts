/** Properties of the express lane: what the real postmap(1) answers OK, the decision passes for every sender. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { Lane, laneFolder, lanePath } from '../../lib/express/lane.js'
import { laneMap } from '../../lib/express/tables.js'
import { isOwnSender } from '../../lib/mail/mailbox.js'
import { decide, type Rule } from '../../lib/rules/decide.js'
import { type LaneRow, laneRow } from '../../lib/rules/lanerow.js'
import { Lab } from '../support/lab.js'
import { LOGGED_IN, makeFacts, REWRITTEN, smallRecipient, type World, world } from '../support/landscape.js'
import { cannotAskSqlite } from '../support/postfix.js'
import { strangeAddress } from '../support/strange.js'

const SENDERS = [
  '',
  'anna+x@corp.test',
  'anna@corp.test',
  'otto@corp.test',
  'Otto@CORP.test',
  'eva@shop.test',
  'x@a.test',
  'scanner@printer.test',
  'news+1@b.test',
  ...REWRITTEN,
]

/** What sqlite_table(5) expands, SQL takes to heart, or a client could write in another way. */
const BAITS = [
  ...[
    "' OR '1'='1",
    "'; DROP TABLE lane; --",
    '%s',
    '%u',
    '%d',
    '%1',
    '%%',
    '$x',
    '\\',
    '"',
    '*',
    '?',
    '[a]',
  ],
  ...[
    'x%2e',
    'x%40',
    'x!',
    'x%',
    '@relay.test:x',
    '@relay.test,@r2.test:x',
    'x y',
    'ü',
    '=?utf-8?q?x?=',
    '-x',
    '.x',
  ],
  ...['x.', 'x..y', 'a'.repeat(64), 'a'.repeat(65), 'a'.repeat(250), 'x+y', 'X', '_', '%', 'x@y'],
]
const bait = fc
  .tuple(fc.constantFrom(...BAITS), fc.constantFrom('x', 'y', ''), smallRecipient)
  .map(([token, local, address]) => `${local}${token}${address.slice(address.lastIndexOf('@'))}`)
const tail = fc
  .tuple(smallRecipient, fc.constantFrom('.', '..', ' ', ':25', '@', '.test', '\u{ad}', "'", '%00'))
  .map(([address, end]) => `${address}${end}`)
/** Letters that Unicode folds to ASCII, in place of these. */
const FOLDED: [string, string][] = [
  ['ss', 'ß'],
  ['ss', 'ẞ'],
  ['st', '\u{fb06}'],
  ['st', '\u{fb05}'],
  ['fi', '\u{fb01}'],
  ['s', '\u{17f}'],
  ['k', '\u{212a}'],
]
const unfolded = fc
  .tuple(smallRecipient, fc.constantFrom(...FOLDED))
  .map(([address, [letters, letter]]) => address.replace(letters, letter))
const recipient = fc.oneof(
  { weight: 6, arbitrary: smallRecipient },
  { weight: 3, arbitrary: bait },
  { weight: 1, arbitrary: tail },
  { weight: 1, arbitrary: unfolded },
  { weight: 1, arbitrary: strangeAddress },
)

/** Rows as the landscape makes them, value by value. */
function rowsOf({ rules, internal }: World): LaneRow[] {
  const values = new Map<string, Rule[]>()
  for (const rule of rules) values.set(rule.value, [...(values.get(rule.value) ?? []), rule])
  return [...values.keys()].flatMap((value) => laneRow(value, values, new Set(internal)) ?? [])
}

t.test('OK means that every own sender may, whoever has logged in', { skip: cannotAskSqlite() }, (t) => {
  const lab = new Lab(t.testdir(), '')
  const map = `${lab.dir}/express.cf`
  const path = lanePath(lab.state)
  mkdirSync(laneFolder(lab.state))
  writeFileSync(map, laneMap(path))
  writeFileSync(`${lab.dir}/main.cf`, 'compatibility_level = 3.6\n')
  const lane = new Lane({ state: lab.state, internal: new Set() }, true)
  const seen = { asked: 0, ok: 0, passing: 0 }
  const worlds = fc.sample(
    fc.tuple(world, fc.array(recipient, { minLength: 400, maxLength: 400, size: 'max' })),
    { numRuns: 25, seed: Number(process.env.SEED ?? 1) },
  )
  for (const [given, recipients] of worlds) {
    const some = given.rules.map((rule, index) => ({ ...rule, endsAt: index % 5 === 4 ? 9e15 : null }))
    const rules = { ...given, rules: some }
    lane.replace(rowsOf(rules))
    // One a line: what holds a line end cannot be asked here, nor stand in an SMTP command.
    const keys = [...new Set(recipients)].filter((key) => /^[^\0\r\n]+$/.test(key) && key.trim() === key)
    const parts = keys.flatMap((key) => [
      key.slice(key.lastIndexOf('@') + 1),
      key.slice(0, key.lastIndexOf('@') + 1),
    ])
    const asked = [...keys, ...parts.filter((part) => part.trim() === part && part !== '')]
    // -u: as a service asks that says smtputf8_enable=no.
    const answered = spawnSync('/usr/sbin/postmap', ['-c', lab.dir, '-u', '-q', '-', `sqlite:${map}`], {
      input: `${asked.join('\n')}\n`,
      encoding: 'utf8',
    })
    // 1 stands for an error and for nothing found.
    if (answered.status !== 0 && answered.stderr !== '') throw new Error(answered.stderr)
    const answers = answered.stdout
    const ok = new Set(
      answers
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/\tOK$/, '')),
    )
    const ours = lane.passing(keys)
    const facts = makeFacts(rules)
    const own = SENDERS.filter((sender) => isOwnSender(sender, facts))
    const logins = Object.keys(LOGGED_IN)
    for (const key of keys) {
      const may = (sender: string, login: string): boolean | undefined =>
        decide({ sender, login, recipients: [key] }, facts)[0]?.pass
      const passes = own.every((sender) => logins.every((login) => may(sender, login)))
      seen.asked++
      if (ok.has(key)) seen.ok++
      if (passes) seen.passing++
      if (ok.has(key) && !passes) t.fail(`OK for ${JSON.stringify(key)}`, { rules: some })
      if (ok.has(key) !== ours.has(key)) t.fail(`postmap and we differ on ${JSON.stringify(key)}`)
    }
    for (const part of parts)
      if (ok.has(part) && !keys.includes(part)) t.fail(`OK for ${JSON.stringify(part)}`)
  }
  t.ok(seen.asked > 5000 && seen.ok > 100 && seen.passing > seen.ok, JSON.stringify(seen))
  t.end()
})
