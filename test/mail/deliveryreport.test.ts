/** Delivery reports as Postfix, Exchange and Exim write them, and what is none. */
import t from 'tap'
import { readReport } from '../../lib/mail/deliveryreport.js'

interface Shape {
  type?: string
  action?: string
  group?: string
  returned?: string
  subject?: string
}

function report({
  type = 'multipart/report; report-type=delivery-status;\n\tboundary="4bQ8/mx.corp.test"',
  action = 'failed',
  group = 'Status: 5.2.2\nDiagnostic-Code: X-Postfix; mailbox full',
  returned = 'message/rfc822',
  subject = 'Invoice [toeh x]',
}: Shape = {}): string {
  return `From: MAILER-DAEMON@mx.corp.test
MIME-Version: 1.0
Content-Type: ${type}

This is a MIME-encapsulated message.

--4bQ8/mx.corp.test
Content-Type: text/plain

Subject: no field of a mail

--4bQ8/mx.corp.test
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.corp.test
X-Postfix-Queue-ID: 4bQ8

Final-Recipient: rfc822; full@corp.test
Action: ${action}
${group}

--4bQ8/mx.corp.test
Content-Type: ${returned}

From: TOEH <toeh@corp.test>
Subject: ${subject}

Subject: of the body
--4bQ8/mx.corp.test--
`
}

const SUBJECT = 'Invoice [toeh x]'

t.test('what could not be delivered, and why', (t) => {
  const cases: [name: string, text: string, report: ReturnType<typeof readReport>][] = [
    ['as Postfix writes it', report(), { why: 'mailbox full', subject: SUBJECT }],
    ['with CRLF', report().replaceAll('\n', '\r\n'), { why: 'mailbox full', subject: SUBJECT }],
    [
      'a folded subject',
      report({ subject: 'Invoice\n [toeh x]' }),
      { why: 'mailbox full', subject: SUBJECT },
    ],
    ['only headers', report({ returned: 'text/rfc822-headers' }), { why: 'mailbox full', subject: SUBJECT }],
    ['of SMTPUTF8 mail', report({ returned: 'message/global' }), { why: 'mailbox full', subject: SUBJECT }],
    ['without a diagnosis', report({ group: 'Status: 5.1.1' }), { why: '5.1.1', subject: SUBJECT }],
    ['nothing returned', report({ returned: 'text/plain' }), { why: 'mailbox full', subject: '' }],
    [
      'a bare boundary, another order',
      report({ type: 'multipart/report; boundary=4bQ8/mx.corp.test; report-type=delivery-status' }),
      { why: 'mailbox full', subject: SUBJECT },
    ],
    [
      'the second of two recipients',
      report({ action: 'delayed', group: 'Status: 4.0.0\n\nAction: failed\nStatus: 5.1.1' }),
      { why: '5.1.1', subject: SUBJECT },
    ],
    ['a delay', report({ action: 'delayed' }), undefined],
    ['a success', report({ action: 'delivered' }), undefined],
    ['handed on', report({ action: 'relayed' }), undefined],
    ['no report', report({ type: 'multipart/mixed; boundary="4bQ8/mx.corp.test"' }), undefined],
    ['no boundary', report({ type: 'multipart/report' }), undefined],
    ['another boundary', report({ type: 'multipart/report; boundary=x' }), undefined],
    ['cut before its end', report().slice(0, 330), undefined],
    ['nothing', '', undefined],
  ]
  for (const [name, text, wanted] of cases) t.strictSame(readReport(Buffer.from(text)), wanted, name)
  t.end()
})
