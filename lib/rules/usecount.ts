/** Usage: how many messages a rule has decided, by day, and the words for it. Pure. */

import { DeliverySet } from '../mail/deliveryset.js'
import type { Language } from '../text/translate.js'
import { localDay } from '../text/visible.js'

const DAY_MS = 86_400_000

/** How much a rule was used. */
export interface Usage {
  /** A message to several recipients under one rule counts once. */
  messages: number
  /** Periods: a day of the local calendar, `2026-11-20`; of older ones the month, `2026-03`, or the year. */
  since: string
  last: string
}

/** The messages of one rule on one day. */
export interface RuleUse {
  rule: number
  day: string
  messages: number
}

/** Counts uses: each message once for each rule and day, however many recipients it has and however often it is read. */
export class UseCount {
  readonly #seen = new DeliverySet()
  readonly #days = new Map<number, Map<string, number>>()

  /** @param host of the queue id; empty where there is one only */
  add(rule: number, day: string, host: string, queueId: string): void {
    if (!this.#seen.add(host, queueId, `${rule} ${day}`)) return
    let days = this.#days.get(rule)
    if (days === undefined) {
      days = new Map()
      this.#days.set(rule, days)
    }
    days.set(day, (days.get(day) ?? 0) + 1)
  }

  uses(): RuleUse[] {
    return [...this.#days].flatMap(([rule, days]) =>
      [...days].map(([day, messages]) => ({ rule, day, messages })),
    )
  }
}

/** From when on days and months are kept: the first day of a month, the first month of a year. */
export interface Horizons {
  day: string
  month: string
}

/**
 * Days are kept for this month and the three before it, which is longer than mail logs are; months for this year and
 * the two before. What is older is one number a month, then one a year.
 */
export function horizonsAt(now: number): Horizons {
  const today = localDay(now)
  const year = Number(today.slice(0, 4))
  const month = Number(today.slice(5, 7)) - 1
  return { day: new Date(Date.UTC(year, month - 3, 1)).toISOString().slice(0, 10), month: `${year - 2}-01` }
}

/** The period that a day's uses are kept under. */
export function periodOf(day: string, horizons: Horizons): string {
  if (day >= horizons.day) return day
  const month = day.slice(0, 7)
  return month >= horizons.month ? month : day.slice(0, 4)
}

interface Words {
  locale: string
  none: string
  messages: (count: number) => string
  today: string
  onWeekday: (name: string) => string
  onDay: (day: string) => string
  within: (span: string) => string
  sinceDay: (day: string) => string
  since: (span: string) => string
  last: (when: string) => string
}

const WORDS: Record<Language, Words> = {
  en: {
    locale: 'en-GB',
    none: 'no message counted',
    messages: (count) => (count === 1 ? '1 message' : `${count} messages`),
    today: 'today',
    onWeekday: (name) => `on ${name}`,
    onDay: (day) => `on ${day}`,
    within: (span) => `in ${span}`,
    sinceDay: (day) => `since ${day}`,
    since: (span) => `since ${span}`,
    last: (when) => `last ${when}`,
  },
  fr: {
    locale: 'fr-FR',
    none: 'aucun message compté',
    messages: (count) => (count === 1 ? '1 message' : `${count} messages`),
    today: 'aujourd’hui',
    onWeekday: (name) => name,
    onDay: (day) => `le ${day}`,
    within: (span) => `en ${span}`,
    sinceDay: (day) => `depuis le ${day}`,
    since: (span) => `depuis ${span}`,
    last: (when) => `le dernier ${when}`,
  },
}

/** `March 2024`, of a year the year. */
function spanOf(period: string, locale: string): string {
  if (period.length === 4) return period
  const format = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })
  return format.format(new Date(`${period.slice(0, 7)}-01`))
}

function whenOf(period: string, words: Words, now: number | undefined): string {
  if (period.length < 10) return words.within(spanOf(period, words.locale))
  const date = new Date(period)
  const ago = now === undefined ? -1 : (Date.parse(localDay(now)) - date.getTime()) / DAY_MS
  if (ago === 0) return words.today
  if (!(ago > 0 && ago < 7)) return words.onDay(period)
  const weekday = new Intl.DateTimeFormat(words.locale, { weekday: 'long', timeZone: 'UTC' })
  return words.onWeekday(weekday.format(date))
}

/**
 * `214 messages since March 2024, last on Tuesday`.
 * @param now names the day within the past week; without it dates are told, for what may be read later
 */
export function describeUsage(usage: Usage | null, language: Language = 'en', now?: number): string {
  const words = WORDS[language]
  if (usage === null) return words.none
  const { messages, since, last } = usage
  const amount = words.messages(messages)
  const lastWhen = whenOf(last, words, now)
  if (since === last) return `${amount}, ${lastWhen}`
  const sameMonth = since.length === 10 && since.slice(0, 7) === last.slice(0, 7)
  const from = sameMonth ? words.sinceDay(since) : words.since(spanOf(since, words.locale))
  return `${amount} ${from}, ${words.last(lastWhen)}`
}
