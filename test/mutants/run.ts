/**
 * The mutation run: puts each mutant of a file into a copy of this project, runs the tests that are to notice it, and names those
 * that nobody noticed. `npm run test:mutants -- rules/decide mail/address:69` takes a file and a line of another, without names all. Build first.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { transformSync } from 'esbuild'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API, type Project, type Snapshot } from 'typescript/unstable/sync'
import { type Mutant, mutantsOf } from './mutants.js'

const ROOT = resolve(import.meta.dirname, '../../..')

/** Tests that import the file, and tests that run the programs made of it, which are built anew for each of its mutants. */
interface Watch {
  tests: readonly string[]
  programs?: readonly string[]
}

/** Who is to notice a mutant of a file: the quickest first. */
const WATCHES: Readonly<Record<string, Watch>> = {
  'rules/decide': { tests: ['rules/decide.test', 'rules/decide.property.test'] },
  'mail/address': { tests: ['mail/address.test', 'mail/address.property.test', 'mail/address.corpus.test'] },
  'mail/envelope': { tests: ['mail/envelope.test', 'mail/envelope.property.test'] },
  'hold/token': { tests: ['hold/token.test', 'approval/moderate.test'] },
  'express/tables': { tests: ['express/tables.test', 'express/tables.property.test', 'express/lane.test'] },
  'mail/smtp': {
    tests: ['mail/smtp.test', 'mail/smtp.fuzz.test', 'mail/smtp.property.test', 'approval/release.test'],
  },
  'hold/folder': { tests: ['hold/folder.test', 'hold/hold.test', 'hold/fsck/fsck.test'] },
  'hold/hold': { tests: ['hold/hold.test', 'approval/release.test'] },
  'hold/heldmail': { tests: ['hold/heldmail.test', 'hold/hold.test'] },
  'hold/upkeep': { tests: ['hold/upkeep.test'], programs: ['commands/cleanup.test'] },
  'approval/release': { tests: ['approval/release.test'], programs: ['commands/release.test'] },
  'gate/exitguard': { tests: ['gate/exitguard.test'] },
  'gate/gate': {
    tests: ['gate/gate.test'],
    programs: ['bin/toeh-filter-repetition.test', 'bin/toeh-filter.test', 'bin/writer.test'],
  },
  'database/backup': { tests: ['database/backup.test'] },
  'notice/notify': { tests: ['notice/notify.test', 'approval/moderate.test'] },
  'approval/moderate': { tests: ['approval/moderate.test'], programs: ['commands/moderate.test'] },
  'setup/apply': { tests: ['setup/apply.test'] },
  'commands/cleanup': { tests: [], programs: ['commands/cleanup.test', 'scenarios/clock.test'] },
}

/** The compiler's complaints about what is not used any more: whoever leaves a call out leaves out what was made for it. */
const UNUSED = new Set([6133, 6138, 6192, 6196, 6198, 6199])

/** So many mutants are tried at once, each in a copy of the project: what most tests do is wait. */
const JOBS = Number(process.env.JOBS ?? availableParallelism())

/** A test may take so many times what it takes without a mutant, and so many milliseconds. */
const PATIENCE = { times: 4, plus: 10_000 }

type End = 'refused' | 'noticed' | 'hung' | 'survived' | 'equivalent'

/** The copy of the project that mutants are put into. */
class Copy {
  readonly root = mkdtempSync(join(tmpdir(), 'mutants-'))
  readonly #api: API
  #snapshot: Snapshot
  #child: ChildProcess | undefined
  /** What the last test has printed. */
  said = ''

  constructor() {
    const skipped = new Set(['node_modules', '.git', '.tap'].map((name) => join(ROOT, name)))
    cpSync(ROOT, this.root, {
      recursive: true,
      filter: (path) => !skipped.has(path),
      preserveTimestamps: true,
    })
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'))
    // Tests run programs as users of no rights.
    chmodSync(this.root, 0o755)
    this.#api = new API({ cwd: this.root })
    this.#snapshot = this.#api.updateSnapshot({ openProjects: [join(this.root, 'tsconfig.json')] })
  }

  get #project(): Project {
    const [project] = this.#snapshot.getProjects()
    if (project === undefined) throw new Error('TypeScript does not open the project')
    return project
  }

  path(name: string): string {
    return join(this.root, `lib/${name}.ts`)
  }

  mutants(name: string): Mutant[] {
    const file = this.#project.program.getSourceFile(this.path(name))
    if (file === undefined) throw new Error(`there is no lib/${name}.ts`)
    if (file.kind !== SyntaxKind.SourceFile) throw new Error(`lib/${name}.ts is no source`)
    return mutantsOf(file)
  }

  /** Puts a text in the place of a file, and what it compiles to. @returns whether TypeScript takes it */
  put(name: string, text: string): boolean {
    const path = this.path(name)
    writeFileSync(path, text)
    this.#snapshot.dispose()
    this.#snapshot = this.#api.updateSnapshot({ fileChanges: { changed: [path] } })
    const { program } = this.#project
    const complaints = [...program.getSyntacticDiagnostics(path), ...program.getSemanticDiagnostics(path)]
    if (complaints.some(({ code }) => !UNUSED.has(code))) return false
    const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'es2023' })
    writeFileSync(join(this.root, `dist/lib/${name}.js`), code)
    return true
  }

  /** Builds the programs. @returns whether they can be built */
  bundle(): boolean {
    return ['bundle.mjs', 'cache.mjs'].every(
      (script) => spawnSync(process.execPath, [script], { cwd: this.root }).status === 0,
    )
  }

  /** Runs one test file. @param limit milliseconds */
  async test(name: string, limit: number): Promise<'passed' | 'failed' | 'hung'> {
    const temporary = join(this.root, 'tmp')
    mkdirSync(temporary, { mode: 0o777 })
    chmodSync(temporary, 0o1777)
    const env = { ...process.env, TMPDIR: temporary, TAP_BAIL: '1', TAP_TIMEOUT: '300' }
    const child = spawn(process.execPath, [`dist/test/${name}.js`], {
      cwd: this.root,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      // A group of its own, so that what a test has started ends with it.
      detached: true,
    })
    this.#child = child
    this.said = ''
    child.stdout.on('data', (bytes) => {
      this.said += bytes
    })
    let hung = false
    const timer = setTimeout(() => {
      hung = true
      this.stop()
    }, limit)
    const code = await new Promise<number | null>((done) => child.on('close', done))
    clearTimeout(timer)
    this.stop()
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
    return hung ? 'hung' : code === 0 ? 'passed' : 'failed'
  }

  stop(): void {
    try {
      if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // It has ended, with all it has started.
    }
  }

  remove(): void {
    this.stop()
    this.#snapshot.dispose()
    this.#api.close()
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

function keyOf(file = '', was: string, becomes: string): string {
  return [file, was, becomes].join('\n')
}

/** The mutants that README.md names as equivalent. */
function readEquivalents(): Set<string> {
  const text = readFileSync(join(ROOT, 'test/mutants/README.md'), 'utf8')
  const rows = text.matchAll(/^\| `lib\/([^`]+)\.ts` \| `(.+?)` \| `(.+?)` \| [^|]+ \|$/gm)
  const plain = (cell = ''): string => cell.replaceAll('\\|', '|')
  return new Set([...rows].map(([, file, was, becomes]) => keyOf(file, plain(was), plain(becomes))))
}

/** Where a mutant is, and what its line was and becomes. */
function describe(
  text: string,
  { from, to, text: instead }: Mutant,
): { line: number; was: string; becomes: string } {
  const before = text.slice(0, from).split('\n')
  const head = before.at(-1) ?? ''
  const rest = text.slice(to).split('\n')[0] ?? ''
  const short = (line: string): string => line.trim().replace(/\s+/g, ' ')
  return {
    line: before.length,
    was: short(`${head}${text.slice(from, to)}${rest}`),
    becomes: short(`${head}${instead}${rest}`),
  }
}

/** The lines of TAP that say what failed. */
function faultsIn(tap: string): string {
  return tap
    .split('\n')
    .filter((line) => /^ *not ok /.test(line))
    .join('\n')
}

/**
 * What became of the mutants of a file, several at once, each in a copy of its own.
 * @param lines those in these lines alone; none: all
 */
async function run(
  copies: readonly Copy[],
  name: string,
  { tests, programs = [] }: Watch,
  equivalents: ReadonlySet<string>,
  lines: ReadonlySet<number>,
): Promise<Map<End, number>> {
  const [first] = copies
  if (first === undefined) return new Map()
  const original = readFileSync(join(ROOT, `lib/${name}.ts`), 'utf8')
  const limits = new Map<string, number>()
  for (const test of [...tests, ...programs]) {
    const began = performance.now()
    const end = await first.test(test, 600_000)
    if (end !== 'passed')
      throw new Error(`test/${test}.ts, without any mutant: ${end}\n${faultsIn(first.said)}`)
    limits.set(test, (performance.now() - began) * PATIENCE.times + PATIENCE.plus)
  }
  const ask = async (copy: Copy, asked: readonly string[]): Promise<End> => {
    for (const test of asked) {
      const end = await copy.test(test, limits.get(test) ?? 0)
      if (end === 'hung') return 'hung'
      if (end === 'failed') return 'noticed'
    }
    return 'survived'
  }
  const fateOf = async (copy: Copy, text: string, isEquivalent: boolean): Promise<End> => {
    if (!copy.put(name, text)) return 'refused'
    if (isEquivalent) return 'equivalent'
    const end = await ask(copy, tests)
    if (end !== 'survived' || programs.length === 0) return end
    return copy.bundle() ? ask(copy, programs) : 'noticed'
  }
  const counts = new Map<End, number>()
  const isAsked = (mutant: Mutant): boolean => lines.size === 0 || lines.has(describe(original, mutant).line)
  const mutants = first.mutants(name).filter(isAsked)
  let next = 0
  const work = async (copy: Copy): Promise<void> => {
    for (let mutant = mutants[next++]; mutant !== undefined; mutant = mutants[next++]) {
      if (process.stderr.isTTY) process.stderr.write(`${name} ${next} of ${mutants.length}\r`)
      const { line, was, becomes } = describe(original, mutant)
      const text = original.slice(0, mutant.from) + mutant.text + original.slice(mutant.to)
      const end = await fateOf(copy, text, equivalents.has(keyOf(name, was, becomes)))
      counts.set(end, (counts.get(end) ?? 0) + 1)
      if (end === 'survived') console.log(`lib/${name}.ts:${line} survived\n  - ${was}\n  + ${becomes}`)
    }
    copy.put(name, original)
    if (programs.length > 0) copy.bundle()
  }
  await Promise.all(copies.map(work))
  return counts
}

/** Of those that TypeScript takes and that are no other program, how many were noticed. */
function score(counts: ReadonlyMap<End, number>): string {
  const of = (end: End): number => counts.get(end) ?? 0
  const noticed = of('noticed') + of('hung')
  const all = noticed + of('survived')
  const percent = all === 0 ? 100 : (noticed / all) * 100
  return `${percent.toFixed(1)} % of ${all} noticed (${of('hung')} hung), ${of('survived')} survived, ${of('equivalent')} equivalent, ${of('refused')} refused by TypeScript`
}

/** What was asked for: all lines of a file, or these. */
const asked = new Map<string, Set<number>>()
for (const argument of process.argv.slice(2)) {
  const [, name = '', line] = /^(?:lib\/)?(.*?)(?:\.ts)?(?::([0-9]+))?$/.exec(argument) ?? []
  if (!Object.hasOwn(WATCHES, name)) {
    console.error(`mutants: ${argument} is not watched; these are: ${Object.keys(WATCHES).join(' ')}`)
    process.exit(2)
  }
  const lines = asked.get(name) ?? new Set()
  if (line !== undefined) lines.add(Number(line))
  asked.set(name, lines)
}
const copies = Array.from({ length: JOBS }, () => new Copy())
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    for (const copy of copies) copy.remove()
    process.exit(1)
  })
try {
  const equivalents = readEquivalents()
  const scores: string[] = []
  for (const [name, watch] of Object.entries(WATCHES)) {
    const lines = asked.get(name)
    if (asked.size > 0 && lines === undefined) continue
    const counts = await run(copies, name, watch, equivalents, lines ?? new Set())
    scores.push(`lib/${name}.ts: ${score(counts)}`)
    console.log(scores.at(-1))
  }
  if (scores.length > 1) console.log(`\n${scores.join('\n')}`)
} finally {
  for (const copy of copies) copy.remove()
}
