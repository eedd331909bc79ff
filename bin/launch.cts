/**
 * The start of a program: runs its bundle from V8's code cache. `bundle.mjs` makes dist/bin/toeh-filter.cjs, toeh.cjs and
 * attachments.cjs of it. Compiling is a tenth of a run, and Node's own compile cache for modules takes a fifth of one more than
 * this (bench/NOTES.md).
 *
 * V8 refuses a cache of another version of V8 and then compiles. It takes one of another build of the same version, and of a
 * damaged one whatever stands there: both were seen to end in a crash, at every start. So the file begins with the beginning of
 * the program that made it, build ID and all, and has the cache twice: comparing is quicker than any sum. Of the bundle V8
 * compares the length only, hence a name made of its content.
 */
import fs = require('node:fs')

/**
 * Put in by bundle.mjs: the bundle's file name, and in how many bytes there is room for it, or for what V8 compiles of it. And
 * for an installation that is half there, what the one line begins with that says so, to which descriptor it goes, and the
 * status. toeh-filter's is 75, EX_TEMPFAIL: Postfix keeps the mail. Where it is armed, that is also the status of a bundle that
 * ends without having said a word.
 */
declare const START: {
  bundle: string
  room: number
  says: string
  descriptor: number
  status: number
  armed: boolean
}

/**
 * A cache begins with two words of 32 bits: its length, and that of the paths which follow, one a line. Then comes, of each of
 * these files, its beginning (cache.mjs).
 */
const HEAD_BYTES = 8
/** Enough for the build ID: linkers put it right behind the program headers. */
const BEGINNING_BYTES = 1024
const PIECE_BYTES = 16 * 1024

/** Reads exactly so many bytes to the beginning of a buffer, or gives undefined. */
function take(fd: number, bytes: Buffer, length: number): Uint8Array | undefined {
  return length <= bytes.length && fs.readSync(fd, bytes, 0, length, null) === length
    ? new Uint8Array(bytes.buffer, 0, length)
    : undefined
}

/** Whether what comes next in `fd` is how the file begins. */
function isBeginningOf(path: string, fd: number, bytes: Buffer, again: Buffer): boolean {
  const other = fs.openSync(path, 'r')
  try {
    const wanted = take(fd, bytes, BEGINNING_BYTES)
    const found = take(other, again, BEGINNING_BYTES)
    return wanted !== undefined && found !== undefined && Buffer.compare(wanted, found) === 0
  } finally {
    fs.closeSync(other)
  }
}

/**
 * The cache, or undefined where there is none, it is another Node's, or it is not whole. Everything here is read into the same
 * memory, and the second time piece by piece, because memory that is touched for the first time costs more than reading. Not
 * readFileSync: of Node's own functions each costs its compiling, and for bytes that is a dozen.
 * @param bytes where it goes
 */
function readCache(file: string, bytes: Buffer): Uint8Array | undefined {
  let fd: number | undefined
  try {
    fd = fs.openSync(file, 'r')
    const again = Buffer.allocUnsafeSlow(PIECE_BYTES)
    if (take(fd, bytes, HEAD_BYTES) === undefined) return undefined
    const [length = 0, pathsLength = 0] = new Uint32Array(bytes.buffer, 0, 2)
    if (length === 0 || take(fd, bytes, pathsLength) === undefined) return undefined
    for (const path of bytes.toString('latin1', 0, pathsLength).split('\n'))
      if (!isBeginningOf(path, fd, bytes, again)) return undefined
    const cache = take(fd, bytes, length)
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, length - at)
      const second = take(fd, again, size)
      if (second === undefined || Buffer.compare(new Uint8Array(bytes.buffer, at, size), second) !== 0)
        return undefined
    }
    return cache
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** The bundle's one function; the last argument is what lib/system/internals.ts knows as TRIED. */
type Run = (
  exports: unknown,
  require: unknown,
  module: unknown,
  file: string,
  folder: string,
  tried: boolean,
) => void

function compile(source: string, file: string): Run {
  const vm = require('node:vm') as typeof import('node:vm')
  return new vm.Script(source, { filename: file }).runInThisContext()
}

/** What node:vm makes its Script of (node, src/node_contextify.cc). */
interface Contextify {
  ContextifyScript: new (
    ...given: [
      source: string,
      file: string,
      line: number,
      column: number,
      cache: Uint8Array,
      makeCache: boolean,
      context: undefined,
      id: symbol,
    ]
  ) => {
    runInContext: (
      context: null,
      timeout: number,
      displayErrors: boolean,
      breakOnSigint: boolean,
      breakOnFirstLine: boolean,
    ) => Run
  }
}

/**
 * The same by what node:vm is made of: to load that takes longer than all of this. A cache of this very program says that it
 * was done so before, by cache.mjs.
 */
function compileTried(source: string, file: string, cache: Uint8Array): Run {
  const { binding } = process as unknown as { binding: (name: 'contextify') => Contextify }
  const { ContextifyScript } = binding('contextify')
  const script = new ContextifyScript(source, file, 0, 0, cache, false, undefined, Symbol(file))
  return script.runInContext(null, -1, true, false, false)
}

function demandVersion(): void {
  const refuseVersion =
    require('../lib/system/nodeversion.cjs') as typeof import('../lib/system/nodeversion.cjs')
  const refusal = refuseVersion(process.versions.node)
  if (refusal !== undefined) throw new Error(refusal)
}

if (START.armed) process.exitCode = START.status
try {
  const file = `${__dirname}/${START.bundle}`
  const bytes = Buffer.allocUnsafeSlow(START.room)
  const fd = fs.openSync(file, 'r')
  // One function expression in ASCII.
  const source = bytes.toString('latin1', 0, fs.readSync(fd, bytes))
  fs.closeSync(fd)
  const cachedData = readCache(`${file}.cache`, bytes)
  const tried = cachedData !== undefined
  // A cache says that this Node does: cache.mjs has run.
  if (!tried) demandVersion()
  const run = tried ? compileTried(source, file, cachedData) : compile(source, file)
  run(exports, require, module, file, __dirname, tried)
} catch (error) {
  // An installation that is half there: one line as the program itself would say it, whatever failed.
  const { code, message } = error as NodeJS.ErrnoException
  const hint =
    code === 'ENOENT' ? ' (half of it is missing: npm ci && npm run build, or install the package again)' : ''
  const line = `${START.says}: start: ${message}${hint}`
  fs.writeSync(START.descriptor, `${line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 400)}\n`)
  process.exit(START.status)
}
