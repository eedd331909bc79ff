/** The model of smtpd's restrictions beside smtpd itself: the same cases, and what becomes of the mail. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { Conversation, cannotRun, Postfix } from '../support/postfix.js'
import { RESTRICTION_CASES } from '../support/restrictioncases.js'

/** Loopback addresses in the place of the networks of the cases. */
function here(text: string, sink: number): string {
  return text
    .replaceAll('127.0.0.0/8', '127.0.0.0/24')
    .replaceAll('10.0.0.0/24', '127.8.0.0/24')
    .replaceAll('10.0.0.7', '127.8.0.7')
    .replaceAll('{127=', '{127.0.0=')
    .replaceAll('scan:x', `smtp:[127.0.0.1]:${sink}`)
}

const CLIENTS: [label: string, address: string][] = [
  ['127.0.0.0/8', '127.0.0.1'],
  ['10.0.0.0/24', '127.8.0.2'],
  ['10.0.0.7', '127.8.0.7'],
  ['anybody', '127.99.0.9'],
]
const DEFAULTS = {
  mynetworks: '127.0.0.0/8 10.0.0.0/24',
  smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
}
const SENDERS = ['anna@corp.test', 'anna@isp.test']

t.test('what the model says is what happens', { skip: cannotRun() }, async (t) => {
  const postfix = await Postfix.start(t)
  // Started, and told to read its files anew, master(8) takes a moment: whoever comes at once may meet what was before.
  const knock = async (): Promise<void> => (await Conversation.open(postfix.ungated)).close()
  await knock()
  const names = [...new Set(RESTRICTION_CASES.flatMap(({ settings }) => Object.keys(settings)))]
  for (const { title, settings, gated, round } of RESTRICTION_CASES) {
    const all = { ...DEFAULTS, ...settings }
    const where = ['-c', postfix.etc]
    execFileSync('/usr/sbin/postconf', [...where, '-X', ...names])
    const parameters = Object.entries(all).map(([name, value]) => `${name}=${here(value, postfix.sink.port)}`)
    execFileSync('/usr/sbin/postconf', [...where, '-e', ...parameters])
    postfix.command('reload')
    await knock()
    await knock()
    const sent = new Map<string, string>()
    for (const [label, address] of CLIENTS) {
      const conversation = await Conversation.open(postfix.ungated, '127.0.0.1', address)
      await conversation.say('EHLO client.test\r\n')
      for (const [at, sender] of SENDERS.entries())
        for (const recipient of ['x@one.test', 'y@two.test']) {
          const subject = `${label} ${at} ${recipient}`
          await conversation.send(sender, [recipient], `Subject: ${subject}\n\nBody\n`).then(
            (id) => sent.set(id, label),
            () => conversation.say('RSET\r\n'),
          )
        }
      conversation.close()
    }
    await postfix.settled()
    const asked = new Set(postfix.decisions().map(({ queueId }) => queueId))
    const labelsOf = (wanted: boolean): string[] =>
      CLIENTS.map(([label]) => label).filter((label) =>
        [...sent].some(([id, from]) => from === label && asked.has(id) === wanted),
      )
    for (const [named, met, what] of [
      [gated, labelsOf(true), 'the gate is asked'],
      [round, labelsOf(false), 'nobody is asked'],
    ] as const) {
      for (const label of met) t.ok(isAmong(label, named), `${title}: ${what} about ${label}, and foreseen`)
      for (const label of named) t.ok(isSomeOf(label, met), `${title}: ${what} about ${label}, as foreseen`)
    }
  }
})

/** Whether a client is named, or its network, where nobody names it apart. */
function isAmong(label: string, named: readonly string[]): boolean {
  return named.includes(label) || (label === '10.0.0.7' && named.includes('10.0.0.0/24'))
}

/** Whether a client was met, or one of its network. */
function isSomeOf(label: string, met: readonly string[]): boolean {
  return met.includes(label) || (label === '10.0.0.0/24' && met.includes('10.0.0.7'))
}
