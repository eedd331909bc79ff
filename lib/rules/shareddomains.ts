/**
 * Shared domains: names at which strangers to each other have their addresses, so that a rule for the whole domain would
 * let in anybody. By lists, and by the site's own. Pure; the large lists are loaded where a domain is asked for.
 */
import { createRequire } from 'node:module'
import { domainToUnicode } from 'node:url'
import { words } from '../text/translate.js'

export type SharedKind = 'freemail' | 'certified' | 'alias' | 'group' | 'site'

/** What no list has: each name with all below it. */
const KINDS: readonly [SharedKind, string][] = [
  [
    // Posta elettronica certificata (AgID's list of providers), De-Mail, and what is like them.
    'certified',
    `pec.it legalmail.it arubapec.it pec.aruba.it postecert.it poste-certificate.it postacertificata.gov.it pecimprese.it
    pecmail.it casellapec.com mypec.eu registerpec.it sicurezzapostale.it actaliscertymail.it pec.actalis.it
    pec.libero.it pec.tim.it pec.telecompost.it telecompost.it ticertifica.it pec.infocert.it pec.cgn.it
    lamiapec.it gigapec.it messaggipec.it pecditta.com spaziopec.it sicurezzapostale.it pecavvocati.it
    de-mail.de epost.de incamail.com incamail.ch`,
  ],
  [
    'alias',
    `privaterelay.appleid.com mozmail.com relay.firefox.com duck.com simplelogin.com simplelogin.co simplelogin.fr
    simplelogin.io aleeas.com slmail.me slmails.com 8alias.com 8shield.net dralias.com silomails.com anonaddy.com
    anonaddy.me addy.io addymail.com mailer.me 4wrd.cc passmail.net passmail.com passinbox.com passfwd.com 33mail.com
    erine.email forwardemail.net improvmx.com burnermail.io maskme.us abine.com blur.io cloaked.id opayq.com
    ironvest.com spamgourmet.com sneakemail.com trashmail.com jetable.org fakemail.net relay.surfshark.com
    alias.proton.me mail.cloaked.app reply.craigslist.org marketplace.amazon.com marketplace.amazon.de
    marketplace.amazon.fr marketplace.amazon.it marketplace.amazon.es marketplace.amazon.co.uk members.ebay.com
    members.ebay.de members.ebay.fr messagerie.leboncoin.fr messages.leboncoin.fr guest.booking.com guest.airbnb.com
    reply.airbnb.com reply.github.com`,
  ],
  [
    'group',
    `googlegroups.com groups.google.com groups.io yahoogroups.com yahoogroups.fr yahoogroups.de freelists.org gaggle.email
    simplelists.com framalistes.org framagroupes.org groupes.renater.fr listes.renater.fr
    jiscmail.ac.uk listserv.dfn.de lists.sourceforge.net lists.launchpad.net lists.riseup.net
    lists.debian.org lists.linux.dev vger.kernel.org listbox.com`,
  ],
  [
    'freemail',
    `tutanota.com tutanota.de tuta.com tuta.io tutamail.com keemail.me ik.me etik.com sunrise.ch swissonline.ch
    bluemail.ch quickline.ch solnet.ch riseup.net disroot.org autistici.org systemausfall.org zoho.eu zohomail.eu
    mailo.com mailo.eu net-c.com bbox.fr numericable.fr noos.fr dbmail.com vodafone.it virgilio.it kpnmail.nl
    ziggo.nl xs4all.nl proximus.be magenta.at a1.net hey.com skiff.com ctemplar.com mailfence.com startmail.com`,
  ],
]

let exact: Map<string, SharedKind> | undefined
let free: ((domain: string) => boolean) | undefined

function kinds(): Map<string, SharedKind> {
  exact ??= new Map(
    KINDS.flatMap(([kind, names]) => names.split(/\s+/).map((name): [string, SharedKind] => [name, kind])),
  )
  return exact
}

/** Whether a list of the packages has it: half a hundred thousand names, read where the first domain is asked for. */
function isFreemail(domain: string): boolean {
  if (free === undefined) {
    const require = createRequire(import.meta.filename)
    const providers = new Set(require('email-providers/all.json') as string[])
    const { DOMAINS } = require('free-email-domains-list/build/src/constants.js') as {
      DOMAINS: ReadonlySet<string>
    }
    free = (name) => providers.has(name) || DOMAINS.has(name)
  }
  return free(domain) || free(domainToUnicode(domain))
}

/** The domain, and every name above it that has two labels or more. */
function* upwards(domain: string): Generator<string> {
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) yield name
}

/**
 * How a domain is shared, or undefined.
 * @param domain folded, as A-labels
 * @param own what the configuration names, each with all below it
 */
export function sharedKind(domain: string, own: ReadonlySet<string> = new Set()): SharedKind | undefined {
  for (const name of upwards(domain)) if (own.has(name)) return 'site'
  for (const name of upwards(domain)) {
    const kind = kinds().get(name)
    if (kind !== undefined && (kind !== 'freemail' || name === domain)) return kind
  }
  return isFreemail(domain) ? 'freemail' : undefined
}

/** What that means, for people. */
export function describeShared(kind: SharedKind): string {
  if (kind === 'certified')
    return words`it is a provider of certified mail: anybody can have an address there`
  if (kind === 'alias') return words`its addresses stand for those of others: anybody can be behind one`
  if (kind === 'group') return words`it is a provider of groups and lists: anybody can have one there`
  if (kind === 'site')
    return words`the configuration names it as shared (landscape.shared): it is not one company`
  return words`it is a freemail domain: anybody can have an address there`
}
