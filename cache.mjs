// Makes V8's code caches of the bundles, for the node that runs this: npm run build does, and so does the Debian
// package where it is installed. It lets one known message through the gate, in a folder of its own, asks what waits
// there, and has an attachment found: so its success also says that all of them run here. Status 1 and no cache where
// they do not.
//
// A cache carries the version of Node in its name, and where there is one the programs use parts of Node's inside that
// may change with each (lib/inside.ts). So all of that is tried with it here, and where it fails there is no cache.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BIN = join(import.meta.dirname, 'dist/bin')

/** Runs each program as it is run most, and keeps what V8 has compiled on the way. */
async function makeCaches() {
  const folder = mkdtempSync(join(tmpdir(), 'toeh-build-'))
  const server = createServer((socket) => {
    let inData = false
    socket.write('220 build\r\n')
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
        if (inData && line !== '.') continue
        inData = line === 'DATA'
        socket.write(
          inData ? '354 go\r\n' : line.startsWith('EHLO') ? EHLO : '250 2.0.0 Ok: queued as BUILD\r\n',
        )
      }
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { createDatabase, databasePath } = await import('./dist/lib/database.js')
    const { Landscape } = await import('./dist/lib/landscape.js')
    for (const part of ['decisions', 'hold', 'hold/tmp']) mkdirSync(join(folder, part))
    const db = createDatabase(databasePath(folder), { busySeconds: 5 })
    await new Landscape(db).add([RULE], { who: 'build', at: 0 })
    db.close()
    const config = join(folder, 'toeh.toml')
    const { port } = server.address()
    const settings = [
      `state = "${folder}"`,
      'internal_domains = ["corp.test"]',
      `reinject = "smtp:127.0.0.1:${port}"`,
      '[limits]',
      'free_megabytes = 0',
      '[notice]',
      'enabled = false',
    ]
    writeFileSync(config, settings.join('\n'))
    const given = ['--sender=a@corp.test', '--size=9', '--client-address=192.0.2.7']
    const gate = [join(BIN, 'toeh-filter'), `--node=${process.execPath}`, `--config=${config}`, ...given]
    const known = [...gate, '--queue-id=4bQ8Yk2hJnz', '--', 'b@client.test']
    const unknown = [...gate, '--queue-id=4bQ8Yk2hJnx', '--', 'b@stranger.test']
    const list = [process.execPath, join(BIN, 'toeh.cjs'), 'list', '--config', config]
    const find = [process.execPath, join(BIN, 'attachments.cjs')]
    const parked = async () => demandDigest(join(folder, 'hold'), await run(unknown))
    await makeCache('filter', folder, known, parked)
    await makeCache('command', folder, list, () => run(list))
    await makeCache('mime', folder, find, () => run(find))
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
}

/** Runs a program, and gives what it has said. */
async function run([program, ...args], more = {}) {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin', ...more },
  })
  child.stdin.end(MESSAGE)
  let said = ''
  child.stdout.on('data', (bytes) => {
    said += bytes
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${args.join(' ')} did not run here: ${said}`)
  return said
}

/** Runs a program as it is always run, keeps, twice, what V8 has compiled of its bundle, and tries it with that. */
async function makeCache(name, folder, line, attempt) {
  const files = readdirSync(BIN).filter((file) => file.startsWith(`${name}-`))
  for (const old of files.filter((file) => file.endsWith('.cache'))) rmSync(join(BIN, old))
  const cache = join(BIN, `${files.find((file) => file.endsWith('.cjs'))}.${process.version}.cache`)
  const keep = join(folder, 'keep.cjs')
  const made = join(folder, name)
  writeFileSync(keep, KEEP.replace('FILE', JSON.stringify(made)))
  // V8 takes a cache only under the options that it was made with, and toeh-filter gives Node its own.
  await run(line, { NODE_OPTIONS: `--require=${JSON.stringify(keep)}` })
  // Renamed into its place: one that starts meanwhile finds none, or the whole of it.
  const bytes = readFileSync(made)
  const head = new Uint8Array(Uint32Array.of(bytes.length, 0).buffer)
  writeFileSync(`${cache}.new`, Buffer.concat([head, bytes, bytes]))
  chmodSync(`${cache}.new`, 0o644)
  renameSync(`${cache}.new`, cache)
  try {
    await attempt()
  } catch (error) {
    rmSync(cache)
    await attempt()
    console.error(`${name} runs here, but only without V8's code cache: ${error.message}`)
  }
}

/** What was parked has the digest that node:crypto makes. */
function demandDigest(hold, said) {
  const [, id] = / in (\w{12})\n/.exec(said) ?? []
  const { sha256 } = JSON.parse(readFileSync(join(hold, `${id}/envelope.json`), 'utf8'))
  if (sha256 !== createHash('sha256').update(MESSAGE).digest('hex')) throw new Error(`SHA-256 is ${sha256}`)
}

const EHLO =
  '250-build\r\n250-PIPELINING\r\n250-SIZE\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250 8BITMIME\r\n'

const RULE = {
  ...{ kind: 'domain', value: 'client.test', subdomains: false, scope: '', effect: 'allow', endsAt: null },
  ...{ source: 'build', note: '' },
}

const MESSAGE = `Subject: build
MIME-Version: 1.0
Content-Type: application/octet-stream; name="build"
Content-Transfer-Encoding: base64

YnVpbGQ=
`

/** Loaded before the launcher: keeps the code cache of the script that it makes. */
const KEEP = `
const fs = require('node:fs'), vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    process.on('exit', () => fs.writeFileSync(FILE, this.createCachedData()))
  }
}`

await makeCaches()
