/** Metrics: a text that Prometheus takes, which names nobody; and what is built on the names of its metrics. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { countDecision, type Measured, type Verdicts, writeMetrics } from '../../lib/report/metrics.js'
import { PROMTOOL } from '../support/debianpackages.js'
import { ROOT } from '../support/lab.js'

const MEASURED: Measured = {
  countedSince: Date.UTC(2026, 10, 1),
  verdicts: { 'unknown held': 3, 'allowed passed': 20 },
  waiting: { messages: 2, bytes: 4000 },
  oldest: 1_000_000,
  rules: { allow: 7, block: 1 },
  free: 123456789,
  freeLimit: 104857600,
  lastCleanup: 1_500_000,
  observes: false,
  now: 1_600_500,
}

/** Every word that begins with toeh_, as names of metrics do. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\btoeh_[a-z_]+/g))].sort()
}

const names = namesIn(writeMetrics(MEASURED))

t.test('the text', (t) => {
  const text = writeMetrics(MEASURED)
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of samples)
    t.match(line, /^toeh_[a-z_]+(\{[a-z]+="[a-z-]+"(,[a-z]+="[a-z-]+")*\})? [0-9.]+$/)
  t.ok(samples.includes('toeh_recipients_total{reason="unknown",did="held"} 3'))
  t.ok(samples.includes('toeh_recipients_total{reason="foreign-sender",did="held"} 0'), 'nought is said')
  t.equal(samples.filter((line) => line.startsWith('toeh_recipients_total')).length, 18)
  t.ok(samples.includes('toeh_recipients_since_timestamp_seconds 1793491200'))
  t.ok(samples.includes('toeh_waiting_oldest_age_seconds 600.5'))
  t.ok(samples.includes('toeh_last_cleanup_timestamp_seconds 1500'))
  t.ok(samples.includes('toeh_rules{effect="block"} 1'))
  t.ok(samples.includes('toeh_observing 0'))
  const bare = writeMetrics({ ...MEASURED, oldest: undefined, lastCleanup: undefined, observes: true })
  t.match(bare, '\ntoeh_waiting_oldest_age_seconds 0\n')
  t.match(bare, '\ntoeh_last_cleanup_timestamp_seconds 0\n')
  t.match(bare, '\ntoeh_observing 1\n')
  t.match(writeMetrics({ ...MEASURED, oldest: MEASURED.now + 1 }), 'age_seconds 0\n', 'never below nought')
  t.end()
})

t.test('what an earlier run had settled is counted once', (t) => {
  const verdicts: Verdicts = {}
  countDecision(verdicts, [
    { reason: 'unknown', did: 'held' },
    { reason: 'allowed', did: 'passed' },
  ])
  countDecision(verdicts, [
    { reason: 'unknown', did: 'nothing: held' },
    { reason: 'allowed', did: 'passed' },
  ])
  t.strictSame(verdicts, { 'unknown held': 1, 'allowed passed': 2 })
  t.end()
})

const skip = spawnSync(PROMTOOL, ['--version']).error === undefined ? false : 'promtool is not installed'

t.test('promtool finds nothing to say', { skip }, (t) => {
  const check = (input: string) => spawnSync(PROMTOOL, ['check', 'metrics'], { input, encoding: 'utf8' })
  const { status, stdout, stderr } = check(writeMetrics(MEASURED))
  t.strictSame([status, stdout, stderr], [0, '', ''])
  t.not(check('# TYPE toeh_x counter\ntoeh_x 1\n').status, 0, 'it would have')
  t.end()
})

t.test('the dashboard and the document know these metrics and no others', (t) => {
  const dashboard = readFileSync(join(ROOT, 'examples/grafana-dashboard.json'), 'utf8')
  const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] }
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  t.ok(expressions.length > 8)
  t.strictSame(
    namesIn(expressions.join(' ')),
    names.filter((name) => name !== 'toeh_recipients_since_timestamp_seconds'),
    'all that change are drawn',
  )
  t.strictSame(
    namesIn(dashboard).filter((name) => !names.includes(name)),
    [],
  )
  const document = readFileSync(join(ROOT, 'docs/watching.md'), 'utf8')
  t.strictSame(namesIn(document), names)
  for (const [label] of expressions.join(' ').matchAll(/(?<=(?:did|reason|effect)=")[^"]+/g))
    t.match(writeMetrics(MEASURED), `="${label}"`)
  t.end()
})
