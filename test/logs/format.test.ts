/** Tests of logformat.ts: what is named, and that Postfix's own lines are nothing of it. */
import t from 'tap'
import { nameFormat } from '../../lib/logs/format.js'
import { mailLog } from '../support/maillog.js'

t.test('formats', async (t) => {
  const table: [beginning: string, said: RegExp][] = [
    ['LPKSHHRH\0\0', /give it as --journal=FILE/],
    ['__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\n', /journalctl -o short-iso/],
    ['Wed 2026-11-04 05:06:07.123456 CET [s=abc;i=1]\n    _TRANSPORT=syslog\n', /journalctl -o short-iso/],
    ['PK\x03\x04\x14', /unzip -p/],
    [`mail.log${'\0'.repeat(92)}0000640\0`, /tar -xOf/],
    ['#\0S\0o\0f\0t\0w\0a\0r\0e\0', /iconv -f UTF-16/],
    ['#Software: Microsoft Exchange Server\n', /log of Exchange, and/],
    ['2026-11-04 05:06:07 1tAbCd-0001Ab-2x <= anna@corp.test H=pc\n', /of Exim/],
    ['Nov  4 05:06:07 mx sendmail[12]: abc: to=<a@b.test>, stat=Sent\n', /of sendmail/],
    ['{"event":"delivered"}\n', /jq -r/],
    ['a\0b', /no text/],
  ]
  for (const [beginning, said] of table) t.match(nameFormat(beginning), said, beginning)
  t.equal(nameFormat('hello\n'), undefined)
  t.equal(nameFormat(mailLog({ id: '4bQ8Yk2hJnz1', to: ['a@b.test'] })), undefined)
})
