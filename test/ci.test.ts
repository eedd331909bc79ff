/** The last lines of .ci/run: what is summed up over the logs, and that every skipped test is named. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeFolder, ROOT } from './support/lab.js'

/** .ci/sum after a run that ended with this status: what it ends with, and its lines. */
function sum(
  t: Test,
  status: number,
  ...logs: (string | Buffer)[]
): { status: number | null; lines: string[] } {
  const dir = makeFolder(t)
  const paths = logs.map((log, index) => {
    const path = join(dir, `${index}`)
    writeFileSync(path, log)
    return path
  })
  const ended = spawnSync(join(ROOT, '.ci/sum'), [`${status}`, ...paths], { encoding: 'utf8' })
  t.equal(ended.stderr, '')
  return { status: ended.status, lines: ended.stdout.trim().split(/\n+/) }
}

const HERE = `TAP version 14
# Subtest: dist/test/one.test.js
    # Subtest: a part
        ok 1 - of it # SKIP no strace here
        1..1
    ok 1 - a part # time=1ms
    ok 2 - on a Mac, # 3 # SKIP
    1..2
ok 1 - dist/test/one.test.js # time=2ms
# { total: 12, pass: 10, skip: 2 }
`
const THERE = `
== trixie: npm test
# Subtest: dist/test/scenarios/two.test.js
    ok 1 - with a Postfix # SKIP Postfix is not installed # time=0.1ms
    not ok 2 - without
ok 1 - dist/test/scenarios/two.test.js
# { total: 3, pass: 1, fail: 1, skip: 1 }

== bookworm: npx tap
# { total: 5, pass: 5 }
`

t.test('every log counts, and each skipped test is named with its file and reason', (t) => {
  t.strictSame(sum(t, 0, HERE), {
    status: 0,
    lines: [
      'skipped: test/one.test.js: of it (no strace here)',
      'skipped: test/one.test.js: on a Mac, # 3 ()',
      '10 passed, 0 failed, 2 skipped',
    ],
  })
  const both = sum(t, 1, HERE, THERE)
  t.equal(both.status, 1)
  t.strictSame(both.lines.slice(2), [
    'skipped: trixie: test/scenarios/two.test.js: with a Postfix (Postfix is not installed)',
    'failed: trixie: test/scenarios/two.test.js: without',
    '16 passed, 1 failed, 3 skipped',
  ])
  t.strictSame(sum(t, 0, '# { total: 5, pass: 5 }\n').lines, ['5 passed, 0 failed'])
  // What a test prints may be no text, for grep(1) at least.
  const odd = Buffer.concat([Buffer.from('ok 1 - \0 '), Buffer.from([0xff, 0xfe]), Buffer.from('\n')])
  t.strictSame(sum(t, 0, Buffer.concat([odd, Buffer.from('# { total: 5, pass: 5 }\n')])), {
    status: 0,
    lines: ['5 passed, 0 failed'],
  })
  t.end()
})

t.test('a run that ends before a test, or without one, is a failure', (t) => {
  t.strictSame(sum(t, 0, 'nothing\n'), { status: 1, lines: ['0 passed, 1 failed'] })
  t.strictSame(sum(t, 7, 'npm error\n'), { status: 7, lines: ['0 passed, 1 failed'] })
  t.strictSame(sum(t, 2, '# { total: 5, pass: 5 }\n'), { status: 2, lines: ['5 passed, 1 failed'] })
  t.end()
})
