/** Whom the commands of `toeh doctor` affect, in French, and what it says before toeh init; see lib/text/fr/commands.ts. Pure. */
import type { Table } from '../translate.js'

export const FRENCH_MENDS: Table = {
  '          affects {0}': '          concerne {0}',
  'all outgoing mail: from the reload on Postfix starts the gate by this line':
    'tout le courrier sortant : dès le rechargement, Postfix lance le filtre par cette ligne',
  'the mail that waits for the gate: it is tried again, and decided on':
    'le courrier qui attend le filtre : il est retenté, et une décision est prise',
  'mail to more than 50 recipients: the gate gets it in parts':
    'le courrier à plus de 50 destinataires : le filtre le reçoit en plusieurs parties',
  'nobody: a run of the gate may take longer': 'personne : le filtre peut prendre plus de temps',
  'whoever writes to a domain with such letters: the mail goes to the one that was written':
    'quiconque écrit à un domaine avec de telles lettres : le courrier va à celui qui a été écrit',
  'Postfix has nothing of TOEH yet': 'Postfix n’a encore rien de TOEH',
  'outgoing mail goes to anybody, and nobody is asked':
    'le courrier sortant va à n’importe qui, et personne n’est interrogé',
  'all outgoing mail: it goes through the gate from the reload on, and what nobody knows is held once mode is enforce':
    'tout le courrier sortant : il passe par le filtre dès le rechargement, et ce que personne ne connaît est mis en attente une fois le mode à enforce',
  'all outgoing mail: what waits in the queue goes to the gate, and is decided on':
    'tout le courrier sortant : ce qui attend en file va au filtre, et une décision est prise',
  'nobody: the same mail goes to the gate, from one queue':
    'personne : le même courrier va au filtre, par une seule file',
  'programs of this host, cron and webmail among them: what they send to recipients nobody knows is held':
    'les programmes de cet hôte, dont cron et le webmail : ce qu’ils envoient à des destinataires inconnus est mis en attente',
  'incoming mail: it is not held any more; and whoever sends by the entrances: their mail meets the gate before the other filter':
    'le courrier entrant : il n’est plus mis en attente ; et quiconque envoie par les entrées : son courrier rencontre le filtre avant l’autre',
  '{0}: what they send by {1} to recipients nobody knows is held':
    '{0} : ce qu’ils envoient par {1} à des destinataires inconnus est mis en attente',
  'whoever writes to us from outside: their mail comes in and is not held any more':
    'quiconque nous écrit de l’extérieur : son courrier entre et n’est plus mis en attente',
  '{0}: they go on sending by {1}, and what they send to recipients nobody knows is held':
    '{0} : ils continuent d’envoyer par {1}, et ce qu’ils envoient à des destinataires inconnus est mis en attente',
  'whoever sends through {0} from another host: their connection is refused':
    'quiconque envoie par {0} depuis un autre hôte : sa connexion est refusée',
  'known mail that waits, and what is released: it goes on':
    'le courrier connu qui attend, et ce qui est libéré : il repart',
  'known mail that waits: it goes on, and does not come back to the gate':
    'le courrier connu qui attend : il repart, et ne revient pas au filtre',
  'whatever but the gate sends through {0}: it is taken as the sample says, or refused':
    'ce que d’autres que le filtre envoient par {0} : c’est pris comme le dit l’exemple, ou refusé',
  'programs of this host: what they send goes out, and nobody is asked':
    'les programmes de cet hôte : ce qu’ils envoient part, et personne n’est interrogé',
  'nobody: this host may run more processes of it': 'personne : cet hôte peut en lancer plus de processus',
  'whoever asks {0} for a delivery receipt: they get none':
    'quiconque demande à {0} un accusé de remise : il n’en reçoit pas',
  'nobody: the way back takes larger messages': 'personne : la voie de retour prend des messages plus grands',
  'whoever sends more than {0} bytes by {1}: it is refused, and not parked':
    'quiconque envoie plus de {0} octets par {1} : c’est refusé, et non mis en attente',
  'programs that read the log: queue ids become longer (docs/postfix.md)':
    'les programmes qui lisent le journal : les identifiants de file deviennent plus longs (docs/postfix.md)',
  'whoever writes to {0}: it is held where nobody knows the recipient':
    'quiconque écrit à {0} : c’est mis en attente si le destinataire n’est pas connu',
  'mail to and from {0}: it is our own, and what goes there passes':
    'le courrier vers et depuis {0} : il est des nôtres, et ce qui y va passe',
  'people with an address extension: rules and approvals for their address count for these, too':
    'les personnes dont l’adresse a une extension : les règles et les accords pour leur adresse valent aussi avec elle',
  'people with a .forward file: it does not count any more, and their mail stays here':
    'les personnes qui ont un fichier .forward : il ne compte plus, et leur courrier reste ici',
  'all outgoing mail: the filter can work again':
    'tout le courrier sortant : le filtre peut de nouveau travailler',
  'other users of this host: they do not read or change it any more':
    'les autres utilisateurs de cet hôte : ils ne le lisent et ne le changent plus',
  "nobody: logwatch's report has these lines again":
    'personne : le rapport de logwatch a de nouveau ces lignes',
  'rules and holds end too late, and the log and the audit are out of order: set the clock right':
    'règles et mises en attente finissent trop tard, le journal et l’audit sont en désordre : remettez l’horloge à l’heure',
  'rules and holds end too early or too late: let systemd-timesyncd or chrony keep it':
    'règles et mises en attente finissent trop tôt ou trop tard : confiez-la à systemd-timesyncd ou à chrony',
  'everybody who sends: Postfix reads its configuration, and takes mail':
    'tous ceux qui envoient : Postfix lit sa configuration, et prend le courrier',
  "processes of this host that send through it, and are neither root's nor the filter's: their connection is refused":
    'les processus de cet hôte qui envoient par elle sans être ni à root ni au filtre : leur connexion est refusée',
  'mail in the express lane: what the landscape knows passes, and nothing else':
    'le courrier de la voie express : ce que le paysage connaît passe, et rien d’autre',
  'whoever sends by {0}: all their mail goes to the filter':
    'quiconque envoie par {0} : tout son courrier va au filtre',
  'whoever sends by {0}: the lane is asked first, and what else stood in that list counts no more':
    'quiconque envoie par {0} : la voie est interrogée d’abord, et ce que cette liste avait d’autre ne compte plus',
  'nobody: {0} runs outside of its chroot': 'personne : {0} tourne hors de son chroot',
  'whoever writes by {0} to an address with other than ASCII letters: it is refused':
    'quiconque écrit par {0} à une adresse qui a d’autres lettres que celles d’ASCII : c’est refusé',
  'whoever sends by {0} without a login and from outside of mynetworks: they are refused':
    'quiconque envoie par {0} sans s’identifier et hors de mynetworks : il est refusé',
  'mail in the express lane: it passes by the rules of today':
    'le courrier de la voie express : il passe selon les règles d’aujourd’hui',
  'known mail that waits, and what is released: it goes on by that cleanup':
    'le courrier connu qui attend, et ce qui est libéré : il repart par ce cleanup',
  'known mail, and what is released: header_checks and body_checks are not applied a second time':
    'le courrier connu, et ce qui est libéré : header_checks et body_checks ne s’appliquent pas une seconde fois',
  'approvers: their answers are heard; and programs that read the log: queue ids become longer':
    'les approbateurs : leurs réponses sont entendues ; et les programmes qui lisent le journal : les identifiants de file deviennent plus longs',
  'all mail for a moment: Postfix is restarted': 'tout le courrier pour un instant : Postfix est redémarré',
  'nobody: the canary is not sent, and its sender is nobody':
    'personne : le canari n’est pas envoyé, et son expéditeur n’est personne',
  '{0} does not exist: toeh is not set up here': '{0} n’existe pas : toeh n’est pas installé ici',
  'all outgoing mail: it goes through the gate from the reload on, and passes until toeh mode enforce':
    'tout le courrier sortant : il passe par le filtre dès le rechargement, et part jusqu’à toeh mode enforce',
  'TOEH is not tried with it (docs/install.md says where to get another)':
    'TOEH n’est pas essayé avec elle (docs/install.md dit où en trouver une autre)',
  "it does not know smtpd_forbid_bare_newline=reject, a second net against SMTP smuggling: Debian's updates have a newer one":
    'il ne connaît pas smtpd_forbid_bare_newline=reject, second filet contre le SMTP smuggling : les mises à jour de Debian en ont un plus récent',
  'approvers: their answers are heard; and whoever writes to {0}: it goes to toeh moderate':
    'les approbateurs : leurs réponses sont entendues ; et quiconque écrit à {0} : cela va à toeh moderate',
}
