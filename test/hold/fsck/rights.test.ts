/** What fsck sees of rights: everything in the state folder is its owner's alone, and what is no file is told. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { FsckOptions } from '../../../lib/hold/fsck/context.js'
import { checkRights } from '../../../lib/hold/fsck/rights.js'
import { fsckContext, told } from '../../support/fsck.js'
import { type Lab, makeLab } from '../../support/lab.js'

function look(lab: Lab, options: Partial<FsckOptions> = {}): string[] {
  const context = fsckContext(lab, options)
  checkRights(context)
  return told(context).map((line) => line.replaceAll(lab.state, '.'))
}

t.test('modes of files and of folders', (t) => {
  const lab = makeLab(t)
  t.strictSame(look(lab), [])
  const [file, folder] = [join(lab.state, 'file'), join(lab.state, 'folder')]
  writeFileSync(file, '')
  mkdirSync(folder)
  const table: [mode: number, file: boolean, folder: boolean][] = [
    [0o600, true, false],
    [0o700, true, true],
    [0o640, false, false],
    [0o601, false, false],
    [0o400, false, false],
    [0o500, false, false],
    [0o777, false, false],
    [0o000, false, false],
  ]
  for (const [mode, isFile, isFolder] of table) {
    chmodSync(file, mode)
    chmodSync(folder, mode)
    const text = mode.toString(8)
    const wrong = [
      ...(isFile ? [] : [`rights ./file: its mode is ${text}, not 600 → chmod 600 ./file`]),
      ...(isFolder ? [] : [`rights ./folder: its mode is ${text}, not 700 → chmod 700 ./folder`]),
    ]
    t.strictSame(look(lab).sort(), wrong, text)
    t.equal(lstatSync(file).mode & 0o777, mode, 'only looked at')
    t.strictSame(
      look(lab, { repair: true }).sort(),
      wrong.map((line) => line.replace('rights', 'rights!')),
      text,
    )
    t.strictSame(look(lab), [], text)
    if (!isFile) t.equal(lstatSync(file).mode & 0o777, 0o600)
  }
  t.end()
})

t.test('what is neither a file nor a folder', (t) => {
  const lab = makeLab(t)
  const outside = join(lab.dir, 'outside')
  writeFileSync(outside, '', { mode: 0o644 })
  symlinkSync(outside, join(lab.state, 'link'))
  execFileSync('mkfifo', ['-m', '600', join(lab.state, 'pipe')])
  const strange = (name: string): string =>
    `stray ./${name}: it is neither a file nor a folder → look what it is`
  t.strictSame(look(lab, { repair: true }).sort(), [strange('link'), strange('pipe')])
  t.equal(lstatSync(outside).mode & 0o777, 0o644, 'nothing is followed')
  t.end()
})

t.test("another's", { skip: process.getuid?.() === 0 ? false : 'needs root' }, (t) => {
  const lab = makeLab(t)
  const path = join(lab.state, 'theirs')
  writeFileSync(path, '', { mode: 0o644 })
  chownSync(path, 65534, 65534)
  t.strictSame(look(lab, { repair: true }), [
    'rights ./theirs: it belongs to another user → as root: chown --reference=. ./theirs',
  ])
  t.equal(lstatSync(path).mode & 0o777, 0o644, 'that is not ours to change')
  t.end()
})
