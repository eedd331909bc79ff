/** toeh report: real figures of a lab, in lines, as JSON and as a page for its owner alone. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, makeLab, ROOT } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

t.test('what the gate did, and what people did about it', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('client.test')
  await lab.filter({ recipients: ['bob@corp.test', 'c@client.test'], queueId: 'KNOWN1' })
  await lab.park(['x@stranger.test', 'c@client.test'], { queueId: 'MIXED1' })
  const released = await lab.park(['y@stranger.test'], { queueId: 'UNKNOWN1' })
  assertDone(t, await lab.toeh('release', released, '--allow', 'address'), /released/)
  const before = lab.snapshot()
  const figures = JSON.parse((await lab.toeh('report', '--json')).stdout)
  t.match(figures, {
    messages: 3,
    passed: 3,
    held: 2,
    refused: 0,
    observed: 0,
    reasons: { internal: 1, allowed: 2, unknown: 2 },
    waiting: {
      messages: 1,
      recipients: 1,
      spans: [1, 0, 0, 0, 0, 0],
      longest: [{ first: 'x@stranger.test' }],
    },
    settled: { released: 1, rejected: 0, expired: 0 },
    release: { spans: [1, 0, 0, 0, 0, 0] },
    senders: [{ sender: 'anna@corp.test', recipients: 5, held: 2 }],
    rules: { allows: 2, blocks: 0, newest: [{ value: 'y@stranger.test' }, { value: 'client.test' }] },
  })
  const states = figures.newest.map(({ address, state }: Record<string, string>) => `${address} ${state}`)
  t.strictSame(states.sort(), ['x@stranger.test held', 'y@stranger.test released'])
  const outcome = await lab.toeh('report')
  assertDone(
    t,
    outcome,
    '3 messages; recipients: 3 passed, 2 held, 0 refused, 0 passed that would have been held',
  )
  t.match(outcome.stdout, /\n[-0-9]{10} +3 +2 {2}#{30}\n/)
  t.match(
    outcome.stdout,
    /\n1 message \([0-9]+\) for 1 recipient wait, the oldest for [0-9]+s:\n {2}up to 1 hour {4}1\n/,
  )
  t.match(outcome.stdout, '\nsettled: 1 released, 0 rejected, 0 expired\n')
  t.match(outcome.stdout, /\nthe landscape: 2 allow rules, 0 blocks; \+1 since /)
  t.strictSame(lab.snapshot(), before, 'it only looks')
})

t.test('the page: for its owner alone, whole, in place of an older one', async (t) => {
  const lab = makeLab(t)
  const out = join(lab.dir, 'out')
  mkdirSync(out)
  const file = join(out, 'report.html')
  writeFileSync(file, 'old', { mode: 0o644 })
  await lab.park(['"<script>"@a.test'], { queueId: 'HOSTILE1' })
  await lab.park(['x\u{202e}y@b.test'], { queueId: 'HOSTILE2' })
  assertDone(t, await lab.toeh('report', '--html', file), `${file}\n`)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(readdirSync(out), ['report.html'])
  const page = readFileSync(file, 'utf8')
  t.match(page, /^<!doctype html>\n.*<\/html>\n$/s)
  t.match(page, '&quot;&lt;script&gt;&quot;<wbr>@a.test')
  t.match(page, 'x\\u{202e}y<wbr>@b.test')
  t.notMatch(page, '<script')
  t.match((await lab.toeh('report', '--html', '-')).stdout, /^<!doctype html>\n/)
  const { file: named, held } = JSON.parse((await lab.toeh('report', '--html', file, '--json')).stdout)
  t.strictSame([named, held], [file, 2])
})

t.test('an empty installation, an odd line in the log, and wrong usage', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('report'), 'nothing waits\n')
  const today = new Date().toISOString().slice(0, 10)
  writeFileSync(join(lab.state, 'decisions', `${today}.jsonl`), 'null\n{"at":1}\n{"at":"2026')
  assertDone(t, await lab.toeh('report', '--since', '99y'), '0 messages')
  assertRefused(t, await lab.toeh('report', '--since', 'soon'), 2, /it is no date/)
  assertRefused(t, await lab.toeh('report', '--html', ''), 2, /which file\?/)
  assertRefused(
    t,
    await lab.toeh('report', '--html', lab.dir),
    1,
    /for standard output: toeh report --html -/,
  )
  assertRefused(t, await lab.toeh('report', 'x'), 2, /x is too much: it is toeh report/)
})

t.test('every field of its JSON is in the document', async (t) => {
  const lab = makeLab(t)
  await lab.allow('client.test')
  await lab.park(['x@stranger.test'])
  const [, section = ''] =
    /^### report\n(.*?)^### /ms.exec(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')) ?? []
  const names = new Set<string>()
  const collect = (value: unknown, key = ''): void => {
    if (Array.isArray(value)) for (const one of value) collect(one, key)
    else if (typeof value === 'object' && value !== null && key !== 'reasons')
      for (const [name, inner] of Object.entries(value)) {
        names.add(name)
        collect(inner, name)
      }
  }
  collect(JSON.parse((await lab.toeh('report', '--json')).stdout))
  t.ok(names.size > 40, `${names.size}`)
  for (const name of names) t.match(section, new RegExp(`\\b${name}\\b`), name)
})
