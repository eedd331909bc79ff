/** Became known: who of those that wait would pass now, message by message, and by which rules. */
import t, { type Test } from 'tap'
import { knownAmong, knownBy } from '../../lib/cli/becameknown.js'
import type { Choice } from '../../lib/cli/bulk.js'
import { type Desk, openDesk } from '../../lib/cli/context.js'
import { park, refused, unknown } from '../support/held.js'
import { type Lab, makeLab } from '../support/lab.js'

const told = ({ message, chosen }: Choice): string => `${message.queueId}: ${chosen.join(' ')}`

async function makeWaiting(t: Test): Promise<{ lab: Lab; desk: () => Desk }> {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  const held: [queueId: string, sender: string, recipients: string[]][] = [
    ['A1', 'anna@corp.test', ['x@new.test', 'y@new.test', 'z@other.test']],
    ['A2', 'anna@corp.test', ['X@NEW.test']],
    ['A3', 'anna@corp.test', ['z@other.test']],
    ['A4', 'x@foreign.test', ['x@new.test']],
  ]
  for (const [queueId, sender, recipients] of held)
    await park(hold, folder, recipients.map(unknown), { queueId, sender })
  await park(hold, folder, [refused('x@new.test')], { queueId: 'A5' })
  db.close()
  return { lab, desk: () => openDesk({ config: lab.config }, 'read') }
}

async function among(desk: Desk, pick = (_: string): boolean => true): Promise<string[]> {
  const found: string[] = []
  const messages = (await desk.hold.waiting()).filter(({ queueId }) => pick(queueId))
  for (const choice of knownAmong(desk, messages)) found.push(told(choice))
  return found.sort()
}

t.test('who is held and would pass', async (t) => {
  const { lab, desk } = await makeWaiting(t)
  t.strictSame(await among(desk()), [])
  await lab.allow('new.test')
  t.strictSame(
    await among(desk()),
    ['A1: x@new.test y@new.test', 'A2: X@NEW.test'],
    'neither what the server refused, nor mail of a foreign sender',
  )
  lab.change(`UPDATE recipient SET state = 'releasing' WHERE address = 'y@new.test'`)
  t.strictSame(await among(desk(), (id) => id === 'A1'), ['A1: x@new.test'], 'nor whom somebody has in hand')
  await lab.allow('z@other.test')
  t.strictSame(await among(desk()), ['A1: x@new.test z@other.test', 'A2: X@NEW.test', 'A3: z@other.test'])
})

t.test('by rules at these values alone', async (t) => {
  const { lab, desk } = await makeWaiting(t)
  await lab.allow('new.test', 'z@other.test')
  const by = async (...values: string[]): Promise<string[]> =>
    (await knownBy(desk(), values)).map(told).sort()
  t.strictSame(await by(), [])
  t.strictSame(await by('new.test'), ['A1: x@new.test y@new.test', 'A2: X@NEW.test'])
  t.strictSame(
    await by('y@new.test'),
    ['A1: y@new.test'],
    'whom the value reaches, by whatever rule he passes',
  )
  t.strictSame(await by('z@other.test'), ['A1: z@other.test', 'A3: z@other.test'])
  t.strictSame(await by('other.test'), ['A1: z@other.test', 'A3: z@other.test'])
  t.strictSame(await by('never.test'), [])
})

t.test('more messages than are looked up at once, in their order', async (t) => {
  const { lab, desk } = await makeWaiting(t)
  await lab.allow('new.test')
  const at = desk()
  const rules = at.landscape.facts(['new.test'], 1)
  const asked: number[] = []
  const landscape = {
    facts: (keys: readonly string[]) => {
      asked.push(keys.length)
      return rules
    },
  } as unknown as Desk['landscape']
  const [message] = (await at.hold.waiting()).filter(({ queueId }) => queueId === 'A2')
  if (message === undefined) throw new Error('it does not wait')
  const many = Array.from({ length: 2500 }, (_, index) => ({ ...message, queueId: `B${index}` }))
  const found: string[] = []
  for (const choice of knownAmong({ ...at, landscape }, many)) found.push(choice.message.queueId)
  t.strictSame(
    found,
    many.map(({ queueId }) => queueId),
  )
  t.strictSame(
    asked.map((keys) => keys / (asked[2] ?? 1)),
    [2, 2, 1],
    'a thousand, a thousand, and the rest',
  )
})
