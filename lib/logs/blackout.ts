/**
 * Blackout: what the decision log says of a person, written over where it stands. A file may be the one that runs of the filter
 * append to at this moment, so none is replaced: each line keeps its place and its length.
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { toFailure } from '../failure.js'
import type { Redaction } from '../mail/redaction.js'
import { type Decision, dayFiles, decisionFolder } from './decisionlog.js'

/** Bytes that are read at once. */
const PIECE = 1 << 20

interface Line {
  /** Where it begins, in bytes. */
  at: number
  /** A character for each byte. */
  text: string
}

/** The lines of a file that have their end, one after the other. */
function* linesOf(fd: number): Generator<Line> {
  const bytes = Buffer.alloc(PIECE)
  let rest = ''
  let at = 0
  for (let from = 0; ; ) {
    const read = readSync(fd, bytes, 0, PIECE, from)
    if (read === 0) return
    from += read
    const lines = (rest + bytes.toString('latin1', 0, read)).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      yield { at, text }
      at += text.length + 1
    }
  }
}

/** The same line without them, as long as before: JSON may end in blanks. */
function blackedOut(text: string, redaction: Redaction): string {
  const left = withoutThem(text, redaction)
  return (left.length > text.length ? redaction.redactWithin(text) : left).padEnd(text.length)
}

function withoutThem(text: string, redaction: Redaction): string {
  try {
    const decision = JSON.parse(text) as Decision
    // Where the mail came from is theirs as well.
    const theirs = redaction.touches(decision.sender) ? { client: '', saslUser: '' } : {}
    return JSON.stringify(redaction.redactAll({ ...decision, ...theirs }, true))
  } catch {
    return redaction.redactWithin(text)
  }
}

/**
 * Finds the lines that name somebody, day by day, and writes them over where `write` says so. Cut off, it can be done again.
 * @returns how many lines of each day name them (or did)
 */
export function blackOut(
  state: string,
  redaction: Redaction,
  write: boolean,
): { day: string; lines: number }[] {
  const days: { day: string; lines: number }[] = []
  for (const name of dayFiles(decisionFolder(state))) {
    const path = join(decisionFolder(state), name)
    try {
      const fd = openSync(path, write ? 'r+' : 'r')
      try {
        let lines = 0
        for (const { at, text } of linesOf(fd)) {
          if (!redaction.touches(text)) continue
          lines++
          if (write) writeSync(fd, blackedOut(text, redaction), at, 'latin1')
        }
        if (write && lines > 0) fsyncSync(fd)
        if (lines > 0) days.push({ day: name.slice(0, 10), lines })
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      throw toFailure('decision log', error, { at: path })
    }
  }
  return days
}
