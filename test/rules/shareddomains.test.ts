/** Tests of shared.ts: every kind by members of lists and of none, and companies that are none of it. */
import t from 'tap'
import { type SharedKind, sharedKind } from '../../lib/rules/shareddomains.js'

t.test('kinds', async (t) => {
  const table: Record<SharedKind, string[]> = {
    freemail: [
      'gmail.com',
      'gmx.ch',
      'posteo.de',
      'bluewin.ch',
      'hispeed.ch',
      'runbox.com',
      'tuta.com',
      'laposte.net',
    ],
    certified: [
      'pec.it',
      'legalmail.it',
      'open.legalmail.it',
      'arubapec.it',
      'postecert.it',
      'gmx.de-mail.de',
    ],
    alias: [
      'privaterelay.appleid.com',
      'mozmail.com',
      'duck.com',
      'simplelogin.com',
      'anna.anonaddy.com',
      'passmail.net',
    ],
    group: ['googlegroups.com', 'groups.io', 'firm.groups.io', 'freelists.org', 'framalistes.org'],
    site: ['portal.test', 'b.portal.test'],
  }
  for (const [kind, domains] of Object.entries(table))
    for (const domain of domains) t.equal(sharedKind(domain, new Set(['portal.test'])), kind, domain)
  const companies = [
    'supplier.test',
    'siemens.com',
    'sap.com',
    'edf.fr',
    'post.ch',
    'ubs.ch',
    'github.com',
    'carrefour.fr',
    'mail.orange.test',
    'corp.gmail.com.test',
    'notpec.it',
    'appleid.com',
  ]
  for (const domain of companies) t.equal(sharedKind(domain), undefined, domain)
  t.equal(sharedKind('portal.test'), undefined, 'a site has its own')
  t.equal(sharedKind('xn--mll-hoa.email'), 'freemail', 'by its U-label')
})
