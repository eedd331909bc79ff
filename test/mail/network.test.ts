/** Networks: read strictly, written shortest, and which lies in which. */
import t from 'tap'
import {
  covers,
  isLoopbackNetwork,
  isMapped,
  nearestNetwork,
  networkText,
  parseNetwork,
} from '../../lib/mail/network.js'

t.test('read and written', (t) => {
  const table: [text: string, written: string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1/32', '192.0.2.1'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['[::1]/128', '::1'],
    ['::1', '::1'],
    ['::', '::'],
    ['[2001:DB8::]/32', '2001:db8::/32'],
    ['[2001:db8::/32]', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fe80::/64', 'fe80::/64'],
    ['::ffff:127.0.0.0/104', '::ffff:7f00:0/104'],
    ['192.0.2.1/24', undefined],
    ['2001:db8::1/32', undefined],
    ['192.0.2.0/33', undefined],
    ['192.0.2', undefined],
    ['192.0.2.256', undefined],
    ['192.0.02.1', undefined],
    ['1.2.3.4.5', undefined],
    ['::1::', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['12345::', undefined],
    ['::ffff:300.0.0.1', undefined],
    ['example', undefined],
    ['', undefined],
    ['/24', undefined],
    ['hash:/etc/postfix/networks', undefined],
    ['!192.0.2.1', undefined],
  ]
  for (const [text, written] of table) {
    const network = parseNetwork(text)
    t.equal(network && networkText(network), written, text)
    if (written !== undefined) t.same(parseNetwork(written), network, `${written} means the same`)
  }
  const nearest = nearestNetwork('10.1.2.3/8')
  t.equal(nearest && networkText(nearest), '10.0.0.0/8')
  t.equal(nearestNetwork('host.example'), undefined)
  t.end()
})

t.test('which lies in which', (t) => {
  const table: [one: string, other: string, covered: boolean][] = [
    ['10.0.0.0/8', '10.99.0.2', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.99.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:ffff::1', false],
  ]
  for (const [one, other, covered] of table) {
    const [outer, inner] = [parseNetwork(one), parseNetwork(other)]
    if (outer === undefined || inner === undefined) throw new Error(one)
    t.equal(covers(outer, inner), covered, `${one} ${other}`)
  }
  for (const [text, is] of [
    ['::ffff:127.0.0.0/104', true],
    ['::ffff:192.0.2.1', true],
    ['::/0', false],
    ['::1', false],
    ['192.0.2.1', false],
  ] as const) {
    const network = parseNetwork(text)
    t.equal(network && isMapped(network), is, text)
  }
  for (const [text, is] of [
    ['127.0.0.0/8', true],
    ['127.8.0.2', true],
    ['::1', true],
    ['::ffff:127.0.0.0/104', true],
    ['126.0.0.0/7', false],
    ['10.0.0.1', false],
  ] as const) {
    const network = parseNetwork(text)
    t.equal(network && isLoopbackNetwork(network), is, text)
  }
  t.end()
})
