import { describeKey, keyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { ConstraintError, ValidationError, type ValidationIssue } from '../../errors/index.ts'
import { effectiveSql, sameSql, type IndexModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { NetRow } from '../rows/cells.ts'
import type { RowWrite } from './layer-stacks.ts'
import { committedRow, issuesOf, rowAfter, underneath } from './committed-rows.ts'
import type { Layer, RowStack } from './row-stack.ts'
import { getOrAdd } from '../get-or-add.ts'
import { byRow, groupRows } from '../rows/net-rows.ts'
import { describe } from './reservations.ts'
import { effective, tupleId } from './versions.ts'

/**
 * Checks changes of what is committed that are not all to be seen, because drafts lie over them, against the committed
 * state: what the schema says of the rows, unique values that another committed row has, and references to rows that are
 * not there, or not to be seen. Throws ValidationError and ConstraintError.
 */
export function checkBase(engine: Engine, writes: readonly RowWrite[]): void {
  const issues: ValidationIssue[] = []
  const writeOf = byRow(writes)
  const holders: Judged['holders'] = new Map()
  const changed = writes.flatMap((write) => engine.layers.get(write.rows, write.id) ?? [])
  for (const write of writes) {
    const stack = engine.layers.get(write.rows, write.id)
    if (!stack || write.op === 'delete') continue
    const { model } = write.rows.schema
    const after = rowAfter(write.rows, write.key, committedRow(stack), engine.layers.whole(stack, write))
    issues.push(...issuesOf(stack, after))
    for (const index of model.unique)
      if (index.columns.some((column) => write.cells.has(column.index)))
        checkIndex(engine, write, stack, index, {
          holders,
          changed,
          tuple: (one) => tupleOf(one, index, (cell) => one.cells.get(cell)?.committed, writeOf(one)?.cells),
          isThere: (one) => one.committed && writeOf(one)?.op !== 'delete',
        })
    if (stack.visible()) continue
    for (const reference of model.references) {
      const parts = reference.columns.map((column) => write.cells.get(column.index) ?? null)
      if (parts.some((part) => part === null)) continue
      const parent = engine.byName.get(reference.table)!
      const key = parent.keyFrom(parts)
      const coming = writeOf({ rows: parent, id: keyId(key) })
      if (coming ? coming.op !== 'delete' : parent.rowidOf(key) !== undefined) continue
      throw new ConstraintError({
        constraint: 'foreignKey',
        table: model.name,
        columns: reference.columns.map((column) => column.path),
        message: `${model.name} ${describeKey(write.key)} would refer to ${reference.table} ${describeKey(key)}, which is not there`,
      })
    }
  }
  if (issues.length > 0) throw new ValidationError(issues)
}

/**
 * Checks what a draft is about to commit against the committed state: rows that are there, and unique values that no
 * other committed row has. Single values were checked when they were written; unique constraints over several columns
 * that different drafts have changed can only be judged now. Throws ConstraintError.
 */
export function checkCommit(engine: Engine, layer: Layer, nets: readonly NetRow[]): void {
  const holders: Judged['holders'] = new Map()
  for (const net of nets) {
    const stack = engine.layers.get(net.rows, net.id)!
    const { model } = net.rows.schema
    if (net.op === 'update' && !stack.committed) {
      const draft = stack.exists!.entries.at(-1)!.layer
      throw new ConstraintError({
        constraint: 'draft',
        table: model.name,
        columns: model.key.map((column) => column.path),
        draftId: draft.id,
        message: `${model.name} ${describeKey(net.key)} exists in ${describe(draft)} only: commit that first`,
      })
    }
    if (net.op === 'delete') continue
    for (const index of model.unique)
      if (net.op === 'insert' || index.columns.some((column) => net.cells.has(column.index)))
        checkIndex(engine, net, stack, index, {
          holders,
          changed: [],
          tuple: (one) => tupleOf(one, index, (cell) => one.cells.get(cell)?.committedWith(layer)),
          isThere: (one) => isThere(one, layer),
        })
  }
  checkChildren(engine, layer, nets)
}

/** A committed row that isn't seen may refer to one that goes. */
function checkChildren(engine: Engine, layer: Layer, nets: readonly NetRow[]): void {
  const gone = groupRows(nets.filter(({ op }) => op === 'delete'))
  if (gone.size === 0) return
  for (const child of engine.rows)
    for (const reference of child.schema.model.references) {
      const parent = engine.table(reference.table)
      const parents = gone.get(parent)
      if (!parents) continue
      for (const stack of engine.layers.constrained(child)) {
        if (!isThere(stack, layer)) continue
        const stored = underneath(stack, (cell) => stack.cells.get(cell)?.committedWith(layer))
        const parts = reference.columns.map((column) => stored[column.index]!)
        const net = parts.some((part) => part === null) ? undefined : parents.get(keyId(parent.keyFrom(parts)))
        if (!net) continue
        throw new ConstraintError({
          constraint: 'foreignKey',
          table: child.schema.model.name,
          columns: reference.columns.map((column) => column.path),
          message: `${net.rows.schema.model.name} ${describeKey(net.key)} can't be deleted: ${child.schema.model.name} ${describeKey(stack.key)} refers to it once this is committed`,
        })
      }
    }
}

/** Which rows are there, and what they have, in the state that is judged. */
interface Judged {
  /** Rows under drafts that are changed in columns of an index. */
  readonly changed: readonly RowStack[]
  /** The rows under drafts by their values in an index: filled as they are asked for. */
  readonly holders: Map<IndexModel, Map<string, RowStack[]>>
  tuple(stack: RowStack): SqlValue[]
  isThere(stack: RowStack): boolean
}

function checkIndex(
  engine: Engine,
  net: Pick<NetRow, 'rows' | 'key'>,
  stack: RowStack,
  index: IndexModel,
  judged: Judged,
): void {
  const mine = judged.tuple(stack)
  if (mine.some((value) => value === null)) return
  const { rows } = net
  const where = index.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
  const seen = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(mine)
  const holders = getOrAdd(judged.holders, index, () => {
    const byTuple = new Map<string, RowStack[]>()
    for (const other of new Set([...engine.layers.constrained(rows), ...judged.changed]))
      if (other.rows === rows && judged.isThere(other))
        getOrAdd(byTuple, tupleId(judged.tuple(other)), () => []).push(other)
    return byTuple
  })
  const key = seen && rows.keyAt(Number(seen[0]))
  const below = key === undefined ? undefined : engine.layers.get(rows, keyId(key))
  const found =
    key !== undefined && below !== stack && (!below || hasTuple(judged, below, mine))
      ? key
      : holders.get(tupleId(mine))?.find((other) => other !== stack)?.key
  if (found === undefined) return
  throw new ConstraintError({
    constraint: 'unique',
    table: rows.schema.model.name,
    columns: index.columns.map((column) => column.path),
    message: `${rows.schema.model.name} ${describeKey(net.key)}: ${rows.schema.model.name} ${describeKey(found)} has the same ${index.columns.map((column) => column.path).join(', ')} once this is committed`,
  })
}

function hasTuple(judged: Judged, stack: RowStack, tuple: readonly SqlValue[]): boolean {
  return judged.isThere(stack) && judged.tuple(stack).every((value, n) => sameSql(value, tuple[n]!))
}

function isThere(stack: RowStack, layer: Layer): boolean {
  return (stack.exists?.of(layer)?.value ?? stack.exists?.committed ?? 1) === 1
}

function tupleOf(
  stack: RowStack,
  index: IndexModel,
  below: (cell: CellId) => SqlValue | undefined,
  changed?: ReadonlyMap<CellId, SqlValue>,
): SqlValue[] {
  const stored = underneath(stack, below)
  return index.columns.map((column) => {
    const value = changed?.has(column.index) ? changed.get(column.index)! : stored[column.index]!
    return effective(column, value)
  })
}
