/** The launcher: the bundle from V8's code cache, without it, and what happens where either is damaged. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { HoldFolder } from '../../lib/hold/folder.js'
import { holdIdOf } from '../../lib/hold/id.js'
import refuseVersion from '../../lib/system/nodeversion.cjs'
import {
  assertDeferred,
  assertSettled,
  FILTER,
  type Lab,
  MESSAGE,
  makeLab,
  NODE,
  type Outcome,
  outcomeOf,
  ROOT,
} from '../support/lab.js'
import { makeSink } from '../support/sink.js'
import { twinNode } from '../support/twin.js'

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
    /^((filter|notice|command)-.*\.cjs(\.cache)?|toeh\.cjs|toeh-filter(\.cjs)?)$/.test(name),
  )
  t.equal(
    files.length,
    8,
    'of each program a launcher, one bundle, its cache; the notice and the shell of the filter',
  )
  for (const name of files) cpSync(join(dirname(FILTER), name), join(bin, name))
  const lib = 'dist/lib/system/nodeversion.cjs'
  cpSync(join(ROOT, lib), join(lab.dir, 'copy', lib))
  const bundleOf = (name: string): string =>
    join(bin, files.find((file) => file.startsWith(name) && file.endsWith('.cjs')) ?? '')
  const of = (name: string): { bundle: string; cache: string } => {
    const bundle = bundleOf(name)
    return { bundle, cache: `${bundle}.cache` }
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

/** Where in a cache the beginnings of Node's files stand, and V8's bytes once and twice (bin/launch.cts). */
function partsOf(cache: Buffer): { paths: string[]; begins: number; first: number; second: number } {
  const [length, pathsLength] = [cache.readUInt32LE(0), cache.readUInt32LE(4)]
  const begins = 8 + pathsLength
  const paths = cache.toString('latin1', 8, begins).split('\n')
  const first = begins + 1024 * paths.length
  t.equal(cache.length, first + 2 * length)
  return { paths, begins, first, second: first + length }
}

t.test('the cache that the build has made is taken', async (t) => {
  const stage = await makeStage(t)
  assertPassed(t, await run(stage), 'taken')
})

t.test('without it, or with one that is not whole, the bundle is compiled', async (t) => {
  const stage = await makeStage(t)
  const { cache } = stage
  const whole = readFileSync(cache)
  const { begins, first, second } = partsOf(whole)
  const places = [0, 3, 4, 8, begins, begins + 900, first, first + 9, second - 1, second, whole.length - 1]
  for (const at of places) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    writeFileSync(cache, damaged)
    assertPassed(t, await run(stage), 'no cache')
  }
  for (const length of [0, 1, 4, 8, 9, begins + 7, first, first + 9, second, whole.length - 1]) {
    writeFileSync(cache, whole.subarray(0, length))
    assertPassed(t, await run(stage), 'no cache')
  }
  rmSync(cache)
  assertPassed(t, await run(stage), 'no cache')
})

t.test('a cache of another version of V8 is refused by V8, and the bundle compiled', async (t) => {
  const stage = await makeStage(t)
  const { cache } = stage
  const whole = readFileSync(cache)
  // The version's hash stands there, in both halves.
  const { first, second } = partsOf(whole)
  for (const at of [first + 4, second + 4]) whole[at] = (whole[at] ?? 0) ^ 1
  writeFileSync(cache, whole)
  assertPassed(t, await run(stage), 'rejected')
})

t.test('a cache is of one build of Node: another has another build ID, whatever its version', async (t) => {
  const stage = await makeStage(t)
  const { cache } = stage
  const whole = readFileSync(cache)
  const { paths, begins, first } = partsOf(whole)
  t.equal(paths[0], '/proc/self/exe')
  for (const [index, path] of paths.entries()) {
    const [, id = ''] =
      /Build ID: ([0-9a-f]+)/.exec(
        execFileSync('readelf', ['-n', path === '/proc/self/exe' ? process.execPath : path], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ) ?? []
    const at = whole.indexOf(Buffer.from(id, 'hex'), begins + 1024 * index)
    t.ok(id.length >= 16 && at >= begins && at < begins + 1024 * (index + 1), `${path}: ${id}`)
    const other = Buffer.from(whole)
    other[at] = (other[at] ?? 0) ^ 1
    writeFileSync(cache, other)
    assertPassed(t, await run(stage), 'no cache')
  }
  t.ok(first > begins)
  // A library that is not there any more.
  const gone = Buffer.from('/proc/self/exe\n/nowhere/libnode.so.115')
  const head = Buffer.alloc(8)
  head.writeUInt32LE(whole.readUInt32LE(0), 0)
  head.writeUInt32LE(gone.length, 4)
  const beginning = whole.subarray(begins, begins + 1024)
  writeFileSync(cache, Buffer.concat([head, gone, beginning, beginning, whole.subarray(first)]))
  assertPassed(t, await run(stage), 'no cache')
  writeFileSync(cache, whole)
  assertPassed(t, await run(stage), 'taken')
})

t.test('two builds of one version: each does without the cache of the other', async (t) => {
  const stage = await makeStage(t)
  const { lab, launcher, cache } = stage
  const program = twinNode()
  const [here, there] = [process.execPath, program].map((path) => readFileSync(path).subarray(0, 1024))
  const isSame = here?.equals(there ?? Buffer.of()) ?? false
  t.comment(isSame ? 'this Node is the build that npm has' : `this Node is another build than npm's`)
  const pass = (node: string): Promise<Told> =>
    told(lab, lab.filter({ recipients: ['bob@known.test'], program: launcher, env: telling(lab), node }))
  // Compared by what they are, not by where they lie.
  assertPassed(t, await pass(program), isSame ? 'taken' : 'no cache')
  const copy = join(lab.dir, 'copy')
  cpSync(join(ROOT, 'dist/lib'), join(copy, 'dist/lib'), { recursive: true })
  cpSync(join(ROOT, 'cache.mjs'), join(copy, 'cache.mjs'))
  for (const part of [
    'attachments.cjs',
    readdirSync(dirname(FILTER)).find((name) => /^mime-.*\.cjs$/.test(name)) ?? '',
  ])
    cpSync(join(dirname(FILTER), part), join(copy, 'dist/bin', part))
  const made = await outcomeOf(spawn(program, [join(copy, 'cache.mjs')], { env: { PATH: process.env.PATH } }))
  t.strictSame(made, { code: 0, signal: null, stdout: '', stderr: '' })
  t.equal(existsSync(cache), true)
  assertPassed(t, await pass(program), 'taken')
  assertPassed(t, await pass(process.execPath), isSame ? 'taken' : 'no cache')
})

/** Has a program take itself for one of another version of Node; loaded before the launcher. */
const PRETEND = `
const versions = { ...process.versions, ...JSON.parse(process.env.VERSIONS) }
Object.defineProperty(process, 'versions', { value: versions })`

t.test('a Node that does not do, or one that nothing was built for: one line that says which', async (t) => {
  const { lab, launcher, cache, command } = await makeStage(t)
  rmSync(cache)
  rmSync(command.cache)
  const pretend = join(lab.dir, 'pretend.cjs')
  writeFileSync(pretend, PRETEND)
  const other =
    Number(process.versions.napi) >= 10 ? { node: '20.19.0', napi: '9' } : { node: '26.1.0', napi: '10' }
  const lines: [versions: { node: string; napi?: string }, line: RegExp][] = [
    [
      { node: '18.20.4' },
      /^start: Node 18\.20\.4 does not do: TOEH runs on 20 from 20\.19 on, 22 from 22\.14 on, and 24 or newer \(docs\/install\.md: where to get one\)$/,
    ],
    [{ node: '20.18.3' }, /^start: Node 20\.18\.3 does not do: /],
    [{ node: '22.13.1' }, /^start: Node 22\.13\.1 does not do: /],
    [{ node: '23.11.0' }, /^start: Node 23\.11\.0 does not do: /],
    [
      other,
      new RegExp(
        `^database \\S+: better-sqlite3 for Node ${other.node}: it (?:has no native part|was not installed [^;]+); under this Node: npm ci && npm run build$`,
      ),
    ],
  ]
  for (const [versions, line] of lines) {
    const env = { NODE_OPTIONS: `--require=${pretend}`, VERSIONS: JSON.stringify(versions) }
    const gate = await lab.filter({ recipients: ['bob@known.test'], program: launcher, env })
    t.strictSame({ code: gate.code, stderr: gate.stderr }, { code: 75, stderr: '' }, versions.node)
    t.match(gate.stdout, /^4\.3\.0 toeh: [^\n]+\n$/)
    t.match(gate.stdout.slice('4.3.0 toeh: '.length, -1), line)
    const args = [command.launcher, 'list', '--config', lab.config]
    const list = await outcomeOf(spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }))
    t.equal(list.stdout, '')
    t.not(list.code, 0)
    t.match(list.stderr, /^toeh: [^\n]+\n$/)
    t.match(list.stderr.slice('toeh: '.length, -1), line)
  }
})

t.test('what package.json says of Node is what is asked', (t) => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.equal(engines.node, '>=20.19 <21 || >=22.14 <23 || >=24')
  // By hand, as npm has no place for it: npm leaves out what an optional dependency's engines do not allow, and better-sqlite3 12
  // allows Node 22 to 26 as well, which would compile it for nothing.
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  t.equal(packages['node_modules/better-sqlite3-12'].engines.node, '20.x')
  t.equal(packages['node_modules/better-sqlite3'].engines.node, '>=22')
  // examples/demo asks before anything is built.
  const asked = 'major === 20 ? minor >= 19 : major === 22 ? minor >= 14 : major >= 24'
  for (const file of ['lib/system/nodeversion.cts', 'examples/demo'])
    t.ok(readFileSync(join(ROOT, file), 'utf8').includes(asked), file)
  const does = (node: string): boolean => refuseVersion(node) === undefined
  for (const node of ['20.19.0', '20.19.2', '20.20.2', '22.14.0', '22.23.3', '24.0.0', '25.1.0', '26.10.0'])
    t.ok(does(node), node)
  for (const node of ['12.22.0', '18.20.4', '19.0.0', '20.18.9', '21.7.0', '22.13.9', '23.11.0', ''])
    t.notOk(does(node), node)
  t.end()
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
    return told(lab, outcomeOf(spawn(NODE, args, { env })))
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
