/** toeh learn: what it proposes, what it writes with --apply and only then, and what it says of bad input. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { hasJournal, writeJournal } from '../support/journal.js'
import {
  assertDone,
  assertRefused,
  type Lab,
  makeLab,
  NODE,
  outcomeOf,
  PIPE_ENV,
  startToeh,
  startWith,
  TOEH,
} from '../support/lab.js'
import { mailLog } from '../support/maillog.js'

const LOG = [
  mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@firm.test', 'eve@firm.test'] }),
  mailLog({ id: '4bQ8Yk2hJnz2', to: ['bob@firm.test'], sender: 'carl@corp.test', at: '2026-11-14T05:06:07' }),
  mailLog({ id: '4bQ8Yk2hJnz3', to: ['ann@gmail.com', 'joe@gmail.com'] }),
  mailLog({ id: '4bQ8Yk2hJnz4', to: ['one@single.test'] }),
  mailLog({
    id: '4bQ8Yk2hJnz5',
    to: ['never@bounced.test'],
    outcome: 'relay=none, delay=1, dsn=5.4.4, status=bounced (no)',
  }),
  mailLog({ id: '4bQ8Yk2hJnz6', to: ['x@foreign.test'], sender: 'spam@foreign.test' }),
  mailLog({ id: '4bQ8Yk2hJnz7', to: ['carl@corp.test'] }),
  'rubbish\n',
].join('')

function write(lab: Lab, name: string, content: string | Buffer): string {
  const path = join(lab.dir, name)
  writeFileSync(path, content)
  return path
}

function rules(lab: Lab): string[] {
  return lab
    .query<{ value: string; source: string }>('SELECT value, source FROM rule ORDER BY value')
    .map(({ value, source }) => `${value} ${source}`)
}

t.test('looks, and writes nothing', async (t) => {
  const lab = makeLab(t)
  const path = write(lab, 'mail.log', LOG)
  const before = lab.snapshot()
  const outcome = await lab.toeh('learn', 'log', path)
  assertDone(t, outcome, /^candidate +messages days senders first +last\n/)
  t.match(outcome.stdout, /\nfirm\.test +2 +2 +2 2026-11-04 2026-11-14\n {4}2 addresses\n/)
  t.match(outcome.stdout, /\nann@gmail\.com +1 +1 +1 2026-11-04 2026-11-04\n/)
  t.match(outcome.stdout, /\none@single\.test .*\n {4}! only anna@corp\.test writes there\n/)
  t.match(outcome.stdout, '\n24 lines, 1 broken, 6 deliveries, 2026-11-04 to 2026-11-14\n')
  t.match(outcome.stdout, '\nnot proposed: gmail.com: it is a freemail domain')
  t.match(outcome.stdout, /\n4 candidates; --apply makes them rules, nothing was written\n$/)
  t.notMatch(outcome.stdout, /bounced|foreign|carl@/)
  for (const line of outcome.stdout.split('\n'))
    t.ok(line.length <= 80 || line.startsWith('not proposed'), line)
  t.strictSame(lab.snapshot(), before)
})

t.test('--apply adds each with its source; read twice it adds nothing', async (t) => {
  const lab = makeLab(t)
  const path = write(lab, 'mail.log.1', LOG)
  assertDone(t, await lab.toeh('learn', 'log', path, '--apply'), /\n4 rules added\n$/)
  t.strictSame(rules(lab), [
    'ann@gmail.com learn log mail.log.1 (1 message, 2026-11-04 to 2026-11-04)',
    'firm.test learn log mail.log.1 (2 messages, 2026-11-04 to 2026-11-14)',
    'joe@gmail.com learn log mail.log.1 (1 message, 2026-11-04 to 2026-11-04)',
    'one@single.test learn log mail.log.1 (1 message, 2026-11-04 to 2026-11-04)',
  ])
  const again = await lab.toeh('learn', 'log', path, '--apply')
  assertDone(t, again, '5 addresses already known\n0 rules added\n')
  t.equal(rules(lab).length, 4)
  assertDone(t, await lab.toeh('learn', 'log', path), /\nnothing to propose\n$/)
})

t.test('a set in any order, gzip, twice the same, standard input', async (t) => {
  const lab = makeLab(t)
  // What begins in the older file ends in the newer one.
  const [from = '', to = '', removed = ''] = mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@firm.test'] }).split(
    /(?<=\n)/,
  )
  const old = write(lab, 'mail.log.1.gz', gzipSync(from))
  const young = write(lab, 'mail.log', to + removed)
  const { stdout } = await lab.toeh('learn', 'log', young, old, young, '--json')
  t.match(JSON.parse(stdout), {
    summary: { lines: 5, broken: 0, deliveries: 1, unjoined: 0, first: '2026-11-04', last: '2026-11-04' },
    candidates: [{ value: 'bob@firm.test', kind: 'address', messages: 1, days: 1, senders: 1 }],
    refused: [],
    applied: false,
    added: 0,
  })
  assertDone(t, await lab.toeh('learn', 'log', young), /1 delivery not counted: the log begins too late\n/)
  const piped = startToeh(lab.config, ['learn', 'log', '-'], ['/bin/sh', '-c', `cat ${old} | "$@"`, 'sh'])
  assertDone(t, await outcomeOf(piped), /^1 line, 0 broken, 0 deliveries\n/)
})

t.test('limits', async (t) => {
  const lab = makeLab(t)
  const path = write(lab, 'mail.log', LOG)
  const candidates = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await lab.toeh('learn', 'log', path, '--json', ...args)
    return JSON.parse(stdout).candidates.map(({ value }: { value: string }) => value)
  }
  t.strictSame(await candidates('--min-messages', '2'), ['firm.test'])
  t.strictSame(await candidates('--min-days', '2'), ['firm.test'])
  t.strictSame(await candidates('--min-messages', '3'), [])
  t.strictSame(await candidates('--since', '2026-11-05'), ['bob@firm.test'])
  t.match(
    (await lab.toeh('learn', 'log', path, '--min-days', '2')).stdout,
    '3 candidates below 1 message or 2 days\n',
  )
})

t.test('what is blocked, or a public suffix, is told', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('block', 'firm.test', 'one@single.test')
  const shared = mailLog({ id: '4bQ8Yk2hJnz8', to: ['a@github.io', 'b@github.io'] })
  const path = write(lab, 'mail.log', LOG + shared)
  const outcome = await lab.toeh('learn', 'log', path, '--apply')
  assertDone(t, outcome, /\nnot proposed: bob@firm\.test: rule 1 of \S+ blocks it\n/)
  t.match(outcome.stdout, /\nnot proposed: one@single\.test: rule 2 of \S+ blocks it\n/)
  t.match(outcome.stdout, '\nnot proposed: github.io: it is a public suffix')
  t.match(outcome.stdout, /\n4 rules added\n$/)
  t.strictSame(
    rules(lab).map((rule) => rule.split(' ')[0]),
    ['a@github.io', 'ann@gmail.com', 'b@github.io', 'firm.test', 'joe@gmail.com', 'one@single.test'],
  )
  assertDone(t, await lab.toeh('why', 'bob@firm.test'), 'hold: blocked')
})

t.test('a stranger near a known domain is pointed out', async (t) => {
  const lab = makeLab(t)
  await lab.allow('supplier.test')
  const path = write(lab, 'mail.log', mailLog({ id: '4bQ8Yk2hJnz1', to: ['a@supp1ier.test'] }))
  assertDone(t, await lab.toeh('learn', 'log', path), '    ! looks like supplier.test\n')
})

t.test('the journal', async (t) => {
  const lab = makeLab(t)
  const journal = (script: string) => {
    const path = write(lab, 'journalctl', `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    const env = { ...PIPE_ENV, PATH: `${lab.dir}:/usr/bin:/bin`, TOEH_CONFIG: lab.config }
    return (...args: string[]) =>
      outcomeOf(startWith(env, [NODE, TOEH, 'learn', 'log', '--journal', ...args]))
  }
  const log = write(lab, 'log', LOG.replaceAll('+01:00', '+0100'))
  const learn = journal(`echo "-- Boot x --"; echo "$@" >${lab.dir}/args; cat ${log}`)
  assertDone(t, await learn('--since', '2026-11-10'), /\nbob@firm\.test/)
  const { stdout } = await outcomeOf(startWith(PIPE_ENV, ['cat', join(lab.dir, 'args')]))
  t.match(stdout, '--output=short-iso --quiet --no-pager --since=2026-11-03 SYSLOG_FACILITY=2\n')
  assertDone(t, await learn('--apply'), /\n4 rules added\n$/)
  t.match(rules(lab)[1], 'firm.test learn log journal (2 messages, 2026-11-04 to 2026-11-14)')
  assertRefused(
    t,
    await journal('echo "No journal files were found." >&2; exit 1')(),
    1,
    /journal: No journal files were found\.; nothing was changed/,
  )
  const without = { ...PIPE_ENV, PATH: lab.dir, TOEH_CONFIG: lab.config }
  rmSync(join(lab.dir, 'journalctl'))
  assertRefused(
    t,
    await outcomeOf(startWith(without, [NODE, TOEH, 'learn', 'log', '--journal'])),
    66,
    /journal: there is no journalctl on this machine; give the log files instead/,
  )
})

const AT = Date.UTC(2026, 10, 4, 5, 6, 7)

t.test('a real journal', { skip: hasJournal() ? false : 'no systemd-journal-remote here' }, async (t) => {
  const lab = makeLab(t)
  const path = join(lab.dir, 'mx.journal')
  // As a line of a log file, `postfix/smtp[12]: …`, taken apart again.
  const lines = LOG.split('\n').flatMap((line, index) => {
    const [, tag = '', text = ''] = /^\S+ mx ([^[]+)\[12\]: (.*)$/.exec(line) ?? []
    return tag === '' ? [] : [{ at: AT + index * 1000, tag, text }]
  })
  const other = { at: AT + 99_000, tag: 'postfix/smtp', text: 'x: to=<a@elsewhere.test>', facility: 3 }
  const byHand = { unit: 'session-1.scope' }
  const beside = { at: AT + 98_000, tag: 'dovecot', text: 'imap(anna): Logged out', unit: 'dovecot.service' }
  writeJournal(path, [...lines.map((line, i) => (i < 4 ? line : { ...line, ...byHand })), beside, other])
  for (const place of [path, lab.dir]) {
    const outcome = await lab.toeh('learn', 'log', `--journal=${place}`)
    assertDone(t, outcome, /\nfirm\.test +2 +1 +2 2026-11-04 2026-11-04\n/)
    t.match(outcome.stdout, '\n24 lines, 0 broken, 6 deliveries, 2026-11-04 to 2026-11-04\n')
  }
  assertDone(t, await lab.toeh('learn', 'log', '--journal', path, '--apply'), /\n4 rules added\n$/)
  assertDone(t, await lab.toeh('replay', `--journal=${path}`, '--since', '2026-11-04'), '24 lines, 0 broken')
  assertRefused(
    t,
    await lab.toeh('replay', `--journal=${path}`, '--since', '2026-12-04'),
    65,
    /there is nothing in it/,
  )
  assertRefused(
    t,
    await lab.toeh('learn', 'log', `--journal=${path}.gone`),
    66,
    /journal \S+gone: no such file or directory \(ENOENT\)/,
  )
})

/** Every rule with its messages by period. */
function used(lab: Lab): string[] {
  return lab
    .query<{ value: string; period: string; messages: number }>(
      'SELECT value, period, messages FROM rule_use JOIN rule ON id = rule ORDER BY value, period',
    )
    .map(({ value, period, messages }) => `${value} ${period} ${messages}`)
}

t.test(
  '--apply gives new rules their history, and notes the uses of others; twice it adds nothing',
  async (t) => {
    const lab = makeLab(t, '[groups]\nteam = ["anna@corp.test"]\n')
    await lab.toeh('allow', 'one@single.test')
    await lab.toeh('allow', 'bounced.test')
    await lab.toeh('allow', 'x@scoped.test', '--for', 'carl@corp.test')
    const scoped = ['anna@corp.test', 'carl@corp.test'].map((sender, index) =>
      mailLog({ id: `4bQ8Yk2hJnx${index}`, to: ['x@scoped.test'], sender }),
    )
    const path = write(lab, 'mail.log', LOG + scoped.join(''))
    await lab.toeh('learn', 'log', path)
    t.strictSame(used(lab), [], 'not without --apply')
    // Days, or their month once they are old. What one sender's rule passes is proposed for everyone as well.
    await lab.toeh('learn', 'log', path, '--apply')
    const periods = used(lab).map((line) => line.replace(/-\d\d /, ' '))
    t.strictSame(
      periods,
      [
        'ann@gmail.com 2026-11 1',
        'firm.test 2026-11 1',
        'firm.test 2026-11 1',
        'joe@gmail.com 2026-11 1',
        'one@single.test 2026-11 1',
        'x@scoped.test 2026-11 1',
        'x@scoped.test 2026-11 2',
      ].sort(),
    )
    const once = used(lab)
    await lab.toeh('learn', 'log', path, path, '--apply')
    t.strictSame(used(lab), once)
    const more = mailLog({ id: '4bQ8Yk2hJnz9', to: ['eve@firm.test', 'zoe@firm.test'] })
    await lab.toeh('learn', 'log', write(lab, 'more.log', LOG + more), '--apply')
    t.match(
      JSON.parse((await lab.toeh('known', 'firm.test', '--json')).stdout),
      [{ value: 'firm.test', uses: { messages: 3, since: /^2026-11/, last: /^2026-11/ } }],
      'one message more, to two people',
    )
    assertDone(t, await lab.toeh('why', 'bob@firm.test'), /\nused: 3 messages/)
  },
)

t.test('observed: from the decision log', async (t) => {
  const lab = makeLab(t, 'mode = "observe"\nreinject = "smtp:127.0.0.1:1"')
  const decision = (at: string, queueId: string, ...recipients: object[]) =>
    `${JSON.stringify({ at, mode: 'observe', queueId, sender: 'anna@corp.test', recipients })}\n`
  const passed = (to: string, reason = 'unknown') => ({
    to,
    verdict: 'hold',
    reason,
    rule: null,
    did: 'passed',
  })
  const [first, second] = ['2026-11-04T05:06:07.000Z', '2026-11-14T05:06:07.000Z']
  writeFileSync(
    join(lab.state, 'decisions/2026-11-04.jsonl'),
    decision(first, '4bQ8Yk2hJnz1', passed('bob@firm.test'), passed('x%y@firm.test', 'malformed')),
  )
  writeFileSync(
    join(lab.state, 'decisions/2026-11-14.jsonl'),
    `${decision(second, '4bQ8Yk2hJnz2', passed('eve@firm.test'))}{"at":\n`,
  )
  const look = await lab.toeh('learn', 'observed')
  assertDone(t, look, /\nfirm\.test +2 +2 +1 2026-11-04 2026-11-14\n/)
  t.match(look.stdout, '3 lines, 1 broken, 2 deliveries')
  assertDone(t, await lab.toeh('learn', 'observed', '--since', '2026-11-10'), /\neve@firm\.test +1/)
  assertDone(t, await lab.toeh('learn', 'observed', '--apply'), /\n1 rule added\n$/)
  t.strictSame(rules(lab), ['firm.test learn observed (2 messages, 2026-11-04 to 2026-11-14)'])
  assertDone(t, await lab.toeh('learn', 'observed', '--apply'), /\n0 rules added\n$/)
})

t.test('wrong usage', async (t) => {
  const lab = makeLab(t)
  const path = write(lab, 'mail.log', LOG)
  const table: [args: string[], status: number, line: RegExp][] = [
    [[], 2, /something is missing: it is toeh learn/],
    [['logs', path], 2, /Invalid values: Argument: from, Given: "logs"/],
    [['log'], 2, /learn log: which log\?; toeh learn log \/var\/log\/mail\.log/],
    [['log', path, '--journal'], 2, /give files or --journal, not both/],
    [['observed', path], 2, /takes no files/],
    [['log', path, '--since', 'yesterday'], 2, /--since "yesterday": it is no date; write it as 2026-11-04/],
    [['log', path, '--since', '2026-02-31'], 2, /--since "2026-02-31": it is no date/],
    [['log', path, '--min-messages', '0'], 2, /--min-messages: it must be a whole number from 1/],
    [['log', path, '--min-days', 'x'], 2, /--min-days: it must be a whole number from 1/],
    [['log', `${path}.7`], 66, /log \S+mail\.log\.7: no such file or directory \(ENOENT\)/],
    [['log', lab.dir], 66, /it is a folder/],
  ]
  for (const [args, status, line] of table) {
    assertRefused(t, await lab.toeh('learn', ...args), status, line)
  }
  t.strictSame(rules(lab), [])
  const bytes = write(lab, 'noise', Buffer.from([0, 255, 10, 27, 10, 200, 10]))
  assertRefused(t, await lab.toeh('learn', 'log', bytes), 65, /noise: of 3 lines none is of Postfix/)
})

t.test('--csv writes what may be edited and imported', async (t) => {
  const lab = makeLab(t)
  const path = write(lab, 'mail.log', LOG)
  const csv = join(lab.dir, 'proposals.csv')
  const before = lab.databaseDigest()
  assertDone(
    t,
    await lab.toeh('learn', 'log', path, '--csv', csv),
    /\n4 candidates in \S+proposals\.csv; toeh import takes them, nothing was added\n$/,
  )
  t.equal(lab.databaseDigest(), before)
  const text = readFileSync(csv, 'utf8')
  t.match(text, /^effect,value,subdomains,note,source\n/)
  t.match(
    text,
    /\nallow,firm\.test,no,"2 messages, 2 senders, 2 addresses(; [^"]*)?","learn log mail\.log \(2 messages, 2026/,
  )
  const edited = write(
    lab,
    'edited.csv',
    text.replace(/^allow,ann@gmail\.com.*\n/m, '').replace('allow,one@', 'block,one@'),
  )
  assertDone(t, await lab.toeh('import', edited), /^3 rules added\n$/)
  t.match(rules(lab), [
    /^firm\.test learn log mail\.log \(2 messages/,
    /^joe@gmail\.com learn log/,
    /^one@single\.test learn/,
  ])
  assertRefused(
    t,
    await lab.toeh('learn', 'log', path, '--csv', csv, '--apply'),
    2,
    /--csv: one of them: --apply adds/,
  )
  assertRefused(
    t,
    await lab.toeh('learn', 'log', path, '--csv', join(lab.dir, 'state', 'x')),
    77,
    /state folder/,
  )
  assertRefused(
    t,
    await lab.toeh('learn', 'log', path, '--csv', join(lab.dir, 'none', 'x')),
    1,
    /no such file/,
  )
})

t.test('--apply of many shows some, those in doubt first, and says where the rest is', async (t) => {
  const lab = makeLab(t)
  const firms = Array.from({ length: 50 }, (_, index) => `info@firm${String(index).padStart(2, '0')}q.test`)
  const log = [...firms, 'eve@corpp.test']
    .map((to, index) => mailLog({ id: `4bQ8Yk2hJn${index + 10}`, to: [to] }))
    .join('')
  const path = write(lab, 'many.log', log)
  const all = await lab.toeh('learn', 'log', path)
  t.equal(all.stdout.match(/^\S+\.test /gm)?.length, 51, 'who looks sees all')
  const applied = await lab.toeh('learn', 'log', path, '--apply')
  assertDone(
    t,
    applied,
    /\nand 31 more: toeh known lists the rules, --json has the numbers too\n[\s\S]*\n51 rules added\n$/,
  )
  t.equal(applied.stdout.match(/^\S+\.test /gm)?.length, 20)
  t.match(applied.stdout, /^candidate [^\n]*\n(?:eve@)?corpp\.test /)
})
