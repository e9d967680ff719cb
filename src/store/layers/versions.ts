import type { SqlValue } from '../../drivers/index.ts'
import { sameSql, type Column } from '../../schema/index.ts'
import type { Layer, RowStack } from './row-stack.ts'

/** A state that a row would be in if drafts were cancelled: its values, and the draft that covers or holds them. */
export interface Version {
  readonly values: readonly SqlValue[]
  readonly draft: Layer
}

/**
 * The states of a row's columns that are not to be seen now, but would be if drafts other than `layer` were cancelled.
 *
 * @param written whether the transaction has written the row: its stacks don't know of that yet
 */
export function versionsOf(
  stack: RowStack,
  columns: readonly Column[],
  layer: Layer | undefined,
  written: boolean,
): Version[] {
  const covered = columns.map((column) => stack.cells.get(column.index))
  const touching = new Set<Layer>()
  for (const cell of covered) for (const entry of cell?.entries ?? []) touching.add(entry.layer)
  for (const entry of stack.exists?.entries ?? []) touching.add(entry.layer)
  if (touching.size === 0) return []
  const visible = stack.visible()
  const rowid = visible && (written || covered.includes(undefined)) ? stack.rows.rowidOf(stack.key) : undefined
  const stored = rowid === undefined ? undefined : stack.rows.stored(rowid)
  const now = columns.map((column, n) => {
    if (!visible) return null
    return (written || !covered[n] ? stored?.[column.index] : covered[n].top()) ?? null
  })
  const versions: Version[] = []
  const add = (exists: SqlValue, values: readonly SqlValue[], draft: Layer): void => {
    const seen = stack.visible() && values.every((value, n) => sameSql(value, now[n]!))
    if (exists === 1 && !seen) versions.push({ values, draft })
  }
  const top = [...touching].find((one) => one !== layer)
  if (top && !(layer && touching.has(layer)))
    add(
      stack.exists?.base ?? 1,
      columns.map((_, n) => covered[n]?.base ?? (covered[n] ? null : now[n]!)),
      top,
    )
  // What is seen once another draft is cancelled, whoever holds the other columns.
  for (const one of touching)
    if (one !== layer)
      add(
        stack.visible(one) ? 1 : 0,
        columns.map((_, n) => (covered[n] ? covered[n].top(one) : now[n]!)),
        one,
      )
  for (const one of touching) {
    // One's own value counts only where another draft covers it, or has deleted the row.
    const hiding = stack.visible() ? undefined : stack.exists?.entries.at(-1)?.layer
    const above =
      hiding && hiding !== one
        ? hiding
        : covered
            .map((cell) => cell?.entries.at(-1)?.layer)
            .find((holder, n) => holder !== undefined && holder !== one && covered[n]?.of(one))
    if (one === layer && !above) continue
    const exists = stack.exists?.of(one)?.value ?? stack.exists?.base ?? 1
    add(
      exists,
      columns.map((_, n) => {
        const mine = covered[n]?.of(one)
        return mine ? mine.value : covered[n] ? covered[n].base : now[n]!
      }),
      one === layer ? above! : one,
    )
  }
  return versions
}

/** What a stored value of a column reads as, whose object is there. */
export function effective(column: Column, value: SqlValue): SqlValue {
  if (value === null) return column.defaultSql
  return column.nullMark !== undefined && sameSql(value, column.nullMark) ? null : value
}

/** A text that is the same for the same values. */
export function tupleId(values: readonly SqlValue[]): string {
  let id = ''
  for (const value of values)
    id += `${typeof value === 'string' ? JSON.stringify(value) : value instanceof Uint8Array ? `[${value.join(' ')}]` : String(value)},`
  return id
}
