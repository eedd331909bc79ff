/**
 * Draws the page of toeh report on generated figures: the mail of make-logs.ts, decided as the gate would, and people
 * who release most of what waits within hours. The same seed makes the same page.
 * `node dist/examples/make-report.js FILE [SEED]`
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LineParser, Tracker } from '../lib/logs/maillog.js'
import {
  FigureCount,
  type RuleFact,
  type SettledFact,
  sumUp,
  type WaitingFact,
} from '../lib/report/figures.js'
import { drawPage } from '../lib/report/page.js'
import { INTERNAL, makeLogs } from './make-logs.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The Monday that make-logs.ts begins with, and the Friday evening this report is made on. */
const START = Date.UTC(2026, 9, 5)
const UNTIL = START + 25 * DAY_MS + 18 * HOUR_MS
/** For so long everything new is made known at once. */
const LEARNED_UNTIL = START + 12 * DAY_MS
const APPROVERS = ['anna', 'root', 'office']

/** A number from 0 to 1 that hangs on a text alone. */
function chanceOf(text: string, seed: number): number {
  let hash = 2166136261 ^ seed
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 12)) >>> 0) / 4_294_967_296
}

/** @param messages in four weeks */
export function makeReport(seed: number, messages = 24_000): string {
  const logs = makeLogs(messages, seed)
  const attacked = new Set<string>()
  const count = new FigureCount(START, UNTIL)
  const rules = new Map<string, RuleFact>()
  const settled: SettledFact[] = []
  const waiting: WaitingFact[] = []
  /** What has become of the last message to each destination. */
  const states = new Map<string, string>()
  /** Destinations that somebody was asked about: when the answer comes, if it does. */
  const asked = new Map<string, { answer: number; state: string }>()
  const learn = (value: string, from: number, by: string): void => {
    rules.set(value, { effect: 'allow', value, addedBy: by, from, to: null })
  }
  const decide = (at: number, queueId: string, sender: string, to: string): void => {
    if (at > UNTIL) return
    const chance = chanceOf(to, seed)
    const rule = rules.get(to)
    const known = rule !== undefined && rule.from <= at
    if (!known && at < LEARNED_UNTIL && !attacked.has(to)) learn(to, at - HOUR_MS, 'anna')
    const passes = rules.get(to)?.from !== undefined && (rules.get(to)?.from ?? 0) <= at
    const id = queueId
      .toLowerCase()
      .replace(/[^0-9a-hjkmnp-tv-z]/g, '0')
      .slice(-12)
    count.add({
      at: new Date(at).toISOString(),
      queueId,
      sender,
      hold: passes ? null : id,
      recipients: [
        passes
          ? { to, verdict: 'pass', reason: 'allowed', did: 'passed' }
          : { to, verdict: 'hold', reason: 'unknown', did: 'held' },
      ],
    })
    if (passes) return
    let answer = asked.get(to)
    if (answer === undefined) {
      const wait = HOUR_MS * (0.1 + 70 * chance ** 4)
      const state = attacked.has(to) ? 'rejected' : chance > 0.95 ? 'expired' : 'released'
      answer = { answer: at + (state === 'expired' ? 14 * DAY_MS : wait), state }
      asked.set(to, answer)
      if (state === 'released' && answer.answer <= UNTIL)
        learn(to, answer.answer, APPROVERS[Math.floor(chance * 1000) % 3] ?? '')
    }
    if (answer.answer <= UNTIL) {
      settled.push({ state: answer.state, heldAt: at, changedAt: Math.max(at, answer.answer) })
      states.set(to, answer.state)
      return
    }
    states.set(to, 'held')
    waiting.push({
      id: id.padStart(12, '7'),
      sender,
      size: 4_000 + Math.floor(chance * 400_000),
      heldAt: at,
      expiresAt: at + 14 * DAY_MS,
      recipients: [{ address: to, reason: 'unknown' }],
    })
  }
  // The attacker's mail is known only once all weeks are made.
  for (const week of [0, 1, 2, 3]) for (const _ of logs.week(week));
  for (const { recipient } of logs.attacks()) attacked.add(recipient)
  const again = makeLogs(messages, seed)
  const parser = new LineParser(UNTIL)
  const tracker = new Tracker()
  const done = new Set<string>()
  for (const week of [0, 1, 2, 3]) {
    for (const block of again.week(week)) {
      for (const line of block.split('\n')) {
        const event = parser.parse(line)
        const attempt = event === undefined ? undefined : tracker.take(event)
        if (attempt?.sender === undefined || !attempt.outward) continue
        const { at, id, sender, recipient } = attempt
        if (done.has(`${id} ${recipient}`)) continue
        done.add(`${id} ${recipient}`)
        decide(at, id, sender, recipient)
      }
    }
  }
  waiting.sort((a, b) => a.heldAt - b.heldAt)
  return drawPage(
    count.figures(settled, sumUp(waiting, UNTIL), [...rules.values()], states),
    INTERNAL,
    'enforce',
  )
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const [file, seed = '1'] = process.argv.slice(2)
  if (file === undefined || !/^[0-9]{1,9}$/.test(seed)) {
    process.stderr.write('usage: node dist/examples/make-report.js FILE [SEED]\n')
    process.exitCode = 2
  } else writeFileSync(file, makeReport(Number(seed)))
}
