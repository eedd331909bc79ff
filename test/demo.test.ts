/** The demo runs, checks itself, and leaves nothing behind. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { makeFolder, outcomeOf, ROOT } from './support/lab.js'

t.test('examples/demo shows what passes, what waits and what arrives', async (t) => {
  const tmp = join(makeFolder(t), 'tmp with a blank')
  mkdirSync(tmp)
  // As on a machine whose node is elsewhere: its folder is on the PATH and nothing else of this test is.
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: tmp, TMPDIR: tmp }
  const started = Date.now()
  const { code, stdout, stderr } = await outcomeOf(
    spawn(join(ROOT, 'examples/demo'), { env, cwd: tmp, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  t.comment(`it took ${Date.now() - started} ms`)
  t.equal(code, 0, stderr)
  t.match(stdout, 'exit status 0, output: toeh: passed 1 as DEMO0001\n')
  t.match(stdout, /toeh: passed 1 as DEMO0002, held 1 in [0-9a-z]{12}\n/)
  t.match(stdout, /toeh: held 1 in [0-9a-z]{12}\n/)
  t.match(stdout, /sales@supp1ier\.example {2}unknown/)
  t.match(stdout, /pass: allowed\n {2}rule 1: allow supplier\.example/)
  t.match(stdout, /[0-9a-z]{12} released to hello@newcomer\.example as DEMO0005/)
  const arrived = stdout.slice(stdout.indexOf('\n12. '))
  t.match(arrived, '<anna@company.example>\tsales@supplier.example\tBank details')
  t.match(arrived, '<anna@company.example>\thello@newcomer.example\tGood morning')
  t.notMatch(arrived, 'sales@supp1ier.example')
  t.notMatch(stdout, '\u{1b}', 'no colours without a terminal')
  t.same(readdirSync(tmp), [], 'nothing is left')
})
