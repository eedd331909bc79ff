/** The trace: what strace saw a program's main thread do, each call with the name of what it was done to. */
import { readFileSync } from 'node:fs'

/** One system call of the main thread. */
export interface Call {
  syscall: string
  /** Counted among the same system calls of this thread from 1: what strace's `when=` counts. */
  n: number
  /** A path in the installation, `sink`, `reply N` from it, `stdin`, `stdout`, `exit`; undefined: none of ours. */
  target: string | undefined
  /** `syscall target#k`: the same in every run, whatever the process number and the random names. */
  label: string
  /** The line as strace wrote it. */
  text: string
  /** It was entered and never left: here the process died. */
  cut: boolean
  /** Its failure was strace's doing. */
  injected: boolean
  /** Seconds since 1970, where strace was asked for them. */
  at: number
}

/** The system calls that change what lasts or what others see, and those by which a process learns and ends. */
export const TRACED = [
  ...['execve', 'openat', 'read', 'write', 'pwrite64', 'writev', 'fsync', 'fdatasync', 'ftruncate'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'mkdir', 'rmdir'],
  ...['connect', 'sendto', 'sendmsg', 'exit_group'],
]

/**
 * The arguments of strace up to the program, `more` before them. Without -f it follows the main thread alone, and
 * `when=`, which counts for each thread, counts only there: else the same number would strike in libuv's pool,
 * where each thread writes to wake the others.
 */
export function traced(file: string, ...more: string[]): string[] {
  return ['strace', '-y', '-s', '64', '-o', file, '-e', `trace=${TRACED.join(',')}`, ...more]
}

/** Random and changing parts of names, and what stands for them. */
const NAMES: [RegExp, string][] = [
  [/tmp\/gone-[^/]+/, 'tmp/gone'],
  [/tmp\/[0-9]+-[0-9a-f]+/, 'tmp/spool'],
  [/\.envelope-[0-9a-f]{12}/, '.envelope'],
  [/decisions\/[0-9]{4}-[0-9]{2}-[0-9]{2}\.jsonl/, 'decisions/day'],
  [/hold\/[0-9a-hjkmnp-tv-z]{12}/, 'hold/id'],
]

function nameOf(path: string): string {
  return NAMES.reduce((name, [pattern, word]) => name.replace(pattern, word), path)
}

/** The target of a call, by the first path in it that lies in `dir`, or by its descriptor. */
function targetOf(
  syscall: string,
  args: string,
  dir: string,
  sockets: ReadonlySet<string>,
): string | undefined {
  if (syscall === 'exit_group') return 'exit'
  if (syscall === 'connect') return args.includes('AF_INET,') ? 'sink' : undefined
  const [, number, file] = /^(\d+)<([^>]*)>/.exec(args) ?? []
  if (number === '0') return 'stdin'
  if (number === '1' || number === '2') return number === '1' ? 'stdout' : 'stderr'
  if (file !== undefined && sockets.has(file)) return 'sink'
  // Below a folder that is open: unlinkat(21</a/folder>, "name", 0), as Node 24 and newer remove a tree.
  const below = syscall === 'unlinkat' ? /^\d+<[^>]*>, "([^"/]+)"/.exec(args)?.[1] : undefined
  // What merely stands in the data of a write is no path.
  const path = below === undefined ? (file ?? /"([^"]*)"/.exec(args)?.[1]) : `${file}/${below}`
  if (path === undefined || !path.startsWith(`${dir}/`)) return undefined
  return nameOf(path.slice(dir.length + 1))
}

/** The calls in a trace; `dir` is the installation. */
export function readTrace(file: string, dir: string): Call[] {
  return parse(readFileSync(file, 'latin1'), dir)
}

function parse(text: string, dir: string): Call[] {
  const calls: Call[] = []
  const counts = new Map<string, number>()
  const sockets = new Set<string>()
  let written = 0
  const count = (key: string): number => {
    const number = (counts.get(key) ?? 0) + 1
    counts.set(key, number)
    return number
  }
  for (const line of text.split('\n')) {
    const [, at = '0', syscall, args] = /^(?:\d+ +)?(?:(\d+\.\d+) )?([a-z_0-9]+)\((.*)/.exec(line) ?? []
    if (syscall === undefined || args === undefined) continue
    if (syscall === 'connect' && args.includes('AF_INET,')) sockets.add(/<([^>]*)>/.exec(args)?.[1] ?? '')
    let target = targetOf(syscall, args, dir, sockets)
    // How many reads a reply takes differs from run to run; which command it answers does not.
    if (target === 'sink' && syscall === 'read') target = `reply ${written}`
    if (target === 'sink' && syscall === 'write') written++
    calls.push({
      syscall,
      n: count(syscall),
      target,
      label: `${syscall} ${target}#${count(`${syscall} ${target}`)}`,
      text: line,
      cut: / = \?$/.test(line.trimEnd()),
      injected: line.includes('(INJECTED)'),
      at: Number(at),
    })
  }
  return calls
}

/** Whether the end of the message went out in it. */
export function isDot({ target, text }: Call): boolean {
  return target === 'sink' && text.includes('".\\r\\n"')
}
