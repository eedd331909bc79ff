/** The letter: each fact stands in the text and in the HTML, and whatever mail has brought, the elements are the same. */

import t from 'tap'
import type { UsedNeighbour } from '../../lib/nearmiss/nearmiss.js'
import {
  letterHtml,
  letterText,
  type NoticeKind,
  type NoticeMessage,
  type NoticeRequest,
} from '../../lib/notice/render.js'

process.env.TZ = 'UTC'

const KINDS: NoticeKind[] = ['sender', 'reminder', 'approver', 'automatic', 'expired', 'released', 'rejected']

function neighbour(text: string): UsedNeighbour {
  return {
    value: text,
    kind: 'domain',
    likeness: 'looks the same',
    uses: { messages: 214, since: '2024-03', last: '2026-11-20' },
    history: { addedBy: text, addedAt: Date.UTC(2026, 2, 2), source: text, note: text },
    thisOne: {
      value: text,
      released: 1,
      lastReleasedAt: Date.UTC(2026, 2, 3),
      revokedBy: text,
      revokedAt: 0,
      uses: null,
    },
  }
}

/** A message in which each text that can come from outside is this one. */
function messageOf(text: string): NoticeMessage {
  const near = { address: text, reason: 'unknown', detail: text, nearMisses: [neighbour(text)] }
  return {
    id: '7k3m9x2p4q5r',
    sender: text,
    subject: text,
    messageId: text,
    size: 25_000,
    heldAt: Date.UTC(2026, 10, 24, 8, 12),
    expiresAt: Date.UTC(2026, 11, 8, 8, 12),
    recipients: [near, { address: text, reason: 'refused', detail: text }],
    enclosures: { list: [{ name: text, size: 1200 }], whole: false },
  }
}

function request(some: Partial<NoticeRequest>): NoticeRequest {
  const rest = { from: 'toeh@corp.test', to: ['x@corp.test'], approvers: ['boss@corp.test'] }
  return { kind: 'approver', language: 'en', messages: [messageOf('plain')], ...rest, ...some }
}

/** Tags with their attributes, but for places where a line may break. */
function tagsOf(html: string): string[] {
  return (html.match(/<[^>]*>/g) ?? []).filter((tag) => tag !== '<wbr>')
}

/** As a reader sees it: no style, no markup, entities resolved. */
function readingOf(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return html
    .replace(/^[\s\S]*<\/head>/, '')
    .replace(/<wbr>|<\/?(?:bdi|b|span)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, '\n')
    .replace(/&(#?\w+);/g, (_, name: string) => entities[name] ?? '?')
}

const HOSTILE = [
  '<script>alert(1)</script>@a.test',
  '"><img src=http://evil.test/x.png onerror=alert(1)>@a.test',
  "' onmouseover='alert(1)",
  '</title></style></bdi></td></table><base href="http://evil.test/">',
  '<!-- -->&lt;&#60;script&#62;',
  '\u{202e}fdp.exe\u{200b}\u{7}\u{1b}[31m\0',
  'a\r\nBcc: x@evil.test\r\n\r\nrelease\r\n',
  '\u{d800}x@a.test',
  'https://evil.test/?a=1&b=2',
  '',
]

t.test('no text makes, ends or changes an element, or hides', (t) => {
  for (const kind of KINDS) {
    for (const language of ['en', 'fr'] as const) {
      const plain = tagsOf(letterHtml(request({ kind, language })))
      t.ok(plain.length > (kind === 'automatic' ? 25 : 60), 'there is something to compare')
      for (const text of HOSTILE) {
        const hostile = request({ kind, language, messages: [messageOf(text)] })
        const what = `${kind} ${language} ${JSON.stringify(text).replace(/[^ -~]/g, '?')}`
        const html = letterHtml(hostile)
        t.strictSame(tagsOf(html), plain, what)
        for (const shown of [html, letterText(hostile)]) {
          t.notMatch(shown, /[\0-\x09\x0b-\x1f\x7f-\x9f]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, what)
          t.notMatch(shown, /^\s*(?:release|Bcc:.*)$/m, `${what}: no line of its own`)
        }
      }
    }
  }
  t.end()
})

t.test('it asks the network for nothing and leads nowhere', (t) => {
  for (const kind of KINDS) {
    const html = letterHtml(request({ kind }))
    t.notMatch(html, /<(?:a|img|script|link|iframe|object|form|base|svg|video|audio)\b/i, kind)
    t.notMatch(html, /\b(?:href|src|srcset|action|background|on\w+)\s*=/i, kind)
    t.notMatch(html, /url\(|@import|@font-face|https?:|\/\//i, kind)
  }
  t.end()
})

t.test('what the text says, the HTML says', (t) => {
  for (const kind of KINDS) {
    for (const language of ['en', 'fr'] as const) {
      const asked = request({ kind, language })
      const reading = readingOf(letterHtml(asked)).replace(/\s+/g, ' ')
      const lines = letterText(asked)
        .split('\n')
        .map((line) => line.trim())
        // The facts have a label before them, and the two sides stand in a table.
        .map((line) => line.replace(/^[\p{L} ]+\u{a0}?:(?: +|$)/u, ''))
        .filter((line) => line !== '' && !/^(?:looks like|known|ressemble|connu)/.test(line))
        .filter((line) => !/^(?:plain \(looks|plain \(m|plain \(214)/.test(line))
      t.ok(lines.length >= (kind === 'automatic' ? 3 : 8))
      for (const line of lines)
        t.ok(reading.includes(line.replace(/\s+/g, ' ')), `${kind} ${language}: ${line}`)
    }
  }
  t.end()
})

t.test('whom a sender can ask', (t) => {
  const decision = { who: 'marie\u{202e}', at: 0, note: 'no\u{200b}' }
  const cases: [Partial<NoticeRequest>, RegExp][] = [
    [{ kind: 'rejected' }, /^If you have questions: boss@corp\.test$/m],
    [{ kind: 'expired', contact: 'Marie, 214' }, /^If you have questions: Marie, 214$/m],
    [{ kind: 'expired', approvers: [] }, /^If you have questions, ask your mail administrator\.$/m],
    [
      { kind: 'sender', contact: 'Marie, 214' },
      /boss@corp\.test can release it[\s\S]*^If you have questions: Marie, 214$/m,
    ],
    [
      { kind: 'rejected', decision },
      /^Rejected by marie\S*202e\S* on 1 January 1970[^\n]*\nReason: no\S*200b/im,
    ],
    [{ kind: 'rejected', decision: { ...decision, note: '' } }, /1970 at 00:00\.\n\nIf you/],
  ]
  for (const [some, says] of cases) {
    t.match(letterText(request(some)), says)
    const html = readingOf(letterHtml(request(some)))
    for (const line of letterText(request(some)).trim().split('\n').slice(-2)) t.ok(html.includes(line), line)
  }
  t.notMatch(letterText(request({ kind: 'approver', contact: 'Marie, 214' })), 'Marie')
  t.end()
})

t.test('a near miss: the two names under one another', (t) => {
  const recipients = [
    { address: 'x@suppl1er.test', reason: 'unknown', detail: '', nearMisses: [neighbour('supplier.test')] },
  ]
  const html = letterHtml(request({ messages: [{ ...messageOf('a'), recipients }] }))
  const near = readingOf(html.slice(html.indexOf('<div class="near">')))
  t.match(near, /looks like: supplier\.test \(looks the same\)/)
  t.match(
    near.replace(/\n+/g, '\n'),
    'this one\nsupplier.test\nreleased once, on 2026-03-03, revoked by supplier.test on 1970-01-01\nknown\nsupplier.test\n214 messages since March 2024',
  )
  t.end()
})

t.test('attachments', (t) => {
  const shown = (list: { name: string; size: number }[], whole: boolean): string | undefined => {
    const messages = [{ ...messageOf('a'), enclosures: { list, whole } }]
    return /^ {2}Attachments: (.*)$/m.exec(letterText(request({ messages })))?.[1]
  }
  t.equal(shown([], true), 'none')
  t.equal(shown([], false), '(not all of them could be looked at)')
  t.equal(shown([{ name: 'IBAN new.pdf', size: 25_000 }], true), 'IBAN new.pdf (24k)')
  t.equal(
    shown(
      [
        { name: '\u{202e}fdp.exe', size: 1 },
        { name: '', size: 0 },
      ],
      false,
    ),
    '\\u{202e}fdp.exe (1), (without a name) (0), (not all of them could be looked at)',
  )
  t.match(shown([{ name: 'x'.repeat(200), size: 1 }], true), /^x{80}… \(1\)$/)
  const many = Array.from({ length: 12 }, (_, n) => ({ name: `${n}`, size: 1 }))
  t.match(shown(many, true), /^0 \(1\), .*, 7 \(1\), and 4 more$/)
  const { enclosures: _, ...unseen } = messageOf('a')
  t.notMatch(letterText(request({ messages: [unseen] })), 'Attachments', 'where nobody has looked')
  t.end()
})
