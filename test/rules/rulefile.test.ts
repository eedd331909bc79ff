/** Tests of rulefile.ts, csvfile.ts and addressbook.ts together: out of a landscape, into a text, and back in. */
import fc from 'fast-check'
import t from 'tap'
import { createDatabase } from '../../lib/database/database.js'
import { readCsv, writeCsv } from '../../lib/rules/csv.js'
import type { Rule } from '../../lib/rules/decide.js'
import { Landscape } from '../../lib/rules/landscape.js'
import {
  type Carrier,
  draftEntries,
  type RuleFileReading,
  readJson,
  writeJson,
} from '../../lib/rules/rulefile.js'
import { makeFolder } from '../support/lab.js'

const NOW = Date.UTC(2026, 10, 24, 8)
const CARRIER: Carrier = {
  who: 'anna',
  at: NOW,
  groups: new Map([
    ['accounting', ['anna@corp.test']],
    ['sales; north, "east"', ['bob@corp.test']],
  ]),
  internal: new Set(['corp.test']),
  force: false,
  source: 'import rules.csv',
  scope: '',
  endsAt: null,
  note: '',
}

t.test('JSON: what is read', (t) => {
  const { entries, problems } = readJson(
    '[{"value":"known.test"},{"value":"bob@known.test","effect":"block","subdomains":false,"until":null,"note":"n"}]',
  )
  t.strictSame(problems, [])
  t.strictSame(entries, [
    { value: 'known.test', where: 'entry 1' },
    { value: 'bob@known.test', effect: 'block', subdomains: 'no', note: 'n', where: 'entry 2' },
  ])
  t.end()
})

t.test('JSON: what is wrong', (t) => {
  const table: [text: string, problems: [string, string | RegExp][]][] = [
    ['', [['file', /^it is no JSON: /]]],
    ['{"value":"a.test"}', [['file', 'it is no array of rules']]],
    ['[1,null,[],"a.test"]', [1, 2, 3, 4].map((n) => [`entry ${n}`, 'it is no object'])],
    ['[{"effect":"allow"}]', [['entry 1', 'it has no value']]],
    ['[{"value":1}]', [['entry 1', 'value is no text, it has no value']]],
    ['[{"value":"a.test","nots":"x"}]', [['entry 1', 'unknown key "nots"']]],
    ['[{"value":"a.test","__proto__":{}}]', [['entry 1', 'unknown key "__proto__"']]],
    ['[{"value":"a.test","where":"x"}]', [['entry 1', 'unknown key "where"']]],
    ['[{"value":"a.test","subdomains":"yes"}]', [['entry 1', 'subdomains is no true or false']]],
    ['[{"value":"a.test","note":1}]', [['entry 1', 'note is no text']]],
  ]
  for (const [text, problems] of table) {
    const reading = readJson(text)
    t.strictSame(reading.entries, [], text)
    t.match(
      reading.problems,
      problems.map(([where, why]) => ({ where, why })),
      text,
    )
    t.equal(reading.problems.length, problems.length, text)
  }
  t.end()
})

t.test('entries become drafts under the checks of toeh allow', (t) => {
  const until = Date.UTC(2027, 0, 1)
  const table: [entry: Record<string, string>, draft: object][] = [
    [{ value: 'Known.TEST' }, { kind: 'domain', value: 'known.test', effect: 'allow', subdomains: false }],
    [
      { value: ' bob@known.test ', effect: 'BLOCK' },
      { kind: 'address', effect: 'block' },
    ],
    [{ value: 'a.test', subdomains: 'YES' }, { subdomains: true }],
    [{ value: 'a.test', subdomains: '1' }, { subdomains: true }],
    [{ value: 'a.test', subdomains: 'FALSE' }, { subdomains: false }],
    [{ value: 'a.test', for: 'accounting' }, { scope: 'accounting' }],
    [{ value: 'a.test', for: 'Anna@Corp.test' }, { scope: 'anna@corp.test' }],
    [{ value: 'a.test', for: '@corp.test' }, { scope: '@corp.test' }],
    [{ value: 'a.test', until: '2027-01-01T00:00:00Z' }, { endsAt: until }],
    [{ value: 'a.test', until: '2027-01-01T01:30:00.000+01:30' }, { endsAt: until }],
    [{ value: 'a.test', subdomains: 'Oui' }, { subdomains: true }],
    [{ value: 'a.test', subdomains: 'FAUX' }, { subdomains: false }],
    [{ value: 'a.test', subdomains: 'non' }, { subdomains: false }],
    [{ value: 'a.test', until: '31/12/2030' }, { endsAt: new Date(2031, 0, 1).getTime() - 1 }],
    [{ value: 'a.test', until: '1.2.2031' }, { endsAt: new Date(2031, 1, 2).getTime() - 1 }],
    [{ value: 'a.test', until: '03-04-2031' }, { endsAt: new Date(2031, 3, 4).getTime() - 1 }],
    [{ value: 'a.test', until: '30d' }, { endsAt: NOW + 30 * 86_400_000 }],
    [{ value: 'a.test', note: ' as it is ' }, { note: ' as it is ' }],
    [{ value: 'a.test' }, { source: 'import rules.csv', note: '' }],
    [{ value: 'a.test', source: 'command' }, { source: 'command' }],
    [{ value: 'a.test', added_by: 'eve' }, { history: { who: 'eve', at: NOW } }],
    [{ value: 'a.test', added_at: '2027-01-01T00:00:00.000Z' }, { history: { who: 'anna', at: until } }],
  ]
  for (const [entry, draft] of table) {
    const { carried, problems } = draftEntries([{ where: 'line 2', value: '', ...entry }], CARRIER)
    t.strictSame(problems, [])
    t.match(carried, [{ where: 'line 2', draft }], JSON.stringify(entry))
    if (!('history' in draft)) t.notOk(carried[0]?.draft.history, 'without a history it has none')
  }
  t.end()
})

t.test('entries that are wrong', (t) => {
  const table: [entry: Record<string, string>, why: string | RegExp][] = [
    [{ value: ' ' }, 'value: it is empty'],
    [{ value: `${'a'.repeat(400)}.test` }, /^value "a{40}…": it is too long$/],
    [{ value: 'known' }, /^allow "known": it is neither an address nor a domain \(single-label domain\)$/],
    [{ value: 'co.uk' }, /^allow "co\.uk": it is a public suffix/],
    [{ value: 'amazonaws.com', subdomains: 'yes' }, /public suffixes lie below it/],
    [{ value: 'a.test', until: '12/31/2030' }, /it is no date as 2026-12-31/],
    [{ value: 'a.test', until: '31/12/30' }, /it is no date as 2026-12-31/],
    [{ value: 'gmail.com' }, /it is a freemail domain.*add --force$/],
    [{ value: 'bob@a.test', subdomains: 'yes' }, /an address has no subdomains/],
    [{ value: 'a.test', effect: 'maybe' }, 'effect "maybe": it is neither allow nor block'],
    [{ value: 'a.test', subdomains: 'parfois' }, 'subdomains "parfois": it is neither yes nor no'],
    [{ value: 'a.test', subdomains: 'constructor' }, /neither yes nor no/],
    [{ value: 'a.test', for: 'nobody' }, /there is no such group; groups: accounting/],
    [{ value: 'a.test', for: 'a b@corp.test' }, /it is no plain address/],
    [{ value: 'a.test', until: 'soon' }, /^until "soon": it is no date/],
    [{ value: 'a.test', until: '2020-01-01' }, /^until "2020-01-01": that day has passed/],
    [{ value: 'a.test', until: '2027-02-30T00:00:00Z' }, /it is no date/],
    [
      { value: 'a.test', added_at: '24/11/2026' },
      'added_at "24/11/2026": it is no instant as 2026-12-31T08:00:00Z',
    ],
    [{ value: 'a.test', added_at: '2026-11-24T08:00:00' }, /it is no instant/],
  ]
  for (const [entry, why] of table) {
    const { carried, problems } = draftEntries([{ where: 'line 2', value: '', ...entry }], CARRIER)
    t.strictSame(carried, [], JSON.stringify(entry))
    t.match(problems, [{ where: 'line 2', why }], JSON.stringify(entry))
    t.equal(problems.length, 1)
  }
  const past = draftEntries([{ where: 'line 2', value: 'a.test', until: '2026-11-24T08:00:00Z' }], CARRIER)
  t.strictSame(past, { carried: [], problems: [], ended: 1 }, 'a rule that ended since it was exported')
  const whole = draftEntries([{ where: 'line 2', value: 'gmail.com' }], { ...CARRIER, force: true })
  t.equal(whole.carried.length, 1, 'with force')
  t.end()
})

/** Text with all that could disturb a CSV or JSON reader; SQLite has no place for lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      ',',
      ';',
      '\t',
      '\n',
      '\r',
      '#',
      '=',
      '+',
      '-',
      '@',
      ' ',
      "'",
      'é',
      '\u{feff}',
    ),
  }),
)
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9]{0,8}[a-z0-9])?$/)
const domain = fc.oneof(
  fc.tuple(label, label).map(([a, b]) => `${a}.${b}.test`),
  label.map((name) => `${name}.test`),
  fc.constantFrom('xn--bcher-kva.test', 'a.test', 'b.test'),
)
const address = fc
  .tuple(fc.constantFrom('anna', '#tag', '=1+1', "o'neil", '-a'.slice(1), '+x'), domain)
  .map(([l, d]) => `${l}@${d}`)
const rule = fc.record({
  value: fc.oneof(domain, address),
  wide: fc.boolean(),
  effect: fc.constantFrom('allow' as const, 'block' as const),
  scope: fc.constantFrom('', 'accounting', 'sales; north, "east"', 'anna@corp.test', '@corp.test'),
  endsAt: fc.option(fc.integer({ min: NOW + 1, max: 8.64e15 })),
  note: text,
  source: text.filter((one) => one !== ''),
  who: text.filter((one) => one !== ''),
  at: fc.integer({ min: 0, max: NOW }),
})

const FORMS: [string, (rules: readonly Rule[]) => string, (text: string) => RuleFileReading][] = [
  ['CSV', writeCsv, readCsv],
  ['JSON', writeJson, readJson],
]

for (const [name, write, read] of FORMS) {
  t.test(`${name}: what is exported and imported is exported the same`, async (t) => {
    const folder = makeFolder(t)
    let number = 0
    const check = async (rules: (typeof rule extends fc.Arbitrary<infer R> ? R : never)[]): Promise<void> => {
      const landscapes = [1, 2].map(() => {
        const db = createDatabase(`${folder}/${number++}.db`, { busySeconds: 5 })
        return { db, landscape: new Landscape(db) }
      })
      const [from, to] = landscapes
      if (from === undefined || to === undefined) throw new Error('there are two')
      for (const { value, wide, effect, scope, endsAt, note, source, who, at } of rules) {
        const kind = value.includes('@') ? 'address' : 'domain'
        const subdomains = wide && kind === 'domain'
        const draft = { kind, value, subdomains, scope, effect, endsAt, note, source } as const
        try {
          from.landscape.add([draft], { who, at })
        } catch {
          // A block in the way keeps an allow out; the next one is as good.
        }
      }
      const before = write(from.landscape.list(NOW))
      const { entries, problems, comments } = read(before)
      t.strictSame([problems, comments], [[], []])
      const drafted = draftEntries(entries, CARRIER)
      t.strictSame([drafted.problems, drafted.ended], [[], 0])
      const drafts = drafted.carried.map(({ draft }) => draft)
      const foreseen = to.landscape.foresee(drafts, NOW)
      t.ok(foreseen.every(({ fate }) => fate === 'new'))
      to.landscape.add(drafts, { who: CARRIER.who, at: NOW })
      const after = write(to.landscape.list(NOW))
      for (const { db } of landscapes) db.close()
      if (after !== before) throw new Error(`${JSON.stringify(before)}\nbecame\n${JSON.stringify(after)}`)
    }
    await fc.assert(fc.asyncProperty(fc.array(rule, { maxLength: 12 }), check), { numRuns: 60 })
    t.pass()
  })
}

t.test('foresee says what add does', async (t) => {
  const folder = makeFolder(t)
  let number = 0
  const few = fc.record({
    value: fc.constantFrom('a.test', 'b.test', 'bob@a.test'),
    effect: fc.constantFrom('allow' as const, 'block' as const),
    scope: fc.constantFrom('', 'accounting'),
    subdomains: fc.boolean(),
    endsAt: fc.constantFrom(null, NOW + 10, NOW + 20),
  })
  const check = async (standing: object[], coming: object[]): Promise<void> => {
    const db = createDatabase(`${folder}/${number++}.db`, { busySeconds: 5 })
    const landscape = new Landscape(db)
    const actor = { who: 'anna', at: NOW }
    const drafts = [...standing, ...coming].map((one) => {
      const draft = one as { value: string }
      const kind = draft.value.includes('@') ? ('address' as const) : ('domain' as const)
      return {
        ...(one as { effect: 'allow'; scope: string; subdomains: boolean; endsAt: null }),
        ...draft,
        kind,
        source: 's',
        note: '',
      }
    })
    for (const draft of drafts.slice(0, standing.length)) {
      try {
        landscape.add([draft], actor)
      } catch {
        // One in the way keeps it out.
      }
    }
    const rest = drafts.slice(standing.length)
    const foreseen = landscape.foresee(rest, NOW).map(({ fate }) => fate)
    const done: string[] = []
    for (const draft of rest) {
      try {
        const [result] = landscape.add([draft], actor)
        done.push(result?.added !== true ? 'same' : result.replaced === undefined ? 'new' : 'replaces')
      } catch {
        done.push('blocked')
      }
    }
    db.close()
    t.strictSame(foreseen, done)
  }
  await fc.assert(fc.asyncProperty(fc.array(few, { maxLength: 6 }), fc.array(few, { maxLength: 8 }), check), {
    numRuns: 60,
  })
})
