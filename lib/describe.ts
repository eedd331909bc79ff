/** A message described for people: header fields and attachments, by mailparser. Never decides anything. */
import { createReadStream } from 'node:fs'
import { MailParser } from 'mailparser'

export interface Description {
  /** Field and value as sent, unfolded, in order. */
  headers: { name: string; value: string }[]
  attachments: { name: string; type: string; size: number }[]
  /** Why the message could not be read to its end, or null. */
  trouble: string | null
}

/** Reads a message file. What mailparser cannot make sense of is told, never thrown. */
export async function describeFile(path: string): Promise<Description> {
  const description: Description = { headers: [], attachments: [], trouble: null }
  const parser = new MailParser({
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    skipTextLinks: true,
  })
  try {
    await new Promise<void>((resolve, reject) => {
      parser.on('headerLines', (lines: { key: string; line: string }[]) => {
        for (const { line } of lines) {
          const colon = line.indexOf(':')
          const value = line
            .slice(colon + 1)
            .replace(/\r?\n[ \t]+/g, ' ')
            .trim()
          description.headers.push({ name: line.slice(0, colon), value })
        }
      })
      parser.on('data', (part) => {
        if (part.type !== 'attachment') return
        const { content, contentType, filename } = part
        let size = 0
        content.on('data', (bytes: Buffer) => {
          size += bytes.length
        })
        content.on('end', () => {
          description.attachments.push({ name: filename ?? '', type: contentType, size })
          part.release?.()
        })
      })
      parser.on('end', resolve)
      parser.on('error', reject)
      createReadStream(path).on('error', reject).pipe(parser)
    })
  } catch (error) {
    description.trouble = error instanceof Error ? error.message : String(error)
  }
  return description
}
