/** The one error class: what was being done, to what, why it failed, and what to do about it. Pure. */
import { getSystemErrorMap } from 'node:util'
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

/** Whether the same may work another time. What is no Failure could be anything. */
export function isTemporary(error: unknown): boolean {
  return !(error instanceof Failure) || error.status === EXIT.tempFail
}

/** The words for an error; of a system error the words and the code alone: `no space left on device (ENOSPC)`. */
export function describeError(error: unknown): string {
  if (error instanceof Failure) return error.line
  const { code, errno, message } = (error ?? {}) as { code?: unknown; errno?: unknown; message?: unknown }
  // Node's own message repeats call, path and address, which are ours to say.
  if (typeof errno === 'number') {
    // libuv has no word for some, EDQUOT among them: those are numbers, as in errno(3).
    const [name, words] = getSystemErrorMap().get(errno) ?? [`errno ${-errno}`, 'system error']
    return `${words} (${name})`
  }
  const text = typeof message === 'string' ? message : String(error)
  return typeof code === 'string' ? `${text} (${code})` : text
}

/** What to do about EROFS, on which nobody's rights have any influence. */
const READ_ONLY = 'ProtectSystem= in the unit of Postfix may be why, run toeh doctor'

/** `error` as a Failure of `operation`; a Failure stays what it is. */
export function toFailure(operation: string, error: unknown, details: FailureDetails = {}): Failure {
  if (error instanceof Failure) return error
  const { code } = (error ?? {}) as { code?: unknown }
  return new Failure(operation, describeError(error), {
    status: EXIT.tempFail,
    cause: error,
    // Seldom a mount: it is how a unit of systemd shows a folder that is not made writable for it.
    ...(code === 'EROFS' ? { hint: READ_ONLY } : {}),
    ...details,
  })
}
