/** Channel: Node's own handles and node:net do the same. Every test runs with each. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Channel, type Encoding, openConnection } from '../../lib/system/channel.js'
import { goByHandlesIn } from '../support/handles.js'

const inside = process as unknown as { binding: unknown }
const { binding } = inside
const WAYS: [name: string, tried: boolean, binding: unknown][] = [
  ['by handles', true, binding],
  ['by node:net, where the installation was not tried', false, binding],
  ['by node:net, where Node has no way in', true, undefined],
  [
    'by node:net, where Node refuses',
    true,
    () => {
      throw new Error('No such binding')
    },
  ],
]

function eachWay(name: string, test: (t: Test) => Promise<void>): void {
  for (const [way, tried, stands] of WAYS) {
    t.test(`${name}, ${way}`, async (t) => {
      goByHandlesIn(t, tried)
      inside.binding = stands
      t.teardown(() => {
        inside.binding = binding
      })
      await test(t)
    })
  }
}

interface Call {
  channel: Channel
  /** What came, in order: `end`, `error -111`, and bytes, joined. */
  came: string[]
  /** The server's side. */
  peer: Promise<Socket>
}

/** Opens a connection to a server of its own. */
async function call(t: Test, host = '127.0.0.1'): Promise<Call> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const peer = once(server, 'connection').then(([socket]: Socket[]) => {
    if (socket === undefined) throw new Error('no connection')
    t.teardown(() => socket.destroy())
    return socket.on('error', () => {})
  })
  const { channel, came } = open((server.address() as AddressInfo).port, host)
  t.teardown(() => channel.close())
  return { channel, came, peer }
}

function open(port: number, host: string): { channel: Channel; came: string[] } {
  const came: string[] = []
  let bytes = false
  const channel = openConnection(host, port, {
    onBytes: (piece) => {
      if (!bytes) came.push('')
      bytes = true
      came[came.length - 1] += piece.toString('latin1')
    },
    onEnd: () => {
      came.push('end')
    },
    onError: (error) => {
      came.push(`error ${(error as { errno?: number }).errno}`)
    },
  })
  return { channel, came }
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await sleep(5)
}

function write(channel: Channel, text: string, encoding: Encoding = 'utf8'): Promise<unknown> {
  return new Promise((done) => channel.write(text, encoding, done))
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1')

eachWay('bytes go both ways, and the end comes after them', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const { channel, came, peer } = await call(t, host)
    const socket = await peer
    socket.write('220 x\r\n')
    await until(() => came.length > 0)
    const heard: Buffer[] = []
    socket.on('data', (piece: Buffer) => heard.push(piece))
    t.equal(await write(channel, 'EHLO ü\r\n'), undefined)
    t.equal(await write(channel, EVERY_BYTE, 'latin1'), undefined)
    await until(() => Buffer.concat(heard).length === 9 + 256)
    t.same(
      Buffer.concat(heard),
      Buffer.concat([Buffer.from('EHLO ü\r\n'), Buffer.from(EVERY_BYTE, 'latin1')]),
    )
    socket.end('221 bye\r\n')
    await until(() => came.includes('end'))
    t.strictSame(came, ['220 x\r\n221 bye\r\n', 'end'])
  }
})

eachWay('a text is done with when the system has it, not before', async (t) => {
  const { channel, peer } = await call(t)
  const socket = await peer
  const bytes = 32 * 2 ** 20
  let done = false
  const written = write(channel, '\xe9'.repeat(bytes), 'latin1').then((error) => {
    done = true
    return error
  })
  await sleep(100)
  t.equal(done, false, 'nobody reads')
  let read = 0
  socket.on('data', (piece: Buffer) => {
    read += piece.length
  })
  t.equal(await written, undefined)
  await until(() => read === bytes)
})

eachWay('nobody listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const { channel, came } = open(port, '127.0.0.1')
  await until(() => came.length > 0)
  t.strictSame(came, [`error ${-constants.errno.ECONNREFUSED}`])
  channel.close()
})

eachWay('no address', async (t) => {
  const { channel, came } = open(25, '127.0.0.1.1')
  t.strictSame(came, [], 'told later: the caller has no channel yet')
  await until(() => came.length > 0)
  t.match(came, [/^error /])
  channel.close()
})

eachWay('a connection that is reset', async (t) => {
  const { came, peer } = await call(t)
  const socket = await peer
  socket.resetAndDestroy()
  await until(() => came.length > 0)
  t.strictSame(came, [`error ${-constants.errno.ECONNRESET}`])
})

eachWay('writing where nobody is any more', async (t) => {
  const { channel, came, peer } = await call(t)
  const socket = await peer
  socket.destroy()
  await until(() => came.includes('end'))
  let error: unknown
  for (let times = 0; error === undefined && times < 100; times++) error = await write(channel, 'x\r\n')
  // net has noted the end, and does not ask the system any more.
  const { errno, code } = error as { errno?: number; code?: string }
  t.ok(
    code === 'EPIPE' || errno === -constants.errno.EPIPE || errno === -constants.errno.ECONNRESET,
    String(error),
  )
})

eachWay('nothing comes while it is paused, and all of it afterwards', async (t) => {
  const { channel, came, peer } = await call(t)
  const socket = await peer
  socket.write('a')
  await until(() => came.length > 0)
  channel.pause()
  socket.write('b')
  await sleep(50)
  t.strictSame(came, ['a'])
  channel.resume()
  await until(() => came[0] === 'ab')
})

eachWay('after close() nothing comes, and the other side sees the end', async (t) => {
  const { channel, came, peer } = await call(t)
  const socket = await peer
  const ended = once(socket.resume(), 'end')
  await write(channel, 'QUIT\r\n')
  channel.close()
  channel.close()
  channel.pause()
  channel.resume()
  t.ok(await write(channel, 'RSET\r\n'), 'nor does a write, and it says so')
  await ended
  socket.end('221 bye\r\n')
  await sleep(50)
  t.strictSame(came, [])
})
