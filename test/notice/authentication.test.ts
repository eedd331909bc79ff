/** Authentication: one From, the approver's own login or his domain's signature, and nothing that came with the mail. */

import t from 'tap'
import { type Field, headerFields } from '../../lib/mail/header.js'
import { addressOf, claimedApprover, doubtsOf } from '../../lib/notice/authentication.js'

const APPROVERS = ['Boss@corp.test', 'deputy@other.test']
const RULES = {
  logins: new Map([
    ['boss', 'boss@corp.test'],
    ['d.e', 'deputy@other.test'],
  ]),
  authservId: 'mx.corp.test',
  receivedBy: ['inner.corp.test'],
}

/** Fields as toeh reads them. */
function fieldsOf(...lines: string[]): Field[] {
  return headerFields(Buffer.from(`${lines.join('\n')}\n\n`)).fields
}

const FROM: [string, string | undefined][] = [
  ['boss@corp.test', 'boss@corp.test'],
  ['<boss@corp.test>', 'boss@corp.test'],
  ['Boss <boss@corp.test>', 'boss@corp.test'],
  ['"Boss, the (one) <x@y>" <boss@corp.test>', 'boss@corp.test'],
  ['Boss (Sales) <boss@corp.test>', 'boss@corp.test'],
  ['=?utf-8?Q?B=C3=B6ss?= <boss@corp.test>', 'boss@corp.test'],
  ['Dr. B. Öss\u{a0}<boss@corp.test>', 'boss@corp.test'],
  ['boss@corp.test <eve@evil.test>', undefined],
  ['"boss@corp.test" <eve@evil.test>', 'eve@evil.test'],
  ['boss@corp.test, eve@evil.test', undefined],
  ['<boss@corp.test>, <eve@evil.test>', undefined],
  ['<eve@evil.test> <boss@corp.test>', undefined],
  ['eve@evil.test, Boss <boss@corp.test>', undefined],
  ['Boss <boss@corp.test> (eve)', undefined],
  ['group: boss@corp.test;', undefined],
  ['"a" "b" <boss@corp.test>', undefined],
  ['boss@corp.test (Boss)', undefined],
  ['', undefined],
  ['<>', undefined],
]

t.test('the address of From', (t) => {
  for (const [from, address] of FROM) t.equal(addressOf(from), address, from)
  t.end()
})

const CLAIMS: [string[], string | undefined, RegExp?][] = [
  [['From: BOSS@Corp.Test'], 'Boss@corp.test'],
  [['from :\n Boss\n <boss@corp.test>'], 'Boss@corp.test'],
  [['From: deputy@other.test'], 'deputy@other.test'],
  [[], undefined, /exactly one From/],
  [['From: boss@corp.test', 'From: boss@corp.test'], undefined, /exactly one From/],
  [['From: boss@corp.test', 'FROM: eve@evil.test'], undefined, /exactly one From/],
  [['From: eve@evil.test', 'From : boss@corp.test'], undefined, /exactly one From/],
  [['From: boss@corp.test, deputy@other.test'], undefined, /one plain address/],
  [['From: b0ss@corp.test'], undefined, /not from an approver/],
  [['From: boss@c\u{43e}rp.test'], undefined, /not from an approver|one plain address/],
  [['From: boss@corp.test.evil.test'], undefined, /not from an approver/],
  [['From: boss@other.test'], undefined, /not from an approver/],
  [['From: "boss"@corp.test'], undefined, /one plain address/],
  [['From: boss+x@corp.test'], undefined, /not from an approver/],
  [['Sender: boss@corp.test', 'From: eve@evil.test'], undefined, /not from an approver/],
]

t.test('who a mail says it is from', (t) => {
  for (const [lines, approver, refused] of CLAIMS) {
    const claim = claimedApprover(fieldsOf(...lines), APPROVERS)
    if ('approver' in claim) t.equal(claim.approver, approver, lines.join('|'))
    else t.match(claim.refused, refused ?? /^$/, lines.join('|'))
  }
  t.end()
})

t.test('logins', (t) => {
  const doubt = (approver: string, login: string): string | undefined => doubtsOf(approver, [], login, RULES)
  t.equal(doubt('Boss@corp.test', 'boss'), undefined)
  t.equal(doubt('Boss@corp.test', 'BOSS@corp.test'), undefined, 'a login that is the address')
  t.equal(doubt('deputy@other.test', 'd.e'), undefined)
  for (const login of [
    'anna',
    'anna@corp.test',
    'd.e',
    'Boss',
    'boss ',
    'boss@corp.test.evil.test',
    '__proto__',
  ])
    t.match(doubt('Boss@corp.test', login), /somebody else's login/, login)
  const signed = fieldsOf('Authentication-Results: mx.corp.test; dkim=pass header.d=corp.test')
  t.match(doubtsOf('Boss@corp.test', signed, 'anna', RULES), /somebody else/, 'a signature is no login')
  t.end()
})

const GOOD = 'Authentication-Results: mx.corp.test; dkim=pass header.d=other.test'
const OURS = 'Received: from x (x [192.0.2.1]) by mx.corp.test (Postfix) with ESMTPS id 1; date'
const INNER = 'Received: from mx (mx [192.0.2.1])\n by Inner.corp.test (Postfix) with ESMTP id 1; date'
const THEIRS = 'Received: from y (y [192.0.2.2]) by relay.other.test with ESMTP id 2; date'
const NONE = /no Authentication-Results of our own/
const NOT = /no DKIM signature of his domain/

const SIGNED: [string, string[], RegExp | undefined][] = [
  ['above all', [GOOD, OURS, THEIRS], undefined],
  ['below our own Received', [OURS, GOOD, THEIRS], undefined],
  ['below two of our own', [INNER, OURS, GOOD, THEIRS], undefined],
  ['below another host', [OURS, THEIRS, GOOD], NONE],
  ['below a Received of no host', ['Received: (qmail 1 invoked)', GOOD], NONE],
  ["of another server's name", [OURS, GOOD.replace('mx.corp', 'mx.evil')], NONE],
  [
    'of a name in a comment',
    ['Authentication-Results: (mx.corp.test) evil.test; dkim=pass header.d=other.test'],
    NONE,
  ],
  ['of a longer name', [GOOD.replace('mx.corp.test', 'mx.corp.test.evil.test')], NONE],
  ['none', [OURS], NONE],
  [
    'ours says no, one below that came with the mail says yes',
    ['Authentication-Results: mx.corp.test; dkim=fail header.d=other.test', OURS, GOOD],
    NOT,
  ],
  ['ours says nothing of DKIM', ['Authentication-Results: mx.corp.test; none', GOOD], NOT],
  ["another server's first", ['Authentication-Results: other.test; dkim=fail', GOOD], undefined],
  [
    'with a version and comments',
    [GOOD.replace('test; dkim', 'test 1 (ours; really) ; (a) dkim (b) ')],
    undefined,
  ],
  ['method version', [GOOD.replace('dkim=', 'dkim/1 = ')], undefined],
  ['in capitals', [GOOD.toUpperCase()], undefined],
  [
    'folded',
    ['Authentication-Results: mx.corp.test;\n\tdkim=pass (2048-bit key)\n\theader.d=other.test header.s=x'],
    undefined,
  ],
  ['one of two', [GOOD.replace('dkim=pass', 'dkim=fail header.d=a.test; dkim=pass')], undefined],
  ['another domain passes', [GOOD.replace('d=other.test', 'd=evil.test')], NOT],
  ['a domain below', [GOOD.replace('d=other.test', 'd=mail.other.test')], NOT],
  ['the domain above', [GOOD.replace('d=other.test', 'd=test')], NOT],
  ['fails', [GOOD.replace('pass', 'fail')], NOT],
  ['passes in a comment', [GOOD.replace('dkim=pass', 'dkim=fail (dkim=pass)')], NOT],
  [
    'passes in a comment with a semicolon',
    [GOOD.replace('dkim=pass', 'dkim=fail (; dkim=pass header.d=other.test ;)')],
    NOT,
  ],
  [
    'passes in a quoted reason',
    [GOOD.replace('dkim=pass', 'dkim=fail reason="; dkim=pass header.d=other.test"')],
    NOT,
  ],
  [
    'an escaped quote',
    [GOOD.replace('dkim=pass', 'dkim=fail reason="\\"; dkim=pass header.d=other.test; \\""')],
    NOT,
  ],
  ['a comment without end', [GOOD.replace('dkim', '(dkim')], NONE],
  ['a quote without end', [`${GOOD} reason="x`], NONE],
  ['a parenthesis too many', [`${GOOD} )`], NONE],
  ['passed is no pass', [GOOD.replace('pass', 'passed')], NOT],
  ['two domains in one result', [`${GOOD} header.d=evil.test`], NOT],
  ['no domain', [GOOD.replace('header.d', 'header.i')], NOT],
  [
    'in another property',
    [GOOD.replace('header.d=other.test', 'header.d=evil.test x-header.d=other.test')],
    NOT,
  ],
  ['SPF alone', [GOOD.replace('dkim=pass', 'spf=pass')], NOT],
]

t.test("signatures our own host's milter has verified", (t) => {
  for (const [name, lines, why] of SIGNED) {
    const doubt = doubtsOf('deputy@other.test', fieldsOf(...lines), '', RULES)
    if (why === undefined) t.equal(doubt, undefined, name)
    else t.match(doubt, why, name)
  }
  const off = { ...RULES, authservId: '' }
  t.match(doubtsOf('deputy@other.test', fieldsOf(GOOD), '', off), /not submitted with a login/)
  t.match(
    doubtsOf(
      'deputy@other.test',
      fieldsOf('Authentication-Results: ; dkim=pass header.d=other.test'),
      '',
      off,
    ),
    /not submitted with a login/,
  )
  t.end()
})
