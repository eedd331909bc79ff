/** Injectors: programs that hand mail to Postfix by SMTP are found by their settings, and judged by where they hand it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findInjectors } from '../../lib/doctor/injectors.js'
import { makeFolder } from '../support/lab.js'

t.test('what is set up', (t) => {
  const dir = makeFolder(t)
  t.same(
    findInjectors(dir).filter(({ program }) => program !== 'Dovecot'),
    [],
  )
  for (const list of ['news', 'staff'])
    mkdirSync(join(dir, 'var/spool/mlmmj', list, 'control'), { recursive: true })
  mkdirSync(join(dir, 'var/spool/mlmmj/none'))
  writeFileSync(join(dir, 'var/spool/mlmmj/staff/control/relayhost'), '192.0.2.5\n')
  writeFileSync(join(dir, 'var/spool/mlmmj/staff/control/smtpport'), '2525\n')
  mkdirSync(join(dir, 'etc/mailman3'), { recursive: true })
  writeFileSync(join(dir, 'etc/mailman3/mailman.cfg'), '[mta]\nsmtp_host: localhost\nsmtp_port: 8025\n')
  const doveconf = join(dir, 'doveconf')
  const says = (text: string): void => writeFileSync(doveconf, `#!/bin/sh\ncat <<'END'\n${text}END\n`)
  says(`submission_host = 127.0.0.1:587
protocols = " imap submission"
submission_relay_host = mx.company.example
service submission {
  submission_relay_port = 1
}
`)
  chmodSync(doveconf, 0o755)
  const { PATH } = process.env
  process.env.PATH = `${dir}:${PATH}`
  t.teardown(() => {
    process.env.PATH = PATH
  })
  t.same(
    findInjectors(dir).map(({ program, host, port }) => `${program} ${host}:${port}`),
    [
      'Dovecot 127.0.0.1:587',
      'Dovecot mx.company.example:25',
      'mlmmj 127.0.0.1:25',
      'mlmmj 192.0.2.5:2525',
      'Mailman localhost:8025',
    ],
  )
  const dovecots: [text: string, found: string[]][] = [
    ['protocols {\n  lmtp = yes\n  submission = yes\n}\nsubmission_relay_port = 2525\n', ['127.0.0.1:2525']],
    ['protocols {\n  lmtp = yes\n  submission = no\n}\n', []],
    ['protocols = imap submission\n', ['127.0.0.1:25']],
    ['protocols = " imap lmtp"\nprotocol lmtp {\n  submission_host = 127.0.0.1\n}\n', ['127.0.0.1:25']],
  ]
  for (const [text, found] of dovecots) {
    says(text)
    t.same(
      findInjectors(dir)
        .filter(({ program }) => program === 'Dovecot')
        .map(({ host, port }) => `${host}:${port}`),
      found,
      text,
    )
  }
  t.end()
})
