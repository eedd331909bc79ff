/**
 * The machine: this system seen through an overlay, for what only root can try on a whole system. What is changed there
 * lies in memory and ends with the test; the system itself stays as it is, and other tests never see the change.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeFolder, type Outcome, onlyWith, outcomeOf } from './lab.js'

/** Makes the overlay in a mount namespace of its own, says so, and stays until its standard input ends. */
const START = `
mount -t tmpfs -o mode=0755 toeh-test "$1" && cd "$1" && mkdir upper work root &&
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work toeh-test root &&
mount -t proc proc root/proc && mount --rbind /dev root/dev && mount -t tmpfs tmpfs root/run &&
test -e root/var/lib/dpkg/status && test -x "root$2" && echo ready && exec cat`

/** Lists what lies in the overlay's upper folder, $1, and differs from the system's own. */
const CHANGES = `
cd "$1" && find . ! -type d -printf '%P\\n' | while read -r path; do
  rights=$(stat -c '%A %U:%G' "$path")
  cmp -s "$path" "/$path" && [ "$rights" = "$(stat -c '%A %U:%G' "/$path")" ] ||
    echo "$path $rights $(md5sum < "$path" 2>/dev/null)"
done`

/** Of the system itself: a server's PATH as sudo and systemd have it. */
const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
}

export class Machine {
  readonly #holder: ChildProcess
  readonly #dir: string

  private constructor(holder: ChildProcess, dir: string) {
    this.#holder = holder
    this.#dir = dir
  }

  /** A machine for one test, or undefined where the kernel, or how the disks are laid out, does not let it be. */
  static async start(t: Test): Promise<Machine | undefined> {
    const dir = makeFolder(t, 'toeh-machine-')
    const holder = spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', START, 'sh', dir, process.execPath],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    )
    const ended = once(holder, 'close')
    t.teardown(async () => {
      holder.stdin?.end()
      await ended
    })
    const ready = await Promise.race([
      once(holder.stdout as NonNullable<typeof holder.stdout>, 'data'),
      ended,
    ])
    return String(ready[0]) === 'ready\n' ? new Machine(holder, dir) : undefined
  }

  async #enter(program: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
    // --root: where the tests themselves run in a chroot, the namespace's own root is another.
    const words = ['nsenter', `--target=${this.#holder.pid}`, '--mount', '--root', ...program]
    const child = spawn('/usr/bin/env', [...onlyWith(ENV), ...words])
    const outcome = outcomeOf(child)
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    return outcome
  }

  /** Runs a program there, as root. */
  run(program: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
    return this.#enter(['chroot', join(this.#dir, 'root'), ...program], input)
  }

  /** Runs lines of sh there. @returns what they print @throws Error where they fail */
  async sh(script: string, input: string | Buffer = ''): Promise<string> {
    const { code, stdout, stderr } = await this.run(['sh', '-ec', script], input)
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}${stdout}`)
    return stdout
  }

  /** Every file and link that is not as on the system itself: rights, owner, path and sum. */
  async changes(): Promise<string[]> {
    const { stdout } = await this.#enter(['sh', '-c', CHANGES, 'sh', join(this.#dir, 'upper')])
    return stdout.trimEnd().split(/ *\n/).sort()
  }
}
