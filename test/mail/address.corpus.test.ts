/**
 * A public corpus of addresses: the is_email test set by Dominic Sayers (164 addresses, each with its class), as the
 * npm package email-addresses carries it. What the corpus calls valid without quotes, comments, literals or obsolete
 * forms is plain, and nothing else is; the exceptions are named.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { type AddressFault, isSendable, parseAddress } from '../../lib/mail/address.js'
import { readAddress } from '../support/plain.js'

/** Valid by the RFCs, and by the corpus; held all the same. */
const STRICTER: Record<string, AddressFault> = {
  'test@io': 'single-label domain',
  '!#$%&`*+/=?^`{|}~@iana.org': 'percent or bang routing',
}

/** Of more than 64 bytes before the @, and plain all the same: RFC 5321, 4.5.3.1, asks for no limit. */
const LAXER = 'ISEMAIL_RFC5322_LOCAL_TOOLONG'

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The text of an element; control characters stand in it as their pictures, U+2400 and up. */
function textOf(xml: string, element: string): string {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1] ?? ''
  return text
    .replace(/&#x([0-9A-Fa-f]+);/g, (_, number) => String.fromCodePoint(Number.parseInt(number, 16)))
    .replace(/&([a-z]+);/g, (entity, name) => ENTITIES[name] ?? entity)
    .replace(/[\u{2400}-\u{2420}]/gu, (picture) => String.fromCharCode(picture.charCodeAt(0) - 0x2400))
}

function readCorpus(): { address: string; category: string; diagnosis: string }[] {
  const home = dirname(createRequire(import.meta.filename).resolve('email-addresses/package.json'))
  const xml = readFileSync(join(home, 'test/tests.xml'), 'utf8')
  return [...xml.matchAll(/<test id="\d+">(.*?)<\/test>/gs)].map(([, test = '']) => ({
    address: textOf(test, 'address'),
    category: textOf(test, 'category'),
    diagnosis: textOf(test, 'diagnosis'),
  }))
}

t.test('what a public corpus calls plain is plain, and nothing else of it', (t) => {
  const corpus = readCorpus()
  t.equal(corpus.length, 164, 'the whole corpus is there')
  const exceptions = new Set<string>()
  for (const { address, category, diagnosis } of corpus) {
    const actual = parseAddress(address)
    const name = `${diagnosis}: ${JSON.stringify(address)}`
    // DNSWARN: well formed, without an MX record when the corpus was made.
    const isLaxer = diagnosis === LAXER && !address.includes('"')
    const valid = category === 'ISEMAIL_VALID_CATEGORY' || category === 'ISEMAIL_DNSWARN' || isLaxer
    if (isLaxer) exceptions.add(LAXER)
    const stricter = STRICTER[address]
    if (valid && stricter !== undefined) {
      t.strictSame(actual, { plain: false, fault: stricter }, name)
      exceptions.add(address)
    } else t.equal(actual.plain, valid, name)
    t.equal(readAddress(address).verdict !== 'not plain', actual.plain, `the second reading: ${name}`)
    if (actual.plain) t.equal(isSendable(address), true, `it can be sent: ${name}`)
  }
  t.strictSame([...exceptions].sort(), [...Object.keys(STRICTER), LAXER].sort(), 'no exception is idle')
  t.end()
})
