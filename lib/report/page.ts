/**
 * The page: a report as one HTML document with its pictures and its style in it, and no script. Pure.
 *
 * It is long because the page is one document, with its style in it.
 */
import { ageOf, counted, grouped, shareOf, sizeOf } from '../text/amounts.js'
import { escapeHtml, safe } from '../text/html.js'
import { spoken, translated, words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'
import { type ChartColumn, drawBar, drawColumns, drawSteps } from './chart.js'
import { type Day, type Figures, SPANS } from './figures.js'

/** What a reader is told of each span, along SPANS, and of what is longer than all. */
export function spanNames(): string[] {
  return [
    words`up to 1 hour`,
    words`up to 4 hours`,
    words`up to 1 day`,
    words`up to 3 days`,
    words`up to 7 days`,
    words`longer`,
  ]
}

/** More days than these are drawn by the week. */
const MOST_COLUMNS = 92

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --card: #f5f6f8; --ink: #1a1e24; --dim: #5b6470; --line: #dde1e6;
  --passed: #2f6fb7; --held: #c4640a; --refused: #a8203f; --observed: #7a5bb0; --good: #2a7f4f; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1d2127; --ink: #e6e9ed; --dim: #9aa4b0;
  --line: #323840; --passed: #6ea8e8; --held: #f2a04a; --refused: #f07088; --observed: #b498ea; --good: #63c28d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 20px 16px 40px; max-width: 1040px; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 16px; margin: 0 0 2px; }
p { margin: 0 0 10px; } header p, .note, footer { color: var(--dim); font-size: 13px; }
header { margin-bottom: 16px; } footer { margin-top: 24px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin-bottom: 14px; }
.tile { background: var(--card); border-radius: 8px; padding: 10px 12px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--dim); font-size: 13px; }
.cards { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }
.stack { display: flex; flex-direction: column; gap: 14px; min-width: 0; }
table + .note { margin: 8px 0 0; }
section { background: var(--card); border-radius: 8px; padding: 14px 16px; min-width: 0; }
.wide { grid-column: 1 / -1; }
h3 { font-size: 13px; font-weight: 600; margin: 12px 0 0; }
.key::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 0;
  background: var(--c); } .key { font-size: 13px; margin-right: 14px; white-space: nowrap; }
.chart { display: block; margin-left: 40px; width: calc(100% - 40px); overflow: visible; }
.tick { font-size: 11px; fill: var(--dim); } .grid { stroke: var(--line); stroke-width: 1; }
rect.passed { fill: var(--passed); } rect.held { fill: var(--held); } rect.refused { fill: var(--refused); }
rect.observed { fill: var(--observed); } rect.good { fill: var(--good); } rect.aim { fill: transparent; }
rect.area { fill-opacity: .18; } .edge { stroke: var(--good); stroke-width: 2; stroke-linecap: square; }
g:hover rect { opacity: .75; }
table { border-collapse: collapse; width: 100%; margin-top: 6px; font-size: 14px; }
th { text-align: left; font-weight: 600; font-size: 12px; color: var(--dim); }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } .t { white-space: nowrap; }
.a { overflow-wrap: anywhere; } .meter { width: 24%; vertical-align: middle; }
.state { color: var(--dim); } .only { display: none; font-size: 13px; } .bad { color: var(--held); font-weight: 600; }
.code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px; }
@media (max-width: 720px) { .cards { grid-template-columns: minmax(0, 1fr); } .less { display: none; } .only { display: block; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } .tile:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .meter { width: 22%; } }
@media print { :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --dim: #444; --line: #bbb;
  --passed: #2f6fb7; --held: #c4640a; --refused: #a8203f; --observed: #7a5bb0; --good: #2a7f4f; }
  body { padding: 0; max-width: none; font-size: 9.5pt; } table { font-size: 8.5pt; } th, td { padding: 2px 8px 2px 0; }
  .tiles { grid-template-columns: repeat(5, 1fr); } .tile b { font-size: 16pt; } .tile span { font-size: 8.5pt; } .tile, section { border: 1px solid var(--line);
  break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
@page { margin: 14mm; }
`

function person(address: string): string {
  return safe(address === '' ? '<>' : address)
}

/** `1 message`, `12 messages`. */
export function messagesOf(count: number): string {
  return counted(count, words`${grouped(count)} message`, words`${grouped(count)} messages`)
}

export function recipientsOf(count: number): string {
  return counted(count, words`${grouped(count)} recipient`, words`${grouped(count)} recipients`)
}

/** How many rules allow and block. */
export function rulesOf(allows: number, blocks: number): string {
  return [
    counted(allows, words`${grouped(allows)} allow rule`, words`${grouped(allows)} allow rules`),
    counted(blocks, words`${grouped(blocks)} block`, words`${grouped(blocks)} blocks`),
  ].join(', ')
}

function time(at: number): string {
  return `<time datetime="${new Date(at).toISOString()}">${localTime(at)}</time>`
}

/** Cells are HTML. A column's class says how it stands; `less` is left out on a phone. */
function table(heads: readonly (readonly [string, string])[], rows: readonly (readonly string[])[]): string {
  const classes = heads.map(([, name]) => (name === '' ? '' : ` class="${name}"`))
  const head = heads.map(([text], index) => `<th scope="col"${classes[index]}>${text}</th>`).join('')
  const body = rows.map(
    (cells) => `<tr>${cells.map((cell, index) => `<td${classes[index]}>${cell}</td>`).join('')}</tr>`,
  )
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

/** Days, or weeks of them where they are many: what happened is summed, what stands is that of the last. */
function merge(days: readonly Day[]): Day[] {
  if (days.length <= MOST_COLUMNS) return [...days]
  const weeks: Day[] = []
  for (let end = days.length; end > 0; end -= 7) {
    const week = days.slice(Math.max(0, end - 7), end)
    const last = week.at(-1)
    if (last === undefined) break
    const sum = (pick: (day: Day) => number): number => week.reduce((total, day) => total + pick(day), 0)
    weeks.unshift({
      ...last,
      day: week[0]?.day ?? last.day,
      messages: sum(({ messages }) => messages),
      passed: sum(({ passed }) => passed),
      held: sum(({ held }) => held),
      refused: sum(({ refused }) => refused),
      observed: sum(({ observed }) => observed),
    })
  }
  return weeks
}

/** `2026-11-24` as `24 Nov`. */
function shortDay(day: string): string {
  const months = words`Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec`.split(' ')
  return `${Number(day.slice(8))} ${months[Number(day.slice(5, 7)) - 1] ?? ''}`
}

function tile(value: string, text: string): string {
  return `<div class="tile"><b>${value}</b><span>${text}</span></div>`
}

/** What would have been held counts as held where nothing is: `1.2 %`. */
export function shareHeld({ passed, held, refused, observed }: Figures): string {
  return shareOf(held + observed, passed + held + refused + observed)
}

function perDay(figures: Figures): string {
  const days = merge(figures.days)
  const weekly = days.length < figures.days.length
  const when = (day: string): string => (weekly ? words`the week from ${day}` : day)
  const columns = (values: (day: Day) => number[], text: (day: Day) => string): ChartColumn[] =>
    days.map((day) => ({
      label: shortDay(day.day),
      title: words`${when(day.day)}: ${text(day)}`,
      values: values(day),
    }))
  const passed = columns(
    ({ passed }) => [passed],
    ({ passed, messages }) => words`${grouped(passed)} passed, of ${messagesOf(messages)}`,
  )
  const held = columns(
    ({ held, refused, observed }) => [held, refused, observed],
    ({ held, refused, observed }) =>
      words`${grouped(held)} held, ${grouped(refused)} refused, ${grouped(observed)} would have been held`,
  )
  const keys = [
    ['held', words`held`, figures.held],
    ['refused', words`refused by the server behind the gate`, figures.refused],
    ['observed', words`passed, would have been held`, figures.observed],
  ] as const
  const legend = keys
    .filter(([name, , count]) => name === 'held' || count > 0)
    .map(([name, text]) => `<span class="key" style="--c: var(--${name})">${text}</span>`)
  return `<section class="wide"><h2>${weekly ? words`Mail per week` : words`Mail per day`}</h2>
<p class="note">${words`Recipients: a message to three people counts three times. Each picture has a scale of its own.`}</p>
<h3><span class="key" style="--c: var(--passed)">${words`passed`}</span></h3>
${drawColumns(passed, ['passed'], words`${grouped(figures.passed)} recipients passed`)}
<h3>${legend.join('')}</h3>
${drawColumns(held, ['held', 'refused', 'observed'], words`${grouped(figures.held)} recipients held`)}</section>`
}

function spanColumns(spans: readonly number[], tell: (count: number) => string): ChartColumn[] {
  const names = spanNames()
  return spans.map((count, index) => {
    const longer = index === SPANS.length
    return {
      label: longer ? `> ${ageOf(SPANS.at(-1) ?? 0)}` : `≤ ${ageOf(SPANS[index] ?? 0)}`,
      title: words`${longer ? words`longer than 7 days` : (names[index] ?? '')}: ${tell(count)}`,
      values: [count],
    }
  })
}

function waits({ waiting, until }: Figures): string {
  if (waiting.messages === 0)
    return `<section class="wide"><h2>${words`What waits`}</h2><p>${words`Nothing.`}</p></section>`
  const columns = spanColumns(waiting.spans, messagesOf)
  const rows = waiting.longest.map(({ id, sender, recipients, first, reason, heldAt, expiresAt }) => [
    `<span class="t">${ageOf(until - heldAt)}</span>`,
    person(sender),
    `${person(first)}${recipients > 1 ? ` <span class="state">${words`and ${recipients - 1} more`}</span>` : ''}<div class="state only">${words`from ${person(sender)}`}</div>`,
    escapeHtml(visible(translated(reason))),
    expiresAt <= until
      ? `<span class="bad">${words`due`}</span>`
      : `<span class="t${expiresAt - until < 2 * 86_400_000 ? ' bad' : ''}">${ageOf(expiresAt - until)}</span>`,
    `<span class="code">${escapeHtml(visible(id))}</span>`,
  ])
  const more = waiting.messages - rows.length
  return `<section class="wide"><h2>${words`What waits, and how long`}</h2>
<p class="note">${words`${messagesOf(waiting.messages)} for ${recipientsOf(waiting.recipients)}, ${sizeOf(waiting.bytes)}, by how long they have waited.`}</p>
${drawColumns(columns, ['held'], words`messages by how long they have waited`, 6)}
${table(
  [
    [words`Waits`, 't'],
    [words`From`, 'a less'],
    [words`To`, 'a'],
    [words`Why`, 'less'],
    [words`Expires in`, 't'],
    [words`Id`, 'less'],
  ],
  rows,
)}${more > 0 ? `<p class="note">${words`and ${grouped(more)} more: toeh list`}</p>` : ''}</section>`
}

function releases({ release, settled }: Figures): string {
  const { median, ninetieth } = release
  const text =
    median === null || ninetieth === null
      ? words`Nothing was released in this time.`
      : words`Half were released within ${ageOf(median)}, nine of ten within ${ageOf(ninetieth)}.`
  const chart =
    median === null
      ? ''
      : drawColumns(
          spanColumns(release.spans, recipientsOf),
          ['good'],
          words`recipients by how long they waited for their release`,
          6,
        )
  return `<section><h2>${words`Time to release`}</h2>
<p class="note">${text} ${words`${grouped(settled.released)} released, ${grouped(settled.rejected)} rejected, ${grouped(settled.expired)} expired.`}</p>
${chart}</section>`
}

/** What has become of a destination's mail. */
function standing(state: string): string {
  if (state === 'held' || state === 'refused') return words`waits`
  return state === 'observed' ? words`passed, observed` : translated(state)
}

function destinations({ newest }: Figures): string {
  const rows = newest.map(({ address, first, recipients, senders, state }) => [
    person(address),
    `<span class="t">${time(first)}</span>`,
    grouped(recipients),
    grouped(senders),
    `<span class="${state === 'held' ? 'bad' : 'state'}">${escapeHtml(visible(standing(state)))}</span>`,
  ])
  const heads = [
    [words`Destination`, 'a'],
    [words`First written to`, 'less'],
    [words`Mail`, 'n'],
    [words`Senders`, 'n less'],
    [words`Now`, ''],
  ] as const
  return `<section class="wide"><h2>${words`Newest destinations`}</h2>
<p class="note">${words`Addresses that nobody had made known, by when somebody first wrote to them in this time.`}</p>
${rows.length === 0 ? `<p>${words`None.`}</p>` : table(heads, rows)}</section>`
}

function senders({ senders: list }: Figures): string {
  const most = list[0]?.held ?? 0
  const rows = list.map(({ sender, recipients, held }) => [
    person(sender),
    drawBar(held, most, 'held'),
    grouped(held),
    grouped(recipients),
  ])
  const heads = [
    [words`Sender`, 'a'],
    ['', 'meter'],
    [words`Held`, 'n'],
    [words`Of`, 'n'],
  ] as const
  return `<section><h2>${words`Whose mail is held most`}</h2>
<p class="note">${words`Recipients, in this time.`}</p>
${rows.length === 0 ? `<p>${words`Nobody's.`}</p>` : table(heads, rows)}</section>`
}

function landscape({ days, rules }: Figures): string {
  const points = merge(days).map((day) => ({
    label: shortDay(day.day),
    title: words`${day.day}: ${rulesOf(day.allows, day.blocks)}`,
    values: [day.allows],
  }))
  const rows = rules.newest.map(({ value, effect, addedBy, addedAt }) => [
    `${effect === 'block' ? `<span class="bad">${words`block`}</span> ` : ''}${safe(value)}`,
    safe(addedBy),
    `<span class="t">${time(addedAt)}</span>`,
  ])
  const heads = [
    [words`Newest rule`, 'a'],
    [words`By`, 'a'],
    [words`Since`, 'less'],
  ] as const
  return `<section class="wide"><h2>${words`The landscape`}</h2>
<p class="note">${words`${rulesOf(rules.allows, rules.blocks)}; ${rules.grown < 0 ? '' : '+'}${grouped(rules.grown)} in this time.`}</p>
${drawSteps(points, 'good', words`allow rules, now ${grouped(rules.allows)}`)}
${rows.length === 0 ? '' : table(heads, rows.slice(0, 8))}</section>`
}

function reasons({ reasons: counts }: Figures): string {
  const meanings: Record<string, string> = {
    internal: words`inside the company`,
    allowed: words`a rule allows it`,
    unknown: words`nobody has said yes`,
    blocked: words`a rule blocks it`,
    malformed: words`not a plain address`,
    'foreign-sender': words`the sender is not ours`,
  }
  const list = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const most = list[0]?.[1] ?? 0
  const rows = list.map(([reason, count]) => [
    `${escapeHtml(visible(translated(reason)))} <span class="state less">${escapeHtml(meanings[reason] ?? '')}</span>`,
    drawBar(count, most, reason === 'internal' || reason === 'allowed' ? 'passed' : 'held'),
    grouped(count),
  ])
  const heads = [
    [words`Reason`, ''],
    ['', 'meter'],
    [words`Recipients`, 'n'],
  ] as const
  return `<section><h2>${words`Why`}</h2><p class="note">${words`What the verdicts rest on.`}</p>
${rows.length === 0 ? `<p>${words`No verdict yet.`}</p>` : table(heads, rows)}</section>`
}

/**
 * The whole document. Every text that mail, rules or people have brought is escaped and made visible.
 * @param company whose mail it is: the first of the internal domains
 */
export function drawPage(figures: Figures, company: string, mode: 'enforce' | 'observe'): string {
  const { waiting, release, since, until } = figures
  const held = mode === 'observe' ? words`would have been held` : words`held`
  const waitsNow = counted(waiting.messages, words`waits now`, words`wait now`)
  const oldest = waiting.oldest === null ? [] : [words`the oldest for ${ageOf(until - waiting.oldest)}`]
  const tiles = [
    tile(grouped(figures.passed + figures.observed), words`passed, of ${messagesOf(figures.messages)}`),
    tile(grouped(figures.held + figures.observed), words`${held}, ${shareHeld(figures)} of all`),
    tile(grouped(waiting.messages), [waitsNow, ...oldest].join(', ')),
    tile(release.median === null ? words`none` : ageOf(release.median), words`to release, for half of them`),
    tile(grouped(figures.rules.allows), words`rules that allow`),
  ]
  const observes = mode === 'observe' ? ` ${words`TOEH observes: everything passes.`}` : ''
  return `<!doctype html>
<html lang="${spoken()}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${words`Outgoing mail of ${escapeHtml(visible(company))}`}</title>
<style>${STYLE}</style></head><body>
<header><h1>${words`Outgoing mail of ${safe(company)}`}</h1>
<p>${words`From ${time(since)} to ${time(until)}.`}${observes}</p></header>
<div class="tiles">${tiles.join('')}</div>
<div class="cards">
${[perDay(figures), waits(figures), destinations(figures), senders(figures)].join('\n')}
<div class="stack">${releases(figures)}${reasons(figures)}</div>
${landscape(figures)}
</div>
<footer><p>${words`Made by toeh report from the decision log, the hold and the landscape. It names people: keep it as you keep the mail log.`}</p></footer>
</body></html>
`
}
