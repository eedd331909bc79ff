/** The text of HTML, as mailparser makes it of a message that is nothing else. */
import { simpleParser } from 'mailparser'

/** Leaves out what nobody asks for here. */
export const PLAIN = { skipImageLinks: true, skipTextToHtml: true, skipTextLinks: true }

/** @returns its text; empty where there is none, or where it is too long or too deep to be read */
export async function textOfHtml(html: string): Promise<string> {
  const mail = Buffer.concat([Buffer.from('Content-Type: text/html; charset=utf-8\n\n'), Buffer.from(html)])
  return (await simpleParser(mail, PLAIN)).text ?? ''
}
