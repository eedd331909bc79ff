/** Tests of publicsuffix.ts: where strangers register, private suffixes and internationalised ones included. */
import t from 'tap'
import { isAbovePublicSuffix, isPublicSuffix } from '../../lib/mail/publicsuffix.js'

// Domain, is a suffix, has suffixes below it.
const DOMAINS: [string, boolean, boolean][] = [
  ['com', true, true],
  ['co.uk', true, true],
  ['edu.au', true, true],
  ['qld.edu.au', true, false],
  ['github.io', true, false],
  ['s3.amazonaws.com', true, false],
  ['amazonaws.com', false, true],
  ['windows.net', false, true],
  ['foo.ck', true, false], // *.ck
  ['www.ck', false, false], // !www.ck
  ['kawasaki.jp', true, true], // *.kawasaki.jp
  ['any.kawasaki.jp', true, false],
  ['city.kawasaki.jp', false, false], // !city.kawasaki.jp
  ['xn--55qx5d.cn', true, false], // 公司.cn
  ['example.com', false, false],
  ['sub.example.com', false, false],
  ['example.co.uk', false, false],
  ['known.test', false, false],
  ['evilgithub.io', false, false],
]

for (const [domain, suffix, above] of DOMAINS) {
  t.equal(isPublicSuffix(domain), suffix, `${domain} is ${suffix ? 'a' : 'no'} public suffix`)
  t.equal(isAbovePublicSuffix(domain), above, `${domain} has ${above ? 'some' : 'none'} below`)
}
