/** The words of learn, replay and import in French, of what they read and cannot read; see lib/french.ts. Pure. */
import type { Table } from './speech.js'

export const FRENCH_LEARNING: Table = {
  // Import
  'only a table has columns': 'seul un tableau a des colonnes',
  '--skip-faults takes the rest': '--skip-faults prend le reste',
  // Logs
  'it is no host': 'ce n’est pas un hôte',
  'write it as the log has it: HOST, HOST:PORT or ADDRESS:PORT':
    'écrivez-le comme dans le journal : HÔTE, HÔTE:PORT ou ADRESSE:PORT',
  '{0} of its {1} lines are in no form that is known': '{0} de ses {1} lignes n’ont aucune forme connue',
  'a line has a stamp, a host and a program: Nov  4 05:06:07 mx postfix/smtp[12]: ID: text':
    'une ligne a une date, un hôte et un programme : Nov  4 05:06:07 mx postfix/smtp[12]: ID: texte',
  'there is nothing in it, which says nothing of the mail': 'il est vide, ce qui ne dit rien du courrier',
  'of {0} lines none is of Postfix, which says nothing of the mail':
    'sur {0} lignes, aucune n’est de Postfix, ce qui ne dit rien du courrier',
  'postconf maillog_file says where Postfix logs, else syslog or the journal has it: --journal':
    'postconf maillog_file dit où Postfix écrit, sinon c’est syslog ou le journal systemd : --journal',
  'nothing in it left by another host, all went to {0}':
    'rien n’en est sorti par un autre hôte, tout est allé à {0}',
  'where that is the way out, name it: --relay {0}': 'si c’est la sortie, nommez-la : --relay {0}',
  '{0} recipients left out, who were taken no further than:':
    '{0} destinataires laissés de côté, menés seulement jusqu’à :',
  '  (--relay names the way out, where one of these is it)':
    '  (--relay nomme la sortie, si c’est l’une d’elles)',
  'it is a file of systemd: give it as --journal=FILE':
    'c’est un fichier de systemd : donnez-le par --journal=FICHIER',
  'it is the journal in a form for other uses: write it by {0}':
    'c’est le journal systemd sous une forme destinée à autre chose : écrivez-le par {0}',
  'it is a ZIP archive: {0}': 'c’est une archive ZIP : {0}',
  'it is a 7z archive: {0}': 'c’est une archive 7z : {0}',
  'it is a tar archive: {0}': 'c’est une archive tar : {0}',
  'it is UTF-16: {0}': 'c’est de l’UTF-16 : {0}',
  'it is a log of {0}, and toeh reads that of Postfix':
    'c’est un journal de {0}, et toeh lit celui de Postfix',
  'it is JSON with other names than those of docker, journalctl and rsyslog: {0}, with the field that has the whole line':
    'c’est du JSON avec d’autres noms que ceux de docker, journalctl et rsyslog : {0}, avec le champ qui contient la ligne entière',
  'it is no text': 'ce n’est pas du texte',
  'it is packed by {0}, which is not on this machine': 'il est comprimé par {0}, absent de cette machine',
  'apt install {0}, or unpack it first': 'apt install {0}, ou décomprimez-le d’abord',
  '{0} ended with status {1}': '{0} s’est terminé avec le statut {1}',
}

/** Help. */
export const LEARNING_HELP: Table = {
  'take the rest of a file that has faults, and list them':
    'prend le reste d’un fichier fautif, et énumère les fautes',
  'the column with the addresses, in a table that is no export; found where left out':
    'la colonne des adresses, dans un tableau qui n’est pas un export ; trouvée si elle manque',
  'take whole domains of freemail and other shared ones':
    'accepte des domaines entiers de messagerie gratuite ou autrement partagés',
  'take a whole domain of freemail or another shared one':
    'accepte un domaine entier de messagerie gratuite ou autrement partagé',
  'with --allow domain: take a whole domain of freemail or another shared one':
    'avec --allow domain : accepte un domaine entier de messagerie gratuite ou autrement partagé',
  'the way out, where mail leaves by this host alone: HOST or HOST:PORT as in the log':
    'la sortie, si le courrier ne part que par cet hôte : HÔTE ou HÔTE:PORT comme dans le journal',
}
