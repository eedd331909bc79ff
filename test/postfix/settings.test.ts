/** Postfix's set-up: the gate's service, a setting as a service has it, and commands that a shell takes. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { parseServices } from '../../lib/postfix/mastercf.js'
import {
  ADDRESS_CLASSES,
  gateOf,
  instanceCommand,
  postconf,
  quote,
  settingOf,
} from '../../lib/postfix/settings.js'

const EXPECTED = 'toeh unix - n n - 10 pipe argv=/usr/lib/toeh/toeh-filter'

/** The id of the gate in this master.cf. */
function gate(master: string): string | undefined {
  const [expected] = parseServices(EXPECTED)
  return gateOf({ services: parseServices(master), expected: { gate: expected } as never })?.id
}

t.test("the gate's service", (t) => {
  const table: [name: string, master: string, id: string | undefined][] = [
    ['none', 'smtp inet n - n - - smtpd', undefined],
    [
      'by its program, whatever its name',
      'wall unix - n n - - pipe argv=/opt/t/toeh-filter --x',
      'wall/unix',
    ],
    ['behind another program', 'wall unix - n n - - pipe argv=/usr/bin/nice /opt/t/toeh-filter', 'wall/unix'],
    ['by its name, where it runs something else', 'toeh unix - n n - - pipe argv=/bin/cat', 'toeh/unix'],
    [
      'its program before its name',
      'toeh unix - n n - - pipe argv=/bin/cat\nwall unix - n n - - pipe argv=/opt/t/toeh-filter',
      'wall/unix',
    ],
    ['a program of that name under no pipe(8)', 'x unix - n n - - spawn argv=/opt/t/toeh-filter', undefined],
  ]
  for (const [name, master, id] of table) t.equal(gate(master), id, name)
  t.end()
})

t.test("a setting: the service's own, else main.cf's", (t) => {
  const [own, other] = parseServices('a inet n - n - - smtpd -o x=1 -o y=\nb inet n - n - - smtpd')
  if (own === undefined || other === undefined) throw new Error('no services')
  const facts = {
    main: new Map([
      ['x', '2'],
      ['y', '3'],
    ]),
  }
  t.strictSame([settingOf(facts, own, 'x'), settingOf(facts, other, 'x')], ['1', '2'])
  t.equal(settingOf(facts, own, 'y'), '', 'an empty one is one')
  t.equal(settingOf(facts, other, 'z'), '')
  t.end()
})

t.test('commands, of the instance that is meant', (t) => {
  t.equal(postconf({ configDir: undefined }, '-e', 'x=yes'), 'postconf -e x=yes')
  t.equal(postconf({ configDir: '/etc/postfix-b' }, '-MX', 'a/inet'), 'postconf -c /etc/postfix-b -MX a/inet')
  t.equal(instanceCommand({ configDir: '/e b' }, 'postfix', 'reload'), "postfix -c '/e b' reload")
  t.end()
})

t.test('a word for the shell is that word to the shell', (t) => {
  t.equal(quote('a/b.c-d_e:f=g@h%i+j,k'), 'a/b.c-d_e:f=g@h%i+j,k')
  const words = [
    '',
    'a b',
    "it's",
    '$HOME',
    '`id`',
    '"',
    '\\',
    '*',
    '{x}',
    'a\nb',
    "''",
    '!x',
    '~',
    '#',
    ';',
    'é',
  ]
  const script = `printf '%s\\0' ${words.map(quote).join(' ')}`
  const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
  t.strictSame(said.split('\0').slice(0, -1), words)
  t.end()
})

t.test("the parameters that name Postfix's own domains", (t) => {
  t.strictSame(ADDRESS_CLASSES, [
    'mydestination',
    'virtual_alias_domains',
    'virtual_mailbox_domains',
    'relay_domains',
  ])
  t.end()
})
