import type { Database, ParamsObject, SqlValue, Statement } from 'sql.js'
import type { Stop } from '../contender.ts'
import type { Folder, Joined, Note, Notes, NotesChange } from '../notes.ts'

/** Notes over sql.js by hand: no triggers, each live query is asked again after a write of what it reads. */
export class RawNotes implements Notes {
  readonly #db: Database
  readonly #folders = new Map<string, Set<() => void>>()
  readonly #joins = new Set<() => void>()
  readonly #folderOf: Statement
  readonly #ofFolder: Statement
  readonly #join: Statement
  readonly #updates = new Map<string, Statement>()
  #runs = 0

  constructor(db: Database) {
    this.#db = db
    db.run('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF')
    db.run(`CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL);
      CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, folder TEXT NOT NULL, rank REAL NOT NULL, text TEXT NOT NULL);
      CREATE INDEX by_folder ON note (folder, id); CREATE INDEX by_rank ON note (rank DESC, id)`)
    this.#folderOf = db.prepare('SELECT folder FROM note WHERE id = ?')
    this.#ofFolder = db.prepare('SELECT id, folder, rank, text FROM note WHERE folder = ? ORDER BY id')
    this.#join = db.prepare(`SELECT note.id, note.rank, folder.title FROM note JOIN folder ON folder.id = note.folder
      WHERE note.rank >= ? ORDER BY note.rank DESC, note.id LIMIT ?`)
  }

  insert(folders: readonly Folder[], notes: readonly Note[]): void {
    this.#db.run('BEGIN')
    const folder = this.#db.prepare('INSERT INTO folder VALUES (?, ?)')
    for (const { id, title } of folders) folder.run([id, title])
    folder.free()
    const note = this.#db.prepare('INSERT INTO note VALUES (?, ?, ?, ?)')
    for (const { id, folder: of, rank, text } of notes) note.run([id, of, rank, text])
    note.free()
    this.#db.run('COMMIT')
  }

  change({ notes = [], folders = [] }: NotesChange): void {
    const due = new Set<() => void>()
    let joined = folders.length > 0
    this.#db.run('BEGIN')
    for (const { id, ...cells } of notes) {
      for (const [column, value] of Object.entries(cells)) this.#update('note', column).run([value, id])
      joined ||= 'rank' in cells
      const [folder] = this.#folderOf.get([id])
      this.#folderOf.reset()
      for (const run of this.#folders.get(folder as string) ?? []) due.add(run)
    }
    for (const { id, title } of folders) this.#update('folder', 'title').run([title, id])
    this.#db.run('COMMIT')
    for (const run of due) run()
    if (joined) for (const run of this.#joins) run()
  }

  onFolder(folder: string, hear: (notes: readonly Note[]) => void): Stop {
    const run = (): void => hear(this.#all<Note>(this.#ofFolder, [folder]))
    const others = this.#folders.get(folder) ?? new Set()
    this.#folders.set(folder, others.add(run))
    run()
    return () => void others.delete(run)
  }

  onJoin({ from, limit }: { from: number; limit: number }, hear: (rows: readonly Joined[]) => void): Stop {
    const run = (): void => {
      this.#runs++
      hear(this.#all<Joined>(this.#join, [from, limit]))
    }
    this.#joins.add(run)
    run()
    return () => void this.#joins.delete(run)
  }

  runs(): number {
    return this.#runs
  }

  close(): void {
    this.#db.close()
  }

  #update(table: string, column: string): Statement {
    const sql = `UPDATE ${table} SET ${column} = ? WHERE id = ?`
    let statement = this.#updates.get(sql)
    if (!statement) this.#updates.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  #all<Row extends ParamsObject | object>(statement: Statement, parameters: SqlValue[]): Row[] {
    const rows: Row[] = []
    statement.bind(parameters)
    while (statement.step()) rows.push(statement.getAsObject() as Row)
    statement.reset()
    return rows
  }
}
