/** Why an address is malformed, in words. Pure. */

import type { Language } from '../text/translate.js'
import type { AddressFault } from './address.js'

/** What keeps an address from being plain, in a language. */
export function faultIn(language: Language, fault: AddressFault): string {
  return language === 'fr' ? FAULTS_FR[fault] : fault
}

export const FAULTS_FR: Record<AddressFault, string> = {
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
