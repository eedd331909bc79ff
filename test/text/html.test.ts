/** HTML: no text makes, ends or changes an element, and nothing in it hides. */
import t from 'tap'
import { escapeHtml, safe } from '../../lib/text/html.js'

t.test('text for elements and attributes', (t) => {
  t.equal(escapeHtml(`<a href="x" title='y'>&`), '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;')
  t.equal(escapeHtml('&lt;'), '&amp;lt;', 'what looks escaped is text as well')
  t.end()
})

t.test('what others have brought', (t) => {
  t.equal(safe('a.b@c.test'), '<bdi>a.b<wbr>@c.test</bdi>')
  t.equal(safe('a.b@c.test', '@.'), '<bdi>a<wbr>.b<wbr>@c<wbr>.test</bdi>')
  t.equal(safe('<b>\u{202e}\0&#64;'), '<bdi>&lt;b&gt;\\u{202e}\\u{0}&amp;#64;</bdi>')
  t.end()
})
