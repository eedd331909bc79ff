/** Consent: the number in a subject, whose message it is, and how many yeses are enough. */

import t from 'tap'
import type { Answer, Yes } from '../../lib/hold/token.js'
import { agreed, isOwn, markOf, needsTwo, tokenIn } from '../../lib/notice/consent.js'

t.test('the token in a subject', (t) => {
  const token = '0123456789abcdefghjkmnpqrs'
  const other = '1123456789abcdefghjkmnpqrs'
  const subjects: [string, string | undefined][] = [
    [`Re: To approve: mail from anna@corp.test ${markOf(token)}`, token],
    [`AW: RE: [toeh ${token.toUpperCase()}]`, token],
    [`[toeh\n ${token}]`, token],
    [`${markOf(token)} was: ${markOf(token)}`, token],
    [`${markOf(token)} ${markOf(other)}`, undefined],
    [token, undefined],
    [`[toeh ${token}x]`, undefined],
    [`[toeh ${token.slice(1)}]`, undefined],
    [`[toeh ${token.replace('a', 'i')}]`, undefined],
    ['', undefined],
  ]
  for (const [subject, found] of subjects) t.equal(tokenIn(subject), found, JSON.stringify(subject))
  t.end()
})

const COMPANY = {
  senders: new Set<string>(),
  internal: new Set(['corp.test', 'shop.test']),
  delimiters: '+' as string | undefined,
  logins: new Map([
    ['boss', 'Chief@corp.test'],
    ['d.e', 'deputy@other.test'],
  ]),
  groups: new Map([
    ['accounting', ['anna@corp.test', 'chief+a@corp.test', '@bank.test']],
    ['others', ['bob@corp.test']],
  ]),
}
const UNKNOWN = { ...COMPANY, delimiters: undefined }

t.test('who needs two', (t) => {
  const cases: [sender: string, login: string, recipients: string[], two: boolean][] = [
    ['Anna@corp.test', '', ['x@y.test'], true],
    ['carl@corp.test', '', ['x@y.test', 'y@BANK.test'], true],
    ['bob@corp.test', '', ['x@y.test', 'y@sub.bank.test'], false],
    ['anna+x@corp.test', '', ['x@y.test'], true],
    ['chief@corp.test', '', ['x@y.test'], true],
    ['bob@corp.test', 'anna@corp.test', ['x@y.test'], true],
    ['bob@corp.test', 'anna', ['x@y.test'], true],
    ['bob@corp.test', 'CORP\\Anna+x', ['x@y.test'], true],
    ['bob@corp.test', 'boss', ['x@y.test'], true],
    ['bob@corp.test', 'bob', ['x@y.test'], false],
    ['', '', ['x@y.test'], true],
    ['', 'bob@corp.test', ['x@y.test'], true],
    ['bob%x@corp.test', '', ['x@y.test'], true],
    ['bob@corp.test', 'A. Smith', ['x@y.test'], true],
    ['bob@corp.test', '', ['not plain'], true],
    ['bob@corp.test', '', ['x@y.test', '"y"@bank.test'], true],
    ['bob@corp.test', '', ['anna-x@corp.test'], true],
    ['bob@corp.test', '', ['annabel@corp.test'], false],
  ]
  for (const [sender, login, recipients, two] of cases) {
    const name = `${sender} ${login} ${recipients.join()}`
    t.equal(needsTwo(['accounting'], COMPANY, { sender, login }, recipients), two, name)
    t.equal(needsTwo([], COMPANY, { sender, login }, recipients), false, name)
  }
  const needs = (sender: string): boolean =>
    needsTwo(['accounting'], UNKNOWN, { sender, login: '' }, ['x@y.test'])
  t.strictSame(['anna.b@corp.test', 'anna-x@corp.test', 'bob@corp.test'].map(needs), [true, true, false])
  t.end()
})

t.test('whose message it is', (t) => {
  const cases: [approver: string, sender: string, login: string, own: boolean][] = [
    ['chief@corp.test', 'CHIEF@corp.test', '', true],
    ['chief@corp.test', 'chief+x@corp.test', '', true],
    ['chief+toeh@corp.test', 'chief@corp.test', '', true],
    ['chief@corp.test', 'info@corp.test', 'boss', true],
    ['chief@corp.test', 'info@corp.test', 'BOSS', true],
    ['chief@corp.test', 'info@corp.test', 'CORP\\boss', true],
    ['chief@corp.test', 'info@corp.test', 'boss@corp.test', true],
    ['chief@corp.test', 'info@corp.test', 'chief', true],
    ['chief@corp.test', 'info@corp.test', 'chief@corp.test', true],
    ['chief@corp.test', 'info@corp.test', 'Chief+x@REALM', true],
    ['chief@corp.test', '', 'boss', true],
    ['deputy@other.test', 'info@corp.test', 'd.e', true],
    ['deputy@other.test', 'info@corp.test', 'deputy@other.test', true],
    ['third@corp.test', 'info@corp.test', 'third', true],
    ['chief@corp.test', 'info@corp.test', 'd.e', false],
    ['chief@corp.test', 'info@corp.test', 'anna', false],
    ['chief@corp.test', 'chiefs@corp.test', '', false],
    ['chief@corp.test', 'chief@other.test', '', false],
    ['chief@corp.test', '', '', false],
    ['chief@corp.test', 'info@corp.test', 'A. Smith', false],
    ['third@corp.test', 'info@corp.test', 'A. Smith', true],
  ]
  for (const [approver, sender, login, own] of cases)
    t.equal(isOwn(approver, { sender, login }, COMPANY), own, `${approver} ${sender} ${login}`)
  const strictly = (sender: string): boolean => isOwn('chief@corp.test', { sender, login: '' }, UNKNOWN)
  t.strictSame(['chief-x@corp.test', 'chief=a@corp.test', 'chiefs@corp.test'].map(strictly), [
    true,
    true,
    false,
  ])
  t.end()
})

t.test('enough yeses, of different approvers, for each recipient', (t) => {
  const yes = (approver: string, answer: Answer, ...recipients: string[]): Yes => ({
    approver,
    answer,
    recipients,
  })
  const [a, b] = ['a@x.test', 'b@x.test']
  const cases: [Yes[], number, string[], boolean][] = [
    [[yes('boss', 'release', a, b)], 1, [a, b], false],
    [[yes('boss', 'know', a, b)], 1, [a, b], true],
    [[yes('boss', 'release', a, b)], 2, [], false],
    [[yes('boss', 'release', a), yes('boss', 'release', a)], 2, [], false],
    [[yes('boss', 'release', a, b), yes('deputy', 'know', a)], 2, [a], false],
    [[yes('boss', 'know', a, b), yes('deputy', 'know', a, b)], 2, [a, b], true],
  ]
  for (const [yeses, need, ready, know] of cases)
    t.strictSame(agreed(yeses, [a, b], need), { ready, know }, JSON.stringify(yeses))
  t.end()
})
