/** French: every tagged text has its words, every word its text, and what programs read stays English. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { describeFigures } from '../lib/commands/report.js'
import { FigureCount, sumUp } from '../lib/report/figures.js'
import { drawPage } from '../lib/report/page.js'
import { FRENCH, HELP, SAID, SETS } from '../lib/text/fr/commands.js'
import { speak } from '../lib/text/translate.js'
import { readCommands } from '../man/definitions.js'
import {
  assertDone,
  makeLab,
  NODE,
  type Outcome,
  outcomeOf,
  PIPE_ENV,
  ROOT,
  startWith,
  TOEH,
} from './support/lab.js'
import { taggedIn, taggedTexts, untaggedIn } from './support/tagged.js'

function placesOf(text: string): string[] {
  return (text.match(/\{\d+\}/g) ?? []).sort()
}

t.test('what is tagged has French, and French has nothing else', async (t) => {
  const tagged = taggedTexts()
  t.ok(tagged.size > 80, 'the texts are found')
  t.strictSame(
    [...tagged].filter((text) => !Object.hasOwn(SAID, text)),
    [],
    'tagged, and not in lib/text/fr/commands.ts',
  )
  t.strictSame(
    Object.keys(SAID).filter((text) => !tagged.has(text)),
    [],
    'in lib/text/fr/commands.ts, and not tagged',
  )
  // The bundle of toeh is read as Latin-1, and its bundler escapes other letters everywhere but in tagged templates.
  const strange = [...tagged].filter((text) => !/^[\n -~]*$/.test(text))
  t.strictSame(strange, [], 'tagged, and not ASCII')
  for (const [english, french] of Object.entries(FRENCH)) {
    t.strictSame(placesOf(french), placesOf(english), english)
    t.equal(/^\s*/.exec(french)?.[0], /^\s*/.exec(english)?.[0], `it is indented alike: ${english}`)
    t.notMatch(french, /'|"/, `typographic quotes: ${english}`)
  }
})

t.test('help that is in French is help that there is', async (t) => {
  const commands = await readCommands()
  const texts = commands.flatMap(({ describe, positionals, options, examples }) => [
    describe,
    ...positionals.map((positional) => positional.describe),
    ...options.map((option) => option.describe),
    ...examples.map(({ why }) => why),
  ])
  t.strictSame(
    Object.keys(HELP).filter((text) => !texts.includes(text)),
    [],
  )
  t.strictSame(
    [...new Set(texts)].filter((text) => text !== '' && !Object.hasOwn(HELP, text)),
    [],
    'help without French',
  )
})

t.test('the reader of tags', async (t) => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of source
  const source = "words`one ${b(`x ${1} }`, '}')} ${{ c }.c}`, words`two`, passwords`no`"
  t.strictSame(taggedIn(source), ['one {0} {1}', 'two'])
  t.strictSame(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of source
    untaggedIn("['so it is', `<p class=\"a b\">it is ${words`not`}</p>`, /'it is/, 'one'] // it's a note"),
    ['so it is', '<p class="a b">it is {0}</p>'],
  )
})

/** The files that speak to people, and what they hold besides: what is stored, sent, or the name of an operation. */
const SPEAKING: Record<string, string[]> = {
  'setup/apply': [],
  'learn/candidates': ['one sender'],
  'doctor/canary': [
    'From: TOEH <{0}>\nTo: {1}\nSubject: TOEH canary\nAuto-Submitted: auto-generated\n\n',
    'A test of the way mail takes here, sent by toeh doctor --canary. It can be deleted.\n',
  ],
  'doctor/examine': [],
  'doctor/facts': [],
  'hold/fsck/fsck': [],
  'doctor/gate': [
    'sender recipient original_recipient user extension mailbox domain nexthop size queue_id client_address client_hostname client_port client_protocol client_helo sasl_method sasl_username sasl_sender',
    'standard input was empty',
  ],
  'cli/maillogs': [],
  'doctor/host': [],
  'doctor/gather': [],
  'doctor/express': [],
  'logs/logfile': ['standard input', 'journal output', 'journal end'],
  'logs/format': [
    'journalctl -o short-iso SYSLOG_FACILITY=2 | toeh learn log -',
    'unzip -p FILE | toeh learn log -',
    '7z x -so FILE | toeh learn log -',
    'tar -xOf FILE | toeh learn log -',
    'iconv -f UTF-16 -t UTF-8 FILE | toeh learn log -',
    "jq -r '.FIELD' FILE | toeh learn log -",
  ],
  'system/owner': [],
  'logs/unpack': [],
  'report/page': [],
  'rules/draft': [],
  'cli/capacitywarning': [],
  'text/durations': [],
  'doctor/entrances': [],
  'doctor/wayback': [],
  'doctor/aliases': [],
  'setup/plan': [],
  'commands/doctor': [],
  'commands/express': [],
  'commands/fsck': [],
  'commands/init': [],
  'setup/answering': [],
  'setup/install': [],
  'setup/intopostfix': [],
  'setup/people': [],
  'commands/learn': ['decision log', 'learn observed', 'learn log', 'learn observed', 'learn log {0}{1}'],
  'commands/report': [],
}

t.test('no sentence of these files is left untagged', async (t) => {
  for (const [name, others] of Object.entries(SPEAKING)) {
    const untagged = untaggedIn(readFileSync(join(ROOT, 'lib', `${name}.ts`), 'utf8'))
    t.strictSame(
      untagged.filter((text) => !others.includes(text) && !text.includes('color-scheme')),
      [],
      name,
    )
    for (const text of others) t.ok(untagged.includes(text), `${name} holds it: ${text}`)
  }
})

t.test('a report has no word that is not in the table', async (t) => {
  t.teardown(() => speak('en', {}))
  const now = Date.UTC(2026, 10, 24, 12)
  const figures = new FigureCount(now - 5 * 86_400_000, now).figures([], sumUp([], now), [])
  // The months are parted at their blanks.
  const mark = (text: string): string => text.replace(text.startsWith('Jan ') ? /\w+/g : /^.*$/s, '⟦$&⟧')
  // Each text of the table in brackets: what stands outside them has been said in English whatever the language is.
  speak('fr', Object.fromEntries(Object.keys(FRENCH).map((text) => [text, mark(text)])))
  const outside = (said: string): string => {
    let rest = said.replace(/<style>[\s\S]*?<\/style>|[0-9][-0-9: ]*/g, ' ')
    for (let last = ''; last !== rest; ) {
      last = rest
      rest = rest.replace(/⟦[^⟦⟧]*⟧/g, ' ')
    }
    return rest.replace(/<[^<>]*>/g, ' ')
  }
  for (const mode of ['enforce', 'observe'] as const) {
    t.notMatch(outside(drawPage(figures, '', mode)), /[a-z]{3,}/i, `page, ${mode}`)
    t.notMatch(outside(describeFigures(figures, mode).join('\n')), /[a-z]{3,}/i, `lines, ${mode}`)
  }
  t.match(outside('<p>⟦one ⟦two⟧⟧ three</p>'), /^\W*three\W*$/, 'what is outside is seen')
})

/** toeh with this environment and no other word about a language. */
async function run(env: Record<string, string>, config: string, ...args: string[]): Promise<Outcome> {
  const program = [NODE, TOEH, ...args]
  return outcomeOf(
    startWith({ PATH: PIPE_ENV.PATH, TZ: 'UTC', TOEH_CONFIG: config, ...env }, program, {
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

t.test('the locale decides, else the configuration; programs get English', async (t) => {
  const lab = makeLab(t, 'language = "fr"')
  await lab.allow('known.test')
  const id = await lab.park(['eve@knovvn.test'])
  const french = { LANG: 'fr_FR.UTF-8' }
  assertDone(
    t,
    await run(french, lab.config, 'show', id),
    /^dépôt : +[0-9a-z]{12}\nexpéditeur : +anna@corp\.test\n/,
  )
  const list = await run({ LC_ALL: '', LC_MESSAGES: 'fr_CA', LANG: 'C' }, lab.config, 'list')
  assertDone(t, list, '  eve@knovvn.test  destinataire inconnu\n    ressemble à')
  const help = await run(french, lab.config, 'release', '--help')
  assertDone(t, help, /envoie le courrier retenu, avec son enveloppe/)
  t.match(help.stdout, /ce destinataire seulement/)
  t.match(help.stdout, /Exemples/)
  for (const line of help.stdout.split('\n')) t.ok(line.length <= 80, line)
  const wrong = await run(french, lab.config, 'release')
  t.match(wrong, { code: 2, stderr: /^toeh: usage: donnez des identifiants/ })
  // None takes the form of one, and still is none.
  const learnt = await run(french, lab.config, 'learn', 'log', '/dev/null')
  t.match(learnt, {
    code: 65,
    stderr: /^toeh: learn log null: il est vide, ce qui ne dit rien du courrier; /,
  })
  const english = /^hold: +[0-9a-z]{12}\nsender: +anna/
  assertDone(t, await run({ LC_ALL: 'C', LANG: 'fr_FR.UTF-8' }, lab.config, 'show', id), english)
  assertDone(t, await run({ LANG: 'de_DE.UTF-8' }, lab.config, 'show', id), english)
  assertDone(t, await run({}, lab.config, 'show', id), /^dépôt :/)
  const json = await run(french, lab.config, 'list', '--json')
  t.match(JSON.parse(json.stdout), [{ recipients: [{ reason: 'unknown', state: 'held' }] }])
  assertDone(t, await run(french, lab.config, 'reject', '--quiet', id), `${id} rejeté pour eve@knovvn.test\n`)
  t.strictSame(lab.query("SELECT what, was, now FROM audit WHERE what <> 'allow'"), [
    { what: 'rejected', was: 'held', now: 'rejected' },
  ])
})

t.test('reasons and states have their words', async (t) => {
  for (const word of ['unknown', 'blocked', 'malformed', 'foreign-sender', 'refused', 'releasing', 'held'])
    t.ok(Object.hasOwn(SETS, word), word)
})
