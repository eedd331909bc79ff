/** A sound private Postfix for toeh doctor, and what its tests ask of an answer. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Finding } from '../../lib/doctor/examine.js'
import type { Level } from '../../lib/doctor/facts.js'
import { NODE, SHELL_ENV, TOEH } from './lab.js'
import { Postfix, type PostfixOptions } from './postfix.js'

export interface Answer {
  status: Level
  checks: Finding[]
  mend: string[]
  canary?: Record<string, unknown>
}

export async function doctor(postfix: Postfix, ...args: string[]): Promise<Answer & { code: number | null }> {
  const { stdout, stderr, code } = await postfix.toeh(
    'doctor',
    '--config-dir',
    postfix.etc,
    '--json',
    ...args,
  )
  if (stderr !== '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as Answer), code }
}

export function find(answer: Answer, name: string): Finding | undefined {
  return answer.checks.find(({ check }) => check === name)
}

/** What is not good. The firewall is a matter of the host, and is looked at in a test of its own. */
export function faulty(answer: Answer): string[] {
  return answer.checks
    .filter(({ check, level }) => level !== 'good' && check !== 'reach')
    .map(({ check }) => check)
}

/** Runs commands as a person would paste them. */
export function paste(commands: readonly string[]): void {
  for (const command of commands.filter((one) => !one.startsWith('nft '))) {
    const line = command.replace(/^(MAIL_CONFIG=\S+ )?toeh /, (_, where = '') => `${where}${NODE} ${TOEH} `)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { env: SHELL_ENV, encoding: 'utf8' })
    if (status !== 0 || /fatal|unmatched/.test(stderr))
      throw new Error(`${command}: ${status} ${stdout}${stderr}`)
  }
}

export interface Place {
  postfix: Postfix
  /** postconf(1) on this instance. */
  postconf: (...args: string[]) => void
  /** Changes the text of master.cf, without a reload. */
  master: (from: string | RegExp, to: string) => void
  submission: string
  back: string
  state: string
}

export interface Case {
  title: string
  check: string
  level: Level
  /** In what the fault says. */
  what: RegExp
  breaking: (place: Place) => void
  /** Others that the same damage reaches. */
  also?: string[]
  /** Where no command can mend it. */
  restore?: (place: Place) => void
}

export function rewrite(path: string, from: string | RegExp, to: (line: string) => string): void {
  const text = readFileSync(path, 'utf8')
  const edited = text.replace(from, to)
  if (edited === text) throw new Error(`${path} has nothing of ${from}`)
  writeFileSync(path, edited)
}

/** An instance without what other tests need: a service without the gate, a short time limit. */
export async function startSound(t: Test, options: PostfixOptions = {}): Promise<Place> {
  const postfix = await Postfix.start(t, { settings: 'approvers = ["boss@corp.test"]\n', ...options })
  const masterPath = join(postfix.etc, 'master.cf')
  const place: Place = {
    postfix,
    postconf: (...args) => {
      const where = ['-c', postfix.etc, ...args]
      const { status, stderr } = spawnSync('/usr/sbin/postconf', where, { encoding: 'utf8' })
      if (status !== 0 || /unmatched/.test(stderr)) throw new Error(`${args.join(' ')}: ${stderr}`)
    },
    // A function in the place of `to`: $ means nothing in it.
    master: (from, to) => rewrite(masterPath, from, () => to),
    submission: `127.0.0.1:${postfix.submission}/inet`,
    back: `127.0.0.1:${postfix.reinjection}/inet`,
    state: postfix.lab.state,
  }
  place.postconf('-MX', `127.0.0.1:${postfix.ungated}/inet`)
  place.postconf('-e', 'toeh_time_limit=1000s')
  place.postconf('-P', `${place.submission}/smtpd_discard_ehlo_keywords=silent-discard,dsn`)
  postfix.command('reload')
  return place
}

export function assertNamed(t: Test, answer: Answer, { check, level, what, also = [] }: Case): void {
  const finding = find(answer, check)
  t.equal(finding?.level, level)
  const fault = finding?.faults.find((one) => what.test(one.what))
  t.ok(fault, `${what}`, { found: finding?.faults })
  t.not(fault?.why ?? '', '')
  t.same(faulty(answer).sort(), [check, ...also].sort(), 'and nothing else')
}
