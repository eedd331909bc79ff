/**
 * The words of doctor, express, init and fsck in French; lib/text/fr/commands.ts takes them in. Pure.
 *
 * It is long because it is a table.
 */
import type { Table } from '../translate.js'

/** What the checks of `toeh doctor` say. */
const CHECKS: Table = {
  "approvers' answers by mail go through {0}, behind the gate, and their logins are lost there":
    'les réponses d’approbateurs par courrier passent par {0}, derrière le filtre, et leurs identifiants s’y perdent',
  'a login is found by the queue id that the gate has passed the mail on as, and what that filter hands back has another: answers count by DKIM alone (docs/moderate.md)':
    'un identifiant se retrouve par l’identifiant de file sous lequel le filtre a transmis le courrier, et ce que rend cet autre filtre en a un autre : les réponses ne comptent que par DKIM (docs/moderate.md)',
  'its content_filter, {0}, does not lead to the gate again; what keeps a connection, as amavis does, is to be restarted after a reload':
    'son content_filter, {0}, ne ramène pas au filtre ; ce qui garde une connexion, comme amavis, est à redémarrer après un rechargement',
  'logwatch is not here; pflogsumm does not count status=SOFTBOUNCE, which a gate leaves that cannot run':
    'logwatch n’est pas là ; pflogsumm ne compte pas status=SOFTBOUNCE, que laisse un filtre qui ne peut tourner',
  'logwatch reads long queue ids; pflogsumm does not count status=SOFTBOUNCE, which a gate leaves that cannot run':
    'logwatch lit les longs identifiants de file ; pflogsumm ne compte pas status=SOFTBOUNCE, que laisse un filtre qui ne peut tourner',
  'logwatch is not told that queue ids are long':
    'logwatch ne sait pas que les identifiants de file sont longs',
  "it takes the log's lines for those of other programs, and its report lacks them":
    'il prend les lignes du journal pour celles d’autres programmes, et elles manquent à son rapport',
  '{0}: takes Received away on {1}': '{0} : retire Received sur {1}',
  "an approver's login is found by it, or by a long queue id: without both his answer is dropped":
    'l’identifiant d’un approbateur se retrouve par là, ou par un long identifiant de file : sans les deux, sa réponse est ignorée',
  'approvers who answer by mail through {0} have no login there: they are heard by DKIM, or where moderate.relays names the relay (docs/moderate.md)':
    'les approbateurs qui répondent par courrier à travers {0} n’y ont pas d’identifiant : ils sont entendus par DKIM, ou si moderate.relays nomme le relais (docs/moderate.md)',
  'approvers who answer by mail are heard, by their login or as moderate says':
    'les approbateurs qui répondent par courrier sont entendus, par leur identifiant ou comme le dit moderate',
  'approvers do not answer by mail': 'les approbateurs ne répondent pas par courrier',
  "approvers' answers by mail through {0} are dropped":
    'les réponses d’approbateurs par courrier à travers {0} sont ignorées',
  'a relay hands on no login, and nobody logs in here: name it in moderate.relays, if it lets nobody write as another (docs/moderate.md)':
    'un relais ne transmet aucun identifiant, et personne ne s’identifie ici : nommez-le dans moderate.relays, s’il ne laisse personne écrire au nom d’un autre (docs/moderate.md)',
  'A gate that cannot run leaves {0} in the log and the mail in the queue: pflogsumm does not count that (docs/postfix.md).':
    'Un filtre qui ne peut tourner laisse {0} dans le journal et le courrier en file : pflogsumm ne le compte pas (docs/postfix.md).',
  '{0} cannot be refused on pickup: it gives a receipt that says delivered of mail that is held.':
    '{0} ne peut être refusé sur pickup : il donne un accusé de remise pour du courrier retenu.',
  "The express lane is not on port 25: what relays there goes through the filter. The lane takes {0} and no chroot, which would be for the Internet's mail as well.":
    'La voie express n’est pas sur le port 25 : ce qui y est relayé passe par le filtre. La voie demande {0} et pas de chroot, ce qui vaudrait aussi pour le courrier d’Internet.',
  'Postfix copies no mail to an outside address that is not known':
    'Postfix ne copie de courrier à aucune adresse externe inconnue',
  '{0} copies mail to {1}, which is outside and not known':
    '{0} copie le courrier à {1}, adresse externe qui n’est pas connue',
  'every message that is copied there is held for that. If it is your archive: {0}':
    'chaque message qui y est copié est retenu pour cela. Si c’est votre archive : {0}',
  '{0}: where {1} copies mail to cannot be told': '{0} : on ne peut pas dire où {1} copie le courrier',
  'an archive outside is held with every message until it is known: look into it, and toeh allow it':
    'une archive externe est retenue avec chaque message jusqu’à ce qu’elle soit connue : regardez-la, et autorisez-la par toeh allow',
  'the service that runs toeh-filter is in master.cf, neither unprivileged nor in a chroot':
    'le service qui lance toeh-filter est dans master.cf, ni unprivileged ni dans un chroot',
  'no service of master.cf runs toeh-filter': 'aucun service de master.cf ne lance toeh-filter',
  'content_filter=toeh:dummy leads nowhere: all outgoing mail is deferred':
    'content_filter=toeh:dummy ne mène nulle part : tout le courrier sortant est différé',
  '{0} has {1}={2}': '{0} a {1}={2}',
  'pipe(8) finds neither node nor the filter in there: all outgoing mail is deferred':
    'pipe(8) n’y trouve ni node ni le filtre : tout le courrier sortant est différé',
  'pipe(8) cannot become the user of the filter: all outgoing mail is deferred':
    'pipe(8) ne peut pas prendre l’identité de l’utilisateur du filtre : tout le courrier sortant est différé',
  'flags=q and no other': 'flags=q et rien d’autre',
  'D and O defer the mail, R F B > . change bytes, u and h fold case, X claims final delivery':
    'D et O diffèrent le courrier, R F B > . changent des octets, u et h changent la casse, X déclare la livraison finale',
  'a quoted local part arrives without its quotes, and one recipient can turn into two':
    'une partie locale entre guillemets arrive sans eux, et un destinataire peut en devenir deux',
  'null_sender= is empty': 'null_sender= est vide',
  'null_sender= is missing': 'null_sender= manque',
  'bounces arrive with an address as their sender, which is foreign: they are all held':
    'les avis de non-livraison arrivent avec une adresse d’expédition, qui est étrangère : ils sont tous retenus',
  'no size= in the service': 'pas de size= dans le service',
  'pipe(8) bounces what is larger, before the gate sees it':
    'pipe(8) rejette ce qui est plus gros avant que le filtre ne le voie',
  'soft_bounce=yes on the service: a gate that cannot run leaves status=SOFTBOUNCE in the log, and the mail in the queue':
    'soft_bounce=yes sur le service : un filtre qui ne peut tourner laisse status=SOFTBOUNCE dans le journal, et le courrier en file',
  'what no program can catch, a missing filter or the time limit, bounces mail instead of keeping it in the queue':
    'ce qu’aucun programme ne peut rattraper, filtre absent ou délai dépassé, renvoie le courrier au lieu de le garder en file',
  'soft_bounce is not yes': 'soft_bounce n’est pas yes',
  'argv= hands over all that the filter asks for': 'argv= transmet tout ce que le filtre demande',
  'pipe(8) knows no {0}': 'pipe(8) ne connaît pas {0}',
  'argv= lacks {0}': 'il manque à argv= : {0}',
  'argv= does not end with -- and the recipients': 'argv= ne finit pas par -- et les destinataires',
  'all outgoing mail is deferred': 'tout le courrier sortant est différé',
  'the filter refuses to run, or cannot tell a whole message from a part, or a client from another':
    'le filtre refuse de démarrer, ou ne distingue pas un message entier d’un morceau, ni un client d’un autre',
  'the filter runs as a user of its own': 'le filtre a un utilisateur à lui',
  'pipe(8) refuses to run the filter: all outgoing mail is deferred':
    'pipe(8) refuse de lancer le filtre : tout le courrier sortant est différé',
  'at most {0} recipients a run': 'au plus {0} destinataires par exécution',
  'the gate sends to {0} recipients at once at most: mail to more is deferred for ever':
    'le filtre envoie à {0} destinataires à la fois au plus : le courrier qui en a davantage est différé sans fin',
  "pipe's time limit is longer than a run can take":
    'le délai de pipe dépasse la durée maximale d’une exécution',
  '{0} = {1}, deadline_seconds, answer_seconds and busy_seconds make {2} s':
    '{0} = {1} ; deadline_seconds, answer_seconds et busy_seconds font {2} s',
  'pipe(8) kills a filter that would have ended itself, maybe after the mail went on: it is sent twice':
    'pipe(8) tue un filtre qui se serait arrêté de lui-même, peut-être après l’envoi : le courrier part deux fois',
  'Postfix takes internationalised domains for the same as the gate does':
    'Postfix comprend les domaines internationalisés comme le filtre',
  'mail that was decided on as to xn--strae-oqa.example goes to strasse.example, another domain':
    'un courrier jugé pour xn--strae-oqa.example part vers strasse.example, un autre domaine',
  'it runs as pipe(8) would run it, as its user, in its folder and environment':
    'il démarre comme pipe(8) le lancerait : même utilisateur, même dossier, même environnement',
  'this is what would happen to every outgoing message': 'c’est ce qui arriverait à tout message sortant',
  'only root can run it as another user': 'seul root peut le lancer sous un autre utilisateur',
  'it ends with {0}: {1}': 'il se termine par {0} : {1}',
  'the unit of systemd that Postfix runs in, if any, leaves the filter what it needs':
    'l’unité systemd de Postfix, s’il y en a une, laisse au filtre ce qu’il lui faut',
  '{0} has {1}={2} ({3})': '{0} a {1}={2} ({3})',
  'Node compiles as it runs, and crashes: all outgoing mail is deferred':
    'Node compile pendant qu’il tourne, et plante : tout le courrier sortant est différé',
  'Node makes system calls that are not in it, {0}: all outgoing mail is deferred':
    'Node fait des appels système qui n’y sont pas, {0} : tout le courrier sortant est différé',
  '{0} is read-only for the filter: all outgoing mail is deferred':
    '{0} est en lecture seule pour le filtre : tout le courrier sortant est différé',
  'the filter cannot see what it needs: all outgoing mail is deferred':
    'le filtre ne voit pas ce dont il a besoin : tout le courrier sortant est différé',
  'the filter cannot reach the way on: known mail is deferred':
    'le filtre n’atteint pas la suite du chemin : le courrier connu est différé',
  'toeh release runs outside of that network, and cannot reach the way back':
    'toeh release tourne hors de ce réseau et n’atteint pas la voie de retour',
  'postdrop, which sendmail(1) runs, is set-gid: known mail is deferred':
    'postdrop, que sendmail(1) lance, est set-gid : le courrier connu est différé',
  'Node does not start with so little, or not as often as Postfix starts it':
    'Node ne démarre pas avec si peu, ou pas aussi souvent que Postfix le lance',
  'Node, the filter, its configuration and its state folder have to be in there':
    'Node, le filtre, sa configuration et son dossier d’état doivent s’y trouver',
  'user= is missing': 'user= manque',
  'there is no user {0}': 'il n’y a pas d’utilisateur {0}',
  'there is no group {0}': 'il n’y a pas de groupe {0}',
  'user= is root': 'user= est root',
  "user={0} is Postfix's own": 'user={0} est celui de Postfix',
  "group {0} is postdrop's": 'le groupe {0} est celui de postdrop',
  'the filter cannot work without it: all mail that Postfix gives it is deferred':
    'le filtre ne peut pas travailler sans lui : tout le courrier que Postfix lui donne est différé',
  '{0} does not exist': '{0} n’existe pas',
  'what a command does to it as root is done to something else':
    'ce qu’une commande y fait en root s’applique à autre chose',
  '{0} is a link': '{0} est un lien',
  '{0} has mode {1} and belongs to uid {2}': '{0} a le mode {1} et appartient à l’uid {2}',
  'others read or change held mail, or say who is known':
    'd’autres lisent ou modifient le courrier retenu, ou décident qui est connu',
  'the filter cannot use it, or others decide who is known':
    'le filtre ne peut pas s’en servir, ou d’autres décident qui est connu',
  'Postfix is {0} or newer, Node {1} or newer': 'Postfix {0} ou plus récent, Node {1} ou plus récent',
  '{0} is {1}, older than {2}': '{0} est en version {1}, antérieure à {2}',
  "the state folder is the filter's alone, and it can read its configuration":
    'le dossier d’état n’est qu’au filtre, qui peut lire sa configuration',
  'more than {0} MiB and {1} files are free': 'plus de {0} Mio et de {1} fichiers sont libres',
  '{0} has {1} MiB and {2} files left': 'il reste à {0} {1} Mio et {2} fichiers',
  'on a full disk nothing can be parked or looked up safely: all outgoing mail is deferred':
    'sur un disque plein rien ne peut être retenu ni cherché sûrement : tout le courrier sortant est différé',
  'the clock has not gone back, and nobody says that it is not kept':
    'l’horloge n’a pas reculé, et rien ne dit qu’elle n’est pas tenue à l’heure',
  'the database knows of a time {0} minutes from now: the clock was set back':
    'la base connaît une heure {0} minutes dans le futur : l’horloge a été reculée',
  'the clock is not kept by the network': 'l’horloge n’est pas tenue à l’heure par le réseau',
  'it opens, and its schema is the one this program knows':
    'elle s’ouvre, et son schéma est celui que ce programme connaît',
  'the filter looks every recipient up in it: all mail that Postfix gives it is deferred':
    'le filtre y cherche chaque destinataire : tout le courrier que Postfix lui donne est différé',
  'what waits is well below limits.hold_messages and limits.hold_megabytes, where they are set':
    'ce qui attend est loin de limits.hold_messages et limits.hold_megabytes, s’ils sont fixés',
  '{0} message waits': '{0} message attend',
  '{0} messages wait': '{0} messages attendent',
  '{0} wait': '{0} attendent',
  '{0}, of at most {1}': '{0}, sur {1} au plus',
  'mail to recipients who are unknown is deferred where the hold is full; what is known passes':
    'quand le dépôt est plein, le courrier vers des inconnus est différé ; ce qui est connu passe',
  'the way back answers, and offers XFORWARD': 'la voie de retour répond, et propose XFORWARD',
  'known mail cannot go on: all of it is deferred':
    'le courrier connu ne peut pas continuer : il est tout entier différé',
  'the log of the copy names neither the client nor the first queue id':
    'le journal de la copie ne nomme ni le client ni le premier identifiant de file',
  'the way back does not offer XFORWARD': 'la voie de retour ne propose pas XFORWARD',
  'no process but root and the filter reaches the way back':
    'aucun processus, hors root et le filtre, n’atteint la voie de retour',
  'it is a way round the gate for every process on this host':
    'tout processus de cette machine peut ainsi contourner le filtre',
  'only root can try whether other users reach the way back':
    'seul root peut essayer si d’autres utilisateurs atteignent la voie de retour',
  "other users' processes reach {0}:{1}": 'les processus d’autres utilisateurs atteignent {0}:{1}',
  'it is damaged': 'il est endommagé',
  'no answer': 'pas de réponse',
  'the connection was closed': 'la connexion a été fermée',
  '{0} has a content_filter without a next hop': '{0} a un content_filter sans destination suivante',
  'Postfix keeps a queue for each recipient domain and starts the filter once for each':
    'Postfix tient une file par domaine destinataire et lance le filtre une fois pour chacune',
  '{0} does not hand its mail to the gate': '{0} ne confie pas son courrier au filtre',
  'any process on this host sends to anybody through it':
    'tout processus de cette machine écrit par là à n’importe qui',
  'what is sent through it goes to anybody, and nobody is asked':
    'ce qui passe par là va à n’importe qui, sans que personne ne soit consulté',
  'whoever logs in': 'quiconque s’authentifie',
  'an outside address in it would be a way round the gate: look into it':
    'une adresse externe y contournerait le filtre : regardez dedans',
  '{0}: {1} cannot be listed': '{0} : {1} ne peut pas être listée',
  '{0}: {1} leads outside, to {2}': '{0} : {1} mène dehors, à {2}',
  'local(8) expands it behind the gate: mail to this name leaves, and nobody is asked':
    'local(8) le développe derrière le filtre : le courrier à ce nom sort sans que personne ne soit consulté',
  'mail from outside to this address, which passes no gate, goes on to there':
    'le courrier venu de dehors pour cette adresse, qui ne passe aucun filtre, y continue',
  '{0} is not on loopback alone': '{0} n’est pas sur la seule interface loopback',
  'whoever reaches this host sends to anybody through it, and nobody is asked':
    'quiconque atteint cette machine écrit par là à n’importe qui, sans que personne ne soit consulté',
  'no service of master.cf listens on {0}:{1}': 'aucun service de master.cf n’écoute sur {0}:{1}',
  'what the gate sends on comes back to it: all known mail is deferred':
    'ce que le filtre renvoie lui revient : tout le courrier connu est différé',
  'main.cf may refuse here what was checked before, or change it':
    'main.cf peut refuser ici ce qui a déjà été vérifié, ou le modifier',
  'submission, submissions and whatever else takes outgoing mail by SMTP hand it to the gate':
    'submission, submissions et tout ce qui prend du courrier sortant par SMTP le confient au filtre',
  'mail of sendmail(1) goes to the gate, and not in a circle':
    'le courrier de sendmail(1) va au filtre, et ne tourne pas en rond',
  '{0} has a content_filter, and sendmail is the way on':
    '{0} a un content_filter, et la suite passe par sendmail',
  'what the gate sends on comes back to it: mail goes in a circle until Postfix has counted enough':
    'ce que le filtre renvoie lui revient : le courrier tourne en rond jusqu’à ce que Postfix s’en aperçoive',
  'port 25 takes no outgoing mail that the gate does not see':
    'le port 25 ne prend aucun courrier sortant que le filtre ne voie pas',
  '{0} hands mail from outside to the gate': '{0} confie au filtre du courrier venu de dehors',
  'its senders are foreign: all incoming mail is held':
    'ses expéditeurs sont étrangers : tout le courrier entrant est retenu',
  'whoever has a certificate': 'quiconque a un certificat',
  anybody: 'n’importe qui',
  '{0} hands to the gate what another filter hands back': '{0} confie au filtre ce qu’un autre filtre rend',
  'that is incoming mail as well, and what of it leads outside has a foreign sender and is held. Let the entrances have the gate, and the way back that filter (docs/postfix.md); restart that filter after the reload, or mail goes in a circle on the connection that it keeps open, until Postfix refuses it':
    'c’est aussi le courrier entrant, et ce qui en repart vers l’extérieur a un expéditeur étranger et est retenu. Mettez TOEH aux entrées, et cet autre filtre à la voie de retour (docs/postfix.md) ; redémarrez ce filtre après le rechargement, sinon le courrier tourne en rond sur la connexion qu’il garde ouverte, jusqu’à ce que Postfix le refuse',
  '{0} hands mail to {1}, and not to the gate ({2})': '{0} confie du courrier à {1}, et non au filtre ({2})',
  'who sends there goes round the gate: take out what lets them, then toeh init --postfix --relay':
    'qui envoie par là contourne le filtre : enlevez ce qui l’y autorise, puis toeh init --postfix --relay',
  '{0} hands mail to {1}:{2} ({3}), and {4} hands it to anybody without the gate':
    '{0} remet du courrier à {1}:{2} ({3}), et {4} le passe à n’importe qui sans le filtre',
  'what its users and lists send outside goes round the gate: give that service the gate, or let the program hand its mail to one that has it':
    'ce que ses utilisateurs et ses listes envoient dehors contourne le filtre : donnez le filtre à ce service, ou faites remettre le courrier du programme à un service qui l’a',
  'no program of this host hands mail over where the gate does not stand':
    'aucun programme de cette machine ne remet de courrier là où le filtre n’est pas',
  'its content_filter does not lead to the gate again': 'son content_filter ne ramène pas au filtre',
  'whoever hands over outgoing mail by SMTP is not offered DSN, which does not survive pipe(8); sendmail -N success still gets a receipt for what is held':
    'à qui remet du courrier sortant par SMTP, DSN n’est pas proposé, qui ne survit pas à pipe(8) ; sendmail -N success obtient quand même un accusé pour ce qui est retenu',
  'who asks for a delivery receipt is told that mail was delivered which the gate holds':
    'qui demande un accusé de remise apprend comme remis un courrier que le filtre retient',
  'the entrances take at least {0} kB less than the way back':
    'les entrées acceptent au moins {0} ko de moins que la voie de retour',
  'that is half the Internet, and an open relay': 'c’est la moitié d’Internet, et un relais ouvert',
  '{0} relays for {1}, without the gate': '{0} relaie pour {1}, sans le filtre',
  'who sends there instead of to submission goes round the gate':
    'qui envoie par là plutôt que par submission contourne le filtre',
  'the service behind `reinject` is in master.cf, on loopback alone':
    'le service derrière `reinject` est dans master.cf, sur la seule interface loopback',
  'its restrictions and options are those of the sample':
    'ses restrictions et ses options sont celles de l’exemple',
  'it has at least as many processes as the gate': 'il a au moins autant de processus que le filtre',
  '{0} has {1} processes, {2} {3}': '{0} a {1} processus, {2} en a {3}',
  'the gate waits for itself: under load mail is deferred':
    'le filtre s’attend lui-même : en charge, le courrier est différé',
  '{0} offers DSN': '{0} propose DSN',
  '{0} takes {1} bytes, the way back {2}': '{0} accepte {1} octets, la voie de retour {2}',
  'a message that has just fitted is refused behind the gate, and parked':
    'un message à peine assez petit est refusé après le filtre, et retenu',
  'queue ids are long': 'les identifiants de file sont longs',
  'short ones come back after a while: lines of the log can no longer be told apart':
    'les courts reviennent au bout d’un temps : les lignes du journal ne se distinguent plus',
  'enable_long_queue_ids is not yes': 'enable_long_queue_ids n’est pas yes',
  "recipient_delimiter is Postfix's own": 'recipient_delimiter est celui de Postfix',
  '{0} does not say what recipient_delimiter is in Postfix':
    '{0} ne dit pas ce qu’est recipient_delimiter dans Postfix',
  "a block for anna holds anna.smith's mail too, and an allow for anna does not pass what she sends as anna+list":
    'un blocage pour anna retient aussi le courrier d’anna.smith, et une autorisation pour anna ne vaut pas pour ce qu’elle envoie en tant que anna+list',
  'recipient_delimiter is {0} in {1}, and {2} in Postfix':
    'recipient_delimiter est {0} dans {1}, et {2} dans Postfix',
  'with an address extension people evade blocks for them, approval by two, and the limit on notices':
    'par une extension d’adresse on échappe aux blocages qui visent quelqu’un, à l’accord de deux approbateurs et à la limite des avis',
  'mail of one person counts as that of another': 'le courrier de l’un passe pour celui d’un autre',
  "internal_domains are Postfix's own domains": 'internal_domains sont les domaines de Postfix',
  "notices reach every approver, as far as Postfix's aliases and lists of recipients say":
    'les avis atteignent chaque approbateur, d’après les alias et les listes de destinataires de Postfix',
  'Postfix has nobody here of the name {0}, who is an approver':
    'Postfix n’a personne ici du nom de {0}, qui est approbateur',
  'notices to there reach nobody, and held mail expires unread':
    'les avis n’y atteignent personne, et le courrier retenu expire sans avoir été lu',
  'whether {0} is an alias cannot be told: virtual_alias_maps cannot be asked':
    'impossible de savoir si {0} est un alias : virtual_alias_maps ne peut être interrogé',
  'the way back maps no aliases, and notices to one would bounce unseen':
    'la voie de retour ne résout pas les alias, et un avis envoyé à l’un d’eux serait rejeté sans que personne le voie',
  "Dovecot's Sieve forwards in the name of the one who forwards, or is not here":
    'Sieve de Dovecot transfère au nom de celui qui transfère, ou n’est pas ici',
  "Dovecot's sieve_redirect_envelope_from is {0}, not recipient":
    'sieve_redirect_envelope_from de Dovecot vaut {0}, et non recipient',
  'what people forward by Sieve has an outside sender and is held, and they are not told':
    'ce que les gens transfèrent par Sieve a un expéditeur extérieur et est retenu, et ils n’en sont pas prévenus',
  '{0} has {1} as internal, Postfix does not': '{0} déclare {1} interne, Postfix non',
  '{0} has {1} as internal, Postfix does not name it outside its tables':
    '{0} déclare {1} interne, Postfix ne le nomme pas hors de ses tables',
  'mail to there leaves this host, and nobody is asked':
    'ce courrier quitte la machine sans que personne ne soit consulté',
  "{0} is Postfix's own, and not in internal_domains of {1}":
    '{0} est à Postfix, et n’est pas dans internal_domains de {1}',
  'mail between colleagues is held, and mail from there is from a foreign sender':
    'le courrier entre collègues est retenu, et celui qui en vient a un expéditeur étranger',
  'no alias of local(8) leads outside': 'aucun alias de local(8) ne mène dehors',
  'no virtual alias leads outside': 'aucun alias virtuel ne mène dehors',
  '.forward files are off': 'les fichiers .forward sont désactivés',
  'local(8) expands .forward files behind the gate: everybody with a home folder can send his mail outside':
    'local(8) suit les fichiers .forward derrière le filtre : quiconque a un dossier personnel peut envoyer son courrier dehors',
  'its mail goes there, and neither content_filter nor a FILTER action sees any: let that filter hand it on to a service with content_filter={0}':
    'son courrier va là, et ni content_filter ni une action FILTER n’en voit : que ce filtre le passe à un service avec content_filter={0}',
  'it can write other recipients into what the gate says, and nobody is asked about them':
    'il peut écrire d’autres destinataires dans ce que dit le filtre, sans que personne ne soit consulté sur eux',
  'what the gate sends on goes to another filter, and may come back to it':
    'ce que le filtre transmet va à un autre filtre, et peut lui revenir',
  '{0} hands only some of its mail to the gate: {1} comes before its FILTER':
    '{0} ne passe au filtre qu’une partie de son courrier : {1} vient avant son FILTER',
  'what does not come to the FILTER goes to anybody, and nobody is asked':
    'ce qui n’arrive pas au FILTER va à n’importe qui, sans que personne ne soit consulté',
  'smtp(8) rewrites no recipient outside': 'smtp(8) ne réécrit aucun destinataire externe',
  'one that rewrites recipients leads mail elsewhere behind the gate: look into it':
    'une qui réécrit des destinataires mène du courrier ailleurs après le filtre : regardez dedans',
  '{0}: {1} is rewritten to {2} when mail leaves': '{0} : {1} est réécrit en {2} quand le courrier sort',
  'mail to this recipient goes on under another name, and nobody is asked about that':
    'le courrier pour ce destinataire part sous un autre nom, sans que personne ne soit consulté',
  'no header_checks or body_checks lead mail round the gate':
    'ni header_checks ni body_checks ne font contourner le filtre',
  'no access table leads mail round the gate': 'aucune table d’accès ne fait contourner le filtre',
  'nothing looks into the mail on the way back, or adds recipients there':
    'sur la voie de retour, rien n’inspecte le courrier ni n’y ajoute de destinataires',
  'goes round the gate': 'contourne le filtre',
  'FILTER takes the place of every other filter, for the whole message, and nobody is asked: take it out, or write FILTER {0}dummy':
    'FILTER prend la place de tout autre filtre, pour le message entier, sans que personne ne soit consulté : enlevez-le, ou écrivez FILTER {0}dummy',
  'the whole message goes there instead of to its recipients, before any filter, and nobody is asked: take it out':
    'le message entier va là au lieu d’aller à ses destinataires, avant tout filtre, sans que personne ne soit consulté : enlevez-le',
  "keeps mail in Postfix's own hold queue": 'garde du courrier dans la file hold de Postfix',
  'toeh list does not show it, and nobody is told that it waits: take it out, or look into postqueue -p':
    'toeh list ne le montre pas, et personne n’est averti qu’il attend : enlevez-le, ou regardez postqueue -p',
  'copies mail to outside': 'copie du courrier au-dehors',
  'the gate is asked about it, and where it is known the sender does not see who reads along: take it out where it is not meant':
    'le filtre est consulté, mais si l’adresse est connue l’expéditeur ne voit pas qui lit aussi : enlevez-le s’il n’est pas voulu',
  'adds a recipient that the gate does not see': 'ajoute un destinataire que le filtre ne voit pas',
  'sends back to the gate what it sends on': 'renvoie au filtre ce que celui-ci transmet',
  'that mail is deferred, or goes in a circle: take it out':
    'ce courrier est différé, ou tourne en rond : enlevez-le',
  'it is added to what the gate sends on: take it out':
    'il s’ajoute à ce que le filtre transmet : enlevez-le',
  '{0} {1}, line {2}, {3}': '{0} {1}, ligne {2}, {3}',
  ' (and {0} more)': ' (et {0} de plus)',
  '{0}: {1} {2}{3} ({4})': '{0} : {1} {2}{3} ({4})',
  '{0} {1} cannot be listed ({2})': '{0} {1} ne peut pas être listée ({2})',
  'it is there to add recipients, and the gate does not see them: take it out':
    'elle sert à ajouter des destinataires, et le filtre ne les voit pas : enlevez-la',
  'a FILTER, REDIRECT or BCC in it would go round the gate: look into it':
    'un FILTER, REDIRECT ou BCC y contournerait le filtre : regardez dedans',
  '{0} asks check_policy_service {1}, whose answers cannot be listed ({2})':
    '{0} interroge check_policy_service {1}, dont les réponses ne peuvent pas être listées ({2})',
  'a FILTER, REDIRECT or BCC among them would go round the gate: look into it':
    'un FILTER, REDIRECT ou BCC parmi elles contournerait le filtre : regardez dedans',
  '{0} {1} may add recipients that the gate does not see ({2})':
    '{0} {1} peut ajouter des destinataires que le filtre ne voit pas ({2})',
  '{0}: name it in trusted_milters of {1} if it adds none, or take it out there':
    '{0} : nommez-le dans trusted_milters de {1} s’il n’en ajoute pas, ou enlevez-le là',
  'what it adds goes out, and nobody is asked': 'ce qu’il ajoute sort, sans que personne ne soit consulté',
  '{0} names a cleanup service that master.cf does not have':
    '{0} nomme un service cleanup que master.cf n’a pas',
  '{0} is served by {1}, where {2} would count': '{0} est servi par {1}, où {2} compteraient',
  '{0} is served by {1}, where {2} count': '{0} est servi par {1}, où {2} comptent',
  'on the way back they are applied once more: BCC and REDIRECT lead elsewhere what the gate has decided on':
    'sur la voie de retour ils s’appliquent encore : BCC et REDIRECT mènent ailleurs ce que le filtre a décidé',
  'others than this host may send through it, and nobody is asked':
    'd’autres que cette machine peuvent écrire par là, sans que personne ne soit consulté',
  'it may relay for others than this host, or refuse what the gate lets out':
    'il peut relayer pour d’autres que cette machine, ou refuser ce que le filtre laisse sortir',
  'what is sent is not what the gate decided on, or stray line ends are no longer repaired':
    'ce qui part n’est pas ce sur quoi le filtre a décidé, ou les fins de ligne isolées ne sont plus réparées',
  'the log does not show whose mail it was, or others may say whose it is':
    'le journal ne dit pas à qui était le courrier, ou d’autres peuvent le dire',
  'a slip of the line ends would be SMTP smuggling instead of a refusal':
    'une fin de ligne fautive serait du SMTP smuggling au lieu d’un refus',
  'loopback is excluded from the defence against SMTP smuggling':
    'loopback est exclue de la protection contre le SMTP smuggling',
  'the copy does not show that it comes from the gate: where it comes back, nothing notices the loop':
    'la copie ne montre pas qu’elle vient du filtre : si elle revient, rien ne remarque la boucle',
  'headers are rewritten after the sender has signed them':
    'des en-têtes sont réécrits après que l’expéditeur les a signés',
  "{0} is not for the toeh user and Postfix's group alone":
    '{0} n’est pas réservé à l’utilisateur toeh et au groupe de Postfix',
  '{0} cannot be read: {1}': '{0} ne peut pas être lu : {1}',
  'mail is not taken, or is passed that should go to the filter':
    'du courrier n’est pas accepté, ou passe alors qu’il devrait aller au filtre',
  '{0} is not as it should be': '{0} n’est pas comme il devrait être',
  '{0} asks the express lane, which is off': '{0} interroge la voie express, qui est fermée',
  'nothing passes there, and who reads master.cf thinks so':
    'rien n’y passe, et qui lit master.cf croit le contraire',
  '{0}: smtpd_recipient_restrictions does not begin with the lane':
    '{0} : smtpd_recipient_restrictions ne commence pas par la voie express',
  'what stands before it may let mail by that should go to the filter':
    'ce qui la précède peut laisser passer du courrier qui devrait aller au filtre',
  '{0}: chrooted, it cannot see a cut-off write':
    '{0} : dans un chroot, il ne voit pas une écriture interrompue',
  'the look-up opens the log of the lane by its path':
    'la recherche ouvre le journal de la voie express par son chemin',
  '{0}: with {1} Postfix takes a sharp s for ss, and lets mail to a stranger by':
    '{0} : avec {1}, Postfix prend ß pour ss et laisse passer du courrier vers un inconnu',
  'the lane is asked about the folded address, and the mail goes to the one that was written':
    'la voie express est interrogée sur l’adresse repliée, et le courrier va à celle qui a été écrite',
  '{0}: smtpd_relay_restrictions ends without reject: anybody could relay to known recipients':
    '{0} : smtpd_relay_restrictions finit sans reject : n’importe qui pourrait relayer vers des destinataires connus',
  "the lane's OK ends smtpd_recipient_restrictions, and nothing else asks who is sending":
    'le OK de la voie express termine smtpd_recipient_restrictions, et rien d’autre ne demande qui envoie',
  '{0} {1} cannot be listed: it may lead known recipients elsewhere, past the filter':
    '{0} {1} ne peut pas être listée : elle peut mener des destinataires connus ailleurs, sans le filtre',
  '{0} {1}: {2} leads a known recipient elsewhere, past the filter':
    '{0} {1} : {2} mène un destinataire connu ailleurs, sans le filtre',
  '{0} {1}: {2} leads mail to postmaster outside, past the filter':
    '{0} {1} : {2} mène le courrier pour postmaster au-dehors, sans passer par le filtre',
  'masquerade_domains {0} leads recipients elsewhere, past the filter':
    'masquerade_domains {0} mène des destinataires ailleurs, sans le filtre',
  '{0}: with smtpd_proxy_filter no FILTER of the lane counts':
    '{0} : avec smtpd_proxy_filter, aucun FILTER de la voie express ne compte',
  'mail to strangers goes there as known mail does: take the service out of the lane':
    'le courrier vers des inconnus y va comme le courrier connu : sortez le service de la voie express',
  'Postfix has asked the lane about the others by then: take it out, or leave the service out of the lane':
    'Postfix a déjà interrogé la voie express sur les autres : enlevez cette ligne, ou laissez le service hors de la voie express',
  'Postfix has asked the lane about the others by then, and nobody is asked about these':
    'Postfix a déjà interrogé la voie express sur les autres, et personne n’est consulté sur ceux-ci',
  'nothing adds recipients to mail of the express lane, or leads it elsewhere':
    'rien n’ajoute de destinataires au courrier de la voie express, ni ne le mène ailleurs',
  'Postfix expands these after it has asked the lane, and nobody is asked about where they lead':
    'Postfix les développe après avoir interrogé la voie express, et personne n’est consulté sur leur cible',
  '{0} rows of the lane differ from the landscape ({1})':
    '{0} lignes de la voie express diffèrent du paysage ({1})',
  'what was revoked may pass, or what is known goes to the filter':
    'ce qui a été révoqué peut passer, ou ce qui est connu va au filtre',
  'the express lane is off, or Postfix can read what it has to, and nobody else':
    'la voie express est fermée, ou Postfix peut lire ce qu’il lui faut, et lui seul',
  'services in the express lane begin with it, and say who may send':
    'les services de la voie express commencent par elle, et disent qui peut envoyer',
  'no alias leads mail of the express lane elsewhere':
    'aucun alias ne mène ailleurs le courrier de la voie express',
  "the express lane's rows are what the landscape says":
    'les lignes de la voie express sont celles du paysage',
  'nothing else can be looked at before': 'rien d’autre ne peut être examiné avant',
  '{0} passed the gate as {1}: {2}': '{0} a passé le filtre sous {1} : {2}',
  'TOEH {0}: {1} critical, {2} warnings, {3} unknown, {4} good':
    'TOEH {0} : {1} critiques, {2} alertes, {3} inconnus, {4} bons',
  'good      {0}': 'bon       {0}',
  'unknown   {0}': 'inconnu   {0}',
  'warning   {0}': 'alerte    {0}',
  'critical  {0}': 'critique  {0}',
  'What mends it, in a root shell:': 'Pour réparer, dans un shell root :',
  // Canary
  'what sendmail(1) takes does not pass the gate, or waits before it':
    'ce que sendmail(1) accepte ne passe pas le filtre, ou attend avant lui',
  '{0} is not known: the canary is held in {1}': '{0} n’est pas connu : le canari est retenu dans {1}',
  'it has come as far as the gate, and no further': 'il est arrivé jusqu’au filtre, et pas plus loin',
  'without a queue id it cannot be followed: sendmail is the way on':
    'sans identifiant de file il ne peut pas être suivi : la suite passe par sendmail',
  'the gate has sent it on under no queue id': 'le filtre l’a envoyé sans identifiant de file',
  'it has left the queue; there is no log file that says more':
    'il a quitté la file ; aucun fichier journal n’en dit plus',
  'it is still in the queue; there is no log file that says more':
    'il est encore dans la file ; aucun fichier journal n’en dit plus',
  'whether it was delivered is written in the log alone': 'seul le journal dit s’il a été livré',
  'behind the gate, as {0}: {1}': 'après le filtre, sous {0} : {1}',
  'no delivery was tried': 'aucune livraison n’a été tentée',
  'what the gate lets out does not arrive': 'ce que le filtre laisse sortir n’arrive pas',
  'it ended with {0}': 'il s’est terminé par {0}',
  'the canary waits as {0}: {1}': 'le canari attend sous {0} : {1}',
  'the canary has not come to the gate, and is not in the queue':
    'le canari n’est pas arrivé au filtre, et n’est pas dans la file',
  'the canary has gone past the gate: {0}': 'le canari a contourné le filtre : {0}',
}

/** What `toeh init` and `toeh express` say. */
const SETUP: Table = {
  'there is no Postfix here': 'il n’y a pas de Postfix ici',
  'there is no main.cf: Postfix has no configuration there':
    'il n’y a pas de main.cf : Postfix n’a là aucune configuration',
  'it is no file of its own: a change would take the place of the link':
    'ce n’est pas un fichier à part entière : un changement prendrait la place du lien',
  'put the file itself there, or set the gate up by hand (docs/postfix.md)':
    'mettez-y le fichier lui-même, ou installez le filtre à la main (docs/postfix.md)',
  'diff(1) failed': 'diff(1) a échoué',
  'postconf(1) has not made every change': 'postconf(1) n’a pas fait tous les changements',
  'set the gate up by hand (docs/postfix.md)': 'installez le filtre à la main (docs/postfix.md)',
  'put it away; then nothing can be undone': 'ôtez-le ; plus rien ne pourra alors être défait',
  'somebody else has changed it meanwhile': 'quelqu’un d’autre l’a changé entre-temps',
  'run it again': 'relancez la commande',
  '{0}: both files are as they were': '{0} : les deux fichiers sont comme avant',
  'where postfix check fails now as well, mend that first':
    'si postfix check échoue maintenant aussi, réparez cela d’abord',
  'nothing of ours is written down there': 'rien de nous n’y est noté',
  'what was set up by hand is taken out by hand (README.md)':
    'ce qui a été installé à la main s’enlève à la main (README.md)',
  'take it out by hand, then run this again; as they were: {0}':
    'enlevez-le à la main, puis relancez ; fichiers d’avant : {0}',
  '{0}, and {1} more: somebody has changed it since': '{0}, et {1} de plus : quelqu’un l’a changé depuis',
  '{0}: somebody has changed it since': '{0} : quelqu’un l’a changé depuis',
  '{0} leads to the gate, and is not ours': '{0} mène au filtre, et n’est pas de nous',
  'there is more than one instance of Postfix': 'il y a plus d’une instance de Postfix',
  'say which has the gate, by --config-dir FOLDER': 'dites laquelle a le filtre, par --config-dir DOSSIER',
  'a service of this name is there already, and does not run toeh-filter':
    'un service de ce nom existe déjà, et ne lance pas toeh-filter',
  'a service of this name is there already, and does not run {0}':
    'un service de ce nom existe déjà, et ne lance pas {0}',
  'take it out, or leave the express lane off (docs/express.md)':
    'enlevez-le, ou laissez la voie express fermée (docs/express.md)',
  'give it another name, or set the gate up by hand (docs/postfix.md)':
    'donnez-lui un autre nom, ou installez le filtre à la main (docs/postfix.md)',
  'it runs toeh-filter already': 'il lance déjà toeh-filter',
  'call it {0}, or take it out': 'nommez-le {0}, ou enlevez-le',
  'set reinject in {0} to a free port': 'dans {0}, donnez à reinject un port libre',
  'its port belongs to another: it runs {0}': 'son port est à un autre : il lance {0}',
  '{0}: it is not the way back': '{0} : ce n’est pas la voie de retour',
  '{0}, or see what toeh doctor says': '{0}, ou voyez ce que dit toeh doctor',
  'smtpd_proxy_filter={0} takes its mail, and a content_filter there sees none':
    'smtpd_proxy_filter={0} prend son courrier, et un content_filter n’y voit rien',
  'content_filter={0} is there already, and Postfix takes one':
    'content_filter={0} est déjà là, et Postfix n’en prend qu’un',
  '{0} has a FILTER of its own': '{0} a déjà un FILTER à lui',
  'put the express lane in by hand (docs/express.md)':
    'installez la voie express à la main (docs/express.md)',
  'smtpd_relay_restrictions ends without reject: anybody could relay to known recipients':
    'smtpd_relay_restrictions finit sans reject : n’importe qui pourrait relayer vers des destinataires connus',
  'content_filter={0} is for port 25 as well: all incoming mail would be held':
    'content_filter={0} vaut aussi pour le port 25 : tout le courrier entrant serait retenu',
  'make a content_filter of it, in the place of the proxy: it is then asked behind the gate (docs/postfix.md)':
    'faites-en un content_filter, à la place du proxy : il est alors consulté derrière le filtre (docs/postfix.md)',
  'they have several content_filters, {0} and {1}: behind the gate there is one':
    'ils ont plusieurs content_filter, {0} et {1} : derrière le filtre il n’y en a qu’un',
  'it hands to the gate what {0} hands back, incoming mail as well, and would go in a circle':
    'il confie au filtre ce que {0} rend, le courrier entrant aussi, et tournerait en rond',
  'no smtpd(8) is on port 25 that could relay': 'aucun smtpd(8) n’est sur le port 25 pour relayer',
  'leave --relay out': 'omettez --relay',
  '{0} would still let {1} send outside without the gate':
    '{0} laisserait encore {1} envoyer dehors sans le filtre',
  'take it out of the restrictions there, and name who relays by it in --relay; or put the gate there by hand (docs/postfix.md)':
    'enlevez-le des restrictions de ce service, et nommez dans --relay qui relaie ainsi ; ou installez-y le filtre à la main (docs/postfix.md)',
  '{0}: {1} may relay today and may not any more. To let them: {2}':
    '{0} : {1} relaie aujourd’hui et ne le pourra plus. Pour le permettre : {2}',
  'they say in different ways who may relay': 'ils disent de façons différentes qui peut relayer',
  'give them one smtpd_relay_restrictions in main.cf, or put the gate there by hand (docs/postfix.md)':
    'donnez-leur un même smtpd_relay_restrictions dans main.cf, ou installez-y le filtre à la main (docs/postfix.md)',
  '{0}: {1} relay, and all of it that goes outside meets the gate. To change who does: {2}, then postfix reload.':
    '{0} : {1} relaie, et tout ce qui en sort passe par le filtre. Pour changer qui relaie : {2}, puis postfix reload.',
  'A virtual alias of yours that leads outside goes round the gate on port 25, from wherever the mail comes: toeh doctor names them.':
    'Un alias virtuel à vous qui mène dehors contourne le filtre sur le port 25, d’où que vienne le courrier : toeh doctor les nomme.',
  '{0} relays for {1}, and none of that meets the gate. To put it there: {2}':
    '{0} relaie pour {1}, et rien de cela ne passe par le filtre. Pour l’y mettre : {2}',
  "master.cf has no submission service in use: only what this host's own programs send goes through the gate":
    'master.cf n’a aucun service submission actif : seul passe par le filtre ce que les programmes de cette machine envoient',
  'Queue ids become long, such as 4bQ8Yk2hJnz1: logwatch reads them with {0} in /etc/logwatch/conf/services/postfix.conf (docs/postfix.md).':
    'Les identifiants de file deviennent longs, comme 4bQ8Yk2hJnz1 : logwatch les lit avec {0} dans /etc/logwatch/conf/services/postfix.conf (docs/postfix.md).',
  '{0} is left: somebody has changed it. Postfix asks it no more.':
    '{0} reste : quelqu’un l’a modifié. Postfix ne le consulte plus.',
  'that is no IP address and no network': 'ce n’est ni une adresse IP ni un réseau',
  'the network it lies in is {0}': 'le réseau qui la contient est {0}',
  'such as 192.0.2.25 or 192.0.2.0/24': 'par exemple 192.0.2.25 ou 192.0.2.0/24',
  'it names nobody': 'il ne nomme personne',
  'Who keeps a connection open, as an Exchange does, is served as before on that one until it ends: restart it after the reload.':
    'Qui garde une connexion ouverte, comme le fait Exchange, y est servi comme avant jusqu’à sa fin : redémarrez-le après le reload.',
  'Who keeps a connection open is served as before on that one until it ends.':
    'Qui garde une connexion ouverte y est servi comme avant jusqu’à sa fin.',
  '{0} may keep its connection back to Postfix open, as amavis does, and what it hands back there goes by the old settings: restart that filter after the reload.':
    '{0} peut garder ouverte sa connexion de retour vers Postfix, comme le fait amavis, et ce qu’il y rend suit les anciens réglages : redémarrez ce filtre après le reload.',
  '--relay or --undo: one of them': '--relay ou --undo : l’un des deux',
  '{0} comes behind the gate now: what {1} takes goes to the gate, what that lets out goes on to {2}, and from there to the service it hands mail back to. Restart that filter after the reload: on a connection that it keeps open the old settings count.':
    '{0} vient désormais derrière le filtre : ce que {1} prend va au filtre, ce qu’il laisse sortir va à {2}, et de là au service à qui il rend le courrier. Redémarrez cet autre filtre après le reload : sur une connexion qu’il garde ouverte, l’ancien réglage vaut.',
  '{0} gets no filter: what sendmail hands on would come back to it':
    '{0} n’a pas de filtre : ce que sendmail transmet lui reviendrait',
  '{0} takes mail by SMTP and is left as it is: see that none of it goes outside':
    '{0} prend du courrier par SMTP et reste tel quel : veillez à ce que rien n’en sorte',
  '{0} is {1}, not {2}': '{0} vaut {1}, et non {2}',
  'only root can let Postfix read it': 'seul root peut donner à Postfix le droit de la lire',
  'this Postfix has no sqlite tables': 'ce Postfix n’a pas de tables sqlite',
  'Postfix has no user here: is it installed?': 'Postfix n’a pas d’utilisateur ici : est-il installé ?',
  '{0} written': '{0} écrit',
  'The express lane is off, and passes nothing. To take it out of Postfix:':
    'La voie express est fermée, et ne laisse rien passer. Pour l’enlever de Postfix :',
  '{0} rows of the lane written': '{0} lignes de la voie express écrites',
  'To put submission into it (where a service does not exist, leave its lines out):':
    'Pour y mettre submission (si un service n’existe pas, omettez ses lignes) :',
  'The express lane is off.': 'La voie express est fermée.',
  'The express lane is on: {0} addresses and domains pass, {1} stops; no service asks it yet.':
    'La voie express est ouverte : {0} adresses et domaines passent, {1} sont arrêtés ; aucun service ne l’interroge encore.',
  'The express lane is on: {0} addresses and domains pass, {1} stops; asked by {2}.':
    'La voie express est ouverte : {0} adresses et domaines passent, {1} sont arrêtés ; interrogée par {2}.',
  '{0}: past the filter': '{0} : sans passer par le filtre',
  '{0}: to the filter': '{0} : par le filtre',
  'an address, --write or --check: one of them': 'une adresse, --write ou --check : un seul des trois',
  'there is no such user': 'cet utilisateur n’existe pas',
  'Postfix cannot be asked for its domains: {0}': 'Postfix ne peut dire ses domaines : {0}',
  'Postfix names no domain of its own here': 'Postfix ne nomme ici aucun domaine à lui',
  "name the company's domains: toeh init --internal company.example":
    'nommez les domaines de l’entreprise : toeh init --internal company.example',
  'look into {0}: add its domains to internal_domains':
    'regardez dans {0} : ajoutez ses domaines à internal_domains',
  '{0} is there': '{0} est là',
  '{0} is there, but not for {1} alone: {2}': '{0} est là, mais pas pour {1} seul : {2}',
  '{0} is closed to {1}': '{0} est fermé à {1}',
  'put it where every user can reach it, as below /usr/local or /opt':
    'mettez-le là où tout utilisateur peut l’atteindre, par exemple sous /usr/local ou /opt',
  'this Node cannot change its user; run the command as {0}, or install util-linux':
    'ce Node ne peut pas changer d’utilisateur ; lancez la commande en tant que {0}, ou installez util-linux',
  'it ended with status {0}': 'il s’est terminé avec le statut {0}',
  'as {0}': 'en tant que {0}',
  '{0} made, for {1} alone': '{0} créé, pour {1} seul',
  '{0} made, internal domains: {1}': '{0} créé, domaines internes : {1}',
  '{0} made': '{0} créée',
  'the express lane is off': 'la voie express est fermée',
  'set enabled = true under [express], then: {0}': 'mettez enabled = true sous [express], puis : {0}',
  'something listens there already: {0}': 'quelque chose y écoute déjà : {0}',
  'set reinject in {0} to a free port; or, where it is a Postfix that has not been told: postfix reload':
    'dans {0}, donnez à reinject un port libre ; ou, si c’est un Postfix qui ne le sait pas encore : postfix reload',
  '{0}; the change itself is made': '{0} ; le changement lui-même est fait',
  'Postfix has read it.': 'Postfix l’a lu.',
  'Now: {0}': 'Maintenant : {0}',
  '{0} and {1} are byte for byte what they were.': '{0} et {1} sont à l’octet près ce qu’ils étaient.',
  '{0} and {1} are without our lines; what others have changed is kept.':
    '{0} et {1} sont sans nos lignes ; ce que d’autres ont changé est gardé.',
  'Mail that is queued for the gate finds it no more: postsuper -r ALL, after the reload. What is held stays held: toeh list.':
    'Le courrier en file pour le filtre ne le trouve plus : postsuper -r ALL, après le reload. Ce qui est retenu le reste : toeh list.',
  'only root can change Postfix': 'seul root peut changer Postfix',
  'Postfix has all of it already: nothing is changed in {0}.':
    'Postfix a déjà tout : rien n’est changé dans {0}.',
  '{0}/main.cf and master.cf are changed, and postfix check finds nothing wrong.':
    '{0}/main.cf et master.cf sont changés, et postfix check n’y trouve rien à redire.',
  'As they were: {0}. toeh init --postfix --undo puts that back.':
    'Tels qu’ils étaient : {0}. toeh init --postfix --undo les remet.',
  'What goes outside waits from now on until somebody says yes. To watch first: {0}':
    'Ce qui sort attend désormais que quelqu’un dise oui. Pour observer d’abord : {0}',
  'Who may say yes to held mail, and is told of it? Addresses with blanks between, or nothing:':
    'Qui peut dire oui au courrier retenu, et en est averti ? Des adresses séparées par des espaces, ou rien :',
  'the configuration is there already, and says something else':
    'la configuration existe déjà, et dit autre chose',
  'set {0} in it': 'mettez-y {0}',
  'Approvers: {0}': 'Approbateurs : {0}',
  'No approvers are named: of held mail its senders are told, and nobody who could say yes. To name them: approvers in {0}':
    'Aucun approbateur n’est nommé : du courrier retenu, ses expéditeurs sont avertis, et personne qui pourrait dire oui. Pour en nommer : approvers dans {0}',
  'messages in the hold ({0})': 'des messages retenus ({0})',
  'a decision log of {0} to {1}': 'un journal des décisions du {0} au {1}',
  'the backup {0}': 'la sauvegarde {0}',
  'it is gone, and there was one here: {0}': 'elle a disparu, et il y en avait une ici : {0}',
  'to restore it: {0} (docs/backup.md); to begin without it: {1}':
    'pour la restaurer : {0} (docs/backup.md) ; pour commencer sans elle : {1}',
  '{0} lacks domains that Postfix has as its own: {1}. Mail to them and from them is held. If they are yours, add them to internal_domains.':
    'Il manque à {0} des domaines que Postfix a pour siens : {1}. Le courrier vers eux et depuis eux est retenu. S’ils sont à vous, ajoutez-les à internal_domains.',
  'It begins by observing: everything passes, and the decision log says what would have been held. What ends that, and shows it first: {0}':
    'Il commence par observer : tout passe, et le journal des décisions dit ce qui aurait été retenu. Ce qui y met fin, et le montre d’abord : {0}',
  '{0} would be made, internal domains: {1}': '{0} serait créé, domaines internes : {1}',
  'Postfix has all of it already: {0}.': 'Postfix a déjà tout : {0}.',
  'Nothing is changed yet: the same with --apply does it.':
    'Rien n’est encore changé : la même commande avec --apply le fait.',
  'it belongs to --postfix': 'cela va avec --postfix',
  '--apply or --undo: one of them': '--apply ou --undo : un seul des deux',
  'it goes with --apply or --undo': 'cela va avec --apply ou --undo',
  'For the express lane, set enabled = true under [express], run toeh express --write, then:':
    'Pour la voie express, mettez enabled = true sous [express], lancez toeh express --write, puis :',
  'Add to master.cf:': 'À ajouter à master.cf :',
}

/** What `toeh fsck` finds and does. */
const FINDINGS: Table = {
  'what can be mended is told with its message; for the rest restore a backup':
    'ce qui peut être réparé est dit avec son message ; pour le reste, restaurez une sauvegarde',
  mended: 'réparée',
  'it belongs to another user': 'il appartient à un autre utilisateur',
  'as root: {0}': 'en root : {0}',
  'what waits is counted wrongly: {0}': 'ce qui attend est mal compté : {0}',
  'counted anew': 'recompté',
  'toeh fsck --repair counts anew, and so does toeh cleanup once a day':
    'toeh fsck --repair recompte, de même que toeh cleanup une fois par jour',
  'it is neither a file nor a folder': 'ce n’est ni un fichier ni un dossier',
  'look what it is': 'regardez ce que c’est',
  'look what it is, and take it away': 'regardez ce que c’est, et retirez-le',
  'it is no folder': 'ce n’est pas un dossier',
  'its mode is {0}, not {1}': 'son mode est {0}, et non {1}',
  'it is of an older schema': 'son schéma est plus ancien',
  'a writer was killed in the middle of a change, and it has to be rolled back':
    'une écriture a été tuée au milieu d’un changement, qu’il faut annuler',
  'the next run of any command does it, and this one with --repair':
    'la prochaine commande le fait, celle-ci aussi avec --repair',
  'all mail is deferred meanwhile; toeh fsck --repair rebuilds it':
    'tout le courrier est différé en attendant ; toeh fsck --repair la reconstruit',
  'rebuilt without a backup: no rule is known, {0} recipients from the folders':
    'reconstruite sans sauvegarde : aucune règle n’est connue, {0} destinataires repris des dossiers',
  'rebuilt from the backup {0}, {1} recipients from the folders':
    'reconstruite de la sauvegarde {0}, {1} destinataires repris des dossiers',
  'the old one is kept as {0}': 'l’ancienne est gardée sous {0}',
  'run toeh fsck again in a while': 'relancez toeh fsck dans quelque temps',
  'it is no message of the hold': 'ce n’est pas un message du dépôt',
  '{0} wait, and the folder with the bytes is gone': '{0} attendent, et le dossier des octets a disparu',
  'restore hold/ID from a copy of the hold; if it was settled after a backup that was restored, or is lost for good: toeh fsck --repair --settle-gone':
    'restaurez hold/ID d’une copie du dépôt ; s’il a été réglé après une sauvegarde restaurée, ou est perdu : toeh fsck --repair --settle-gone',
  'rejected for {0}: nobody can say what became of them':
    'rejeté pour {0} : nul ne peut dire ce qu’ils sont devenus',
  'a folder without rows, and its message was passed on since as {0}':
    'un dossier sans lignes, dont le message a été transmis depuis sous {0}',
  'a folder without rows': 'un dossier sans lignes',
  'its decision log line has sender and recipients (grep {0} decisions/*), its folder what is left':
    'sa ligne du journal des décisions a l’expéditeur et les destinataires (grep {0} decisions/*), son dossier ce qui reste',
  'it has no message.eml': 'il n’a pas de message.eml',
  'taken in again for {0}': 'repris pour {0}',
  'Postfix may retry it; else toeh fsck --repair takes it in':
    'Postfix peut le réessayer ; sinon toeh fsck --repair le reprend',
  'restore {0} from a copy of the hold, or toeh reject {1}':
    'restaurez {0} d’une copie du dépôt, ou toeh reject {1}',
  'they are not those that were held (SHA-256 differs)':
    'ce ne sont pas ceux qui ont été retenus (SHA-256 différent)',
  'it has not what it should': 'il lui manque ce qu’il devrait avoir',
  'it is of another message: the id does not fit':
    'il est d’un autre message : l’identifiant ne correspond pas',
  'queue id, sender or SHA-256 in the database are not those of this id':
    'identifiant de file, expéditeur ou SHA-256 de la base ne sont pas ceux de cet identifiant',
  'somebody has altered the database: restore it from a backup':
    'quelqu’un a modifié la base : restaurez-la d’une sauvegarde',
  'toeh fsck --repair writes it anew from the rows': 'toeh fsck --repair le réécrit d’après les lignes',
  'written anew from the rows; the old one is kept beside it':
    'réécrit d’après les lignes ; l’ancien est gardé à côté',
  'written anew from the rows': 'réécrit d’après les lignes',
  'its size is {0}, that of the rows {1}': 'sa taille est {0}, celle des lignes {1}',
  'envelope.json does not name {0}, who wait': 'envelope.json ne nomme pas {0}, qui attendent',
  'the folder has {0}, the rows have not': 'le dossier a {0}, les lignes non',
  'Postfix may retry it; else toeh fsck --repair takes them in':
    'Postfix peut le réessayer ; sinon toeh fsck --repair les reprend',
  'taken in again: {0}': 'repris : {0}',
  '{0} is {1}, the folder knows it {2}': '{0} : {1} selon les lignes, {2} selon le dossier',
  'the database is older than the hold: toeh fsck --repair follows the folder':
    'la base est plus ancienne que le dépôt : toeh fsck --repair suit le dossier',
  'followed for {0}: not sent again unless somebody says so':
    'suivi pour {0} : pas renvoyé, sauf si quelqu’un le demande',
  '{0} began to release it to {1} at {2} and was cut off':
    '{0} a commencé à le libérer vers {1} le {2} et a été interrompu',
  'look in the mail log whether it went out: if so toeh reject {0} --again --quiet, else toeh release {1} --again':
    'voyez dans le journal de messagerie s’il est parti : si oui toeh reject {0} --again --quiet, sinon toeh release {1} --again',
  'everybody in it is settled, its bytes are still there':
    'tous ses destinataires sont réglés, ses octets sont encore là',
  'a run that was killed has left it': 'une exécution tuée l’a laissé',
  'toeh cleanup; is its timer running?': 'toeh cleanup ; son timer tourne-t-il ?',
  'it is damaged: {0}': 'elle est endommagée : {0}',
  'it is missing': 'elle manque',
  'it is empty': 'elle est vide',
  '{0} of {1}': '{0} du {1}',
  'the backup cannot be used: {0}': 'la sauvegarde est inutilisable : {0}',
  'name another with --backup FILE': 'nommez-en une autre avec --backup FICHIER',
  'toeh {0} has never run, and the database is {1} old':
    'toeh {0} n’a jamais été lancé, et la base de données a {1}',
  'toeh {0} last ran {1} ago': 'toeh {0} a été lancé pour la dernière fois il y a {1}',
  '{0} (the lines for cron: {1})': '{0} (les lignes pour cron : {1})',
  'toeh {0} has not run yet, and need not have': 'toeh {0} n’a pas encore été lancé, et n’avait pas à l’être',
  'held mail does not expire and nobody is told, and the decision log and the audit are kept for longer than they may be':
    'les messages en attente n’expirent pas et personne n’en est averti ; le journal des décisions et l’audit sont gardés plus longtemps que permis',
  'nothing is held while everything passes': 'rien n’est retenu tant que tout passe',
  'held mail that no notice has told of waits unseen until it expires':
    'les messages en attente dont aucun avis n’a parlé attendent sans être vus, jusqu’à leur expiration',
  'with the disk go the rules, what waits and who has decided it (docs/backup.md)':
    'avec le disque disparaissent les règles, la liste d’attente et la trace des décisions (docs/backup.md)',
  'everything passes, and has for no longer than 30 days': 'tout passe, et depuis 30 jours au plus',
  'unknown mail is held': 'le courrier inconnu est retenu',
  'everything has passed since {0}: mode is observe': 'tout passe depuis le {0} : mode vaut observe',
  'nothing is held. What ends it, and shows first what it would hold: {0}':
    'rien n’est retenu. Pour y mettre fin, en montrant d’abord ce qui serait retenu : {0}',
  'no approvers are named, and nothing is held yet':
    'aucun approbateur n’est nommé, et rien n’est encore retenu',
  'no approvers are named in {0}': 'aucun approbateur n’est nommé dans {0}',
  'nobody who could say yes is told of held mail: name them as approvers':
    'personne qui puisse dire oui n’est averti des messages en attente : nommez-les dans approvers',
  'somebody reads what people answer to notices, as far as Postfix says':
    'quelqu’un lit les réponses aux avis, d’après ce que dit Postfix',
  'notices come from {0}, and nobody reads that mailbox':
    'les avis viennent de {0}, et personne ne lit cette boîte',
  'who answers a notice is not heard: make that address an alias, or name one that is read as notice.from in {0}':
    'qui répond à un avis n’est pas entendu : faites de cette adresse un alias, ou nommez-en une qui soit lue dans notice.from de {0}',
  'Postfix takes no mail for the domain of moderate.address, {0}':
    'Postfix n’accepte pas de courrier pour le domaine de moderate.address, {0}',
  "approvers' answers by mail come back to them: it has to be at a domain of yours":
    'les réponses des approbateurs leur reviennent : elle doit être dans l’un de vos domaines',
  'Postfix has nobody of the name of moderate.address, {0}':
    'Postfix n’a personne du nom de moderate.address, {0}',
  "approvers' answers by mail come back to them":
    'les réponses des approbateurs par courriel leur reviennent',
  'mail to moderate.address, {0}, does not go to toeh moderate':
    'le courrier pour moderate.address, {0}, ne va pas à toeh moderate',
  "approvers' answers by mail do nothing": 'les réponses des approbateurs par courriel restent sans effet',
  '{0}: one of them': '{0} : un seul des deux',
  'it does not go with --moderate': 'cela ne va pas avec --moderate',
  'a service of this name is there already, and does not run toeh moderate':
    'un service de ce nom existe déjà, et ne lance pas toeh moderate',
  'give it another name': 'donnez-lui un autre nom',
  'set moderate.address to one at a domain that Postfix delivers mail for':
    'mettez dans moderate.address une adresse d’un domaine dont Postfix livre le courrier',
  'its name has signs that mean something in main.cf':
    'son nom contient des signes qui ont un sens dans main.cf',
  'Postfix delivers no mail for its domain': 'Postfix ne livre pas de courrier pour son domaine',
  '{0} is an alias of {1}, and will not be any more.': '{0} est un alias de {1}, et ne le sera plus.',
  "Approvers' answers by mail find nobody any more: enabled = false, under [moderate] in {0}.":
    'Les réponses des approbateurs par courriel ne trouvent plus personne : enabled = false, sous [moderate] dans {0}.',
  'Then, under [moderate] in {0}: enabled = true, address = {1}. Until then nobody is asked to answer by mail.':
    'Puis, sous [moderate] dans {0} : enabled = true, address = {1}. D’ici là, personne n’est invité à répondre par courriel.',
  'As they were: {0}. toeh init --moderate --undo puts that back.':
    'Tels qu’ils étaient : {0}. toeh init --moderate --undo les remet.',
  'somebody else has put another database there': 'quelqu’un d’autre y a mis une autre base',
}

export const FRENCH_CHECKS: Table = { ...CHECKS, ...SETUP, ...FINDINGS }
