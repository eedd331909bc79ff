/** Tests of notice.ts: what people read, its headers, and that nothing in it can deceive. */
import { simpleParser } from 'mailparser'
import t from 'tap'
import type { UsedNeighbour } from '../../lib/nearmiss/nearmiss.js'
import { composeNotice, readableSubject } from '../../lib/notice/compose.js'
import {
  letterText,
  type NoticeKind,
  type NoticeMessage,
  type NoticeRequest,
} from '../../lib/notice/render.js'
import type { Language } from '../../lib/text/translate.js'

process.env.TZ = 'UTC'

const MESSAGE: NoticeMessage = {
  id: '7k3m9x2p4q5r',
  sender: 'anna@corp.test',
  subject: 'Invoice',
  messageId: '<one@corp.test>',
  size: 25_000,
  heldAt: Date.UTC(2026, 10, 24, 8, 12),
  expiresAt: Date.UTC(2026, 11, 8, 8, 12),
  recipients: [
    { address: 'bob@stranger.test', reason: 'unknown', detail: '' },
    { address: 'v%evil.test@corp.test', reason: 'malformed', detail: 'percent or bang routing' },
    { address: 'x@evil.test', reason: 'blocked', detail: '7' },
    { address: 'y@known.test', reason: 'refused', detail: '550 5.1.1 no such user' },
  ],
}
const OTHER: NoticeMessage = {
  ...MESSAGE,
  id: '000000000001',
  sender: '',
  subject: '',
  messageId: '<two@corp.test>',
  recipients: [{ address: 'z@stranger.test', reason: 'foreign-sender', detail: '' }],
}

function request(some: Partial<NoticeRequest> = {}): NoticeRequest {
  return {
    kind: 'sender',
    language: 'en',
    from: 'toeh@corp.test',
    to: ['anna@corp.test'],
    approvers: ['boss@corp.test', 'deputy@corp.test'],
    messages: [MESSAGE],
    outcome: 'released',
    ...some,
  }
}

/** The head as lines, unfolded, and the fields by name. */
async function headOf(some: Partial<NoticeRequest>): Promise<Map<string, string>> {
  const text = (await composeNotice(request(some))).toString('latin1')
  const head = text.slice(0, text.indexOf('\n\n')).replace(/\n[ \t]/g, ' ')
  return new Map(
    head.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.replace(/^[^:]*: ?/, '')]),
  )
}

t.test('the head', async (t) => {
  const head = await headOf({})
  t.strictSame(
    [...head.keys()].sort(),
    [
      'Auto-Submitted',
      'Content-Type',
      'Date',
      'From',
      'In-Reply-To',
      'MIME-Version',
      'Message-ID',
      'References',
      'Subject',
      'To',
      'X-Auto-Response-Suppress',
    ],
    'no other field',
  )
  t.equal(head.get('Auto-Submitted'), 'auto-generated')
  t.equal(head.get('X-Auto-Response-Suppress'), 'All')
  t.equal(head.get('From'), 'TOEH <toeh@corp.test>')
  t.equal(head.get('To'), 'anna@corp.test')
  t.match(head.get('Content-Type'), /^multipart\/alternative; boundary="[^"]+"$/)
  t.match(head.get('Message-ID'), /^<[^@]+@corp\.test>$/)
  t.equal((await headOf({ to: ['a@corp.test', 'b@corp.test'] })).get('To'), 'a@corp.test, b@corp.test')
})

t.test('a notice of one message is its answer, of several a mail of its own', async (t) => {
  const ids: [readonly NoticeMessage[], string | undefined][] = [
    [[MESSAGE], '<one@corp.test>'],
    [[MESSAGE, OTHER], undefined],
    [[{ ...MESSAGE, messageId: '' }], undefined],
    [[{ ...MESSAGE, messageId: 'one@corp.test' }], undefined],
    [[{ ...MESSAGE, messageId: '<one @corp.test>' }], undefined],
    [[{ ...MESSAGE, messageId: '<one@corp.test>\nBcc: x@evil.test' }], undefined],
    [[{ ...MESSAGE, messageId: '<öne@corp.test>' }], undefined],
  ]
  for (const [messages, id] of ids) {
    const head = await headOf({ messages })
    t.equal(head.get('In-Reply-To'), id, JSON.stringify(messages[0]?.messageId))
    t.equal(head.get('References'), id, JSON.stringify(messages[0]?.messageId))
  }
})

// tsc demands every kind in every language: subject for one message, for two, and the first sentence.
const SUBJECTS: Record<Language, Record<NoticeKind, [string, string, RegExp]>> = {
  en: {
    sender: [
      'Waiting for approval: Invoice',
      '2 of your messages wait for approval',
      /^A message from your address/,
    ],
    reminder: [
      'Still waiting for approval: Invoice',
      '2 of your messages still wait for approval',
      /^A message from your address has still not/,
    ],
    approver: [
      'To approve: mail from anna@corp.test: Invoice',
      'To approve: 2 messages',
      /^Outgoing mail waits/,
    ],
    automatic: [
      'Automatic mail: 1 message waits',
      'Automatic mail: 2 messages wait',
      /^Programs have written to destinations/,
    ],
    expired: [
      'Not sent: Invoice',
      'Not sent: 2 messages',
      /^A message was not sent .* nobody approved it in time/,
    ],
    released: ['Sent: Invoice', 'Sent: Invoice', /^A message of yours that waited .* has been sent/],
    rejected: ['Not sent: Invoice', 'Not sent: Invoice', /^A message was not sent .* rejected\./],
    answered: ['Sent: Invoice', 'Sent: Invoice', /^You said yes\. The message was sent on\./],
  },
  fr: {
    sender: [
      'En attente d’approbation : Invoice',
      '2 de vos messages attendent une approbation',
      /^Un message de votre/,
    ],
    reminder: [
      'Toujours en attente d’approbation : Invoice',
      '2 de vos messages attendent toujours une approbation',
      /^Un message de votre adresse n’a toujours pas/,
    ],
    approver: [
      'À approuver : message de anna@corp.test : Invoice',
      'À approuver : 2 messages',
      /^Du courrier sortant attend/,
    ],
    automatic: [
      'Messages automatiques : 1 message en attente',
      'Messages automatiques : 2 messages en attente',
      /^Des programmes ont écrit/,
    ],
    expired: [
      'Non envoyé : Invoice',
      'Non envoyés : 2 messages',
      /^Un message .* personne ne l’a approuvé à temps/,
    ],
    released: ['Envoyé : Invoice', 'Envoyé : Invoice', /^Un de vos messages .* a été envoyé/],
    rejected: ['Non envoyé : Invoice', 'Non envoyé : Invoice', /^Un message .* examiné et refusé/],
    answered: ['Envoyé\u00a0: Invoice', 'Envoyé\u00a0: Invoice', /^Vous avez accepté/],
  },
}

t.test('each kind in each language', async (t) => {
  for (const [language, kinds] of Object.entries(SUBJECTS) as [Language, (typeof SUBJECTS)[Language]][]) {
    for (const [kind, [one, two, intro]] of Object.entries(kinds) as [
      NoticeKind,
      [string, string, RegExp],
    ][]) {
      const single = await simpleParser(await composeNotice(request({ kind, language })))
      t.equal(single.subject, one, `${language} ${kind}`)
      t.match(single.text, intro, `${language} ${kind}`)
      t.equal(
        single.text?.trimEnd(),
        letterText(request({ kind, language })).trimEnd(),
        'the mail carries the text',
      )
      const several = await simpleParser(
        await composeNotice(request({ kind, language, messages: [MESSAGE, OTHER] })),
      )
      t.equal(several.subject, two, `${language} ${kind}, two`)
      const waits = kind === 'sender' || kind === 'reminder' || kind === 'approver'
      t.equal(
        /Expires: |Expire\u00a0: /.test(single.text ?? ''),
        waits,
        `${kind}: a date only while it waits`,
      )
      t.equal(
        /mail administrator whether to release|messagerie s’il faut/.test(single.text ?? ''),
        kind === 'approver',
        `${kind}: who may, is told whom to tell`,
      )
    }
  }
})

t.test('the text for a sender, whole', (t) => {
  t.equal(
    letterText(request()),
    `A message from your address has not been sent to the recipients below. It waits for a person to approve it.

  From:    anna@corp.test
  Subject: Invoice
  Sent:    24 November 2026 at 08:12
  Size:    24k
  Hold:    7k3m9x2p4q5r
  Expires: 8 December 2026 at 08:12

  Recipients:
    bob@stranger.test
        not among the destinations this company writes to
    v%evil.test@corp.test
        unusual form of address (percent or bang routing)
    x@evil.test
        this destination is blocked
    y@known.test
        our own mail server refused it: 550 5.1.1 no such user

What happens next: boss@corp.test, deputy@corp.test can release it. After the date above it is not sent any more, and you are told.

This notice is about the recipients named here alone.
If you did not write this message, or have the address from a mail that surprised you, do not ask for its release: tell your administrator.
`,
  )
  t.match(letterText(request({ approvers: [] })), 'your mail administrator can release it')
  t.end()
})

t.test('the text for an approver, of several messages, in French', (t) => {
  const text = letterText(request({ kind: 'approver', language: 'fr', messages: [MESSAGE, OTHER] }))
  for (const part of [
    '  De\u00a0:     anna@corp.test\n',
    '  Envoyé\u00a0: 24 novembre 2026 à 08:12\n',
    '  Expire\u00a0: 8 décembre 2026 à 08:12\n',
    '        ne fait pas partie des destinations habituelles de l’entreprise\n',
    '        forme d’adresse inhabituelle (routage par % ou !)\n',
    '  De\u00a0:     (rapport d’un système de messagerie)\n',
    '  Objet\u00a0:  (sans objet)\n',
    '    z@stranger.test\n        l’adresse d’expédition n’est pas de l’entreprise\n',
    'Vérifiez l’adresse auprès de l’expéditeur par téléphone',
    '  Dépôt\u00a0:  7k3m9x2p4q5r\n',
    '  Dépôt\u00a0:  000000000001\n',
    '\n\nPuis dites à votre administrateur de messagerie s’il faut l’envoyer ou le refuser, avec le numéro de dépôt.\n',
  ]) {
    t.ok(text.includes(part), JSON.stringify(part))
  }
  t.notMatch(text, /percent|not among|\(no subject\)/, 'nothing is left in English')
  t.end()
})

t.test('a near miss stands below its recipient, both histories side by side', async (t) => {
  const nearMisses: UsedNeighbour[] = [
    {
      value: 'fournisseur.fr',
      kind: 'domain',
      likeness: 'hyphen',
      uses: { messages: 214, since: '2024-03', last: '2026-11-20' },
      history: { addedBy: 'marie', addedAt: Date.UTC(2026, 2, 2), source: 'command', note: 'a\u{202e}b' },
      thisOne: {
        value: 'four-nisseur.fr',
        released: 0,
        lastReleasedAt: null,
        revokedBy: null,
        revokedAt: null,
        uses: null,
      },
    },
  ]
  const recipients = [{ address: 'x@four-nisseur.fr', reason: 'unknown', detail: '', nearMisses }]
  const messages = [{ ...MESSAGE, recipients }]
  for (const kind of ['sender', 'approver'] as const) {
    t.match(
      letterText(request({ kind, messages })),
      [
        '    x@four-nisseur.fr\n        not among the destinations this company writes to\n',
        '        looks like: fournisseur.fr (hyphen)\n          known: fournisseur.fr (214 messages since March 2024, last on 2026-11-20, allowed by marie on 2026-03-02, ',
        'a\\u{202e}b); this one: four-nisseur.fr, never\n',
      ].join(''),
      kind,
    )
    t.match(
      letterText(request({ kind, language: 'fr', messages })),
      '        ressemble à\u00a0: fournisseur.fr (trait d’union)\n          connu\u00a0: fournisseur.fr (214 messages depuis mars 2024, le dernier le 2026-11-20, autorisé par marie',
      kind,
    )
  }
})

t.test('many messages', async (t) => {
  const messages = Array.from({ length: 300 }, (_, n) => ({
    ...MESSAGE,
    id: `a${String(n).padStart(11, '0')}`,
  }))
  const mail = await simpleParser(await composeNotice(request({ kind: 'approver', messages })))
  t.equal(mail.subject, 'To approve: 300 messages')
  for (const { id } of messages) if (!mail.text?.includes(` ${id}\n`)) t.fail(`${id} is missing`)
  t.equal(mail.text?.match(/^ {2}Hold: {4}/gm)?.length, 300)
})

t.test('the subject for an approver is cut, made visible, and has one number', async (t) => {
  const reply = { token: '0123456789abcdefghjkmnpqrs', address: 'x@corp.test', until: 0, two: false }
  const subjectOf = async (some: Partial<NoticeMessage>): Promise<string> => {
    const messages = [{ ...MESSAGE, ...some }]
    return (
      (await simpleParser(await composeNotice(request({ kind: 'approver', reply, messages })))).subject ?? ''
    )
  }
  const begin = 'To approve: mail from anna@corp.test: '
  const end = ` [toeh ${reply.token}]`
  t.equal(await subjectOf({ subject: 'x'.repeat(300) }), `${begin}${'x'.repeat(80)}…${end}`)
  t.equal(await subjectOf({ subject: '=?utf-8?q?pay=E2=80=8Bpal?=' }), `${begin}pay\\u{200b}pal${end}`)
  t.equal(await subjectOf({ subject: '' }), `${begin}(no subject)${end}`)
  const forged = '9'.repeat(26)
  t.equal(await subjectOf({ subject: `[TOEH ${forged}] x` }), `${begin}(TOEH ${forged}] x${end}`)
  t.equal(
    await subjectOf({ subject: '', sender: '' }),
    `To approve: mail from (a report from a mail system): (no subject)${end}`,
  )
})

// A subject as it stands in the header, and as it is shown.
const READABLE: [string, string][] = [
  ['Invoice', 'Invoice'],
  ['', 'none'],
  ['  \t ', 'none'],
  ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=', 'Grüße'],
  ['=?iso-8859-1?Q?Gr=FC=DFe?= x', 'Grüße x'],
  ['=?utf-8?b?R3LDvA==?= =?utf-8?b?w59l?=', 'Grüße'],
  ['Grüße', 'Grüße'],
  ['a  b\t c', 'a b c'],
  ['=?utf-8?q?a=0D=0ABcc:_x@evil.test?=', 'a Bcc: x@evil.test'],
  ['=?utf-8?q?=1B[2J=00=07?=', '\\u{1b}[2J\\u{0}\\u{7}'],
  ['invoice\u{202e}fdp.exe', 'invoice\\u{202e}fdp.exe'],
  ['=?utf-8?q?invoice=E2=80=AEfdp.exe?=', 'invoice\\u{202e}fdp.exe'],
  ['pay\u{200b}pal', 'pay\\u{200b}pal'],
  ['=?utf-8?q?pay=E2=80=8Bpal?=', 'pay\\u{200b}pal'],
]

t.test('the subject for people', (t) => {
  for (const [raw, shown] of READABLE) t.equal(readableSubject(raw, 'none'), shown, JSON.stringify(raw))
  t.end()
})

const HIDDEN = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\x00-\x09\x0b-\x1f\x7f-\x9f]/u

/** The HTML of a notice as a mail program gets it. */
async function htmlOf(request: NoticeRequest): Promise<string> {
  return (await simpleParser(await composeNotice(request))).html || ''
}

/** The elements, but for places where a line may break. */
function tagsOf(html: string): string[] {
  return (html.match(/<[^>]*>/g) ?? []).filter((tag) => tag !== '<wbr>')
}

/** In the place of what is hostile below. */
const TAME = {
  sender: 'a@corp.test',
  subject: 'b',
  recipients: [
    { address: 'c@evil.test', reason: 'malformed', detail: 'd' },
    { address: 'y@known.test', reason: 'refused', detail: 'e' },
  ],
}

t.test('bidirectional, control and zero-width characters never reach a reader', async (t) => {
  const nasty = 'x\u{202e}\u{2066}\u{200b}\u{feff}\x1b[2J\x07\r\nBcc: spy@evil.test\r\n\r\nPay to:'
  const message: NoticeMessage = {
    ...MESSAGE,
    sender: `"${nasty}"@corp.test`,
    subject: nasty,
    recipients: [
      { address: `${nasty}@evil.test`, reason: 'malformed', detail: nasty },
      { address: 'y@known.test', reason: 'refused', detail: nasty },
    ],
  }
  for (const kind of ['sender', 'approver', 'expired', 'rejected'] as const) {
    for (const language of ['en', 'fr'] as const) {
      const bytes = await composeNotice(request({ kind, language, messages: [message] }))
      const mail = await simpleParser(bytes)
      const shown = `${mail.subject}\n${mail.text}`
      t.notMatch(shown, HIDDEN, `${kind} ${language}`)
      t.notMatch(shown, /^(Bcc|Pay to):/m, `${kind} ${language}: no line of its own`)
      t.equal(mail.bcc, undefined, `${kind} ${language}: no field of its own`)
      t.ok(mail.text?.includes('\\u{202e}\\u{2066}\\u{200b}'), `${kind} ${language}: it is shown`)
      t.equal(mail.attachments.length, 0)
      t.notMatch(mail.html || '', HIDDEN, `${kind} ${language}: nor in HTML`)
      t.strictSame(
        tagsOf(mail.html || ''),
        tagsOf(await htmlOf(request({ kind, language, messages: [{ ...message, ...TAME }] }))),
        `${kind} ${language}: no element of its own`,
      )
    }
  }
})

t.test('the bytes are lines of ASCII with LF, none too long', async (t) => {
  const long = {
    ...MESSAGE,
    subject: 'é'.repeat(2000),
    recipients: [{ address: `${'a'.repeat(3000)}@x.test`, reason: 'unknown', detail: '' }],
  }
  for (const language of ['en', 'fr'] as const) {
    const text = (await composeNotice(request({ language, messages: [long] }))).toString('latin1')
    t.notMatch(text, /\r|[^\x0a\x20-\x7e]/)
    t.strictSame(
      text.split('\n').filter((line) => line.length > 998),
      [],
    )
    t.ok(text.endsWith('\n'))
  }
})
