/** Limits: a disk that is too small, a file that may not grow, a table of descriptors that is full; all of them real. */

import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Lab, NODE, onlyWith, PIPE_ENV } from '../support/lab.js'
import { ladderOf, part, reportLimits, workOff } from './campaign.js'
import { DESK_CASES } from './deskcase.js'
import { GATE_CASES, gateCase } from './gatecase.js'
import { cannotStrike, makeModel, modelFolder } from './trial.js'

/** A message of many pieces, so that a limit falls into the midst of it. */
const LONG = gateCase({
  name: 'mixed, 200 kB',
  known: ['a@known.test'],
  unknown: ['b@unknown.test'],
  message: `Received: from pc (pc [127.0.0.1])\n\tby mx.corp.test\nSubject: Invoice\n\n${'0123456789abcde\n'.repeat(12_800)}`,
})

const CASES = [
  LONG,
  ...GATE_CASES.filter(({ name }) => name.endsWith('mixed')),
  ...part(DESK_CASES, DESK_CASES.length / 2),
]

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)
}

/**
 * Runs a program with the state folder on a file system of its own of `kilobytes`: writes that reach its end are cut
 * short, and then there is no space left. What it leaves is copied back to where the next run looks.
 */
function onSmallDisk(lab: Lab, kilobytes: number): string[] {
  const seed = join(lab.dir, 'seed')
  cpSync(lab.state, seed, { recursive: true, preserveTimestamps: true })
  const script = `state=$1 seed=$2 size=$3; shift 3
mount -t tmpfs -o "size=\${size}k,mode=0700" toeh "$state" && cp -a "$seed/." "$state/" || exit 99
cd "$state" && "$@"; code=$?
rm -rf "$seed" && cp -a "$state" "$seed" && cd / && umount "$state" || exit 98
rm -rf "$state"; mv "$seed" "$state"; exit $code`
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', lab.state, seed, String(kilobytes)]
}

const cannotMount =
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'toeh', '/mnt']).status === 0
    ? false
    : 'a small file system needs the right to mount one'

const folder = modelFolder()
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const models = cannotStrike() === false ? await Promise.all(CASES.map((one) => makeModel(one, folder))) : []

t.test(
  'a file may not grow beyond a limit: a write is cut short, the next one fails',
  { skip: cannotStrike() },
  async (t) => {
    const jobs = models.map((model) => {
      const rungs = model.case === LONG ? steps(4096, 262_144, 12_288) : steps(0, 110_592, 2048)
      return ladderOf(model, 'RLIMIT_FSIZE', part(rungs, model.case === LONG ? 4 : 16), (_, bytes) => [
        'prlimit',
        `--fsize=${bytes}`,
      ])
    })
    reportLimits(t, await workOff(jobs))
  },
)

t.test('a disk that is too small', { skip: cannotStrike() || cannotMount }, async (t) => {
  const jobs = models.map((model) => {
    const rungs = model.case === LONG ? steps(108, 460, 16) : steps(104, 200, 4)
    return ladderOf(model, 'small disk, kB', part(rungs, model.case === LONG ? 4 : 12), onSmallDisk)
  })
  reportLimits(t, await workOff(jobs))
})

/**
 * The fewest descriptors that an empty program of this Node runs with. With fewer Node crashes, or cannot open its program and ends
 * with 1: toeh-filter.sh answers for that (test/bin/shell.test.ts).
 */
function fewestDescriptors(): number {
  const empty = join(folder, 'empty.cjs')
  writeFileSync(empty, '')
  for (let files = 12; files < 64; files++) {
    const line = [...onlyWith(PIPE_ENV), 'prlimit', `--nofile=${files}`, NODE, empty]
    if (spawnSync('env', line, { stdio: 'pipe', timeout: 10_000 }).status === 0) return files
  }
  throw new Error('Node does not run with 63 descriptors')
}

t.test('no descriptor left', { skip: cannotStrike() }, async (t) => {
  const fewest = fewestDescriptors()
  t.comment(`an empty program runs with ${fewest}`)
  const gate = models.filter((model) => model.case.name.startsWith('toeh-filter'))
  const jobs = gate.map((model) =>
    ladderOf(model, 'RLIMIT_NOFILE', part(steps(fewest, fewest + 10, 1), 3), (_, files) => [
      'prlimit',
      `--nofile=${files}`,
    ]),
  )
  reportLimits(t, await workOff(jobs))
})
