/** master.cf: services read from what postconf prints and from the sample, and written again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandOf, hostOf, lineOf, parseServices, portOf, withPair } from '../../lib/postfix/mastercf.js'
import { ROOT } from '../support/lab.js'

t.test('the sample has three services', (t) => {
  const [gate, back, cleanup, ...others] = parseServices(readFileSync(join(ROOT, 'master.cf.sample'), 'utf8'))
  t.same(others, [])
  t.match(gate, { id: 'toeh/unix', unprivileged: 'n', chroot: 'n', processLimit: '10', program: 'pipe' })
  t.same([...(gate?.options ?? [])], [['soft_bounce', 'yes']])
  t.same(gate?.attributeWords, ['flags=q', 'user=toeh:toeh', 'directory=/var/lib/toeh', 'null_sender='])
  t.equal(gate?.argv[0], '/usr/lib/toeh/toeh-filter')
  t.equal(gate?.argv.at(-2), '--')
  t.match(back, { id: '127.0.0.1:10026/inet', program: 'smtpd', processLimit: '20' })
  t.equal(back?.options.get('content_filter'), '')
  t.equal(back?.options.get('mynetworks'), '127.0.0.0/8')
  t.equal(back?.options.get('cleanup_service_name'), cleanup?.name)
  t.match(cleanup, { id: 'toeh-cleanup/unix', private: 'n', program: 'cleanup' })
  t.same([...(cleanup?.options.values() ?? [])], ['', '', '', '', ''])
  t.end()
})

t.test('comments, lines that go on, and values with blanks', (t) => {
  const text = [
    '# comment',
    'submission inet n - y - - smtpd',
    '  # within',
    '  -o {smtpd_recipient_restrictions = permit_sasl_authenticated, reject}',
    '',
    '\t-o content_filter=toeh:dummy',
    '[::1]:smtp inet n - n - - smtpd',
    '  -o { header_checks = regexp:{ { /a{1,2} b/ HOLD } } } -o x=y',
  ].join('\n')
  const [one, two] = parseServices(text)
  t.same(
    [...(one?.options ?? [])],
    [
      ['smtpd_recipient_restrictions', 'permit_sasl_authenticated, reject'],
      ['content_filter', 'toeh:dummy'],
    ],
  )
  t.same(
    [...(two?.options ?? [])],
    [
      ['header_checks', 'regexp:{ { /a{1,2} b/ HOLD } }'],
      ['x', 'y'],
    ],
    'however deep braces go',
  )
  t.same(
    [one, two].map((service) => service && [hostOf(service), portOf(service)]),
    [
      ['', 'submission'],
      ['::1', 'smtp'],
    ],
  )
  t.equal(
    one && commandOf(one),
    'smtpd -o {smtpd_recipient_restrictions = permit_sasl_authenticated, reject} -o content_filter=toeh:dummy',
  )
  t.end()
})

t.test('what is written is read again as the same', (t) => {
  for (const service of parseServices(readFileSync(join(ROOT, 'master.cf.sample'), 'utf8'))) {
    t.notMatch(lineOf(service), '\n')
    t.same(parseServices(lineOf(service)), [service])
  }
  t.end()
})

t.test('a pair is put in the place of those of its name', (t) => {
  t.same(withPair(['a=1', 'flags=R', 'b=2'], 'flags', 'q'), ['a=1', 'flags=q', 'b=2'])
  t.same(withPair(['a=1', 'flags=R', 'b=2', 'flags=D'], 'flags', 'q'), ['a=1', 'flags=q', 'b=2'])
  t.same(withPair(['a=1'], 'null_sender', ''), ['a=1', 'null_sender='])
  t.same(withPair(['a=1', 'size=9'], 'size', undefined), ['a=1'])
  t.end()
})
