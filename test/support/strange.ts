/** Strange: random addresses for property tests, most of them almost right. */
import fc from 'fast-check'
import { toPunycode } from './plain.js'

/** What attackers, bugs and keyboards put into addresses. */
const TOKENS = [
  ...'%!@"\\/?#:;,()[]<>*=+_-.& \0\r\n\t\b\x1b\x7f',
  ...[
    '\r\n',
    '..',
    '--',
    '@@',
    '%2e',
    '%2E',
    '%40',
    '%00',
    '%0d%0a',
    '/x',
    '@evil.test',
    '%evil.test',
    'evil!',
  ],
  ...[
    'xn--',
    'XN--',
    '[192.0.2.1]',
    '"a b"',
    '\\"',
    '> SIZE=1',
    '\r\nRCPT TO:<x@evil.test>',
    '0',
    '9',
    'A',
    'Z',
  ],
  ...'\u{85}\u{a0}\u{2003}\u{202f}\u{3000}\u{1680}', // blanks
  ...'\u{ad}\u{61c}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{180e}\u{e0041}\u{fe0f}', // not to be seen
  ...'\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{2028}\u{2029}', // directions and line ends
  ...['\u{fffd}', '\u{d800}', '\u{dfff}', '\u{ffff}', '\u{10ffff}', '\u{e000}'],
  ...'．。｡․＠％！／－ａＡ①ﬁ㎏ªK', // compatible with something in ASCII
  ...'İıßẞςſΣÜüéаοѕ☃·・ـ😀',
  ...['e\u{301}', '\u{301}', '\u{1f1eb}\u{1f1f7}'],
]

/** Lower-case letters by script, each of which may stand in a label on its own or with its neighbours. */
export const SCRIPTS: Record<string, string> = {
  Latin: 'àâçèéêëîïôùûüÿæœñøåäößąćęłńśźżčďěňřšťůžğışőű',
  Greek: 'αβγδεζηθικλμνξοπρστυφχψωάέήίόύώς',
  Cyrillic: 'абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґљњџђ',
  Armenian: 'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցփքօֆ',
  Georgian: 'აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ',
  Hebrew: 'אבגדהוזחטיכלמנסעפצקרשתךםןףץ',
  Arabic: 'ابتثجحخدذرزسشصضطظعغفقكلمنهوي',
  Devanagari: 'अआइईउऊकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह',
  Thai: 'กขคงจฉชซญฎฏฐณดตถทธนบปผฝพฟภมยรลวศษสหอฮ',
  Hangul: '가나다라마바사아자차카타파하한국어회사',
  Kana: 'あいうえおかきくけこさしすせそたちつてとアイウエオカキクケコ',
  Han: '中国公司日本語会社山川東京北上海銀行',
}

/** A label of the letters of one script. */
export const scriptLabel: fc.Arbitrary<string> = fc
  .constantFrom(...Object.values(SCRIPTS))
  .chain((letters) => fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 }))

const letter = fc.constantFrom(...'abcxyzABCXYZ019')
const atom = fc.string({
  unit: fc.oneof({ weight: 4, arbitrary: letter }, fc.constantFrom(..."#$&'*+-/=?^_`{|}~")),
  minLength: 1,
  maxLength: 8,
})
/** Atext and dots in no order. */
const dotted = fc
  .array(fc.oneof(atom, fc.constantFrom('', '.', '..')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))
const asciiLabel = fc.string({
  unit: fc.oneof({ weight: 30, arbitrary: letter }, fc.constantFrom('-', '_')),
  minLength: 1,
  maxLength: 8,
})
const label = fc.oneof(
  { weight: 24, arbitrary: asciiLabel },
  { weight: 1, arbitrary: scriptLabel },
  { weight: 1, arbitrary: scriptLabel.map((text) => `xn--${toPunycode(text)}`) },
  { weight: 1, arbitrary: asciiLabel.map((text) => `xn--${text}`) },
  { weight: 1, arbitrary: fc.integer({ min: 62, max: 65 }).map((length) => 'l'.repeat(length)) },
)
const locals = fc.oneof(
  { weight: 6, arbitrary: fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.')) },
  { weight: 1, arbitrary: fc.integer({ min: 62, max: 246 }).map((length) => 'a'.repeat(length)) },
  { weight: 2, arbitrary: dotted },
  { weight: 2, arbitrary: dotted.map((text) => `"${text}"`) },
  { weight: 1, arbitrary: fc.tuple(atom, scriptLabel).map(([first, last]) => `${first}.${last}`) },
)
const lastLabel = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('test', 'TEST', 'com', 'co.uk', 'xn--p1ai') },
  label,
)
const domains = fc
  .tuple(fc.array(label, { minLength: 0, maxLength: 4 }), lastLabel)
  .map(([labels, last]) => [...labels, last].join('.'))

/** An address of a chosen length around the limit of 254 bytes, by its labels. */
const long = fc
  .tuple(
    fc.integer({ min: 250, max: 257 }),
    fc.integer({ min: 1, max: 180 }),
    fc.integer({ min: 40, max: 63 }),
  )
  .map(([length, local, size]) => {
    let text = `${'a'.repeat(local)}@`
    while (text.length + size + 1 < length - 5) text += `${'d'.repeat(size)}.`
    return `${text}${'e'.repeat(Math.max(1, length - text.length - 5))}.test`
  })

/** A local part, an `@` and a domain, as they should be more often than not. */
const almost = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(locals, domains).map(([local, domain]) => `${local}@${domain}`) },
  { weight: 1, arbitrary: long },
)

interface Mutation {
  at: number
  removed: number
  token: string
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.constantFrom(0, 0, 0, 1, 1, 2),
  token: fc.constantFrom('', ...TOKENS),
})

function mutate(text: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((given, { at, removed, token }) => {
    const from = Math.floor(at * (given.length + 1))
    return given.slice(0, from) + token + given.slice(from + removed)
  }, text)
}

/** Any text at all: lone surrogates included, whatever argv may hold after Node has decoded it. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', '.', '-', ...TOKENS), maxLength: 12 }),
)

/** An address: plain, nearly so, or nothing of the kind. */
export const strangeAddress: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: almost },
  {
    weight: 5,
    arbitrary: fc
      .tuple(almost, fc.array(mutation, { minLength: 1, maxLength: 3 }))
      .map(([text, mutations]) => mutate(text, mutations)),
  },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.tuple(anyText, domains).map(([local, domain]) => `${local}@${domain}`) },
  { weight: 1, arbitrary: fc.tuple(locals, anyText).map(([local, domain]) => `${local}@${domain}`) },
  { weight: 1, arbitrary: fc.tuple(anyText, domains).map(([local, domain]) => `"${local}"@${domain}`) },
)
