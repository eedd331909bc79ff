/** Progress: one value under each name, in the transaction of whoever leaves it. */
import t from 'tap'
import { Progress } from '../../lib/database/progress.js'
import { makeLab } from '../support/lab.js'

t.test('what was left last is found, under its own name', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  const progress = new Progress(db)
  t.equal(progress.get('x'), undefined)
  progress.set('x', '2026-11-24')
  progress.set('x', '2026-11-25')
  progress.set('y', '')
  t.equal(progress.get('x'), '2026-11-25')
  t.equal(progress.get('y'), '')
  progress.remove('x')
  progress.remove('x')
  t.equal(progress.get('x'), undefined)
})

t.test('what a transaction that fails has left is not there', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  const progress = new Progress(db)
  t.throws(
    () =>
      db.transaction(() => {
        progress.set('x', '1')
        throw new Error('cut off')
      }),
    /cut off/,
  )
  t.equal(progress.get('x'), undefined)
})
