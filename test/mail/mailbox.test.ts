/** Mailbox: whose an address and a login are, who may be behind a message, and where no notice may go. */
import t from 'tap'
import {
  type Delimiters,
  isDelimiters,
  isOwnSender,
  isReturnPath,
  loginMailboxes,
  mailboxesOf,
  mailboxOf,
  noticeName,
  type Senders,
  senderOf,
  sendersBehind,
} from '../../lib/mail/mailbox.js'

const PEOPLE = {
  internal: new Set(['corp.test', 'shop.test']),
  senders: new Set(['@printer.test', 'news@b.test']),
  delimiters: '+' as Delimiters,
  logins: new Map([
    ['boss', 'Chief@corp.test'],
    ['D.E', 'deputy@other.test'],
    ['eva@corp.test', 'eva.long@corp.test'],
  ]),
}

t.test('an address without its extension, as split_addr.c of Postfix has it', (t) => {
  const cases: [string, Delimiters, string][] = [
    ['anna+x@corp.test', '+', 'anna@corp.test'],
    ['anna+x+y@corp.test', '+', 'anna@corp.test'],
    ['anna+@corp.test', '+', 'anna@corp.test'],
    ['anna@corp.test', '+', 'anna@corp.test'],
    ['+anna@corp.test', '+', '+anna@corp.test'],
    ['+anna+x@corp.test', '+', '+anna+x@corp.test'],
    ['anna-x@corp.test', '+', 'anna-x@corp.test'],
    ['anna-x+y@corp.test', '+-', 'anna@corp.test'],
    ['anna-x+y@corp.test', '+', 'anna-x@corp.test'],
    ['anna+x@a+b.test', '+', 'anna@a+b.test'],
    ['anna@a-b.test', '-', 'anna@a-b.test'],
    ['anna+x@corp.test', '', 'anna+x@corp.test'],
    ['anna+x@corp.test', undefined, 'anna+x@corp.test'],
    ['@corp-x.test', '-', '@corp-x.test'],
    ['accounting-eu', '-', 'accounting-eu'],
  ]
  for (const [key, delimiters, mailbox] of cases) {
    t.equal(mailboxOf(key, delimiters), mailbox, `${key} ${delimiters}`)
    if (delimiters !== undefined)
      t.strictSame(mailboxesOf(key, delimiters), [mailbox], `${key} ${delimiters}`)
  }
  t.end()
})

t.test('where nobody has said what begins an extension, any sign may', (t) => {
  const cases: [string, string[]][] = [
    ['anna@corp.test', []],
    ['anna9@corp.test', []],
    ['anna.b+c@corp.test', ['anna', 'anna.b']],
    ['a_b=c-d#e@corp.test', ['a', 'a_b', 'a_b=c', 'a_b=c-d']],
    ['+anna@corp.test', []],
  ]
  for (const [key, more] of cases)
    t.strictSame(mailboxesOf(key, undefined), [key, ...more.map((local) => `${local}@corp.test`)], key)
  t.end()
})

t.test('what can be a delimiter', (t) => {
  for (const good of ['', '+', '+-', '=', '_.', '\'"\\`~{}']) t.equal(isDelimiters(good), true, good)
  for (const bad of ['@', '+@', 'a', 'Z', '0', ' ', '+ ', '\u{ad}', 'ü', '\n', '\x7f'])
    t.equal(isDelimiters(bad), false, JSON.stringify(bad))
  t.end()
})

t.test('whose a login is', (t) => {
  const cases: [string, string[] | undefined][] = [
    ['', []],
    ['anna@corp.test', ['anna@corp.test']],
    ['ANNA@Corp.Test', ['anna@corp.test']],
    ['anna+x@corp.test', ['anna@corp.test']],
    ['anna', ['anna@corp.test', 'anna@shop.test']],
    ['Anna+x', ['anna@corp.test', 'anna@shop.test']],
    ['anna@REALM', ['anna@corp.test', 'anna@shop.test']],
    ['CORP\\anna', ['anna@corp.test', 'anna@shop.test']],
    ['anna@other.test', ['anna@other.test', 'anna@corp.test', 'anna@shop.test']],
    ['boss', ['chief@corp.test']],
    ['BOSS', ['chief@corp.test']],
    ['boss@corp.test', ['boss@corp.test', 'chief@corp.test']],
    ['CORP\\boss', ['chief@corp.test', 'boss@corp.test', 'boss@shop.test']],
    ['d.e', ['deputy@other.test']],
    ['eva@corp.test', ['eva.long@corp.test']],
    ['eva', ['eva.long@corp.test', 'eva@corp.test', 'eva@shop.test']],
    ['eva@shop.test', ['eva@shop.test']],
    ['J\u{fc}rgen M\u{fc}ller', undefined],
    ['@corp.test', undefined],
    ['a b@corp.test', undefined],
    ['"anna"@corp.test', undefined],
  ]
  for (const [login, mailboxes] of cases) t.strictSame(loginMailboxes(login, PEOPLE), mailboxes, login)
  t.strictSame(
    loginMailboxes('a.b', { ...PEOPLE, internal: new Set(['corp.test']), delimiters: undefined }),
    ['a.b@corp.test', 'a@corp.test'],
    'with the strict reading of extensions',
  )
  t.end()
})

t.test('who may be behind a message', (t) => {
  const cases: [string | undefined, string, Senders][] = [
    ['anna+x@corp.test', '', { own: 'anna@corp.test', others: [], anybody: false }],
    ['Anna@Corp.test', 'anna@corp.test', { own: 'anna@corp.test', others: [], anybody: false }],
    [
      'info@corp.test',
      'anna@corp.test',
      { own: 'info@corp.test', others: ['anna@corp.test'], anybody: false },
    ],
    ['', '', { own: undefined, others: [], anybody: true }],
    ['', 'anna@corp.test', { own: undefined, others: ['anna@corp.test'], anybody: true }],
    ['a%b@corp.test', '', { own: undefined, others: [], anybody: true }],
    ['"anna"@corp.test', '', { own: undefined, others: [], anybody: true }],
    ['anna@corp.test', 'M\u{fc}ller', { own: 'anna@corp.test', others: [], anybody: true }],
    [undefined, '', { own: undefined, others: [], anybody: false }],
  ]
  for (const [sender, login, senders] of cases)
    t.strictSame(sendersBehind({ sender, login }, PEOPLE), senders, `${sender} ${login}`)
  t.strictSame(
    sendersBehind({ sender: 'anna.b@corp.test', login: '' }, { ...PEOPLE, delimiters: undefined }),
    {
      own: 'anna.b@corp.test',
      others: ['anna@corp.test'],
      anybody: false,
    },
  )
  t.end()
})

t.test('addresses whose mail programs read', (t) => {
  const programs = [
    'list-bounces+anna=x.test',
    'list-bounces',
    'bounces',
    'bounce',
    'bounce+4711',
    'bounce-md_123.abc',
    'news.bounces',
    'list-return-12-anna=x.test',
    'prvs=0123456789=anna',
    'srs0=hhh=tt=x.test=anna',
    'btv1==012',
    'owner-list',
    'list-owner',
    'list-request',
    'list-confirm+0123abc',
    'mailer-daemon',
    'mailer-daemon+x',
    'double-bounce',
  ]
  const people = [
    'anna',
    'anna+list',
    'bouncer',
    'anna.bouncey',
    'owner',
    'landowner-x',
    'request',
    'returns',
    'confirmation',
  ]
  for (const local of programs) t.equal(isReturnPath(`${local}@corp.test`), true, local)
  for (const local of people) t.equal(isReturnPath(`${local}@corp.test`), false, local)
  t.equal(isReturnPath('anna@bounces.corp.test'), false, 'the local part alone')
  t.end()
})

t.test('under which name notices are counted', (t) => {
  const cases: [string, Delimiters, string][] = [
    ['anna@corp.test', '+', 'anna@corp.test'],
    ['ANNA+x@Corp.test', '+', 'anna@corp.test'],
    ['anna+y@corp.test', undefined, 'anna@corp.test'],
    ['anna.b@corp.test', undefined, 'anna.b@corp.test'],
    ['anna-x@corp.test', '-', 'anna@corp.test'],
    ['anna+x@corp.test', '-', 'anna+x@corp.test'],
    ['list-bounces+anna=x.test@corp.test', '+', 'list@corp.test'],
    ['list-bounces+otto=y.test@corp.test', '', 'list@corp.test'],
    ['bounce+1@shop.test', '', 'bounce@shop.test'],
    ['', '+', ''],
    ['x@other.test', '+', ''],
    ['y@third.test', '+', ''],
    ['a%b@corp.test', '+', ''],
    ['Scanner@printer.test', '+', 'scanner@printer.test'],
    ['news+7@b.test', '+', 'news@b.test'],
    ['olds@b.test', '+', ''],
    ['SRS0=a=b=corp.test=anna+x@shop.test', '+', 'anna@corp.test'],
    ['SRS0=a=b=other.test=anna@shop.test', '+', ''],
  ]
  for (const [sender, delimiters, name] of cases)
    t.equal(noticeName(sender, { ...PEOPLE, delimiters }), name, `${sender} ${delimiters}`)
  t.end()
})

t.test('whose sender it is', (t) => {
  const cases: [string, boolean][] = [
    ['', true],
    ['anna@corp.test', true],
    ['ANNA@CORP.TEST', true],
    ['Scanner@PRINTER.test', true],
    ['news@b.test', true],
    ['News+7@B.test', true],
    ['news-7@b.test', false],
    ['other@b.test', false],
    ['x@sub.printer.test', false],
    ['anna@corp.test.', false],
    ['anna@sub.corp.test', false],
    ['anna@evilcorp.test', false],
    ['<>', false],
    ['"a"@corp.test', false],
    ['a..b@corp.test', false],
    ['a%b@corp.test', false],
    // Whom our own server has rewritten.
    ['SRS0=HHH=TT=corp.test=anna@shop.test', true],
    ['SRS0=HHH=TT=other.test=anna@shop.test', false],
    ['SRS0=HHH=TT=printer.test=scanner@printer.test', true],
    ['SRS1=HHH=fwd.test==KKK=TT=corp.test=anna@shop.test', true],
    ['SRS1=HHH=fwd.test==KKK=TT=other.test=x@shop.test', false],
    ['srs0+HHH=TT=other.test=x@corp.test', false],
    ['SRS0=opaque@corp.test', false],
    ['SRS0=HHH=TT=corp.test=a%b@corp.test', false],
    // By somebody else's server: theirs.
    ['SRS0=HHH=TT=corp.test=anna@fwd.test', false],
    ['SRS0=HHH=TT=corp.test=anna@b.test', false],
    // No rewriting.
    ['srs0@corp.test', true],
    ['srs2=a=b=other.test=x@corp.test', true],
  ]
  for (const [sender, own] of cases) t.equal(isOwnSender(sender, PEOPLE), own, sender)
  t.equal(
    isOwnSender('news+7@b.test', { ...PEOPLE, delimiters: undefined }),
    false,
    'nobody says what begins an extension',
  )
  t.end()
})

t.test('of a sender that our own server has rewritten, whom it has rewritten', (t) => {
  const keyOf = (sender: string): string | undefined => senderOf(sender, PEOPLE).key
  t.equal(keyOf('SRS0=HHH=TT=Other.test=X.Y@corp.test'), 'x.y@other.test')
  t.equal(keyOf('SRS0=HHH=TT=corp.test=SRS0=H=T=other.test=x@corp.test'), 'x@other.test', 'twice')
  t.equal(keyOf('SRS0=HHH=TT=other.test=a=b@corp.test'), 'a=b@other.test')
  t.equal(keyOf('SRS0=HHH@corp.test'), undefined)
  t.equal(keyOf('SRS0=a=b=c.test=x@fwd.test'), 'srs0=a=b=c.test=x@fwd.test')
  t.match(sendersBehind({ sender: 'SRS0=a=b=corp.test=anna+x@shop.test', login: '' }, PEOPLE), {
    own: 'anna@corp.test',
    anybody: false,
  })
  t.match(sendersBehind({ sender: 'SRS0=opaque@corp.test', login: '' }, PEOPLE), {
    own: undefined,
    anybody: true,
  })
  t.end()
})
