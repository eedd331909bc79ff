/** Publishing a file: its rights whatever the umask, in place of an older one, and nothing left where it fails. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { publish } from '../../lib/system/files.js'
import { syncOrder } from '../support/failing.js'
import { makeFolder } from '../support/lab.js'

t.test('a file with the rights that were asked for', (t) => {
  const dir = makeFolder(t)
  const path = join(dir, 'a.prom')
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  writeFileSync(path, 'old', { mode: 0o600 })
  publish('metrics', 'metrics', path, 'new\n', 0o644)
  t.equal(readFileSync(path, 'utf8'), 'new\n')
  t.equal(statSync(path).mode & 0o777, 0o644)
  publish('report', 'report --html -', path, 'page', 0o600)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.strictSame(readdirSync(dir), ['a.prom'])
  t.end()
})

t.test(
  'its bytes are on the disk before its name is, and its name before it is said to be there',
  async (t) => {
    const dir = makeFolder(t)
    const path = join(dir, 'main.cf')
    const name = (at: string): string => at.replace(dir, 'etc').replace(`.${process.pid}.tmp`, '.new')
    for (const text of ['first', 'second'])
      t.strictSame(
        await syncOrder(t, name, () => publish('init', undefined, path, text, 0o644)),
        ['fsync etc/main.cf.new', 'rename etc/main.cf.new etc/main.cf', 'fsync etc'],
        text,
      )
    t.equal(readFileSync(path, 'utf8'), 'second')
  },
)

t.test('what cannot be written is told with a way out, and leaves nothing', (t) => {
  const dir = makeFolder(t)
  mkdirSync(join(dir, 'folder'))
  t.throws(
    () => publish('report', 'report --html -', join(dir, 'folder'), '', 0o600),
    /it is no regular file/,
  )
  try {
    publish('report', 'report --html -', join(dir, 'folder'), '', 0o600)
  } catch (error) {
    t.match(error, { hint: 'for standard output: toeh report --html -' })
  }
  t.throws(
    () => publish('report', '', join(dir, 'none/a'), '', 0o600),
    /no such file or directory \(ENOENT\)/,
  )
  t.strictSame(readdirSync(dir), ['folder'])
  t.end()
})
