/** DKIM: which signatures have an end, and what is said of them. */
import t from 'tap'
import { lapsedAt, signatureEnds, signatureLines } from '../../lib/mail/dkim.js'
import { headerFields } from '../../lib/mail/header.js'

/** As they stand in a message. */
function endsIn(...lines: string[]): [domain: string, endsAt: number][] {
  const { fields } = headerFields(
    Buffer.from(`${lines.join('\n')}\n\nDKIM-Signature: v=1; d=body.test; x=1\n`),
  )
  return signatureEnds(fields).map(({ domain, endsAt }) => [domain, endsAt])
}

t.test('which signatures have an end', (t) => {
  const cases: [line: string, ends: [string, number][]][] = [
    ['DKIM-Signature: v=1; a=rsa-sha256; d=corp.test; t=90; x=100; b=AB', [['corp.test', 100_000]]],
    ['dkim-signature :v=1;d=corp.test;x=100;', [['corp.test', 100_000]]],
    ['DKIM-Signature: v=1;\n\td = corp.test ;\n x\n =\n\t100\n ;', [['corp.test', 100_000]]],
    ['DKIM-Signature: x=0; d=corp.test', [['corp.test', 0]]],
    ['DKIM-Signature: x=0000000000100', []],
    ['DKIM-Signature: x=000000000100', [['', 100_000]]],
    ['DKIM-Signature: d=corp.test; x=999999999999', [['corp.test', 999_999_999_999_000]]],
    ['DKIM-Signature: d=corp.test; x=1000000000000', []],
    [`DKIM-Signature: d=corp.test; x=${'9'.repeat(400)}`, []],
    ['DKIM-Signature: v=1; d=corp.test; b=AB', []],
    ['DKIM-Signature: d=corp.test; x=', []],
    ['DKIM-Signature: d=corp.test; x=-5', []],
    ['DKIM-Signature: d=corp.test; x=1e3', []],
    ['DKIM-Signature: d=corp.test; x=12\n 34', []],
    ['DKIM-Signature: d=corp.test; x=\u0661\u0662', []],
    // A tag is written as it is defined, and stands once; else it is no list of tags.
    ['DKIM-Signature: d=corp.test; X=100', []],
    ['DKIM-Signature: d=corp.test; x=100; x=200', []],
    ['DKIM-Signature: d=corp.test; x=100; nonsense', []],
    ['DKIM-Signature: d=corp.test;; x=100', []],
    ['DKIM-Signature: d=corp.test; z=Subject:a=20b|x=20; x=100', [['corp.test', 100_000]]],
    ['DKIM-Signature: d=c\u{1b}[2J\u{202e}.test; x=100', [['c\\u{1b}[2J\\u{202e}.test', 100_000]]],
    [`DKIM-Signature: d=${'a'.repeat(300)}; x=100`, [[`${'a'.repeat(253)}…`, 100_000]]],
    ['DKIM-Signature:', []],
    ['X-DKIM-Signature: d=corp.test; x=100', []],
    ['Subject: DKIM-Signature: d=corp.test; x=100', []],
    [
      'DKIM-Signature: d=one.test; x=2\nSubject: x\nDKIM-Signature: d=two.test; x=1',
      [
        ['one.test', 2000],
        ['two.test', 1000],
      ],
    ],
  ]
  for (const [line, ends] of cases) t.strictSame(endsIn(line), ends, line)
  t.equal(endsIn(...Array(500).fill('DKIM-Signature: d=corp.test; x=100')).length, 20)
  t.end()
})

t.test('what is said of them', (t) => {
  const at = (endsAt: number) => [{ domain: 'corp.test', endsAt }]
  const lines = (endsAt: number): string[] => signatureLines(at(endsAt), 1000, 2000)
  t.match(lines(999), [/^the DKIM signature of corp\.test ran out on 1970-/])
  t.match(lines(1000), [/ran out/])
  t.match(lines(1001), [
    /^the DKIM signature of corp\.test runs out on 1970-.*, before the message expires here$/,
  ])
  t.match(lines(2000), [/runs out/])
  t.strictSame(lines(2001), [])
  t.strictSame(lapsedAt(at(1000), 1000), at(1000))
  t.strictSame(lapsedAt(at(1001), 1000), [])
  t.end()
})
