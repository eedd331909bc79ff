/** Journals for tests: real journal files, made by systemd-journal-remote(8) from its export format. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const MAKER = ['/lib/systemd/systemd-journal-remote', '/usr/lib/systemd/systemd-journal-remote'].find(
  existsSync,
)

/** Whether journals can be made and read here. */
export function hasJournal(): boolean {
  return MAKER !== undefined && spawnSync('journalctl', ['--version']).status === 0
}

export interface JournalLine {
  /** Milliseconds since 1970. */
  at: number
  /** SYSLOG_IDENTIFIER, such as `postfix/smtp`. */
  tag: string
  text: string
  /** SYSLOG_FACILITY; 2 is mail. */
  facility?: number
  unit?: string
}

/**
 * Writes a journal with the fields that journald takes from a syslog(3) call, which is how Postfix logs.
 * https://systemd.io/JOURNAL_EXPORT_FORMATS
 */
export function writeJournal(path: string, lines: readonly JournalLine[]): void {
  const boot = '0123456789abcdef0123456789abcdef'
  const entries = lines.map(({ at, tag, text, facility = 2, unit = 'postfix@-.service' }, index) =>
    [
      `__CURSOR=s=${boot};i=${index + 1};b=${boot};m=${index + 1};t=${(at * 1000).toString(16)};x=${index + 1}`,
      `__REALTIME_TIMESTAMP=${at * 1000}`,
      `__MONOTONIC_TIMESTAMP=${index + 1}`,
      `_BOOT_ID=${boot}`,
      '_TRANSPORT=syslog',
      'PRIORITY=6',
      `SYSLOG_FACILITY=${facility}`,
      `SYSLOG_IDENTIFIER=${tag}`,
      'SYSLOG_PID=12',
      '_PID=12',
      `_SYSTEMD_UNIT=${unit}`,
      `_MACHINE_ID=${boot}`,
      '_HOSTNAME=mx',
      `MESSAGE=${text}`,
      '\n',
    ].join('\n'),
  )
  const made = spawnSync(MAKER ?? '', [`--output=${path}`, '-'], { input: entries.join('') })
  if (made.status !== 0) throw new Error(`no journal: ${made.stderr}`)
}
