/** The text of a reply, by mailparser: of its text part, or of its HTML with quotations marked. */
import { simpleParser } from 'mailparser'

/**
 * @param bytes a whole message of a size that somebody has limited, from somebody who was authenticated
 * @returns its text; empty where there is none or it cannot be read
 */
export async function replyText(bytes: Buffer): Promise<string> {
  const options = { skipImageLinks: true, skipTextToHtml: true, skipTextLinks: true }
  try {
    return (await simpleParser(bytes, options)).text ?? ''
  } catch {
    return ''
  }
}
