/** Properties of address.ts: nothing but a plain address ever passes, by a reading of the design of its own. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { foldAscii, isSendable, parentDomains, parseAddress, parseDomain } from '../../lib/mail/address.js'
import { fromPunycode, lower, readAddress, toPunycode } from '../support/plain.js'
import { holds } from '../support/property.js'
import { anyText, SCRIPTS, scriptLabel, strangeAddress } from '../support/strange.js'

function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

t.test('the second reading is right itself', (t) => {
  // RFC 3492, 7.1 (A), (B) and (L), and names that are in use.
  const codes: [string, string][] = [
    ['ليهمابتكلموشعربي؟', 'egbpdaj6bu4bxfgehfvwxn'],
    ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
    ['3年b組金八先生', '3b-ww4c5e180e575a65lsy2b'],
    ['bücher', 'bcher-kva'],
    ['аррӏе', '80ak6aa92e'],
    ['рф', 'p1ai'],
  ]
  for (const [text, code] of codes) {
    t.equal(toPunycode(text), code)
    t.equal(fromPunycode(code), text)
  }
  t.match(readAddress('Anna.Bell@CORP.Test'), { verdict: 'plain', key: 'anna.bell@corp.test' })
  t.match(readAddress('a@bücher.test'), { verdict: 'perhaps', key: 'a@xn--bcher-kva.test' })
  for (const text of ['', '@', 'a', 'a@b', 'a%b@c.test', '-a@c.test', 'a@c.1', 'a@c.test.', 'a@b@c.test']) {
    t.equal(readAddress(text).verdict, 'not plain', text)
  }
  t.end()
})

t.test('what passes is what the design calls plain, and it has that key', async (t) => {
  const seen = { plain: 0, perhaps: 0, 'not plain': 0, internationalised: 0, odd: 0 }
  const agrees = fc.property(strangeAddress, (text) => {
    const actual = parseAddress(text)
    const expected = readAddress(text)
    seen[expected.verdict]++
    if (expected.verdict === 'not plain') {
      assert(!actual.plain, 'it passes and is not plain')
      const { odd } = expected
      if (odd === undefined)
        return assert(actual.domain === undefined, `it is not surely at ${actual.domain}`)
      seen.odd++
      if (actual.domain === undefined) return assert(!odd.sure, `it is at ${odd.domain} and has a fault`)
      return assert(actual.domain === odd.domain && actual.key === odd.key, `its key is ${actual.key}`)
    }
    if (!actual.plain)
      return assert(expected.verdict === 'perhaps', `it is plain and has a fault: ${actual.fault}`)
    if (expected.verdict === 'perhaps') seen.internationalised++
    const { local, domain, key } = expected
    assert(
      actual.local === local && actual.domain === domain && actual.key === key,
      `its key is ${actual.key}`,
    )
  })
  await holds(t, 'agreement', 40_000, agrees)
  const all = seen.plain + seen.perhaps + seen['not plain']
  for (const [kind, count] of Object.entries(seen)) {
    t.ok(count > all / 100, `${kind}: ${count} of ${all}, so that the comparison says something`)
  }
})

t.test('names of many scripts are plain, and their A-label is theirs alone', async (t) => {
  const passes = fc.property(scriptLabel, scriptLabel, (first, second) => {
    const text = `a@${first}.${second}.test`
    const expected = `xn--${toPunycode(first)}.xn--${toPunycode(second)}.test`
    // Two labels of twelve letters stay far below every limit.
    const actual = parseAddress(text)
    assert(actual.plain && actual.domain === expected, JSON.stringify(actual))
    const again = parseDomain(expected.toUpperCase())
    assert(again.plain && again.domain === expected, `as A-labels: ${JSON.stringify(again)}`)
  })
  await holds(t, `${Object.keys(SCRIPTS).length} scripts`, 5000, passes)
})

t.test('an address that is folded already is read as one that is not', async (t) => {
  // The first is read in one step where it can be, the second never is.
  const agrees = fc.property(strangeAddress, (text) => {
    if (!/^[\x21-\x7e]*$/.test(text)) return
    const [folded, unfolded] = [parseAddress(lower(text)), parseAddress(text.toUpperCase())]
    assert(isDeepStrictEqual(folded, unfolded), `${JSON.stringify(folded)} ${JSON.stringify(unfolded)}`)
  })
  await holds(t, 'agreement', 10_000, agrees)
})

t.test('a key is its own key', async (t) => {
  const idempotent = fc.property(strangeAddress, (text) => {
    const address = parseAddress(text)
    if (address.key === undefined) return
    const again = parseAddress(address.key)
    assert(again.key === address.key && again.domain === address.domain, JSON.stringify(again))
    assert(again.plain === address.plain, 'as odd as it was')
    if (!address.plain) return
    assert(JSON.stringify(again) === JSON.stringify(address), JSON.stringify(again))
    assert(
      !/[^\x21-\x7e]/.test(address.key) && address.key === `${address.local}@${address.domain}`,
      address.key,
    )
    const domain = parseDomain(address.domain)
    assert(domain.plain && domain.domain === address.domain, JSON.stringify(domain))
  })
  await holds(t, 'idempotence', 20_000, idempotent)
})

t.test('only the case of ASCII letters makes no difference', async (t) => {
  const folds = fc.property(fc.oneof(anyText, strangeAddress), (text) => {
    const folded = foldAscii(text)
    assert(folded === lower(text), folded)
    assert(parseAddress(folded).plain === parseAddress(text).plain, 'the fold is plain where the text is not')
  })
  await holds(t, 'folding', 20_000, folds)
  const everyUnit = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit))
  t.strictSame(
    everyUnit.filter((unit) => foldAscii(unit) !== unit).join(''),
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    'of all 65,536 units',
  )
})

t.test('parents begin behind a dot', async (t) => {
  const boundaries = fc.property(fc.oneof(anyText, strangeAddress), (text) => {
    const domain = text.slice(text.lastIndexOf('@') + 1)
    const expected: string[] = []
    for (let at = 0; at < domain.length; at++) {
      const rest = domain.slice(at + 1)
      if (domain[at] === '.' && rest.includes('.')) expected.push(rest)
    }
    const actual = parentDomains(domain)
    assert(JSON.stringify(actual) === JSON.stringify(expected), JSON.stringify(actual))
  })
  await holds(t, 'label boundaries', 20_000, boundaries)
})

/** Where an SMTP server sees a path end that begins at `<`: the first `>` outside quotes (RFC 5321, 4.1.2). */
function endOfPath(command: string): number {
  let quoted = false
  for (let at = command.indexOf('<') + 1; at < command.length; at++) {
    const character = command[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === '>' && !quoted) return at
  }
  return -1
}

t.test('what can be sent ends where its command ends', async (t) => {
  let sendable = 0
  const whole = fc.property(strangeAddress, (text) => {
    const actual = isSendable(text)
    const reading = readAddress(text)
    if (reading.verdict === 'plain') assert(actual, 'a plain address can be sent')
    // What the decision can pass as internal, or by an exact rule, must not wait for ever in Postfix's queue.
    const single = new Set([lower(text.slice(text.lastIndexOf('@') + 1))])
    if (parseAddress(text, single).domain !== undefined) assert(actual, 'what may pass can be sent')
    if (!actual) return
    sendable++
    for (const forbidden of ['\r', '\n', '\0', '\u{fffd}'])
      assert(!text.includes(forbidden), JSON.stringify(forbidden))
    const command = `RCPT TO:<${text}>`
    assert(endOfPath(command) === command.length - 1, `the path ends at ${endOfPath(command)}`)
    assert(Buffer.from(text).toString() === text, 'it is not the same once it is UTF-8')
    // A quoted local part may hold them (RFC 5321, Quoted-string); nothing else may.
    if (/[<> ]/.test(text))
      assert(text.startsWith('"') && !/[<> ]/.test(text.slice(text.lastIndexOf('"'))), 'bare')
  })
  await holds(t, 'commands', 30_000, whole)
  t.ok(sendable > 1000, `${sendable} of them could be sent`)
})
