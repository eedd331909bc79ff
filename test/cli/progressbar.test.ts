/** Tests of progress.ts: a bar where somebody looks and the size is known, and silence elsewhere. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { showProgress } from '../../lib/cli/progressbar.js'
import { openLogs, readLines } from '../../lib/logs/logfile.js'
import { makeFolder, outcomeOf, PIPE_ENV, ROOT, startWith } from '../support/lab.js'

/** Reads a file in a process of its own, with a bar over it; what comes out on standard error. */
async function watch(path: string, through: readonly string[] = [], TERM = 'xterm'): Promise<string> {
  const source = `
    const { openLogs, readLines } = await import(${JSON.stringify(join(ROOT, 'dist/lib/logs/logfile.js'))})
    const { showProgress } = await import(${JSON.stringify(join(ROOT, 'dist/lib/cli/progressbar.js'))})
    const sources = await openLogs([process.argv[1], process.argv[1]], Date.now())
    const progress = await showProgress(sources)
    for (const source of sources) for await (const _ of readLines(source)) progress.update()
    progress.stop()
  `
  const program = [process.execPath, '--input-type=module', '-e', source, path]
  const words = through.length === 0 ? program : [...through, program.map((word) => `'${word}'`).join(' ')]
  const { stdout, stderr } = await outcomeOf(startWith({ ...PIPE_ENV, TERM }, words))
  return stdout + stderr
}

t.test('on a terminal, to its end, and the line is left empty', async (t) => {
  const path = join(makeFolder(t), 'mail.log')
  writeFileSync(path, 'a line of a log that says nothing\n'.repeat(100_000))
  // script(1) gives its child a terminal.
  const terminal = ['script', '--quiet', '--return', '/dev/null', '--command']
  const output = await watch(path, terminal)
  t.match(output, /reading \S+ 0% {2}/)
  t.match(output, /reading \S+ 100% {2}/)
  t.ok(output.lastIndexOf('\u{1b}[?25h') > output.lastIndexOf('\u{1b}[?25l'), 'the cursor is back')
  t.notMatch(output.slice(output.lastIndexOf('\u{1b}[0K')), 'reading', 'and the bar is gone')
  t.equal(await watch(path), '', 'not into a pipe')
  t.equal(await watch(path, terminal, 'dumb'), '', 'not on a terminal without a cursor')
})

t.test('of what nobody knows the size there is no bar', async (t) => {
  const [source] = await openLogs(['/dev/null'], 0)
  if (source === undefined) throw new Error('no source')
  const isTTY = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY')
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true })
  t.teardown(() => {
    if (isTTY === undefined) Reflect.deleteProperty(process.stderr, 'isTTY')
    else Object.defineProperty(process.stderr, 'isTTY', isTTY)
  })
  const written = t.capture(process.stderr, 'write')
  const progress = await showProgress([source])
  for await (const _ of readLines(source)) progress.update()
  progress.stop()
  t.strictSame(written(), [])
})
