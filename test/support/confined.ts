/**
 * Confined: a Node whose calls to change its user are disabled, as those of Debian 13's Node 20 are (libuv may use io_uring:
 * CVE-2024-22017). On such a Node nothing is simulated that is not so already.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const CALLS = ['setgroups', 'initgroups', 'setgid', 'setuid', 'setegid', 'seteuid']

/** Makes every Node so that has these NODE_OPTIONS. @param dir where every user can read */
export function confine(dir: string): string {
  const path = join(dir, 'confined.cjs')
  const source = `for (const name of ${JSON.stringify(CALLS)}) process[name] = () => {
  const message = \`\${name}() disabled: io_uring may be enabled. See CVE-2024-22017.\`
  throw Object.assign(new Error(message), { code: 'ERR_INVALID_STATE' })
}\n`
  writeFileSync(path, source, { mode: 0o644 })
  return `--require=${path}`
}
