/** The launcher: the bundle from V8's code cache, without it, and what happens where either is damaged. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  assertDeferred,
  assertSettled,
  FILTER,
  type Lab,
  makeLab,
  type Outcome,
  outcomeOf,
  ROOT,
} from '../support/lab.js'
import { makeSink } from '../support/sink.js'

interface Stage {
  lab: Lab
  /** The launcher of toeh-filter in a copy of the installation. */
  launcher: string
  /** Its bundle; the cache has `.cache` after it. */
  bundle: string
  /** The same of toeh. */
  command: { launcher: string; bundle: string }
}

async function makeStage(t: Test): Promise<Stage> {
  const sink = await makeSink(t)
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${sink.port}"\n`)
  await lab.allow('known.test')
  const bin = join(lab.dir, 'copy/dist/bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(lab.dir, 'copy/node_modules'))
  const files = readdirSync(dirname(FILTER)).filter((name) =>
    /^((filter|command)-.*|toeh|toeh-filter)\.cjs(\.cache)?$/.test(name),
  )
  t.equal(files.length, 6, 'of each program a launcher, one bundle, its cache')
  for (const name of files) cpSync(join(dirname(FILTER), name), join(bin, name))
  const bundleOf = (name: string): string =>
    join(bin, files.find((file) => file.startsWith(name) && file.endsWith('.cjs')) ?? '')
  const command = { launcher: join(bin, 'toeh.cjs'), bundle: bundleOf('command-') }
  return { lab, launcher: join(bin, 'toeh-filter.cjs'), bundle: bundleOf('filter-'), command }
}

/** Says on standard error whether V8 took the cache; loaded before the launcher. */
const TELL = `
const fs = require('node:fs'), vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    fs.writeSync(2, options.cachedData === undefined ? 'no cache' : this.cachedDataRejected ? 'rejected' : 'taken')
  }
}`

/** The environment in which the launcher tells. */
function telling(lab: Lab): Record<string, string> {
  const tell = join(lab.dir, 'tell.cjs')
  writeFileSync(tell, TELL)
  return { NODE_OPTIONS: `--require=${tell}` }
}

async function run({ lab, launcher }: Stage): Promise<Outcome> {
  const env = telling(lab)
  return lab.filter({ recipients: ['bob@known.test'], program: launcher, env })
}

/** It let the message through, and this became of the cache. */
function assertPassed(t: Test, outcome: Outcome, cache: string): void {
  assertSettled(t, { ...outcome, stderr: '' }, /^toeh: passed 1 as /)
  t.equal(outcome.stderr, cache)
}

t.test('the cache that the build has made is taken', async (t) => {
  const stage = await makeStage(t)
  assertPassed(t, await run(stage), 'taken')
})

t.test('without it, or with one that is not whole, the bundle is compiled', async (t) => {
  const stage = await makeStage(t)
  const cache = `${stage.bundle}.cache`
  const whole = readFileSync(cache)
  for (const at of [0, 9, whole.length >> 2, whole.length >> 1, whole.length - 1]) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    writeFileSync(cache, damaged)
    assertPassed(t, await run(stage), 'no cache')
  }
  for (const length of [0, 1, whole.length >> 1, whole.length - 2]) {
    writeFileSync(cache, whole.subarray(0, length))
    const { code, stderr } = await run(stage)
    t.equal(code, 0, `${length} bytes`)
    t.not(stderr, 'taken', `${length} bytes`)
  }
  rmSync(cache)
  assertPassed(t, await run(stage), 'no cache')
})

t.test('a cache of another version of V8 is refused by V8, and the bundle compiled', async (t) => {
  const stage = await makeStage(t)
  const cache = `${stage.bundle}.cache`
  const half = readFileSync(cache).subarray(0, readFileSync(cache).length / 2)
  half[4] = (half[4] ?? 0) ^ 1 // The version's hash stands there.
  writeFileSync(cache, Buffer.concat([half, half]))
  assertPassed(t, await run(stage), 'rejected')
})

t.test('an installation that is half there defers', async (t) => {
  const stage = await makeStage(t)
  const whole = readFileSync(stage.bundle)
  writeFileSync(stage.bundle, whole.subarray(0, whole.length / 2))
  rmSync(`${stage.bundle}.cache`)
  assertDeferred(t, { ...(await run(stage)), stderr: '' }, /^4\.3\.0 toeh: start: /)
  writeFileSync(stage.bundle, '(function () {})')
  const { code, stdout } = await run(stage)
  t.strictSame({ code, stdout }, { code: 75, stdout: '' }, 'also where it does nothing at all')
  rmSync(stage.bundle)
  assertDeferred(
    t,
    await run(stage),
    /^4\.3\.0 toeh: start: ENOENT: no such file or directory, open .*filter-/,
  )
})

t.test('toeh: the same', async (t) => {
  const { lab, command } = await makeStage(t)
  const list = async (): Promise<Outcome> => {
    const args = [command.launcher, 'list', '--config', lab.config]
    return outcomeOf(spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...telling(lab) } }))
  }
  t.strictSame(await list(), { code: 0, signal: null, stdout: 'nothing waits\n', stderr: 'taken' })
  rmSync(`${command.bundle}.cache`)
  t.strictSame(await list(), { code: 0, signal: null, stdout: 'nothing waits\n', stderr: 'no cache' })
  rmSync(command.bundle)
  const { code, stdout, stderr } = await list()
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^toeh: start: ENOENT: no such file or directory, open [^\n]*command-[^\n]*\n$/)
})
