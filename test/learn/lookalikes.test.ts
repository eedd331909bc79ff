/** Tests of lookalikes.ts: which candidates are worth a look, and beside whom. */
import t from 'tap'
import { Lookalikes } from '../../lib/learn/lookalikes.js'

const MESSAGES = new Map([
  ['fournisseur.test', 200],
  ['lenoir.test', 20],
  ['constructions.test', 30],
  ['fourn1sseur.test', 1],
  ['nearly.test', 5],
])

t.test('names that a forger makes, of domains that are used more', (t) => {
  const lookalikes = new Lookalikes(['bank.test'], MESSAGES)
  // Domain, messages, senders, what it is set beside.
  const table: [string, number, number, string[]][] = [
    ['fourn1sseur.test', 1, 1, ['fournisseur.test']],
    ['fourniseur.test', 1, 1, ['fournisseur.test']],
    ['founrisseur.test', 1, 1, ['fournisseur.test']],
    ['fournisseur.invalid', 1, 1, ['fournisseur.test']],
    ['fournisseur-sarl.test', 1, 1, ['fournisseur.test']],
    ['fournisseur.invoices.test', 1, 1, ['fournisseur.test']],
    ['fournisseurgroup.test', 1, 1, []],
    ['lenoiretfils.test', 1, 1, []],
    ['konstruktions.test', 1, 1, ['constructions.test']],
    ['lemair.test', 1, 1, []],
    ['mail.fournisseur.test', 1, 1, []],
    ['elsewhere.test', 1, 1, []],
  ]
  for (const [domain, messages, senders, beside] of table) {
    t.strictSame(lookalikes.of(domain, messages, senders), beside, domain)
  }
  t.end()
})

t.test('the rarer of the two, by how much depends on how many write to it', (t) => {
  const lookalikes = new Lookalikes(['bank.test'], MESSAGES)
  const table: [string, number, number, string[]][] = [
    ['fournisseur.test', 200, 50, []],
    ['fournisseurs.test', 40, 2, ['fournisseur.test']],
    ['fournisseurs.test', 40, 4, []],
    ['fourn-isseur.test', 20, 4, ['fournisseur.test']],
    ['fourn-isseur.test', 21, 4, []],
    ['fourn-isseur.test', 100, 3, ['fournisseur.test']],
    ['fourn-isseur.test', 101, 3, []],
    ['lenoire.test', 10, 3, ['lenoir.test']],
    ['lenoire.test', 11, 3, []],
    ['bank.invalid', 5000, 99, ['bank.test']],
    ['nearly.invalid', 3, 1, []],
  ]
  for (const [domain, messages, senders, beside] of table) {
    t.strictSame(lookalikes.of(domain, messages, senders), beside, `${domain} ${messages} ${senders}`)
  }
  t.end()
})

t.test('several forgeries do not hide the name they are made after', (t) => {
  const forged = ['fourn1sseur', 'fournissuer', 'fournlsseur', 'fournisseu', 'fournisseurr', 'f0urnisseur']
  const messages = new Map([['fournisseur.test', 90], ...forged.map((name) => [`${name}.test`, 1] as const)])
  const lookalikes = new Lookalikes([], messages)
  for (const name of forged) t.strictSame(lookalikes.of(`${name}.test`, 1, 1), ['fournisseur.test'], name)
  t.end()
})
