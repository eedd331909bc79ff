/** A server of Dovecot's authentication protocol, as smtpd(8) asks one: it lets in whoever says any password but `wrong`. */
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Test } from 'tap'

/** @returns the settings of main.cf that lead to it */
export async function startSaslServer(t: Pick<Test, 'teardown'>): Promise<string[]> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.write(
      'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n',
    )
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\n')) {
        const [verb, id, , ...rest] = line.split('\t')
        if (verb !== 'AUTH') continue
        const response = rest.find((word) => word.startsWith('resp='))?.slice('resp='.length) ?? ''
        const [, user = '', password] = Buffer.from(response, 'base64').toString().split('\0')
        socket.write(password === 'wrong' ? `FAIL\t${id}\tuser=${user}\n` : `OK\t${id}\tuser=${user}\n`)
      }
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return [
    'smtpd_sasl_type=dovecot',
    `smtpd_sasl_path=inet:127.0.0.1:${port}`,
    'smtpd_sasl_auth_enable=yes',
    'smtpd_sasl_security_options=noanonymous',
  ]
}

/** What a client says to log in by PLAIN. */
export function plainLogin(user: string): string {
  return `AUTH PLAIN ${Buffer.from(`\0${user}\0secret`).toString('base64')}\r\n`
}
