/**
 * systemd: one of its own as the first process of an overlay of this system, in namespaces of its own, so that units are
 * started as on a real host. What it changes lies in memory and ends with the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeFolder, type Outcome, onlyWith, outcomeOf, ROOT } from './lab.js'

/**
 * $1 a folder, $2 the checkout, $3 Node. Control groups are taken below one of this system's, so that nothing outside of it is
 * touched. What a container has no use for does not start; where the checkout lies is opened to every user.
 */
const BOOT = `
cd "$1" && mount -t tmpfs -o mode=0755 toeh-test . && cd "$1" && mkdir upper work root &&
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work toeh-test root && cd root &&
mount -t proc proc proc && mount -t sysfs -o ro sysfs sys && mount -t cgroup2 cgroup2 sys/fs/cgroup &&
mount -t tmpfs -o mode=0755 tmpfs dev && mkdir dev/pts dev/shm && mount -t tmpfs -o mode=1777 tmpfs dev/shm &&
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts && ln -s pts/ptmx dev/ptmx &&
ln -s /proc/self/fd dev/fd && for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${n%:*}" "dev/\${n#*:}"; done &&
for n in null zero full random urandom tty; do touch dev/$n && mount --bind /dev/$n dev/$n || exit 1; done &&
mount -t tmpfs -o mode=0755 tmpfs run && test -x "\${3#/}" || exit 1
# /tmp may hold the checkout, and is emptied or covered by these.
for n in tmp.mount systemd-tmpfiles-setup.service systemd-udevd.service; do ln -sf /dev/null etc/systemd/system/$n; done
folder=$2
while [ "$folder" != / ]; do chmod o+x ".$folder"; folder=\${folder%/*}; folder=\${folder:-/}; done
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --unit=basic.target`

const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
}

/** How long it may take to start, and a command in it. */
const PATIENCE_MS = 60_000

/** Where control groups of the second version are. */
function groupsOf(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(`${path}/cgroup.procs`))
}

/** Why there is none here, or false. */
export function cannotBoot(): string | false {
  if (process.getuid?.() !== 0) return 'a systemd of its own needs root'
  for (const path of ['/lib/systemd/systemd', '/usr/bin/systemd-run', '/usr/bin/dbus-daemon'])
    if (!existsSync(path)) return `${path} is not installed`
  return groupsOf() === undefined ? 'there are no control groups of the second version' : false
}

export class Systemd {
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
  }

  /** One for a test, or why the kernel does not let it be. */
  static async start(t: Test): Promise<Systemd | string> {
    const dir = makeFolder(t, 'toeh-systemd-')
    const group = join(groupsOf() ?? '', `toeh-test-${process.pid}`)
    const enter = `mkdir "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"`
    const apart = ['--mount', '--pid', '--fork', '--kill-child', '--uts', '--ipc', '--net', '--cgroup']
    const boot = ['unshare', ...apart, '--propagation', 'private', 'sh', '-c', BOOT, 'sh', dir, ROOT]
    const holder = spawn('sh', ['-c', enter, group, ...boot, process.execPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = outcomeOf(holder)
    t.teardown(async () => {
      holder.kill('SIGKILL')
      await ended
      // The kernel needs a moment to have seen the last of them.
      const remove = `for i in 1 2 3 4 5 6 7 8 9; do find "$0" -depth -type d -exec rmdir {} + && exit; sleep 0.2; done`
      spawnSync('sh', ['-c', remove, group], { stdio: 'ignore' })
    })
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
      const pid = childOf(holder)
      if (pid !== undefined) {
        const systemd = new Systemd(pid)
        const state = await systemd.run(['systemctl', 'is-active', 'basic.target', 'dbus.socket'])
        if (state.stdout === 'active\nactive\n') return systemd
      }
      if (holder.exitCode !== null) return (await ended).stderr.trim()
      await new Promise((done) => setTimeout(done, 200))
    }
    return 'it does not come up'
  }

  /** Runs a program there, as root. */
  async run(program: readonly string[]): Promise<Outcome> {
    const spaces = ['--mount', '--pid', '--uts', '--ipc', '--net', '--cgroup', '--root']
    const words = ['nsenter', `--target=${this.#pid}`, ...spaces, 'env', '--chdir=/', ...program]
    const child = spawn('/usr/bin/env', [...onlyWith(ENV), ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    const outcome = await outcomeOf(child)
    clearTimeout(limit)
    return outcome
  }

  /** Runs lines of sh there. @returns what they print @throws Error where they fail */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(['sh', '-ec', script])
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}${stdout}`)
    return stdout
  }
}

/** The first process of the namespaces, once it is systemd. */
function childOf({ pid }: ChildProcess): number | undefined {
  try {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    return readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n' ? child : undefined
  } catch {
    return undefined
  }
}
