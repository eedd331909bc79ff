/** The checks about people: approvers whom Postfix has nobody for, and what doveconf(1) says of Sieve. */
import t from 'tap'
import type { Facts } from '../../lib/doctor/facts.js'
import { PEOPLE_CHECKS, sieveIn } from '../../lib/doctor/people.js'

function look(name: string, facts: Partial<Facts>): string[] {
  const check = PEOPLE_CHECKS.find((one) => one.name === name)
  return (check?.look(facts as Facts) ?? []).map(({ level, what }) => `${level}: ${what}`)
}

const ENFORCED = { mode: 'enforce', path: '/etc/toeh/toeh.toml' } as Facts['toeh']

t.test('who reads what notices are answered', (t) => {
  const cases: [mailboxes: string[] | undefined, faults: string[]][] = [
    [undefined, []],
    [['marie@corp.test'], []],
    [[], ['warning: notices come from toeh@corp.test, and nobody reads that mailbox']],
  ]
  for (const [mailboxes, faults] of cases)
    t.strictSame(look('notices', { notice: { from: 'toeh@corp.test', mailboxes }, toeh: ENFORCED }), faults)
  t.end()
})

t.test('approvers', (t) => {
  const approver = (address: string, ...mailboxes: string[]) => ({ address, mailboxes })
  const levels = (...approvers: Facts['approvers']): string[] =>
    look('approvers', { approvers, toeh: ENFORCED })
  t.strictSame(levels(), ['warning: no approvers are named in /etc/toeh/toeh.toml'])
  t.strictSame(look('approvers', { approvers: [], toeh: { ...ENFORCED, mode: 'observe' } }), [])
  t.strictSame(levels(approver('boss@corp.test', 'marie@corp.test')), [])
  t.strictSame(levels(approver('gone@corp.test'), approver('boss@corp.test', 'marie@corp.test')), [
    'warning: Postfix has nobody here of the name gone@corp.test, who is an approver',
  ])
  t.strictSame(levels(approver('gone@corp.test')), [
    'critical: Postfix has nobody here of the name gone@corp.test, who is an approver',
  ])
  t.match(levels({ address: 'boss@corp.test', mailboxes: undefined }), [
    /^unknown: whether boss@corp\.test is an alias/,
  ])
  t.end()
})

const OLD = (more: string): string => `# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
${more}}
protocol lmtp {
  mail_plugins = " quota sieve"
}
`
const NEW = (more: string): string => `dovecot_config_version = 2.4.1
${more}protocol lmtp {
  mail_plugins {
    sieve = yes
  }
}
`

t.test('Sieve, as doveconf says it', (t) => {
  const cases: [text: string, envelopeFrom: string | undefined][] = [
    ['', undefined],
    ['protocol lmtp {\n  mail_plugins = quota\n}\n', undefined],
    ['mail_plugins = imap_sieve\n', undefined],
    [OLD('').replace('" quota sieve"', 'sieve'), 'sender'],
    [
      OLD('  sieve_redirect_envelope_from = recipient\n').replace('" quota sieve"', 'sieve quota'),
      'recipient',
    ],
    [OLD(''), 'sender'], // as it prints a value that begins with a blank
    [OLD('').replaceAll('"', ''), 'sender'],
    [NEW(''), 'sender'],
    [NEW('sieve_redirect_envelope_from = recipient\n'), 'recipient'],
    [NEW('sieve_redirect_envelope_from = <postmaster@corp.test>\n'), '<postmaster@corp.test>'],
  ]
  for (const [text, envelopeFrom] of cases) {
    const sieve = sieveIn(text)
    t.equal(sieve?.envelopeFrom, envelopeFrom, text)
    const held = envelopeFrom !== undefined && envelopeFrom !== 'recipient'
    t.equal(look('forwards', { sieve }).length, held ? 1 : 0)
  }
  t.end()
})
