/** HTML: text made safe for a page or a mail. Pure. */
import { visible } from './visible.js'

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for HTML, elements and attributes alike. Not for what mail brings: that goes through {@link safe}. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/**
 * What mail, rules or people have brought, for HTML: nothing of it steers, hides or is markup.
 * @param breaks before which characters a line may break, as the inside of a character class
 */
export function safe(text: string, breaks = '@'): string {
  const html = escapeHtml(visible(text))
  return `<bdi>${html.replace(new RegExp(`[${breaks}]`, 'g'), '<wbr>$&')}</bdi>`
}
