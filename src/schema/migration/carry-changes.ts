import { formatPath, parsePath, setOwn, type Cells, type CellValue } from '../../changes/index.ts'
import type { Schema } from '../define-schema.ts'
import { functionsBetween } from './migrate.ts'
import { movedPath, type Move } from './move-properties.ts'
import { planMigration } from './plan.ts'

/** A change of a row's cells by property path, of whatever kind. */
interface TableChange {
  readonly table: string
  readonly before?: Cells | undefined
  readonly after?: Cells | undefined
}

/** Says a change in the terms of another schema; gives `undefined` where it can't be said. */
export type ChangeCarrier = <Change extends TableChange>(change: Change) => Change | undefined

/**
 * Says changes that were made under an older schema in the terms of a newer one, as its declared renames have it. Gives
 * `undefined` for what nobody can say so: where functions migrate from the one to the other, where the table is gone, and
 * where a part of a value has moved elsewhere.
 */
export function changeCarrier(before: Schema, after: Schema): ChangeCarrier {
  if (functionsBetween(after, before.version).length > 0) return () => undefined
  const steps = new Map(
    planMigration(before, after, { copyAll: false }).steps.map((step) => [step.before?.model.name, step]),
  )
  return (change) => {
    const step = steps.get(change.table)
    if (!step) return undefined
    const sides: { before?: Cells; after?: Cells } = {}
    for (const side of ['before', 'after'] as const) {
      if (change[side] === undefined) continue
      const cells = moveCells(change[side], step.moves)
      if (!cells) return undefined
      sides[side] = cells
    }
    return { ...change, table: step.table.model.name, ...sides }
  }
}

function moveCells(cells: Cells, moves: readonly Move[]): Cells | undefined {
  const moved: Record<string, CellValue> = {}
  for (const [path, value] of Object.entries(cells)) {
    const segments = parsePath(path).map(String)
    const isSplit = moves.some(({ from }) => from.length > segments.length && startsWith(from, segments))
    if (isSplit && typeof value === 'object' && value !== null && Object.keys(value).length > 0) return undefined
    setOwn(moved, formatPath(movedPath(segments, moves)), value)
  }
  return moved
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => path[index] === segment)
}
