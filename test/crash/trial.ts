/** The trial: one installation, one run of one case that is struck, and what came of it. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Lab, type Outcome } from '../support/lab.js'
import { Sink } from '../support/sink.js'
import { type Books, type Limits, PLACE, readBooks } from './books.js'
import { describeStroke, type Stroke, striking, struckIn } from './stroke.js'
import { type Call, readTrace, traced } from './trace.js'

/** What is struck: how it is made ready, run, and judged. */
export interface Case {
  name: string
  notice: string
  limits: Limits
  /** What the sink answers to a recipient. */
  answer?: (recipient: string) => string | undefined
  /** Makes the state that each trial begins with. */
  prepare(lab: Lab): Promise<void>
  /** The run: `through` starts it. */
  run(lab: Lab, through: readonly string[]): Promise<Outcome>
  /**
   * Brings the installation to its end as Postfix or a person would, and judges it.
   * @returns in a few words what came of it @throws Error that says which promise was broken
   */
  judge(trial: Trial): Promise<string>
}

/** What every trial of a case starts from, and what an undisturbed run of it looks like. */
export interface Model {
  case: Case
  state: string
  calls: Call[]
  end: Books
}

export class Trial {
  readonly lab: Lab
  readonly sink: Sink
  readonly model: Model
  /** How the run that was struck has ended. */
  readonly first: Outcome
  readonly calls: readonly Call[]

  constructor(lab: Lab, sink: Sink, model: Model, first: Outcome, calls: readonly Call[]) {
    this.lab = lab
    this.sink = sink
    this.model = model
    this.first = first
    this.calls = calls
  }

  books(): Promise<Books> {
    return readBooks(this.lab.state, this.sink, this.model.case.limits)
  }

  again(): Promise<Outcome> {
    return this.model.case.run(this.lab, [])
  }
}

async function withLab<T>(
  { notice, answer }: Case,
  state: string | undefined,
  work: (lab: Lab, sink: Sink) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(PLACE, 'toeh-crash-'))
  const sink = await Sink.start(answer)
  try {
    const lab = new Lab(dir, `${sink.setting}\n${notice}`)
    if (state !== undefined) {
      rmSync(lab.state, { recursive: true })
      cpSync(state, lab.state, { recursive: true, preserveTimestamps: true })
    }
    return await work(lab, sink)
  } finally {
    await sink.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Makes a case ready in `folder`, and runs it once undisturbed to see its calls and its end. */
export async function makeModel(one: Case, folder: string): Promise<Model> {
  const state = join(folder, one.name.replace(/[^a-z]+/g, '-'))
  await withLab(one, undefined, async (lab) => {
    await one.prepare(lab)
    cpSync(lab.state, state, { recursive: true, preserveTimestamps: true })
  })
  return withLab(one, state, async (lab, sink) => {
    const file = join(lab.dir, 'trace')
    const outcome = await one.run(lab, traced(file))
    if (outcome.code !== 0) throw new Error(`${one.name}: ${JSON.stringify(outcome)}`)
    return {
      case: one,
      state,
      calls: readTrace(file, lab.dir),
      end: await readBooks(lab.state, sink, one.limits),
    }
  })
}

export interface Verdict {
  case: string
  stroke: string
  effect: string
  /** The call that was struck in the end; undefined where none was. */
  struck: string | undefined
  /** Whether the run came to the call that was meant: how many reads a reply takes differs between runs. */
  there: boolean
  outcome: string
  broken: boolean
}

/** How often a stroke is aimed again when it fell on another call: some counts differ by one or two between runs. */
const TRIES = 8

/**
 * Strikes until the point that was meant has been struck. Each try is a whole trial of its own.
 * @returns the verdicts, the last of which is on the point, or on none
 */
export async function strike(model: Model, stroke: Stroke): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  let aim = stroke
  for (let tries = 0; tries < TRIES; tries++) {
    const { verdict, n, ours } = await tryOnce(model, aim)
    if (ours) verdicts.push(verdict)
    else if (tries === TRIES - 1) {
      verdicts.push({
        ...verdict,
        struck: undefined,
        broken: false,
        outcome: "fell on Node's own pipes each time",
      })
    }
    if (verdict.struck === stroke.point) break
    aim = { ...aim, n: n ?? aim.n + 1 }
  }
  return verdicts
}

async function tryOnce(
  model: Model,
  stroke: Stroke,
): Promise<{ verdict: Verdict; n: number | undefined; ours: boolean }> {
  return withLab(model.case, model.state, async (lab, sink) => {
    const file = join(lab.dir, 'trace')
    const first = await model.case.run(lab, striking(stroke, file))
    const calls = readTrace(file, lab.dir)
    const struck = struckIn(stroke, calls)
    const verdict = await judge(model, describeStroke(stroke), new Trial(lab, sink, model, first, calls))
    // Where the point was in this run, if the stroke fell behind it.
    const n = calls.find(({ label }) => label === stroke.point)?.n
    // A fault in one of Node's own pipes between threads is none of the world's, and aborts it.
    const ours = stroke.effect === 'kill' || !struck?.includes(' undefined#')
    const there = n !== undefined
    return { verdict: { ...verdict, effect: stroke.effect, struck, there }, n, ours }
  })
}

/** Runs a case once through a program that makes trouble by itself, and judges it. */
export async function trouble(model: Model, what: string, through: (lab: Lab) => string[]): Promise<Verdict> {
  return withLab(model.case, model.state, async (lab, sink) => {
    const first = await model.case.run(lab, through(lab))
    const verdict = await judge(model, what, new Trial(lab, sink, model, first, []))
    // Whether anything went wrong in it at all: a ladder ends where nothing does.
    return { ...verdict, effect: what, struck: first.code === 0 ? undefined : what, there: true }
  })
}

async function judge(
  model: Model,
  stroke: string,
  trial: Trial,
): Promise<Omit<Verdict, 'effect' | 'struck' | 'there'>> {
  const base = { case: model.case.name, stroke }
  try {
    return { ...base, outcome: await model.case.judge(trial), broken: false }
  } catch (error) {
    const { code, signal, stdout, stderr } = trial.first
    const first = `first run ${signal ?? code}: ${stdout}${stderr}`.trim()
    return { ...base, outcome: `BROKEN: ${(error as Error).message} (${first})`, broken: true }
  }
}

/** A folder for the models of one file of tests. */
export function modelFolder(): string {
  const folder = mkdtempSync(join(PLACE, 'toeh-models-'))
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Why nothing can be struck here, or false. */
export function cannotStrike(): string | false {
  const { status } = spawnSync('strace', ['-o', '/dev/null', 'true'])
  return status === 0 ? false : 'strace is not installed and could not be, or may not trace here'
}
