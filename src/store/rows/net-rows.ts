import type { KeyId } from '../../changes/index.ts'
import { sameSql } from '../../schema/index.ts'
import type { Intent } from '../layers/layer-stacks.ts'
import { getOrAdd } from '../get-or-add.ts'
import type { CellId } from './cell-id.ts'
import type { CellChange, NetRow } from './cells.ts'
import type { TableRows } from './table-rows.ts'

/**
 * Of the cells that were written, those that show what they showed before: with the value that they have in the end,
 * whatever was written to them in between.
 */
export function standing(intents: readonly Intent[], nets: readonly NetRow[]): Intent[] {
  if (intents.length === 0) return []
  const changed = byRow(nets)
  const cells = new Map<TableRows, Map<KeyId, Map<CellId, Intent>>>()
  for (const intent of intents) {
    if (changed(intent)?.cells.has(intent.cell)) continue
    const rows = getOrAdd(cells, intent.rows, () => new Map<KeyId, Map<CellId, Intent>>())
    getOrAdd(rows, intent.id, () => new Map<CellId, Intent>()).set(intent.cell, intent)
  }
  const out: Intent[] = []
  for (const [rows, byRow] of cells)
    for (const row of byRow.values())
      for (const intent of row.values()) {
        const rowid = rows.rowidOf(intent.key)
        if (rowid !== undefined) out.push({ ...intent, value: rows.cellAt(rowid, intent.cell) })
      }
  return out
}

/** All that was written, the values that were there already included: what is to be checked. */
export function withIntents(nets: readonly NetRow[], intents: readonly Intent[]): NetRow[] {
  const meant = intents.map(({ rows, key, id, cell, value }): NetRow => ({
    rows,
    key,
    id,
    op: 'update',
    cells: new Map([[cell, { before: value, after: value }]]),
  }))
  return [...nets, ...meant]
}

/** Finds, by its row, what is said of it. */
export function byRow<Item extends { readonly rows: TableRows; readonly id: KeyId }>(
  items: readonly Item[],
): (row: { readonly rows: TableRows; readonly id: KeyId }) => Item | undefined {
  const found = groupRows(items)
  return ({ rows, id }) => found.get(rows)?.get(id)
}

/** What is said of rows, by table and row: the last of each. */
export function groupRows<Item extends { readonly rows: TableRows; readonly id: KeyId }>(
  items: readonly Item[],
): Map<TableRows, Map<KeyId, Item>> {
  const found = new Map<TableRows, Map<KeyId, Item>>()
  for (const item of items) getOrAdd(found, item.rows, () => new Map<KeyId, Item>()).set(item.id, item)
  return found
}

/** The columns whose cells a net change touches: the rest column for undeclared properties. */
export function columnsOf(net: NetRow): number[] {
  const columns: number[] = []
  for (const cell of net.cells.keys()) columns.push(typeof cell === 'number' ? cell : net.rows.schema.model.rest!.index)
  return columns
}

/** A row that was deleted and inserted again under its key has changed, or not. */
export function combine(nets: readonly NetRow[]): NetRow[] {
  if (nets.every((net) => net.op !== 'delete')) return nets.filter((net) => net.op === 'insert' || net.cells.size > 0)
  const seen = new Map<TableRows, Map<KeyId, number>>()
  const out: (NetRow | undefined)[] = []
  for (const net of nets) {
    if (net.op === 'update' && net.cells.size === 0) continue
    let table = seen.get(net.rows)
    if (!table) seen.set(net.rows, (table = new Map<KeyId, number>()))
    const place = table.get(net.id)
    const known = place === undefined ? undefined : out[place]
    if (place === undefined || !known) {
      table.set(net.id, out.length)
      out.push(net)
      continue
    }
    const cells = new Map<CellId, CellChange>()
    for (const [cell, change] of known.cells) {
      const after = net.cells.get(cell)?.after ?? (net.op === 'update' ? change.after : null)
      if (!sameSql(change.before, after)) cells.set(cell, { before: change.before, after })
    }
    for (const [cell, change] of net.cells) if (!known.cells.has(cell)) cells.set(cell, change)
    out[place] = cells.size === 0 ? undefined : { ...known, op: 'update', cells }
  }
  return out.filter((net) => net !== undefined)
}
