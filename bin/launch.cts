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
 * Put in by bundle.mjs: the bundle's file name; and for an installation that is half there, what the one line begins
 * with that says so, to which descriptor it goes, and the status. toeh-filter's is 75, EX_TEMPFAIL: Postfix keeps the mail.
 * Where it is armed, that is also the status of a bundle that ends without having said a word.
 */
declare const START: { bundle: string; says: string; descriptor: number; status: number; armed: boolean }

/**
 * The cache, or undefined where there is none or it is not whole. Not readFileSync: of Node's own functions each costs
 * its compiling, and for a file of bytes that is a dozen of them.
 * @param most bytes it may have
 */
function readCache(file: string, most: number): Uint8Array | undefined {
  const bytes = Buffer.allocUnsafeSlow(most)
  let length: number
  try {
    const fd = fs.openSync(file, 'r')
    length = fs.readSync(fd, bytes)
    fs.closeSync(fd)
  } catch {
    return undefined
  }
  const [cache, again] = [0, length / 2].map((from) => new Uint8Array(bytes.buffer, from, length / 2))
  return length < most && cache !== undefined && again !== undefined && Buffer.compare(cache, again) === 0
    ? cache
    : undefined
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
  // The bundle is one function expression in ASCII; as UTF-8 Node reads it in one go.
  const source = fs.readFileSync(file, 'utf8')
  // Twice what V8 has compiled of it, with room to spare.
  const cachedData = readCache(`${file}.${process.version}.cache`, 8 * source.length)
  const tried = cachedData !== undefined
  const run = tried ? compileTried(source, file, cachedData) : compile(source, file)
  run(exports, require, module, file, __dirname, tried)
} catch (error) {
  // An installation that is half there: one line as the program itself would say it, whatever failed.
  const line = `${START.says}: start: ${error instanceof Error ? error.message : String(error)}`
  fs.writeSync(START.descriptor, `${line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 400)}\n`)
  process.exit(START.status)
}
