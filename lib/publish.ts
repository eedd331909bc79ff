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
} from 'node:fs'
import { dirname } from 'node:path'
import { describeError, Failure } from './failure.js'

/**
 * Writes a file, the whole of it or nothing.
 * @param operation the command, for complaints and their hints
 * @param mode its rights, whatever the umask
 * @throws Failure with nothing left behind, and with an older file as it was
 */
export function publish(operation: string, path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    // A device or a pipe is written to, not put away.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new Failure(operation, 'it is no regular file', {
        at: path,
        hint: 'leave FILE out for standard output',
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
    const folder = openSync(dirname(path), 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch (error) {
    if (error instanceof Failure) throw error
    rmSync(temporary, { force: true })
    const denied = (error as { code?: unknown }).code === 'EACCES'
    throw new Failure(operation, describeError(error), {
      at: path,
      hint: denied
        ? `it is written as the state folder's owner; or let the shell write: toeh ${operation} > FILE`
        : undefined,
      cause: error,
    })
  }
}
