import { describeKey, keyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { ConstraintError } from '../../errors/index.ts'
import { effectiveSql, sameSql, type IndexModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { NetRow } from '../rows/cells.ts'
import { underneath } from './committed-rows.ts'
import type { Layer, RowStack } from './row-stack.ts'
import { describe } from './reservations.ts'

/**
 * Checks what a draft is about to commit against the committed state: rows that are there, and unique values that no
 * other committed row has. Single values were checked when they were written; unique constraints over several columns
 * that different drafts have changed can only be judged now. Throws ConstraintError.
 */
export function checkCommit(engine: Engine, layer: Layer, nets: readonly NetRow[]): void {
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
        checkIndex(engine, layer, net, stack, index)
  }
}

function checkIndex(engine: Engine, layer: Layer, net: NetRow, stack: RowStack, index: IndexModel): void {
  const mine = committedTuple(stack, index, layer)
  if (mine.some((value) => value === null)) return
  const { rows } = net
  const where = index.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
  const seen = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(mine)
  const others = new Set([...engine.layers.of(rows)].map((other) => other.id))
  const found =
    seen && !others.has(keyId(rows.keyAt(Number(seen[0]))))
      ? rows.keyAt(Number(seen[0]))
      : [...engine.layers.of(rows)].find(
          (other) =>
            other !== stack &&
            isThere(other, layer) &&
            committedTuple(other, index, layer).every((value, n) => sameSql(value, mine[n]!)),
        )?.key
  if (found === undefined) return
  throw new ConstraintError({
    constraint: 'unique',
    table: rows.schema.model.name,
    columns: index.columns.map((column) => column.path),
    message: `${rows.schema.model.name} ${describeKey(net.key)}: ${rows.schema.model.name} ${describeKey(found)} has the same ${index.columns.map((column) => column.path).join(', ')} once this is committed`,
  })
}

function isThere(stack: RowStack, layer: Layer): boolean {
  return (stack.exists?.of(layer)?.value ?? stack.exists?.committed ?? 1) === 1
}

function committedTuple(stack: RowStack, index: IndexModel, layer: Layer): SqlValue[] {
  const stored = underneath(stack, (cell) => stack.cells.get(cell)?.committedWith(layer))
  return index.columns.map((column) => {
    const value = stored[column.index]!
    return value === null
      ? column.defaultSql
      : column.nullMark !== undefined && sameSql(value, column.nullMark)
        ? null
        : value
  })
}
