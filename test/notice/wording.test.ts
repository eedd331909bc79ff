/** Tests of wording.ts: every reason and fault has its words in every language. */

import t from 'tap'
import type { AddressFault } from '../../lib/mail/address.js'
import { type HoldReason, WORDING, type Wording } from '../../lib/notice/wording.js'
import type { Language } from '../../lib/text/translate.js'

// tsc demands every member of the closed sets.
const REASONS: Record<HoldReason, { detail: string; en: string; fr: string }> = {
  unknown: {
    detail: '',
    en: 'not among the destinations this company writes to',
    fr: 'ne fait pas partie des destinations habituelles de l’entreprise',
  },
  blocked: { detail: '', en: 'this destination is blocked', fr: 'cette destination est bloquée' },
  malformed: {
    detail: 'quoted',
    en: 'unusual form of address (quoted)',
    fr: 'forme d’adresse inhabituelle (entre guillemets)',
  },
  'foreign-sender': {
    detail: '',
    en: 'the sender address is not one of this company',
    fr: 'l’adresse d’expédition n’est pas de l’entreprise',
  },
  refused: {
    detail: '550 5.1.1 no',
    en: 'our own mail server refused it: 550 5.1.1 no',
    fr: 'refusé par notre propre serveur de messagerie : 550 5.1.1 no',
  },
}

const FAULTS: Record<AddressFault, string> = {
  empty: 'vide',
  'no domain': 'sans domaine',
  'undecodable bytes': 'octets indéchiffrables',
  'control character': 'caractère de contrôle ou invisible',
  blank: 'espace',
  quoted: 'entre guillemets',
  'second @': 'un second @',
  'percent or bang routing': 'routage par % ou !',
  'leading hyphen': 'tiret initial',
  'local part is not a dot-atom': 'partie locale inhabituelle',
  'local part is not ASCII': 'partie locale non ASCII',
  'too long': 'trop longue',
  'address literal': 'adresse IP au lieu du domaine',
  'domain is not a host name': 'le domaine n’est pas un nom d’hôte',
  'single-label domain': 'domaine sans point',
  'numeric top-level domain': 'domaine de premier niveau numérique',
  'internationalised domain does not round-trip': 'domaine internationalisé ambigu',
}

t.test('reasons', (t) => {
  for (const [reason, { detail, en, fr }] of Object.entries(REASONS)) {
    t.equal(WORDING.en.reason(reason as HoldReason, detail), en, reason)
    t.equal(WORDING.fr.reason(reason as HoldReason, detail), fr, reason)
  }
  t.end()
})

t.test('faults', (t) => {
  for (const [fault, french] of Object.entries(FAULTS)) {
    t.equal(WORDING.en.reason('malformed', fault), `unusual form of address (${fault})`)
    t.equal(WORDING.fr.reason('malformed', fault), `forme d’adresse inhabituelle (${french})`)
  }
  t.equal(
    WORDING.fr.reason('malformed', 'new'),
    'forme d’adresse inhabituelle (new)',
    'what it does not know, it shows',
  )
  t.equal(new Set(Object.values(FAULTS)).size, Object.keys(FAULTS).length, 'no two faults read the same')
  t.end()
})

t.test('nothing is left empty or untranslated, and what is filled in appears', (t) => {
  const same = new Set<string>()
  for (const key of Object.keys(WORDING.en) as (keyof Wording)[]) {
    if (['reason', 'labels', 'answerMeans', 'answered', 'standing'].includes(key)) continue
    const say = (language: Language): string => {
      const words = WORDING[language][key]
      return typeof words === 'string' ? words : (words as (filled: string) => string)('FILLED')
    }
    t.not(say('en'), '', key)
    t.not(say('fr'), '', key)
    if (say('en') === say('fr')) same.add(key)
    const fills = typeof WORDING.en[key] === 'function'
    t.equal(say('en').includes('FILLED'), fills, key)
    t.equal(say('fr').includes('FILLED'), fills, key)
  }
  t.strictSame([...same], [])
  // Words below words: each there, and none the same in both languages.
  for (const key of ['answerMeans', 'answered', 'standing'] as const) {
    const [en, fr] = [WORDING.en[key], WORDING.fr[key]].map((words) =>
      Object.values(words).flatMap((word) => (typeof word === 'string' ? [word] : Object.values(word))),
    )
    t.notOk([...(en ?? []), ...(fr ?? [])].includes(''), key)
    t.strictSame(
      en?.filter((word, index) => word === fr?.[index]),
      [],
      key,
    )
  }
  for (const language of ['en', 'fr'] as const) {
    const labels = Object.values(WORDING[language].labels)
    t.notOk(labels.includes(''), language)
    t.equal(new Set(labels).size, labels.length, language)
  }
  t.equal(WORDING.en.locale, 'en-GB')
  t.equal(WORDING.fr.locale, 'fr-FR')
  t.end()
})
