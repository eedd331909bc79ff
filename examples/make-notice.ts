/**
 * Writes the HTML of two notices as mail programs get it, for looking at: one held message, and a digest of several.
 * `node dist/examples/make-notice.js FOLDER [en|fr]` makes notice.html and digest.html.
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { UsedNeighbour } from '../lib/nearmiss/nearmiss.js'
import { letterHtml, type NoticeMessage, type NoticeRequest } from '../lib/notice/render.js'

const HELD = new Date(2026, 10, 24, 9, 41).getTime()
const DAY_MS = 86_400_000

const NEAR: UsedNeighbour = {
  value: 'northwind-supplies.example',
  kind: 'domain',
  likeness: 'edit distance 1',
  uses: { messages: 214, since: '2024-03', last: '2026-11-20' },
  history: { addedBy: 'marie', addedAt: Date.UTC(2024, 2, 2), source: 'command', note: 'contract 2214' },
  thisOne: {
    value: 'northwind-suplies.example',
    released: 0,
    lastReleasedAt: null,
    revokedBy: null,
    revokedAt: null,
    uses: null,
  },
}

function message(some: Partial<NoticeMessage>): NoticeMessage {
  return {
    id: '7k3m9q2x4v0a',
    sender: 'anna@company.example',
    subject: 'Re: new bank details for invoice 4711',
    messageId: '<1@company.example>',
    size: 268_000,
    heldAt: HELD,
    expiresAt: HELD + 14 * DAY_MS,
    recipients: [
      { address: 'billing@northwind-suplies.example', reason: 'unknown', detail: '', nearMisses: [NEAR] },
    ],
    enclosures: {
      list: [
        { name: 'Invoice 4711.pdf', size: 184_000 },
        { name: 'signed contract.docx', size: 71_000 },
      ],
      whole: true,
    },
    ...some,
  }
}

const OTHERS = [
  message({
    id: '2c9d0r5t7w1z',
    subject: 'Drawings, second version',
    size: 4_100_000,
    heldAt: HELD - 5_000_000,
    expiresAt: HELD - 5_000_000 + 14 * DAY_MS,
    recipients: [
      { address: 'p.lindqvist@harbour-engineering.example', reason: 'unknown', detail: '' },
      {
        address: 'archive%files.example@company.example',
        reason: 'malformed',
        detail: 'percent or bang routing',
      },
    ],
    enclosures: { list: [{ name: 'pier-rev2.dwg', size: 3_000_000 }], whole: true },
  }),
  message({
    id: 'h4n8p3s6x0ve',
    subject: 'Lunch on Friday?',
    size: 2_100,
    heldAt: HELD - 9_000_000,
    expiresAt: HELD - 9_000_000 + 14 * DAY_MS,
    recipients: [{ address: 'old.friend@post.example', reason: 'blocked', detail: '7' }],
    enclosures: { list: [], whole: true },
  }),
]

/** The request of one notice; what it says is what a mail program shows. */
export function noticeOf(language: 'en' | 'fr', messages: readonly NoticeMessage[]): NoticeRequest {
  const approvers = ['office@company.example']
  return { kind: 'approver', language, from: 'toeh@company.example', to: approvers, approvers, messages }
}

/** `notice` has one message and can be answered by mail, `digest` has three. */
export function makeNotices(language: 'en' | 'fr' = 'en'): { notice: string; digest: string } {
  // The number stands in the subject, which is not drawn.
  const reply = { token: '', address: 'toeh-moderate@company.example', until: HELD + 7 * DAY_MS, two: false }
  return {
    notice: letterHtml({ ...noticeOf(language, [message({})]), reply }),
    digest: letterHtml(noticeOf(language, [message({}), ...OTHERS])),
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const [folder = '.', language] = process.argv.slice(2)
  for (const [name, html] of Object.entries(makeNotices(language === 'fr' ? 'fr' : 'en')))
    writeFileSync(join(folder, `${name}.html`), html)
}
