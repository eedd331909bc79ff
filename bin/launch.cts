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
import path = require('node:path')
import vm = require('node:vm')

/**
 * Put in by bundle.mjs: the bundle's file name; and for an installation that is half there, what the one line begins
 * with that says so, to which descriptor it goes, and the status. toeh-filter's is 75, EX_TEMPFAIL: Postfix keeps the mail.
 * Where it is armed, that is also the status of a bundle that ends without having said a word.
 */
declare const START: { bundle: string; says: string; descriptor: number; status: number; armed: boolean }

/** The cache, or undefined where there is none or it is not whole. */
function readCache(file: string): Buffer | undefined {
  let bytes: Buffer
  try {
    bytes = fs.readFileSync(file)
  } catch {
    return undefined
  }
  const cache = bytes.subarray(0, bytes.length / 2)
  return cache.equals(bytes.subarray(cache.length)) ? cache : undefined
}

if (START.armed) process.exitCode = START.status
try {
  const file = path.join(__dirname, START.bundle)
  const cachedData = readCache(`${file}.cache`)
  // The bundle is one function expression in ASCII.
  const source = fs.readFileSync(file, 'latin1')
  const script = new vm.Script(
    source,
    cachedData === undefined ? { filename: file } : { filename: file, cachedData },
  )
  script.runInThisContext()(exports, require, module, file, __dirname)
} catch (error) {
  // An installation that is half there: one line as the program itself would say it, whatever failed.
  const line = `${START.says}: start: ${error instanceof Error ? error.message : String(error)}`
  fs.writeSync(START.descriptor, `${line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 400)}\n`)
  process.exit(START.status)
}
