/** The stroke: one kill or one fault at one system call of a run. */
import { type Call, traced } from './trace.js'

export type Fault = 'ENOSPC' | 'EIO' | 'EDQUOT' | 'EMFILE' | 'ECONNREFUSED' | 'ECONNRESET'

export interface Stroke {
  /** The label of the call. */
  point: string
  syscall: string
  n: number
  effect: 'kill' | Fault
  /** Every call from this one on fails, as on a disk that stays full. */
  onwards: boolean
}

const DISK: Fault[] = ['ENOSPC', 'EIO', 'EDQUOT']

/** What can go wrong with a call, by its manual page. */
const FAULTS: Record<string, Fault[]> = {
  openat: ['EMFILE', 'EIO', 'ENOSPC', 'EDQUOT'],
  write: DISK,
  pwrite64: DISK,
  writev: DISK,
  ftruncate: ['EIO'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT'],
  rename: DISK,
  unlink: ['EIO'],
  unlinkat: ['EIO'],
  rmdir: ['EIO'],
  mkdir: DISK,
  read: ['EIO'],
}

/** The calls of a run that are worth a stroke: those that concern the installation, the sink or standard output. */
function worthwhile({ syscall, target }: Call): boolean {
  if (target === undefined || syscall === 'execve') return false
  return syscall !== 'read' || target === 'stdin' || target.startsWith('reply ')
}

/** A kill at every point of a run. The process dies before the call is carried out. */
export function killsOf(calls: readonly Call[]): Stroke[] {
  return calls
    .filter(worthwhile)
    .map(({ label, syscall, n }) => ({ point: label, syscall, n, effect: 'kill', onwards: false }))
}

/**
 * Faults at the points of a run, at each all that can be, or with `inTurn` one each in turn; and once for all: from
 * each point that writes, a disk that stays full.
 */
export function faultsOf(calls: readonly Call[], inTurn: boolean): Stroke[] {
  const strokes: Stroke[] = []
  let turn = 0
  for (const call of calls.filter(worthwhile)) {
    const { label: point, syscall, n, target } = call
    const onSocket = target === 'sink' || target?.startsWith('reply ') === true
    const possible: Fault[] = onSocket
      ? [syscall === 'connect' ? 'ECONNREFUSED' : 'ECONNRESET']
      : (FAULTS[syscall] ?? []).filter((fault) => fits(fault, call))
    const chosen = inTurn && possible.length > 0 ? [possible[turn++ % possible.length] as Fault] : possible
    for (const effect of chosen) strokes.push({ point, syscall, n, effect, onwards: false })
    if (!onSocket && syscall === 'pwrite64' && (!inTurn || turn % 4 === 0)) {
      strokes.push({ point, syscall, n, effect: 'ENOSPC', onwards: true })
    }
  }
  return strokes
}

/** An open that creates nothing needs no room. */
function fits(fault: Fault, { syscall, text }: Call): boolean {
  return syscall !== 'openat' || text.includes('O_CREAT') || (fault !== 'ENOSPC' && fault !== 'EDQUOT')
}

/** What starts a program so that it is struck, its trace in `file`. */
export function striking({ syscall, n, effect, onwards }: Stroke, file: string): string[] {
  const what = effect === 'kill' ? 'signal=KILL' : `error=${effect}`
  return traced(file, '-e', `inject=${syscall}:${what}:when=${n}${onwards ? '+' : ''}`)
}

/** The label of the call that was struck, from the trace of the run; undefined where none was. */
export function struckIn({ effect }: Stroke, calls: readonly Call[]): string | undefined {
  if (effect !== 'kill') return calls.find(({ injected }) => injected)?.label
  const last = calls.at(-1)
  return last?.cut ? last.label : undefined
}

export function describeStroke({ effect, onwards, point }: Stroke): string {
  return `${effect}${onwards ? ' from' : ' at'} ${point}`
}
