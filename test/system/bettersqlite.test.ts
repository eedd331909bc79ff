/** better-sqlite3, in the version that fits this Node: its native part is where it is looked for, and it is one SQLite. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { ROOT } from '../support/lab.js'

const FOLDER = join(ROOT, 'node_modules', bettersqlite.folder)

t.test('by the Node-API that this Node speaks', (t) => {
  const speaks10 = Number(process.versions.napi) >= 10
  t.equal(bettersqlite.folder, speaks10 ? 'better-sqlite3' : 'better-sqlite3-12')
  t.equal(bettersqlite.natives.length, speaks10 ? 2 : 1)
  t.equal(bettersqlite.natives.at(-1), 'build/Release/better_sqlite3.node', 'what npm compiles comes last')
  const { version } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as { version: string }
  t.match(version, speaks10 ? /^13\./ : /^12\./)
  t.end()
})

t.test('the native part lies there, and the package loads it', (t) => {
  const native = bettersqlite.natives.map((part) => join(FOLDER, part)).find(existsSync)
  t.ok(native, bettersqlite.natives.join(' '))
  const Sqlite = bettersqlite.load()
  const db = new Sqlite(':memory:', native === undefined ? {} : { nativeBinding: native })
  t.strictSame(db.prepare('SELECT 1 AS one').all(), [{ one: 1 }])
  db.close()
  t.equal(bettersqlite.load(), Sqlite, 'once')
  t.end()
})
