/** Properties of wire.ts: DATA carries every byte, wherever the message was cut, and ends where it ends. */
import fc from 'fast-check'
import t from 'tap'
import { DotStuffing, xtext } from '../../lib/mail/dotstuffing.js'
import { message, unstuff } from '../support/bytes.js'
import { holds } from '../support/property.js'

function encode(pieces: readonly Buffer[]): Buffer {
  const stuffing = new DotStuffing()
  return Buffer.from(pieces.map((piece) => stuffing.push(piece)).join('') + stuffing.end(), 'latin1')
}

t.test('what arrives is what was given, a missing last line end apart', async (t) => {
  const identity = fc.property(message, (pieces) => {
    const bytes = Buffer.concat(pieces)
    const open = bytes.length > 0 && bytes.at(-1) !== 0x0a
    const expected = open ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes
    if (!unstuff(encode(pieces)).equals(expected)) throw new Error(JSON.stringify(bytes.toString('latin1')))
  })
  await holds(t, 'round trip', 12_000, identity)
})

t.test('no line is a lone dot but the last, and no LF stands alone', async (t) => {
  const ends = fc.property(message, (pieces) => {
    const data = encode(pieces)
    const lines = data.toString('latin1').split('\r\n')
    if (lines.indexOf('.') !== lines.length - 2 || lines.at(-1) !== '') throw new Error('it ends early')
    for (let at = data.indexOf(0x0a); at >= 0; at = data.indexOf(0x0a, at + 1)) {
      if (data[at - 1] !== 0x0d) throw new Error(`a bare LF at ${at}`)
    }
  })
  await holds(t, 'one end', 12_000, ends)
})

t.test('cuts change nothing', async (t) => {
  const same = fc.property(message, (pieces) => {
    if (!encode(pieces).equals(encode([Buffer.concat(pieces)]))) throw new Error('not the same in one piece')
  })
  await holds(t, 'pieces', 6000, same)
})

t.test('xtext is one word of printable ASCII and can be read back', async (t) => {
  const words = fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (value) => {
    const coded = xtext(value)
    if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(coded)) throw new Error(coded)
    if (decodeURIComponent(coded.replaceAll('%', '%25').replaceAll('+', '%')) !== value)
      throw new Error(coded)
  })
  await holds(t, 'values', 6000, words)
})
