/** Unpacking: the bytes of a stream as they were before gzip, bzip2, xz, zstd or lz4, told by how they begin. */
import { spawn, spawnSync } from 'node:child_process'
import { pipeline, Readable } from 'node:stream'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { asCaller } from '../system/caller.js'
import { words } from '../text/translate.js'

const CHUNK_BYTES = 262_144

interface Packing {
  /** What it begins with. */
  magic: readonly number[]
  /** What unpacks it from standard input to standard output; undefined where Node does. */
  program: readonly string[] | undefined
  /** Debian's package of the program. */
  from: string
}

const PACKINGS: readonly Packing[] = [
  // RFC 1952, 2.3.1
  { magic: [0x1f, 0x8b], program: undefined, from: '' },
  { magic: [0x1f, 0x9d], program: ['gzip', '-dc'], from: 'gzip' },
  { magic: [0x42, 0x5a, 0x68], program: ['bzip2', '-dc'], from: 'bzip2' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], program: ['xz', '-dc'], from: 'xz-utils' },
  // RFC 8878, 3.1.1
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: ['zstd', '-dc'], from: 'zstd' },
  { magic: [0x04, 0x22, 0x4d, 0x18], program: ['lz4', '-dc'], from: 'lz4' },
]

function packingOf(bytes: Buffer): Packing | undefined {
  return PACKINGS.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte))
}

function missing(name: string, { program: [program = ''] = [], from }: Packing): Failure {
  return new Failure('log', words`it is packed by ${program}, which is not on this machine`, {
    at: name,
    status: EXIT.noInput,
    hint: words`apt install ${from}, or unpack it first`,
  })
}

/**
 * As much of the beginning as can be had from some first bytes; empty where nothing can.
 * @param name for complaints
 * @throws Failure (66) where there is no program that could unpack it
 */
export function unpackedHead(head: Buffer, name: string): Buffer {
  const packing = packingOf(head)
  if (packing === undefined) return head
  if (packing.program === undefined) {
    try {
      return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH })
    } catch {
      return Buffer.alloc(0) // It is complained about where it is read.
    }
  }
  const [program = '', ...args] = [...asCaller(), ...packing.program]
  // It complains of an end too soon, and gives what it has.
  const { stdout, error } = spawnSync(program, args, {
    input: head,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if ((error as { code?: unknown } | undefined)?.code === 'ENOENT') throw missing(name, packing)
  return stdout ?? Buffer.alloc(0)
}

async function* withFirst(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** What a program makes of the bytes. @throws Failure with its own words where it fails */
async function* byProgram(all: Readable, packing: Packing, name: string): AsyncGenerator<Buffer> {
  const [program = '', ...args] = packing.program ?? []
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 1000) said += text
  })
  const ended = new Promise<number | Error | null>((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  // An error of its standard input is one of the program, which is told by its status.
  pipeline(all, child.stdin, () => {})
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    const status = await ended
    if (status instanceof Error) throw missing(name, packing)
    if (status === 0) return
    const [first = ''] = said.trim().split('\n')
    throw new Failure('log', first.slice(0, 200) || words`${program} ended with status ${String(status)}`, {
      at: name,
      hint: words`nothing was changed`,
    })
  } finally {
    child.kill()
  }
}

/**
 * The bytes of a stream, unpacked where they are packed.
 * @param name for complaints
 */
export async function* unpacked(stream: Readable, name: string): AsyncGenerator<Buffer> {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let next = await pieces.next()
  let first = next.done === true ? Buffer.alloc(0) : next.value
  // A pipe may give less at first than a packing needs to be told.
  while (next.done !== true && first.length < 6) {
    next = await pieces.next()
    if (next.done !== true) first = Buffer.concat([first, next.value])
  }
  if (first.length === 0) return
  const all = withFirst(first, pieces)
  const packing = packingOf(first)
  if (packing === undefined) yield* all
  else if (packing.program !== undefined) yield* byProgram(Readable.from(all), packing, name)
  else {
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
    // Its errors come out of the iteration below.
    pipeline(Readable.from(all), gunzip, () => {})
    yield* gunzip as AsyncIterable<Buffer>
  }
}
