/** The page: whatever mail has brought, its elements are the same; it is one file that asks the network for nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FigureCount, sumUp } from '../../lib/report/figures.js'
import { drawPage } from '../../lib/report/page.js'
import { ROOT } from '../support/lab.js'

const NOW = new Date(2026, 10, 24, 12).getTime()
const DAY = 86_400_000

/** A page on which each text that can come from outside is this one. */
function pageWith(text: string, mode: 'enforce' | 'observe' = 'enforce'): string {
  const count = new FigureCount(NOW - 10 * DAY, NOW)
  const recipients = [
    { to: text, verdict: 'hold', reason: 'unknown', did: 'held' },
    { to: 'c@client.test', verdict: 'pass', reason: text, did: 'passed' },
  ]
  count.add({ at: new Date(NOW - 3 * DAY).toISOString(), queueId: text, sender: text, recipients })
  const [heldAt, expiresAt] = [NOW - 3 * DAY, NOW + DAY]
  const settled = [{ state: 'released', heldAt, changedAt: heldAt + 1000 }]
  const waits = [{ address: text, reason: text }]
  const waiting = [{ id: text, sender: text, size: 1, heldAt, expiresAt, recipients: [...waits, ...waits] }]
  const rules = [{ effect: 'block' as const, value: text, addedBy: text, from: NOW - DAY, to: null }]
  return drawPage(count.figures(settled, sumUp(waiting, NOW), rules, new Map([[text, text]])), text, mode)
}

/** The tags of a document with their attributes, in order. */
function tagsOf(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? []
}

const HOSTILE = [
  '<script>alert(1)</script>@a.test',
  '"><img src=x onerror=alert(1)>@a.test',
  "' onmouseover='alert(1)",
  '</title></style></svg><base href="http://evil.test/">',
  '<!-- -->&lt;&#60;script&#62;',
  ']]><![CDATA[',
  '\u{202e}fdp.exe\u{200b}\u{7}\u{1b}[31m\0',
  '\u{d800}x@a.test',
  '',
]

t.test('no text makes, ends or changes an element', (t) => {
  const plain = tagsOf(pageWith('plain'))
  t.ok(plain.length > 200, 'there is something to compare')
  for (const text of HOSTILE) {
    const page = pageWith(text)
    // A place to break a line is before each @, and an address has one.
    const tags = tagsOf(page).filter((tag) => tag !== '<wbr>')
    const wanted = plain.filter((tag) => tag !== '<wbr>')
    t.strictSame(tags, wanted, JSON.stringify(text).replace(/[^ -~]/g, '?'))
    t.notMatch(page, /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]/, 'nothing that hides')
    t.notMatch(page, /\p{Cs}/u, 'no half of a character')
  }
  t.match(pageWith('\u{202e}x@a.test'), '\\u{202e}x<wbr>@a.test')
  t.match(pageWith('<b>@a.test'), '&lt;b&gt;<wbr>@a.test')
  t.end()
})

t.test('every element that is opened is closed, in order', (t) => {
  const open: string[] = []
  for (const tag of tagsOf(pageWith('x@a.test').replace(/<style>.*?<\/style>/s, ''))) {
    const [, end, name = '', own] = /^<(\/?)(!?[a-z0-9]+)[^>]*?(\/?)>$/.exec(tag) ?? []
    if (['!doctype', 'meta', 'wbr'].includes(name) || own === '/') continue
    if (end === '/') t.equal(open.pop(), name, tag)
    else open.push(name)
  }
  t.strictSame(open, [])
  t.end()
})

t.test('one file: no script, no link, nothing from the network', (t) => {
  const page = pageWith('x@a.test')
  t.notMatch(page, /<script|<link|<img|<a |\bon[a-z]+=|url\(|@import|https?:/i)
  t.match(page, `content="default-src 'none'; style-src 'unsafe-inline'"`)
  t.match(page, '@media (prefers-color-scheme: dark)')
  t.match(page, '@media print')
  t.match(page, '<meta name="viewport"')
  t.end()
})

t.test('what it says', (t) => {
  const page = pageWith('x@a.test')
  t.match(page, /<b>1<\/b><span>passed, of 1 message</)
  t.match(page, /<b>1<\/b><span>held, 50\.0 % of all</)
  t.match(page, /<b>1<\/b><span>waits now, the oldest for 3d</)
  t.match(page, 'Half were released within 1s, nine of ten within 1s.')
  t.match(page, '2026-11-21: 1 passed, of 1 message')
  t.match(page, 'and 1 more')
  t.match(pageWith('x@a.test', 'observe'), 'TOEH observes: everything passes.')
  const empty = drawPage(
    new FigureCount(NOW - DAY, NOW).figures([], sumUp([], NOW), []),
    'corp.test',
    'enforce',
  )
  for (const words of ['Nothing.', 'None.', "Nobody's.", 'Nothing was released', 'No verdict yet.'])
    t.match(empty, words)
  t.end()
})

t.test('a year is drawn by the week, and no message is lost by it', (t) => {
  const count = new FigureCount(NOW - 365 * DAY, NOW)
  for (let age = 0; age < 365; age++) {
    const recipients = [{ to: 'c@client.test', verdict: 'pass', reason: 'allowed', did: 'passed' }]
    count.add({ at: new Date(NOW - age * DAY).toISOString(), queueId: `${age}`, sender: '', recipients })
  }
  const page = drawPage(count.figures([], sumUp([], NOW), []), 'corp.test', 'enforce')
  t.match(page, 'Mail per week')
  const counts = [...page.matchAll(/<title>the week from [-0-9]+: ([0-9]+) passed,/g)].map(([, n]) =>
    Number(n),
  )
  t.ok(counts.length > 50 && counts.length < 54)
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    365,
  )
  t.end()
})

t.test('the pictures in the documents are small', (t) => {
  for (const name of ['report-desk.png', 'report-phone.png']) {
    const bytes = readFileSync(join(ROOT, 'docs', name))
    t.ok(bytes.length < 100_000, `${name}: ${bytes.length}`)
    t.equal(bytes.subarray(1, 4).toString(), 'PNG')
  }
  t.end()
})
