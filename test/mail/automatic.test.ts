/** Automatic: what no person has written, by its header and by its sender. */
import t from 'tap'
import { automatic, automaticOutgoing, type Sign } from '../../lib/mail/automatic.js'
import { headerFields } from '../../lib/mail/header.js'

const MACHINES: [header: string, sender: string, sign: Sign][] = [
  ['Subject: x', 'boss@corp.test', ''],
  ['Auto-Submitted: no', 'boss@corp.test', ''],
  ['Auto-Submitted: No (a person)', 'boss@corp.test', ''],
  ['Subject: x', '', 'null sender'],
  ['Auto-Submitted: auto-replied', 'b@c.test', 'Auto-Submitted'],
  ['Auto-Submitted: auto-generated; x=y', 'b@c.test', 'Auto-Submitted'],
  ['Auto-Submitted: nonsense', 'b@c.test', 'Auto-Submitted'],
  ['Auto-Submitted:\n auto-replied', 'b@c.test', 'Auto-Submitted'],
  ['Auto-Submitted: no\nauto-submitted: auto-generated', 'b@c.test', 'Auto-Submitted'],
  ['Precedence: bulk', 'b@c.test', 'Precedence'],
  ['precedence : AUTO_REPLY', 'b@c.test', 'Precedence'],
  ['Precedence: first-class', 'b@c.test', ''],
  ['X-Autoreply: yes', 'b@c.test', 'reply'],
  ['X-AutoRespond: Re: x', 'b@c.test', 'reply'],
  ['List-Id: <x.corp.test>', 'b@c.test', 'list'],
  ['List-Post: <mailto:x@corp.test>', 'b@c.test', 'list'],
  ['List-Unsubscribe: <mailto:x@corp.test>', 'b@c.test', 'list'],
  ['Content-Type: multipart/report; report-type=disposition-notification', 'b@c.test', 'report'],
  ['Content-Type: text/plain\n\nList-Id: <x.corp.test>', 'b@c.test', ''],
]

/** By the sender alone. */
const SENDERS: [key: string | undefined, sign: Sign][] = [
  ['anna@corp.test', ''],
  ['anna+news@corp.test', ''],
  ['staff+bounces-1-x=new.test@corp.test', 'bounce address'],
  ['staff-bounces@corp.test', 'bounce address'],
  ['owner-staff@corp.test', 'bounce address'],
  ['news-x=new.test@corp.test', 'bounce address'],
  // BATV may sign every person's sender.
  ['prvs=0123456789=anna@corp.test', ''],
  [undefined, ''],
]

t.test('by the header, and by the null sender', (t) => {
  for (const [header, sender, sign] of MACHINES) {
    const { fields } = headerFields(Buffer.from(`${header}\n`))
    t.equal(automatic(fields, sender), sign, header)
    t.equal(automaticOutgoing(fields, sender, sender === '' ? undefined : sender), sign, header)
  }
  t.end()
})

t.test('by a sender that takes bounces', (t) => {
  for (const [key, sign] of SENDERS)
    t.equal(automaticOutgoing([{ name: 'Subject', value: 'x' }], key ?? 'odd', key), sign, String(key))
  t.equal(automatic([], 'staff-bounces@corp.test'), '', 'which says nothing of what comes in')
  t.end()
})
