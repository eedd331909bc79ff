/** Tests of digest.ts: SHA-256 as FIPS 180-4 has it, however the bytes come. test/bin/launch.test.ts has the other way to it. */
import t from 'tap'
import { Sha256, sha256Of } from '../../lib/system/sha256.js'

// https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
const EXAMPLES: [text: string, digest: string][] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
]

t.test('examples, whole and in pieces', (t) => {
  for (const [text, expected] of EXAMPLES) {
    const name = JSON.stringify(text.slice(0, 60))
    t.equal(sha256Of(text).toString('hex'), expected, name)
    const digest = new Sha256()
    for (let at = 0; at < text.length; at += 997) digest.update(Buffer.from(text.slice(at, at + 997)))
    t.equal(digest.end().toString('hex'), expected, `${name}, in pieces`)
  }
  t.equal(
    sha256Of('é').toString('hex'),
    '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c',
    'as UTF-8',
  )
  t.end()
})
