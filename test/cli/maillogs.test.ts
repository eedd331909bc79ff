/** Tests of harvest.ts: which logs, from when on, what is read of them, and what the landscape says of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  attemptsIn,
  type HarvestOptions,
  noLogReading,
  openSources,
  parseLogSince,
  parseWays,
} from '../../lib/cli/maillogs.js'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { makeFolder } from '../support/lab.js'
import { mailLog } from '../support/maillog.js'

const NOW = Date.UTC(2026, 10, 24, 12)

t.test('since', (t) => {
  t.equal(parseLogSince('learn', undefined), undefined)
  t.equal(parseLogSince('learn', '2026-11-04'), Date.UTC(2026, 10, 4))
  for (const text of [
    '',
    'yesterday',
    '2026-11-4',
    '2026-02-31',
    '2026-13-01',
    '2026-11-04T00:00',
    '20261104',
  ]) {
    t.throws(() => parseLogSince('learn', text), /it is no date/, text)
  }
  t.end()
})

t.test('ways out', (t) => {
  t.strictSame(parseWays('learn', undefined), [])
  const ways = parseWays('learn', [
    'relay.isp.test',
    '127.0.0.1:2525',
    '[::1]:2525',
    '2001:db8::1',
    '[smart.test]:587',
  ])
  t.strictSame(
    ways.map(({ host, port }) => `${host} ${port}`),
    ['relay.isp.test undefined', '127.0.0.1 2525', '::1 2525', '2001:db8::1 undefined', 'smart.test 587'],
  )
  for (const text of ['', 'a b', 'host:port', '[x', 'host:'])
    t.throws(() => parseWays('x', [text]), /no host/, text)
  t.end()
})

t.test('files or the journal, one of the two', async (t) => {
  const path = join(makeFolder(t), 'mail.log')
  writeFileSync(path, '')
  const open = (options: HarvestOptions) => openSources('replay', options, NOW)
  const refusals: [HarvestOptions, RegExp, number][] = [
    [{ file: [] }, /^replay: which log\?; toeh replay \/var\/log\/mail\.log, or --journal$/, EXIT.usage],
    [{ file: [path], journal: '' }, /^replay: give files or --journal, not both/, EXIT.usage],
    [{ file: [path], since: 'x' }, /^replay --since "x": it is no date/, EXIT.usage],
    [{ file: [`${path}.1`] }, /no such file/, EXIT.noInput],
    [{ file: [], journal: `${path}.1` }, /^journal \S+\.1: no such file/, EXIT.noInput],
  ]
  for (const [options, line, status] of refusals) {
    const failure = await open(options).catch((error: unknown) => error)
    if (!(failure instanceof Failure)) throw failure
    t.match(failure.line, line)
    t.equal(failure.status, status)
  }
  const [source] = await open({ file: [path] })
  t.equal(source?.name, 'mail.log')
  source?.stream.destroy()
})

t.test('attempts across files, and what was read of them', async (t) => {
  const dir = makeFolder(t)
  const [from = '', to = '', removed = ''] = mailLog({ id: '4bQ8Yk2hJnz1', to: ['a@b.test'] }).split(
    /(?<=\n)/,
  )
  const late = mailLog({ id: '4bQ8Yk2hJnz2', to: ['c@d.test', 'e@d.test'], at: '2026-11-09T05:06:07' })
  const files = [
    ['young', `${to}${removed}${late}`],
    ['old', `rubbish\n${from.replace(':07', ':06')}${'x'.repeat(70_000)}\n`],
  ].map(([name = '', content = '']) => {
    writeFileSync(join(dir, name), content)
    return join(dir, name)
  })
  const harvest = async (since?: number): Promise<[string[], object]> => {
    const reading = noLogReading()
    const recipients: string[] = []
    for await (const attempts of attemptsIn(
      'x',
      await openSources('x', { file: files }, NOW),
      since,
      reading,
    )) {
      recipients.push(...attempts.map(({ recipient, sender }) => `${sender} ${recipient}`))
    }
    return [recipients, reading]
  }
  const all = ['anna@corp.test a@b.test', 'anna@corp.test c@d.test', 'anna@corp.test e@d.test']
  t.strictSame(await harvest(), [all, { lines: 9, broken: 2, postfix: 7, leftOut: [] }])
  const [later, reading] = await harvest(Date.UTC(2026, 10, 9))
  t.strictSame(
    [later, reading],
    [all.slice(1), { lines: 9, broken: 2, postfix: 7, leftOut: [] }],
    'lines before count as read',
  )
})
