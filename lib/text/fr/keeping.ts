/** What forgetting, undoing and cleaning up say of it, in French. Pure. */
import type { Table } from '../translate.js'

export const FRENCH_KEEPING: Table = {
  // What cleanup removes
  'removed what was kept of {0} messages settled more than {1} days ago':
    'supprimé ce qui restait de {0} messages réglés depuis plus de {1} jours',
  'removed {0} rules that ended more than {1} days ago':
    '{0} règles terminées depuis plus de {1} jours supprimées',
  'wrote the file of the database anew': 'fichier de la base de données réécrit',
  'rows with a pseudonym in place of a person who was forgotten: {0}':
    'lignes avec un pseudonyme à la place d’une personne oubliée : {0}',
  // Undoing
  '{0} went to {1}: what is sent cannot be called back':
    '{0} est parti vers {1} : ce qui est envoyé ne se rappelle pas',
  'the mode is changed by its own command: toeh mode {0}':
    'le mode se change par sa propre commande : toeh mode {0}',
  'what was erased is gone ({0})': 'ce qui a été effacé n’existe plus ({0})',
  '{0}, {1}: that cannot be taken back': '{0}, {1} : cela ne peut être annulé',
  'there is nothing that you have done': 'vous n’avez rien fait',
  'toeh audit lists who did what': 'toeh audit liste qui a fait quoi',
  'rule {0} has ended since: {1}': 'la règle {0} a pris fin depuis : {1}',
  'the time of rule {0} is over: {1}': 'l’échéance de la règle {0} est passée : {1}',
  'rules that came with their history: {0} (toeh revoke --source ends them)':
    'règles venues avec leur historique : {0} (toeh revoke --source y met fin)',
  '{0} for {1}: the message is gone; its sender can send it again':
    '{0} pour {1} : le message n’existe plus ; son expéditeur peut le renvoyer',
  '{0} waits again for {1}: toeh reject {2} rejects it':
    '{0} est de nouveau en attente pour {1} : toeh reject {2} le rejette',
  'done by {0} on {1}:': 'fait par {0} le {1} :',
  'stands again: {0}': 'de nouveau en vigueur : {0}',
  'would stand again: {0}': 'serait de nouveau en vigueur : {0}',
  '{0} waits again for {1}': '{0} est de nouveau en attente pour {1}',
  '{0} would wait again for {1}': '{0} serait de nouveau en attente pour {1}',
  'Nobody is told of that: a sender may have had the news that it was rejected.':
    'Personne n’en est prévenu : l’expéditeur a peut-être été averti du rejet.',
  'cannot be undone: {0}': 'ne peut être annulé : {0}',
  'toeh undo --dry-run shows what was done': 'toeh undo --dry-run montre ce qui a été fait',
  'undo that?': 'annuler cela ?',
  // Forgetting
  'it is a domain: name the addresses of one person':
    'c’est un domaine : donnez les adresses d’une seule personne',
  '{0} waits: release or reject it first (toeh show {1})':
    '{0} est en attente : libérez-le ou rejetez-le d’abord (toeh show {1})',
  '{0} was held on {1}: Postfix may still hand it over again, so its rows stay until {2}':
    '{0} a été mis en attente le {1} : Postfix peut encore le remettre une seconde fois, ses lignes restent donc jusqu’au {2}',
  'rule {0} is in force: toeh revoke {1} ends it': 'la règle {0} est en vigueur : toeh revoke {1} y met fin',
  '{0} is a folder without rows: toeh fsck says what to do with it':
    '{0} est un dossier sans lignes : toeh fsck dit qu’en faire',
  'hold: {0} of {1}, as its sender': 'mise en attente : {0} du {1}, comme expéditeur',
  'hold: {0} of {1}, as a recipient': 'mise en attente : {0} du {1}, comme destinataire',
  'rules: {0}, in force': 'règles : {0}, en vigueur',
  'rules: {0}, ended or in its words': 'règles : {0}, terminée ou dans ses mots',
  'answers to notices: {0}': 'réponses à des avis : {0}',
  'time of the last notice: {0}': 'heure du dernier avis : {0}',
  'audit: row {0} of {1}, {2}': 'audit : ligne {0} du {1}, {2}',
  'decision log: {0}, lines: {1}': 'journal des décisions : {0}, lignes : {1}',
  '{0}:{1} names them: change it by hand': '{0}:{1} nomme cette personne : à modifier à la main',
  'Backups that were made before name them for as long as they are kept; after one is restored: toeh forget again.':
    'Les sauvegardes faites avant la nomment tant qu’elles sont gardées ; après en avoir restauré une : à nouveau toeh forget.',
  'Backups that were made before name them for as long as they are kept: {0} in {1}, {2} to {3}; after one is restored: toeh forget again.':
    'Les sauvegardes faites avant la nomment tant qu’elles sont gardées : {0} dans {1}, du {2} au {3} ; après en avoir restauré une : à nouveau toeh forget.',
  "Postfix's log, mailboxes and notices that were sent are not TOEH's to change.":
    'Le journal de Postfix, les boîtes aux lettres et les avis déjà envoyés ne dépendent pas de TOEH.',
  '--dry-run shows what there is, --yes does it': '--dry-run montre ce qu’il y a, --yes le fait',
  'erase that, for good?': 'effacer cela, définitivement ?',
  'nothing was changed: {0}': 'rien n’a été changé : {0}',
  'nothing names them': 'rien ne la nomme',
  'erased; in its place: {0}': 'effacé ; à sa place : {0}',
  "The database's file could not be written anew ({0}): free places in it still have what was erased. toeh cleanup tries it again.":
    'Le fichier de la base de données n’a pas pu être réécrit ({0}) : ses emplacements libres contiennent encore ce qui a été effacé. toeh cleanup réessaiera.',
}
