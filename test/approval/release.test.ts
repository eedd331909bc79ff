/** Release: each recipient is sent to once, the bytes are those that were held, and what fails says why. */
import { appendFileSync, existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  chooseMessages,
  chooseRecipients,
  describeReleased,
  release,
  tryRelease,
} from '../../lib/approval/release.js'
import type { Desk } from '../../lib/cli/context.js'
import { loadConfig } from '../../lib/config.js'
import { Audit } from '../../lib/database/audit.js'
import type { Database } from '../../lib/database/database.js'
import { Progress } from '../../lib/database/progress.js'
import { Erasure } from '../../lib/hold/erasure.js'
import type { HeldRecipient } from '../../lib/hold/folder.js'
import { type HeldMessage, RELEASE_ABANDONED_MS } from '../../lib/hold/heldmail.js'
import { Hold } from '../../lib/hold/hold.js'
import { Tokens } from '../../lib/hold/token.js'
import { Neighbours } from '../../lib/nearmiss/neighbours.js'
import { localTime } from '../../lib/text/visible.js'
import { failureOf, replaceFs, systemError } from '../support/failing.js'
import { CLIENT, park, refused, unknown } from '../support/held.js'
import { type Lab, MESSAGE, makeLab } from '../support/lab.js'
import { type Answers, HANG_UP, makeScript } from '../support/script.js'
import { makeSink, unwire } from '../support/sink.js'

const X = 'x@new.test'
const Y = 'y@new.test'
const NOW = 2_000_000

interface Open {
  desk: Desk
  db: Database
}

/** The desk of one person at an installation that reinjects to `port`. */
function openDesk(t: Test, lab: Lab, port: number, who = 'marie', at = NOW): Open {
  lab.configure(`reinject = "smtp:127.0.0.1:${port}"\n[notice]\nenabled = false\n`)
  const { db, ...stores } = lab.stores()
  t.teardown(() => db.close())
  const config = loadConfig(lab.config)
  const neighbours = new Neighbours(db, config.internal)
  const rest = {
    audit: new Audit(db),
    tokens: new Tokens(db),
    progress: new Progress(db),
    erasure: new Erasure(db, stores.folder),
  }
  return { db, desk: { config, neighbours, actor: { who, at }, ...rest, ...stores } }
}

async function hold(
  desk: Desk,
  recipients: HeldRecipient[],
  changes: Parameters<typeof park>[3] = {},
): Promise<HeldMessage> {
  return desk.hold.find(await park(desk.hold, desk.folder, recipients, changes))
}

/** Recipients in words: `address state by detail queueId`. */
async function states(desk: Desk, id: string): Promise<string[]> {
  return desk.hold
    .find(id)
    .recipients.map(({ address, state, changedBy, detail, queueId }) =>
      [address, state, changedBy, detail, queueId].filter((word) => word !== '').join(' '),
    )
}

t.test('the original envelope and bytes go out, and nothing stays behind', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk, db } = openDesk(t, lab, sink.port)
  const bytes = Buffer.from(`${MESSAGE}.\ncaf\u{e9}\nFrom x`)
  const message = await hold(desk, [unknown(X), refused(Y)], { bytes })
  const result = await release(desk, message, [X, Y])
  t.strictSame(result, {
    id: message.id,
    released: [{ recipients: [X, Y], queueId: 'SINK00000001' }],
    failed: [],
    lapsed: [],
  })
  t.equal(sink.mails.length, 1)
  const [mail] = sink.mails
  t.equal(mail?.sender, 'anna@corp.test')
  t.strictSame(mail?.recipients, [X, Y])
  t.equal(unwire(mail?.bytes ?? Buffer.alloc(0)).toString('latin1'), `${bytes.toString('latin1')}\n`)
  t.match(mail?.mailOptions, { BODY: '8BITMIME' })
  t.match(mail?.xforward, { ADDR: CLIENT.address, NAME: CLIENT.name })
  t.strictSame(await states(desk, message.id), [
    `${X} released marie SINK00000001`,
    `${Y} released marie 550 5.1.1 no such user SINK00000001`,
  ])
  t.strictSame(
    db
      .all<Record<string, string>>('SELECT * FROM audit')
      .map(({ who, what, subject, was, now }) => [who, what, subject, was, now].join('|')),
    [X, Y].map((to) => `marie|released|${message.id} ${to}|releasing|SINK00000001`),
  )
  t.strictSame([lab.held(), lab.temporaries()], [[], []])
})

t.test('one of two is released, the other waits with its bytes', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk } = openDesk(t, lab, sink.port)
  const message = await hold(desk, [unknown(X), unknown(Y)], { sender: '' })
  await release(desk, message, [Y])
  t.strictSame(
    sink.mails.map(({ sender, recipients }) => [sender, ...recipients]),
    [['', Y]],
  )
  t.strictSame(await states(desk, message.id), [`${X} held toeh-filter`, `${Y} released marie SINK00000001`])
  t.strictSame(lab.held(), [message.id])
})

t.test('that they are released is on the disk before anything is said to the server', async (t) => {
  const lab = makeLab(t)
  const order: string[] = []
  const script = await makeScript(t, {
    CONNECT: () => {
      order.push('connect')
      return '220 script.test ESMTP'
    },
  })
  const { desk } = openDesk(t, lab, script.port)
  replaceFs(t, 'fsyncSync', (real) => (fd: number) => {
    order.push(`fsync ${readlinkSync(`/proc/self/fd/${fd}`).replace(lab.state, 'state')}`)
    real(fd)
  })
  for (const queueId of ['FIRST001', 'SECOND02']) {
    const message = await hold(desk, [unknown(X), unknown(Y)], { queueId })
    for (const [index, to] of [X, Y].entries()) {
      order.length = 0
      await release(desk, message, [to])
      const folder = `state/hold/${message.id}`
      const expected = [`fsync ${folder}/moves.jsonl`, ...(index === 0 ? [`fsync ${folder}`] : []), 'connect']
      t.strictSame(order.slice(0, expected.length), expected)
    }
  }
})

t.test('a move that cannot be written down is not made: nothing is sent, and they wait on', async (t) => {
  for (const call of ['fsyncSync', 'writeSync'] as const) {
    const lab = makeLab(t)
    const script = await makeScript(t)
    const { desk } = openDesk(t, lab, script.port)
    const message = await hold(desk, [unknown(X), refused(Y)])
    const restore = replaceFs(t, call, () => () => {
      throw systemError('EIO', 'i/o error')
    })
    const failure = await failureOf(() => release(desk, message, [X, Y])).finally(restore)
    t.equal(failure.message, `write ${join(desk.folder.path(message.id), 'moves.jsonl')}: i/o error (EIO)`)
    t.equal(script.sockets.length, 0)
    t.strictSame(
      [...desk.hold.states(message.id)],
      [
        [X, 'held'],
        [Y, 'refused'],
      ],
    )
  }
})

t.test('bytes that are not those that were held do not go out, and nothing changes', async (t) => {
  const lab = makeLab(t)
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X)])
  const path = desk.folder.messagePath(message.id)

  appendFileSync(path, 'P.S. a new bank account\n')
  const changed = await failureOf(() => release(desk, message, [X]))
  t.equal(changed.message, `release ${path}: the bytes are not those that were held (SHA-256 differs)`)
  t.equal(changed.hint, 'restore the file from a backup, or reject the message')
  t.equal(changed.status, 1)

  rmSync(path)
  const missing = await failureOf(() => release(desk, message, [X]))
  t.equal(missing.message, `release ${path}: no such file or directory (ENOENT)`)
  t.equal(missing.status, 1)
  t.strictSame(await states(desk, message.id), [`${X} held toeh-filter`])
  t.equal(script.sockets.length, 0)
})

t.test('what the server says stays with the recipient, who waits on', async (t) => {
  const cases: [string, Answers, string, boolean][] = [
    ['RCPT 5xx', { RCPT: '550 5.1.1 no such user' }, '550 5.1.1 no such user', false],
    ['final 5xx', { '.': '552 5.3.4 too big' }, '552 5.3.4 too big', false],
    ['RCPT 4xx', { RCPT: '450 4.2.0 later' }, 'reinject at HOST: RCPT was answered 450 4.2.0 later', true],
    ['final 4xx', { '.': '451 4.3.0 no' }, 'reinject at HOST: the message was answered 451 4.3.0 no', true],
    ['the connection is lost early', { DATA: HANG_UP }, 'reinject at HOST: the connection was closed', true],
  ]
  for (const [name, answers, text, later] of cases) {
    const lab = makeLab(t)
    const script = await makeScript(t, answers)
    const { desk, db } = openDesk(t, lab, script.port)
    const message = await hold(desk, [unknown(X), refused(Y, '550 then')])
    const why = text.replace('HOST', `127.0.0.1:${script.port}`)
    t.strictSame(
      await release(desk, message, [X, Y]),
      {
        id: message.id,
        released: [],
        failed: [
          { recipient: X, why, later },
          { recipient: Y, why, later },
        ],
        lapsed: [],
      },
      name,
    )
    t.strictSame(
      await states(desk, message.id),
      [`${X} held marie ${why}`, `${Y} refused marie ${why}`],
      name,
    )
    t.strictSame(lab.held(), [message.id], name)
    t.strictSame(db.all('SELECT * FROM audit'), [], name)
  }
})

t.test('one is refused, the other goes out', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t, (to) => (to === X ? '550 5.1.1 no such user' : undefined))
  const { desk } = openDesk(t, lab, sink.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  const result = await release(desk, message, [X, Y])
  t.strictSame(result.released, [{ recipients: [Y], queueId: 'SINK00000001' }])
  t.equal(result.failed.length, 1)
  t.match(result.failed[0], { recipient: X, why: /^550 .*no such user$/ })
  t.match(await states(desk, message.id), [
    /^x@new\.test held marie 550 .*no such user$/,
    `${Y} released marie SINK00000001`,
  ])
  t.strictSame(lab.held(), [message.id])
})

t.test('nobody listens: everything waits on', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk } = openDesk(t, lab, sink.port)
  const message = await hold(desk, [unknown(X)])
  await sink.stop()
  const result = await release(desk, message, [X])
  t.match(result.failed, [{ recipient: X, why: /ECONNREFUSED/, later: true }])
  t.match(await states(desk, message.id), [/^x@new\.test held marie .*ECONNREFUSED/])
})

t.test('in doubt the claim stands, until a person says again', async (t) => {
  const lab = makeLab(t)
  const lost = await makeScript(t, {
    RCPT: (line) => (line.includes(Y) ? '550 5.1.1 no' : '250 2.1.5 Ok'),
    '.': HANG_UP,
  })
  const { desk } = openDesk(t, lab, lost.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  const why = `reinject at 127.0.0.1:${lost.port}: the connection was closed; it may have been sent all the same`
  const result = await release(desk, message, [X, Y])
  t.strictSame(result.released, [])
  t.strictSame(result.failed, [
    { recipient: X, why, later: false },
    { recipient: Y, why: '550 5.1.1 no', later: false },
  ])
  t.strictSame(await states(desk, message.id), [
    `${X} releasing marie ${why}`,
    `${Y} held marie 550 5.1.1 no`,
  ])
  t.strictSame(lab.held(), [message.id], 'the bytes stay')

  const sink = await makeSink(t)
  const since = `marie began to release it at ${localTime(NOW)}`
  const soon = openDesk(t, lab, sink.port, 'paul', NOW + RELEASE_ABANDONED_MS - 30_000).desk
  t.strictSame((await release(soon, message, [X], true)).failed, [
    { recipient: X, why: `${since}: let that end`, later: true },
  ])
  const later = openDesk(t, lab, sink.port, 'paul', NOW + RELEASE_ABANDONED_MS + 60_000).desk
  t.strictSame((await release(later, message, [X])).failed, [
    {
      recipient: X,
      why: `${since} and was cut off; it may have been sent: look in the mail log, then repeat with --again, or reject it`,
      later: false,
    },
  ])
  t.equal(sink.mails.length, 0)
  t.strictSame((await release(later, message, [X], true)).released, [
    { recipients: [X], queueId: 'SINK00000001' },
  ])
  t.match((await states(later, message.id))[0], `${X} released paul`)
})

/** Has the limit of a release come after so many milliseconds. */
function bringLimitForward(t: Test, milliseconds: number): void {
  const real = globalThis.setTimeout
  const early = (work: () => void, delay?: number): NodeJS.Timeout =>
    real(work, delay === RELEASE_ABANDONED_MS / 2 ? milliseconds : delay)
  globalThis.setTimeout = Object.assign(early, real)
  t.teardown(() => {
    globalThis.setTimeout = real
  })
}

t.test('at its limit a release hangs up: nothing of it goes on', async (t) => {
  const why = 'not done within 300 s'
  for (const point of ['RCPT', 'DATA', '.'] as const) {
    await t.test(`while the answer to ${point} is waited for`, async (t) => {
      bringLimitForward(t, 300)
      const lab = makeLab(t)
      const script = await makeScript(t, { [point]: '' })
      const { desk } = openDesk(t, lab, script.port)
      const message = await hold(desk, [unknown(X)])
      const { released, failed } = await release(desk, message, [X])
      t.strictSame(released, [])
      const at = `reinject at 127.0.0.1:${script.port}: ${why}`
      const unsure = point === '.' ? '; it may have been sent all the same' : ''
      t.strictSame(failed, [{ recipient: X, why: `${at}${unsure}`, later: point !== '.' }])
      await script.closed
      t.equal(script.lines.includes('.'), point === '.')
      t.match(await states(desk, message.id), [
        point === '.' ? /^x@new\.test releasing marie / : /^x@new\.test held marie /,
      ])
    })
  }

  await t.test('by sendmail: it is ended, and could have sent it', async (t) => {
    bringLimitForward(t, 300)
    const lab = makeLab(t)
    const { desk } = openDesk(t, lab, 1)
    const program = join(lab.dir, 'sendmail')
    writeFileSync(program, `#!/bin/sh\necho $$ > '${lab.dir}/pid'\nexec sleep 60\n`, { mode: 0o755 })
    const sending = {
      ...desk,
      config: { ...desk.config, reinject: { kind: 'sendmail', path: program } as const },
    }
    const message = await hold(sending, [unknown(X)])
    const { failed } = await release(sending, message, [X])
    t.strictSame(failed, [
      {
        recipient: X,
        why: `reinject by ${program}: ${why}; it may have been sent all the same`,
        later: false,
      },
    ])
    t.notOk(existsSync(`/proc/${readFileSync(join(lab.dir, 'pid'), 'utf8').trim()}`))
    t.match(await states(sending, message.id), [/^x@new\.test releasing marie /])
  })
})

t.test('a release that was stopped for longer than its limit sends nothing when it goes on', async (t) => {
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  const lab = makeLab(t)
  const script = await makeScript(t, {
    DATA: () => {
      // As after SIGSTOP and SIGCONT: the time has passed, and no timer has seen it.
      performance.now = () => now.call(performance) + RELEASE_ABANDONED_MS
      return '354 go on'
    },
  })
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X)])
  const { failed } = await release(desk, message, [X])
  t.match(failed, [{ recipient: X, why: /not done within 300 s$/ }])
  await script.closed
  t.notOk(script.lines.includes('.'))
  t.match(await states(desk, message.id), [/^x@new\.test held marie /])
})

t.test('a server that is slow to answer the end is waited for', async (t) => {
  const lab = makeLab(t)
  const real = globalThis.setTimeout
  const early = (work: () => void, delay?: number): NodeJS.Timeout =>
    real(work, delay === 60_000 ? 200 : delay)
  globalThis.setTimeout = Object.assign(early, real)
  t.teardown(() => {
    globalThis.setTimeout = real
  })
  const script = await makeScript(t, {
    '.': () => new Promise((answer) => real(() => answer('250 2.0.0 Ok: queued as SLOW00000001'), 600)),
  })
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X)])
  t.strictSame((await release(desk, message, [X])).released, [{ recipients: [X], queueId: 'SLOW00000001' }])
})

t.test('two who release at once send once', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const marie = openDesk(t, lab, sink.port, 'marie').desk
  const paul = openDesk(t, lab, sink.port, 'paul').desk
  const message = await hold(marie, [unknown(X), unknown(Y)])
  const results = await Promise.all([release(marie, message, [X, Y]), release(paul, message, [X, Y])])
  t.equal(sink.mails.length, 1)
  t.strictSame(sink.mails[0]?.recipients, [X, Y])
  t.equal(results.flatMap(({ released }) => released).length, 1)
  const failed = results.flatMap(({ failed }) => failed)
  t.strictSame(
    failed.map(({ recipient }) => recipient),
    [X, Y],
  )
  for (const { why } of failed)
    t.match(why, /began to release it at .*: let that end$|^it is released already$/)
  t.strictSame(lab.held(), [])
})

t.test('what somebody else has settled meanwhile is not sent', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk } = openDesk(t, lab, sink.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  desk.hold.settle(message.id, [X], 'rejected', { who: 'paul', at: NOW })
  const result = await release(desk, message, [X])
  t.strictSame(result.failed, [{ recipient: X, why: 'it is rejected already', later: false }])
  t.equal(sink.mails.length, 0)
})

t.test('what went with its bytes meanwhile is told as settled, not as a missing file', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk } = openDesk(t, lab, sink.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  desk.hold.settle(message.id, [X, Y], 'rejected', { who: 'paul', at: NOW })
  desk.hold.removeSettled(message.id)
  const result = await release(desk, message, [X, Y])
  t.strictSame(result.failed, [
    { recipient: X, why: 'it is rejected already', later: false },
    { recipient: Y, why: 'it is rejected already', later: false },
  ])
  t.equal(sink.mails.length, 0)
})

t.test('an address no SMTP command can carry is not claimed', async (t) => {
  const lab = makeLab(t)
  const sink = await makeSink(t)
  const { desk } = openDesk(t, lab, sink.port)
  const bad = 'a>\r\nRCPT TO:<evil@evil.test'
  const message = await hold(desk, [unknown(bad), unknown(X)])
  const why = 'it cannot be written into an SMTP command as it is'
  const result = await release(desk, message, [bad, X])
  t.strictSame(result.failed, [{ recipient: bad, why, later: false }])
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients),
    [[X]],
  )
  t.equal(desk.hold.states(message.id).get(bad), 'held')

  const forged = await hold(desk, [unknown(X)], { sender: 'a\u{fffd}@corp.test' })
  t.strictSame((await release(desk, forged, [X])).failed, [{ recipient: X, why, later: false }])
  t.equal(sink.mails.length, 1)
})

t.test('more than 1000 recipients go in several transactions', async (t) => {
  const lab = makeLab(t)
  let ends = 0
  const script = await makeScript(t, {
    '.': () => (ends++ === 1 ? '451 4.3.0 later' : `250 2.0.0 Ok: queued as QUEUE${ends}`),
  })
  const { desk } = openDesk(t, lab, script.port)
  const many = Array.from({ length: 2001 }, (_, i) => `r${String(i).padStart(4, '0')}@new.test`)
  const message = await hold(desk, many.map(unknown))
  const result = await release(desk, message, many)
  t.strictSame(result.released, [
    { recipients: many.slice(0, 1000), queueId: 'QUEUE1' },
    { recipients: many.slice(2000), queueId: 'QUEUE3' },
  ])
  t.strictSame(
    result.failed.map(({ recipient }) => recipient),
    many.slice(1000, 2000),
  )
  const counts = new Map<string, number>()
  for (const state of desk.hold.states(message.id).values()) {
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  t.strictSame(
    counts,
    new Map([
      ['released', 1001],
      ['held', 1000],
    ]),
  )
  t.equal(script.lines.filter((line) => line.startsWith('RCPT')).length, 2001, 'each is named once')
  t.strictSame(lab.held(), [message.id])
})

t.test('chooseRecipients: those who wait, or those asked for if they do', async (t) => {
  const lab = makeLab(t)
  const { desk } = openDesk(t, lab, 1)
  const { id } = await hold(desk, [unknown(X), refused(Y), unknown('z@new.test'), unknown('gone@new.test')])
  desk.hold.settle(id, ['gone@new.test'], 'expired', desk.actor)
  desk.hold.claim(id, ['z@new.test'], false, desk.actor)
  const message = desk.hold.find(id)
  t.strictSame(chooseRecipients(message, undefined), [X, Y, 'z@new.test'])
  t.strictSame(chooseRecipients(message, [Y, X, Y]), [Y, X])
  const gone = await failureOf(() => chooseRecipients(message, [X, 'gone@new.test']))
  t.equal(gone.message, `hold ${id}: gone@new.test is expired already`)
  t.equal(gone.status, 1)
  t.strictSame(chooseRecipients(message, ['X@New.test']), [X], 'case is folded, as rules do it')
  const never = await failureOf(() => chooseRecipients(message, ['w@new.test']))
  t.equal(never.message, `hold ${id}: w@new.test is not a recipient of it`)
  t.equal(never.status, 66)
  desk.hold.settleReleased(id, ['z@new.test'], 'Q1', desk.actor)
  desk.hold.settle(id, [X, Y], 'rejected', desk.actor)
  const none = await failureOf(async () => chooseRecipients(desk.hold.find(id), undefined))
  t.equal(none.line, `hold ${id}: nobody waits in it any more; toeh show ${id}`)
})

t.test('a claim bears the time at which it was made, however long those before it took', async (t) => {
  const lab = makeLab(t)
  const real = performance.now
  let clock = 0
  performance.now = () => {
    clock += 1000
    return clock
  }
  t.teardown(() => {
    performance.now = real
  })
  const script = await makeScript(t, { '.': HANG_UP })
  const { desk } = openDesk(t, lab, script.port)
  const many = Array.from({ length: 1001 }, (_, i) => `r${String(i).padStart(4, '0')}@new.test`)
  const message = await hold(desk, many.map(unknown))
  const { failed } = await release(desk, message, many)
  t.strictSame(
    failed.map(({ recipient }) => recipient),
    many,
  )
  const times = desk.hold.find(message.id).recipients.map(({ changedAt }) => changedAt)
  t.strictSame(new Set(times.slice(0, 1000)), new Set([NOW + 1000]))
  t.ok((times[1000] ?? 0) > NOW + 1000, `${times[1000]}`)
})

t.test('nothing of it keeps the process alive', async (t) => {
  const lab = makeLab(t)
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const answers: Answers[] = [{}, { DATA: HANG_UP }, { '.': HANG_UP }, { RCPT: '550 5.1.1 no' }]
  for (const [index, given] of answers.entries()) {
    const script = await makeScript(t, given)
    const { desk } = openDesk(t, lab, script.port)
    const message = await hold(desk, [unknown(X)], { queueId: `ALIVE00${index}` })
    const before = timers()
    await release(desk, message, [X])
    await script.closed
    t.equal(timers(), before, JSON.stringify(given))
  }
})

t.test('what it did, in lines', async (t) => {
  t.strictSame(
    describeReleased({
      id: 'ID',
      released: [
        { recipients: [X, Y], queueId: 'Q1' },
        { recipients: ['z@new.test'], queueId: '' },
      ],
      failed: [{ recipient: 'w@new.test', why: 'later', later: true }],
      lapsed: [],
    }),
    [
      `ID released to ${X} as Q1`,
      `ID released to ${Y} as Q1`,
      'ID released to z@new.test',
      'ID NOT released to w@new.test: later',
    ],
  )
})

t.test('chooseMessages: each id once, and all of them before anything is done', async (t) => {
  const lab = makeLab(t)
  const { desk } = openDesk(t, lab, 1)
  const one = await hold(desk, [unknown(X), unknown(Y)], { queueId: 'ONE00001' })
  const two = await hold(desk, [unknown(X)], { queueId: 'TWO00002' })
  const choices = await chooseMessages(desk, [two.id, one.id, two.id.toUpperCase()], [X])
  t.strictSame(
    choices.map(({ message, chosen }) => [message.id, ...chosen]),
    [
      [two.id, X],
      [one.id, X],
    ],
  )
  const failure = await failureOf(() => chooseMessages(desk, [one.id, two.id], [Y]))
  t.equal(failure.message, `hold ${two.id}: ${Y} is not a recipient of it`)
})

t.test('tryRelease: a failure is told beside the rest', async (t) => {
  const lab = makeLab(t)
  const { desk } = openDesk(t, lab, 1)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  const path = desk.folder.messagePath(message.id)
  rmSync(path)
  const why = `release ${path}: no such file or directory (ENOENT)`
  t.strictSame(await tryRelease(desk, message, [X, Y]), {
    id: message.id,
    released: [],
    failed: [
      { recipient: X, why, later: false },
      { recipient: Y, why, later: false },
    ],
    lapsed: [],
  })
})

t.test('sent, but it cannot be written down: it is said so, and the claim stands', async (t) => {
  for (const [reply, as] of [
    ['250 2.0.0 Ok: queued as OUT00000001', 'OUT00000001'],
    ['250 2.0.0 Ok', 'one without an id'],
  ] as const) {
    const lab = makeLab(t)
    const script = await makeScript(t, { '.': reply })
    const { desk, db } = openDesk(t, lab, script.port)
    const message = await hold(desk, [unknown(X), unknown(Y)])
    class Failing extends Hold {
      override settleReleased(): void {
        throw new Error('the disk is full')
      }
    }
    const result = await release({ ...desk, hold: new Failing(db, desk.folder) }, message, [X, Y])
    const why = `it was sent as ${as}, but that could not be written down: the disk is full`
    t.strictSame(result, {
      id: message.id,
      released: [],
      failed: [
        { recipient: X, why, later: false },
        { recipient: Y, why, later: false },
      ],
      lapsed: [],
    })
    t.strictSame([...desk.hold.states(message.id).values()], ['releasing', 'releasing'])
    t.ok(desk.folder.has(message.id))
  }
})

t.test('nobody is connected to for those who cannot be claimed', async (t) => {
  const lab = makeLab(t)
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  desk.hold.settle(message.id, [X], 'rejected', { who: 'paul', at: NOW })
  const { failed } = await release(desk, message, [X, 'stranger@new.test'])
  t.strictSame(failed, [
    { recipient: X, why: 'it is rejected already', later: false },
    { recipient: 'stranger@new.test', why: 'it is gone already', later: false },
  ])
  t.strictSame((await release(desk, message, [])).failed, [])
  t.equal(script.sockets.length, 0)
})

t.test('missing bytes are told as long as one waits for them', async (t) => {
  const lab = makeLab(t)
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  desk.hold.settle(message.id, [X], 'rejected', { who: 'paul', at: NOW })
  rmSync(desk.folder.messagePath(message.id))
  for (const asked of [[X], [Y], [X, Y]])
    t.match((await failureOf(() => release(desk, message, asked))).message, /no such file or directory/)
})

t.test('without being told to, nobody takes over a release that was cut off', async (t) => {
  const lab = makeLab(t)
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X)])
  desk.hold.claim(message.id, [X], false, { who: 'paul', at: NOW - 2 * RELEASE_ABANDONED_MS })
  for (const way of [release, tryRelease])
    t.match((await way(desk, message, [X])).failed, [
      { recipient: X, why: /was cut off; it may have been sent/ },
    ])
  t.equal(script.sockets.length, 0)
  t.equal((await tryRelease(desk, message, [X], true)).released.length, 1)
})

t.test('a claim may be taken over from the very moment on in which it is abandoned', async (t) => {
  const lab = makeLab(t)
  const real = performance.now
  // Of a process that has lived for days: only what has passed counts.
  performance.now = () => 1e9
  t.teardown(() => {
    performance.now = real
  })
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X)])
  const claimedAt = (at: number): void => lab.change('UPDATE recipient SET changed_at = ?', at)
  desk.hold.claim(message.id, [X], false, { who: 'paul', at: NOW })
  claimedAt(NOW - RELEASE_ABANDONED_MS + 1)
  t.match((await release(desk, message, [X], true)).failed, [{ why: /: let that end$/ }])
  claimedAt(NOW - RELEASE_ABANDONED_MS)
  t.match((await release(desk, message, [X])).failed, [{ why: /was cut off/ }])
  t.equal((await release(desk, message, [X], true)).released.length, 1)
})

t.test('one who cannot be claimed keeps nobody else, and is told alone', async (t) => {
  const lab = makeLab(t)
  const script = await makeScript(t)
  const { desk } = openDesk(t, lab, script.port)
  const message = await hold(desk, [unknown(X), unknown(Y)])
  desk.hold.settle(message.id, [X], 'rejected', { who: 'paul', at: NOW })
  const { released, failed } = await release(desk, message, [X, Y])
  t.strictSame(failed, [{ recipient: X, why: 'it is rejected already', later: false }])
  t.strictSame(released, [{ recipients: [Y], queueId: '4bQ8Yk2hJnz1' }])
})
