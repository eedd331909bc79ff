/** The package: its folder is found from the compiled file and from the bundle, wherever the process stands. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packagePath } from '../../lib/system/package.js'
import { makeFolder, ROOT } from '../support/lab.js'

t.test('a file of this package', (t) => {
  t.equal(packagePath('examples/toeh.toml'), join(ROOT, 'examples/toeh.toml'))
  t.equal(packagePath(''), ROOT.replace(/\/$/, ''))
  for (const file of ['master.cf.sample', 'examples/toeh.toml', 'dist/bin/toeh-filter'])
    t.ok(existsSync(packagePath(file)), file)
  t.end()
})

t.test('from any depth, and not from where the process stands', (t) => {
  const dir = realpathSync(makeFolder(t))
  const deep = join(dir, 'package/dist/lib/gate')
  mkdirSync(deep, { recursive: true })
  // The folder that the process runs in is a package too.
  writeFileSync(join(dir, 'package.json'), '{}')
  writeFileSync(join(dir, 'package/package.json'), '{"type":"module"}')
  for (const folder of ['package/dist/lib/gate', 'package/dist/lib', 'package/dist', 'package']) {
    const copy = join(dir, folder, 'package.js')
    copyFileSync(join(ROOT, 'dist/lib/system/package.js'), copy)
    const script = `console.log((await import(${JSON.stringify(copy)})).packagePath('a/b'))`
    const args = ['--input-type=module', '-e', script]
    const env = { PATH: process.env.PATH }
    t.equal(
      execFileSync(process.execPath, args, { cwd: dir, env, encoding: 'utf8' }),
      `${join(dir, 'package/a/b')}\n`,
      folder,
    )
  }
  t.end()
})
