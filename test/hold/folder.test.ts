/** Holdfolder: a message is published by one rename after its syncs, and what is there is never overwritten. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HoldFolder } from '../../lib/hold/folder.js'
import { failureOf, replaceFs, syncOrder, systemError } from '../support/failing.js'
import { spoolHeld, unknown } from '../support/held.js'
import { MESSAGE, makeFolder } from '../support/lab.js'

function makeHoldFolder(t: Test): HoldFolder {
  const state = makeFolder(t)
  mkdirSync(join(state, 'hold/tmp'), { recursive: true })
  return new HoldFolder(state)
}

/** Paths below hold/, with one name for all spool folders. */
function namesBelow(folder: HoldFolder): (path: string) => string {
  return (path) => path.replace(folder.root, 'hold').replace(/[0-9]+-[0-9]+/, 'SPOOL')
}

t.test('publish syncs the files and their folder, renames, and syncs hold/', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  let published: unknown
  const order = await syncOrder(t, namesBelow(folder), () => {
    published = folder.publish(message.folder(), envelope)
  })
  t.equal(published, true)
  t.strictSame(order, [
    'fsync hold/tmp/SPOOL/message.eml',
    'fsync hold/tmp/SPOOL/envelope.json',
    'fsync hold/tmp/SPOOL',
    `rename hold/tmp/SPOOL hold/${envelope.id}`,
    'fsync hold',
  ])
  t.strictSame(readdirSync(folder.path(envelope.id)).sort(), ['envelope.json', 'message.eml'])
  t.equal(readFileSync(folder.messagePath(envelope.id), 'utf8'), MESSAGE)
  t.strictSame(folder.read(envelope.id), envelope)
  t.equal(folder.has(envelope.id), true)
  t.strictSame(folder.ids(), [envelope.id])
  t.strictSame(readdirSync(folder.tmp), [])
  t.equal(statSync(join(folder.path(envelope.id), 'envelope.json')).mode & 0o777, 0o600)
})

t.test('the same message again is not published twice, and hold/ is synced all the same', async (t) => {
  const folder = makeHoldFolder(t)
  const first = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(first.message.folder(), first.envelope)
  const second = await spoolHeld(folder, [unknown('y@new.test')])
  t.equal(second.envelope.id, first.envelope.id)
  const order = await syncOrder(t, namesBelow(folder), () => {
    t.equal(folder.publish(second.message.folder(), second.envelope), false)
  })
  // Whoever has renamed it may not have come to its own fsync.
  t.strictSame(order, ['fsync hold'])
  t.strictSame(folder.read(first.envelope.id), first.envelope, 'the first envelope stays')
  t.ok(existsSync(second.message.file()), 'the second spool is left to its owner')
})

t.test('a folder that has lost its message is given it again, durably', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const retry = await spoolHeld(folder, [unknown('y@new.test')])
  rmSync(folder.messagePath(envelope.id))
  const order = await syncOrder(t, namesBelow(folder), () => {
    t.equal(folder.publish(retry.message.folder(), retry.envelope), true)
  })
  const home = `hold/${envelope.id}`
  t.strictSame(order.slice(0, 2), [
    'fsync hold/tmp/SPOOL/message.eml',
    `rename hold/tmp/SPOOL/message.eml ${home}/message.eml`,
  ])
  t.equal(order.at(-1), `fsync ${home}`)
  t.equal(readFileSync(folder.messagePath(envelope.id), 'utf8'), MESSAGE)
  t.strictSame(folder.read(envelope.id).recipients, retry.envelope.recipients)
  t.strictSame(readdirSync(folder.path(envelope.id)).sort(), ['envelope.json', 'message.eml'])
})

t.test('restoreMessage: where the folder is gone, and where its bytes are wrong', async (t) => {
  for (const spoil of [
    (folder: HoldFolder, id: string) => rmSync(folder.path(id), { recursive: true }),
    (folder: HoldFolder, id: string) => writeFileSync(folder.messagePath(id), 'half'),
    (folder: HoldFolder, id: string) => rmSync(join(folder.path(id), 'envelope.json')),
  ]) {
    const folder = makeHoldFolder(t)
    const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
    folder.publish(message.folder(), envelope)
    spoil(folder, envelope.id)
    const retry = await spoolHeld(folder, [unknown('x@new.test')])
    folder.restoreMessage(retry.message.folder(), envelope)
    t.equal(readFileSync(folder.messagePath(envelope.id), 'utf8'), MESSAGE)
    t.strictSame(folder.read(envelope.id), envelope)
    t.equal(statSync(folder.path(envelope.id)).mode & 0o777, 0o700)
  }
})

t.test('restoreMessage is durable when it returns, the folder that it has made too', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  const spooled = message.folder()
  const home = `hold/${envelope.id}`
  const name = (path: string): string => namesBelow(folder)(path).replace(/\.envelope-[0-9a-f]{12}/, '.NEW')
  t.strictSame(await syncOrder(t, name, () => folder.restoreMessage(spooled, envelope)), [
    'fsync hold/tmp/SPOOL/message.eml',
    'fsync hold',
    `rename hold/tmp/SPOOL/message.eml ${home}/message.eml`,
    `fsync ${home}/.NEW`,
    `rename ${home}/.NEW ${home}/envelope.json`,
    `fsync ${home}`,
  ])
  t.strictSame(readdirSync(folder.tmp), [])
  for (const call of ['fsyncSync', 'renameSync'] as const) {
    const again = await spoolHeld(folder, [unknown('x@new.test')])
    const there = again.message.folder()
    const restore = replaceFs(t, call, () => () => {
      throw systemError('EIO', 'i/o error')
    })
    const failure = await failureOf(() => folder.restoreMessage(there, envelope)).finally(restore)
    t.equal(failure.message, `hold message in ${folder.path(envelope.id)}: i/o error (EIO)`)
    t.equal(failure.status, 75)
  }
})

t.test('envelope.json is for people to read', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const path = join(folder.path(envelope.id), 'envelope.json')
  t.equal(readFileSync(path, 'utf8'), `${JSON.stringify(envelope, null, 2)}\n`)
  folder.rewrite({ ...envelope, recipients: [] })
  t.equal(readFileSync(path, 'utf8'), `${JSON.stringify({ ...envelope, recipients: [] }, null, 2)}\n`)
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('another message under the same id is refused, whatever differs', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  for (const change of [
    { queueId: '4bOTHERxxxxx' },
    { sender: 'bob@corp.test' },
    { sha256: '0'.repeat(64) },
  ]) {
    const other = await spoolHeld(folder, [unknown('y@new.test')], { ...change, id: envelope.id })
    const failure = await failureOf(() => folder.publish(other.message.folder(), other.envelope))
    const at = folder.path(envelope.id)
    t.equal(failure.message, `hold message ${at}: id ${envelope.id} belongs to another message`)
    t.equal(failure.status, 75)
  }
  t.strictSame(folder.read(envelope.id), envelope)
})

t.test('whatever fails before the rename, nothing is published', async (t) => {
  for (const call of ['fsyncSync', 'writeSync', 'renameSync', 'openSync'] as const) {
    const folder = makeHoldFolder(t)
    const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
    const spooled = message.folder()
    const restore = replaceFs(t, call, () => () => {
      throw systemError('EIO', 'i/o error')
    })
    const failure = await failureOf(() => folder.publish(spooled, envelope)).finally(restore)
    t.equal(failure.message, `hold message in ${folder.path(envelope.id)}: i/o error (EIO)`, call)
    t.equal(failure.status, 75, call)
    t.strictSame(folder.ids(), [], call)
  }
})

t.test('a folder whose rename may not be durable does not count as held', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  const restore = replaceFs(t, 'fsyncSync', (real) => (fd: number) => {
    if (readlinkSync(`/proc/self/fd/${fd}`) === folder.root) throw systemError('EIO', 'i/o error')
    real(fd)
  })
  const failure = await failureOf(() => folder.publish(message.folder(), envelope)).finally(restore)
  t.equal(failure.status, 75)
  t.match(failure.message, 'i/o error (EIO)')
  t.strictSame(folder.ids(), [], 'and is taken back')
  const retry = await spoolHeld(folder, [unknown('x@new.test')])
  t.equal(folder.publish(retry.message.folder(), retry.envelope), true)
})

t.test('a folder without a readable envelope is an error, not a hold', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  mkdirSync(folder.path(envelope.id))
  writeFileSync(folder.messagePath(envelope.id), MESSAGE)
  const path = join(folder.path(envelope.id), 'envelope.json')
  const missing = await failureOf(() => folder.publish(message.folder(), envelope))
  t.equal(missing.message, `read ${path}: no such file or directory (ENOENT)`)
  t.equal(missing.status, 75)
  writeFileSync(path, '{"id":')
  const broken = await failureOf(() => folder.publish(message.folder(), envelope))
  t.match(broken.message, `read ${path}: `)
  t.equal(broken.status, 75)
})

t.test('rewrite replaces the envelope whole, or not at all', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const wider = { ...envelope, recipients: [unknown('x@new.test'), unknown('y@new.test')] }
  const order = await syncOrder(t, namesBelow(folder), () => folder.rewrite(wider))
  const at = `hold/${envelope.id}`
  t.match(order[0], new RegExp(`^fsync ${at}/\\.envelope-[0-9a-f]{12}$`))
  t.match(order[1], new RegExp(`^rename ${at}/\\.envelope-[0-9a-f]{12} ${at}/envelope\\.json$`))
  t.strictSame(order.slice(2), [`fsync ${at}`])
  t.strictSame(folder.read(envelope.id), wider)

  for (const call of ['openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const) {
    const restore = replaceFs(t, call, () => () => {
      throw systemError('ENOSPC', 'no space left on device')
    })
    const failure = await failureOf(() => folder.rewrite(envelope)).finally(restore)
    t.equal(
      failure.message,
      `hold recipients in ${folder.path(envelope.id)}: no space left on device (ENOSPC)`,
      call,
    )
    t.equal(failure.status, 75)
    t.strictSame(folder.read(envelope.id), wider, 'the old one stands')
    t.strictSame(readdirSync(folder.path(envelope.id)).sort(), ['envelope.json', 'message.eml'])
  }
})

t.test('remove takes the folder away; one that is gone is no harm', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const order = await syncOrder(t, namesBelow(folder), () => folder.remove(envelope.id))
  t.equal(order.length, 1)
  t.match(
    order[0],
    new RegExp(`^rename hold/${envelope.id} hold/tmp/gone-${envelope.id}-[0-9a-f]{12}$`),
    'in one step',
  )
  t.strictSame(folder.ids(), [])
  t.strictSame(readdirSync(folder.tmp), [])
  folder.remove(envelope.id)

  const restore = replaceFs(t, 'renameSync', () => () => {
    throw systemError('EROFS', 'read-only file system')
  })
  const failure = await failureOf(() => folder.remove('0123456789ab')).finally(restore)
  t.equal(failure.message, `remove ${folder.path('0123456789ab')}: read-only file system (EROFS)`)
})

t.test('sweep removes what is old in tmp/, and nothing else', async (t) => {
  const folder = makeHoldFolder(t)
  const oldFolder = (await spoolHeld(folder, [])).message.folder()
  const youngFolder = (await spoolHeld(folder, [])).message.folder()
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const now = Date.now() / 1000
  for (const path of [oldFolder, folder.path(envelope.id)]) utimesSync(path, now - 7200, now - 7200)
  utimesSync(youngFolder, now - 60, now - 60)
  t.equal(folder.sweep((now - 3600) * 1000), 1)
  t.notOk(existsSync(oldFolder))
  t.ok(existsSync(youngFolder), 'a run that is still writing keeps its folder')
  t.ok(folder.has(envelope.id), 'and what is held stays, however old')
})

t.test('recordMoves is durable when it returns, its file and its name', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test'), unknown('y@new.test')])
  folder.publish(message.folder(), envelope)
  const { id } = envelope
  const move = (address: string, state: string, at: number) => ({
    address,
    state,
    queueId: '',
    who: 'marie',
    at,
  })
  const record = (...moves: ReturnType<typeof move>[]): Promise<string[]> =>
    syncOrder(t, namesBelow(folder), () => folder.recordMoves(id, moves))
  t.strictSame(await record(move('x@new.test', 'releasing', 1)), [
    `fsync hold/${id}/moves.jsonl`,
    `fsync hold/${id}`,
  ])
  t.strictSame(await record(move('x@new.test', 'released', 2), move('y@new.test', 'releasing', 2)), [
    `fsync hold/${id}/moves.jsonl`,
  ])
  t.strictSame(await record(), [], 'of nothing')
  t.strictSame(
    [...folder.moves(id).values()],
    [move('x@new.test', 'released', 2), move('y@new.test', 'releasing', 2)],
  )
  t.equal(statSync(join(folder.path(id), 'moves.jsonl')).mode & 0o777, 0o600)
  folder.remove(id)
  t.strictSame(await record(move('x@new.test', 'releasing', 3)), [], 'of a folder that is gone')
  t.strictSame(folder.moves(id), new Map())
})

t.test('moves that a full disk has cut off', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const { id } = envelope
  const path = join(folder.path(id), 'moves.jsonl')
  const move = { address: 'x@new.test', state: 'releasing', queueId: '', who: 'marie', at: 1 }
  folder.recordMoves(id, [move])
  appendFileSync(path, '\n{"address":"x@new.te')
  folder.recordMoves(id, [{ ...move, state: 'released' }])
  appendFileSync(path, '\n{"state":"held"}\n{"address":')
  t.strictSame(folder.moves(id), new Map([['x@new.test', { ...move, state: 'released' }]]))
  for (const call of ['openSync', 'writeSync', 'fsyncSync'] as const) {
    const restore = replaceFs(t, call, () => () => {
      throw systemError('ENOSPC', 'no space left on device')
    })
    const failure = await failureOf(() => folder.recordMoves(id, [move])).finally(restore)
    t.equal(failure.message, `write ${path}: no space left on device (ENOSPC)`, call)
    t.equal(failure.status, 75, call)
  }
  const restore = replaceFs(t, 'readFileSync', () => () => {
    throw systemError('EIO', 'i/o error')
  })
  t.equal((await failureOf(() => folder.moves(id)).finally(restore)).message, `read ${path}: i/o error (EIO)`)
})

t.test('no descriptor is left open, whatever fails', async (t) => {
  const open = (): number => readdirSync('/proc/self/fd').length
  const folder = makeHoldFolder(t)
  const move = { address: 'x@new.test', state: 'held', queueId: '', who: 'marie', at: 1 }
  for (const call of [undefined, 'fsyncSync', 'writeSync'] as const) {
    const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')], { queueId: `CALL${call}` })
    const spooled = message.folder()
    if (call !== undefined)
      folder.publish((await spoolHeld(folder, [], { queueId: `CALL${call}` })).message.folder(), envelope)
    const before = open()
    const restore =
      call === undefined
        ? () => {}
        : replaceFs(t, call, () => () => {
            throw systemError('EIO', 'i/o error')
          })
    for (const work of [
      () => folder.prepare(spooled, { ...envelope, id: 'other' }),
      () => folder.publish(spooled, envelope),
      () => folder.rewrite(envelope),
      () => folder.recordMoves(envelope.id, [move]),
    ])
      try {
        work()
      } catch (error) {
        t.match(error, /i\/o error/, `${call}`)
      }
    restore()
    t.equal(open(), before, `${call}`)
  }
})

t.test('an envelope that cannot be used is kept under another name, and none is no harm', async (t) => {
  const folder = makeHoldFolder(t)
  const { message, envelope } = await spoolHeld(folder, [unknown('x@new.test')])
  folder.publish(message.folder(), envelope)
  const home = folder.path(envelope.id)
  writeFileSync(join(home, 'envelope.json'), 'damaged')
  folder.setEnvelopeAside(envelope.id)
  const [aside = '', ...rest] = readdirSync(home).sort()
  t.match(aside, /^\.envelope-damaged-[0-9a-f]{12}$/)
  t.strictSame(rest, ['message.eml'])
  t.equal(readFileSync(join(home, aside), 'utf8'), 'damaged')
  folder.setEnvelopeAside(envelope.id)
  t.equal(readdirSync(home).length, 2)
  const restore = replaceFs(t, 'renameSync', () => () => {
    throw systemError('EROFS', 'read-only file system')
  })
  const failure = await failureOf(() => folder.setEnvelopeAside(envelope.id)).finally(restore)
  t.equal(failure.message, `set aside ${join(home, 'envelope.json')}: read-only file system (EROFS)`)
})

t.test('paths, and what is there', async (t) => {
  const state = makeFolder(t)
  mkdirSync(join(state, 'hold/tmp'), { recursive: true })
  const folder = new HoldFolder(state)
  t.strictSame(
    [folder.root, folder.tmp, folder.path('id'), folder.messagePath('id')],
    ['hold', 'hold/tmp', 'hold/id', 'hold/id/message.eml'].map((path) => join(state, path)),
  )
  mkdirSync(folder.path('id'))
  t.strictSame([folder.isThere('id'), folder.has('id'), folder.isThere('other')], [true, false, false])
  writeFileSync(folder.messagePath('id'), '')
  t.equal(folder.has('id'), true)
  t.strictSame(folder.ids(), ['id'])
})

t.test('sweep passes over what goes away meanwhile, and takes whole folders', async (t) => {
  const folder = makeHoldFolder(t)
  mkdirSync(join(folder.tmp, 'old/below'), { recursive: true })
  utimesSync(join(folder.tmp, 'old'), 1, 1)
  symlinkSync(join(folder.tmp, 'nowhere'), join(folder.tmp, 'gone'))
  mkdirSync(join(folder.tmp, 'exact'))
  utimesSync(join(folder.tmp, 'exact'), 5, 5)
  t.equal(folder.sweep(5000), 1, 'what was changed at that very moment stays')
  t.strictSame(readdirSync(folder.tmp).sort(), ['exact', 'gone'])
  t.equal(folder.sweep(5001), 1)
})
