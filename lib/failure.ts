/** The one error class: what was being done, to what, why it failed, and what to do about it. */
import { EXIT, type ExitStatus } from './exit.js'

export interface FailureDetails {
  /** The file, address or host it happened to. */
  at?: string | undefined
  /** What the reader can do, as an instruction. */
  hint?: string | undefined
  /** Exit status for the toeh command; toeh-filter turns every failure into 75. */
  status?: ExitStatus
  /** True where the message may have been accepted although no answer came (RFC 5321, 4.5.3.2.6). */
  inDoubt?: boolean
  /** The lower error, for its code. */
  cause?: unknown
}

export class Failure extends Error {
  readonly status: ExitStatus
  readonly hint: string | undefined
  readonly inDoubt: boolean

  constructor(operation: string, why: string, details: FailureDetails = {}) {
    super(details.at === undefined ? `${operation}: ${why}` : `${operation} ${details.at}: ${why}`, {
      cause: details.cause,
    })
    this.name = 'Failure'
    this.status = details.status ?? EXIT.failed
    this.hint = details.hint
    this.inDoubt = details.inDoubt ?? false
  }

  /** One line for a person: what, where, why, what to do. */
  get line(): string {
    return this.hint === undefined ? this.message : `${this.message}; ${this.hint}`
  }
}

/** The words for a system error: `ENOSPC: no space left on device` without Node's repetition of call and path. */
export function describeError(error: unknown): string {
  if (error instanceof Failure) return error.line
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : String(error)
  if (typeof code !== 'string') return text
  // Node's form is "CODE: words, call 'path'"; the call and path are ours to say.
  const words = text.startsWith(`${code}: `)
    ? text.slice(code.length + 2).replace(/, \w+( '.*)?$/s, '')
    : text
  return `${words} (${code})`
}

/** `error` as a Failure of `operation`; a Failure stays what it is. */
export function toFailure(operation: string, error: unknown, details: FailureDetails = {}): Failure {
  if (error instanceof Failure) return error
  return new Failure(operation, describeError(error), { status: EXIT.tempFail, cause: error, ...details })
}
