/** Room: a nearly full disk defers all mail, a full hold what would be held anew; nothing that waits is touched. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { park, unknown } from '../support/held.js'
import { assertDeferred, assertDone, assertSettled, Lab, makeFolder, makeLab, walk } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const KNOWN = 'c@known.test'
const EVE = 'eve@unknown.test'
const MALLORY = 'mal@unknown.test'
const MEGABYTE = 1024 * 1024

/** Every path below the state folder, by name: what a run has added shows. */
function paths(lab: Lab): string[] {
  return walk(lab.state).sort()
}

/** An installation on a small file system of its own, or undefined where none can be mounted. */
function makeSmallLab(t: Test, size: string, settings: string): { lab: Lab; mountPoint: string } | undefined {
  const mountPoint = makeFolder(t)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mountPoint]).status !== 0) return
  t.teardown(() => spawnSync('umount', ['-l', mountPoint]))
  const dir = join(mountPoint, 'lab')
  mkdirSync(dir)
  return { lab: new Lab(dir, `${settings}\n[notice]\nenabled = false\n`), mountPoint }
}

t.test('below free_megabytes nothing is begun: no spool, no hold, no line in the log', async (t) => {
  const sink = await makeSink(t)
  const small = makeSmallLab(t, '16m', `${sink.setting}\nlimits.free_megabytes = 10`)
  if (small === undefined) return void t.plan(0, 'no file system can be mounted here')
  const { lab, mountPoint } = small
  await lab.allow('known.test')
  assertSettled(t, await lab.filter({ recipients: [KNOWN], queueId: 'ROOM0001' }), 'passed 1')
  const ballast = join(mountPoint, 'ballast')
  const fill = (free: number): void => {
    rmSync(ballast, { force: true })
    const { bavail, bsize } = statfsSync(mountPoint)
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - free))
  }
  fill(9 * MEGABYTE)
  const before = lab.snapshot()
  const reason = `free space ${lab.state}: 9.0M are left, limits.free_megabytes asks for 10M; make room`
  for (const recipients of [[KNOWN], [EVE], [KNOWN, EVE]]) {
    assertDeferred(t, await lab.filter({ recipients, queueId: 'ROOM0002' }), reason)
  }
  t.strictSame(lab.snapshot(), before, 'nothing was written')
  assertDone(t, await lab.toeh('list'), `nothing waits\nall mail is deferred: 9.0M are left`)
  fill(12 * MEGABYTE)
  assertDone(t, await lab.toeh('digest'), 'the disk is nearly full: 12M are left')
  const big = { recipients: [KNOWN], queueId: 'ROOM0003', size: 3 * MEGABYTE }
  assertDeferred(t, await lab.filter(big), 'free space')
  t.equal(sink.mails.length, 1, 'the size that Postfix announces is taken off')
  assertSettled(t, await lab.filter({ recipients: [KNOWN, EVE], queueId: 'ROOM0002' }), /passed 1 .*held 1/)
})

t.test('a full hold defers what would be held anew, and nothing else', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\nlimits.hold_messages = 2`)
  await lab.allow('known.test')
  const first = await lab.park([EVE], { queueId: 'FULL0001' })
  assertDone(t, await lab.toeh('list'), first)
  const second = await lab.park([EVE], { queueId: 'FULL0002' })
  const before = [lab.databaseDigest(), paths(lab)]
  const full = 'the hold is full: 2 of at most 2 messages wait'
  // The first of these counts what waits, the second finds it kept.
  assertDeferred(t, await lab.filter({ recipients: [EVE], queueId: 'FULL0003' }), full)
  const kept = lab.databaseDigest()
  assertDeferred(t, await lab.filter({ recipients: [KNOWN, EVE], queueId: 'FULL0003' }), full)
  t.equal(sink.mails.length, 0, 'a mixed message is deferred whole')
  t.strictSame([kept, paths(lab)], [lab.databaseDigest(), before[1]], 'and the hold is as it was')
  assertDone(t, await lab.toeh('list'), 'new unknown recipients are deferred: 2 of at most 2 messages wait')
  assertSettled(t, await lab.filter({ recipients: [KNOWN], queueId: 'FULL0004' }), 'passed 1')
  assertSettled(t, await lab.filter({ recipients: [EVE, MALLORY], queueId: 'FULL0002' }), /held 1.*before 1/)
  t.strictSame(lab.held().sort(), [first, second].sort(), 'who joins needs no room')
  const rejected = await lab.toeh('reject', '--quiet', first)
  assertDone(t, rejected, 'rejected')
  assertSettled(t, await lab.filter({ recipients: [KNOWN, EVE], queueId: 'FULL0003' }), /passed 1 .*held 1/)
  assertDeferred(t, await lab.filter({ recipients: [EVE], queueId: 'FULL0005' }), full)
})

t.test('a known recipient who is refused needs room too, and is not answered for without', async (t) => {
  const sink = await makeSink(t, (to) => (to === KNOWN ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, `${sink.setting}\nlimits.hold_messages = 1`)
  await lab.allow('known.test')
  await lab.park([EVE])
  assertDeferred(
    t,
    await lab.filter({ recipients: [KNOWN, 'd@known.test'], queueId: 'REF00001' }),
    'the hold is full',
  )
  t.equal(sink.mails.length, 0)
})

t.test('hold_megabytes counts bytes, the new message among them', async (t) => {
  const lab = makeLab(t, 'limits.hold_megabytes = 1')
  const input = Buffer.alloc(600_000, 'x\n')
  await lab.park([EVE], { queueId: 'SIZE0001', input })
  const outcome = await lab.filter({ recipients: [EVE], queueId: 'SIZE0002', input })
  assertDeferred(t, outcome, /the hold is full: 1 messages wait, 586k of at most 1.0M/)
  await lab.park([EVE], { queueId: 'SIZE0003', input: Buffer.alloc(400_000, 'x\n') })
  assertDone(t, await lab.toeh('list'), 'the hold is nearly full: 2 messages wait, 977k of at most 1.0M')
})

t.test('the kept load is what waits', async (t) => {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const queueIds = ['LOAD0001', 'LOAD0002', 'LOAD0003']
  for (const queueId of queueIds) await park(hold, folder, [unknown(EVE)], { queueId })
  const [one, ...others] = hold.waiting()
  const size = one?.size ?? 0
  await park(hold, folder, [unknown(MALLORY)], { queueId: 'LOAD0003' })
  t.strictSame(hold.load(), { messages: 3, recipients: 4, bytes: 3 * size })
  hold.settle(one?.id ?? '', [EVE], 'rejected', { who: 'marie', at: 1 })
  t.strictSame(hold.load(), { messages: 2, recipients: 3, bytes: 2 * size })
  t.equal(others.length, 2)
})
