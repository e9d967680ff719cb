import { describeKey, keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { ConstraintError } from '../../errors/index.ts'
import { effectiveSql, sameSql, type Column, type IndexModel, type Reference } from '../../schema/index.ts'
import type { NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'
import type { LayerStacks } from './layer-stacks.ts'
import { ReservedValues } from './reserved-values.ts'
import type { Layer, RowStack } from './row-stack.ts'
import { effective } from './versions.ts'

/**
 * Checks what was written against the states that open drafts could fall back to, so that each can always be cancelled:
 * a unique value that a draft merely covers stays reserved, and a row that exists in a draft only can't be referred to
 * or edited from outside it. Throws ConstraintError naming the draft.
 *
 * @param layer the draft that wrote, `undefined` for a transaction outside any
 * @param tables by name
 */
export function checkReservations(
  stacks: LayerStacks,
  layer: Layer | undefined,
  nets: readonly NetRow[],
  tables: ReadonlyMap<string, TableRows>,
): void {
  if (stacks.empty) return
  // A slider's step concerns no constraint.
  let known: ReservedValues | undefined
  const reserved = (): ReservedValues => (known ??= new ReservedValues(stacks, layer, nets))
  for (const net of nets) {
    checkRow(stacks.get(net.rows, net.id), layer, net)
    if (net.op !== 'delete') {
      for (const index of net.rows.schema.model.unique) checkUnique(stacks, reserved, layer, net, index)
      for (const reference of net.rows.schema.model.references) checkParent(stacks, layer, net, reference, tables)
    } else checkChildren(reserved(), layer, net, tables)
  }
}

function checkRow(stack: RowStack | undefined, layer: Layer | undefined, net: NetRow): void {
  const exists = stack?.exists
  if (!exists) return
  const own = layer && exists.of(layer)
  const { model } = net.rows.schema
  const draft = exists.entries.at(-1)?.layer
  if (!draft || own) return
  if (net.op === 'insert')
    throw new ConstraintError({
      constraint: 'primaryKey',
      table: model.name,
      columns: model.key.map((column) => column.path),
      draftId: draft.id,
      message: `${model.name} ${describeKey(net.key)} was deleted in ${describe(draft)}, which may be cancelled: commit or cancel it before using the key again`,
    })
  if (!stack.committed)
    throw new ConstraintError({
      constraint: 'draft',
      table: model.name,
      columns: model.key.map((column) => column.path),
      draftId: draft.id,
      message: `${model.name} ${describeKey(net.key)} exists in ${describe(draft)} only: change it through that draft, or commit it first`,
    })
}

function checkUnique(
  stacks: LayerStacks,
  reserved: () => ReservedValues,
  layer: Layer | undefined,
  net: NetRow,
  index: IndexModel,
): void {
  if (net.op === 'update' && !index.columns.some((column) => net.cells.has(column.index))) return
  const own = stacks.get(net.rows, net.id)
  const other = own && [...own.layers()].find((one) => one !== layer)
  for (const [n, mine] of tuplesOf(net, index, other && own, layer).entries()) {
    if (mine.some((value) => value === null)) continue
    const holder = n === 0 ? undefined : rowWith(net, index, mine)
    const found = holder ?? reserved().of(net, index, mine)
    if (!found) continue
    const draft = found.draft ?? other!
    const { model } = net.rows.schema
    throw new ConstraintError({
      constraint: 'unique',
      table: model.name,
      columns: index.columns.map((column) => column.path),
      draftId: draft.id,
      message: `${model.name} ${describeKey(net.key)}: ${index.columns.map((column) => column.path).join(', ')} = ${mine.map(String).join(', ')} is reserved: ${model.name} ${describeKey(found.key)} has it if ${describe(draft)} is cancelled`,
    })
  }
}

/** Another row that is seen with these values. */
function rowWith(
  { rows, id }: NetRow,
  index: IndexModel,
  values: readonly SqlValue[],
): { key: Key; draft: undefined } | undefined {
  const where = index.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
  const found = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(values)
  const key = found && rows.keyAt(Number(found[0]))
  return key === undefined || keyId(key) === id ? undefined : { key, draft: undefined }
}

/** More combinations of other drafts' values than this are not looked at one by one. */
const MAX_COMBINATIONS = 64

/** What the row's values are now, first, and what else they would be with this layer's writes if drafts were cancelled. */
function tuplesOf(net: NetRow, index: IndexModel, stack: RowStack | undefined, layer: Layer | undefined): SqlValue[][] {
  const now = tupleNow(net, index.columns)
  let tuples: SqlValue[][] = [[]]
  for (const [n, column] of index.columns.entries()) {
    const cell = net.cells.has(column.index) ? undefined : stack?.cells.get(column.index)
    const mine = layer && cell?.of(layer)
    const others = !cell ? [] : mine ? [mine.value] : [cell.base, ...cell.entries.map((entry) => entry.value)]
    const values = [
      now[n]!,
      ...others.map((value) => effective(column, value)).filter((value) => !sameSql(value, now[n]!)),
    ]
    tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value])).slice(0, MAX_COMBINATIONS)
  }
  return tuples
}

function checkParent(
  stacks: LayerStacks,
  layer: Layer | undefined,
  net: NetRow,
  reference: Reference,
  tables: ReadonlyMap<string, TableRows>,
): void {
  if (net.op === 'update' && !reference.columns.some((column) => net.cells.has(column.index))) return
  const parts = tupleNow(net, reference.columns)
  if (parts.some((value) => value === null)) return
  const parent = tables.get(reference.table)!
  const key = parent.keyFrom(parts)
  const stack = stacks.get(parent, keyId(key))
  const draft = stack?.exists?.entries.at(-1)?.layer
  if (!stack || !draft || stack.committed || draft === layer) return
  const { model } = net.rows.schema
  throw new ConstraintError({
    constraint: 'foreignKey',
    table: model.name,
    columns: reference.columns.map((column) => column.path),
    draftId: draft.id,
    message: `${model.name} ${describeKey(net.key)}: ${reference.table} ${describeKey(key)} exists in ${describe(draft)} only: commit it before referring to it`,
  })
}

function checkChildren(
  reserved: ReservedValues,
  layer: Layer | undefined,
  net: NetRow,
  tables: ReadonlyMap<string, TableRows>,
): void {
  for (const child of tables.values()) {
    for (const reference of child.schema.model.references) {
      if (reference.table !== net.rows.schema.model.name) continue
      if (reference.onDelete === 'cascade')
        for (const { stack, gone } of reserved.goneWith(net, child, reference))
          checkCascade(stack, layer, net, reference, gone)
      for (const { stack, draft } of reserved.referringTo(net, child, reference)) {
        // What the delete itself clears outside a draft, it takes from the drafts.
        if (!layer && reserved.clears(stack, reference)) continue
        const { model } = child.schema
        throw new ConstraintError({
          constraint: 'foreignKey',
          table: model.name,
          columns: reference.columns.map((column) => column.path),
          draftId: draft.id,
          message: `${net.rows.schema.model.name} ${describeKey(net.key)} can't be deleted: ${model.name} ${describeKey(stack.key)} refers to it if ${describe(draft)} is cancelled`,
        })
      }
    }
  }
}

/** A row that refers to the deleted one by another draft only must not go along: the draft may be cancelled. */
function checkCascade(
  stack: RowStack,
  layer: Layer | undefined,
  net: NetRow,
  { columns }: Reference,
  gone: NetRow,
): void {
  const draft = columns
    .map((column) => stack.cells.get(column.index)?.entries.at(-1)?.layer)
    .find((top) => top !== undefined && top !== layer)
  if (!draft || !stack.committed || !stack.visible()) return
  const { model } = stack.rows.schema
  const parent = net.rows.schema.model
  const keyOf = (value: (column: Column) => SqlValue): KeyId | undefined => {
    const parts = columns.map(value)
    return parts.includes(null) ? undefined : keyId(net.rows.keyFrom(parts))
  }
  const seen = keyOf((column) => stack.cells.get(column.index)?.top() ?? gone.cells.get(column.index)?.before ?? null)
  const without = keyOf((column) => {
    const cell = stack.cells.get(column.index)
    return cell ? cell.top(draft) : (gone.cells.get(column.index)?.before ?? null)
  })
  if (seen !== net.id || without === net.id) return
  throw new ConstraintError({
    constraint: 'foreignKey',
    table: model.name,
    columns: columns.map((column) => column.path),
    draftId: draft.id,
    message: `${parent.name} ${describeKey(net.key)} can't be deleted: it would take ${model.name} ${describeKey(stack.key)} along, which refers to it in ${describe(draft)} only: commit or cancel that first`,
  })
}

function tupleNow(net: NetRow, columns: readonly Column[]): SqlValue[] {
  const rowid = net.rows.rowidOf(net.key)
  const stored = rowid === undefined ? undefined : net.rows.stored(rowid)
  return columns.map((column) => effective(column, stored?.[column.index] ?? null))
}

/** A draft as messages name it. */
export function describe(layer: Layer): string {
  return layer.label === undefined ? `draft ${layer.id}` : `draft '${layer.label}' (${layer.id})`
}
