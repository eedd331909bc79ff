/** An attachment as it is told of. Pure. */

/** The attachments of a message by their names, decoded bytes each, and whether these are all. */
export interface Enclosures {
  list: readonly { name: string; size: number }[]
  whole: boolean
}

export interface Attachment {
  name: string
  type: string
  /** Bytes, decoded. */
  size: number
}

/** A line of the output: an attachment, the text, or why there are no more. */
export type AttachmentFinding = { attachment: Attachment } | { text: string } | { trouble: string }
