/** The words of learn, replay and import in French, of what they read and cannot read; see lib/text/fr/commands.ts. Pure. */
import type { Table } from '../translate.js'

export const FRENCH_LEARNING: Table = {
  'and {0} more: toeh known lists the rules, --json has the numbers too':
    'et {0} de plus : toeh known liste les règles, --json donne aussi les chiffres',
  // Import
  'a name has letters, digits, dots, hyphens and underscores, 64 at most':
    'un nom a des lettres, chiffres, points, traits d’union et tirets bas, 64 au plus',
  'there is no rule in it, so it is no list to go by; nothing was changed':
    'il ne contient aucune règle, ce n’est donc pas une liste qui fait foi ; rien n’a été changé',
  '{0} of {1} rules are not in it any more; nothing was changed':
    '{0} règles sur {1} n’y sont plus ; rien n’a été changé',
  '--dry-run shows them, --at-most {0} lets them end':
    '--dry-run les montre, --at-most {0} les laisse prendre fin',
  'it is a whole number from 0 to 100, and goes with --sync':
    'c’est un nombre entier de 0 à 100, et va avec --sync',
  'what has a fault would count as gone: not with --sync':
    'ce qui a une faute compterait comme disparu : pas avec --sync',
  // Proposals
  'one of them: --apply adds the rules, --csv writes them to be edited':
    'l’un des deux : --apply ajoute les règles, --csv les écrit pour être modifiées',
  '{0} in {1}; toeh import takes them, nothing was added':
    '{0} dans {1} ; toeh import les prend, rien n’a été ajouté',
  '{0} addresses': '{0} adresses',
  '{0} sender': '{0} expéditeur',
  '{0} senders': '{0} expéditeurs',
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
  'the list is the truth for this source: what is not in it any more ends':
    'la liste fait foi pour cette source : ce qui n’y est plus prend fin',
  'with --sync: how much of the source may end at once, in percent (default 10)':
    'avec --sync : quelle part de la source peut prendre fin d’un coup, en pour cent (10 par défaut)',
  'write the candidates into this file, to be edited and taken by toeh import':
    'écrit les candidats dans ce fichier, à modifier puis à donner à toeh import',
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
