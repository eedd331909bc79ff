/** The text of a reply, as mail programs write it. */
import t from 'tap'
import { replyText } from '../../lib/mime/replytext.js'
import { answerOf } from '../../lib/notice/answer.js'

const HTML = 'Content-Type: text/html; charset=utf-8\n'
const BOTH = 'Content-Type: multipart/alternative; boundary=b\n\n'

/** A mail, and what its answer is. */
const REPLIES: [string, string, string | undefined][] = [
  ['plain', 'Subject: x\n\nrelease\n', 'release'],
  [
    'quoted-printable',
    'Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\nlib=C3=A9rer\n',
    'release',
  ],
  [
    'Latin 1',
    'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nlib=E9rer\n',
    'release',
  ],
  ['base64', 'Content-Transfer-Encoding: base64\n\ncmVqZWN0Cgo+IHJlbGVhc2UK\n', 'reject'],
  ['text and HTML', `${BOTH}--b\n\nReject\n\n> release\n--b\n${HTML}\n<p>Reject</p>\n--b--\n`, 'reject'],
  ['text and HTML that differ', `${BOTH}--b\n\nReject\n--b\n${HTML}\n<p>release</p>\n--b--\n`, undefined],
  ['an empty text part', `${BOTH}--b\n\n \n\n--b\n${HTML}\n<p>Lib&eacute;rer.</p>\n--b--\n`, 'release'],
  ['no text part', `${BOTH}--b\n${HTML}\n<p>Bonjour,</p><p>Rejeter.</p><p>Marie</p>\n--b--\n`, 'reject'],
  ['HTML alone, as Outlook', `${HTML}\n<div>Release and know</div><hr><b>From:</b> TOEH<br>release`, 'know'],
  [
    'HTML alone, as Gmail',
    `${HTML}\n<div dir="ltr">release</div><br><div>On Tuesday:</div><blockquote>reject</blockquote>`,
    'release',
  ],
  ['HTML, quotation alone', `${HTML}\n<blockquote>release</blockquote>`, undefined],
  ['HTML, quotation first', `${HTML}\n<blockquote>release</blockquote><p>reject</p>`, 'reject'],
  ['hidden in HTML', `${HTML}\n<style>release</style><!-- release --><p>hello</p>`, undefined],
  [
    'an attached text is not first',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Disposition: attachment; filename=a.txt\n\nrelease\n--b--\n',
    undefined,
  ],
  [
    'HTML, below a quotation, as Thunderbird',
    `${HTML}\n<div class="moz-cite-prefix">Le 24/11/2026 à 13:00, TOEH a écrit :</div><blockquote type="cite"><p>release</p></blockquote><p>Rejeter</p>`,
    'reject',
  ],
  [
    'HTML, between quotations, as Apple Mail',
    `${HTML}\n<blockquote type="cite">On 24 Nov 2026, at 13:00, TOEH wrote:</blockquote><blockquote>release</blockquote><div>Reject.</div><blockquote>release</blockquote>`,
    'reject',
  ],
  [
    'HTML, as Outlook for the web',
    `${HTML}\n<div>Libérer</div><div id="appendonsend"></div><hr style="width:98%"><div id="divRplyFwdMsg"><b>De :</b> TOEH<br><b>Objet :</b> rejeter</div><div>rejeter</div>`,
    'release',
  ],
  [
    'HTML, as Outlook on a phone',
    `${HTML}\n<div>Reject</div><div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/x">Outlook for iOS</a></div><hr>From: TOEH<br>release`,
    'reject',
  ],
  [
    'format=flowed',
    'Content-Type: text/plain; format=flowed; delsp=yes\n\nBonjour,\n\nLiberer et  \nautoriser\n\n> release \n> now\n-- \nMarie\n',
    'know',
  ],
  [
    'signed, PGP/MIME',
    'Content-Type: multipart/signed; boundary=b; micalg=pgp-sha256; protocol="application/pgp-signature"\n\n--b\n\nrelease\n--b\nContent-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n--b--\n',
    'release',
  ],
  [
    'signed, S/MIME in the clear',
    'Content-Type: multipart/signed; boundary=b; micalg=sha-256; protocol="application/pkcs7-signature"\n\n--b\n\nreject\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nAAAA\n--b--\n',
    'reject',
  ],
  ['nothing', 'Subject: release\n\n', undefined],
  [
    'broken',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=none\n',
    undefined,
  ],
]

t.test('answers', async (t) => {
  for (const [name, mail, answer] of REPLIES)
    t.equal(answerOf((await replyText(Buffer.from(mail))).texts), answer, name)
})

t.test('what cannot be read is told from what says nothing', async (t) => {
  const cases: [string, string, boolean][] = [
    ['S/MIME, opaque', 'Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nAAAA\n', true],
    [
      'S/MIME, encrypted',
      'Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\n\nAAAA\n',
      true,
    ],
    [
      'S/MIME below a footer',
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/PKCS7-mime\n\nAA\n--b\n\nfooter\n--b--\n',
      true,
    ],
    [
      'PGP/MIME, encrypted',
      'Content-Type: multipart/encrypted; boundary=b; protocol="application/pgp-encrypted"\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--\n',
      true,
    ],
    ['PGP, encrypted', '\n-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n', true],
    ['winmail.dat', 'Content-Type: application/ms-tnef; name=winmail.dat\n\nAA\n', true],
    ['PGP, clear-signed', '\n-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n', false],
    ['PGP, quoted', '\n> -----BEGIN PGP MESSAGE-----\n', false],
    ['plain', '\nhello\n', false],
    ['empty', '\n', false],
  ]
  for (const [name, mail, sealed] of cases) {
    const read = await replyText(Buffer.from(mail))
    t.equal(read.sealed, sealed, name)
    t.equal(answerOf(read.texts), undefined, name)
  }
})
