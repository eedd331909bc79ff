/**
 * The caller: on whose behalf this process runs, where sudo has given it rights of another. What he names counts, and is opened,
 * only where it would without sudo: by owner, groups and mode. Access lists (acl(5)) are not looked at.
 */
import {
  closeSync,
  fchownSync,
  fstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { accounts, groupsOf, lender } from './accounts.js'
import { opening } from './handover.js'

/** Bits of a mode. */
const [READ, WRITE, ENTER] = [4, 2, 1]
const STICKY = 0o1000

interface Caller {
  name: string
  /** Undefined for a name that no account has: he may what everybody may. */
  uid: number | undefined
  groups: ReadonlySet<number>
}

/** Undefined where nobody lends this process anything, or root does. */
export function caller(): Caller | undefined {
  if (lender() === undefined) return undefined
  const [account] = accounts()
  if (account === undefined || account.uid === 0 || account.uid === process.getuid?.()) return undefined
  return { ...account, groups: new Set(groupsOf(account.name)) }
}

/** Whether he may do all of this with it. */
function may({ uid, groups }: Caller, stat: Stats, bits: number): boolean {
  const shift = stat.uid === uid ? 6 : groups.has(stat.gid) ? 3 : 0
  return ((stat.mode >> shift) & bits) === bits
}

/** A folder and all above it. */
export function wayTo(folder: string): string[] {
  return dirname(folder) === folder ? [folder] : [folder, ...wayTo(dirname(folder))]
}

/** Whether he can come as far as this folder. */
function mayEnter(who: Caller, folder: string): boolean {
  return wayTo(folder).every((path) => may(who, statSync(path), ENTER))
}

function denied(path: string): Error {
  return Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES', errno: -13, path })
}

/**
 * Opens a file that a person has named, with his own rights: behind sudo those of who runs it. Do it before openDesk, which gives
 * up root's, and read it after that: where Node cannot change its user, another process goes on from there.
 * @returns a descriptor; nothing has been read from it
 * @throws system errors
 */
export function openAsCaller(path: string): number {
  return opening(`file ${path}`, () => {
    const fd = openSync(path, 'r')
    const who = caller()
    if (who === undefined || mayHaveOpened(who, fd)) return fd
    closeSync(fd)
    throw denied(path)
  })
}

/**
 * Makes a file that a person has named and that is not there yet, for him alone, with his own rights. Do it before openDesk, as
 * {@link openAsCaller}.
 * @param demand whether it may be made there (lib/cli/trust.ts), asked by the process that makes it
 * @returns a descriptor; nothing has been written to it
 * @throws Failure (77) where he may not; system errors, EEXIST where something is there
 */
export function createAsCaller(path: string, demand: () => void): number {
  return opening(`new file ${path}`, () => {
    demand()
    const fd = openSync(path, 'wx', 0o600)
    const who = caller()
    if (who === undefined || process.getuid?.() !== 0) return fd
    // Where it has come to be: a folder on the way may have been put in another's place meanwhile.
    const place = readlinkSync(`/proc/self/fd/${fd}`)
    const [group] = who.groups
    if (who.uid !== undefined && group !== undefined && mayWrite(who, dirname(place), undefined)) {
      fchownSync(fd, who.uid, group)
      return fd
    }
    unlinkSync(place)
    closeSync(fd)
    throw denied(path)
  })
}

/** Asks whether the caller could have opened a file or folder that is opened later. @throws system errors */
export function demandReadable(path: string): void {
  const who = caller()
  if (who === undefined) return
  const fd = openSync(path, 'r')
  try {
    if (!mayHaveOpened(who, fd)) throw denied(path)
  } finally {
    closeSync(fd)
  }
}

/** Looks at what is open, and where that is, because a name may lead elsewhere a moment later. */
function mayHaveOpened(who: Caller, fd: number): boolean {
  const stat = fstatSync(fd)
  // What stands in /proc is made for who asks, whatever its mode.
  if (!may(who, stat, READ) || (stat.isFile() && stat.dev === statSync('/proc').dev)) return false
  const place = readlinkSync(`/proc/self/fd/${fd}`)
  // A pipe has no place.
  return !place.startsWith('/') || mayEnter(who, dirname(place))
}

/** Whether he may put a file into a folder, in the place of what is there under its name. */
export function mayWrite(who: Caller, folder: string, found: Stats | undefined): boolean {
  const place = realpathSync(folder)
  const stat = statSync(place)
  if (!may(who, stat, WRITE | ENTER) || !mayEnter(who, place)) return false
  const isSticky = (stat.mode & STICKY) !== 0 && found?.isFile() === true
  return !isSticky || found.uid === who.uid || stat.uid === who.uid
}

/** What makes journalctl(1) and the like run with the rights of the caller; nothing where nobody but ourselves is behind this. */
export function asCaller(): string[] {
  const who = caller()
  if (who === undefined || process.getuid?.() !== 0) return []
  const [group = 65_534] = who.groups
  const { uid = 65_534 } = who
  const groups = who.groups.size === 0 ? '--clear-groups' : `--groups=${[...who.groups].join(',')}`
  return ['setpriv', `--reuid=${uid}`, `--regid=${group}`, groups, '--']
}
