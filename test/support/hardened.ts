/** Hardened: what units of systemd do to their processes, done to one program without systemd. */
import { spawnSync } from 'node:child_process'

/**
 * As MemoryDenyWriteExecute=yes: prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN), which systemd 254 and later take where the
 * kernel has it (Linux 6.3), and a filter of system calls elsewhere. Both refuse the same.
 */
const DENY = `import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(65, 1, 0, 0, 0) != 0: sys.exit('prctl: ' + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])`

/** What starts a program that may not have memory it can both write and run. */
export const DENY_EXECUTION: readonly string[] = ['/usr/bin/python3', '-c', DENY]

/** Why there is none of it here, or false. */
export function cannotDenyExecution(): string | false {
  const [program = '', ...args] = DENY_EXECUTION
  const { error, status, stderr } = spawnSync(program, [...args, '/bin/true'], { encoding: 'utf8' })
  return status === 0 ? false : (error?.message ?? stderr.trim())
}

/** What starts a program to which this folder is read-only, as ProtectSystem=strict has it. As root. */
export function readOnly(folder: string): readonly string[] {
  const mounting = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mounting, folder]
}
