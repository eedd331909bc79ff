/**
 * The words of the commands in French, by the English that stands in the sources: what is tagged there, and the texts of
 * help. Loaded only where French is spoken. A text that is missing here is said in English. Pure.
 *
 * It is long because it is a table.
 */

import type { Table } from '../translate.js'
import { FRENCH_CHECKS } from './checks.js'
import { FRENCH_FIGURES } from './figures.js'
import { FRENCH_KEEPING } from './keeping.js'
import { FRENCH_LEARNING, LEARNING_HELP } from './learning.js'
import { FRENCH_MENDS } from './mends.js'

/** What commands say. */
export const SAID: Table = {
  ...FRENCH_CHECKS,
  ...FRENCH_FIGURES,
  ...FRENCH_KEEPING,
  ...FRENCH_LEARNING,
  ...FRENCH_MENDS,
  // Bulk work
  '--all means everything that waits: name no ids and no selection with it':
    '--all désigne tout ce qui attend : ne donnez ni identifiant ni sélection avec',
  'name hold ids, or select by --sender, --domain and so on, or say --all':
    'donnez des identifiants, ou sélectionnez par --sender, --domain, etc., ou dites --all',
  'nobody who waits in it is selected': 'personne de ceux qui y attendent n’est sélectionné',
  'from {0}, held {1}': 'de {0}, retenu le {1}',
  'would release {0} to {1} ({2}; {3})': 'libérerait {0} vers {1} ({2} ; {3})',
  'would reject {0} to {1} ({2}; {3})': 'rejetterait {0} vers {1} ({2} ; {3})',
  'of 1 message': 'd’un message',
  'of {0} messages': 'de {0} messages',
  '1 recipient {0}': '1 destinataire {0}',
  '{0} recipients {1}': '{0} destinataires {1}',
  'nobody is there to be asked about {0}': 'il n’y a personne à qui demander pour {0}',
  '--dry-run shows them, --yes does it': '--dry-run les montre, --yes le fait',
  'and {0} more (--dry-run shows all)': 'et {0} de plus (--dry-run montre tout)',
  'release {0}?': 'libérer {0} ?',
  'reject {0}?': 'rejeter {0} ?',
  '(y/N)': '(o/N)',
  'nothing was changed': 'rien n’a été changé',
  'nothing that is settled is selected': 'rien de ce qui est réglé n’est sélectionné',
  'nothing that waits is selected': 'rien de ce qui attend n’est sélectionné',
  '{0}, none released': '{0}, aucun libéré',
  '{0}, none rejected': '{0}, aucun rejeté',
  'would add the rule: {0}': 'ajouterait la règle : {0}',
  'the rule has no effect on mail like this to {0}: {1}':
    'la règle est sans effet sur un tel courrier à {0} : {1}',
  '{0}; {1} has': '{0} ; {1} en a un',
  // Mode
  'its mode is not written as one line that could be changed':
    'son mode n’est pas écrit en une ligne que l’on puisse changer',
  'set {0} by hand': 'mettez {0} à la main',
  'it cannot be changed here: {0}': 'il ne peut pas être changé ici : {0}',
  'run it as root; or set {0} where the file is made':
    'lancez la commande en root ; ou mettez {0} là où le fichier est fait',
  'its owner and rights could not be kept': 'son propriétaire et ses droits n’ont pas pu être gardés',
  'toeh init makes it': 'toeh init le crée',
  'observe: everything passes, and the decision log says what would have been held ({0})':
    'observe : tout passe, et le journal des décisions dit ce qui aurait été retenu ({0})',
  'What ends it, and shows first what it would hold: {0}':
    'Ce qui y met fin, et montre d’abord ce qui serait retenu : {0}',
  'enforce: what nobody knows is held ({0})': 'enforce : ce que personne ne connaît est retenu ({0})',
  'The decision log has no message that was observed: what enforcing would hold is not known.':
    'Le journal des décisions n’a aucun message observé : on ne sait pas ce qu’enforce retiendrait.',
  'Observed since {0}: messages {1}, recipients {2}, days {3}.':
    'Observé depuis le {0} : messages : {1}, destinataires : {2}, jours : {3}.',
  'Would have been held: recipients {0}, destinations {1}, days {2}.':
    'Aurait été retenu : destinataires : {0}, destinations : {1}, jours : {2}.',
  'With the rules of today: recipients {0}, destinations {1}.':
    'Avec les règles d’aujourd’hui : destinataires : {0}, destinations : {1}.',
  'recipients, days, destination:': 'destinataires, jours, destination :',
  'and {0} more; --json has all': 'et {0} de plus ; --json a tout',
  'toeh learn observed proposes rules for them.': 'toeh learn observed propose des règles pour elles.',
  'nobody is there to be asked': 'il n’y a personne à qui demander',
  '--yes does it, and says what would have been held': '--yes le fait, et dit ce qui aurait été retenu',
  'hold from now on what nobody knows?': 'retenir désormais ce que personne ne connaît ?',
  'It is so already: nothing was changed.': 'C’est déjà le cas : rien n’a été changé.',
  '{0} has {1}: from the next message on what nobody knows is held. No restart is needed.':
    '{0} a {1} : dès le prochain message, ce que personne ne connaît est retenu. Aucun redémarrage n’est nécessaire.',
  '{0} has {1}: from the next message on everything passes. No restart is needed. What is held stays held.':
    '{0} a {1} : dès le prochain message, tout passe. Aucun redémarrage n’est nécessaire. Ce qui est retenu le reste.',
  'What undoes it: {0}': 'Ce qui l’annule : {0}',
  // DKIM
  'the DKIM signature of {0} ran out on {1}: who gets the message cannot verify it any more':
    'la signature DKIM de {0} a expiré le {1} : qui reçoit le message ne peut plus la vérifier',
  'the DKIM signature of {0} runs out on {1}, before the message expires here':
    'la signature DKIM de {0} expire le {1}, avant que le message n’expire ici',
  // Release, reject, recheck
  'nobody waits in it any more': 'plus personne n’y attend',
  'it cannot be written into an SMTP command as it is':
    'l’adresse ne peut pas être écrite telle quelle dans une commande SMTP',
  'it is {0} already': 'état actuel : {0}',
  '{0} began to release it at {1}': '{0} a commencé à le libérer le {1}',
  '{0}: let that end': '{0} : attendez la fin',
  '{0} and was cut off; it may have been sent: look in the mail log, then repeat with --again, or reject it':
    '{0} et a été interrompu ; il est peut-être parti : regardez le journal de messagerie, puis recommencez avec --again, ou rejetez-le',
  '{0} released to {1}{2}': '{0} libéré vers {1}{2}',
  ' as {0}': ' sous {0}',
  '{0} NOT released to {1}: {2}': '{0} NON libéré vers {1} : {2}',
  'it is being released, or settled already': 'il est en cours de libération, ou déjà réglé',
  '--note: expected one line of at most {0} characters, each of them visible':
    '--note : une seule ligne est attendue, de {0} caractères au plus, tous visibles',
  '{0} rejected for {1}': '{0} rejeté pour {1}',
  '{0} NOT rejected for {1}: {2}': '{0} NON rejeté pour {1} : {2}',
  '{0}: its bytes are still there: {1}': '{0} : ses octets sont encore là : {1}',
  '{0}: its sender could not be told: {1}': '{0} : son expéditeur n’a pas pu être prévenu : {1}',
  'nothing that waits has become known': 'rien de ce qui attend n’est devenu connu',
  // Rules
  'rule {0}: {1}': 'règle {0} : {1}',
  'rule {0}: {1}{2}': 'règle {0} : {1}{2}',
  'rule {0} says so already: {1}': 'la règle {0} le dit déjà : {1}',
  ', in place of rule {0}: {1}': ', à la place de la règle {0} : {1}',
  'rule {0} ended: {1}': 'règle {0} terminée : {1}',
  'toeh revoke {0} first, if you are sure': 'd’abord toeh revoke {0}, si vous êtes sûr',
  'there is no rule of exactly this name': 'aucune règle ne porte exactement ce nom',
  'toeh known lists them': 'toeh known les montre',
  'no rule': 'aucune règle',
  '1 rule': '1 règle',
  '{0} rules': '{0} règles',
  '{0} in {1}': '{0} dans {1}',
  '~ {0}  ({1}), in place of {2}': '~ {0}  ({1}), à la place de {2}',
  'nothing would change': 'rien ne changerait',
  'it is not UTF-8': 'ce n’est pas de l’UTF-8',
  'which file?': 'quel fichier ?',
  'what is in the state folder is for toeh alone to write':
    'ce qui est dans le dossier d’état, toeh seul l’écrit',
  'name a file elsewhere': 'nommez un fichier ailleurs',
  'it is the configuration': 'c’est la configuration',
  'name another file': 'nommez un autre fichier',
  '{0} may not write there': '{0} ne peut pas y écrire',
  'run it in a root shell': 'lancez-le dans un shell de root',
  'let the shell write: {0}': 'laissez le shell écrire : {0}',
  'or let the shell open it: {0}': 'ou laissez le shell l’ouvrir : {0}',
  // Why
  'pass: {0}': 'passe : {0}',
  'hold: {0}': 'retenu : {0}',
  'rule {0}: {1}, by {2} on {3}{4}': 'règle {0} : {1}, par {2} le {3}{4}',
  'note: {0}': 'remarque : {0}',
  'used: {0}': 'usage : {0}',
  ', rule {0}: {1}': ', règle {0} : {1}',
  'and for {0}: {1}{2}': 'et pour {0} : {1}{2}',
  '{0} with subdomains': '{0} avec sous-domaines',
  everyone: 'tous',
  ' and ': ' et ',
  'looked at, in order: {0}': 'examinés, dans l’ordre : {0}',
  'each for, in order: {0}': 'chacun pour, dans l’ordre : {0}',
  // Audit
  '--csv and --json do not go together': '--csv et --json ne vont pas ensemble',
  // Allow and why
  '{0} waited for that: toeh recheck releases what has become known':
    '{0} attendaient cela : toeh recheck libère ce qui est devenu connu',
  'anyone at {0} whom no rule names:': 'quiconque chez {0} qu’aucune règle ne nomme :',
  'and rule {0}: {1}': 'et la règle {0} : {1}',
  // Revoke
  'name destinations or numbers of rules, or a source':
    'nommez des destinations ou des numéros de règles, ou une source',
  'there is no rule of this number': 'aucune règle n’a ce numéro',
  'no rule is from this source': 'aucune règle ne vient de cette source',
  'would end rule {0}: {1}': 'mettrait fin à la règle {0} : {1}',
  // Complaints about a command line
  'perhaps {0}': 'peut-être {0}',
  'one by one, with blanks between them': 'un par un, séparés par des espaces',
  'there is no option {0}': 'l’option {0} n’existe pas',
  'there is no command {0}': 'la commande {0} n’existe pas',
  '{0} is too much: it is toeh {1}': '{0} est de trop : c’est toeh {1}',
  'something is missing: it is toeh {0}': 'il manque quelque chose : c’est toeh {0}',
  '--{0} needs a value': '--{0} demande une valeur',
  'did you mean {0}?': 'vouliez-vous dire {0} ?',
  // List and show
  '--save - is the message alone': '--save - donne le message seul',
  'leave out --json and --text, or name a file': 'omettez --json et --text, ou nommez un fichier',
  'not to a terminal, which a message could steer': 'pas sur un terminal, qu’un message pourrait commander',
  '--text shows what can be shown': '--text montre ce qui peut l’être',
  'name a file that is not there yet': 'nommez un fichier qui n’existe pas encore',
  'it is not whole: remove it': 'il est incomplet : supprimez-le',
  'text:': 'texte :',
  '(none)': '(aucun)',
  'the message is in {0}': 'le message est dans {0}',
  'nothing waits': 'rien n’attend',
  '(no subject)': '(sans objet)',
  '  and {0} more': '  et {0} de plus',
  '{0} more messages wait; --all shows them': '{0} messages de plus attendent ; --all les montre',
  '{0} more messages are selected; --all shows them': '{0} messages de plus sont choisis ; --all les montre',
  '--all and --limit do not go together': '--all et --limit ne vont pas ensemble',
  '--limit must be a whole number from 1 on': '--limit doit être un nombre entier à partir de 1',
  ', as {0}': ', sous {0}',
  'by {0}, {1}': 'par {0}, {1}',
  'hold:     {0}': 'dépôt :       {0}',
  'automatic: {0}': 'automatique : {0}',
  'sender:   {0}': 'expéditeur :  {0}',
  'subject:  {0}': 'objet :       {0}',
  'size:     {0}': 'taille :      {0}',
  'held:     {0} (queue id {1})': 'retenu :      {0} (identifiant de file {1})',
  'expires:  {0}': 'expire :      {0}',
  'client:   {0}': 'client :      {0}',
  'as {0}': 'en tant que {0}',
  'recipients:': 'destinataires :',
  'the message itself is gone: everybody on it is settled':
    'le message lui-même n’est plus là : tous ses destinataires sont réglés',
  'headers:': 'en-têtes :',
  'attachments:': 'pièces jointes :',
  'no attachments': 'aucune pièce jointe',
  '(no name)': '(sans nom)',
  'the message could not be read to its end: {0}': 'le message n’a pas pu être lu jusqu’au bout : {0}',
  // Cleanup and digest
  'reminded {0} of {1}': 'rappel envoyé à {0} pour {1}',
  'NOT reminded {0} of {1}: {2}': 'rappel NON envoyé à {0} pour {1} : {2}',
  '{0} expired for {1}': '{0} expiré pour {1}',
  '{0} NOT expired, it stays: {1}': '{0} NON expiré, il reste : {1}',
  '{0} NOT expired: it was held while the clock was behind, and waits its time from now on':
    '{0} NON expiré : il a été retenu pendant que l’horloge retardait, et attend son temps à partir de maintenant',
  '{0} after the last cleanup ({1})': '{0} après le dernier nettoyage ({1})',
  '{0} before the last cleanup ({1})': '{0} avant le dernier nettoyage ({1})',
  'the clock is {0}: nothing is expired, swept or pruned until it has been so for an hour':
    'l’horloge est {0} : rien n’est expiré, balayé ni élagué tant que cela ne dure pas depuis une heure',
  'the clock is {0}, and timedatectl says that it is not synchronised: nothing is expired, swept or pruned until it has been so for a day':
    'l’horloge est {0}, et timedatectl dit qu’elle n’est pas synchronisée : rien n’est expiré, balayé ni élagué tant que cela ne dure pas depuis un jour',
  'removed {0} days of the decision log, kept from {1} on':
    '{0} jours du journal des décisions supprimés, gardé à partir du {1}',
  'removed {0} rows of the audit older than {1} days':
    '{0} lignes de l’audit de plus de {1} jours supprimées',
  'removed {0} settled messages that a cut-off run had left':
    '{0} messages réglés, laissés par une exécution interrompue, supprimés',
  'counted anew what waits: {0} counts were wrong ({1})':
    'ce qui attend est recompté : {0} comptes étaient faux ({1})',
  'put {0} rows of the express lane right': '{0} lignes de la voie express corrigées',
  'swept {0} old temporaries': '{0} anciens fichiers temporaires balayés',
  '{0}: a folder without rows; left as it is (its run was cut off: Postfix retries it)':
    '{0} : un dossier sans lignes ; laissé tel quel (son exécution a été interrompue : Postfix réessaie)',
  'told of {0}': 'prévenu de {0}',
  'NOT told of {0}: {1}': 'NON prévenu de {0} : {1}',
  // Audit, backup, fsck
  nothing: 'rien',
  'was {0}': 'était {0}',
  'it is no hash': 'ce n’est pas une empreinte',
  'give the 64 digits that an earlier toeh audit verify has said':
    'donnez les 64 chiffres qu’un toeh audit verify précédent a indiqués',
  'whole: {0} rows, each follows from the one before':
    'intact : {0} lignes, chacune découle de la précédente',
  'NOT whole: row {0} was changed, or what stood before it was removed':
    'PAS intact : la ligne {0} a été modifiée, ou ce qui la précédait a été supprimé',
  'the row with that head is there': 'la ligne de cette empreinte est là',
  'NOT there: the row with that head was changed or removed':
    'ABSENTE : la ligne de cette empreinte a été modifiée ou supprimée',
  '{0}: {1} rules, {2} messages, checked': '{0} : {1} règles, {2} messages, vérifié',
  '{0}: removed': '{0} : supprimé',
  'whole: {0} messages that wait were read': 'intact : {0} messages en attente ont été lus',
  '--settle-gone and --backup go with --repair': '--settle-gone et --backup vont avec --repair',
  repaired: 'réparé',
  'to do': 'à faire',
  // Replay
  '{0} lines, {1} broken, {2} messages to {3} recipients':
    '{0} lignes, {1} illisibles, {2} messages à {3} destinataires',
  'would have been held:': 'auraient été retenus :',
  '  {0} recipients ({1}), {2} destinations': '  {0} destinataires ({1}), {2} destinations',
  '  {0} messages ({1})': '  {0} messages ({1})',
  'by reason: {0}': 'par motif : {0}',
  '{0} recipients not counted: the log begins too late to say who sent':
    '{0} destinataires non comptés : le journal commence trop tard pour dire qui a envoyé',
  '  and {0} more; --all shows them': '  et {0} de plus ; --all les montre',
  // What all commands share
  '$0 COMMAND: who is known, what waits, and who said yes. See toeh COMMAND --help.':
    '$0 COMMANDE : qui est connu, ce qui attend, et qui a dit oui. Voir toeh COMMANDE --help.',
  'configuration file': 'fichier de configuration',
  'answer as JSON': 'répondre en JSON',
  'which command?': 'quelle commande ?',
  'toeh --help names the commands': 'toeh --help nomme les commandes',
}

/** Reasons and states. */
export const SETS: Table = {
  internal: 'interne',
  allowed: 'autorisé',
  blocked: 'bloqué',
  malformed: 'adresse malformée',
  'null sender': 'expéditeur nul',
  'bounce address': 'adresse de retour',
  reply: 'réponse',
  list: 'liste de diffusion',
  report: 'rapport',
  'foreign-sender': 'expéditeur étranger',
  unknown: 'destinataire inconnu',
  held: 'retenu',
  refused: 'refusé',
  releasing: 'en cours de libération',
  released: 'libéré',
  rejected: 'rejeté',
  expired: 'expiré',
  passed: 'passé',
}

/** The texts of help. */
export const HELP: Table = {
  ...LEARNING_HELP,
  'show what would change in main.cf and master.cf': 'montre ce qui changerait dans main.cf et master.cf',
  'let approvers answer by mail': 'laisser les approbateurs répondre par courriel',
  'have cleanup, digest and backup run': 'faire lancer cleanup, digest et backup',
  "show what would change in Postfix for approvers' answers by mail":
    'montre ce qui changerait dans Postfix pour les réponses des approbateurs par courriel',
  'print the lines for cron, their programs by their paths':
    'imprime les lignes pour cron, les programmes par leur chemin complet',
  'with --postfix: change it, and make all the rest; or change it alone (--moderate)':
    'avec --postfix : le change, et crée tout le reste ; ou le change seulement (--moderate)',
  'with --postfix or --moderate: put back what was there':
    'avec --postfix ou --moderate : remet ce qui y était',
  'with --apply or --undo: tell Postfix of it': 'avec --apply ou --undo : le fait lire à Postfix',
  "with --postfix or --moderate: another Postfix instance's configuration folder":
    'avec --postfix ou --moderate : le dossier de configuration d’une autre instance de Postfix',
  'with --postfix: the networks that relay by port 25, through the gate':
    'avec --postfix : les réseaux qui relaient par le port 25, à travers le filtre',
  'put the gate before what port 25 relays': 'mettre le filtre devant ce que relaie le port 25',
  'see what it would do to Postfix': 'voir ce qu’il ferait à Postfix',
  "take an approver's answer by mail; from pipe(8), exit status 0 or 75":
    'prend la réponse d’un approbateur par courriel ; depuis pipe(8), état 0 ou 75',
  'envelope sender': 'expéditeur de l’enveloppe',
  'login that submitted the mail': 'compte qui a soumis le courrier',
  'queue id': 'identifiant de file',
  'as pipe(8) starts it': 'tel que pipe(8) le lance',
  'make configuration, folders and database; print the master.cf lines':
    'crée la configuration, les dossiers et la base ; affiche les lignes de master.cf',
  "the filter's user (for root; default toeh)": 'l’utilisateur du filtre (pour root ; toeh par défaut)',
  "the company's own domains (default: Postfix's)":
    'les domaines de l’entreprise (par défaut : ceux de Postfix)',
  'state folder': 'dossier d’état',
  'print what the express lane needs as well': 'affiche aussi ce que demande la voie express',
  'then add the printed lines to master.cf': 'ajoutez ensuite les lignes affichées à master.cf',
  'check Postfix and this installation; say what mends it':
    'vérifie Postfix et cette installation ; dit ce qui répare',
  "another Postfix instance's configuration folder":
    'le dossier de configuration d’une autre instance de Postfix',
  'send one message round the whole loop': 'fait parcourir toute la boucle à un message',
  'to whom (default postmaster of the first internal domain)':
    'à qui (par défaut postmaster du premier domaine interne)',
  'as root, after every change of Postfix': 'en root, après chaque changement de Postfix',
  'make destinations known': 'rend des destinations connues',
  'addresses or domains': 'adresses ou domaines',
  'a domain also stands for those below it': 'un domaine vaut aussi pour ceux qui sont en dessous',
  'why, for whoever looks later': 'pourquoi, pour qui regardera plus tard',
  'only for mail of this sender, @domain or group; foreign: of senders who are not ours':
    'seulement pour le courrier de cet expéditeur, @domaine ou groupe ; foreign : d’expéditeurs qui ne sont pas les nôtres',
  'only until the end of this day (2026-12-31), or for so long (30d)':
    'jusqu’à la fin de ce jour (2026-12-31), ou pour cette durée (30d)',
  'hold destinations, whatever is said of a wider domain':
    'retient des destinations, quoi que dise un domaine plus large',
  'means nothing here': 'sans effet ici',
  'end the rules of destinations': 'met fin aux règles de destinations',
  'addresses or domains, as toeh known shows them, or numbers of rules':
    'adresses ou domaines, comme toeh known les montre, ou numéros de règles',
  'only rules that allow, or only those that block':
    'seulement les règles qui autorisent, ou celles qui bloquent',
  'only rules from this source; by itself all of them':
    'seulement les règles de cette source ; seul : toutes ces règles',
  'a block that was a mistake; what was allowed stays':
    'un blocage fait par erreur ; ce qui était autorisé le reste',
  'before all that was learned goes': 'avant que tout ce qui a été appris ne disparaisse',
  'only rules for this sender, @domain or group':
    'seulement les règles de cet expéditeur, @domaine ou groupe',
  'from now on it is unknown': 'dorénavant inconnu',
  'list the rules, or those that contain a text, or those nobody uses':
    'montre les règles, celles qui contiennent un texte, ou celles que personne n’utilise',
  'part of an address or domain': 'partie d’une adresse ou d’un domaine',
  'only rules that are older and were not used for so long (180d) or since a day':
    'seulement les règles plus anciennes, inutilisées depuis cette durée (180d) ou ce jour',
  'every rule with that word in it': 'toute règle qui contient ce mot',
  'propose rules from delivered mail: from logs, or from observe mode':
    'propose des règles d’après le courrier livré : des journaux, ou du mode observe',
  "Postfix's log, or the decision log of observe mode":
    'le journal de Postfix, ou le journal des décisions du mode observe',
  'log files, plain or packed, in any order; - reads standard input':
    'fichiers journaux, simples ou comprimés, dans n’importe quel ordre ; - lit l’entrée standard',
  "read systemd's journal, or that of another machine: a folder or a file":
    'lit le journal de systemd, ou celui d’une autre machine : un dossier ou un fichier',
  'from this day on, as 2026-11-04': 'à partir de ce jour, comme 2026-11-04',
  'propose only what so many messages went to': 'ne propose que ce qui a reçu tant de messages',
  'propose only what was written to on so many days': 'ne propose que ce à quoi on a écrit tant de jours',
  'add the rules; without it look only': 'ajoute les règles ; sans lui, regarde seulement',
  'who the company writes to': 'à qui l’entreprise écrit',
  'and make it known': 'et le rendre connu',
  "past mail against today's landscape: what would have been held":
    'le courrier passé face au paysage d’aujourd’hui : ce qui aurait été retenu',
  'who may say yes to held mail, and is told of it': 'qui peut dire oui au courrier retenu, et en est averti',
  'of notices (default: that of this shell)': 'des avis (par défaut : celle de ce shell)',
  'make an empty database also where one was lost': 'crée une base vide même là où une autre a été perdue',
  'show whether unknown mail is held or only observed, or change it':
    'montre si le courrier inconnu est retenu ou seulement observé, ou le change',
  'what is to be; without it, what is': 'ce qui doit être ; sans lui, ce qui est',
  'enforce without asking': 'enforce sans demander',
  'what is': 'ce qui est',
  'shows what it would hold, and asks': 'montre ce qui serait retenu, et demande',
  'every row, not 20 of each table': 'toutes les lignes, pas 20 de chaque tableau',
  'before you switch to enforce': 'avant de passer à enforce',
  'the verdict for a recipient, and the row it rests on':
    'le verdict pour un destinataire, et la règle sur laquelle il repose',
  'an address; or a domain, for anyone there': 'une adresse ; ou un domaine, pour quiconque y est',
  'as if handed in with this login': 'comme si ce nom d’utilisateur l’avait remis',
  'as if sent by this address (default: one of your own that no rule speaks of)':
    'comme envoyé par cette adresse (par défaut : une des vôtres dont aucune règle ne parle)',
  'pass or hold, and why': 'passe ou retenu, et pourquoi',
  'and whether it is known as a whole': 'et s’il est connu en entier',
  'add the rules of a CSV or JSON file, a list, or an address book':
    'ajoute les règles d’un fichier CSV ou JSON, d’une liste ou d’un carnet d’adresses',
  'the file; - is standard input': 'le fichier ; - est l’entrée standard',
  "default: by the file's ending, else csv": 'par défaut : selon l’extension du fichier, sinon csv',
  'show what would change; change nothing': 'montre ce qui changerait ; ne change rien',
  'only for mail of this sender, @domain or group, where the file does not say':
    'seulement pour le courrier de cet expéditeur, @domaine ou groupe, si le fichier ne le dit pas',
  'until the end of this day (2026-12-31), or for so long (30d), where the file does not say':
    'jusqu’à la fin de ce jour (2026-12-31), ou pour cette durée (30d), si le fichier ne le dit pas',
  'why, where the file does not say': 'pourquoi, si le fichier ne le dit pas',
  'what would change': 'ce qui changerait',
  'every rule as CSV or JSON, for keeping, comparing and toeh import':
    'toutes les règles en CSV ou JSON, à garder, à comparer, et pour toeh import',
  'where to (default: standard output)': 'vers où (par défaut : la sortie standard)',
  'the landscape in one file': 'le paysage dans un fichier',
  'what waits: id, age, size, sender, subject, recipients and reasons':
    'ce qui attend : identifiant, âge, taille, expéditeur, objet, destinataires et motifs',
  'mail of this sender or @domain; --sender= is the null sender':
    'courrier de cet expéditeur ou @domaine ; --sender= est l’expéditeur nul',
  'recipients at exactly this domain': 'destinataires d’exactement ce domaine',
  'this recipient only': 'ce destinataire seulement',
  'held before this day (2026-11-04), or longer ago than this (10d)':
    'retenu avant ce jour (2026-11-04), ou depuis plus longtemps (10d)',
  'held since this day (2026-11-04), or no longer ago than this (12h)':
    'retenu depuis ce jour (2026-11-04), ou depuis moins longtemps (12h)',
  'its text too, as a mail program shows it; the audit says who has read it':
    'son texte aussi, comme un logiciel de messagerie le montre ; le journal dit qui l’a lu',
  'write the whole message to a new file (- is standard output); the audit says who':
    'écrit le message entier dans un nouveau fichier (- est la sortie standard) ; le journal dit qui',
  'for a mail program': 'pour un logiciel de messagerie',
  'show all, however many wait': 'montre tout, quel qu’en soit le nombre',
  'show so many messages, the oldest (100; all with --json)':
    'montre tant de messages, les plus anciens (100 ; tous avec --json)',
  'oldest first': 'le plus ancien d’abord',
  'only what programs have written: vacation replies, receipts, mail of lists':
    'seulement ce que des programmes ont écrit : réponses d’absence, accusés de réception, courrier de listes',
  'the newest first': 'le plus récent d’abord',
  'instead, messages that are released, rejected or expired; newest first':
    'à la place, les messages libérés, rejetés ou expirés ; le plus récent d’abord',
  'only messages with this in their subject': 'seulement les messages dont l’objet contient ceci',
  'what became of it': 'ce qu’il en est advenu',
  'before releasing just these': 'avant de libérer ceux-là seulement',
  'headers, attachments, recipients and reasons of a held message':
    'en-têtes, pièces jointes, destinataires et motifs d’un message retenu',
  'a hold id, from toeh list': 'un identifiant de dépôt, donné par toeh list',
  'before you release it': 'avant de le libérer',
  'send held mail on, with its original envelope and bytes':
    'envoie le courrier retenu, avec son enveloppe et ses octets d’origine',
  'hold ids, from toeh list': 'identifiants de dépôt, donnés par toeh list',
  'everything that waits': 'tout ce qui attend',
  'show whom it means; change nothing': 'montre qui est concerné ; ne change rien',
  'do not ask': 'ne demande pas',
  'and make it known from now on': 'et le rend connu désormais',
  'repeat a release that was cut off and may have gone out':
    'répète une libération interrompue, qui est peut-être partie',
  'this once, and from now on': 'cette fois, et désormais',
  'who would get it': 'qui le recevrait',
  'do not send held mail; tell its sender': 'n’envoie pas le courrier retenu ; prévient son expéditeur',
  'also what a release left when it was cut off': 'aussi ce qu’une libération interrompue a laissé',
  'and why': 'et pourquoi',
  'why, for the sender and the audit': 'pourquoi, pour l’expéditeur et l’audit',
  'do not tell the sender': 'ne prévient pas l’expéditeur',
  'the sender is told that it was not sent': 'l’expéditeur est prévenu que rien n’a été envoyé',
  'what that would end': 'ce que cela terminerait',
  'release what has become known since it was held': 'libère ce qui est devenu connu depuis',
  'let the held mail follow': 'pour que le courrier retenu suive',
  'release what has become known; remind senders; expire what has waited too long, after telling its sender; sweep old temporaries':
    'libère ce qui est devenu connu ; expire ce qui attend depuis trop longtemps, après avoir prévenu l’expéditeur ; balaie les fichiers temporaires',
  'once an hour or a day; two at once do no harm':
    'une fois par heure ou par jour ; deux à la fois ne nuisent pas',
  'take back your own last act, as far as that goes': 'annule votre dernier acte, autant que possible',
  'after an allow that was a mistake': 'après une autorisation donnée par erreur',
  'show what is known of a person, and erase it; the audit keeps the deeds':
    'montre ce que l’on sait d’une personne, et l’efface ; le journal d’audit garde les actes',
  'all addresses of one person': 'toutes les adresses d’une même personne',
  'show what there is; change nothing': 'montre ce qu’il y a ; ne change rien',
  'what a person may ask to know': 'ce qu’une personne a le droit de savoir',
  'shows it, asks, erases it': 'le montre, demande, l’efface',
  'who allowed, released, rejected and revoked, and when; or whether that record is whole':
    'qui a autorisé, libéré, rejeté et révoqué, et quand ; ou si ce registre est intact',
  'part of an address, domain or hold id; or the word verify':
    'partie d’une adresse, d’un domaine ou d’un identifiant ; ou le mot verify',
  'only what this person did': 'seulement ce que cette personne a fait',
  'only from a day on (2026-11-04), or so long ago (30d)':
    'à partir d’un jour (2026-11-04), ou depuis cette durée (30d)',
  'only what was done before a day (2026-11-04), or longer ago than this (10d)':
    'seulement ce qui a été fait avant un jour (2026-11-04), ou il y a plus longtemps que cela (10d)',
  'only this: allow, block, revoke, released, rejected, expired, read, saved, forget':
    'seulement ceci : allow, block, revoke, released, rejected, expired, read, saved, forget',
  'as CSV for a spreadsheet, times in UTC': 'en CSV pour un tableur, heures en UTC',
  'what an auditor asks for': 'ce que demande un auditeur',
  'for verify: a head it said earlier; shows rows cut off at the end':
    'pour verify : une empreinte donnée plus tôt ; révèle des lignes coupées à la fin',
  'who decided what about it this month': 'qui en a décidé quoi ce mois-ci',
  'status 1 where a row was changed or removed': 'état 1 si une ligne a été modifiée ou supprimée',
  'known mail past the filter: set it up, check it, ask it':
    'le courrier connu sans passer par le filtre : installer, vérifier, interroger',
  'does it go past the filter?': 'évite-t-il le filtre ?',
  'make what Postfix reads as the configuration says; print its lines':
    'crée ce que Postfix lit, selon la configuration ; affiche ses lignes',
  'does it all fit together? (also without any option)': 'tout concorde-t-il ? (aussi sans aucune option)',
  'then the printed commands, then postfix reload': 'puis les commandes affichées, puis postfix reload',
  'tell people of what waits and what no notice has told them yet':
    'prévient de ce qui attend et dont aucun avis n’a encore parlé',
  'from cron: silent when there is nothing to tell': 'depuis cron : muet quand il n’y a rien à dire',
  'what passed, what was held, what waits and for how long':
    'ce qui est passé, ce qui a été retenu, ce qui attend et depuis quand',
  'from a day on (2026-11-04), or so long ago (30d)':
    'à partir d’un jour (2026-11-04), ou depuis cette durée (30d)',
  'write one page to this file; - is standard output':
    'écrit une page dans ce fichier ; - est la sortie standard',
  'the last week, in lines': 'la semaine passée, en lignes',
  'the last thirty days as a page': 'les trente derniers jours en une page',
  'counts for Prometheus; names nobody': 'des comptes pour Prometheus ; ne nomme personne',
  "write them to this file, for node_exporter's textfile collector":
    'les écrit dans ce fichier, pour le collecteur textfile de node_exporter',
  'from cron, every minute': 'depuis cron, chaque minute',
  'copy the database to a file, or to a dated file in a folder, and check the copy':
    'copie la base dans un fichier, ou un fichier daté d’un dossier, et vérifie la copie',
  'the file, or a folder': 'le fichier, ou un dossier',
  'in a folder: keep so many, remove older ones':
    'dans un dossier : en garde tant, supprime les plus anciens',
  'from cron, once a day': 'depuis cron, une fois par jour',
  'check that database, folders, bytes and rights are whole; repair what is safe':
    'vérifie que base, dossiers, octets et droits sont intacts ; répare ce qui est sûr',
  'repair what is safe; without it nothing is written': 'répare ce qui est sûr ; sans lui rien n’est écrit',
  'with --repair: reject what waits without its bytes':
    'avec --repair : rejette ce qui attend sans ses octets',
  'with --repair: the backup a lost database is rebuilt from; a file, or a folder of dated ones':
    'avec --repair : la sauvegarde d’où une base perdue est reconstruite ; un fichier, ou un dossier de fichiers datés',
  'at any time, also while mail flows': 'à tout moment, même pendant que le courrier circule',
  'read first what it says without': 'lisez d’abord ce qu’il dit sans',
}

export const FRENCH: Table = { ...SAID, ...SETS, ...HELP }
