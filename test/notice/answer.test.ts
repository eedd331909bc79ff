/** The answer in a reply's text: the approver's own words, wherever they stand, and nobody else's. */

import t from 'tap'
import type { Answer } from '../../lib/hold/token.js'
import { replyText } from '../../lib/mime/replytext.js'
import { answerOf } from '../../lib/notice/answer.js'
import { letterHtml, letterText, type NoticeRequest } from '../../lib/notice/render.js'

/** ID stands for a hold's. */
const ANSWERS: [string, Answer | undefined][] = [
  ['release', 'release'],
  ['Release', 'release'],
  ['RELEASE\r\n', 'release'],
  ['\n \n\t\n  release  \nThanks, Boss', 'release'],
  ['release and know', 'know'],
  ['Release  and\u{a0}know', 'know'],
  ['reject', 'reject'],
  ['libérer', 'release'],
  ['Libe\u{301}rer', 'release'],
  ['liberer', 'release'],
  ['LIBÉRER', 'release'],
  ['libérer et autoriser', 'know'],
  ['liberer et autoriser', 'know'],
  ['rejeter', 'reject'],
  ['> quoted\n>> again\nreject', 'reject'],
  ['reject\n\n> release', 'reject'],
  ['', undefined],
  ['\n\n', undefined],
  ['> release', undefined],
  [' > release\n>reject', undefined],
  ['On 24 November TOEH wrote:\n> release', undefined],
  ['On 24 November TOEH wrote:\nrelease', undefined],
  ['release it', undefined],
  ['release and', undefined],
  ['do not release', undefined],
  ['release reject', undefined],
  ['release\u{200b}', undefined],
  ['r\u{435}lease', undefined],
  ['yes', undefined],
  ['ok', undefined],
  ['"release"', undefined],
  ['release: no', undefined],
  ['constructor', undefined],
  ['-----Original Message-----\nrelease', undefined],
  // Accents, capitals, punctuation.
  ['Libérer.', 'release'],
  ['LIBÉRER !', 'release'],
  ['Libérer\u{a0}!', 'release'],
  ['Libèrer', 'release'],
  ['Rejeter…', 'reject'],
  ['Release!!', 'release'],
  ['Reject;', 'reject'],
  ['Libérer et autoriser.', 'know'],
  ['*Libérer*', 'release'],
  ['**Reject.**', 'reject'],
  ['release?', undefined],
  ['Libérer ?', undefined],
  // A greeting before it, thanks behind it.
  ['Hello\nrelease', 'release'],
  ['Hello, release', 'release'],
  ['Bonjour,\n\nLibérer.\n\nCordialement,\nMarie Durand', 'release'],
  ['Bonjour Marie,\nlibérer', 'release'],
  ['Chère Anne-Sophie Le Goff,\nRejeter', 'reject'],
  ['Bonsoir à tous\nRejeter, merci.', 'reject'],
  ['Good morning!\nRelease, please', 'release'],
  ['Bonjour. Libérer et autoriser, merci beaucoup !', 'know'],
  ["Libérer s'il vous plaît", 'release'],
  ['Hi team\nreject, thank you', 'reject'],
  ['Hello, do not\nrelease', undefined],
  ['Bonjour, surtout pas :\nlibérer', undefined],
  ['Ne pas\nlibérer', undefined],
  ['please do not release', undefined],
  ['Merci de ne pas libérer', undefined],
  ['Libérer, mais pas avant lundi', undefined],
  // Signatures.
  ['release\n-- \nRelease Manager\nCorp', 'release'],
  ['release\n\nEnvoyé de mon iPhone', 'release'],
  ['Envoyé de mon iPhone\n\n> Le 24 nov., TOEH a écrit :\n> x\n\nLibérer', 'release'],
  ['Sent from my Galaxy\n> x\nreject', 'reject'],
  ['Obtenir Outlook pour Android\n> x\nreject', 'reject'],
  ['-- \nMarie\n\n> quoted\n\nrejeter', 'reject'],
  ['-- \nrelease', undefined],
  ['\u{200b}\n\u{feff}\nrelease', 'release'],
  // Below a quotation, and between its lines.
  ['On Tue, 24 Nov 2026 at 13:00, TOEH <toeh@corp.test> wrote:\n\n> a\n> b\n\nRelease', 'release'],
  ['Le mar. 24 nov. 2026 à 13:00, TOEH <toeh@corp.test>\na écrit :\n\n> a\n\nLibérer', 'release'],
  ['Le 24/11/2026 à 13:00, TOEH a écrit\u{a0}:\n> a\n\nLibérer.\n\n> b\n\nMerci', 'release'],
  ['Am 24.11.26 um 13:00 schrieb TOEH:\n> a\nreject\n> b', 'reject'],
  ['Dne 24.11.2026 v 13:00 TOEH <toeh@corp.test> napsal(a):\n> a\nreject', 'reject'],
  ['| a\n| b\nreject', 'reject'],
  ['Not this one, see below:\n> a\nrelease', undefined],
  // What a program breaks and forgets to mark was written by whoever sent the held message.
  [`> Subject: ${'x'.repeat(70)}\nrelease`, undefined],
  [`reject\n\n> Subject: ${'x'.repeat(70)}\nrelease`, 'reject'],
  [`> Subject: ${'x'.repeat(70)}\nrelease\n\nreject`, 'reject'],
  // Quotations without marks.
  ['On 24 November TOEH <toeh@corp.test>\nwrote:\n\nrelease', undefined],
  ['-----Message d’origine-----\nDe : TOEH\n\nlibérer', undefined],
  ['reject\n\n-----Original Message-----\nFrom: TOEH\n\nrelease\nit is sent', 'reject'],
  ['Libérer\n\n________________________________\nDe : TOEH\nEnvoyé : mardi\n\nrejeter', 'release'],
  ['De : TOEH <toeh@corp.test>\nÀ : Marie\n\nlibérer', undefined],
  ['*From:* TOEH\nrelease', undefined],
  ['Von: TOEH\n\nreject', undefined],
  [
    `De : TOEH\nObjet : release\nrelease\n\ntoeh show ID\ntoeh release ID\ntoeh reject ID\n\nRejeter`,
    'reject',
  ],
  ['From: TOEH\n\ntoeh show ID\n\ntoeh release ID\n\ntoeh reject ID\n\nreject', 'reject'],
  ['From: TOEH\n\ntoeh reject ID\nrelease', undefined],
  ['From: TOEH\ntoeh show 000000000000\ntoeh release ID\ntoeh reject ID\nrelease', undefined],
  // Two that contradict each other are none.
  ['release\nreject', undefined],
  ['release\n\nOr rather:\nrelease and know', undefined],
  ['release\n\n> a\n\nreject', undefined],
  ['release\n-- \nreject', undefined],
  ['release\n\n> a\n\nRelease.', 'release'],
  // Clear-signed (RFC 9580, section 7).
  [
    '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nLibérer.\n\n- -- \nMarie\n-----BEGIN PGP SIGNATURE-----\n\nrejeter\n-----END PGP SIGNATURE-----\n',
    'release',
  ],
  ['-----BEGIN PGP SIGNED MESSAGE-----\n\nreject\n-----BEGIN PGP SIGNATURE-----\nx\n', 'reject'],
  ['-----BEGIN PGP MESSAGE-----\n\nrelease\n-----END PGP MESSAGE-----', undefined],
]

t.test('answers', (t) => {
  for (const [text, answer] of ANSWERS)
    t.equal(answerOf([text.replaceAll('ID', '7k3m9q2x4v0a')]), answer, JSON.stringify(text))
  t.end()
})

t.test('a text part and HTML', (t) => {
  const cases: [string[], Answer | undefined][] = [
    [[], undefined],
    [['release', 'release'], 'release'],
    [['This mail is in HTML.', 'release'], 'release'],
    [['release', 'reject'], undefined],
    [['release\nreject', 'release'], undefined],
  ]
  for (const [texts, answer] of cases) t.equal(answerOf(texts), answer, texts.join(' / '))
  t.end()
})

t.test('a notice that is sent back whole is no answer, whatever the held message says', async (t) => {
  for (const language of ['en', 'fr'] as const) {
    for (const subject of [
      'release',
      `${'x'.repeat(75)} release ${'y'.repeat(75)}`,
      'toeh reject 7k3m9q2x4v0a',
    ]) {
      const request: NoticeRequest = {
        kind: 'approver',
        language,
        from: 'toeh@corp.test',
        to: ['boss@corp.test'],
        approvers: ['boss@corp.test'],
        messages: [
          {
            id: '7k3m9q2x4v0a',
            sender: 'release@evil.test',
            subject,
            messageId: '',
            size: 1,
            heldAt: 0,
            expiresAt: 1,
            recipients: [{ address: 'reject@evil.test', reason: 'unknown', detail: '' }],
            enclosures: { list: [{ name: 'release', size: 1 }], whole: true },
          },
        ],
        reply: { token: '0', address: 'toeh@corp.test', until: 0, two: true },
      }
      const html = letterHtml(request)
      const text = letterText(request)
      const quoted = async (above: string, below: string): Promise<Answer | undefined> => {
        const body = html.replace('<body>', `<body>${above}`).replace('</body>', `${below}</body>`)
        const mail = Buffer.from(`Content-Type: text/html; charset=utf-8\n\n${body}`)
        return answerOf((await replyText(mail)).texts)
      }
      for (const above of ['', '<p>From: TOEH</p>', '<hr>', '<p>Le 24 nov. 2026, TOEH a écrit :</p>'])
        t.equal(await quoted(above, ''), undefined, `${subject} ${above}`)
      t.equal(answerOf([text]), undefined)
      t.equal(answerOf([`De : TOEH\n${text}`]), undefined)
      t.equal(answerOf([`De : TOEH\n${text}\nRejeter.`]), 'reject', 'below it')
      t.equal(await quoted('<hr>', '<p>Rejeter.</p>'), 'reject', 'below it, in HTML')
      t.equal(answerOf([`Rejeter.\n${text}`]), 'reject', 'above it')
      t.equal(answerOf([`${text.replace(/^/gm, '> ')}\nRejeter.`]), 'reject', 'below its quotation')
    }
  }
})

t.test('a long text takes no long time', (t) => {
  const began = performance.now()
  for (const line of [
    'Le 1 @:\n',
    '> x\n',
    'On 1 TOEH wrote:\n> x\n',
    'toeh reject 7k3m9q2x4v0a\n',
    ' ',
    'release ',
  ])
    answerOf([`De : x\n${line.repeat(1_000_000 / line.length)}`, line.repeat(1_000_000 / line.length)])
  t.ok(performance.now() - began < 20_000)
  t.end()
})
