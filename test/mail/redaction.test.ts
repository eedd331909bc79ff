/** Redaction: whose address is in a text, and whose only looks like it. */
import t from 'tap'
import { Redaction } from '../../lib/mail/redaction.js'

const JEAN = new Redaction(new Map([['jean.b+x@supplier.example', 'erased-k3m9x2']]))

t.test('what names them, and what names somebody else', (t) => {
  const table: [text: string, left: string][] = [
    ['jean.b+x@supplier.example', 'erased-k3m9x2'],
    ['JEAN.B+X@Supplier.Example', 'erased-k3m9x2'],
    ['<jean.b+x@supplier.example>: gone', '<erased-k3m9x2>: gone'],
    ["'jean.b+x@supplier.example', to=jean.b+x@supplier.example.", "'erased-k3m9x2', to=erased-k3m9x2."],
    ['7k3m9q2x4v0a jean.b+x@supplier.example', '7k3m9q2x4v0a erased-k3m9x2'],
    ['list-bounces+jean.b+x=supplier.example@corp.test', 'list-bounces+erased-k3m9x2@corp.test'],
    ['SRS0=ab=cd=supplier.example=jean.b+x@corp.test', 'SRS0=ab=cd=erased-k3m9x2@corp.test'],
    ['jeanxb+x@supplier.example', ''],
    ['a.jean.b+x@supplier.example', ''],
    ['\u00e9jean.b+x@supplier.example', ''],
    ['jean.b+x@supplier.example.net', ''],
    ['jean.b+x@supplier.examples', ''],
    ['jean.b@supplier.example', ''],
    ['supplier.example', ''],
    ['', ''],
  ]
  for (const [text, left] of table) {
    t.equal(JEAN.touches(text), left !== '', text)
    t.equal(JEAN.redact(text), left === '' ? text : left, text)
  }
  t.end()
})

t.test('in JSON, in each of its texts, also where it is quoted', (t) => {
  const odd = new Redaction(new Map([['"jean b"@a.test', 'erased-1']]))
  t.ok(odd.touches(JSON.stringify({ to: '"jean b"@a.test' })))
  t.strictSame(JEAN.redactAll({ a: ['jean.b+x@supplier.example', 1, null], b: { c: true } }), {
    ...{ a: ['erased-k3m9x2', 1, null], b: { c: true } },
  })
  t.end()
})

t.test('within the length that there is a pseudonym loses its beginning', (t) => {
  const short = new Redaction(new Map([['a@b.fr', 'erased-k3m9x2']]))
  t.equal(short.redactWithin('to a@b.fr, a@b.fr'), 'to k3m9x2, k3m9x2')
  t.equal(JEAN.redactWithin('to jean.b+x@supplier.example'), 'to erased-k3m9x2')
  t.strictSame(JSON.parse(short.domains), ['b.fr'])
  t.end()
})

t.test('a pseudonym has no meaning in what it stands in', (t) => {
  const one = new Redaction(new Map([['a@b.fr', '$&$1']]))
  t.equal(one.redact('x a@b.fr'), 'x $&$1')
  t.end()
})
