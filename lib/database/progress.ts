/** Progress: what runs leave for those that come after them, one value under each name. */
import type { Database } from './database.js'

export class Progress {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** @returns undefined where nobody has left anything */
  get(name: string): string | undefined {
    return this.#db.get<{ value: string }>('SELECT value FROM progress WHERE name = ?', name)?.value
  }

  /** Part of the transaction it is called in. */
  set(name: string, value: string): void {
    const sql =
      'INSERT INTO progress (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
    this.#db.run(sql, name, value)
  }

  remove(name: string): void {
    this.#db.run('DELETE FROM progress WHERE name = ?', name)
  }
}
