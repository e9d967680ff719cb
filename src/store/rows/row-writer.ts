import { produce } from 'immer'
import { describeKey, equalKeys, formatPath, keyId, type CellValue, type Key, type Path } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { NotFoundError, TransactionError, ValidationError, type ValidationIssue } from '../../errors/index.ts'
import {
  encodeColumn,
  EncodeFailure,
  hiddenColumns,
  isColumn,
  isHiddenMark,
  isObject,
  mergePatch,
  placeOf,
  readPath,
  replaceAt,
  RowEncodeFailure,
  sameSql,
  SINGLETON_KEY,
  valueAt,
  type Column,
  type ObjectNode,
  type RowObject,
  type StoredCells,
} from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { refusedBy } from '../layers/blamed-drafts.ts'
import type { Layer } from '../layers/row-stack.ts'
import { validateNets } from '../sql/run-sql.ts'
import { insertRows } from './insert-rows.ts'
import type { CellId } from './cell-id.ts'
import { LateValues } from './late-values.ts'
import { cellOf, membersOf } from './rest-members.ts'
import type { TableRows } from './table-rows.ts'
import { updateCells } from './update-cells.ts'

const noColumns: readonly Column[] = []
const aStatement = { single: true }
const aTransaction = {}

/** A deep partial row, or an Immer recipe. */
export type Change = RowObject | ((draft: RowObject) => unknown)

/** The writes of one table through the API, on behalf of one layer. Each validates before it writes. */
export class RowWriter {
  readonly #engine: Engine
  readonly #rows: TableRows
  readonly #layer: Layer | undefined
  readonly #alone = new Map<Column, boolean>()
  /** What the call that is running writes through, where rows may pass their values on. */
  #late: LateValues | undefined

  constructor(engine: Engine, rows: TableRows, layer: Layer | undefined) {
    this.#engine = engine
    this.#rows = rows
    this.#layer = layer
  }

  /** Inserts rows in one transaction and returns their keys. */
  insert(list: readonly RowObject[]): Key[] {
    return this.#engine.write(this.#layer, { single: list.length === 1 && this.#engine.inTransaction }, () =>
      insertRows(
        this.#engine,
        this.#rows,
        list.map((row) => this.#cellsOf(row)),
      ),
    )
  }

  /** Inserts rows, or makes the rows under their keys what is given. */
  upsert(list: readonly RowObject[]): Key[] {
    return this.#writeSeveral(list.length, () =>
      list.map((row) => {
        const key = this.#givenKey(row)
        if (key !== undefined) this.#engine.noteRead(this.#rows, key)
        const rowid = key === undefined ? undefined : this.#rows.rowidOf(key)
        if (rowid === undefined) return this.#insertOne(row)
        if (this.#late?.has(rowid)) this.#late.show()
        this.#replace(key!, rowid, this.#encode(row, key, this.#keptHidden(rowid, row)), () => true)
        return key!
      }),
    )
  }

  /** Runs a write of so many rows, of which the state after it counts for what is unique. */
  #writeSeveral<Result>(count: number, run: () => Result): Result {
    if (count < 2 || this.#rows.schema.model.unique.length === 0) return this.#engine.write(this.#layer, {}, run)
    const late = new LateValues(this.#engine, this.#rows)
    return this.#engine.write(this.#layer, {}, () => {
      const result = this.#through(late, run)
      late.end()
      return result
    })
  }

  #through<Result>(late: LateValues | undefined, run: () => Result): Result {
    const outer = this.#late
    this.#late = late
    try {
      return run()
    } finally {
      this.#late = outer
    }
  }

  /** Changes one row. Throws NotFoundError if it isn't there. */
  update(key: Key, change: Change): void {
    const rowid = this.#existing(key)
    const leaves = typeof change === 'function' ? undefined : this.#leavesOf(key, change)
    if (leaves) this.#writeLeaves(key, rowid, leaves)
    // A recipe is the caller's code: whatever else it writes before it throws is undone as well.
    else
      this.#engine.write(this.#layer, { single: typeof change !== 'function' && this.#engine.inTransaction }, () =>
        this.#rewrite(key, rowid, this.#changed(key, change), namedBy(change), removedBy(change)),
      )
  }

  /** Changes many rows in one transaction. Returns how many. */
  updateMany(keys: readonly Key[], change: Change): number {
    if (typeof change === 'function') return this.#updateEach(keys, change)
    return this.#writeSeveral(keys.length, () => {
      let leaves: readonly (readonly [Column, SqlValue])[] | undefined
      for (const key of keys) {
        if (leaves) this.#writeLeaves(key, this.#existing(key), leaves)
        else {
          this.update(key, change)
          // What was valid for one row is valid for all, where it depends on the columns alone.
          const found = this.#leavesOf(key, change)
          if (found?.every(([column]) => !column.guard && !this.#rows.schema.model.key.includes(column))) leaves = found
        }
      }
      return keys.length
    })
  }

  /** Changes many rows by a recipe, which runs once for each: it is the caller's code, and may count. */
  #updateEach(keys: readonly Key[], recipe: Change): number {
    return this.#writeSeveral(keys.length, () => {
      for (const key of keys) {
        const rowid = this.#existing(key)
        this.#rewrite(key, rowid, this.#made(key, recipe), namedBy(recipe), removedBy(recipe))
      }
      return keys.length
    })
  }

  /** What a recipe makes of a row. What it writes elsewhere are calls of their own. */
  #made(key: Key, recipe: Change): RowObject {
    const make = (): RowObject => this.#changed(key, recipe)
    const late = this.#late
    return late ? this.#through(undefined, () => late.during(make)) : make()
  }

  /** Sets the value at a path, an array's element included. */
  set(key: Key, path: Path, value: CellValue): void {
    const place = placeOf(this.#rows.schema.model, path)
    const rowid = this.#existing(key)
    if (place.kind === 'column' && value !== undefined && this.#present(key, place.column)) {
      const { column } = place
      const whole = place.inner.length === 0 ? value : this.#inside(key, column, place.inner, value, place.path)
      if (this.#standsAlone(column) && !this.#refusesKey(column, key, whole)) {
        this.#writeLeaf(key, rowid, column, this.#encodeLeaf(column, whole, key))
        return
      }
    }
    const { segments } = place
    this.#engine.write(this.#layer, { single: this.#engine.inTransaction }, () => {
      const row = this.#rows.get(key)!
      const next = replaceAt(row, segments, 0, value, place.path) as RowObject
      this.#rewrite(
        key,
        rowid,
        next,
        (column) => isAtOrBelow(column, segments),
        (column) => place.kind === 'column' && place.column === column && place.inner.length === 0,
      )
    })
  }

  /** Puts a path, or every property but the key, back to the schema's default. */
  reset(key: Key, path: Path | undefined): void {
    if (path !== undefined) return this.set(key, path, undefined)
    const rowid = this.#existing(key)
    this.#engine.write(this.#layer, {}, () => {
      const { model } = this.#rows.schema
      const row = this.#rows.get(key)!
      let bare: CellValue = {}
      for (const column of model.key)
        if (!column.hidden) bare = replaceAt(bare, column.segments, 0, valueAt(row, column.segments), column.path)
      this.#rewrite(key, rowid, bare as RowObject, () => true)
    })
  }

  /** Deletes rows. Returns how many were there. */
  delete(keys: readonly Key[]): number {
    return this.#engine.write(this.#layer, {}, () => {
      const { mark } = this.#engine
      const statement = this.#rows.statement(`DELETE FROM ${this.#rows.base} WHERE rowid = ?`)
      let deleted = 0
      for (const key of keys) {
        const rowid = this.#rows.rowidOf(key)
        if (rowid === undefined) continue
        statement.run([rowid])
        deleted++
      }
      this.#checkCleared(mark)
      return deleted
    })
  }

  /** Deletes the rows that a condition holds for, in one statement. Returns how many. */
  deleteWhere({ sql, parameters }: { readonly sql: string; readonly parameters: readonly SqlValue[] }): number {
    return this.#engine.write(this.#layer, {}, () => {
      const { mark } = this.#engine
      const { base } = this.#rows
      this.#engine.noteRead(this.#rows)
      const deleted = Number(this.#rows.statement(`SELECT count(*) FROM ${base} WHERE ${sql}`).get(parameters)![0])
      if (deleted > 0) this.#rows.statement(`DELETE FROM ${base} WHERE ${sql}`).run(parameters)
      this.#checkCleared(mark)
      return deleted
    })
  }

  /** A row that loses its reference by a delete may not be as the schema has it without. */
  #checkCleared(mark: number): void {
    if (!this.#clearsReferences) return
    const cleared = this.#engine.netsSince(mark).filter(({ op }) => op === 'update')
    validateNets(cleared, { stacks: this.#engine.layers, layer: this.#layer })
  }

  /** Whether a delete may change rows, of other tables or by way of them. */
  get #clearsReferences(): boolean {
    return this.#engine.models.some(({ references }) => references.some(({ onDelete }) => onDelete === 'setNull'))
  }

  #insertOne(row: RowObject): Key {
    const cells = this.#cellsOf(row)
    return this.#late ? this.#late.insert(cells) : insertRows(this.#engine, this.#rows, [cells])[0]!
  }

  /** Validates a new row and gives its cells. */
  #cellsOf(row: RowObject): StoredCells {
    const { model } = this.#rows.schema
    const cells = this.#encode(row, undefined)
    if (model.singleton) cells.set(model.key[0]!.index, SINGLETON_KEY)
    return cells
  }

  /** Validates a whole row and gives its cells. */
  #encode(row: RowObject, key: Key | undefined, hidden: readonly Column[] = noColumns): StoredCells {
    const { model } = this.#rows.schema
    if (!isObject(row))
      throw new ValidationError([
        { table: model.name, key, path: '', keyword: 'type', message: 'a row must be a plain object' },
      ])
    const named = key ?? this.#givenKey(row)
    return guardDepth(() => this.#encodeChecked(row, named, hidden))
  }

  #encodeChecked(row: RowObject, named: Key | undefined, hidden: readonly Column[]): StoredCells {
    const { model, codec, validator } = this.#rows.schema
    let cells: StoredCells
    try {
      if (!this.#anyCrossField) this.#refuse(validator.row(row, named, hiddenColumns(hidden)))
      cells = codec.encode(row)
      for (const column of hidden) cells.set(column.index, column.hiddenMark!)
    } catch (error) {
      if (!(error instanceof RowEncodeFailure)) throw error
      const issues = validator.row(row, named, hiddenColumns(hidden))
      throw new ValidationError(
        issues.length > 0
          ? issues
          : [
              {
                table: model.name,
                key: named,
                path: formatPath(error.path),
                keyword: error.keyword,
                message: error.message,
              },
            ],
        { cause: error },
      )
    }
    // What ties properties to each other must see the defaults.
    if (this.#anyCrossField)
      this.#refuse(validator.row(codec.decode(codec.spread(cells)), named, hiddenColumns(hidden)))
    return cells
  }

  get #anyCrossField(): boolean {
    return isCrossField(this.#rows.schema.model.root)
  }

  /**
   * Validates the next state of a row and writes what differs. `meant` tells the columns that were named, `removed` those
   * that were to go: what is hidden and not given stays hidden otherwise.
   */
  #rewrite(
    key: Key,
    rowid: number,
    next: RowObject,
    meant: (column: Column) => boolean,
    removed?: (column: Column) => boolean,
  ): void {
    this.#sameKey(key, next)
    const hidden = this.#keptHidden(rowid, next, removed)
    let cells: StoredCells
    try {
      cells = this.#encode(next, key, hidden)
    } catch (error) {
      throw error instanceof ValidationError ? this.#explain(error, key, next, meant) : error
    }
    this.#replace(key, rowid, cells, meant)
  }

  /** Says so where it is by another's draft that a row's next state is refused. */
  #explain(error: ValidationError, key: Key, next: RowObject, meant: (column: Column) => boolean): ValidationError {
    const { model, codec } = this.#rows.schema
    const stack = this.#engine.layers.get(this.#rows, keyId(key))
    if (!stack || !this.#anyCrossField || error.cause !== undefined) return error
    const stored = codec.spread(codec.encode(next))
    const isWritten = (cell: CellId): boolean =>
      (typeof cell === 'number' && meant(model.columns[cell]!)) ||
      !sameSql(cellOf(model, stored, cell), stack.cells.get(cell)!.top())
    return refusedBy(error.issues, { stack, stored, layer: this.#layer, isWritten })
  }

  /** The columns of a row that are hidden, and will be: not given by its next state, in objects that are still there. */
  #keptHidden(rowid: number, next: RowObject, removed?: (column: Column) => boolean): readonly Column[] {
    const { restricted } = this.#rows.schema.model
    if (restricted.length === 0 || !isObject(next)) return noColumns
    const stored = this.#rows.stored(rowid)
    return restricted.filter((column) => {
      if (!isHiddenMark(column, stored[column.index]!) || removed?.(column)) return false
      if (valueAt(next, column.segments) !== undefined) return false
      for (let guard = column.guard; guard; guard = guard.guard) {
        const around = valueAt(next, guard.segments)
        if (around === null || (around === undefined && guard.defaultSql !== 1)) return false
      }
      return true
    })
  }

  #replace(key: Key, rowid: number, cells: StoredCells, meant: (column: Column) => boolean): void {
    const { model, codec } = this.#rows.schema
    const next = codec.spread(cells)
    const before = this.#rows.stored(rowid)
    const changed: [Column, SqlValue][] = []
    for (const column of model.columns) {
      if (model.singleton && column === model.key[0]) continue
      const after = next[column.index]!
      if (!sameSql(before[column.index]!, after)) changed.push([column, after])
      else if (!model.key.includes(column) && meant(column)) this.#intend(key, column, after)
    }
    this.#setCells(key, rowid, changed)
  }

  /** One statement. Outside a transaction it needs one only where something is to be checked after it has run. */
  #writeLeaves(key: Key, rowid: number, leaves: readonly (readonly [Column, SqlValue])[]): void {
    const single = this.#engine.inTransaction || leaves.every(([column]) => this.#isPlain(key, column))
    this.#engine.write(this.#layer, { single }, () => this.#setCells(key, rowid, leaves))
  }

  /** As `#writeLeaves`, for one: a slider's step. */
  #writeLeaf(key: Key, rowid: number, column: Column, value: SqlValue): void {
    const single = this.#engine.inTransaction || this.#isPlain(key, column)
    this.#engine.write(this.#layer, single ? aStatement : aTransaction, () => {
      updateCells(this.#engine, this.#rows, rowid, [column], [value])
      this.#intend(key, column, value)
    })
  }

  #setCells(key: Key, rowid: number, cells: readonly (readonly [Column, SqlValue])[]): void {
    if (cells.length === 0) return
    if (this.#late) this.#late.update(rowid, cells)
    else {
      const columns = cells.map(([column]) => column)
      const values = cells.map(([, value]) => value)
      updateCells(this.#engine, this.#rows, rowid, columns, values)
    }
    for (const [column, value] of cells) this.#intend(key, column, value)
  }

  #intend(key: Key, column: Column, value: SqlValue): void {
    if (this.#engine.layers.empty) return
    const rows = this.#rows
    const id = keyId(key)
    if (column.kind !== 'rest') this.#engine.intend({ rows, key, id, cell: column.index, value })
    else
      for (const [path, text] of membersOf(this.#rows.schema.model, value))
        this.#engine.intend({ rows, key, id, cell: path, value: text })
  }

  /** The columns that a patch sets, if it sets nothing but columns that can be judged alone. */
  #leavesOf(key: Key, patch: RowObject): (readonly [Column, SqlValue])[] | undefined {
    const { model } = this.#rows.schema
    if (!isObject(patch))
      throw new ValidationError([
        { table: model.name, key, path: '', keyword: 'type', message: 'a patch must be a plain object' },
      ])
    const found: [Column, CellValue][] = []
    const collect = (node: ObjectNode, object: RowObject): boolean => {
      if (node.crossField) return false
      for (const name of Object.keys(object)) {
        const child = node.properties.get(name)
        const value = object[name]
        if (!child || value === undefined) return false
        if (isColumn(child)) {
          if (
            (child.kind === 'json' && isObject(value)) ||
            child.nullInRest ||
            !this.#present(key, child) ||
            this.#refusesKey(child, key, value)
          )
            return false
          found.push([child, value])
        } else if (!isObject(value) || !collect(child, value)) return false
      }
      return true
    }
    if (!collect(model.root, patch)) return undefined
    const issues: ValidationIssue[] = []
    const encoded = found.map(([column, value]) => {
      try {
        return [column, this.#encodeLeaf(column, value, key)] as const
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error
        issues.push(...error.issues)
        return [column, null] as const
      }
    })
    if (issues.length > 0) throw new ValidationError(issues)
    return encoded
  }

  /** Validates and encodes the value of one column. */
  #encodeLeaf(column: Column, value: CellValue, key: Key): SqlValue {
    const { model, validator } = this.#rows.schema
    const named = model.singleton ? undefined : key
    const issues = guardDepth(() => validator.leaf(column, value, named))
    if (issues) throw new ValidationError(issues)
    try {
      return guardDepth(() => encodeColumn(column, value))
    } catch (error) {
      if (!(error instanceof EncodeFailure)) throw error
      throw new ValidationError(
        [{ table: model.name, key: named, path: column.path, keyword: error.keyword, message: error.message }],
        { cause: error },
      )
    }
  }

  #inside(key: Key, column: Column, inner: readonly string[], value: CellValue, path: string): CellValue {
    const whole = readPath(this.#rows.get(key), column.segments)
    if (whole === undefined || whole === null)
      throw new NotFoundError(
        `there is nothing to set at '${path}': '${column.path}' is ${whole === null ? 'null' : 'absent'}`,
      )
    return replaceAt(whole, inner, 0, value, path)
  }

  #changed(key: Key, change: Change): RowObject {
    const row = this.#rows.get(key)!
    if (typeof change !== 'function') return guardDepth(() => mergePatch(row, change)) as RowObject
    let ended = false
    const next: unknown = guardDepth(
      () =>
        produce(row, (draft) => {
          const returned = change(draft)
          if (returned instanceof Promise)
            throw new TransactionError('an update recipe must be synchronous: await first, then update')
          ended = true
          return returned as undefined
        }),
      () => ended,
    )
    if (this.#rows.get(key) !== row)
      throw new TransactionError("an update recipe can't write to its own row otherwise than by its draft")
    return next as RowObject
  }

  /** Whether the object around a column is there, so that setting the column is all there is to do. */
  #present(key: Key, column: Column): boolean {
    if (!column.guard) return true
    return isObject(readPath(this.#rows.get(key), column.guard.segments))
  }

  /** Whether one statement is enough: nothing to check once it has run. */
  #isPlain(key: Key, column: Column): boolean {
    const { model } = this.#rows.schema
    if (model.references.some((reference) => reference.columns.includes(column))) return false
    const { layers } = this.#engine
    if (layers.empty) return true
    if (model.unique.some((index) => index.columns.includes(column))) return false
    const stack = layers.get(this.#rows, keyId(key))
    return !stack || (this.#layer !== undefined && !stack.exists)
  }

  /** Whether a value of a column is judged alone, and has no other place. */
  #standsAlone(column: Column): boolean {
    let known = this.#alone.get(column)
    if (known === undefined) this.#alone.set(column, (known = !column.nullInRest && !this.#crossed(column)))
    return known
  }

  /** Whether an object around a column ties its properties to each other. */
  #crossed(column: Column): boolean {
    let node: ObjectNode = this.#rows.schema.model.root
    for (const segment of column.segments) {
      if (node.crossField) return true
      const child = node.properties.get(segment)
      if (!child || isColumn(child)) return false
      node = child
    }
    return node.crossField
  }

  #existing(key: Key): number {
    this.#engine.assertWritable()
    // Who writes what is there already has found it so.
    this.#engine.noteRead(this.#rows, key)
    const rowid = this.#rows.rowidOf(key)
    if (rowid === undefined) {
      const { name, singleton } = this.#rows.schema.model
      throw new NotFoundError(
        singleton ? `${name} has no value yet: update it as a whole first` : `there is no ${name} ${describeKey(key)}`,
      )
    }
    // Of a key that is given twice.
    if (this.#late?.has(rowid)) this.#late.show()
    return rowid
  }

  #refusesKey(column: Column, key: Key, value: CellValue): boolean {
    const { model } = this.#rows.schema
    const at = model.key.indexOf(column)
    return (
      at >= 0 && !equalKeys(model.key.length === 1 ? key : (key as readonly (string | number)[])[at]!, value as Key)
    )
  }

  #sameKey(key: Key, next: RowObject): void {
    const { model } = this.#rows.schema
    const given = this.#givenKey(next)
    if (model.singleton || (given !== undefined && equalKeys(given, key))) return
    throw new ValidationError([
      {
        table: model.name,
        key,
        path: model.key[0]!.path,
        keyword: 'primaryKey',
        message: "an update can't change the key: delete the row and insert another, or write it in SQL",
      },
    ])
  }

  #givenKey(row: RowObject): Key | undefined {
    const { model } = this.#rows.schema
    if (model.singleton) return SINGLETON_KEY
    const parts = model.key.map((column) => valueAt(row, column.segments))
    if (parts.some((part) => part === undefined || part === null || typeof part === 'object')) return undefined
    return parts.length === 1 ? (parts[0] as Key) : (parts as unknown as Key)
  }

  #refuse(issues: readonly ValidationIssue[]): void {
    if (issues.length > 0) throw new ValidationError(issues)
  }
}

/**
 * What is nested deeper than the stack reaches, or contains itself, is refused like any other bad value. `isOurs` tells a
 * RangeError of what is done with the value from one of an application's own.
 */
function guardDepth<Result>(run: () => Result, isOurs: () => boolean = () => true): Result {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RangeError) || !isOurs()) throw error
    throw new ValidationError(
      [{ table: '', key: undefined, path: '', keyword: 'type', message: 'is nested too deeply, or contains itself' }],
      { cause: error },
    )
  }
}

/** The columns that a patch names. A recipe names none: what it changed counts. */
function namedBy(change: Change): (column: Column) => boolean {
  if (typeof change === 'function') return () => false
  return (column) => {
    let value: CellValue = change
    for (const segment of column.segments) {
      if (!isObject(value)) return true
      if (!Object.hasOwn(value, segment)) return false
      value = value[segment]
    }
    // Naming an object's properties says nothing of whether it is there, naming the object itself does.
    return column.kind === 'presence' ? !isObject(value) : column.kind !== 'rest'
  }
}

/** The columns that a patch removes: each by its own name. A recipe finds nothing to remove. */
function removedBy(change: Change): (column: Column) => boolean {
  if (typeof change === 'function') return () => false
  return ({ segments }) => {
    const around = readPath(change, segments.slice(0, -1))
    return isObject(around) && Object.hasOwn(around, segments.at(-1)!)
  }
}

/** Whether a column holds a part of what lies at a path, or the whole around it. */
function isAtOrBelow(column: Column, segments: readonly string[]): boolean {
  if (column.kind === 'rest' || (column.kind !== 'json' && column.segments.length < segments.length)) return false
  const shared = Math.min(column.segments.length, segments.length)
  return column.segments.slice(0, shared).every((segment, n) => segment === segments[n])
}

const crossFields = new WeakMap<ObjectNode, boolean>()

function isCrossField(node: ObjectNode): boolean {
  let known = crossFields.get(node)
  if (known === undefined) {
    known = node.crossField || [...node.properties.values()].some((child) => !isColumn(child) && isCrossField(child))
    crossFields.set(node, known)
  }
  return known
}
