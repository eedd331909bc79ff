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
  assertRefused(t, await lab.toeh('import'), 2, /Not enough non-option arguments/)
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
