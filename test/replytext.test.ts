/** The text of a reply, as mail programs write it. */
import t from 'tap'
import { parseAnswer } from '../lib/consent.js'
import { replyText } from '../lib/replytext.js'

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
  ['text and HTML', `${BOTH}--b\n\nReject\n\n> release\n--b\n${HTML}\n<p>release</p>\n--b--\n`, 'reject'],
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
  ['nothing', 'Subject: release\n\n', undefined],
  [
    'broken',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=none\n',
    undefined,
  ],
]

t.test('answers', async (t) => {
  for (const [name, mail, answer] of REPLIES)
    t.equal(parseAnswer(await replyText(Buffer.from(mail))), answer, name)
})
