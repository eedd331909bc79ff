/** toeh why agrees with the filter: the same verdict, reason and rule for thousands of generated pairs. */
import fc from 'fast-check'
import t from 'tap'
import why from '../../lib/commands/why.js'
import { loadConfig } from '../../lib/config.js'
import { runGate } from '../../lib/gate/gate.js'
import type { Decision } from '../../lib/logs/decisionlog.js'
import { decide, type Rule, type RuleDraft } from '../../lib/rules/decide.js'
import { CLIENT, pieces } from '../support/held.js'
import { Lab, MESSAGE, makeFolder } from '../support/lab.js'
import {
  LOGINS,
  makeFacts,
  smallLogin,
  smallRecipient,
  smallSender,
  type World,
  world,
} from '../support/landscape.js'
import { assertSame, holds } from '../support/property.js'
import { makeScript } from '../support/script.js'

// A run of the filter leaves its files open and its spool to the end of the process, which here has many.
process.setMaxListeners(0)

/** What became of a rule since it was added. */
type Fate = 'stands' | 'revoked' | 'ended' | 'ends later'

const NOW = Date.now()
const DAY = 86_400_000
const ENDS: Record<Fate, number | null> = {
  stands: null,
  revoked: null,
  ended: NOW - DAY,
  'ends later': NOW + DAY,
}

interface Told {
  rule: Rule
  fate: Fate
}

/** Rules as people bring them in: an allow before the block that would refuse it, some of them gone again. */
async function fill(lab: Lab, rules: readonly Told[]): Promise<void> {
  const { db, landscape } = lab.stores()
  const drafts = (effect: Rule['effect']): RuleDraft[] =>
    rules
      .filter(({ rule }) => rule.effect === effect)
      .map(({ rule, fate }) => ({ ...rule, endsAt: ENDS[fate] }))
  landscape.add([...drafts('allow'), ...drafts('block')], { who: 'test', at: NOW - 2 * DAY })
  const revoked = rules.filter(({ fate }) => fate === 'revoked').map(({ rule }) => rule)
  for (const scope of new Set(revoked.map((rule) => rule.scope))) {
    const values = revoked.filter((rule) => rule.scope === scope).map(({ value }) => value)
    landscape.revoke(values, scope, { who: 'test', at: NOW - DAY })
  }
  db.close()
}

/** The rules that count now; who revokes a value ends its allow and its block. */
function live(rules: readonly Told[]): Rule[] {
  const gone = new Set(
    rules.filter(({ fate }) => fate === 'revoked').map(({ rule }) => `${rule.value} ${rule.scope}`),
  )
  return rules
    .filter(({ rule, fate }) => fate !== 'ended' && !gone.has(`${rule.value} ${rule.scope}`))
    .map(({ rule }) => rule)
}

function settings({ groups, senders, delimiters = 'unknown' }: World, port: number): string {
  const domains = senders.filter((sender) => sender.startsWith('@')).map((sender) => sender.slice(1))
  const logins = [...LOGINS].map(([login, address]) => `${login} = ${JSON.stringify(address)}`)
  const lines = groups.map(([name, members]) => `${name} = ${JSON.stringify(members)}`)
  return [
    `reinject = "smtp:127.0.0.1:${port}"`,
    `recipient_delimiter = ${JSON.stringify(delimiters)}`,
    `approvers = ${JSON.stringify([...LOGINS.values()])}`,
    `sender_domains = ${JSON.stringify(domains)}`,
    `senders = ${JSON.stringify(senders.filter((sender) => !sender.startsWith('@')))}`,
    '[notice]',
    'enabled = false',
    '[moderate]',
    `logins = { ${logins.join(', ')} }`,
    '[groups]',
    ...lines,
    '',
  ].join('\n')
}

/** One run of the gate within this process; what it wrote into the decision log. */
async function gate(
  lab: Lab,
  sender: string,
  saslUser: string,
  recipients: string[],
  run: number,
): Promise<Decision['recipients']> {
  const queueId = `WHY${String(run).padStart(6, '0')}`
  let settled = ''
  await runGate({
    config: loadConfig(lab.config),
    envelope: { sender, recipients, queueId, recordBytes: undefined, client: { ...CLIENT, saslUser } },
    input: pieces(MESSAGE),
    now: NOW,
    writerAlive: async () => true,
    isAwaited: () => true,
    answerDue: () => {},
    settled: (verdict) => {
      settled = verdict
    },
  })
  assertSame(settled.startsWith('toeh: '), true, settled)
  return lab.decisions().find((decision) => decision.queueId === queueId)?.recipients ?? []
}

interface Answer {
  pass: boolean
  reason: string
  rule?: Rule
  fault?: string
}

/** The command itself, within this process: it prints one JSON value and nothing else. */
async function ask(lab: Lab, sender: string, login: string, recipient: string): Promise<Answer> {
  const { write } = process.stdout
  let printed = ''
  process.stdout.write = (text: string | Uint8Array): boolean => {
    // The test runner's own lines go by the same way, whenever they are ready.
    if (!text.toString().startsWith('{')) return write.call(process.stdout, text)
    printed += text.toString()
    return true
  }
  try {
    await why.handler({ config: lab.config, json: true, sender, login, recipient, _: ['why'], $0: 'toeh' })
  } finally {
    process.stdout.write = write
  }
  return JSON.parse(printed) as Answer
}

function asLogged(to: string, { pass, reason, rule }: Answer): unknown {
  return [to, pass ? 'pass' : 'hold', reason, rule?.id ?? null]
}

/** Whether a shell can give it to the program and the program take it for no option. */
function fitsArgv(text: string): boolean {
  return !/^-|\0/.test(text) && Buffer.from(text).toString() === text
}

t.test('the filter, the command and the naive landscape say the same', async (t) => {
  const script = await makeScript(t)
  const counts = { worlds: 0, pairs: 0, processes: 0, byGroup: 0, bySender: 0, byDomain: 0, byEnd: 0 }
  const fates = fc.array(
    fc.constantFrom<Fate>('stands', 'stands', 'stands', 'revoked', 'ended', 'ends later'),
    {
      minLength: 60,
      maxLength: 60,
    },
  )
  const sender = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('anna@corp.test', 'anna@corp.test', 'otto@corp.test') },
    smallSender,
  )
  const recipients = fc.uniqueArray(
    smallRecipient.filter((text) => text !== ''),
    { minLength: 15, maxLength: 30, size: 'max' },
  )
  // Few random recipients meet a rule with a scope of their sender's: some are aimed at rules.
  const aims = fc.array(fc.nat(), { minLength: 10, maxLength: 30, size: 'max' })
  const runs = fc.array(fc.record({ sender, login: smallLogin, recipients, aims }), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  })
  const agree = fc.asyncProperty(world, fates, runs, async (world, fates, aimed) => {
    counts.worlds++
    const rules = world.rules.map((rule, index) => ({ rule, fate: fates[index] ?? 'stands' }))
    const runs = aimed.map(({ sender, login, recipients, aims }) => {
      const targets = aims.flatMap((aim) => world.rules[aim % world.rules.length] ?? [])
      const at = targets.map(({ value }) => (value.includes('@') ? value : `x@${value}`))
      return { sender, login, recipients: [...new Set([...recipients, ...at])] }
    })
    const lab = new Lab(makeFolder(t), '')
    lab.configure(settings(world, script.port), world.internal)
    await fill(lab, rules)
    const facts = makeFacts({ ...world, rules: live(rules) })
    // Once a world, the program as a person starts it; it runs beside the rest.
    const [sampled] = runs.flatMap(({ sender, login, recipients }) => {
      const recipient = recipients.find(fitsArgv)
      return recipient === undefined || !fitsArgv(sender) ? [] : [{ sender, login, recipient }]
    })
    const program =
      sampled &&
      lab.toeh('why', '--json', `--sender=${sampled.sender}`, `--login=${sampled.login}`, sampled.recipient)
    for (const [index, { sender, login, recipients }] of runs.entries()) {
      script.raw = Buffer.alloc(0)
      const logged = await gate(lab, sender, login, recipients, index)
      const naive = decide({ sender, login, recipients }, facts)
      const timeless = decide({ sender, login, recipients }, makeFacts(world))
      assertSame(
        logged.map(({ to, verdict, reason }) => [to, verdict, reason]),
        naive.map(({ recipient, pass, reason }) => [recipient, pass ? 'pass' : 'hold', reason]),
        'the filter and the rules that count',
      )
      const heard = script.raw
        .toString('latin1')
        .split('\r\n')
        .filter((line) => line.startsWith('RCPT'))
      const passing = naive.filter(({ pass }) => pass).map(({ recipient }) => `RCPT TO:<${recipient}>`)
      assertSame(
        heard,
        passing.map((line) => Buffer.from(line).toString('latin1')),
        'sent',
      )
      for (const { to, verdict, reason, rule } of logged) {
        counts.pairs++
        const answer = await ask(lab, sender, login, to)
        assertSame(asLogged(to, answer), [to, verdict, reason, rule], `why, from <${sender}>`)
        const scope = answer.rule?.scope ?? ''
        if (scope.startsWith('@')) counts.byDomain++
        else if (scope.includes('@')) counts.bySender++
        else if (scope !== '') counts.byGroup++
        if (timeless.find(({ recipient }) => recipient === to)?.reason !== reason) counts.byEnd++
        assertSame(answer.fault, naive.find(({ recipient }) => recipient === to)?.fault, 'fault')
      }
    }
    if (sampled === undefined || program === undefined) return
    counts.processes++
    const { code, stdout, stderr } = await program
    assertSame({ code, stderr }, { code: 0, stderr: '' }, 'toeh why')
    assertSame(
      JSON.parse(stdout),
      await ask(lab, sampled.sender, sampled.login, sampled.recipient),
      'the program',
    )
  })
  await holds(t, 'worlds', 40, agree)
  t.comment(
    `${counts.worlds} worlds, ${counts.pairs} pairs, ${counts.processes} of them by the program itself`,
  )
  t.ok(counts.pairs > 15 * counts.worlds && counts.processes > counts.worlds / 2, 'enough of both')
  // A slow machine sees few worlds, and may miss one of these.
  const { bySender, byGroup, byDomain, byEnd } = counts
  for (const [what, count] of Object.entries({ bySender, byGroup, byDomain, byEnd }))
    t.ok(counts.pairs < 1000 || count > 5, `${what}: ${count} of ${counts.pairs}`)
})
