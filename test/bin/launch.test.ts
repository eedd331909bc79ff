/** The launcher: the bundle from V8's code cache, without it, and what happens where either is damaged. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { HoldFolder } from '../../lib/holdfolder.js'
import { holdIdOf } from '../../lib/holdid.js'
import {
  assertDeferred,
  assertSettled,
  FILTER,
  type Lab,
  MESSAGE,
  makeLab,
  type Outcome,
  outcomeOf,
  ROOT,
} from '../support/lab.js'
import { makeSink } from '../support/sink.js'

interface Stage {
  lab: Lab
  /** toeh-filter in a copy of the installation. */
  launcher: string
  /** Its bundle, and the cache of that. */
  bundle: string
  cache: string
  /** The same of toeh. */
  command: { launcher: string; bundle: string; cache: string }
}

async function makeStage(t: Test): Promise<Stage> {
  const sink = await makeSink(t)
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${sink.port}"\n`)
  await lab.allow('known.test')
  const bin = join(lab.dir, 'copy/dist/bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(lab.dir, 'copy/node_modules'))
  const files = readdirSync(dirname(FILTER)).filter((name) =>
    /^((filter|notice|command)-.*\.cjs(\.v\d.*\.cache)?|toeh\.cjs|toeh-filter(\.cjs)?)$/.test(name),
  )
  t.equal(
    files.length,
    8,
    'of each program a launcher, one bundle, its cache; the notice and the shell of the filter',
  )
  for (const name of files) cpSync(join(dirname(FILTER), name), join(bin, name))
  const bundleOf = (name: string): string =>
    join(bin, files.find((file) => file.startsWith(name) && file.endsWith('.cjs')) ?? '')
  const of = (name: string): { bundle: string; cache: string } => {
    const bundle = bundleOf(name)
    return { bundle, cache: `${bundle}.${process.version}.cache` }
  }
  const command = { launcher: join(bin, 'toeh.cjs'), ...of('command-') }
  return { lab, launcher: join(bin, 'toeh-filter'), ...of('filter-'), command }
}

/** Writes to a file whether V8 took the cache, because toeh-filter has no standard error; loaded before the launcher. */
const TELL = `
const tell = (what) => fs.appendFileSync(process.env.TOLD, what)
const fs = require('node:fs'), vm = require('node:vm'), inside = process.binding('contextify')
inside.ContextifyScript = class extends inside.ContextifyScript {
  constructor(...given) {
    super(...given)
    tell(given[4] === undefined ? 'no cache given' : this.cachedDataRejected ? 'rejected' : 'taken')
  }
}
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    tell(options.cachedData === undefined ? 'no cache' : 'a cache')
  }
}`

/** The environment in which the launcher tells. */
function telling(lab: Lab): Record<string, string> {
  const tell = join(lab.dir, 'tell.cjs')
  writeFileSync(tell, TELL)
  const TOLD = join(lab.dir, 'told')
  writeFileSync(TOLD, '')
  return { NODE_OPTIONS: `--require=${tell}`, TOLD }
}

interface Told extends Outcome {
  /** What became of the cache. */
  told: string
}

async function told(lab: Lab, outcome: Promise<Outcome>): Promise<Told> {
  return { ...(await outcome), told: readFileSync(join(lab.dir, 'told'), 'utf8') }
}

async function run({ lab, launcher }: Stage): Promise<Told> {
  const env = telling(lab)
  return told(lab, lab.filter({ recipients: ['bob@known.test'], program: launcher, env }))
}

/** It let the message through, and this became of the cache. */
function assertPassed(t: Test, { told, ...outcome }: Told, cache: string): void {
  assertSettled(t, outcome, /^toeh: passed 1 as /)
  t.equal(told, cache)
}

t.test('the cache that the build has made is taken', async (t) => {
  const stage = await makeStage(t)
  assertPassed(t, await run(stage), 'taken')
})

t.test('without it, or with one that is not whole, the bundle is compiled', async (t) => {
  const stage = await makeStage(t)
  const { cache } = stage
  const whole = readFileSync(cache)
  for (const at of [0, 3, 8, 9, whole.length >> 2, whole.length >> 1, whole.length - 1]) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    writeFileSync(cache, damaged)
    assertPassed(t, await run(stage), 'no cache')
  }
  for (const length of [0, 1, 4, 8, 9, whole.length >> 1, whole.length - 2]) {
    writeFileSync(cache, whole.subarray(0, length))
    const { code, told } = await run(stage)
    t.equal(code, 0, `${length} bytes`)
    t.not(told, 'taken', `${length} bytes`)
  }
  rmSync(cache)
  assertPassed(t, await run(stage), 'no cache')
})

t.test('a cache of another version of V8 is refused by V8, and the bundle compiled', async (t) => {
  const stage = await makeStage(t)
  const { cache } = stage
  const whole = readFileSync(cache)
  // The version's hash stands there, behind the length, in both halves.
  for (const at of [8 + 4, 8 + 4 + whole.readUInt32LE(0)]) whole[at] = (whole[at] ?? 0) ^ 1
  writeFileSync(cache, whole)
  assertPassed(t, await run(stage), 'rejected')
})

t.test(
  'started by Node itself, without the options that toeh-filter gives it: V8 refuses the cache',
  async (t) => {
    const { lab } = await makeStage(t)
    assertPassed(
      t,
      await told(lab, lab.filter({ recipients: ['bob@known.test'], bare: true, env: telling(lab) })),
      'rejected',
    )
  },
)

t.test('a parked message has the same id and digest with the cache and without', async (t) => {
  const { lab, launcher, cache } = await makeStage(t)
  const park = async (queueId: string): Promise<string> => {
    const outcome = await lab.filter({ recipients: ['eve@unknown.test'], program: launcher, queueId })
    assertSettled(t, outcome, /^toeh: held 1 in /)
    return outcome.stdout
  }
  const digest = createHash('sha256').update(MESSAGE).digest('hex')
  const ids = ['4bQ8Yk2hJnz1', '4bQ8Yk2hJnz2'].map((id) => holdIdOf(id, 'anna@corp.test', digest))
  t.equal(await park('4bQ8Yk2hJnz1'), `toeh: held 1 in ${ids[0]}\n`)
  rmSync(cache)
  t.equal(await park('4bQ8Yk2hJnz2'), `toeh: held 1 in ${ids[1]}\n`)
  t.strictSame(
    lab
      .held()
      .sort()
      .map((id) => new HoldFolder(lab.state).read(id).sha256),
    [digest, digest],
  )
})

t.test('an installation that is half there defers', async (t) => {
  const stage = await makeStage(t)
  const whole = readFileSync(stage.bundle)
  writeFileSync(stage.bundle, whole.subarray(0, whole.length / 2))
  rmSync(stage.cache)
  assertDeferred(t, await run(stage), /^4\.3\.0 toeh: start: /)
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
  const list = async (): Promise<Told> => {
    const args = [command.launcher, 'list', '--config', lab.config]
    const env = { PATH: process.env.PATH, ...telling(lab) }
    return told(lab, outcomeOf(spawn(process.execPath, args, { env })))
  }
  const nothing = { code: 0, signal: null, stdout: 'nothing waits\n', stderr: '' }
  t.strictSame(await list(), { ...nothing, told: 'taken' })
  rmSync(command.cache)
  t.strictSame(await list(), { ...nothing, told: 'no cache' })
  rmSync(command.bundle)
  const { code, stdout, stderr } = await list()
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^toeh: start: ENOENT: no such file or directory, open [^\n]*command-[^\n]*\n$/)
})
