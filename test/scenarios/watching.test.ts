/** What pflogsumm counts in the log of a Postfix with the gate, and what has to be done so that it counts once. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import t from 'tap'
import { cannotRun, Postfix } from '../support/postfix.js'

const PFLOGSUMM = '/usr/sbin/pflogsumm'

/** The grand totals, and the recipients it names with their counts. */
function summarise(log: string): { totals: Record<string, number>; recipients: Record<string, number> } {
  const text = execFileSync(PFLOGSUMM, ['--problems_first'], { input: log, encoding: 'utf8' })
  const totals = Object.fromEntries(
    [...text.matchAll(/^ +([0-9]+) +(received|delivered|deferred|bounced)\b/gm)].map(
      ([, count, name = '']) => [name, Number(count)],
    ),
  )
  const [, recipients = ''] = /^Recipients by message count\n-+\n(.*?)\n\n/ms.exec(text) ?? []
  return {
    totals,
    recipients: Object.fromEntries(
      [...recipients.matchAll(/^ +([0-9]+) +(\S+)$/gm)].map(([, count, name = '']) => [name, Number(count)]),
    ),
  }
}

/** The line of docs/watching.md. */
function withoutGate(log: string): string {
  return execFileSync('grep', ['-v', ' relay=toeh, .* status=sent '], { input: log, encoding: 'utf8' })
}

const skip = cannotRun() || (existsSync(PFLOGSUMM) ? false : 'pflogsumm is not installed')

t.test('pflogsumm on the log of a Postfix with the gate', { skip }, async (t) => {
  const postfix = await Postfix.start(t)
  await postfix.lab.allow('client.test')
  let read = 0
  /** Three messages, of which one is held in part and one altogether; then the held part is released. */
  const work = async (): Promise<string> => {
    postfix.sink.mails.length = 0
    await postfix.submit('anna@corp.test', ['bob@corp.test', 'c@client.test'], 'Subject: known\n\nx\n')
    await postfix.submit('anna@corp.test', ['c@client.test', 'x@stranger.test'], 'Subject: mixed\n\nx\n')
    await postfix.submit('anna@corp.test', ['y@stranger.test'], 'Subject: unknown\n\nx\n')
    await postfix.settled()
    const { stdout } = await postfix.toeh('list', '--json')
    const messages = JSON.parse(stdout) as { id: string; subject: string }[]
    const mixed = messages.find(({ subject }) => subject === 'mixed')?.id ?? ''
    t.equal((await postfix.toeh('release', mixed)).code, 0)
    const mails = await postfix.settled()
    const left = mails.flatMap(({ recipients }) => recipients).sort()
    t.strictSame(left, ['bob@corp.test', 'c@client.test', 'c@client.test', 'x@stranger.test'])
    // postlogd(8) writes after the queue is empty.
    const sent = (): number =>
      postfix
        .log()
        .slice(read)
        .split(/ relay=127\.[^ ]*, .* status=sent /).length - 1
    await postfix.until('a log of all deliveries', () => sent() === left.length)
    const log = postfix.log().slice(read)
    read += log.length
    return log
  }
  const truth = {
    totals: { received: 3, delivered: 4, deferred: 0, bounced: 0 },
    recipients: { 'bob@corp.test': 1, 'c@client.test': 2, 'x@stranger.test': 1 },
  }

  t.test('as it is: received once, delivered twice, and what waits is taken for delivered', async (t) => {
    const log = await work()
    t.strictSame(summarise(log), {
      totals: { received: 3, delivered: 9, deferred: 0, bounced: 0 },
      recipients: { 'bob@corp.test': 2, 'c@client.test': 4, 'x@stranger.test': 2, 'y@stranger.test': 1 },
    })
    t.strictSame(summarise(withoutGate(log)), truth, 'and without the lines of the gate: what was')
  })

  t.test('with a syslog_name of its own for the gate it needs no grep', async (t) => {
    postfix.editMaster((text) => text.replace('-o soft_bounce=yes', '-o soft_bounce=yes -o syslog_name=toeh'))
    const log = await work()
    t.match(log, / toeh\/pipe\[[0-9]+\]: \w+: to=<y@stranger\.test>, relay=toeh, /)
    t.strictSame(summarise(log), truth)
  })

  t.test('without the syslog_name of the way back: received twice', async (t) => {
    postfix.editMaster((text) => text.replace('syslog_name=postfix/toeh-reinject', 'syslog_name=postfix'))
    const { totals } = summarise(withoutGate(await work()))
    t.equal(totals.received, 6, 'three by clients, two by the gate, one by the release')
  })
})
