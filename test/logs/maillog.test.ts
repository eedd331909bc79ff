/** Tests of maillog.ts: every prefix, hostile texts, what a delivery is, and how lines are joined. */
import fc from 'fast-check'
import t from 'tap'
import {
  isOtherHost,
  isShortQueueId,
  LineParser,
  type LogEvent,
  ownText,
  queuedAt,
  Tracker,
} from '../../lib/logs/maillog.js'

const NOW = Date.UTC(2026, 10, 24, 12)
const ID = '4bQ8Yk2hJnz1'
const SENT = 'relay=mx.b.test[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)'

function parse(line: string, reference = NOW): LogEvent | undefined {
  return new LineParser(reference).parse(line)
}

/** A line of an agent, with a stamp nobody looks at. */
function line(agent: string, text: string, host = 'mx'): string {
  return `2026-11-04T05:06:07+01:00 ${host} postfix/${agent}[12]: ${text}`
}

t.test('prefixes', (t) => {
  const at = Date.UTC(2026, 10, 4, 5, 6, 7)
  const text = `${ID}: removed`
  const known: [prefix: string, host: string][] = [
    ['Nov 04 05:06:07 mx postfix/qmgr[12]: ', 'mx'],
    ['Nov  4 05:06:07 mx postfix/qmgr[12]: ', 'mx'],
    ['Nov  4 05:06:07 mx postfix/qmgr: ', 'mx'],
    ['Nov  4 05:06:07 mx.corp.test postfix-out/qmgr[12]: ', 'mx.corp.test'],
    ['Nov  4 05:06:07 mx postfix/sub/qmgr[12]: ', 'mx'],
    ['<22>Nov  4 05:06:07 mx postfix/qmgr[12]: ', 'mx'],
    ['2026-11-04T05:06:07+01:00 mx postfix/qmgr[12]: ', 'mx'],
    ['2026-11-04T05:06:07.123456+01:00 mx postfix/qmgr[12]: ', 'mx'],
    ['2026-11-04T05:06:07Z mx postfix/qmgr[12]: ', 'mx'],
    ['2026-11-04T05:06:07+0100 mx postfix/qmgr[12]: ', 'mx'],
    ['<22>1 2026-11-04T05:06:07.123456+01:00 mx postfix/qmgr 12 - - ', 'mx'],
    ['<22>1 2026-11-04T05:06:07.123456+01:00 mx postfix/qmgr 12 - - \u{feff}', 'mx'],
    ['<22>1 2026-11-04T05:06:07Z mx postfix/qmgr - ID1 [a@1 b="c \\"]\\" d"][e@2] ', 'mx'],
  ]
  for (const [prefix, host] of known) {
    t.strictSame(parse(prefix + text), { kind: 'removed', at, host, id: ID }, prefix)
  }
  const broken = [
    'x',
    text,
    'Nov 32 05:06:07 mx postfix/qmgr[12]: ',
    'Nov  4 25:06:07 mx postfix/qmgr[12]: ',
    'Nov  4 05:61:07 mx postfix/qmgr[12]: ',
    'Nox  4 05:06:07 mx postfix/qmgr[12]: ',
    'Feb 30 05:06:07 mx postfix/qmgr[12]: ',
    'Nov  4 05:06:07',
    'Nov  4 05:06:07 mx',
    '2026-02-30T05:06:07Z mx postfix/qmgr[12]: ',
    '2026-11-04T05:06:07 ',
    '<2222>Nov  4 05:06:07 mx postfix/qmgr[12]: ',
    '<22>1 - mx postfix/qmgr 12 - - ',
    '<22>1 2026-11-04T05:06:07Z mx postfix/qmgr 12 - [a@1 b="c',
  ]
  for (const prefix of broken) t.strictSame(parse(prefix), { kind: 'broken' }, prefix)
  const silent = [
    '',
    '\r',
    '-- Boot 7c1e --',
    'Nov  4 05:06:07 mx dovecot: imap-login: to=<a@b.test>',
    'Nov  4 05:06:07 mx last message repeated 2 times',
    `Nov  4 05:06:07 mx postfixadmin/web[12]: ${text}`,
    `Nov  4 05:06:07 mx postfix[12]: ${text}`,
    'Nov  4 05:06:07 mx postfix/smtpd[12]: connect from unknown[192.0.2.1]',
    line('smtpd', 'NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 5.1.1; from=<a@b.test> to=<c@d.test>'),
    line('cleanup', `${ID}: milter-reject: from=<a@b.test>`),
    line('qmgr', 'warning: 4bQ8Yk2hJnz1: removed'),
    line('smtpd', `${ID}: removed (canceled)`),
    line('smtpd', `${ID}: reject: RCPT from x[192.0.2.1]: 550 5.1.1; sasl_username=anna, from=<a@b.test>`),
    line('smtpd', `${ID}: lost connection after DATA (10 bytes) from x[192.0.2.1]`),
  ]
  for (const text of silent) t.equal(parse(text), undefined, text)
  t.end()
})

t.test('whatever syslog_name, and whatever stands around the line', (t) => {
  const at = Date.UTC(2026, 10, 4, 5, 6, 7)
  const text = `${ID}: removed`
  const plain = `Nov  4 05:06:07 mx postfix/qmgr[12]: ${text}`
  const known: [line: string, host: string][] = [
    [`Nov  4 05:06:07 mx mx-out/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 192.0.2.1 mx-out/qmgr[12]: ${text}`, '192.0.2.1'],
    [`Nov  4 05:06:07 mx 192.0.2.7/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 mx [2001:db8::1]/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 2001:db8::5 mta/out/qmgr[12]: ${text}`, '2001:db8::5'],
    [`Nov  4 05:06:07 mx Smtp_Relais/qmgr: ${text}`, 'mx'],
    [`<22>1 2026-11-04T05:06:07Z mx mx-out/qmgr 12 - - ${text}`, 'mx'],
    [`61 <22>1 2026-11-04T05:06:07Z mx mx-out/qmgr 12 - - ${text}`, 'mx'],
    // No host.
    [`Nov  4 05:06:07 postfix/qmgr[12]: ${text}`, '-'],
    // Facility and level.
    [`Nov  4 05:06:07 mx mail.info postfix/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 mx local3.notice: postfix/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 mx [mail.info] mx-out/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 <mail.info> mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`2026-11-04T05:06:07Z <2.6> mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 05:06:07 mx postfix/qmgr[12]: [ID 197553 mail.info] ${text}`, 'mx'],
    // Containers: docker logs -t, compose, podman and CRI, kubectl, colours.
    [`2026-11-04T05:06:09.123456789Z ${plain}`, 'mx'],
    [
      `2026-11-04T05:06:09.123456789+01:00 2026-11-04T05:06:07.123456+01:00 mx postfix/qmgr[12]: ${text}`,
      'mx',
    ],
    [`2026-11-04T05:06:07.123456789Z postfix/qmgr[12]: ${text}`, '-'],
    [`2026-11-04T05:06:09.1Z <22>${plain}`, 'mx'],
    [`mail-1  | ${plain}`, 'mx'],
    [`mailserver_1  | 2026-11-04T05:06:09.123456789Z ${plain}`, 'mx'],
    [`\u001b[36mmail-1  |\u001b[0m ${plain}`, 'mx'],
    [`2026-11-04T05:06:09.123456789+01:00 stdout F ${plain}`, 'mx'],
    [`2026-11-04T05:06:07.123456789+01:00 stderr F mta/qmgr[12]: ${text}`, '-'],
    [`[pod/mail-0/postfix] ${plain}`, 'mx'],
    // JSON: docker, journalctl, rsyslog, fluentd.
    [JSON.stringify({ log: `${plain}\n`, stream: 'stdout', time: '2026-11-04T05:06:09.1Z' }), 'mx'],
    [
      JSON.stringify({
        __REALTIME_TIMESTAMP: String(at * 1000),
        _HOSTNAME: 'mx',
        SYSLOG_IDENTIFIER: 'postfix/qmgr',
        MESSAGE: text,
      }),
      'mx',
    ],
    [
      JSON.stringify({
        __REALTIME_TIMESTAMP: String(at * 1000),
        _HOSTNAME: 'mx',
        SYSLOG_IDENTIFIER: 'mx-out/qmgr',
        MESSAGE: [...Buffer.from(text)],
      }),
      'mx',
    ],
    [
      JSON.stringify({
        timereported: '2026-11-04T05:06:07+01:00',
        hostname: 'mx',
        syslogtag: 'postfix/qmgr[12]:',
        msg: text,
      }),
      'mx',
    ],
    [
      JSON.stringify({
        '@timestamp': '2026-11-04T05:06:07Z',
        host: 'mx',
        ident: 'postfix/qmgr',
        message: text,
      }),
      'mx',
    ],
    [JSON.stringify({ message: plain }), 'mx'],
    // Stamps.
    [`2026-11-04 05:06:07 mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`2026-11-04 05:06:07,123 mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`Wed 2026-11-04 05:06:07 CET mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`Nov  4 2026 05:06:07 mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`2026 Nov  4 05:06:07 mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`Wed Nov  4 05:06:07 2026 mx postfix/qmgr[12]: ${text}`, 'mx'],
    [`${at / 1000}.123456 mx postfix/qmgr[12]: ${text}`, 'mx'],
  ]
  for (const [one, host] of known) {
    const parser = new LineParser(NOW)
    t.strictSame(parser.parse(one), { kind: 'removed', at, host, id: ID }, one)
    t.equal(parser.postfix, 1, `it counts as Postfix's: ${one}`)
    t.type(new LineParser(NOW).stampOf(one), 'number', `it has a stamp: ${one}`)
  }
  const others = [
    `Nov  4 05:06:07 mx dovecot: imap-login: ${plain}`,
    `Nov  4 05:06:07 mx app[1]: said ${plain}`,
    `Nov  4 05:06:07 mx app/worker[1]: ${text}`,
    `Nov  4 05:06:07 mx app said: ${text}`,
    JSON.stringify({ message: `said ${plain}`, time: '2026-11-04T05:06:07Z' }),
    '2026-11-04T05:06:07Z stdout F listening on :25',
  ]
  for (const one of others) {
    const parser = new LineParser(NOW)
    t.not(parser.parse(one)?.kind, 'removed', one)
    t.equal(parser.postfix, 0, one)
  }
  for (const one of ['{', '{"a":1}', '{"log":""}', 'null', 'x | y'])
    t.strictSame(parse(one), { kind: 'broken' }, one)
  t.end()
})

t.test('queue ids', (t) => {
  const ids: [id: string, is: boolean][] = [
    ['ABCDEF', true],
    ['3F2A1B7C9D', true],
    ['ABCDE', false],
    ['abcdef', false],
    ['4bQ8Yk2hJnz1', true],
    ['4bQ8Yk2hJnz', false],
    ['4bQ8Yk2hJnza', false],
    ['4bQ8Yk2hJnzE', false],
    ['warning', false],
  ]
  for (const [id, is] of ids) t.equal(parse(line('qmgr', `${id}: removed`)) !== undefined, is, id)
  t.ok(isShortQueueId('3F2A1B7C9D'))
  t.notOk(isShortQueueId(ID))
  t.equal(queuedAt('4jYhFX0000zKm1'), NOW)
  t.equal(queuedAt('4jYhFXzzzzz1'), NOW, 'to the second')
  for (const id of ['3F2A1B7C9D', '', 'NOQUEUE', '4jYhFX0000', '4jYhFX0000z', 'aeiouaeiouz12'])
    t.equal(queuedAt(id), undefined, id)
  t.end()
})

t.test('addresses end where their quotes allow it, and nothing behind the status counts', (t) => {
  const table: [text: string, event: object][] = [
    [`to=<bob@b.test>, ${SENT}`, { recipient: 'bob@b.test', status: 'sent', dsn: '2.0.0' }],
    [`to=<bob@b.test>, orig_to=<all@corp.test>, ${SENT}`, { recipient: 'bob@b.test', status: 'sent' }],
    [
      `to=<"a>, relay=x[198.51.100.9]:25, delay=0, delays=0, dsn=2.0.0, status=sent (b"@evil.test>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (no)`,
      {
        recipient: '"a>, relay=x[198.51.100.9]:25, delay=0, delays=0, dsn=2.0.0, status=sent (b"@evil.test',
        status: 'deferred',
        relay: 'none',
      },
    ],
    [`to=<"a\\"> \\\\"@b.test>, ${SENT}`, { recipient: '"a\\"> \\\\"@b.test', status: 'sent' }],
    [
      `to=<bob@b.test>, orig_to=<"x>, relay=y"@corp.test>, ${SENT}`,
      { recipient: 'bob@b.test', relay: 'mx.b.test[198.51.100.1]:25' },
    ],
    [
      'to=<bob@b.test>, relay=mx[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=5.0.0, status=bounced (said: to=<eve@evil.test>, relay=z[198.51.100.1]:25, dsn=2.0.0, status=sent (250))',
      { recipient: 'bob@b.test', status: 'bounced', dsn: '5.0.0', relay: 'mx[198.51.100.1]:25' },
    ],
    [
      'to=<bob@b.test>, relay=mx[2001:db8::1]:25, conn_use=2, delay=1, delays=0/0/0/1, tls=verified:dane, dsn=2.0.0, status=sent (250)',
      { relay: 'mx[2001:db8::1]:25', dsn: '2.0.0', status: 'sent' },
    ],
    [`to=<jürgen@bücher.test>, ${SENT}`, { recipient: 'jürgen@bücher.test' }],
    ['to=<"bob@b.test>, relay=x, status=sent (250)', { kind: 'broken' }],
    ['to=<bob@b.test', { kind: 'broken' }],
    ['to=<bob@b.test>', { kind: 'broken' }],
    ['to=<bob@b.test>, delay=1, status=sent (250)', { kind: 'broken' }],
    ['to=<bob@b.test>, relay=mx[198.51.100.1]:25, delay=1', { kind: 'broken' }],
    ['to=<bob@b.test>, orig_to=<x, relay=y, status=sent (250)', { kind: 'broken' }],
  ]
  for (const [text, event] of table) t.match(parse(line('smtp', `${ID}: ${text}`)), event, text)
  t.match(parse(line('qmgr', `${ID}: from=<a@b.test>, size=1, nrcpt=1 (queue active)`)), {
    sender: 'a@b.test',
  })
  t.match(parse(line('qmgr', `${ID}: from=<>, size=1, nrcpt=1 (queue active)`)), { sender: '' })
  t.match(parse(line('qmgr', `${ID}: from=<"a>, x"@b.test>, size=1`)), { sender: '"a>, x"@b.test' })
  t.match(parse(line('qmgr', `${ID}: from=<a@b.test`)), { kind: 'broken' })
  t.equal(parse(line('cleanup', `${ID}: from=<a@b.test>, size=1`)), undefined, 'only qmgr says from=')
  t.end()
})

t.test('where mail was handed in', (t) => {
  const client = `${ID}: client=pc[192.0.2.1]`
  const login = `${client}, sasl_method=PLAIN, sasl_username=anna`
  const table: [agent: string, text: string, submitted: boolean, login: string, originalId: string][] = [
    ['smtpd', client, false, '', ''],
    ['smtpd', login, true, 'anna', ''],
    ['smtpd', `${login}@corp.test, sasl_sender=otto@corp.test`, true, 'anna@corp.test', ''],
    ['smtpd', `${login}, orig_queue_id=3F2A1B7C9D, orig_client=pc[192.0.2.1]`, true, 'anna', '3F2A1B7C9D'],
    ['submission/smtpd', client, true, '', ''],
    ['submissions/smtpd', client, true, '', ''],
    ['smtps/smtpd', client, true, '', ''],
    ['pickup', `${ID}: uid=0 from=<root>`, true, '', ''],
    ['x/smtpd', `${client}, orig_queue_id=3F2A1B7C9D, orig_client=pc[192.0.2.1]`, false, '', '3F2A1B7C9D'],
  ]
  for (const [agent, text, submitted, login, originalId] of table) {
    t.match(parse(line(agent, text)), { kind: 'taken', submitted, login, originalId }, `${agent} ${text}`)
  }
  t.end()
})

t.test('what says that a message has come back', (t) => {
  t.match(parse(line('smtpd', `${ID}: client=scan.corp.test[10.0.0.9], orig_queue_id=3F2A1B7C9D`)), {
    client: '10.0.0.9',
    originalId: '3F2A1B7C9D',
  })
  t.match(parse(line('smtpd', `${ID}: client=unknown[2001:db8::9]`)), { client: '2001:db8::9' })
  t.match(parse(line('cleanup', `${ID}: message-id=<a@b.test>`)), {
    kind: 'message-id',
    messageId: '<a@b.test>',
  })
  t.match(parse(line('cleanup', `${ID}: message-id=<${'x'.repeat(999)}`)), { messageId: /^<x{199}$/ })
  t.equal(parse(line('smtpd', `${ID}: message-id=<a@b.test>`)), undefined)
  t.end()
})

t.test('the year of a stamp that has none', (t) => {
  const removed = ' mx postfix/qmgr[12]: ABCDEF0: removed'
  const table: [stamp: string, reference: string, day: string][] = [
    ['Nov 24 05:06:07', '2026-11-24T12:00:00Z', '2026-11-24'],
    ['Nov 25 00:30:00', '2026-11-24T23:30:00Z', '2026-11-25'],
    ['Nov 27 05:06:07', '2026-11-24T12:00:00Z', '2025-11-27'],
    ['Dec 31 23:59:59', '2026-01-02T12:00:00Z', '2025-12-31'],
    ['Jan  1 00:00:01', '2026-01-02T12:00:00Z', '2026-01-01'],
    ['Feb 29 05:06:07', '2026-11-24T12:00:00Z', '2024-02-29'],
    ['Feb 29 05:06:07', '2024-02-27T12:00:00Z', '2020-02-29'],
  ]
  for (const [stamp, reference, day] of table) {
    const event = parse(stamp + removed, Date.parse(reference))
    const at = event !== undefined && 'at' in event ? event.at : Number.NaN
    t.equal(new Date(at).toISOString().slice(0, 10), day, `${stamp} read at ${reference}`)
  }
  const parser = new LineParser(Date.parse('2026-01-02T12:00:00Z'))
  t.equal(parser.stampOf(`Dec 31 00:00:00${removed}`), Date.UTC(2025, 11, 31))
  t.equal(parser.stampOf(`Jan  1 00:00:00${removed}`), Date.UTC(2026, 0, 1), 'in one file across New Year')
  t.equal(parser.stampOf('<22>1 2026-01-01T00:00:00Z x y - - - z'), Date.UTC(2026, 0, 1))
  t.equal(parser.stampOf('no stamp'), undefined)
  t.end()
})

t.test('which relays are other hosts', (t) => {
  const relays: [string, boolean][] = [
    ['mx.b.test[198.51.100.1]:25', true],
    ['mx.b.test[2001:db8::1]:25', true],
    ['smart.corp.test[10.0.0.9]:587', true],
    ['127.0.0.1[127.0.0.1]:10024', false],
    ['localhost[127.0.1.1]:10025', false],
    ['localhost[::1]:25', false],
    ['localhost[::ffff:127.0.0.1]:25', false],
    ['private/dovecot-lmtp', false],
    ['mx.corp.test[private/dovecot-lmtp]', false],
    ['mx.corp.test[/run/lmtp]', false],
    ['toeh', false],
    ['local', false],
    ['none', false],
    ['', false],
  ]
  for (const [relay, is] of relays) t.equal(isOtherHost(relay), is, relay)
  t.end()
})

/** Takes lines in turn; the attempts they give. */
function attemptsOf(lines: readonly string[], tracker = new Tracker()) {
  const parser = new LineParser(NOW)
  return lines.flatMap((text) => {
    const event = parser.parse(text)
    const attempt = event === undefined ? undefined : tracker.take(event)
    return attempt === undefined ? [] : [attempt]
  })
}

const FROM = `${ID}: from=<anna@corp.test>, size=1, nrcpt=1 (queue active)`

t.test('what a delivery is', (t) => {
  const mx = 'relay=mx.b.test[198.51.100.1]:25'
  const table: [agent: string, rest: string, delivered: boolean, outward: boolean][] = [
    ['smtp', `${mx}, delay=1, dsn=2.0.0, status=sent (250)`, true, true],
    ['smtp', `${mx}, delay=1, dsn=4.0.0, status=deferred (450)`, false, true],
    ['smtp', `${mx}, delay=1, dsn=5.1.1, status=bounced (550)`, false, true],
    ['smtp', `${mx}, delay=1, dsn=4.0.0, status=sent (odd)`, false, true],
    ['smtp', 'relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)', false, true],
    ['smtp', 'relay=127.0.0.1[127.0.0.1]:10024, delay=1, dsn=2.0.0, status=sent (250)', false, false],
    ['lmtp', 'relay=mx[private/dovecot-lmtp], delay=1, dsn=2.0.0, status=sent (250)', false, false],
    ['lmtp', `${mx}, delay=1, dsn=2.0.0, status=sent (250)`, false, false],
    ['pipe', 'relay=toeh, delay=1, dsn=2.0.0, status=sent (delivered via toeh service)', false, false],
    ['local', 'relay=local, delay=1, dsn=2.0.0, status=sent (delivered)', false, false],
    ['error', 'relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)', false, false],
  ]
  for (const [agent, rest, delivered, outward] of table) {
    const [attempt] = attemptsOf([line('qmgr', FROM), line(agent, `${ID}: to=<bob@b.test>, ${rest}`)])
    t.match(attempt, { sender: 'anna@corp.test', delivered, outward }, `${agent} ${rest}`)
  }
  t.end()
})

t.test('lines are joined by host and queue id until removed', (t) => {
  const to = `${ID}: to=<bob@b.test>, ${SENT}`
  const senders = (...lines: string[]) => attemptsOf(lines).map(({ sender }) => sender)
  t.strictSame(senders(line('qmgr', FROM), line('smtp', to), line('smtp', to)), [
    'anna@corp.test',
    'anna@corp.test',
  ])
  t.strictSame(senders(line('qmgr', FROM, 'one'), line('smtp', to, 'two')), [undefined], 'another host')
  t.strictSame(senders(line('qmgr', FROM), line('qmgr', `${ID}: removed`), line('smtp', to)), [undefined])
  const cancelled = line('cleanup', `${ID}: removed (canceled)`)
  t.strictSame(senders(line('qmgr', FROM), cancelled, line('smtp', to)), [undefined], '3.10 and newer')
  const other = FROM.replace('anna', 'carl')
  t.strictSame(
    senders(line('qmgr', FROM), line('qmgr', `${ID}: removed`), line('qmgr', other), line('smtp', to)),
    ['carl@corp.test'],
    'an id that comes back',
  )
  const old = `2026-10-04T05:06:07Z mx postfix/qmgr[12]: ${FROM}`
  t.strictSame(senders(old, line('smtp', to)), [undefined], 'what lies too far back is another message')
  t.strictSame(senders(line('qmgr', FROM.replace('anna@corp.test', '')), line('smtp', to)), [''])
  t.end()
})

t.test('what was handed in stays so behind a content filter', (t) => {
  const first = '3F2A1B7C9D'
  const [attempt] = attemptsOf([
    line('submission/smtpd', `${first}: client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username=anna`),
    line('qmgr', `${first}: from=<x@other.test>, size=1, nrcpt=1 (queue active)`),
    line('smtpd', `${ID}: client=pc[192.0.2.1], orig_queue_id=${first}, orig_client=pc[192.0.2.1]`),
    line('qmgr', `${ID}: from=<x@other.test>, size=1, nrcpt=1 (queue active)`),
    line('smtp', `${ID}: to=<bob@b.test>, ${SENT}`),
  ])
  t.match(attempt, { sender: 'x@other.test', submitted: true, login: 'anna', delivered: true })
  t.end()
})

t.test('what is never removed is forgotten', (t) => {
  const tracker = new Tracker()
  for (let day = 1; day <= 28; day++) {
    for (let i = 0; i < 10; i++) {
      const id = `4bQ8Yk2hJ${String(day).padStart(2, '0')}${i}z`
      tracker.take({ kind: 'from', at: Date.UTC(2026, 9, day), host: 'mx', id, sender: 'a@corp.test' })
    }
  }
  t.equal(tracker.size, 110, 'ten days and the one that began them')
  t.end()
})

t.test('a text of its own', (t) => {
  t.equal(ownText('jürgen'), 'jürgen')
  t.end()
})

t.test('no text makes the parser throw, and what it takes for an address is in the line', (t) => {
  const words = fc.constantFrom(
    'Nov  4 05:06:07 ',
    '2026-11-04T05:06:07Z ',
    '<22>1 ',
    'mx ',
    'postfix/smtp[1]: ',
    'postfix/qmgr[1]: ',
    `${ID}: `,
    'to=<',
    'from=<',
    'orig_to=<',
    'relay=',
    'dsn=2.0.0',
    'status=sent',
    'removed',
    'client=',
    '>, ',
    '"',
    '\\',
    ' ',
    '\u{1f600}',
  )
  const lines = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof({ weight: 9, arbitrary: words }, fc.string())).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }).map((text) => line('smtp', `${ID}: to=<${text}>, ${SENT}`)),
  )
  const tracker = new Tracker()
  const parser = new LineParser(NOW)
  fc.assert(
    fc.property(lines, (text) => {
      const event = parser.parse(text)
      if (event === undefined) return true
      tracker.take(event)
      return event.kind !== 'to' || text.includes(`to=<${event.recipient}>, `)
    }),
    { numRuns: 3000 },
  )
  // What Postfix writes of a quoted local part is read back whole.
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const quoted = `"${text.replace(/["\\]/g, '\\$&')}"@evil.test`
      const event = parser.parse(line('smtp', `${ID}: to=<${quoted}>, ${SENT}`))
      return (
        event?.kind === 'to' && event.recipient === quoted && event.relay === 'mx.b.test[198.51.100.1]:25'
      )
    }),
  )
  t.end()
})
