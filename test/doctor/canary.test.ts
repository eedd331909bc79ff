/** The canary, on a Postfix of scripts: what is said of it, wherever on its way it stays. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../lib/config.js'
import { type CanaryTrace, flyCanary } from '../../lib/doctor/canary.js'
import { failureOf } from '../support/failing.js'
import { type Lab, makeLab } from '../support/lab.js'

const NOW = Date.UTC(2026, 10, 24, 12)
const RECIPIENT = 'echo@known.test'

interface Host {
  lab: Lab
  fly: () => Promise<CanaryTrace>
  /** What sendmail was given: its arguments and its input. */
  sent: () => { args: string; input: string }
}

/** @param happens what becomes of the message, in sh; `$sender`, `$log` and `decide JSON` are there */
function makeHost(t: Test, happens: string, queue: object[] = []): Host {
  const lab = makeLab(t)
  const bin = join(lab.dir, 'bin')
  const log = join(lab.dir, 'mail.log')
  mkdirSync(bin)
  // Of an earlier canary to the same recipient: none of this one's.
  writeFileSync(log, `Nov 24 mx postfix/smtp[1]: NEW1: to=<${RECIPIENT}>, status=sent (250 earlier)\n`)
  const program = (name: string, text: string): string => {
    const path = join(bin, name)
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    return path
  }
  const sendmail = program(
    'sendmail',
    `echo "$*" >${lab.dir}/args; cat >${lab.dir}/input; log=${log}
while [ "$1" != -f ]; do shift; done; sender=$2
decide() { echo "{\\"at\\":\\"2026-11-24T12:00:01.000Z\\",\\"sender\\":\\"$sender\\",\\"queueId\\":\\"OLD1\\",\\"recipients\\":[],$1}" >>${lab.state}/decisions/2026-11-24.jsonl; }
${happens}`,
  )
  program('postconf', `case "$*" in *maillog_file) echo ${log};; *sendmail_path) echo ${sendmail};; esac`)
  program('postqueue', `cat <<'END'\n${queue.map((one) => `${JSON.stringify(one)}\n`).join('')}END`)
  const { PATH } = process.env
  process.env.PATH = `${bin}:${PATH}`
  t.teardown(() => {
    process.env.PATH = PATH
  })
  return {
    lab,
    fly: () => flyCanary(loadConfig(lab.config), undefined, RECIPIENT, NOW),
    sent: () => ({
      args: readFileSync(join(lab.dir, 'args'), 'utf8'),
      input: readFileSync(join(lab.dir, 'input'), 'utf8'),
    }),
  }
}

const PASSED = `decide '"hold":null,"passedAs":"NEW1"'`
const tells = (text: string): string => `echo "Nov 24 mx postfix/smtp[1]: ${text}" >>$log`

t.test('round the whole loop', async (t) => {
  const { fly, sent } = makeHost(
    t,
    `${PASSED}; ${tells(`NEW1: to=<${RECIPIENT}>, relay=x, status=sent (250 ok)`)}`,
  )
  const flight = await fly()
  t.match(flight, {
    recipient: RECIPIENT,
    queueId: 'OLD1',
    passedAs: 'NEW1',
    end: 'status=sent (250 ok)',
    faults: [],
  })
  t.match(flight.sender, /^toeh-canary-[0-9a-f]{12}@corp\.test$/)
  const { args, input } = sent()
  t.equal(args, `-i -f ${flight.sender} -- ${RECIPIENT}\n`)
  t.match(
    input,
    `From: TOEH <${flight.sender}>\nTo: ${RECIPIENT}\nSubject: TOEH canary\nAuto-Submitted: auto-generated\n\n`,
  )
  t.not((await fly()).sender, flight.sender, 'a sender nobody else has')
})

t.test('where it stays', async (t) => {
  const table: [name: string, happens: string, queue: object[], faults: object[]][] = [
    [
      'it bounces behind the gate',
      `${PASSED}; ${tells(`NEW1: to=<${RECIPIENT}>, status=bounced (550 no)`)}`,
      [],
      [{ level: 'critical', what: 'behind the gate, as NEW1: status=bounced (550 no)', mend: [] }],
    ],
    [
      'it is held',
      `decide '"hold":"0123456789ab","passedAs":null'`,
      [],
      [
        {
          level: 'warning',
          what: `${RECIPIENT} is not known: the canary is held in 0123456789ab`,
          mend: ['toeh reject 0123456789ab'],
        },
      ],
    ],
    [
      'it goes on under no queue id',
      `decide '"hold":null,"passedAs":null'`,
      [],
      [{ level: 'unknown', what: 'the gate has sent it on under no queue id', mend: [] }],
    ],
    [
      'it goes past the gate',
      `${tells('ABC1: uid=0 from=<$sender>')}; ${tells(`ABC1: to=<${RECIPIENT}>, status=sent (250 ok)`)}`,
      [],
      [
        {
          level: 'critical',
          what: `the canary has gone past the gate: ABC1: to=<${RECIPIENT}>, status=sent (250 ok)`,
          mend: [],
        },
      ],
    ],
  ]
  for (const [name, happens, queue, faults] of table) {
    await t.test(name, async (t) => {
      const { fly } = makeHost(t, happens, queue)
      const flight = await fly()
      t.match(flight.faults, faults)
      t.equal(flight.faults.length, faults.length)
      for (const { why } of flight.faults) t.not(why, '')
    })
  }
})

t.test('it cannot be sent', async (t) => {
  const { lab, fly } = makeHost(t, 'echo first >&2; echo "sendmail: fatal: no queue" >&2; exit 75')
  const path = join(lab.dir, 'bin/sendmail')
  t.equal((await failureOf(fly)).message, `canary ${path}: sendmail: fatal: no queue`)
  rmSync(path)
  t.equal((await failureOf(fly)).message, `canary ${path}: no such file or directory (ENOENT)`)
})
