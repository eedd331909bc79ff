/**
 * The start of a program: runs its bundle from V8's code cache. `bundle.mjs` makes dist/bin/toeh-filter.cjs, toeh.cjs and
 * attachments.cjs of it. Node 20 has no compile cache for modules, and compiling is a tenth of a run
 * (docs/performance.md).
 *
 * V8 refuses a cache of another version of Node and then compiles. Of the bundle it compares the length only, hence a
 * name made of its content; and it trusts the cache's bytes (a damaged one was seen to end in a crash), hence a file
 * that has them twice: comparing is quicker than any sum.
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

/** Before the cache: its length, as a word of 32 bits, and nothing, so that what follows lies as V8 wants it. */
const HEAD_BYTES = 8
const PIECE_BYTES = 16 * 1024

/**
 * The cache, or undefined where there is none or it is not whole: its length, and twice what V8 has compiled. Everything here
 * is read into the same memory, and the second time piece by piece, because memory that is touched for the first time costs
 * more than reading. Not readFileSync: of Node's own functions each costs its compiling, and for bytes that is a dozen.
 * @param bytes where it goes
 */
function readCache(file: string, bytes: Buffer): Uint8Array | undefined {
  let fd: number | undefined
  try {
    fd = fs.openSync(file, 'r')
    fs.readSync(fd, bytes, 0, HEAD_BYTES, null)
    const [length = 0] = new Uint32Array(bytes.buffer, 0, 1)
    if (length > bytes.length || fs.readSync(fd, bytes, 0, length, null) !== length) return undefined
    const again = Buffer.allocUnsafeSlow(PIECE_BYTES)
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, length - at)
      const piece = new Uint8Array(bytes.buffer, at, size)
      if (fs.readSync(fd, again, 0, size, null) !== size) return undefined
      if (Buffer.compare(piece, new Uint8Array(again.buffer, 0, size)) !== 0) return undefined
    }
    return length > 0 ? new Uint8Array(bytes.buffer, 0, length) : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** The bundle's one function; the last argument is what lib/inside.ts knows as TRIED. */
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
 * The same by what node:vm is made of: to load that takes longer than all of this. A cache of this very Node says that it
 * was done so before, by cache.mjs.
 */
function compileTried(source: string, file: string, cache: Uint8Array): Run {
  const { binding } = process as unknown as { binding: (name: 'contextify') => Contextify }
  const { ContextifyScript } = binding('contextify')
  const script = new ContextifyScript(source, file, 0, 0, cache, false, undefined, Symbol(file))
  return script.runInContext(null, -1, true, false, false)
}

if (START.armed) process.exitCode = START.status
try {
  const file = `${__dirname}/${START.bundle}`
  const bytes = Buffer.allocUnsafeSlow(START.room)
  const fd = fs.openSync(file, 'r')
  // One function expression in ASCII.
  const source = bytes.toString('latin1', 0, fs.readSync(fd, bytes))
  fs.closeSync(fd)
  const cachedData = readCache(`${file}.${process.version}.cache`, bytes)
  const tried = cachedData !== undefined
  const run = tried ? compileTried(source, file, cachedData) : compile(source, file)
  run(exports, require, module, file, __dirname, tried)
} catch (error) {
  // An installation that is half there: one line as the program itself would say it, whatever failed.
  const line = `${START.says}: start: ${error instanceof Error ? error.message : String(error)}`
  fs.writeSync(START.descriptor, `${line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 400)}\n`)
  process.exit(START.status)
}
