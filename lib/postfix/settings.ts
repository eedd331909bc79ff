/** Postfix's set-up: what main.cf, master.cf and TOEH's configuration say, and how this instance is spoken to. Pure. */

import type { Delimiters } from '../mail/mailbox.js'
import type { TableEntry } from './lookuptable.js'
import type { Service } from './mastercf.js'

/** The parameters that name Postfix's own domains (ADDRESS_CLASS_README). */
export const ADDRESS_CLASSES = [
  'mydestination',
  'virtual_alias_domains',
  'virtual_mailbox_domains',
  'relay_domains',
]

/** What the configuration of Postfix and of TOEH says; a check that needs no more can be asked before anything runs. */
export interface Setup {
  /** Of another Postfix instance, or undefined for the one of the system. */
  configDir: string | undefined
  /** Every parameter of main.cf and its default, expanded. */
  main: ReadonlyMap<string, string>
  services: readonly Service[]
  /** What master.cf.sample would have here. */
  expected: { gate: Service; reinjection: Service; cleanup: Service }
  /** TOEH's configuration. */
  toeh: {
    path: string
    mode: 'enforce' | 'observe'
    state: string
    internal: readonly string[]
    delimiters: Delimiters
    /** Undefined where sendmail(1) is the way on. */
    reinject: { host: string; port: number } | undefined
    deadlineSeconds: number
    /** Seconds that a run of toeh-filter may take: `longestRun` in lib/config.ts. */
    longestRun: number
    /** limits.free_megabytes, in bytes. */
    leastFree: number
    /** limits.hold_messages, and limits.hold_megabytes in bytes; 0 where there is none. */
    mostHeld: { messages: number; bytes: number }
    /** Milters, as smtpd_milters names them, that add no recipients. */
    trustedMilters: readonly string[]
  }
}

/** The service TOEH's filter is run by. */
export function gateOf(facts: Pick<Setup, 'services' | 'expected'>): Service | undefined {
  const pipes = facts.services.filter(({ program }) => program === 'pipe')
  return (
    pipes.find(({ argv }) => argv.some((word) => word.includes('toeh-filter'))) ??
    facts.services.find(({ name }) => name === facts.expected.gate.name)
  )
}

/** A parameter as a service has it: its own option, else main.cf's. */
export function settingOf(facts: Pick<Setup, 'main'>, service: Service, name: string): string {
  return service.options.get(name) ?? facts.main.get(name) ?? ''
}

/** postconf(1) for this instance. */
export function postconf(facts: Pick<Setup, 'configDir'>, ...args: string[]): string {
  return instanceCommand(facts, 'postconf', ...args)
}

/** A command of Postfix for this instance. */
export function instanceCommand(facts: Pick<Setup, 'configDir'>, command: string, ...args: string[]): string {
  const where = facts.configDir === undefined ? [] : ['-c', facts.configDir]
  return [command, ...where, ...args].map(quote).join(' ')
}

/** A word for the shell, in quotes where it needs them. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** What is looked at: the configuration, and what its tables answer. */
export type Tabled = Setup & {
  /** What look-up tables answer, be it by keys or by patterns, or undefined for those that cannot be listed. */
  answers: ReadonlyMap<string, readonly TableEntry[] | undefined>
}

/** toeh init, which puts the gate into Postfix, before another filter where there is one. */
export function initCommand({
  configDir,
  toeh,
}: Pick<Setup, 'configDir'> & { toeh: { path: string } }): string {
  const where = configDir === undefined ? [] : ['--config-dir', configDir]
  return ['toeh', 'init', '--postfix', '--apply', ...where, '--config', toeh.path].map(quote).join(' ')
}

/** Whether Postfix has nothing of TOEH: no service, and nothing that leads to one. Then no mail waits for the gate either. */
export function isBeforeInit(facts: Pick<Tabled, 'main' | 'services' | 'expected' | 'answers'>): boolean {
  if (gateOf(facts) !== undefined) return false
  const leads = (value: string): boolean => value.includes(`${facts.expected.gate.name}:`)
  const values = [...facts.services.map(({ options }) => options), facts.main].flatMap((map) => [
    ...map.values(),
  ])
  const answers = [...facts.answers.values()].flatMap((entries) => entries ?? []).map(({ value }) => value)
  return ![...values, ...answers].some(leads)
}

/** `postconf -P`, which takes no blanks in a value. */
export function setOption(facts: Setup, service: Service, name: string, value: string): string {
  return postconf(facts, '-P', `${service.id}/${name}=${value}`)
}
