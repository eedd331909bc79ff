/** Mail logs for tests: what Postfix writes of one message. */
export interface LoggedMail {
  /** RFC 3339 without the zone. */
  at?: string
  id: string
  sender?: string
  to: readonly string[]
  /** Behind `relay=`; the rest of the line stands for itself. */
  outcome?: string
  host?: string
  /** The line of smtpd or pickup in front. */
  taken?: string
}

export const SENT =
  'relay=mx.b.test[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)'

/** The lines of one message, each with its end. */
export function mailLog(mail: LoggedMail): string {
  const { at = '2026-11-04T05:06:07', id, sender = 'anna@corp.test', to, outcome = SENT, host = 'mx' } = mail
  const line = (agent: string, text: string): string =>
    `${at}+01:00 ${host} postfix/${agent}[12]: ${id}: ${text}\n`
  const [agent = 'smtpd', text = ''] = mail.taken?.split(' ', 2) ?? []
  return [
    ...(mail.taken === undefined ? [] : [line(agent, text)]),
    line('qmgr', `from=<${sender}>, size=100, nrcpt=${to.length} (queue active)`),
    ...to.map((recipient) => line('smtp', `to=<${recipient}>, ${outcome}`)),
    line('qmgr', 'removed'),
  ].join('')
}
