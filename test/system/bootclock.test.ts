/** Bootclock: which boot, how long it has lasted, and what timedatectl(1) says, whatever that is. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isSynchronised, momentOf } from '../../lib/system/bootclock.js'
import { makeFolder } from '../support/lab.js'

t.test('a moment, by both clocks', async (t) => {
  const up = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  const before = up()
  const { at, boot, uptime } = momentOf(1234)
  t.equal(at, 1234)
  t.equal(boot, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  t.ok(uptime >= before - 1000 && uptime <= up() + 1000, `${before} ${uptime}`)
})

t.test('whether the clock is synchronised', async (t) => {
  const { PATH } = process.env
  t.teardown(() => {
    process.env.PATH = PATH
  })
  const cases: [said: string, is: boolean | undefined][] = [
    ['echo NTP=yes; echo NTPSynchronized=yes', true],
    ['echo NTP=no; echo NTPSynchronized=yes', true],
    ['echo NTP=yes; echo NTPSynchronized=no', false],
    ['echo NTP=no; echo NTPSynchronized=no', undefined],
    ['echo "System has not been booted with systemd" >&2; exit 1', undefined],
    ['echo', undefined],
  ]
  for (const [said, is] of cases) {
    const folder = makeFolder(t)
    writeFileSync(join(folder, 'timedatectl'), `#!/bin/sh\n${said}\n`, { mode: 0o755 })
    process.env.PATH = `${folder}:/bin`
    t.equal(isSynchronised(), is, said)
  }
  process.env.PATH = makeFolder(t)
  t.equal(isSynchronised(), undefined, 'where there is none')
})
