// What a program would write by hand over sql.js for this one table: statements kept, defaults left NULL, a trigger a
// column that calls JavaScript, subscribers by row, and live queries re-run when a row that passes their filter changes.
import { Ajv2020 } from 'ajv/dist/2020.js'
import initSqlJs, { type Database, type SqlValue, type Statement } from 'sql.js'
import { givenColumns, leaves, moved, schemaInput, type BenchRow, type Leaf } from '../../support/annotations.ts'
import type { Contender, Draft, Query, Stop, World } from '../contender.ts'
import { RawNotes } from './raw-notes.ts'

interface Change {
  readonly rowid: number
  readonly column: number
  readonly old: number
  readonly now: number
}

const columnOf = new Map(leaves.map(({ column }, index) => [column, index]))
const movedColumn = columnOf.get(moved.column)!
const given = leaves.filter(({ column }) => givenColumns.includes(column))
const truth = ({ column }: { readonly column: string }): string => `coalesce(${column}, 1)`

class RawStore implements World {
  readonly #db: Database
  readonly #rowids = new Map<string, number>()
  readonly #changes: Change[] = []
  readonly #fields = new Map<number, Set<(value: number) => void>>()
  readonly #rows = new Map<number, Set<(row: unknown) => void>>()
  readonly #tables = new Set<() => void>()
  readonly #queries = new Set<Query & { readonly run: () => void }>()
  readonly #statements = new Map<string, Statement>()
  readonly #validate = new Ajv2020({ ownProperties: true }).compile(schemaInput.tables['annotation']!.schema)

  constructor(db: Database, work?: string) {
    this.#db = db
    db.run('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF')
    db.create_function('changed', (column: number, rowid: number, old: number | null, now: number | null) => {
      this.#changes.push({ rowid, column, old: old ?? 1, now: now ?? 1 })
      return null
    })
    db.run(
      `CREATE TABLE IF NOT EXISTS annotation (id TEXT PRIMARY KEY NOT NULL, ${leaves.map(({ column }) => `${column} REAL`).join(', ')})`,
    )
    for (const [index, { column }] of leaves.entries())
      db.run(
        `CREATE TEMP TRIGGER on_${column} AFTER UPDATE OF ${column} ON main.annotation WHEN OLD.${column} IS NOT NEW.${column} ` +
          `BEGIN SELECT changed(${index}, NEW.rowid, OLD.${column}, NEW.${column}); END`,
      )
    if (work === 'query') db.run(`CREATE INDEX by_moved ON annotation (${truth(moved)} DESC, id)`)
  }

  insert(rows: readonly BenchRow[]): void {
    const insert = this.#statement(
      `INSERT INTO annotation (id, ${givenColumns.join(', ')}) VALUES (?, ${givenColumns.map(() => '?').join(', ')})`,
    )
    this.#db.run('BEGIN')
    for (const row of rows)
      insert.run([row.id, ...given.map(({ group, name }) => (row[group] as Record<string, number>)[name]!)])
    this.#db.run('COMMIT')
    for (const hear of this.#tables) hear()
  }

  validate(rows: readonly BenchRow[]): void {
    for (const row of rows) if (!this.#validate(row)) throw new Error(`${row.id} is not valid`)
  }

  set(id: string, value: number): void {
    this.#write(id, value)
    this.#tell()
  }

  setMany(ids: readonly string[], value: number): void {
    this.#db.run('BEGIN')
    for (const id of ids) this.#write(id, value)
    this.#db.run('COMMIT')
    this.#tell()
  }

  row(id: string): unknown {
    return this.#read(this.#rowid(id))
  }

  value(id: string): number {
    return this.#number(`SELECT ${truth(moved)} FROM annotation WHERE rowid = ?`, [this.#rowid(id)])
  }

  count(): number {
    return this.#number('SELECT count(*) FROM annotation', [])
  }

  onField(id: string, hear: (value: number) => void): Stop {
    return this.#subscribe(this.#fields, id, hear)
  }

  onRow(id: string, hear: (row: unknown) => void): Stop {
    return this.#subscribe(this.#rows, id, hear)
  }

  onTable(hear: () => void): Stop {
    this.#tables.add(hear)
    return () => void this.#tables.delete(hear)
  }

  onQuery(asked: Query, hear: (ids: readonly string[]) => void): Stop {
    const { where, from, to, by, limit } = asked
    const statement = this.#statement(
      `SELECT id FROM annotation WHERE ${truth(where)} BETWEEN ? AND ? ORDER BY ${truth(by)} DESC, id LIMIT ?`,
    )
    const query = {
      ...asked,
      run: () => {
        const ids: string[] = []
        statement.bind([from, to, limit])
        while (statement.step()) ids.push(statement.get()[0] as string)
        statement.reset()
        hear(ids)
      },
    }
    query.run()
    this.#queries.add(query)
    return () => void this.#queries.delete(query)
  }

  draft(): Draft {
    const before = new Map<number, number>()
    this.#db.run('SAVEPOINT draft')
    return {
      set: (id, value) => {
        this.#write(id, value)
        for (const { rowid, old } of this.#changes) if (!before.has(rowid)) before.set(rowid, old)
        this.#tell()
      },
      commit: () => void this.#db.run('RELEASE draft'),
      cancel: () => {
        this.#db.run('ROLLBACK TO draft; RELEASE draft')
        for (const [rowid, now] of before) this.#changes.push({ rowid, column: movedColumn, old: now, now })
        this.#tell()
      },
    }
  }

  export(): Uint8Array {
    return this.#db.export()
  }

  close(): void {
    this.#db.close()
  }

  #write(id: string, value: number): void {
    this.#statement(`UPDATE annotation SET ${moved.column} = ? WHERE rowid = ?`).run([value, this.#rowid(id)])
  }

  /** What the triggers have put down, to those whom it concerns. */
  #tell(): void {
    const changes = this.#changes.splice(0)
    if (changes.length === 0) return
    const due = new Set<() => void>()
    for (const { rowid, column, old, now } of changes) {
      if (column === movedColumn) for (const hear of this.#fields.get(rowid) ?? []) hear(now)
      const rows = this.#rows.get(rowid)
      if (rows) {
        const row = this.#read(rowid)
        for (const hear of rows) hear(row)
      }
      this.#concerned({ rowid, column, old, now }, due)
    }
    for (const run of due) run()
    for (const hear of this.#tables) hear()
  }

  /** Adds the queries that a change may concern: of its column, and with its row. */
  #concerned({ rowid, column, old, now }: Change, due: Set<() => void>): void {
    const values = new Map<string, number>()
    const valueOf = (leaf: Leaf): number => {
      let value = values.get(leaf.column)
      if (value === undefined)
        values.set(
          leaf.column,
          (value = this.#number(`SELECT ${truth(leaf)} FROM annotation WHERE rowid = ?`, [rowid])),
        )
      return value
    }
    const { column: changed } = leaves[column]!
    for (const { where, from, to, by, run } of this.#queries) {
      if (where.column === changed) {
        if ((now >= from && now <= to) || (old >= from && old <= to)) due.add(run)
      } else if (by.column === changed) {
        const value = valueOf(where)
        if (value >= from && value <= to) due.add(run)
      }
    }
  }

  #read(rowid: number): unknown {
    const statement = this.#statement('SELECT * FROM annotation WHERE rowid = ?')
    const [id, ...values] = statement.get([rowid])
    statement.reset()
    const row: Record<string, Record<string, unknown>> = {}
    for (const [index, { group, name }] of leaves.entries()) (row[group] ??= {})[name] = values[index] ?? 1
    return { ...row, id }
  }

  #number(sql: string, parameters: SqlValue[]): number {
    const statement = this.#statement(sql)
    const [value] = statement.get(parameters)
    statement.reset()
    return value as number
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  #rowid(id: string): number {
    let rowid = this.#rowids.get(id)
    if (rowid === undefined)
      this.#rowids.set(id, (rowid = this.#number('SELECT rowid FROM annotation WHERE id = ?', [id])))
    return rowid
  }

  #subscribe<T>(subscribers: Map<number, Set<T>>, id: string, hear: T): Stop {
    const rowid = this.#rowid(id)
    const ofRow = subscribers.get(rowid) ?? new Set<T>()
    subscribers.set(rowid, ofRow.add(hear))
    return () => {
      ofRow.delete(hear)
      if (ofRow.size === 0) subscribers.delete(rowid)
    }
  }
}

const engine = initSqlJs()

export const rawSqlJs: Contender = {
  name: 'raw sql.js',
  validates: false,
  open: async (work) => new RawStore(new (await engine).Database(), work),
  openFile: async (bytes) => new RawStore(new (await engine).Database(bytes)),
  openNotes: async () => new RawNotes(new (await engine).Database()),
}
