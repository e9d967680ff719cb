import { formatPath, parsePath, setOwn, type Cells, type CellValue } from '../../changes/index.ts'
import type { Schema } from '../define-schema.ts'
import { isColumn, type Column, type ObjectNode } from '../model/column.ts'
import { locate } from './locate.ts'
import { functionsBetween } from './migrate.ts'
import { keptDefaults, movedPath, type Move } from './move-properties.ts'
import { planMigration, type TableStep } from './plan.ts'

/** A change of a row's cells by property path, of whatever kind. */
interface TableChange {
  readonly table: string
  readonly op: string
  readonly before?: Cells | undefined
  readonly after?: Cells | undefined
}

/** Says a change in the terms of another schema; gives `undefined` where it can't be said. */
export type ChangeCarrier = <Change extends TableChange>(change: Change) => Change | undefined

/** A table in both schemas. */
type Carried = TableStep & { readonly before: NonNullable<TableStep['before']> }

/**
 * Says changes that were made under an older schema in the terms of a newer one: tables and properties as the declared
 * renames have it, cell by cell. Gives `undefined` for whatever is more than another name: where functions migrate from
 * the one to the other, where the table is gone or has another key, and where a cell is of another kind now, or has other
 * optional objects around it.
 */
export function changeCarrier(before: Schema, after: Schema): ChangeCarrier {
  if (functionsBetween(after, before.version).length > 0) return () => undefined
  const steps = new Map<string, Carried>()
  for (const step of planMigration(before, after, { copyAll: false }).steps)
    if (step.before && hasSameKey(step as Carried)) steps.set(step.before.model.name, step as Carried)
  return (change) => {
    const step = steps.get(change.table)
    if (!step) return undefined
    const sides: { before?: Cells; after?: Cells } = {}
    for (const side of ['before', 'after'] as const) {
      if (change[side] === undefined) continue
      const cells = carryCells(step, change[side])
      if (!cells) return undefined
      sides[side] = cells
    }
    // What is left out of a new row, or of a new object, has the default of then.
    const isNew = change.op === 'insert' || change.op === 'put'
    const named = (path: string): boolean => Object.hasOwn(change.after ?? {}, path)
    for (const column of defaultsOf(step))
      if ((isNew || objectsAround(column).some(({ path }) => named(path))) && !named(column.path)) return undefined
    return { ...change, table: step.table.model.name, ...sides }
  }
}

function carryCells(step: Carried, cells: Cells): Cells | undefined {
  const carried: Record<string, CellValue> = {}
  for (const [path, value] of Object.entries(cells)) {
    const segments = parsePath(path).map(String)
    const to = movedPath(segments, step.moves)
    if (isTakenApart(value, segments, step.moves)) return undefined
    if (!isSameCell(step, locate(step.before.model.root, segments), locate(step.table.model.root, to))) return undefined
    setOwn(carried, formatPath(to), value)
  }
  return carried
}

/** Whether a part of a value has moved elsewhere. */
function isTakenApart(value: CellValue, segments: readonly string[], moves: readonly Move[]): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return false
  return moves.some(({ from }) => from.length > segments.length && segments.every((each, n) => from[n] === each))
}

/** Whether both schemas keep what lies there in the same way; what neither declares lies with the undeclared. */
function isSameCell({ moves }: Carried, was: ReturnType<typeof locate>, is: ReturnType<typeof locate>): boolean {
  if (!was || !is) return was === is
  if (was.inside !== is.inside) return false
  const [from, to] = [cellOf(was.node), cellOf(is.node)]
  return from !== undefined && to !== undefined && isSameKind(from, to) && haveSameObjects(from, to, moves)
}

function cellOf(node: ObjectNode | Column): Column | undefined {
  return isColumn(node) ? node : node.presence
}

function isSameKind(from: Column, to: Column): boolean {
  return from.kind === to.kind || (from.kind === 'integer' && to.kind === 'number')
}

/** Whether the same optional objects lie around them. */
function haveSameObjects(from: Column, to: Column, moves: readonly Move[]): boolean {
  const [outer, inner] = [from.guard, to.guard]
  if (!outer || !inner) return outer === inner
  return formatPath(movedPath(outer.segments, moves)) === inner.path && haveSameObjects(outer, inner, moves)
}

function objectsAround({ guard }: Column): Column[] {
  return guard ? [guard, ...objectsAround(guard)] : []
}

function hasSameKey({ before, table, moves }: Carried): boolean {
  const [from, to] = [before.model.key, table.model.key]
  return (
    from.length === to.length &&
    from.every(
      (column, n) => column.kind === to[n]!.kind && formatPath(movedPath(column.segments, moves)) === to[n]!.path,
    )
  )
}

function defaultsOf({ before, table, moves }: Carried): ReadonlySet<Column> {
  return keptDefaults(before.model, table.model, moves)
}
