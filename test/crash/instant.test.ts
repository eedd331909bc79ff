/** The instant that nothing can promise: from Postfix's 250 for the message to the end of our process, measured. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'
import { FULL } from './campaign.js'
import { cannotStrike } from './trial.js'

const RUNS = FULL ? 200 : 10

/** The middle one and the greatest. */
function summary(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const [median = 0, greatest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return `median ${median.toFixed(1)} ms, 95 % within ${(sorted[Math.floor(sorted.length * 0.95)] ?? 0).toFixed(1)} ms, greatest ${greatest.toFixed(1)} ms, of ${values.length} runs`
}

for (const [name, recipients] of [
  ['known', ['a@known.test']],
  ['mixed', ['a@known.test', 'b@unknown.test']],
] as const) {
  t.test(`from 250 to the end: ${name}`, { skip: cannotStrike() }, async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    const file = join(lab.dir, 'trace')
    const spans: number[] = []
    for (let run = 0; run < RUNS; run++) {
      const queueId = `4bQ8Yk2hJ${String(run).padStart(3, '0').replace(/[01]/g, 'z')}${run}`
      const through = ['strace', '-f', '--seccomp-bpf', '-ttt', '-y', '-o', file]
      const trace = ['-e', 'trace=connect,write,read,exit_group']
      const { code } = await lab.filter({ recipients, queueId, through: [...through, ...trace] })
      t.equal(code, 0)
      spans.push(spanOf(file))
      rmSync(file)
    }
    t.comment(`${name}: ${summary(spans)}`)
    t.ok(spans.every((span) => span > 0 && span < 10_000))
    t.equal(sink.mails.length, RUNS)
  })
}

/**
 * Milliseconds from the read of the answer to the final dot until the last exit_group, of the shell that answers for Node. By the
 * lines: where another thread comes between, strace has the end of a call on a line of its own (`<... read resumed>`).
 */
function spanOf(file: string): number {
  const lines = readFileSync(file, 'latin1')
    .split('\n')
    .map((text) => ({ text, at: Number(/^\d+ +(\d+\.\d+) /.exec(text)?.[1]) }))
  const dot = lines.findIndex(({ text }) => text.includes('".\\r\\n"'))
  const from = lines.find(({ text }, index) => index > dot && text.includes('"250 '))
  const end = lines.findLast(({ text }) => text.includes(' exit_group('))
  if (dot < 0 || from === undefined || end === undefined) throw new Error('the trace has no 250 or no end')
  return (end.at - from.at) * 1000
}
