/** SRS: whom a forwarder has rewritten, from the local parts that libsrs2 and postsrsd write. */
import t from 'tap'
import { rewrittenFrom } from '../../lib/mail/srs.js'

const TABLE: [local: string, from: string | undefined, why: string][] = [
  ['anna', undefined, 'a plain one'],
  ['srs', undefined, 'too short'],
  ['srs0', undefined, 'without a separator'],
  ['srs2=h=t=a.test=x', undefined, 'a number that there is none of'],
  ['SRS0=h=t=a.test=x', undefined, 'it takes folded ones'],
  ['srs0=hhh=tt=a.test=x', 'x@a.test', 'rewritten'],
  ['srs0+hhh=tt=a.test=x', 'x@a.test', 'the other separators'],
  ['srs0-hhh=tt=a.test=x', 'x@a.test', 'the other separators'],
  ['srs0=hhh=tt=a.test=b=c', 'b=c@a.test', 'a sign of its own in the local part'],
  ['srs0=hhh=tt=a.test=x+y', 'x+y@a.test', 'an extension'],
  ['srs1=hhh=fwd.test==hhh=tt=a.test=x', 'x@a.test', 'by two forwarders: the first sender'],
  ['srs1=hhh=fwd.test=+hhh=tt=a.test=x', 'x@a.test', 'the separator of the first'],
  ['srs1=hhh=fwd.test=-hhh=tt=a.test=x', 'x@a.test', 'the separator of the first'],
  ['srs0=opaque', '', "a key of postsrsd's database"],
  ['srs0=hhh=tt=a.test=', '', 'no local part'],
  ['srs0=hhh=tt==x', '', 'no domain'],
  ['srs1=hhh=fwd.test=hhh=tt=a.test=x', '', 'without what the first forwarder wrote'],
]

for (const [local, from, why] of TABLE) {
  t.test(`${local}: ${why}`, (t) => {
    t.equal(rewrittenFrom(local), from)
    t.end()
  })
}
