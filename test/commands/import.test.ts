/** toeh import: all rules of a file or none, every fault by its place, and a look ahead that changes nothing. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  assertDone,
  assertRefused,
  type Lab,
  makeLab,
  type Outcome,
  outcomeOf,
  startToeh,
} from '../support/lab.js'

/** A file of the lab; its path. */
function put(lab: Lab, name: string, content: string | Buffer): string {
  const path = join(lab.dir, name)
  writeFileSync(path, content)
  return path
}

interface RuleRow {
  effect: string
  value: string
  subdomains: number
  scope: string
  note: string
  source: string
}

function live(lab: Lab): RuleRow[] {
  return lab.query<RuleRow>(
    'SELECT effect, value, subdomains, scope, note, source FROM rule WHERE revoked_at IS NULL ORDER BY value, effect',
  )
}

/** Faults in the file: 65, each on its own line of stderr in order, a last line that counts them; nothing changed. */
function assertFaults(t: Test, outcome: Outcome, faults: (string | RegExp)[]): void {
  t.equal(outcome.code, 65, outcome.stderr)
  const lines = outcome.stderr.trimEnd().split('\n')
  t.equal(lines.length, faults.length + 1, outcome.stderr)
  for (const [index, fault] of faults.entries()) t.match(lines[index], fault)
  t.match(lines.at(-1), `: ${faults.length} fault`)
  for (const line of lines) t.match(line, /^toeh: import /)
  t.notMatch(outcome.stderr, /\bat .*:\d+:\d+/, 'no stack trace')
}

t.test('CSV as people have it', async (t) => {
  const lab = makeLab(t, '[groups]\naccounting = ["anna@corp.test"]\n')
  const file = put(
    lab,
    'suppliers.csv',
    '\u{feff}value;note;effect;for;subdomains\r\n# the paper people\r\nAcme.test;;;;\r\n' +
      'bob@b\u{fc}cher.test;"one; ""two""";allow;accounting;no\r\nevil.test;;block;;yes\r\n',
  )
  assertDone(t, await lab.toeh('import', file), /^3 rules added\n$/)
  const same = { scope: '', subdomains: 0, note: '', source: 'import suppliers.csv' }
  t.strictSame(
    live(lab).map((row) => ({ ...row })),
    [
      { effect: 'allow', value: 'acme.test', ...same, note: 'the paper people' },
      { effect: 'allow', value: 'bob@xn--bcher-kva.test', ...same, scope: 'accounting', note: 'one; "two"' },
      { effect: 'block', value: 'evil.test', ...same, subdomains: 1 },
    ].map(({ effect, value, subdomains, scope, note, source }) => ({
      effect,
      value,
      subdomains,
      scope,
      note,
      source,
    })),
  )
  assertDone(t, await lab.toeh('import', file), '0 rules added\n= 3 rules already there\n')
})

t.test('a list on standard input, with what the options add', async (t) => {
  const lab = makeLab(t)
  const list = put(lab, 'list', '# alone\n\na.test\nbob@b.test\n')
  const through = ['sh', '-c', `exec "$@" < ${list}`, 'sh']
  const outcome = await outcomeOf(
    startToeh(
      lab.config,
      ['import', '-', '--for', '@corp.test', '--note', 'fair', '--until', '30d'],
      through,
    ),
  )
  assertDone(t, outcome, '2 rules added\n1 comment not kept, without a rule to note it: line 1\n')
  t.match(live(lab), [
    { value: 'a.test', scope: '@corp.test', note: 'fair', source: 'import -' },
    { value: 'bob@b.test', scope: '@corp.test', note: 'fair' },
  ])
  t.strictSame(lab.query('SELECT count(*) AS n FROM rule WHERE ends_at > 0'), [{ n: 2 }])
})

t.test('vCard: each address with the name of its card', async (t) => {
  const lab = makeLab(t)
  const card = (...lines: string[]): string => ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')
  const good =
    card('VERSION:3.0', 'FN:Anna Dupont', 'item1.EMAIL;type=INTERNET:Anna@Dupont.test', 'EMAIL:a@gmail.com') +
    card('VERSION:4.0', 'FN:Bob', 'TEL:1')
  assertDone(t, await lab.toeh('import', put(lab, 'book.vcf', good)), '2 rules added\n')
  t.match(live(lab), [
    { value: 'a@gmail.com', note: 'Anna Dupont', source: 'import book.vcf' },
    { value: 'anna@dupont.test', note: 'Anna Dupont' },
  ])
  const bad =
    card('VERSION:3.0', 'FN:Carl', 'EMAIL:carl@localhost') + card('VERSION:2.1', 'FN:Dora', 'EMAIL:d@d')
  const before = lab.databaseDigest()
  assertFaults(t, await lab.toeh('import', put(lab, 'bad', bad), '--format', 'vcf'), [
    /card 1 \(Carl\): allow "carl@localhost": it is no plain address \(single-label domain\)/,
    /card 2 \(Dora\): allow "d@d": it is no plain address/,
  ])
  t.equal(lab.databaseDigest(), before)
})

t.test('every fault is said, by line, and nothing is done', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('block', 'evil.test')
  const file = put(
    lab,
    'bad.csv',
    'value,effect,for,until,note\nfine.test,,,,\nevil.test,,,,\nco.uk,,,,\ngmail.com,,,,\nknown,,,,\n' +
      'a.test,maybe,,,\na.test,,nobody,,\na.test,,,2020-01-01,\nb.test,,,,"x"y\nc.test,,,,,more\n' +
      'd.test,block,,,\nd.test,,,,\ne\u{1b}[31m.test,,,,\n',
  )
  const before = lab.databaseDigest()
  const faults = [
    /bad\.csv line 3: allow evil\.test: rule 1 blocks it; toeh revoke evil\.test first, if you are sure$/,
    /line 4: allow "co\.uk": it is a public suffix/,
    /line 5: allow "gmail\.com": it is a freemail domain.*--force$/,
    /line 6: allow "known": it is neither an address nor a domain/,
    /line 7: effect "maybe": it is neither allow nor block/,
    /line 8: allow --for "nobody": there is no such group/,
    /line 9: until "2020-01-01": that day has passed/,
    /line 10: a quote stands where none may/,
    /line 11: it has 6 fields, the header names 5/,
    /line 13: allow d\.test: line 12 blocks it$/,
    /line 14: allow "e\\u001b\[31m\.test": /,
  ]
  const outcome = await lab.toeh('import', file)
  assertFaults(t, outcome, faults)
  t.equal(outcome.stdout, '')
  const ahead = await lab.toeh('import', file, '--dry-run')
  assertFaults(t, ahead, faults)
  t.match(ahead.stdout, '+ allow fine.test  (line 2)\n')
  t.equal(lab.databaseDigest(), before, 'nothing is changed')
  t.strictSame(lab.query('SELECT count(*) AS n FROM rule'), [{ n: 1 }])
  t.strictSame(lab.query('SELECT count(*) AS n FROM audit'), [{ n: 1 }])
})

t.test('a freemail domain with --force, a public suffix never', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('import', put(lab, 'a.csv', 'gmail.com\n'), '--force'), '1 rule added\n')
  assertFaults(t, await lab.toeh('import', put(lab, 'b.csv', 'co.uk\n'), '--force'), [
    /line 1: .*public suffix/,
  ])
})

t.test('--dry-run shows the difference and changes nothing', async (t) => {
  const lab = makeLab(t)
  await lab.allow('a.test', 'b.test')
  const file = put(
    lab,
    'new.csv',
    'value,subdomains,until\na.test,,\nb.test,yes,\nc.test,,\nc.test,yes,\nd.test,,2001-01-01T00:00:00Z\n',
  )
  const before = lab.snapshot()
  assertDone(
    t,
    await lab.toeh('import', file, '--dry-run'),
    [
      '~ allow b.test with subdomains  (line 3), in place of rule 2: allow b.test',
      '+ allow c.test  (line 4)',
      '~ allow c.test with subdomains  (line 5), in place of line 4',
      '= 1 rule already there',
      '1 rule of the file left out, because the time has come',
      '',
    ].join('\n'),
  )
  const { stdout } = await lab.toeh('import', file, '--dry-run', '--json')
  const ahead = JSON.parse(stdout)
  t.match(ahead, { dryRun: true, same: 1, ended: 1, comments: [], problems: [] })
  t.strictSame(
    ahead.changes.map(({ fate, where }: { fate: string; where: string }) => `${fate} ${where}`),
    ['replaces line 3', 'new line 4', 'replaces line 5'],
  )
  t.strictSame(lab.snapshot(), before, 'not a byte')
  assertDone(
    t,
    await lab.toeh('import', file),
    /^3 rules added, 2 of them in place of another\n= 1 rule already/,
  )
  assertDone(t, await lab.toeh('import', put(lab, 'empty.csv', ''), '--dry-run'), 'nothing would change\n')
})

for (const name of ['rules.csv', 'rules.json']) {
  t.test(`${name}: into an empty landscape and out again it is the same`, async (t) => {
    const settings = '[groups]\naccounting = ["anna@corp.test"]\n'
    const [from, to] = [makeLab(t, settings), makeLab(t, settings)]
    await from.allow('b.test', 'a.test', "o'neil@a.test")
    await from.toeh('allow', 'a.test', '--for', 'accounting', '--until', '2099-12-31', '--note', '=1+1, "x"')
    await from.toeh('block', 'evil.test', '--subdomains', '--note', ' # no\r\nnever\n')
    await from.toeh('block', 'b.test')
    const file = join(from.dir, name)
    await from.toeh('export', file)
    assertDone(t, await to.toeh('import', file), '6 rules added\n')
    const format = name.slice('rules.'.length)
    t.equal(
      (await to.toeh('export', '--format', format)).stdout,
      (await from.toeh('export', '--format', format)).stdout,
    )
    const audit = to.query<{ who: string; now: string; at: number }>(
      'SELECT who, now, at FROM audit ORDER BY id',
    )
    t.equal(audit.length, 6)
    t.equal(audit[0]?.now, 'allow a.test, as test added it at 1970-01-01T00:00:00.001Z')
    t.not(audit[0]?.who, 'test', 'the audit says who carried it in')
    t.ok((audit[0]?.at ?? 0) > Date.UTC(2020), 'and when')
  })
}

t.test('files that are none of these', async (t) => {
  const lab = makeLab(t)
  assertRefused(
    t,
    await lab.toeh('import', join(lab.dir, 'no.csv')),
    66,
    /no\.csv: no such file or directory/,
  )
  assertRefused(t, await lab.toeh('import', lab.dir), 66, /illegal operation on a directory/)
  const latin = put(lab, 'latin.csv', Buffer.from('value;note\na.test;caf\xe9\n', 'latin1'))
  assertRefused(
    t,
    await lab.toeh('import', latin),
    65,
    /latin\.csv: it is not UTF-8; spreadsheets save that as/,
  )
  assertFaults(t, await lab.toeh('import', put(lab, 'a.json', '[{"value":"a.test","nots":1}]')), [
    /entry 1: unknown key "nots"/,
  ])
  assertFaults(t, await lab.toeh('import', put(lab, 'b.json', '{')), [/file: it is no JSON: /])
  assertFaults(t, await lab.toeh('import', put(lab, 'c.csv', 'Company,Effect\nA,a@a.test\n')), [
    /line 1: unknown column "company", the first line names the columns/,
  ])
  const good = put(lab, 'good.csv', 'a.test\n')
  assertRefused(t, await lab.toeh('import', good, '--for', 'nobody'), 2, /there is no such group/)
  assertRefused(t, await lab.toeh('import', good, '--until', 'soon'), 2, /it is no date/)
  assertRefused(t, await lab.toeh('import', good, '--format', 'xlsx'), 2, /Invalid values/)
  assertRefused(t, await lab.toeh('import', ''), 2, /which file\?/)
  assertRefused(t, await lab.toeh('import'), 2, /something is missing: it is toeh import <file>/)
})

t.test('one bad card is no reason to refuse the others', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('block', 'x@blocked.test')
  const card = (name: string, mail: string): string =>
    `BEGIN:VCARD\r\nVERSION:2.1\r\nFN:${name}\r\nTEL;CELL:1\r\n${mail}\r\nEND:VCARD\r\n`
  const cards = Array.from({ length: 30 }, (_, i) => card(`Nr ${i}`, `EMAIL;INTERNET:p${i}@firm.test`))
  cards[3] = card('Bad', 'EMAIL:nobody')
  cards[4] = card('Blocked', 'EMAIL:x@blocked.test')
  cards[5] = card('Ex', 'EMAIL;TYPE=EX:/o=A/cn=b')
  const book = put(lab, 'book.vcf', cards.join('\ufeff'))
  const before = lab.databaseDigest()
  assertFaults(t, await lab.toeh('import', book), [
    /card 4 \(Bad\): allow "nobody"/,
    /card 5 \(Blocked\): .*blocks it/,
  ])
  assertFaults(t, await lab.toeh('import', book, '--dry-run'), [/card 4/, /card 5/])
  t.equal(lab.databaseDigest(), before)
  const look = await lab.toeh('import', book, '--dry-run', '--skip-faults')
  t.equal(look.code, 0, look.stderr)
  t.equal(lab.databaseDigest(), before)
  const taken = await lab.toeh('import', book, '--skip-faults')
  t.equal(taken.code, 0, taken.stderr)
  t.match(taken.stderr, /^toeh: import \S+ card 4 [^\n]+\ntoeh: import \S+ card 5 [^\n]+\n$/)
  t.match(
    taken.stdout,
    /^27 rules added\n1 address left out, known to Exchange alone: card 6 \(Ex\)\n2 faults skipped\n$/,
  )
  t.equal(live(lab).length, 28)
  const json = JSON.parse((await lab.toeh('import', book, '--skip-faults', '--json')).stdout)
  t.match(json, {
    added: [],
    same: 27,
    problems: [{ where: 'card 4 (Bad)' }, {}],
    left: [{ where: 'card 6 (Ex)' }],
  })
  const none = await lab.toeh('import', put(lab, 'none.vcf', cards[3] ?? ''), '--skip-faults')
  assertFaults(t, none, [/card 1 \(Bad\)/])
})

t.test('what other programs export, in their encodings', async (t) => {
  const lab = makeLab(t)
  const outlook = 'sep=;\r\nPrénom;Nom;Adresse de messagerie\r\nZoë;Léger;zoe@a.test\r\n'
  const swapped = Buffer.from(`\ufeff${outlook}`, 'utf16le').swap16()
  const files: [name: string, content: Buffer][] = [
    ['utf8', Buffer.from(outlook)],
    ['windows', Buffer.from(outlook, 'latin1')],
    ['utf16', Buffer.from(`\ufeff${outlook}`, 'utf16le')],
    ['bare', Buffer.from(outlook, 'utf16le')],
    ['big', swapped],
  ]
  for (const [name, content] of files) {
    const path = put(lab, `${name}.csv`, content)
    const outcome = await lab.toeh('import', path, '--dry-run')
    assertDone(t, outcome, '+ allow zoe@a.test')
    t.match(outcome.stdout, '\naddresses from "Adresse de messagerie"\n')
  }
  assertDone(t, await lab.toeh('import', join(lab.dir, 'windows.csv')), /^1 rule added/)
  t.match(live(lab), [{ note: 'Zoë Léger' }])
  const list = put(lab, 'erp.csv', 'Nr;Firma;Web\n1;Durand;durand.test\n')
  assertDone(t, await lab.toeh('import', list, '--column', 'web'), /^1 rule added\naddresses from "Web"\n$/)
  assertFaults(t, await lab.toeh('import', list, '--column', 'mail'), [
    /no column is named "mail"; there are "Nr", "Firma"/,
  ])
  const book = put(lab, 'x.vcf', 'BEGIN:VCARD\nEND:VCARD\n')
  assertRefused(t, await lab.toeh('import', book, '--column', 'a'), 2, /--column: only a table has columns/)
  const pasted = put(lab, 'to.txt', 'To: Anna <anna@p.test>, bob@p.test\n')
  assertDone(t, await lab.toeh('import', pasted), /^2 rules added\n$/)
})

t.test('--sync: what has gone from the list ends, and nothing else', async (t) => {
  const lab = makeLab(t)
  await lab.allow('by-hand.test')
  await lab.toeh('allow', 'both.test')
  const names = Array.from({ length: 20 }, (_, i) => `s${i}.test`)
  let lists = 0
  const list = (...values: string[]): string =>
    put(lab, `erp${lists++}.csv`, `value,source\n${values.map((one) => `${one},x\n`).join('')}`)
  const sync = (path: string, ...more: string[]) => lab.toeh('import', path, '--sync', 'erp', ...more)
  const full = list(...names, 'both.test')
  assertDone(t, await sync(full), /^20 rules added, 0 ended\n= 1 rule already there\n$/)
  t.match(live(lab).find(({ value }) => value === 's3.test')?.source, /^sync erp$/)
  const audited = lab.query('SELECT count(*) AS n FROM audit')
  assertDone(t, await sync(full), /^0 rules added, 0 ended\n= 21 rules already there\n$/)
  t.strictSame(lab.query('SELECT count(*) AS n FROM audit'), audited, 'done twice it is done once')

  const two = list(...names.slice(2), 'new.test')
  const before = lab.databaseDigest()
  assertDone(t, await sync(two, '--dry-run'), /^- allow s0\.test\n- allow s1\.test\n\+ allow new\.test /)
  t.equal(lab.databaseDigest(), before)
  assertDone(t, await sync(two), /^- allow s0\.test\n- allow s1\.test\n1 rule added, 2 ended\n/)
  const values = () => live(lab).map(({ value }) => value)
  t.notOk(values().includes('s0.test'))
  for (const other of ['by-hand.test', 'both.test']) t.ok(values().includes(other), other)
  t.match(lab.query("SELECT what, subject FROM audit WHERE what = 'revoke'"), [
    { subject: 's0.test' },
    { subject: 's1.test' },
  ])

  // Cut off, empty, faulty: nothing is changed.
  const stands = lab.databaseDigest()
  const cut = list(...names.slice(2, 12))
  assertRefused(
    t,
    await sync(cut),
    65,
    /erp\d\.csv: 9 of 19 rules are not in it any more; .*--at-most 48 lets them end/,
  )
  const look = await sync(cut, '--dry-run')
  t.equal(look.code, 65)
  t.match(look.stdout, /^- allow new\.test\n/, 'what would end is shown')
  for (const [name, content] of [
    ['empty.csv', ''],
    ['header.csv', 'value,note\n'],
    ['comments.csv', '# nothing\n'],
  ] as const) {
    const outcome = await sync(put(lab, name, content), '--at-most', '100')
    assertRefused(t, outcome, 65, /there is no rule in it, so it is no list to go by; nothing was changed/)
  }
  assertFaults(t, await sync(list(...names, 'bad')), [/allow "bad"/])
  t.equal(lab.databaseDigest(), stands)
  assertDone(t, await sync(cut, '--at-most', '48'), /\n0 rules added, 9 ended\n/)
  t.equal(values().length, 12)

  // Another source's rule that the list would widen stays, one of its own is narrowed.
  const wide = put(
    lab,
    'wide.csv',
    `value,subdomains\nboth.test,yes\n${names
      .slice(2, 12)
      .map((one) => `${one},yes\n`)
      .join('')}`,
  )
  assertDone(
    t,
    await sync(wide),
    /\n1 rule of the file left out:\n {2}line 2: rule \d+ of another source stays as it is\n/,
  )
  t.strictSame(live(lab).filter(({ subdomains }) => subdomains === 1).length, 10)
  assertDone(t, await sync(cut), /10 rules added, 10 ended\n/)
  t.strictSame(live(lab).filter(({ subdomains }) => subdomains === 1).length, 0)
  // A block by one's own list in place of its allow.
  const turned = put(
    lab,
    'turned.csv',
    `value,effect\ns2.test,block\n${names
      .slice(3, 12)
      .map((one) => `${one},\n`)
      .join('')}`,
  )
  assertDone(t, await sync(turned), /^- allow s2\.test\n1 rule added, 1 ended\n/)
  assertDone(t, await sync(cut), /^- block s2\.test\n1 rule added, 1 ended\n/)
  const json = JSON.parse((await sync(cut, '--json')).stdout)
  t.match(json, { added: [], revoked: [], kept: [], same: 10 })
})

t.test('--sync: wrong usage', async (t) => {
  const lab = makeLab(t)
  const path = put(lab, 'a.csv', 'a.test\n')
  const table: [args: string[], line: RegExp][] = [
    [['--sync', 'a b'], /--sync "a b": a name has letters/],
    [['--at-most', '5'], /--at-most: it is a whole number from 0 to 100, and goes with --sync/],
    [['--sync', 'a', '--at-most', '101'], /--at-most: it is a whole number/],
    [['--sync', 'a', '--at-most', 'x'], /--at-most: it is a whole number/],
    [['--sync', 'a', '--skip-faults'], /--skip-faults: what has a fault would count as gone/],
  ]
  for (const [args, line] of table) assertRefused(t, await lab.toeh('import', path, ...args), 2, line)
  t.strictSame(live(lab), [])
})

t.test('an LDAP export, of suppliers that are the truth', async (t) => {
  const lab = makeLab(t)
  const ldif = put(
    lab,
    'partners.ldif',
    'version: 1\n\ndn: cn=Anna,dc=a\ncn: Anna\nmail:: YW5uYUBhLnRlc3Q=\n\ndn: cn=B\nmail: b@\n a.test\n',
  )
  assertDone(t, await lab.toeh('import', ldif, '--sync', 'ldap'), /^2 rules added, 0 ended\n$/)
  t.match(live(lab), [
    { value: 'anna@a.test', note: 'Anna', source: 'sync ldap' },
    { value: 'b@a.test', source: 'sync ldap' },
  ])
  assertFaults(t, await lab.toeh('import', put(lab, 'x.ldif', 'dn: a\nmail\n')), [
    /line 2: it is no line of LDIF/,
  ])
})
