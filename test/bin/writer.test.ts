/** toeh-filter, and those above it: what becomes of a run when pipe(8), or the shell that answers for Node, has ended. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  assertDeferred,
  FILTER,
  GATE,
  type Lab,
  MESSAGE,
  makeLab,
  NODE,
  type Outcome,
  onlyWith,
  outcomeOf,
  PIPE_ENV,
  WITH_NODE,
} from '../support/lab.js'
import { childrenOf, isAlive, readProc } from '../support/process.js'
import { makeSink, type Sink } from '../support/sink.js'
import { Talker } from '../support/talker.js'

const KNOWN = 'bob@known.test'
const UNKNOWN = 'eve@unknown.test'

const BY_THE_SHELL = [FILTER, WITH_NODE]
const BY_ITSELF = [NODE, GATE]

interface Writer {
  /** In place of pipe(8): it has written a part of a message, and waits. */
  pid: number
  /** What it has started. */
  filter: number
  /** Node, which that is or has started. */
  node: number
  /** Ends the standard input of the filter, and lives on. */
  finish: () => void
  /** What the filter has said, once Node has ended. */
  ended: () => Promise<string>
}

async function startWriter(t: Test, lab: Lab, program: readonly string[]): Promise<Writer> {
  const output = join(lab.dir, 'output')
  const script = `
    const { spawn } = require('node:child_process')
    const out = require('node:fs').openSync(${JSON.stringify(output)}, 'a')
    const [program, ...args] = process.argv.slice(1)
    const child = spawn(program, args, { stdio: ['pipe', out, out] })
    child.stdin.write(${JSON.stringify(MESSAGE)}.padEnd(100_000, 'x\\n'), () => console.log(child.pid))
    process.on('SIGTERM', () => child.stdin.end())
    setInterval(() => {}, 1000)`
  const options = [`--config=${lab.config}`, '--sender=anna@corp.test', '--queue-id=ABCDEF']
  const line = [NODE, '-e', script, '--', ...program, ...options, '--', KNOWN, UNKNOWN]
  const writer = spawn('env', [...onlyWith(PIPE_ENV), ...line])
  t.teardown(() => writer.kill('SIGKILL'))
  const filter = Number(String(await new Promise((done) => writer.stdout.once('data', done))))
  while (lab.temporaries().length === 0) await sleep(10)
  const node = childrenOf(filter)[0] ?? filter
  return {
    pid: writer.pid ?? 0,
    filter,
    node,
    finish: () => void writer.kill('SIGTERM'),
    async ended() {
      while (isAlive(node)) await sleep(10)
      return readFileSync(output, 'utf8')
    },
  }
}

/** Who is killed, and how the filter was started. */
const KILLED: [who: string, program: string[], victim: (writer: Writer) => number][] = [
  ['pipe(8), of the shell', BY_THE_SHELL, ({ pid }) => pid],
  ['pipe(8), of Node', BY_ITSELF, ({ pid }) => pid],
  ['the shell', BY_THE_SHELL, ({ filter }) => filter],
]

/** Kills a process, and waits until its children are another's: its last thread may live longer than its first. */
async function kill(pid: number): Promise<void> {
  const children = childrenOf(pid)
  process.kill(pid, 'SIGKILL')
  const isParent = (child: number): boolean =>
    new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readProc(`${child}/status`))
  while (isAlive(pid) || children.some(isParent)) await sleep(1)
}

async function makeGround(t: Test): Promise<{ lab: Lab; sink: Sink }> {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  return { lab, sink }
}

for (const [who, program, victim] of KILLED) {
  t.test(`killed while the message is read: ${who}`, async (t) => {
    const { lab, sink } = await makeGround(t)
    const writer = await startWriter(t, lab, program)
    await kill(victim(writer))
    // Where it lives, the message comes to its end, and the writer does not see how the gate ends.
    if (victim(writer) !== writer.pid) writer.finish()
    t.match(
      await writer.ended(),
      /^4\.3\.0 toeh: read message: the process that was writing it has died; [^\n]+\n$/,
    )
    t.strictSame(lab.held(), [], 'nothing is held')
    t.strictSame(lab.temporaries(), [], 'nothing is left in hold/tmp')
    t.strictSame(lab.states(), [])
    t.equal(sink.mails.length, 0, 'nothing is sent')
  })

  t.test(`killed while the database is waited for: ${who}`, async (t) => {
    const { lab, sink } = await makeGround(t)
    const writer = await startWriter(t, lab, program)
    const db = lab.openDatabase()
    t.teardown(() => db.close())
    // The next run of the message may know by now whom this one would park.
    db.run('BEGIN IMMEDIATE')
    writer.finish()
    const isReady = (name: string): boolean => existsSync(join(lab.state, 'hold/tmp', name, 'envelope.json'))
    while (!lab.temporaries().some(isReady)) await sleep(10)
    await kill(victim(writer))
    db.run('COMMIT')
    t.match(
      await writer.ended(),
      /^4\.3\.0 toeh: settle: the process that handed the message over has died; [^\n]+\n$/,
    )
    t.strictSame(lab.states(), [], 'nobody is parked')
    t.strictSame(lab.held(), [], 'and no folder is left that fsck would take for a hold')
    t.strictSame(lab.temporaries(), [])
    t.equal(sink.mails.length, 0, 'nothing is sent')
  })

  t.test(`killed before the end of the message is sent: ${who}`, async (t) => {
    let goOn: (reply: string) => void = () => {}
    const DATA = new Promise<string>((resolve) => {
      goOn = resolve
    })
    const talker = await Talker.start(t, { DATA })
    const lab = makeLab(t, talker.setting)
    await lab.allow('known.test')
    const writer = await startWriter(t, lab, program)
    writer.finish()
    await talker.until('DATA')
    await kill(victim(writer))
    goOn('354 go on')
    t.match(
      await writer.ended(),
      /^4\.3\.0 toeh: settle: the process that handed the message over has died; [^\n]+\n$/,
    )
    t.notOk(talker.heard.includes('.'), 'nothing is sent')
    t.strictSame(lab.states(), [`${UNKNOWN} held`], 'what was parked stays parked, for the retry')
  })
}

t.test('SIGTERM', async (t) => {
  const talker = await Talker.start(t, { DATA: 'SILENCE' })
  const lab = makeLab(t, `deadline_seconds = 3\n${talker.setting}`)
  await lab.allow('known.test')
  /** Runs it until the server says nothing any more, and gives that one of its processes the signal. */
  const run = async (bare: boolean, kill: (pid: number) => void): Promise<Outcome> => {
    talker.heard.length = 0
    const child = lab.startFilter({ recipients: [KNOWN], bare })
    const ended = outcomeOf(child)
    child.stdin?.end(MESSAGE)
    await talker.until('DATA')
    kill(child.pid ?? 0)
    return ended
  }
  const term = (pid: number): void => {
    process.kill(pid, 'SIGTERM')
  }
  const byItself = await run(true, term)
  t.strictSame(byItself, { code: null, signal: 'SIGTERM', stdout: '', stderr: '' }, 'Node, by itself')
  const ofTheShell = await run(false, (pid) => childrenOf(pid).forEach(term))
  assertDeferred(t, ofTheShell, /start: Node was ended by signal 15; run toeh doctor/)
  assertDeferred(t, await run(false, term), /deadline: not done within 3 s/)
  t.strictSame(lab.held(), [])
})
