/**
 * The handover: descriptors that root has opened, for the process that goes on as the owner of the state folder where Node
 * cannot change its user (lib/system/owner.ts). That process gets no right by it, only what is open already: to open it anew by
 * its name, or by /proc/self/fd, would ask for the rights again.
 */
/** Says what stands behind which descriptor: the process that hands over, and names in the order of their numbers. */
const VARIABLE = 'TOEH_HANDOVER'
/** Behind standard input, output and error. */
const FIRST = 3

interface Descriptor {
  name: string
  fd: number
}

const opened: Descriptor[] = []
let received: Descriptor[] | undefined

/** What the parent has handed over. Only its own child believes it, and root needs none of it. */
function takeOver(): Descriptor[] {
  const [parent, ...names] = (process.env[VARIABLE] ?? '').split('\n')
  delete process.env[VARIABLE]
  if (parent !== String(process.ppid) || process.getuid?.() === 0) return []
  return names.map((name, index) => ({ name: decodeURIComponent(name), fd: FIRST + index }))
}

/**
 * The descriptor that was handed over under this name, each once; or else what `open` gives, which is handed over where
 * this process has to go on as another.
 */
export function opening(name: string, open: () => number): number {
  received ??= takeOver()
  const at = received.findIndex((one) => one.name === name)
  const [found] = at < 0 ? [] : received.splice(at, 1)
  if (found !== undefined) return found.fd
  const fd = open()
  opened.push({ name, fd })
  return fd
}

/** For the process that goes on: descriptors for its numbers from 3, and what its environment says of them. */
export function handOver(): { descriptors: number[]; environment: Record<string, string> } {
  const names = opened.map(({ name }) => encodeURIComponent(name))
  return {
    descriptors: opened.map(({ fd }) => fd),
    environment: { [VARIABLE]: [process.pid, ...names].join('\n') },
  }
}
