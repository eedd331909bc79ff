/** The text of a reply, by mailparser: of its text part, and of its HTML with quotations marked. */
import { simpleParser } from 'mailparser'
import { PLAIN, textOfHtml } from './htmltext.js'

export interface ReplyText {
  /** As many as there are ways to read it: the text part, then the HTML. */
  texts: string[]
  /** Whether something of it cannot be read here: encrypted, or signed so that the text is inside the signature. */
  sealed: boolean
}

const SEALED = /^application\/(?:(?:x-)?pkcs7-mime|pgp-encrypted|ms-tnef|vnd\.ms-tnef)$/
const SEALED_TEXT = /^-----BEGIN PGP MESSAGE-----\s*$/m

/**
 * @param bytes a whole message of a size that somebody has limited, from somebody who was authenticated
 * @returns its texts; none where there are none or it cannot be read
 */
export async function replyText(bytes: Buffer): Promise<ReplyText> {
  try {
    const { text = '', html, attachments } = await simpleParser(bytes, PLAIN)
    const texts = [text, html ? await textOfHtml(html) : ''].filter((one) => one.trim() !== '')
    const sealed = attachments.some(({ contentType }) => SEALED.test(contentType.toLowerCase()))
    return { texts, sealed: sealed || SEALED_TEXT.test(text) }
  } catch {
    return { texts: [], sealed: false }
  }
}
