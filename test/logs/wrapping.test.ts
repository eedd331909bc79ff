/** The wrapping of lines of the log, taken off: each thing that containers, journals and other syslogs put around one. */
import t from 'tap'
import { unwrapped, unwrappedBehind } from '../../lib/logs/wrapping.js'

const LINE = 'mx postfix/smtp[7]: 4bQ8: to=<x@a.test>'
const STAMP = '2026-11-04T05:06:07Z'
const REST = 'postfix/smtp[7]: 4bQ8: to=<x@a.test>'

t.test('a stamp of another form', (t) => {
  const table: [line: string, within: string | undefined][] = [
    [`2026-11-04 05:06:07 ${LINE}`, `${STAMP} ${LINE}`],
    [`2026-11-04 05:06:07.123 ${LINE}`, `${STAMP} ${LINE}`],
    [`2026-11-04 05:06:07,123 +01:00 ${LINE}`, `${STAMP} ${LINE}`],
    [`Wed 2026-11-04 05:06:07 CET ${LINE}`, `${STAMP} ${LINE}`],
    [`Nov  4 2026 05:06:07 ${LINE}`, `${STAMP} ${LINE}`],
    [`Wed Nov 14 2026 05:06:07: ${LINE}`, `2026-11-14T05:06:07Z ${LINE}`],
    [`2026 Nov  4 05:06:07 ${LINE}`, `${STAMP} ${LINE}`],
    [`Wed Nov  4 05:06:07 2026 ${LINE}`, `${STAMP} ${LINE}`],
    [`1793768767.123456 ${LINE}`, `${STAMP} ${LINE}`],
    [`1793768767 ${LINE}`, `${STAMP} ${LINE}`],
    ['', undefined],
    [LINE, undefined],
    ['179376876 too short', undefined],
  ]
  for (const [line, within] of table) t.equal(unwrapped(line), within, line)
  t.end()
})

t.test('what stands before it', (t) => {
  const inner = `Nov  4 05:06:07 ${LINE}`
  const table: [line: string, within: string | undefined][] = [
    [`mail-1  | ${inner}`, inner],
    [`\u001b[36mmail-1  |\u001b[0m ${inner}`, inner],
    [`[pod/mail-0/postfix] ${inner}`, inner],
    [`123 <22>1 ${STAMP} ${LINE}`, `<22>1 ${STAMP} ${LINE}`],
    [`\ufeff${inner}`, inner],
    [`\ufeffmail-1 | [pod/mail-0/postfix] 99 <22>${inner}`, `<22>${inner}`],
    [`mail-1  | 2026-11-04 05:06:07 ${LINE}`, `${STAMP} ${LINE}`],
    [`9 <22>${inner}`, undefined],
    [`${'m'.repeat(81)} | ${inner}`, undefined],
  ]
  for (const [line, within] of table) t.equal(unwrapped(line), within, line)
  t.end()
})

t.test('JSON, of each program that writes it', (t) => {
  const table: [name: string, fields: object, within: string | undefined][] = [
    [
      'docker, json-file, of rsyslog: what is whole stays',
      { log: `Nov  4 05:06:07 ${LINE}\n`, stream: 'stdout', time: '2026-11-04T05:06:08.9Z' },
      `Nov  4 05:06:07 ${LINE}`,
    ],
    ['docker, of postlogd', { log: `${REST}\n`, time: '2026-11-04T05:06:07.9Z' }, `${STAMP} - ${REST}`],
    ['a priority', { log: `<22>Nov  4 05:06:07 ${LINE}`, time: STAMP }, `<22>Nov  4 05:06:07 ${LINE}`],
    [
      'journalctl',
      {
        __REALTIME_TIMESTAMP: '1793768767123456',
        _HOSTNAME: 'mx',
        SYSLOG_IDENTIFIER: 'postfix/smtp',
        MESSAGE: '4bQ8: to=<x@a.test>',
      },
      `${STAMP} mx postfix/smtp: 4bQ8: to=<x@a.test>`,
    ],
    [
      'journalctl, of bytes',
      {
        __REALTIME_TIMESTAMP: '1793768767123456',
        SYSLOG_IDENTIFIER: 'postfix/smtp',
        MESSAGE: [...Buffer.from('zo\u00eb')],
      },
      `${STAMP} - postfix/smtp: zo\u00eb`,
    ],
    [
      'rsyslog',
      {
        timereported: '2026-11-04T05:06:07+01:00',
        hostname: 'm x',
        'syslog-tag': 'postfix/smtp[7]:',
        msg: 'y',
      },
      `${STAMP} mx postfix/smtp[7]: y`,
    ],
    [
      'vector',
      { timestamp: 1793768767, host: 'mx', appname: 'postfix/smtp', message: 'y' },
      `${STAMP} mx postfix/smtp: y`,
    ],
    ['nanoseconds', { ts: '1793768767123456789', line: REST }, `${STAMP} - ${REST}`],
    ['a program of another kind', { time: STAMP, tag: 'docker', log: REST }, `${STAMP} - ${REST}`],
    ['no stamp', { message: 'y', ident: 'postfix/smtp' }, 'postfix/smtp: y'],
    ['a stamp that is none', { time: 'today', message: REST }, REST],
    ['only the first line', { time: STAMP, log: `${REST}\nmore` }, `${STAMP} - ${REST}`],
    ['nothing', { time: STAMP, log: '' }, undefined],
    ['no text', { time: STAMP, log: { a: 1 } }, undefined],
  ]
  for (const [name, fields, within] of table) t.equal(unwrapped(JSON.stringify(fields)), within, name)
  t.equal(unwrapped('{"log":"cut off'), undefined, 'what is no JSON')
  t.end()
})

t.test('between the stamp and the program', (t) => {
  const table: [rest: string, within: string | undefined][] = [
    [`stdout F Nov  4 05:06:07 ${LINE}`, `Nov  4 05:06:07 ${LINE}`],
    [`stderr P 2026-11-04 05:06:07 ${LINE}`, `2026-11-04 05:06:07 ${LINE}`],
    [`<22>1 ${STAMP} ${LINE}`, `<22>1 ${STAMP} ${LINE}`],
    [`Wed Nov  4 05:06:07 ${LINE}`, `Wed Nov  4 05:06:07 ${LINE}`],
    ['{"log":"x"}', '{"log":"x"}'],
    [`stdout F ${REST}`, `${STAMP} - ${REST}`],
    [`<mail.info> ${LINE}`, `${STAMP} ${LINE}`],
    [`mx mail.info ${REST}`, `${STAMP} ${LINE}`],
    [`mx mail/info ${REST}`, `${STAMP} ${LINE}`],
    [`mx [mail.info] ${REST}`, `${STAMP} ${LINE}`],
    [`mx mail.info: ${REST}`, `${STAMP} ${LINE}`],
    [`mx local0|info ${REST}`, `${STAMP} ${LINE}`],
    [REST, `${STAMP} - ${REST}`],
    [LINE, undefined],
    ['mx cron[7]: done', undefined],
    ['', undefined],
  ]
  for (const [rest, within] of table) t.equal(unwrappedBehind(STAMP, rest), within, rest)
  t.end()
})
