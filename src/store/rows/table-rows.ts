import {
  deepFreeze,
  keyId,
  memorySize,
  shareStructure,
  type CellValue,
  type Key,
  type KeyId,
} from '../../changes/index.ts'
import type { SqliteDriver, SqliteStatement, SqlValue } from '../../drivers/index.ts'
import {
  absentValue,
  decodeColumn,
  emptyRow,
  patchRow,
  quoteName,
  SINGLETON_KEY,
  valueAt,
  type Column,
  type RowObject,
  type StoredCells,
  type TableModel,
  type TableSchema,
} from '../../schema/index.ts'

import { StatementCache } from '../sql/statement-cache.ts'
import { bytesOfRow, CachedRow, ENTRY_BYTES, isLarge } from './cached-row.ts'
import type { CellId } from './cell-id.ts'
import { cellOf } from './rest-members.ts'
import type { RowHolder, RowMemory } from './row-memory.ts'
import { WriteStatements } from './write-statements.ts'

const none: NonNullable<CachedRow['patches']> = []

/** A row as it was inserted. */
interface Inserted {
  readonly key: Key
  readonly id: KeyId
  readonly rowid: number
  readonly row: RowObject
  readonly stored: StoredCells
}

/**
 * The rows of one table as objects. A row object is the same until that row changes: the capture patches or drops it in
 * the moment of the change, so that it can't disagree with what SQL reads. Beyond the bound of RowMemory an object is the
 * same for as long as somebody else holds it, or an object in it: who holds neither can't tell.
 */
export class TableRows implements RowHolder {
  readonly schema: TableSchema
  /** The base table, quoted. */
  readonly base: string
  /** Whether there are optional objects among its columns. */
  readonly hasObjects: boolean
  /** The columns on which a unique constraint or a reference depends. */
  readonly constrained: ReadonlySet<CellId>
  /** The statements that insert rows and set their columns. */
  readonly writes: WriteStatements
  readonly #driver: SqliteDriver
  readonly #memory: RowMemory
  readonly #byKey = new Map<KeyId, CachedRow>()
  readonly #byRowid = new Map<number, CachedRow>()
  /** Rows that the running transaction has deleted: inserted again unchanged, they are the same objects. */
  readonly #forgotten = new Map<KeyId, CachedRow>()
  /** Rows that are here only as long as somebody else holds them. */
  readonly #fadedByKey = new Map<KeyId, CachedRow>()
  readonly #fadedByRowid = new Map<number, CachedRow>()
  readonly #gone = new FinalizationRegistry<CachedRow>((cached) => {
    if (cached.gone && this.#fadedByKey.get(cached.id) === cached) this.#dropFaded(cached)
  })
  /** Where `fade` goes on. */
  #hand: Iterator<CachedRow> | undefined
  #emptyRow: { readonly stored: readonly SqlValue[] | undefined } | undefined
  readonly #columnList: string
  readonly #whereKey: string
  readonly #statements: StatementCache
  #byKeyStatement: SqliteStatement | undefined
  #rowidStatement: SqliteStatement | undefined
  #byRowidStatement: SqliteStatement | undefined

  constructor(driver: SqliteDriver, schema: TableSchema, memory: RowMemory) {
    this.#driver = driver
    this.#memory = memory
    memory.add(this)
    this.schema = schema
    this.base = quoteName(schema.model.base)
    this.hasObjects = schema.model.columns.some(({ kind }) => kind === 'presence')
    this.constrained = constrainedColumns(schema.model)
    this.writes = new WriteStatements(driver, schema.model)
    this.#statements = new StatementCache(driver, 500)
    this.#columnList = schema.model.columns.map((column) => quoteName(column.name)).join(', ')
    this.#whereKey = schema.model.key.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
  }

  /** The stored row of a singleton that is always there, as its schema takes it without anything given. */
  get emptyRow(): readonly SqlValue[] | undefined {
    return (this.#emptyRow ??= { stored: emptyRow(this.schema) }).stored
  }

  /** A prepared statement that is kept. */
  statement(sql: string): SqliteStatement {
    return this.#statements.get(sql)
  }

  /** The row under a key, read if need be. */
  get(key: Key): RowObject | undefined {
    if (isNoKey(key)) return undefined
    const id = keyId(key)
    const cached = this.#byKey.get(id)
    if (cached?.row) {
      cached.used = true
      return cached.row
    }
    const known = cached ?? this.#regain(this.#fadedByKey.get(id))
    const row = known ? this.#fill(known) : this.#find(key, id)
    this.#memory.makeRoom()
    return row
  }

  /** The value of a plain leaf of the row under a key. A row that is dragged along is not made anew for it. */
  leaf(key: Key, column: Column): CellValue {
    const cached = isNoKey(key) ? undefined : this.#underKey(keyId(key))
    if (cached && !cached.row && cached.patches) {
      cached.used = true
      for (const [changed, stored] of cached.patches)
        if (changed === column.index) return stored === null ? absentValue(column) : decodeColumn(column, stored)
      return valueAt(cached.previous!, column.segments)
    }
    const row = this.get(key)
    return row && valueAt(row, column.segments)
  }

  /** The rowid under a key, without reading the row. */
  rowidOf(key: Key): number | undefined {
    if (isNoKey(key)) return undefined
    const id = keyId(key)
    const cached = this.#underKey(id)
    if (cached) {
      cached.used = true
      return cached.rowid
    }
    if (!this.#isKey(key)) return undefined
    this.#rowidStatement ??= this.#driver.prepare(`SELECT rowid FROM ${this.base} WHERE ${this.#whereKey}`)
    const found = this.#rowidStatement.get(this.keyParameters(key))
    if (!found) return undefined
    // Whoever asks is about to write it: the capture will ask for the key.
    const rowid = Number(found[0])
    this.#add(new CachedRow(key, id, rowid))
    this.#memory.makeRoom()
    return rowid
  }

  /** The row that was inserted under a key, and has not changed since: it need not be read. */
  adopt({ key, id, rowid, row, stored }: Inserted): RowObject {
    const cached = this.#underKey(id)
    if (!cached) this.#add(new CachedRow(key, id, rowid, row), stored.values)
    const adopted = cached ? this.#fill(cached) : row
    this.#memory.makeRoom()
    return adopted
  }

  /** The row at a rowid. */
  atRowid(rowid: number): RowObject {
    const cached = this.#underRowid(rowid)
    const row = cached ? this.#fill(cached) : this.#remember(this.#readByRowid(rowid))
    this.#memory.makeRoom()
    return row
  }

  /** Every row that a query for rowids gives. Many rows at once are read in one pass. */
  atRowids(rowids: readonly number[]): RowObject[] {
    const missing = rowids.reduce((sum, rowid) => sum + (this.#has(rowid) ? 0 : 1), 0)
    const read = missing > 64 && missing > this.#count() / 4 ? this.#readAll(rowids) : undefined
    return rowids.map((rowid) => read?.get(rowid) ?? this.atRowid(rowid))
  }

  /** The key of the row at a rowid. */
  keyAt(rowid: number): Key {
    const cached = this.#byRowid.get(rowid) ?? this.#fadedByRowid.get(rowid)
    if (cached) return cached.key
    const { model } = this.schema
    const found = this.statement(
      `SELECT ${model.key.map((column) => quoteName(column.name)).join(', ')} FROM ${this.base} WHERE rowid = ?`,
    ).get([rowid])
    if (!found) throw new Error(`no row ${rowid} in ${model.base}`)
    return this.keyFrom(found)
  }

  /** Every key in order, or those of the rows that a condition holds for. */
  keys(
    filter: { readonly sql: string; readonly parameters: readonly SqlValue[] } = { sql: '1', parameters: [] },
  ): Key[] {
    const names = this.schema.model.key.map((column) => quoteName(column.name)).join(', ')
    const found = this.statement(`SELECT ${names} FROM ${this.base} WHERE ${filter.sql} ORDER BY ${names}`).all(
      filter.parameters,
    )
    return found.map((parts) => this.keyFrom(parts))
  }

  /** Whether there is no row. */
  get isEmpty(): boolean {
    return this.statement(`SELECT 1 FROM ${this.base} LIMIT 1`).get() === undefined
  }

  /** The values of a row in SQLite, in column order. */
  stored(rowid: number): SqlValue[] {
    return this.#readByRowid(rowid).slice(1)
  }

  /** The stored values of the row under a key; of none, NULLs. */
  storedOf(key: Key): SqlValue[] {
    const rowid = this.rowidOf(key)
    return rowid === undefined ? new Array<SqlValue>(this.schema.model.columns.length).fill(null) : this.stored(rowid)
  }

  /** The stored value of one cell. */
  cellAt(rowid: number, cell: CellId): SqlValue {
    return cellOf(this.schema.model, this.stored(rowid), cell)
  }

  /** The key among the values of a row in column order. */
  keyOf(stored: readonly SqlValue[]): Key {
    return this.keyFrom(this.schema.model.key.map((column) => stored[column.index]!))
  }

  /** The key among stored cells by column. */
  keyOfCells(cells: StoredCells): Key {
    const { key } = this.schema.model
    return this.keyFrom(key.length === 1 ? [cells.get(key[0]!.index)!] : key.map(({ index }) => cells.get(index)!))
  }

  /** A key as the parameters of a statement. */
  keyParameters(key: Key): SqlValue[] {
    const parts = Array.isArray(key) ? (key as readonly CellValue[]) : [key]
    return parts.map((part) => (typeof part === 'boolean' ? Number(part) : (part as SqlValue)))
  }

  /** What the capture does with a changed row. Returns what undoes it, if anything was done. */
  patch(rowid: number, column: number, after: SqlValue): (() => void) | undefined {
    const cached = this.#underRowid(rowid)
    if (!cached) return undefined
    this.#memory.hold()
    cached.used = true
    const { row, previous, patches } = cached
    // A row that is dragged along is seldom read: what changed is noted, and laid over the object when it is.
    if (row) {
      cached.row = undefined
      cached.previous = row
      cached.patches = [[column, after]]
    } else if (patches) {
      const others = patches.length === 1 && patches[0]![0] === column ? none : patches.filter(([at]) => at !== column)
      cached.patches = [...others, [column, after]]
    }
    return () => {
      cached.row = row
      cached.previous = previous
      cached.patches = patches
    }
  }

  /** Forgets a deleted row. */
  forget(rowid: number): (() => void) | undefined {
    const cached = this.#underRowid(rowid)
    if (!cached) return undefined
    this.#memory.hold()
    this.#drop(cached)
    this.#forgotten.set(cached.id, cached)
    return () => this.#add(cached)
  }

  /** A row that the running transaction deleted and inserted again lends its unchanged parts. */
  revive(key: Key, rowid: number): void {
    if (this.#forgotten.size === 0) return
    const id = keyId(key)
    const before = this.#forgotten.get(id)
    if (!before || this.#underKey(id)) return
    const cached = new CachedRow(key, id, rowid, undefined, before.row ?? before.previous)
    cached.bytes = before.bytes
    this.#add(cached)
  }

  /** A transaction has ended: what it deleted will not come back as the same row. */
  letGo(): void {
    if (this.#forgotten.size > 0) this.#forgotten.clear()
  }

  /** Drops every object, when the whole database was replaced. */
  clear(): void {
    for (const cached of this.#byKey.values()) this.#memory.bytes -= cached.bytes
    this.#fadedByKey.clear()
    this.#fadedByRowid.clear()
    this.#byKey.clear()
    this.#byRowid.clear()
  }

  fade(isEnough: () => boolean): boolean {
    this.#hand ??= this.#byKey.values()
    while (!isEnough()) {
      const next = this.#hand.next()
      if (next.done === true) {
        this.#hand = undefined
        return true
      }
      const cached = next.value
      if (cached.used) cached.used = false
      else this.#fade(cached)
    }
    return false
  }

  finalize(): void {
    this.#statements.finalize()
    this.writes.finalize()
    this.#byKeyStatement?.finalize()
    this.#rowidStatement?.finalize()
    this.#byRowidStatement?.finalize()
    this.clear()
  }

  #add(cached: CachedRow, stored?: readonly SqlValue[]): void {
    if (stored) cached.bytes = bytesOfRow(stored)
    this.#byKey.set(cached.id, cached)
    this.#byRowid.set(cached.rowid, cached)
    this.#memory.bytes += cached.bytes
  }

  #drop(cached: CachedRow): void {
    this.#byKey.delete(cached.id)
    this.#byRowid.delete(cached.rowid)
    this.#memory.bytes -= cached.bytes
  }

  #dropFaded(cached: CachedRow): void {
    this.#fadedByKey.delete(cached.id)
    this.#fadedByRowid.delete(cached.rowid)
  }

  #fade(cached: CachedRow): void {
    this.#drop(cached)
    const { object } = cached
    // Of one without an object nobody can hold anything.
    if (!object) return
    if (cached.fade(object)) this.#gone.register(object, cached)
    this.#fadedByKey.set(cached.id, cached)
    this.#fadedByRowid.set(cached.rowid, cached)
  }

  #underKey(id: KeyId): CachedRow | undefined {
    return this.#byKey.get(id) ?? this.#regain(this.#fadedByKey.get(id))
  }

  #underRowid(rowid: number): CachedRow | undefined {
    return this.#byRowid.get(rowid) ?? this.#regain(this.#fadedByRowid.get(rowid))
  }

  #has(rowid: number): boolean {
    return this.#byRowid.has(rowid) || this.#fadedByRowid.has(rowid)
  }

  #regain(faded: CachedRow | undefined): CachedRow | undefined {
    if (!faded) return undefined
    this.#dropFaded(faded)
    faded.regain()
    this.#add(faded)
    return faded
  }

  #weigh(cached: CachedRow, bytes: number): void {
    this.#memory.bytes += bytes - cached.bytes
    cached.bytes = bytes
  }

  #fill(cached: CachedRow): RowObject {
    cached.used = true
    if (cached.row) return cached.row
    const { previous, patches } = cached
    cached.row = (previous && patches && this.#patched(previous, patches)) ?? this.#fresh(cached)
    if (patches?.some(([, after]) => isLarge(after, cached.bytes)))
      this.#weigh(cached, ENTRY_BYTES + memorySize(cached.row))
    cached.previous = undefined
    cached.patches = undefined
    return cached.row
  }

  /** A row with some of its columns changed; `undefined` where it must be read again. */
  #patched(row: RowObject, patches: readonly (readonly [number, SqlValue])[]): RowObject | undefined {
    const { model } = this.schema
    let patched: RowObject | undefined = row
    for (const [column, after] of patches) {
      patched = patchRow(model, patched, model.columns[column]!, after)
      if (!patched) return undefined
    }
    return patched
  }

  #fresh(cached: CachedRow): RowObject {
    const stored = this.#readByRowid(cached.rowid).slice(1)
    this.#weigh(cached, bytesOfRow(stored))
    const fresh = this.schema.codec.decode(stored)
    return cached.previous ? deepFreeze(shareStructure<RowObject>(cached.previous, fresh)) : fresh
  }

  #find(key: Key, id: KeyId): RowObject | undefined {
    if (!this.#isKey(key)) return undefined
    const found = this.#readByKey(key)
    return found && this.#remember(found, key, id)
  }

  /** Takes in a row that was read: its rowid and its values. */
  #remember(found: readonly SqlValue[], givenKey?: Key, givenId?: KeyId): RowObject {
    const stored = found.slice(1)
    const key = givenKey ?? this.keyOf(stored)
    const id = givenId ?? keyId(key)
    const fresh = this.schema.codec.decode(stored)
    const before = this.#forgotten.get(id)
    const known = before?.row ?? before?.previous
    const row = known ? deepFreeze(shareStructure<RowObject>(known, fresh)) : fresh
    this.#add(new CachedRow(key, id, Number(found[0]), row), stored)
    return row
  }

  /** Whether a key is of the types of this table's key: SQLite would find the row '1' for a 1. */
  #isKey(key: Key): boolean {
    const { key: columns } = this.schema.model
    if (columns.length === 1) return isKeyPart(columns[0]!, key)
    return (
      Array.isArray(key) &&
      key.length === columns.length &&
      columns.every((column, n) => isKeyPart(column, (key as readonly Key[])[n]!))
    )
  }

  #readByKey(key: Key): SqlValue[] | undefined {
    this.#byKeyStatement ??= this.#driver.prepare(
      `SELECT rowid, ${this.#columnList} FROM ${this.base} WHERE ${this.#whereKey}`,
    )
    return this.#byKeyStatement.get(this.keyParameters(key))
  }

  #readByRowid(rowid: number): SqlValue[] {
    this.#byRowidStatement ??= this.#driver.prepare(
      `SELECT rowid, ${this.#columnList} FROM ${this.base} WHERE rowid = ?`,
    )
    const found = this.#byRowidStatement.get([rowid])
    if (!found) throw new Error(`no row ${rowid} in ${this.schema.model.base}`)
    return found
  }

  /** Reads those of some rows that aren't known. */
  #readAll(rowids: readonly number[]): ReadonlyMap<number, RowObject> {
    const wanted = new Set(rowids)
    const read = new Map<number, RowObject>()
    for (const found of this.statement(`SELECT rowid, ${this.#columnList} FROM ${this.base}`).iterate()) {
      const rowid = Number(found[0])
      if (!wanted.has(rowid) || this.#has(rowid)) continue
      read.set(rowid, this.#remember(found))
      this.#memory.makeRoom()
    }
    return read
  }

  #count(): number {
    return Number(this.statement(`SELECT count(*) FROM ${this.base}`).get()![0])
  }

  /** The key of which these are the stored parts, in the order of the key. */
  keyFrom(parts: readonly SqlValue[]): Key {
    const { model } = this.schema
    if (model.singleton) return SINGLETON_KEY
    const values = model.key.map((column, n) => keyPart(column, parts[n]!))
    return values.length === 1 ? values[0]! : Object.freeze(values)
  }
}

function constrainedColumns({ unique, references }: TableModel): ReadonlySet<number> {
  const found = new Set<number>()
  for (const { columns } of [...unique, ...references])
    for (const column of columns) for (let at: Column | undefined = column; at; at = at.guard) found.add(at.index)
  return found
}

/** Whether a column's value depends on nothing else that is stored, and is no object, whose identity would matter. */
export function isPlainLeaf({ kind, guard, nullInRest, hidden }: Column): boolean {
  return !guard && !nullInRest && !hidden && ['text', 'integer', 'number', 'boolean', 'int64'].includes(kind)
}

/** Whether a value can't be a key of any table. */
export function isNoKey(key: unknown): boolean {
  return (
    key === undefined ||
    typeof key === 'symbol' ||
    typeof key === 'function' ||
    (typeof key === 'object' && !Array.isArray(key))
  )
}

function isKeyPart(column: Column, part: Key): boolean {
  switch (column.kind) {
    case 'text':
      return typeof part === 'string'
    case 'integer':
      return Number.isSafeInteger(part)
    case 'number':
      return typeof part === 'number'
    case 'int64':
      return typeof part === 'bigint'
    case 'boolean':
      return typeof part === 'boolean'
    default:
      return typeof part === 'string' || typeof part === 'number'
  }
}

function keyPart(column: Column, value: SqlValue): Exclude<Key, readonly unknown[]> {
  if (column.kind === 'boolean') return value === 1
  if (column.kind === 'int64') return BigInt(value as number | bigint)
  return value as string | number
}
