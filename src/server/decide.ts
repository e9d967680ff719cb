import {
  allAtOnce,
  describeKey,
  equalValues,
  parsePath,
  rowIdOf,
  type CellValue,
  type RowChange,
  type Steps,
} from '../changes/index.ts'
import { ConstraintError, NotFoundError, ValidationError } from '../errors/index.ts'
import {
  assertKeyForm,
  commitInSteps,
  internals,
  keepSingletons,
  previewChanges,
  previewInSteps,
  type Replicated,
  type RowTransition,
  type Store,
} from '../store/index.ts'
import { valueAt, type RowObject } from '../schema/index.ts'
import type { WireChange, WireRead, WireTransaction } from '../transport/index.ts'
import type { Access } from './access.ts'
import { assertDepthOf } from './depth.ts'
import { ConflictError, SchemaVersionError, UnfitError } from './refusals.ts'

/**
 * Decides a transaction on the state as it is, and applies it, in steps between which nobody may read or write there: checked
 * by the schema, the constraints and the author's permissions, all or nothing. An update or delete of a row that is not
 * there, or that the author can't see, is nothing. Throws what refuses it; then nothing has changed.
 */
export function* decide(store: Store, access: Access, transaction: WireTransaction): Steps<Replicated> {
  const { engine } = internals(store)
  const { schemaVersion } = transaction
  if (schemaVersion !== undefined && schemaVersion !== store.schema.version)
    throw new SchemaVersionError(schemaVersion, store.schema.version)
  yield* assertSent(store, transaction.changes)
  const changes: RowChange[] = []
  for (const change of transaction.changes) {
    changes.push(...resolve(store, access, change, transaction.ifUnchanged ?? false))
    yield
  }
  // Before any constraint is looked at: what it says would tell of rows to those who may not write here at all.
  if (!access.unrestricted) yield* access.check(yield* previewInSteps(engine, changes))
  return yield* commitInSteps(engine, changes, function* ({ transitions }) {
    yield* access.check(transitions)
    keepSingletons(transitions.map(({ change: { op, table } }) => ({ op, rows: engine.table(table) })))
    // Last, where the database looks for those that are not there: who is refused for either is told the same.
    yield* checkParents(store, access, transitions)
  })
}

/**
 * What is against changes by what they say alone, of all of them before anything that is there is looked at: which of two
 * reasons is told would tell of what is there otherwise. Throws NotFoundError and UnfitError.
 */
function* assertSent(store: Store, changes: readonly WireChange[]): Steps<void> {
  const seen = new Set<string>()
  for (const change of changes) {
    yield
    const schema = store.schema.tables.get(change.table)
    if (!schema) throw new NotFoundError(`there is no table '${change.table}'`)
    try {
      assertKeyForm(schema.model, change.key)
      const place = rowIdOf(change)
      if (seen.has(place)) throw refuse(change, 'primaryKey', 'is named twice: a transaction names each row once, net')
      seen.add(place)
      assertDepthOf([change])
      if (change.op === 'put') {
        assertKey(store, change)
        assertObjects(store, change)
      } else if (change.op === 'update') assertStays(store, change)
    } catch (error) {
      throw error instanceof ValidationError ? new UnfitError(error.issues, { cause: error }) : error
    }
  }
}

function resolve(store: Store, access: Access, change: WireChange, ifUnchanged: boolean): RowChange[] {
  const { key, op } = change
  const table = store.table(change.table)
  const row = table.get(key) as RowObject | undefined
  const visible = row !== undefined && access.canView(change.table, row)
  if (op === 'put') {
    const inserted: RowChange = { table: change.table, key, op: 'insert', before: {}, after: change.after ?? {} }
    if (row === undefined) return [inserted]
    if (!access.unrestricted) allAtOnce(access.check(previewChanges(internals(store).engine, [inserted])))
    throw new ConstraintError({
      constraint: 'primaryKey',
      table: change.table,
      columns: [],
      message: `${change.table} ${describeKey(key)} is there already`,
    })
  }
  if (ifUnchanged) assertUnchanged(change, visible ? (access.shown(change.table, row) as RowObject) : undefined)
  if (!visible) return []
  if (op === 'delete') return [{ table: change.table, key, op, before: {}, after: {} }]
  const after = change.after ?? {}
  return Object.keys(after).length === 0 ? [] : [{ table: change.table, key, op, before: {}, after }]
}

/** A row keeps its key. */
function assertStays(store: Store, change: WireChange): void {
  const { model } = store.schema.tables.get(change.table)!
  const moved = model.key.find(({ path }) => Object.hasOwn(change.after ?? {}, path))
  if (moved)
    throw refuse(change, 'primaryKey', `an update can't change '${moved.path}': delete the row and put another`)
}

/** A row that is put under one key and says another would be stored under the first. */
function assertKey(store: Store, change: WireChange): void {
  const { model } = store.schema.tables.get(change.table)!
  const parts = model.key.length === 1 ? [change.key] : change.key
  for (const [n, { path }] of model.key.entries()) {
    const given = change.after && Object.hasOwn(change.after, path) ? change.after[path] : undefined
    if (!model.singleton && given !== undefined && !equalValues(given, (parts as readonly CellValue[])[n]))
      throw refuse(change, 'primaryKey', `its '${path}' is another than the key that it is put under`)
  }
}

/** A value in an optional object that is not put along with it would be nowhere. */
function assertObjects(store: Store, change: WireChange): void {
  const { model } = store.schema.tables.get(change.table)!
  const after = change.after ?? {}
  for (const path of Object.keys(after)) {
    if (after[path] === undefined) continue
    const { defaultSql, path: object } = model.byPath.get(path)?.guard ?? { defaultSql: 1, path: '' }
    if (defaultSql !== 1 && after[object] === undefined)
      throw refuse(change, 'required', `its '${path}' needs its '${object}': name that as {}`)
  }
}

function assertUnchanged({ table, key, before }: WireChange, row: RowObject | undefined): void {
  if (row === undefined) throw new ConflictError(`${table} ${describeKey(key)} is gone`)
  for (const [path, value] of Object.entries(before ?? {}))
    if (!equalValues(valueIn(row, path), value))
      throw new ConflictError(`${table} ${describeKey(key)}: '${path}' was changed by someone else`)
}

function valueIn(row: RowObject, path: string): CellValue {
  return valueAt(row, parsePath(path).map(String))
}

/** A row that may not be seen can't be referred to: that it is there would be told. */
function* checkParents(store: Store, access: Access, transitions: readonly RowTransition[]): Steps<void> {
  if (access.unrestricted) return
  for (const { change, after } of transitions) {
    yield
    if (!after) continue
    const { model } = store.schema.tables.get(change.table)!
    for (const reference of model.references) {
      if (change.op === 'update' && !reference.columns.some(({ path }) => Object.hasOwn(change.after, path))) continue
      const parts = reference.columns.map(({ segments }) => valueAt(after, segments))
      if (parts.some((part) => part === undefined || part === null)) continue
      const key = (parts.length === 1 ? parts[0] : parts) as never
      const parent = store.table(reference.table).get(key) as object | undefined
      if (parent && access.canView(reference.table, parent)) continue
      throw new ConstraintError({
        constraint: 'foreignKey',
        table: change.table,
        columns: reference.columns.map(({ path }) => path),
        message: `${change.table} ${describeKey(change.key)} refers to a row that is not there`,
      })
    }
  }
}

/** Throws NotFoundError and ValidationError for what nobody can have read. */
export function assertReads(store: Store, reads: readonly WireRead[]): void {
  for (const { table, keys = [] } of reads) {
    const schema = store.schema.tables.get(table)
    if (!schema) throw new NotFoundError(`there is no table '${table}'`)
    for (const key of keys) assertKeyForm(schema.model, key)
  }
}

function refuse({ table, key }: WireChange, keyword: string, message: string): ValidationError {
  return new ValidationError([{ table, key, path: '', keyword, message }])
}
