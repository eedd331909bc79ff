/** Consent: exact words on the first line that is the approver's own, and how many yeses are enough. */
import t from 'tap'
import { agreed, markOf, needsTwo, parseAnswer, tokenIn, type Yes } from '../lib/consent.js'
import type { Answer } from '../lib/wording.js'

const ANSWERS: [string, Answer | undefined][] = [
  ['release', 'release'],
  ['Release', 'release'],
  ['RELEASE\r\n', 'release'],
  ['\n \n\t\n  release  \nThanks, Boss', 'release'],
  ['release and know', 'know'],
  ['Release  and\u{a0}know', 'know'],
  ['reject', 'reject'],
  ['libérer', 'release'],
  ['Libe\u{301}rer', 'release'],
  ['liberer', 'release'],
  ['LIBÉRER', 'release'],
  ['libérer et autoriser', 'know'],
  ['liberer et autoriser', 'know'],
  ['rejeter', 'reject'],
  ['> quoted\n>> again\nreject', 'reject'],
  ['reject\n\n> release', 'reject'],
  ['', undefined],
  ['\n\n', undefined],
  ['> release', undefined],
  [' > release\n>reject', undefined],
  ['On 24 November TOEH wrote:\n> release', undefined],
  ['On 24 November TOEH wrote:\nrelease', undefined],
  ['Hello\nrelease', undefined],
  ['release it', undefined],
  ['release.', undefined],
  ['release!', undefined],
  ['release and', undefined],
  ['do not release', undefined],
  ['release reject', undefined],
  ['release\u{200b}', undefined],
  ['r\u{435}lease', undefined],
  ['yes', undefined],
  ['ok', undefined],
  ['"release"', undefined],
  ['release: no', undefined],
  ['constructor', undefined],
  ['-----Original Message-----\nrelease', undefined],
]

t.test('answers', (t) => {
  for (const [text, answer] of ANSWERS) t.equal(parseAnswer(text), answer, JSON.stringify(text))
  t.end()
})

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

t.test('who needs two', (t) => {
  const groups = new Map([
    ['accounting', ['anna@corp.test', '@bank.test']],
    ['others', ['bob@corp.test']],
  ])
  const needs = (sender: string, ...recipients: string[]): boolean =>
    needsTwo(['accounting'], groups, sender, recipients)
  t.equal(needs('Anna@corp.test', 'x@y.test'), true)
  t.equal(needs('carl@corp.test', 'x@y.test', 'y@BANK.test'), true)
  t.equal(needs('bob@corp.test', 'x@y.test', 'y@sub.bank.test'), false)
  t.equal(needs('', 'not plain'), false)
  t.equal(needsTwo([], groups, 'anna@corp.test', []), false)
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
