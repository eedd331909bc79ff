/** A sink that answers at once, so that the benchmark measures the filter: smtp-server greets after 100 ms. */
import { type AddressInfo, createServer, type Server } from 'node:net'

const ANSWERS: Record<string, string> = {
  EHLO: '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
  DATA: '354 go on',
  QUIT: '221 bye',
}

/** Starts one. @returns its port and how to stop it */
export async function startFastSink(): Promise<{ port: number; server: Server }> {
  const server = createServer({ noDelay: true }, (socket) => {
    let pending = ''
    let inData = false
    socket.on('error', () => {})
    socket.write('220 sink\r\n')
    socket.on('data', (bytes) => {
      pending += bytes.toString('latin1')
      let answers = ''
      while (true) {
        const end = inData ? '\r\n.\r\n' : '\r\n'
        const at = pending.indexOf(end)
        if (at < 0) break
        const word = inData ? '.' : pending.slice(0, 4).toUpperCase()
        pending = pending.slice(at + end.length)
        inData = word === 'DATA'
        answers += `${ANSWERS[word] ?? (word === '.' ? '250 2.0.0 Ok: queued as 4bQ8Yk2hJnz2' : '250 ok')}\r\n`
      }
      // While a body comes in only its end matters.
      if (inData) pending = pending.slice(-4)
      if (answers !== '') socket.write(answers)
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return { port: (server.address() as AddressInfo).port, server }
}
