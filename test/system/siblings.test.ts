/** Siblings: runs with the same queue id are seen while they live, and waited for no longer than asked. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { siblingsOf, untilAlone } from '../../lib/system/siblings.js'

t.test('another run, and nobody else', async (t) => {
  const queueId = `SIBLING${process.pid}`
  const start = (id: string) =>
    spawn('/bin/sh', ['-c', 'read x', 'toeh-filter', `--queue-id=${id}`, '--', 'x@a.test'])
  t.same(siblingsOf(queueId), [])
  await untilAlone(queueId, 60_000)
  const [same, longer] = [start(queueId), start(`${queueId}0`)]
  t.teardown(() => {
    same.kill()
    longer.kill()
  })
  await once(same, 'spawn')
  t.same(siblingsOf(queueId), [same.pid])
  await untilAlone(queueId, 1)
  t.same(siblingsOf(queueId), [same.pid], 'it lives still, and was waited for as long as asked')
  let isAlone = false
  const alone = untilAlone(queueId, 60_000).then(() => {
    isAlone = true
  })
  t.equal(isAlone, false)
  same.stdin.end()
  await once(same, 'exit')
  await alone
  t.same(siblingsOf(queueId), [])
  longer.stdin.end()
})
