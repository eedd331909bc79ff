/** Processes as proc(5) shows them; one that has ended meanwhile has nothing, and no children. */
import { readFileSync } from 'node:fs'

/** A file of /proc, or nothing. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}

/** The processes a process has started. */
export function childrenOf(pid: number): number[] {
  return readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** Whether it runs; an orphan that has ended may stay a zombie where nobody reaps it. */
export function isAlive(pid: number): boolean {
  return /^State:\s+[^Z\s]/m.test(readProc(`${pid}/status`))
}

/** Seconds of processor that the children of this process have taken which have ended, with theirs. A clock lies on a busy machine. */
export function childrenSeconds(): number {
  // Fields 16 and 17 (proc_pid_stat(5)); the second may have blanks, in brackets.
  const [, ...fields] = readProc('self/stat').split(') ')
  const words = fields.join(') ').split(' ')
  return (Number(words[13]) + Number(words[14])) / 100
}
