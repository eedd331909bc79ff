/** Tests of holdid.ts: the same message, the same id; and ids as people type them. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { holdIdOf, readHoldId } from '../../lib/hold/id.js'

/** The id, worked out another way: bit by bit from the text of the digest. */
function expected(queueId: string, sender: string, sha256: string): string {
  const digest = createHash('sha256').update(`${queueId}\0${sender}\0${sha256}`).digest()
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const used = bits.slice(0, 30) + bits.slice(32, 62)
  return (used.match(/.{5}/g) ?? [])
    .map((five) => '0123456789abcdefghjkmnpqrstvwxyz'[Number.parseInt(five, 2)])
    .join('')
}

t.test('an id is made of queue id, sender and digest', (t) => {
  const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const ids = new Set<string>()
  for (const queueId of ['4bQ8Yk2hJnz1', '4bQ8Yk2hJnz2', 'ABCD']) {
    for (const sender of ['', 'anna@corp.test', 'Anna@corp.test']) {
      for (const sha256 of [digest, digest.replace('e', 'f')]) {
        const id = holdIdOf(queueId, sender, sha256)
        t.equal(id, expected(queueId, sender, sha256))
        t.equal(id, holdIdOf(queueId, sender, sha256), 'and stays')
        t.equal(readHoldId(id), id, 'and can be typed')
        ids.add(id)
      }
    }
  }
  t.equal(ids.size, 18, 'all different')
  t.not(holdIdOf('A', 'BC', digest), holdIdOf('AB', 'C', digest), 'the parts do not run together')
  t.end()
})

t.test('leading zeros are kept', (t) => {
  const some = Array.from({ length: 2000 }, (_, n) => holdIdOf(`Q${n}`, '', ''))
  t.strictSame(
    some.filter((id) => !/^[0-9a-hjkmnp-tv-z]{12}$/.test(id)),
    [],
  )
  t.ok(some.some((id) => id.startsWith('0')))
  t.equal(new Set(some).size, 2000)
  t.end()
})

t.test('reading an id', (t) => {
  const typed: [string, string | undefined][] = [
    ['7k3m9x2p4q5r', '7k3m9x2p4q5r'],
    ['7K3M9X2P4Q5R', '7k3m9x2p4q5r'],
    ['oOiIlL000000', '001111000000'],
    ['7k3m9x2p4q5', undefined],
    ['7k3m9x2p4q5rr', undefined],
    ['7k3m9x2p4q5u', undefined], // Crockford leaves u out
    ['7k3m-9x2p-4q5', undefined],
    [' 7k3m9x2p4q5r', undefined],
    ['7k3m9x2p4q5r\n', undefined],
    ['../../../etc', undefined],
    ['', undefined],
  ]
  for (const [text, id] of typed) t.equal(readHoldId(text), id, JSON.stringify(text))
  t.end()
})
