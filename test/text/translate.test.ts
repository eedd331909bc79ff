/** The words of the commands: places, the table of another language, and which language the environment asks for. */
import t from 'tap'
import { languageOf, speak, spoken, translated, words } from '../../lib/text/translate.js'

const TABLE = {
  'released to {0}': 'libéré pour {0}',
  '{0} of {1}': 'de {1}, {0}',
  'twice {0}': '{0} {0}',
  gone: '',
}

t.afterEach(() => speak('en', {}))

t.test('English, as it stands', (t) => {
  t.equal(spoken(), 'en')
  t.equal(words`nothing`, 'nothing')
  t.equal(words`${1}${'two'} and ${3}`, '1two and 3')
  t.equal(words`${'{1}'} and ${'$&'}`, '{1} and $&', 'a value is no place, and no pattern')
  t.equal(translated('toString'), 'toString', 'nothing is taken from the table but what stands in it')
  t.equal(translated('__proto__'), '__proto__')
  t.end()
})

t.test('another language', (t) => {
  speak('fr', TABLE)
  t.equal(spoken(), 'fr')
  t.equal(words`released to ${'eve@a.test'}`, 'libéré pour eve@a.test')
  t.equal(words`${1} of ${2}`, 'de 2, 1', 'in another order')
  t.equal(words`twice ${'x'}`, 'x x')
  t.equal(words`${'{1}'} of ${'{0}'}`, 'de {0}, {1}', 'a value is no place')
  t.equal(words`kept by ${'anna'}`, 'kept by anna', 'what the table has not stays English')
  t.equal(translated('gone'), '', 'an empty text is a text')
  t.equal(translated('constructor'), 'constructor')
  t.end()
})

t.test('what the environment asks for', (t) => {
  const table: [environment: Record<string, string | undefined>, language: string | undefined][] = [
    [{}, undefined],
    [{ LANG: '' }, undefined],
    [{ LANG: undefined, LC_TIME: 'fr_FR' }, undefined],
    [{ LANG: 'fr' }, 'fr'],
    [{ LANG: 'fr_CA.UTF-8' }, 'fr'],
    [{ LANG: 'fr.UTF-8' }, 'fr'],
    [{ LANG: 'fr@euro' }, 'fr'],
    [{ LANG: 'FR_fr' }, 'fr'],
    [{ LANG: 'french' }, 'en'],
    [{ LANG: 'fry_NL' }, 'en'],
    [{ LANG: 'C' }, 'en'],
    [{ LANG: 'POSIX' }, 'en'],
    [{ LANG: 'de_DE.UTF-8' }, 'en'],
    [{ LC_ALL: 'C', LC_MESSAGES: 'fr_FR', LANG: 'fr_FR' }, 'en'],
    [{ LC_ALL: '', LC_MESSAGES: 'fr_FR', LANG: 'C' }, 'fr'],
    [{ LC_MESSAGES: 'de_DE', LANG: 'fr_FR' }, 'en'],
  ]
  for (const [environment, language] of table)
    t.equal(languageOf(environment), language, JSON.stringify(environment))
  t.end()
})
