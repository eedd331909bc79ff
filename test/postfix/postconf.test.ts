/** What Postfix says of itself, and what is said where there is none, or none that is set up. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readMain } from '../../lib/doctor/gather.js'
import { askPostfix } from '../../lib/postfix/postconf.js'
import { cool } from '../support/cool.js'
import {
  assertRefused,
  type Lab,
  makeFolder,
  makeLab,
  NODE,
  type Outcome,
  outcomeOf,
  PIPE_ENV,
  startWith,
  TOEH,
} from '../support/lab.js'
import { cannotRun } from '../support/postfix.js'

const skip = cannotRun()

/** A folder of Postfix's, with a main.cf that somebody has written this moment. */
function makeEtc(t: Test, main: string): string {
  const etc = makeFolder(t)
  writeFileSync(join(etc, 'main.cf'), main)
  writeFileSync(join(etc, 'master.cf'), 'smtp inet n - n - - smtpd\n')
  return etc
}

t.test('its folder is the one that was named, also while main.cf is new', { skip }, async (t) => {
  const main = 'alias_maps = hash:$config_directory/aliases\n'
  const named = makeEtc(t, main)
  t.equal((await readMain(named)).get('alias_maps'), `hash:${named}/aliases`)
  const etc = makeEtc(t, main)
  const before = process.env.MAIL_CONFIG
  process.env.MAIL_CONFIG = etc
  t.teardown(() => {
    if (before === undefined) delete process.env.MAIL_CONFIG
    else process.env.MAIL_CONFIG = before
  })
  t.equal((await askPostfix('postconf', undefined, '-h', 'config_directory')).trim(), etc)
})

t.test('the last complaint, and no warning that stands beside it', { skip }, async (t) => {
  // 3.9 and newer warn of the first line.
  const etc = makeEtc(t, 'smtpd_use_tls = yes\nmyhostname = $myhostname\n')
  cool(etc)
  await t.rejects(askPostfix('postconf', etc, '-x'), { message: /^postconf .*: postconf: (?:fatal|panic): / })
})

/** toeh as root in a shell of a host whose Postfix has no main.cf, and of one that has no Postfix. */
function makeHosts(t: Test): {
  lab: Lab
  etc: string
  bare: (...args: string[]) => Promise<Outcome>
  none: typeof bare
} {
  const lab = makeLab(t, '', '[notice]\nenabled = false\n[express]\nenabled = true\n')
  const etc = makeFolder(t)
  const start = (through: string[], args: string[]): Promise<Outcome> =>
    outcomeOf(
      startWith({ ...PIPE_ENV, HOME: '/', MAIL_CONFIG: etc, TOEH_CONFIG: lab.config }, [
        ...through,
        NODE,
        TOEH,
        ...args,
      ]),
    )
  const bare = (...args: string[]): Promise<Outcome> => start([], args)
  const hide = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /usr/sbin && exec "$@"', 'sh']
  return { lab, etc, bare, none: (...args) => start(hide, args) }
}

t.test('without a configuration, or without Postfix: one line that says what to do', { skip }, async (t) => {
  const { lab, etc, bare, none } = makeHosts(t)
  const unset = `${etc}: there is no main.cf: Postfix has no configuration there; dpkg-reconfigure postfix`
  const missing = 'there is no Postfix here; apt install postfix'
  const name = "name the company's domains: toeh init --internal company.example"
  const other = ['--config', join(etc, 'toeh.toml'), '--user', 'nobody']
  for (const [toeh, said] of [
    [bare, ` ${unset}`],
    [none, `: ${missing}`],
  ] as const) {
    assertRefused(
      t,
      await toeh('init', ...other),
      2,
      `toeh: init: Postfix cannot be asked for its domains: postconf${said}; ${name}\n`,
    )
    assertRefused(t, await toeh('init', '--postfix'), 1, `toeh: init --postfix: postconf${said}\n`)
    assertRefused(t, await toeh('init', '--postfix', '--undo'), 1, `toeh: init --postfix: postconf${said}\n`)
    assertRefused(t, await toeh('express', '--write'), 1, `toeh: postconf${said}\n`)
    assertRefused(t, await toeh('express', '--check'), 1, `toeh: postconf${said}\n`)
    const { code, stdout, stderr } = await toeh('doctor', '--canary')
    t.strictSame([code, stderr], [2, ''])
    t.match(stdout, /^TOEH CRITICAL: 2 critical, 0 warnings, 0 unknown, 0 good\n/)
    for (const check of ['postfix', 'canary']) t.match(stdout, `\ncritical  ${check}: postconf${said}\n`)
  }
  t.strictSame(lab.held(), [], 'and nothing is done')
})
