/** What the examples draw: the pictures in the documents. */
import t from 'tap'
import { makeNotices } from '../examples/make-notice.js'
import { makeReport } from '../examples/make-report.js'

t.test('generated mail, decided and drawn; the same for the same seed', (t) => {
  const page = makeReport(1, 1500)
  t.match(page, '<h1>Outgoing mail of <bdi>company.example</bdi></h1>')
  t.match(page, /<b>[0-9],[0-9]{3}<\/b><span>passed, of [0-9],[0-9]{3} messages</)
  t.match(page, /Half were released within [0-9]+h/)
  t.equal(page, makeReport(1, 1500))
  t.not(page, makeReport(2, 1500))
  t.end()
})

t.test('notices, in both languages', (t) => {
  t.match(makeNotices('en').notice, /<b>release and know<\/b>/)
  t.match(makeNotices('fr').digest, 'À approuver : 3 messages')
  t.end()
})
