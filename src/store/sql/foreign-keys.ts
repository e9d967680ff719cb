import { describeKey, keyId } from '../../changes/index.ts'
import { ConstraintError, SqlError } from '../../errors/index.ts'
import { quoteName } from '../../schema/index.ts'
import type { LayerStacks } from '../layers/layer-stacks.ts'
import { describe } from '../layers/reservations.ts'
import type { Layer } from '../layers/row-stack.ts'
import { holderOf } from '../layers/holder-of.ts'
import type { NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'

interface Place {
  readonly rows: readonly TableRows[]
  readonly byName: ReadonlyMap<string, TableRows>
  readonly layers: LayerStacks
  /** The draft that writes. */
  readonly writing: Layer | undefined
}

/**
 * SQLite says only that some foreign key failed. This finds which, among the rows that the transaction touched, while
 * the transaction is still open.
 */
export function explainForeignKeys(error: unknown, place: Place, nets: () => readonly NetRow[]): unknown {
  if (!(error instanceof SqlError) || !/FOREIGN KEY constraint failed/.test(error.message)) return error
  for (const net of nets()) {
    const found = net.op === 'delete' ? brokenChild(place, net) : brokenReference(place, net)
    if (found) return new ConstraintError(found, { cause: error })
  }
  return new ConstraintError(
    { constraint: 'foreignKey', table: '', columns: [], message: error.message },
    { cause: error },
  )
}

type Details = ConstructorParameters<typeof ConstraintError>[0]

function brokenReference({ byName, layers }: Place, net: NetRow): Details | undefined {
  const rowid = net.rows.rowidOf(net.key)
  if (rowid === undefined) return undefined
  const stored = net.rows.stored(rowid)
  const { model } = net.rows.schema
  for (const reference of model.references) {
    const parts = reference.columns.map((column) => stored[column.index]!)
    if (parts.some((part) => part === null)) continue
    const parent = byName.get(reference.table)!
    const where = parent.schema.model.key.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
    if (parent.statement(`SELECT 1 FROM ${parent.base} WHERE ${where}`).get(parts)) continue
    const shown =
      parts.length === 1 ? describeKey(parts[0] as string | number) : describeKey(parts as (string | number)[])
    const row = new Array(parent.schema.model.columns.length).fill(null)
    for (const [n, column] of parent.schema.model.key.entries()) row[column.index] = parts[n]
    const draft = layers.get(parent, keyId(parent.keyOf(row)))?.exists?.entries.at(-1)?.layer
    return {
      constraint: 'foreignKey',
      table: model.name,
      columns: reference.columns.map((column) => column.path),
      draftId: draft?.id,
      message: `${model.name} ${describeKey(net.key)}: '${reference.columns.map((column) => column.path).join(', ')}' refers to ${reference.table} ${shown}, which ${draft ? `was deleted in ${describe(draft)}` : 'does not exist'}`,
    }
  }
  return undefined
}

function brokenChild({ rows, layers, writing }: Place, net: NetRow): Details | undefined {
  for (const child of rows)
    for (const reference of child.schema.model.references) {
      if (reference.table !== net.rows.schema.model.name) continue
      const where = reference.columns.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
      const found = child
        .statement(`SELECT rowid FROM ${child.base} WHERE ${where}`)
        .get(net.rows.keyParameters(net.key))
      if (!found) continue
      const { model } = child.schema
      const key = child.keyAt(Number(found[0]))
      const draft = holderOf(layers.get(child, keyId(key)), reference.columns, writing)
      return {
        constraint: 'foreignKey',
        table: model.name,
        columns: reference.columns.map((column) => column.path),
        draftId: draft?.id,
        message: `${net.rows.schema.model.name} ${describeKey(net.key)} can't be deleted: ${model.name} ${describeKey(key)} refers to it by '${reference.name}' (onDelete ${reference.onDelete})${draft ? ` in ${describe(draft)} only: commit or cancel it first` : ''}`,
      }
    }
  return undefined
}
