/** toeh metrics: counts of a lab, for everybody to read, written whole. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, MESSAGE, makeLab } from '../support/lab.js'

function sampleOf(text: string, sample: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${sample} `))
  return Number(line?.slice(sample.length + 1) ?? Number.NaN)
}

t.test('what waits, what was decided, and nobody’s name', async (t) => {
  const lab = makeLab(t)
  await lab.allow('client.test', 'other.test')
  await lab.toeh('block', 'bad.test')
  const id = await lab.park(['x@stranger.test', 'y@stranger.test', 'z@bad.test'])
  lab.change('UPDATE hold SET held_at = held_at - 7200000 WHERE id = ?', id)
  const before = lab.snapshot()
  const { code, stdout, stderr } = await lab.toeh('metrics')
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(lab.snapshot(), before, 'it only looks')
  t.equal(sampleOf(stdout, 'toeh_recipients_total{reason="unknown",did="held"}'), 2)
  t.equal(sampleOf(stdout, 'toeh_recipients_total{reason="blocked",did="held"}'), 1)
  t.equal(sampleOf(stdout, 'toeh_waiting_messages'), 1)
  t.equal(sampleOf(stdout, 'toeh_waiting_bytes'), Buffer.byteLength(MESSAGE))
  t.ok(sampleOf(stdout, 'toeh_waiting_oldest_age_seconds') >= 7200)
  t.ok(sampleOf(stdout, 'toeh_waiting_oldest_age_seconds') < 7260)
  t.equal(sampleOf(stdout, 'toeh_rules{effect="allow"}'), 2)
  t.equal(sampleOf(stdout, 'toeh_rules{effect="block"}'), 1)
  t.ok(sampleOf(stdout, 'toeh_free_bytes') > 0)
  t.equal(sampleOf(stdout, 'toeh_last_cleanup_timestamp_seconds'), 0)
  t.notMatch(stdout, /@|stranger|anna|bad\.test/)
  await lab.toeh('cleanup')
  const after = (await lab.toeh('metrics')).stdout
  t.ok(Math.abs(sampleOf(after, 'toeh_last_cleanup_timestamp_seconds') - Date.now() / 1000) < 60)
})

t.test('into a file that everybody may read', async (t) => {
  const lab = makeLab(t)
  const out = join(lab.dir, 'out')
  mkdirSync(out)
  const file = join(out, 'toeh.prom')
  assertDone(t, await lab.toeh('metrics', '--textfile', file), /^$/)
  t.equal(statSync(file).mode & 0o777, 0o644)
  t.match(readFileSync(file, 'utf8'), /^# HELP toeh_recipients_total .*\ntoeh_observing 0\n$/s)
  t.strictSame(readdirSync(out), ['toeh.prom'])
  const json = JSON.parse((await lab.toeh('metrics', '--textfile', file, '--json')).stdout)
  t.match(json, { waiting: { messages: 0, bytes: 0 }, rules: { allow: 0, block: 0 }, observes: false })
  assertRefused(
    t,
    await lab.toeh('metrics', '--textfile', join(out, 'toeh.txt')),
    2,
    /its name must end in \.prom/,
  )
  assertRefused(t, await lab.toeh('metrics', '--textfile', join(lab.dir, 'no/a.prom')), 1, /no such file/)
})
