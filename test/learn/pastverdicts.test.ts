/** The judge: mail of the past by the landscape of today, with the rules of an address read once. */
import t from 'tap'
import { openDesk, verdictsOf } from '../../lib/cli/context.js'
import type { Config } from '../../lib/config.js'
import { PastVerdicts } from '../../lib/learn/pastverdicts.js'
import type { Landscape } from '../../lib/rules/landscape.js'
import { makeLab } from '../support/lab.js'

t.test('the judge says what the filter says, for each sender', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  await lab.toeh('allow', 'scoped.test', '--for', 'anna@corp.test')
  await lab.toeh('block', 'evil@known.test')
  const desk = openDesk({ config: lab.config }, 'read')
  const judge = new PastVerdicts(desk)
  const recipients = [
    'a@known.test',
    'evil@known.test',
    'x@scoped.test',
    'x@corp.test',
    'a%b@known.test',
    'x@new.test',
  ]
  const reasons: string[] = []
  for (const [sender, login] of [
    ['anna@corp.test', ''],
    ['carl@corp.test', 'anna'],
    ['', ''],
    ['x@foreign.test', ''],
  ] as const) {
    for (const recipient of recipients) {
      const verdict = await judge.verdict({ sender, login }, recipient)
      const verdicts = await verdictsOf(desk, { sender, login }, [recipient])
      t.strictSame([verdict], verdicts, `${sender} ${recipient}`)
      reasons.push(verdict.reason)
    }
  }
  t.strictSame(new Set(reasons).size, 6, 'of every kind')
})

t.test('the rules of an address are read once, at the time of the judgement', async (t) => {
  const asked: [keys: readonly string[], at: number][] = []
  const landscape = {
    facts: (keys: readonly string[], at: number) => {
      asked.push([keys, at])
      return new Map()
    },
  } as unknown as Landscape
  const config = {
    internal: new Set(['corp.test']),
    senders: new Set(),
    groups: new Map(),
    delimiters: '+',
    moderate: { logins: new Map() },
  } as unknown as Config
  const judge = new PastVerdicts({ config, landscape, actor: { who: 'test', at: 7 } })
  for (const sender of ['anna@corp.test', 'otto@corp.test', '', 'x@foreign.test'])
    await judge.verdict({ sender, login: '' }, 'x@b.a.test')
  t.strictSame(asked, [[['x@b.a.test', 'b.a.test', 'a.test'], 7]])
  t.match(await judge.verdict({ sender: 'anna@corp.test', login: '' }, 'y@a.test'), {
    recipient: 'y@a.test',
    pass: false,
    reason: 'unknown',
  })
  t.equal(asked.length, 2)
})
