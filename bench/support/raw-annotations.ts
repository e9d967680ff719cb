import initSqlJs, { type Database } from 'sql.js'
import { givenColumns, keyOf, leaves, moved, valuesOf } from './annotations.ts'

/** What a program would write by hand over sql.js: the same columns, and one trigger a column into JavaScript. */
export class RawAnnotations {
  readonly db: Database
  /** How often a trigger has called. */
  captured = 0

  constructor(db: Database) {
    this.db = db
    db.run('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON')
    db.create_function('captured', (_column: number, _rowid: number, _old: number | null, _new: number | null) => {
      this.captured++
      return null
    })
    db.create_function('inserted', (_rowid: number) => {
      this.captured++
      return null
    })
    db.run(
      `CREATE TABLE annotation (id TEXT PRIMARY KEY NOT NULL, ${leaves.map(({ column }) => `${column} REAL`).join(', ')})`,
    )
    for (const [index, { column }] of leaves.entries()) {
      db.run(
        `CREATE TEMP TRIGGER on_${column} AFTER UPDATE OF ${column} ON main.annotation WHEN OLD.${column} IS NOT NEW.${column} ` +
          `BEGIN SELECT captured(${index}, NEW.rowid, OLD.${column}, NEW.${column}); END`,
      )
    }
    db.run('CREATE TEMP TRIGGER on_insert AFTER INSERT ON main.annotation BEGIN SELECT inserted(NEW.rowid); END')
  }

  /** Binds just what is given: the others stay NULL, which stands for the default. */
  insert(from: number, to: number): void {
    const places = givenColumns.map(() => '?').join(', ')
    const statement = this.db.prepare(`INSERT INTO annotation (id, ${givenColumns.join(', ')}) VALUES (?, ${places})`)
    this.db.run('BEGIN')
    for (let index = from; index < to; index++) statement.run([keyOf(index), ...valuesOf(index)])
    this.db.run('COMMIT')
    statement.free()
  }

  /** Prepared, by rowid: the row of `keyOf(n)` has the rowid n + 1. */
  updater(): (rowid: number, value: number) => void {
    const statement = this.db.prepare(`UPDATE annotation SET ${moved.column} = ? WHERE rowid = ?`)
    return (rowid, value) => statement.run([value, rowid])
  }
}

const engine = initSqlJs()

export async function createRaw(): Promise<RawAnnotations> {
  return new RawAnnotations(new (await engine).Database())
}
