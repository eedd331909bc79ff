/** Metrics: what TOEH tells Prometheus, in its text format. Counts only: no address, no name. Pure. */
import type { Reason } from '../rules/decide.js'

/** Recipients by reason and what was done: `unknown held` → 12. */
export type Verdicts = Record<string, number>

const REASONS = {
  internal: true,
  allowed: true,
  malformed: true,
  'foreign-sender': true,
  blocked: true,
  unknown: true,
} satisfies Record<Reason, true>

const DONE = ['passed', 'held', 'refused'] as const

export interface Measured {
  /** Since when the verdicts are counted. Milliseconds since 1970, as all times here. */
  countedSince: number
  verdicts: Verdicts
  waiting: { messages: number; bytes: number }
  /** When the oldest that waits was held, or undefined. */
  oldest: number | undefined
  rules: { allow: number; block: number }
  /** Bytes. */
  free: number
  freeLimit: number
  /** When a cleanup last believed its clock, or undefined. */
  lastCleanup: number | undefined
  observes: boolean
  now: number
}

/** Adds one line of the decision log; what an earlier run had settled is not counted again. */
export function countDecision(
  verdicts: Verdicts,
  recipients: readonly { reason: string; did: string }[],
): void {
  for (const { reason, did } of recipients) {
    if (did.startsWith('nothing')) continue
    const key = `${reason} ${did}`
    verdicts[key] = (verdicts[key] ?? 0) + 1
  }
}

interface Metric {
  name: string
  type: 'gauge' | 'counter'
  help: string
  /** One for each set of labels. */
  samples: [labels: string, value: number][]
}

function listMetrics(measured: Measured): Metric[] {
  const { countedSince, verdicts, waiting, oldest, rules, free, freeLimit, lastCleanup, observes, now } =
    measured
  const one = (name: string, help: string, value: number): Metric => ({
    name,
    type: 'gauge',
    help,
    samples: [['', value]],
  })
  return [
    {
      name: 'toeh_recipients_total',
      type: 'counter',
      help: 'Recipients by the reason of their verdict and by what was done.',
      samples: Object.keys(REASONS).flatMap((reason) =>
        DONE.map((did): [string, number] => [
          `reason="${reason}",did="${did}"`,
          verdicts[`${reason} ${did}`] ?? 0,
        ]),
      ),
    },
    one(
      'toeh_recipients_since_timestamp_seconds',
      'Begin of the first day that toeh_recipients_total counts.',
      countedSince / 1000,
    ),
    one('toeh_waiting_messages', 'Messages in the hold that wait.', waiting.messages),
    one('toeh_waiting_bytes', 'Bytes of the messages that wait.', waiting.bytes),
    one(
      'toeh_waiting_oldest_age_seconds',
      'For how long the oldest has waited; 0 where nothing waits.',
      oldest === undefined ? 0 : Math.max(0, now - oldest) / 1000,
    ),
    {
      name: 'toeh_rules',
      type: 'gauge',
      help: 'Rules of the landscape that are live.',
      samples: [
        ['effect="allow"', rules.allow],
        ['effect="block"', rules.block],
      ],
    },
    one('toeh_free_bytes', 'Bytes that may still be written where the state folder is.', free),
    one('toeh_free_limit_bytes', 'With less than this all mail is deferred; 0 for no limit.', freeLimit),
    // Without a cleanup there is no time to tell: 1970 is long ago, as an alarm needs it.
    one(
      'toeh_last_cleanup_timestamp_seconds',
      'When a cleanup last ran and believed its clock; 0 where none has.',
      (lastCleanup ?? 0) / 1000,
    ),
    one('toeh_observing', '1 in observe mode, where everything passes.', observes ? 1 : 0),
  ]
}

/** All of them, in the text format of Prometheus, 0.0.4. */
export function writeMetrics(measured: Measured): string {
  return listMetrics(measured)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}`),
    ])
    .map((line) => `${line}\n`)
    .join('')
}
