/** Publishing a file: written aside, synced and renamed, so that who reads it meanwhile reads the old one whole. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { describeError, Failure } from '../failure.js'

/**
 * Writes a file, the whole of it or nothing.
 * @param operation the command, for complaints
 * @param toStdout how it is said to write to standard output, for their hints; undefined where it cannot
 * @param mode its rights, whatever the umask
 * @throws Failure with nothing left behind, and with an older file as it was
 */
export function publish(
  operation: string,
  toStdout: string | undefined,
  path: string,
  text: string | Uint8Array,
  mode: number,
): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    // A device or a pipe is written to, not put away.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new Failure(operation, 'it is no regular file', {
        at: path,
        hint: toStdout && `for standard output: toeh ${toStdout}`,
      })
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      fchmodSync(file, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    syncPath(dirname(path))
  } catch (error) {
    if (error instanceof Failure) throw error
    rmSync(temporary, { force: true })
    const denied = (error as { code?: unknown }).code === 'EACCES'
    throw new Failure(operation, describeError(error), {
      at: path,
      hint:
        denied && toStdout !== undefined
          ? `it is written as the state folder's owner; or let the shell write: toeh ${toStdout} > FILE`
          : undefined,
      cause: error,
    })
  }
}

/** Syncs a file, or the names in a folder (fsync(2)). */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
