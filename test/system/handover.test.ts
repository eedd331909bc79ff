/** The handover: which descriptors the process that goes on gets, and from whom they are taken. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { handOver, opening } from '../../lib/system/handover.js'
import { makeFolder, onlyWith, ROOT, UNPRIVILEGED } from '../support/lab.js'

const MODULE = join(ROOT, 'dist/lib/system/handover.js')

t.test('what is opened is handed over, under its name and in its order', (t) => {
  const dir = makeFolder(t)
  const path = join(dir, 'a\nb')
  writeFileSync(path, 'x')
  const descriptors = ['file one', `file ${path}`].map((name) => opening(name, () => openSync(path, 'r')))
  const again = opening('file one', () => openSync(path, 'r'))
  t.not(again, descriptors[0], 'nobody has handed us any: each is opened')
  const { descriptors: given, environment } = handOver()
  t.strictSame(given, [...descriptors, again])
  t.strictSame(environment, {
    TOEH_HANDOVER: [process.pid, 'file%20one', encodeURIComponent(`file ${path}`), 'file%20one'].join('\n'),
  })
  for (const fd of given) closeSync(fd)
  t.throws(() => opening('file two', () => openSync(join(dir, 'none'), 'r')), { code: 'ENOENT' })
  t.equal(handOver().descriptors.length, 3, 'what could not be opened is not handed over')
  t.end()
})

/** What a process finds that gets two descriptors, and a word about them from `parent`. */
function child(t: Test, parent: string, through: readonly string[]): string[] {
  const dir = makeFolder(t)
  for (const name of ['handed', 'other', 'own']) writeFileSync(join(dir, name), name)
  const [handed, other] = ['handed', 'other'].map((name) => openSync(join(dir, name), 'r'))
  const own = openSync(join(dir, 'own'), 'r')
  const script = `
    import fs from 'node:fs'
    const { opening } = await import(${JSON.stringify(MODULE)})
    const find = (name) => fs.readFileSync(opening(name, () => 5), 'utf8')
    const found = [find('a b'), 'TOEH_HANDOVER' in process.env, find('a b')]
    console.log(found.join())`
  const variable = { TOEH_HANDOVER: [parent, 'other', 'a%20b'].join('\n') }
  const env = onlyWith({ PATH: process.env.PATH ?? '', ...variable })
  const line = [...env, ...through, process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync('env', line, {
    stdio: ['ignore', 'pipe', 'pipe', other ?? 0, handed ?? 0, own],
    encoding: 'utf8',
  })
  for (const fd of [handed, other, own]) closeSync(fd ?? 0)
  if (stderr !== '') throw new Error(stderr)
  return stdout.trim().split(',')
}

const skip =
  UNPRIVILEGED.length > 0 &&
  spawnSync('setpriv', [...UNPRIVILEGED.slice(1), 'test', '-r', MODULE]).status === 0
    ? false
    : 'needs root, and a clone that every user can reach'

t.test('only of its own parent, each once, and the word is gone', { skip }, (t) => {
  t.strictSame(child(t, String(process.pid), UNPRIVILEGED), ['handed', 'false', 'own'])
  t.strictSame(child(t, '1', UNPRIVILEGED), ['own', 'false', ''], 'from somebody else')
  t.strictSame(child(t, String(process.pid), []), ['own', 'false', ''], 'root needs none')
  t.end()
})
