/** Mutants: which faults are made of a source text, and of which parts of it none. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { API } from 'typescript/unstable/sync'
import { makeFolder } from '../support/lab.js'
import { mutantsOf } from './mutants.js'

/** Every mutant of a text, whole. */
function mutate(t: Test, text: string): string[] {
  const folder = makeFolder(t)
  const path = join(folder, 'source.ts')
  writeFileSync(path, text)
  writeFileSync(join(folder, 'tsconfig.json'), '{"files": ["source.ts"]}')
  const api = new API({ cwd: folder })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(folder, 'tsconfig.json')] })
    const file = snapshot.getProjects()[0]?.program.getSourceFile(path)
    if (file === undefined) throw new Error('it was not read')
    return mutantsOf(file).map((mutant) => text.slice(0, mutant.from) + mutant.text + text.slice(mutant.to))
  } finally {
    api.close()
  }
}

t.test('each kind of fault', async (t) => {
  const table: [string, string[]][] = [
    ['if (a && b) c()', ['if (!(a && b)) c()', 'if (false) c()', 'if (a || b) c()', 'if (a && b) ;']],
    ['x = a < b', [';', 'x = a <= b']],
    ['x = a ? b : c', [';', 'x = !(a) ? b : c']],
    ['x = a ?? 1', [';', 'x = a', 'x = a ?? (1 + 1)']],
    ['x = 60_000', [';', 'x = 0']],
    ['x ??= !a', [';', 'x = !a', 'x ??= a']],
    ['await f(true)', [';', 'f(true)', 'await f(false)']],
    [
      'for (const a of b) { if (c === d) continue }',
      [
        'for (const a of b) { if (false) continue }',
        'for (const a of b) { if (c !== d) continue }',
        'for (const a of b) { if (c === d) ; }',
      ],
    ],
    ['throw a', [';']],
    ["x = 'é' + a.filter(b)", [';', "x = '' + a.filter(b)", "x = 'é' - a.filter(b)", "x = 'é' + a"]],
    ["x = ''", [';', "x = 'mutant'"]],
    ['x = /^a+\\.$/', [';', 'x = /a+\\.$/', 'x = /^a*\\.$/', 'x = /^a+.$/', 'x = /^a+\\./']],
    ["x = 'SELECT a WHERE b = ? AND c'", [';', "x = 'SELECT a WHERE b = ? OR c'"]],
    ['function f() { a(); b() }', ['function f() {}', 'function f() { ; b() }', 'function f() { a(); ; }']],
    [
      'try { a() } catch { b() }',
      ['try { ; } catch { b() }', 'try { a() } catch {}', 'try { a() } catch { ; }'],
    ],
  ]
  for (const [text, mutants] of table) t.strictSame(mutate(t, text).sort(), mutants.sort(), text)
})

t.test('types, imports and names of properties are left alone', async (t) => {
  const text = `import { a } from 'a'\nexport * from 'b'\ninterface I { c: 'd' }\ntype T = 1 | 'e'\nlet x: 'f' | 2\nlet y = { 'g': z as 'h' }\n`
  t.strictSame(mutate(t, text), [])
})
