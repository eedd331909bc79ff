// Makes V8's code caches of the bundles, for the node that runs this: npm run build does, npm where it installs the package, and
// so does the Debian package where it is installed. It lets a known and an unknown message through the gate, in a folder of its
// own, asks what waits there, and has an attachment found: so its success also says that all of them run here. Status 1 and no
// cache where they do not. Without a bundle, in a checkout that was not built yet, it does nothing.
//
// A cache begins with the beginning of the program that it was made by, and of its library where it has one: the build ID stands
// there (ld(1), --build-id). Where a program has a cache it uses parts of Node's inside that may change with each build
// (lib/system/internals.ts, bin/launch.cts). All of that is tried with it here, first of all in the gate; where it fails there is no cache.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BIN = join(import.meta.dirname, 'dist/bin')
/** As bin/launch.cts compares. */
const BEGINNING_BYTES = 1024
/** A program that hangs with what is tried here does not run. */
const PATIENCE_MS = 60_000

/** Runs each program as it is run most, and keeps what V8 has compiled on the way. */
async function makeCaches() {
  for (const old of readdirSync(BIN)) if (/\.cache(?:\.new)?$/.test(old)) rmSync(join(BIN, old))
  const folder = mkdtempSync(join(tmpdir(), 'toeh-build-'))
  const server = createServer((socket) => takeMessage(socket))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const config = await makeState(folder, server.address().port)
    const given = ['--sender=a@corp.test', '--client-address=192.0.2.7']
    // As pipe(8) has it: a pipe for the message, which spawn's is not.
    const gate = (message, queueId, recipient) => {
      writeFileSync(join(folder, queueId), message)
      const line = ['sh', '-c', 'cat "$0" | "$@"', join(folder, queueId), join(BIN, 'toeh-filter')]
      const more = [`--node=${process.execPath}`, `--config=${config}`, ...given]
      return [...line, ...more, `--queue-id=${queueId}`, '--', recipient]
    }
    const known = gate(SMALL, '4bQ8Yk2hJnz', 'b@client.test')
    const list = [process.execPath, join(BIN, 'toeh.cjs'), 'list', '--config', config]
    const find = [process.execPath, join(BIN, 'attachments.cjs')]
    const pass = async () => {
      for (const message of [SMALL, LARGE]) {
        arrived.length = 0
        await run(gate(message, '4bQ8Yk2hJnz', 'b@client.test'))
        if (arrived.join() !== dotted(message)) throw new Error('the message did not arrive as it was')
        const queueId = `4bQ8Yk2hJn${message.length}`
        const said = await run(gate(message, queueId, 'b@stranger.test'))
        demandDigest(join(folder, 'hold'), said, message)
      }
    }
    // What the gate cannot do with the inside of this Node, none of them may try.
    if (!(await makeCache('filter', folder, known, pass))) return
    await makeCache('command', folder, list, () => run(list))
    await makeCache('mime', folder, find, () => run(find))
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
}

/** A database with one rule, and a configuration whose way on is this port. @returns the path of the latter */
async function makeState(folder, port) {
  const { createDatabase, databasePath } = await import('./dist/lib/database/database.js')
  const { Landscape } = await import('./dist/lib/rules/landscape.js')
  for (const part of ['decisions', 'hold', 'hold/tmp']) mkdirSync(join(folder, part))
  const db = createDatabase(databasePath(folder), { busySeconds: 5 })
  await new Landscape(db).add([RULE], { who: 'build', at: 0 })
  db.close()
  const config = join(folder, 'toeh.toml')
  const settings = [
    `state = "${folder}"`,
    'internal_domains = ["corp.test"]',
    `reinject = "smtp:127.0.0.1:${port}"`,
    '[limits]',
    'free_megabytes = 0',
    '[notice]',
    'enabled = false',
  ]
  writeFileSync(config, settings.join('\n'), { mode: 0o600 })
  return config
}

/** What came between DATA and the final dot, as latin1, of each message. */
const arrived = []

/** Plays Postfix behind the gate. */
function takeMessage(socket) {
  let came = ''
  let inData = false
  socket.write('220 build\r\n')
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    came += bytes.toString('latin1')
    for (;;) {
      const ending = inData ? '\r\n.\r\n' : '\r\n'
      const at = came.indexOf(ending)
      if (at < 0) return
      const said = came.slice(0, at)
      came = came.slice(at + ending.length)
      if (inData) arrived.push(`${said}\r\n`)
      inData = !inData && said === 'DATA'
      socket.write(
        inData ? '354 go\r\n' : said.startsWith('EHLO') ? EHLO : '250 2.0.0 Ok: queued as BUILD\r\n',
      )
    }
  })
}

/** A message as RFC 5321, 4.5.2, sends it. */
function dotted(message) {
  return message.toString('latin1').replaceAll('\n', '\r\n').replaceAll('\r\n.', '\r\n..')
}

/** Runs a program on a message, and gives what it has said. */
async function run([program, ...args], more = {}) {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin', ...more },
    timeout: PATIENCE_MS,
  })
  child.stdin.on('error', () => {})
  child.stdin.end(SMALL)
  let said = ''
  child.stdout.on('data', (bytes) => {
    said += bytes
  })
  const [code, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)))
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${signal ?? code}: ${said}`)
  return said
}

/** The beginning of a file. */
function beginningOf(path) {
  const bytes = Buffer.alloc(BEGINNING_BYTES)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, bytes, 0, BEGINNING_BYTES, 0)
  } finally {
    closeSync(fd)
  }
  return bytes
}

/**
 * What says which build of Node this is: the beginning of its program, and of its library in distributions that have one; or
 * undefined where one of these has no build ID in it (NT_GNU_BUILD_ID of elf(5): two sizes, type 3, GNU).
 */
function identity() {
  const maps = readFileSync('/proc/self/maps', 'latin1')
  const libraries = maps.match(/(?<= )\/\S*\/lib(?:node|v8)[^/\s]*\.so[.0-9]*$/gm) ?? []
  const paths = ['/proc/self/exe', ...new Set(libraries)]
  const beginnings = paths.map(beginningOf)
  const hasId = (bytes) => /\x04\0\0\0[^\0]\0\0\0\x03\0\0\0GNU\0/.test(bytes.toString('latin1'))
  return beginnings.every(hasId) ? { paths: paths.join('\n'), beginnings } : undefined
}

/**
 * Runs a program as it is always run, keeps, twice, what V8 has compiled of its bundle, and tries it with that.
 * @returns whether it runs with it
 */
async function makeCache(name, folder, line, attempt) {
  const bundle = readdirSync(BIN).find((file) => file.startsWith(`${name}-`) && file.endsWith('.cjs'))
  const cache = join(BIN, `${bundle}.cache`)
  const program = identity()
  if (program === undefined) {
    await attempt()
    console.error(`${process.execPath} has no build ID: ${name} runs here, but without V8's code cache`)
    return false
  }
  const keep = join(folder, 'keep.cjs')
  const made = join(folder, name)
  writeFileSync(keep, KEEP.replace('FILE', JSON.stringify(made)))
  // V8 takes a cache only under the options that it was made with, and toeh-filter gives Node its own.
  await run(line, { NODE_OPTIONS: `--require=${JSON.stringify(keep)}` })
  // Renamed into its place: one that starts meanwhile finds none, or the whole of it.
  const bytes = readFileSync(made)
  const head = new Uint8Array(Uint32Array.of(bytes.length, program.paths.length).buffer)
  const parts = [head, Buffer.from(program.paths, 'latin1'), ...program.beginnings, bytes, bytes]
  writeFileSync(`${cache}.new`, Buffer.concat(parts))
  chmodSync(`${cache}.new`, 0o644)
  renameSync(`${cache}.new`, cache)
  try {
    await attempt()
    return true
  } catch (error) {
    rmSync(cache)
    await attempt()
    console.error(`${name} runs here, but only without V8's code cache: ${error.message}`)
    return false
  }
}

/** What was parked has the digest that node:crypto makes. */
function demandDigest(hold, said, message) {
  const [, id] = / in (\w{12})\n/.exec(said) ?? []
  const { sha256 } = JSON.parse(readFileSync(join(hold, `${id}/envelope.json`), 'utf8'))
  if (sha256 !== createHash('sha256').update(message).digest('hex')) throw new Error(`SHA-256 is ${sha256}`)
}

const EHLO =
  '250-build\r\n250-PIPELINING\r\n250-SIZE\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250 8BITMIME\r\n'

const RULE = {
  ...{ kind: 'domain', value: 'client.test', subdomains: false, scope: '', effect: 'allow', endsAt: null },
  ...{ source: 'build', note: '' },
}

const SMALL = Buffer.from(`Subject: build
MIME-Version: 1.0
Content-Type: application/octet-stream; name="build"
Content-Transfer-Encoding: base64

YnVpbGQ=
`)

/** More than a pipe and a buffer of ours take at once: every byte from 14 on, in lines that begin with a dot. */
const LARGE = Buffer.concat([
  SMALL,
  Buffer.from(Array.from({ length: 240_000 }, (_, at) => [10, 46][at % 81] ?? 14 + ((at * 7) % 242))),
  Buffer.from('\n'),
])

/** Loaded before the launcher: keeps the code cache of the script that it makes. */
const KEEP = `
const fs = require('node:fs'), vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    process.on('exit', () => fs.writeFileSync(FILE, this.createCachedData()))
  }
}`

if (existsSync(BIN)) await makeCaches()
