/**
 * The words of notices, in each language the configuration offers. Pure.
 *
 * It is long because it has two languages side by side, which have to be read together.
 */

import type { Answer } from '../hold/token.js'
import type { AddressFault } from '../mail/address.js'
import { FAULTS_FR } from '../mail/addressfault.js'
import type { Reason } from '../rules/decide.js'
import type { Language } from '../text/translate.js'

export type HoldReason = Exclude<Reason, 'internal' | 'allowed'> | 'refused'

export interface Wording {
  locale: string
  /** What stands between a label and its value. */
  colon: string
  /** Why a recipient waits; `detail` is the fault, the rule or the server's reply. */
  reason: (reason: HoldReason, detail: string) => string
  noSubject: string
  senderSubject: (subject: string) => string
  senderIntro: string
  /** For several messages in one mail. */
  senderManySubject: (count: number) => string
  /** Before it ends. */
  reminderSubject: (subject: string) => string
  reminderIntro: string
  reminderManySubject: (count: number) => string
  reminderManyIntro: string
  approverSubject: (sender: string, subject: string) => string
  approverManySubject: (count: number) => string
  approverIntro: string
  /** Of automatic mail, which nobody is asked about: what there is, and that nothing has to be done. */
  automaticSubject: (count: number) => string
  automaticIntro: string
  automaticNext: string
  until: (when: string) => string
  expiredSubject: (subject: string) => string
  expiredIntro: string
  expiredManySubject: (count: number) => string
  expiredManyIntro: string
  releasedSubject: (subject: string) => string
  releasedIntro: string
  releasedBy: (who: string, when: string) => string
  rejectedSubject: (subject: string) => string
  rejectedIntro: string
  /** By whom and when; why; and whom to ask. */
  rejectedBy: (who: string, when: string) => string
  rejectedNote: (note: string) => string
  ask: (whom: string) => string
  askNobody: string
  labels: {
    from: string
    subject: string
    date: string
    size: string
    id: string
    attachments: string
    recipients: string
    expires: string
  }
  nextForSender: (approvers: string) => string
  nextForSenderNobody: string
  theseAlone: string
  notYou: string
  askFirst: string
  thenAdministrator: string
  nullSender: string
  /** Of attachments: that there are none, one without a name, and that they could not all be looked at. */
  none: string
  unnamed: string
  notAllSeen: string
  andMore: (count: number) => string
  knownSide: string
  thisSide: string
  /** For an approver who can answer by mail; then, below it, the words and what each does. */
  answerThis: string
  answerMeans: Record<Answer, string>
  answerSubjectStays: (until: string) => string
  answerTwo: string
  orOnServer: string
  /** What came of an answer: the subject's beginning, and the first sentence. */
  answered: Record<Outcome, { title: string; text: string }>
  /** What is said of one recipient afterwards. */
  standing: Record<Standing, string>
  known: string
  notKnown: (why: string) => string
  /** Of a DKIM signature of this domain. */
  lapsed: (domain: string) => string
}

/** What came of an approver's mail. */
export type Outcome =
  | 'released'
  | 'rejected'
  | 'noted'
  | 'failed'
  | 'settled'
  | 'spent'
  | 'expired'
  | 'own'
  | 'unknown'
  | 'unclear'
  | 'sealed'

/** The state of a recipient, as an approver is told. */
export type Standing = 'waits' | 'releasing' | 'released' | 'rejected' | 'expired' | 'passed'

const ENGLISH: Wording = {
  locale: 'en-GB',
  colon: ':',
  reason: (reason, detail) =>
    ({
      unknown: 'not among the destinations this company writes to',
      blocked: 'this destination is blocked',
      malformed: `unusual form of address (${detail})`,
      'foreign-sender': 'the sender address is not one of this company',
      refused: `our own mail server refused it: ${detail}`,
    })[reason],
  noSubject: '(no subject)',
  senderSubject: (subject) => `Waiting for approval: ${subject}`,
  senderManySubject: (count) => `${count} of your messages wait for approval`,
  senderIntro:
    'A message from your address has not been sent to the recipients below. It waits for a person to approve it.',
  reminderSubject: (subject) => `Still waiting for approval: ${subject}`,
  reminderIntro:
    'A message from your address has still not been sent to the recipients below. If nobody approves it by the time below, it is deleted.',
  reminderManySubject: (count) => `${count} of your messages still wait for approval`,
  reminderManyIntro:
    'Messages from your address have still not been sent to the recipients below. Those that nobody approves by the times below are deleted.',
  approverSubject: (sender, subject) => `To approve: mail from ${sender}: ${subject}`,
  approverManySubject: (count) => `To approve: ${count} messages`,
  approverIntro: 'Outgoing mail waits for your yes or no. Nothing has been sent to the recipients below.',
  automaticSubject: (count) =>
    count === 1 ? 'Automatic mail: 1 message waits' : `Automatic mail: ${count} messages wait`,
  automaticIntro:
    'Programs have written to destinations this company does not write to: vacation replies, receipts, reports, mail of lists. These messages wait, and their senders are not told.',
  automaticNext:
    'Nothing has to be done. Whatever is not released by the time in brackets is deleted, and nobody is told again. If one of them should go out, give your mail administrator its line: “toeh list --automatic” has its number.',
  until: (when) => `until ${when}`,
  expiredSubject: (subject) => `Not sent: ${subject}`,
  expiredIntro:
    'A message was not sent to the recipients below: nobody approved it in time. It is now deleted here.',
  expiredManySubject: (count) => `Not sent: ${count} messages`,
  expiredManyIntro:
    'Messages were not sent to the recipients below: nobody approved them in time. They are now deleted here.',
  releasedSubject: (subject) => `Sent: ${subject}`,
  releasedIntro: 'A message of yours that waited for approval has been sent to the recipients below.',
  releasedBy: (who, when) => `Released by ${who} on ${when}.`,
  rejectedSubject: (subject) => `Not sent: ${subject}`,
  rejectedIntro: 'A message was not sent to the recipients below: it was looked at and rejected.',
  rejectedBy: (who, when) => `Rejected by ${who} on ${when}.`,
  rejectedNote: (note) => `Reason: ${note}`,
  ask: (whom) => `If you have questions: ${whom}`,
  askNobody: 'If you have questions, ask your mail administrator.',
  labels: {
    from: 'From',
    subject: 'Subject',
    date: 'Sent',
    size: 'Size',
    id: 'Hold',
    attachments: 'Attachments',
    recipients: 'Recipients',
    expires: 'Expires',
  },
  nextForSender: (approvers) =>
    `What happens next: ${approvers} can release it. After the date above it is not sent any more, and you are told.`,
  nextForSenderNobody:
    'What happens next: your mail administrator can release it. After the date above it is not sent any more, and you are told.',
  theseAlone: 'This notice is about the recipients named here alone.',
  notYou:
    'If you did not write this message, or have the address from a mail that surprised you, do not ask for its release: tell your administrator.',
  askFirst:
    'Ask the sender by telephone or in person whether the address is right, above all for bank details.',
  thenAdministrator:
    'Then tell your mail administrator whether to release or to reject it, with the number of the hold.',
  nullSender: '(a report from a mail system)',
  none: 'none',
  unnamed: '(without a name)',
  notAllSeen: '(not all of them could be looked at)',
  andMore: (count) => `and ${count} more`,
  knownSide: 'known',
  thisSide: 'this one',
  answerThis: 'Answer this mail with one of these words alone on its first line:',
  answerMeans: {
    release: 'it is sent, this once',
    know: 'it is sent, and these recipients are known from now on',
    reject: 'it is not sent, and its sender is told',
  },
  answerSubjectStays: (until) =>
    `Leave the subject as it is: it holds a number that is yours and counts once, until ${until}.`,
  answerTwo: 'Two approvers have to say yes to this one. One no is enough.',
  orOnServer: 'Or, on the mail server:',
  answered: {
    released: { title: 'Sent', text: 'You said yes. The message was sent on.' },
    rejected: { title: 'Not sent', text: 'You said no. The message was not sent.' },
    noted: {
      title: 'Your yes counts',
      text: 'Your yes is written down. The message waits for the yes of another approver.',
    },
    failed: {
      title: 'Not done',
      text: 'Your answer counted, but it could not be carried out for everybody below. Your mail administrator can see to it.',
    },
    settled: { title: 'Decided already', text: 'Nothing was done: nobody waits in this message any more.' },
    spent: {
      title: 'Answered already',
      text: 'Nothing was done: the number in the subject has been used by an earlier answer.',
    },
    expired: {
      title: 'Too late',
      text: 'Nothing was done: the time to answer this notice is over. Ask your mail administrator.',
    },
    own: {
      title: 'Not yours to approve',
      text: 'Nothing was done: you have sent this message yourself. Another approver has to answer.',
    },
    unknown: {
      title: 'Not understood',
      text: 'Nothing was done: the subject holds no number that was given to you. Answer the notice itself, and leave its subject as it is.',
    },
    unclear: {
      title: 'Not understood',
      text: 'Nothing was done: the first line of your answer is none of the words below, or a later line is another of them.',
    },
    sealed: {
      title: 'Not readable',
      text: 'Nothing was done: your answer cannot be read here, because it is encrypted, or its text is inside an S/MIME signature or a winmail.dat. Send it again as plain text; a clear signature may stay.',
    },
  },
  standing: {
    waits: 'still waits',
    releasing: 'is being sent',
    released: 'sent',
    rejected: 'rejected',
    expired: 'not sent, expired',
    passed: 'sent',
  },
  known: 'known from now on',
  notKnown: (why) => `not made known: ${why}`,
  lapsed: (domain) => `its DKIM signature of ${domain} had run out: the recipient cannot verify it`,
}

const FRENCH: Wording = {
  locale: 'fr-FR',
  colon: '\u00a0:',
  reason: (reason, detail) =>
    ({
      unknown: 'ne fait pas partie des destinations habituelles de l’entreprise',
      blocked: 'cette destination est bloquée',
      malformed: `forme d’adresse inhabituelle (${FAULTS_FR[detail as AddressFault] ?? detail})`,
      'foreign-sender': 'l’adresse d’expédition n’est pas de l’entreprise',
      refused: `refusé par notre propre serveur de messagerie : ${detail}`,
    })[reason],
  noSubject: '(sans objet)',
  senderSubject: (subject) => `En attente d’approbation : ${subject}`,
  senderManySubject: (count) => `${count} de vos messages attendent une approbation`,
  senderIntro:
    'Un message de votre adresse n’a pas été envoyé aux destinataires ci-dessous. Il attend l’approbation d’une personne.',
  reminderSubject: (subject) => `Toujours en attente d’approbation : ${subject}`,
  reminderIntro:
    'Un message de votre adresse n’a toujours pas été envoyé aux destinataires ci-dessous. Si personne ne l’approuve avant la date ci-dessous, il sera supprimé.',
  reminderManySubject: (count) => `${count} de vos messages attendent toujours une approbation`,
  reminderManyIntro:
    'Des messages de votre adresse n’ont toujours pas été envoyés aux destinataires ci-dessous. Ceux que personne n’approuve avant les dates ci-dessous seront supprimés.',
  approverSubject: (sender, subject) => `À approuver : message de ${sender} : ${subject}`,
  approverManySubject: (count) => `À approuver : ${count} messages`,
  approverIntro: 'Du courrier sortant attend votre accord. Rien n’a été envoyé aux destinataires ci-dessous.',
  automaticSubject: (count) =>
    count === 1
      ? 'Messages automatiques : 1 message en attente'
      : `Messages automatiques : ${count} messages en attente`,
  automaticIntro:
    'Des programmes ont écrit à des destinations inhabituelles pour l’entreprise : réponses d’absence, accusés de réception, rapports, courrier de listes de diffusion. Ces messages attendent, et leurs expéditeurs ne sont pas prévenus.',
  automaticNext:
    'Il n’y a rien à faire. Ce qui n’est pas libéré avant la date entre parenthèses est supprimé, sans autre avis. Si l’un d’eux doit partir, transmettez sa ligne à votre administrateur de messagerie : « toeh list --automatic » donne son numéro.',
  until: (when) => `jusqu’au ${when}`,
  expiredSubject: (subject) => `Non envoyé : ${subject}`,
  expiredIntro:
    'Un message n’a pas été envoyé aux destinataires ci-dessous : personne ne l’a approuvé à temps. Il est maintenant supprimé ici.',
  expiredManySubject: (count) => `Non envoyés : ${count} messages`,
  expiredManyIntro:
    'Des messages n’ont pas été envoyés aux destinataires ci-dessous : personne ne les a approuvés à temps. Ils sont maintenant supprimés ici.',
  releasedSubject: (subject) => `Envoyé : ${subject}`,
  releasedIntro:
    'Un de vos messages qui attendait une approbation a été envoyé aux destinataires ci-dessous.',
  releasedBy: (who, when) => `Libéré par ${who} le ${when}.`,
  rejectedSubject: (subject) => `Non envoyé : ${subject}`,
  rejectedIntro: 'Un message n’a pas été envoyé aux destinataires ci-dessous : il a été examiné et refusé.',
  rejectedBy: (who, when) => `Refusé par ${who} le ${when}.`,
  rejectedNote: (note) => `Motif : ${note}`,
  ask: (whom) => `Pour toute question : ${whom}`,
  askNobody: 'Pour toute question, adressez-vous à votre administrateur de messagerie.',
  labels: {
    from: 'De',
    subject: 'Objet',
    date: 'Envoyé',
    size: 'Taille',
    id: 'Dépôt',
    attachments: 'Pièces jointes',
    recipients: 'Destinataires',
    expires: 'Expire',
  },
  nextForSender: (approvers) =>
    `La suite : ${approvers} peut le libérer. Après la date ci-dessus il ne sera plus envoyé, et vous serez prévenu.`,
  nextForSenderNobody:
    'La suite : votre administrateur de messagerie peut le libérer. Après la date ci-dessus il ne sera plus envoyé, et vous serez prévenu.',
  theseAlone: 'Cet avis ne concerne que les destinataires nommés ici.',
  notYou:
    'Si vous n’avez pas écrit ce message, ou si l’adresse vient d’un courriel inattendu, ne demandez pas sa libération : prévenez votre administrateur.',
  askFirst:
    'Vérifiez l’adresse auprès de l’expéditeur par téléphone ou de vive voix, surtout pour des coordonnées bancaires.',
  thenAdministrator:
    'Puis dites à votre administrateur de messagerie s’il faut l’envoyer ou le refuser, avec le numéro de dépôt.',
  nullSender: '(rapport d’un système de messagerie)',
  none: 'aucune',
  unnamed: '(sans nom)',
  notAllSeen: '(toutes n’ont pas pu être examinées)',
  andMore: (count) => `et ${count} de plus`,
  knownSide: 'connu',
  thisSide: 'celui-ci',
  answerThis: 'Répondez à ce message par l’une de ces expressions, seule sur la première ligne :',
  answerMeans: {
    release: 'il est envoyé, cette fois',
    know: 'il est envoyé, et ces destinataires sont désormais connus',
    reject: 'il n’est pas envoyé, et son expéditeur est prévenu',
  },
  answerSubjectStays: (until) =>
    `Laissez l’objet tel quel : il porte un numéro qui est à vous et compte une fois, jusqu’au ${until}.`,
  answerTwo: 'Il faut l’accord de deux approbateurs. Un seul refus suffit.',
  orOnServer: 'Ou, sur le serveur de messagerie :',
  answered: {
    released: { title: 'Envoyé', text: 'Vous avez accepté. Le message a été envoyé.' },
    rejected: { title: 'Refusé', text: 'Vous avez refusé. Le message n’a pas été envoyé.' },
    noted: {
      title: 'Accord noté',
      text: 'Votre accord est noté. Le message attend celui d’un autre approbateur.',
    },
    failed: {
      title: 'Non effectué',
      text: 'Votre réponse a compté, mais n’a pas pu être exécutée pour tous les destinataires ci-dessous. Votre administrateur de messagerie peut s’en occuper.',
    },
    settled: { title: 'Déjà décidé', text: 'Rien n’a été fait : plus personne n’attend dans ce message.' },
    spent: {
      title: 'Déjà répondu',
      text: 'Rien n’a été fait : le numéro de l’objet a servi à une réponse précédente.',
    },
    expired: {
      title: 'Trop tard',
      text: 'Rien n’a été fait : le délai de réponse est passé. Demandez à votre administrateur de messagerie.',
    },
    own: {
      title: 'Pas de votre ressort',
      text: 'Rien n’a été fait : vous avez envoyé ce message vous-même. Un autre approbateur doit répondre.',
    },
    unknown: {
      title: 'Non compris',
      text: 'Rien n’a été fait : l’objet ne porte aucun numéro qui vous ait été donné. Répondez à l’avis lui-même, sans changer son objet.',
    },
    unclear: {
      title: 'Non compris',
      text: 'Rien n’a été fait : la première ligne de votre réponse n’est aucune des expressions ci-dessous, ou une autre ligne en est une différente.',
    },
    sealed: {
      title: 'Illisible',
      text: 'Rien n’a été fait : votre réponse ne peut pas être lue ici, car elle est chiffrée, ou son texte se trouve dans une signature S/MIME ou un winmail.dat. Renvoyez-la en texte brut ; une signature en clair peut rester.',
    },
  },
  standing: {
    waits: 'attend toujours',
    releasing: 'en cours d’envoi',
    released: 'envoyé',
    rejected: 'refusé',
    expired: 'non envoyé, expiré',
    passed: 'envoyé',
  },
  known: 'désormais connu',
  notKnown: (why) => `reste inconnu : ${why}`,
  lapsed: (domain) => `sa signature DKIM de ${domain} avait expiré : le destinataire ne peut pas la vérifier`,
}

export const WORDING: Record<Language, Wording> = { en: ENGLISH, fr: FRENCH }
