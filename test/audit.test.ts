/** Tests of audit.ts: the hash that chains one deed to the one before. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { chainHash, type Deed } from '../lib/audit.js'

const DEED: Deed = {
  at: 1700000000000,
  who: 'anna',
  what: 'allow',
  subject: 'known.test',
  was: '',
  now: 'allow',
}

t.test('the hash is SHA-256 over a JSON array, in hexadecimal', (t) => {
  const text = '["",1700000000000,"anna","allow","known.test","","allow"]'
  t.equal(chainHash('', DEED), createHash('sha256').update(text).digest('hex'))
  t.match(chainHash('', DEED), /^[0-9a-f]{64}$/)
  // Pinned: what is on disk must verify with the next version too.
  t.equal(chainHash('', DEED), '91c86a1b1717e40f681e4a0ebe1db306e1a02f880da5cea0ed7d6eb636a02d29')
  t.end()
})

t.test('every part counts, and where one ends and the next begins', (t) => {
  const deeds: [string, Deed][] = [
    ['', DEED],
    ['x', DEED],
    ['', { ...DEED, at: DEED.at + 1 }],
    ['', { ...DEED, who: 'bob' }],
    ['', { ...DEED, what: 'block' }],
    ['', { ...DEED, subject: 'known.tes' }],
    ['', { ...DEED, was: 'block' }],
    ['', { ...DEED, now: '' }],
    ['', { ...DEED, who: 'annaallow', what: '' }],
    ['', { ...DEED, who: 'anna","allow', what: '' }],
    ['', { ...DEED, was: 'allow', now: '' }],
  ]
  t.equal(new Set(deeds.map(([previous, deed]) => chainHash(previous, deed))).size, deeds.length)
  t.equal(chainHash('x', { ...DEED }), chainHash('x', DEED))
  t.end()
})
