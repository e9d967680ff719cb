import { Observable } from 'rxjs'
import { equalValues, keyId, type CellValue, type Key, type Path, type RowChange } from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import { isObject, placeOf, readPath, replaceAt, SINGLETON_KEY, type Place, type RowObject } from '../schema/index.ts'
import type { RowPredicate, TableChange } from './api.ts'
import type { TableListener } from './announcer.ts'
import type { Engine } from './engine.ts'
import { compileWhere, fieldResolver } from './filter-fields.ts'
import { FilterError, parseWhere, whereToSql, type SqlFragment } from './filter/index.ts'
import type { Layer } from './layers/row-stack.ts'
import { liveCount } from './live/live-count.ts'
import { Watch, type Watched } from './watch.ts'
import { TableLive } from './live/table-live.ts'
import { TableQuery, type TableQueryOptions } from './live/table-query.ts'
import { RowWriter, type Change } from './rows/row-writer.ts'
import { isNoKey, isPlainLeaf, type TableRows } from './rows/table-rows.ts'
import { assertChange, assertPath, assertRows } from './table-arguments.ts'

/** A table as callers use it, untyped: `Table` in api.ts is its typed face. */
export class TableHandle {
  readonly name: string
  readonly #engine: Engine
  readonly #rows: TableRows
  readonly #writer: RowWriter
  readonly #changes$: Observable<TableChange>
  /** Throws when what this handle belongs to can't be written any more. */
  readonly #assertUsable: () => void

  constructor(engine: Engine, rows: TableRows, layer: Layer | undefined, assertUsable: () => void) {
    this.name = rows.schema.model.name
    this.#engine = engine
    this.#rows = rows
    this.#writer = new RowWriter(engine, rows, layer)
    this.#assertUsable = assertUsable
    this.#changes$ = tableChanges(engine, rows)
  }

  get changes$(): Observable<TableChange> {
    this.#engine.assertOpen()
    return this.#changes$
  }

  get(key: Key): RowObject | undefined {
    this.#engine.assertOpen()
    this.#engine.noteRead(this.#rows, key)
    return this.#rows.get(key)
  }

  has(key: Key): boolean {
    this.#engine.assertOpen()
    this.#engine.noteRead(this.#rows, key)
    return this.#rows.rowidOf(key) !== undefined
  }

  keys(): Key[] {
    this.#engine.assertOpen()
    this.#engine.noteRead(this.#rows)
    return this.#rows.keys()
  }

  all(): RowObject[] {
    return this.find()
  }

  count(where?: unknown): number {
    this.#engine.assertOpen()
    this.#engine.noteRead(this.#rows)
    const filter = this.#filter(where ?? {})
    return Number(
      this.#rows.statement(`SELECT count(*) FROM ${this.#rows.base} WHERE ${filter.sql}`).get(filter.parameters)![0],
    )
  }

  count$(where?: unknown): Observable<number> {
    this.#engine.assertOpen()
    return liveCount(this.#engine, this.#query('count$', where === undefined ? {} : { where }), () => this.count())
  }

  predicate(where: unknown): RowPredicate {
    this.#engine.assertOpen()
    return compileWhere(this.#rows, where)
  }

  find(options: TableQueryOptions = {}): RowObject[] {
    this.#engine.assertOpen()
    this.#engine.noteRead(this.#rows)
    return [...this.#query('find', options).run()]
  }

  live(options: TableQueryOptions = {}): TableLive {
    this.#engine.assertOpen()
    return new TableLive(this.#engine, this.#rows, this.#query('live', options))
  }

  insert(rows: RowObject | readonly RowObject[]): Key | Key[] {
    this.#assertUsable()
    assertRows(this.name, 'insert', rows)
    return Array.isArray(rows)
      ? this.#writer.insert(rows as readonly RowObject[])
      : this.#writer.insert([rows as RowObject])[0]!
  }

  upsert(rows: RowObject | readonly RowObject[]): Key | Key[] {
    this.#assertUsable()
    assertRows(this.name, 'upsert', rows)
    return Array.isArray(rows)
      ? this.#writer.upsert(rows as readonly RowObject[])
      : this.#writer.upsert([rows as RowObject])[0]!
  }

  update(key: Key, change: Change): void {
    this.#assertUsable()
    assertChange(this.name, 'update', change, key)
    this.#writer.update(key, change)
  }

  updateMany(rows: readonly Key[] | object, change: Change): number {
    this.#assertUsable()
    assertChange(this.name, 'updateMany', change)
    return this.#writer.updateMany(this.#keysOf(rows), change)
  }

  set(key: Key, path: Path, value: CellValue): void {
    this.#assertUsable()
    assertPath(this.name, 'set', path)
    this.#writer.set(key, path, value)
  }

  /** A new row with a value at a path, and nothing else. */
  rowOf(path: Path, value: CellValue): RowObject {
    assertPath(this.name, 'set', path)
    const place = placeOf(this.#rows.schema.model, path)
    return replaceAt({}, place.segments, 0, value, place.path) as RowObject
  }

  reset(key: Key, path?: Path): void {
    this.#assertUsable()
    if (path !== undefined) assertPath(this.name, 'reset', path)
    this.#writer.reset(key, path)
  }

  delete(rows: Key | readonly Key[] | { readonly where: unknown }): number {
    this.#assertUsable()
    if (isObject(rows) && 'where' in rows) return this.#writer.deleteWhere(this.#filter(rows.where))
    const composite = this.#rows.schema.model.key.length > 1
    const many = Array.isArray(rows) && (!composite || rows.length === 0 || Array.isArray(rows[0]))
    return this.#writer.delete(many ? (rows as readonly Key[]) : [rows as Key])
  }

  row$(key: Key): Observable<RowObject | undefined> {
    return this.#observe(key, wholeRow) as Observable<RowObject | undefined>
  }

  field$(key: Key, path: Path): Observable<CellValue> {
    this.#engine.assertOpen()
    assertPath(this.name, 'field$', path)
    const { model } = this.#rows.schema
    const place = placeOf(model, path)
    return this.#observe(key, {
      path: place.path,
      columns: columnsAt(place, this.#rows),
      read:
        place.kind === 'column' && place.inner.length === 0 && isPlainLeaf(place.column)
          ? (rows, of) => rows.leaf(of, place.column)
          : (rows, of) => readPath(rows.get(of), place.segments),
      same: equalValues,
    })
  }

  /** The keys of rows that a caller names one by one or by a filter. */
  #keysOf(rows: readonly Key[] | object): readonly Key[] {
    if (Array.isArray(rows)) return rows as readonly Key[]
    this.#engine.noteRead(this.#rows)
    return this.#rows.keys(this.#filter(rows))
  }

  #query(what: string, options: unknown): TableQuery {
    if (!isObject(options))
      throw new FilterError('', `${what} of '${this.name}' expects { where, orderBy, limit, offset }, or nothing`)
    const unknown = Object.keys(options).find((name) => !QUERY_OPTIONS.includes(name))
    if (unknown !== undefined)
      throw new FilterError(
        unknown,
        `${what} of '${this.name}' has no option '${unknown}': it takes where, orderBy, limit and offset`,
      )
    return new TableQuery(this.#rows, options)
  }

  #filter(where: unknown): SqlFragment {
    return whereToSql(parseWhere(where, fieldResolver(this.#rows)))
  }

  #observe(key: Key, watched: Watched): Observable<CellValue> {
    const engine = this.#engine
    const rows = this.#rows
    engine.assertOpen()
    return new Observable<CellValue>((subscriber) => {
      if (engine.closed) {
        subscriber.complete()
        return undefined
      }
      if (isNoKey(key)) throw new NotFoundError(`${this.name}: a row is observed by its key, not by ${String(key)}`)
      engine.noteRead(rows, key)
      const { index } = rows.schema.model
      const id = keyId(key)
      const { path, columns } = watched
      const known = engine.announcer.dispatcher.find(index, id, columns, path) as Watch | undefined
      const watch = known ?? new Watch(engine, rows, key, watched)
      // Before it is told anything: it may write in answer, or close the store.
      if (!known) engine.announcer.dispatcher.listen(index, id, columns, watch)
      const reader = watch.follow(subscriber)
      return () => {
        if (watch.leave(reader)) engine.announcer.dispatcher.forget(index, id, columns, watch)
      }
    })
  }
}

const QUERY_OPTIONS: readonly string[] = ['where', 'orderBy', 'limit', 'offset']

const wholeRow: Watched = { path: undefined, columns: undefined, read: (rows, key) => rows.get(key), same: Object.is }

/** A singleton as callers use it, untyped: `SingletonValue` in api.ts is its typed face. */
export class SingletonHandle {
  readonly name: string
  readonly #table: TableHandle

  constructor(table: TableHandle) {
    this.name = table.name
    this.#table = table
  }

  get(): RowObject | undefined {
    return this.#table.get(SINGLETON_KEY)
  }

  set(path: Path, value: CellValue): void {
    if (this.#table.has(SINGLETON_KEY)) this.#table.set(SINGLETON_KEY, path, value)
    else this.#table.insert(this.#table.rowOf(path, value))
  }

  update(change: Change): void {
    if (typeof change !== 'function' && !this.#table.has(SINGLETON_KEY)) this.#table.insert(change)
    else this.#table.update(SINGLETON_KEY, change)
  }

  reset(path?: Path): void {
    this.#table.reset(SINGLETON_KEY, path)
  }

  get value$(): Observable<RowObject | undefined> {
    return this.#table.row$(SINGLETON_KEY)
  }

  field$(path: Path): Observable<CellValue> {
    return this.#table.field$(SINGLETON_KEY, path)
  }
}

/** The columns whose changes can change what lies at a place; `undefined` for all of them. */
function columnsAt(place: Place, rows: TableRows): readonly number[] | undefined {
  const { rest } = rows.schema.model
  if (place.kind === 'undeclared') return [rest!.index]
  if (place.kind === 'object') return undefined
  const columns = [place.column.index]
  for (let guard = place.column.guard; guard; guard = guard.guard) columns.push(guard.index)
  if (place.column.nullInRest && rest) columns.push(rest.index)
  return columns
}

const noChanges: readonly RowChange[] = Object.freeze([])

function tableChanges(engine: Engine, rows: TableRows): Observable<TableChange> {
  return new Observable<TableChange>((subscriber) => {
    if (engine.closed) {
      subscriber.complete()
      return undefined
    }
    const listeners = engine.announcer.tableChanges.get(rows)!
    const listener: TableListener = (_nets, told) => {
      const changes = told()
      const of = (op: RowChange['op']): readonly RowChange[] =>
        // Most often there is one change: a slider's.
        changes.length === 1
          ? changes[0]!.op === op
            ? changes
            : noChanges
          : changes.filter((change) => change.op === op)
      subscriber.next({ inserted: of('insert'), updated: of('update'), deleted: of('delete') })
    }
    listeners.add(listener)
    const done = engine.closing(() => subscriber.complete())
    return () => {
      listeners.delete(listener)
      done()
    }
  })
}
