/** Exit statuses: one table, as Postfix keeps one in sys_exits.c. Values from sysexits.h and pipe(8). Pure. */
export const EXIT = {
  /** Done. For toeh-filter: every recipient is sent, held or settled. */
  ok: 0,
  /** It could not be done; nothing was changed, or the output says what was. */
  failed: 1,
  /** Wrong usage: an option, an id or an address that is none. */
  usage: 2,
  /** EX_DATAERR: what was to be taken in is wrong; every fault was said, and nothing was changed. */
  dataError: 65,
  /** EX_NOINPUT: the file, hold, rule or log that was named does not exist or cannot be read. */
  noInput: 66,
  /** EX_TEMPFAIL: again later. pipe(8) defers on it; the only failure toeh-filter may give. */
  tempFail: 75,
  /** EX_NOPERM: this user may not. */
  noPermission: 77,
  /** EX_CONFIG: the configuration is wrong. */
  config: 78,
} as const

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT]

/**
 * What `toeh doctor` ends with: the statuses of monitoring plugins
 * (https://www.monitoring-plugins.org/doc/guidelines.html), which know no others.
 */
export const HEALTH = {
  /** Every check is good. */
  good: 0,
  /** It works, but something is not as it should be. */
  warning: 1,
  /** Mail is lost sight of, or does not go out. */
  critical: 2,
  /** Nothing is wrong that could be seen; something could not be looked at. */
  unknown: 3,
} as const
