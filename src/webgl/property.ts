import { formatPath, hiddenPathsOf, parsePath, type Cells, type CellValue, type Path } from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import {
  absentValue,
  isColumn,
  placeOf,
  readPath,
  type Column,
  type ObjectNode,
  type RowObject,
  type TableModel,
} from '../schema/index.ts'

/** A place in a table's rows: a column, or a value within a JSON column. */
export interface Property {
  readonly path: string
  readonly segments: readonly string[]
  readonly column: Column
  /** The place within the column's value. */
  readonly inner: readonly string[]
}

/** Finds a declared property. Throws NotFoundError for an unknown one, and for an object of the schema. */
export function propertyAt(table: TableModel, path: Path): Property {
  const place = placeOf(table, path)
  if (place.kind === 'object')
    throw new NotFoundError(`'${place.path}' of '${table.name}' is an object: name its properties`)
  if (place.kind === 'undeclared') throw new NotFoundError(`'${table.name}' has no property '${place.path}'`)
  return place
}

/** The paths of the cells that a path's value depends on: its own, and those of the optional objects around it. */
export function watchedPaths(table: TableModel, path: Path): string[] {
  const segments = parsePath(path).map(String)
  const [, depth] = walk(table, segments)
  const watched: string[] = []
  for (let length = 1; length <= depth; length++) {
    const prefix = formatPath(segments.slice(0, length))
    // The cell of an undeclared property is no column.
    if (length === depth || table.byPath.has(prefix)) watched.push(prefix)
  }
  return watched
}

/** How far a path leads through the schema: the last node met, and how many segments lead there. */
function walk(table: TableModel, segments: readonly string[]): [end: ObjectNode | Column | undefined, depth: number] {
  let node: ObjectNode | Column | undefined = table.root
  let depth = 0
  while (depth < segments.length && node !== undefined && !isColumn(node)) {
    node = node.properties.get(segments[depth]!)
    depth++
  }
  return [node, depth]
}

export function valueInRow(property: Property, row: RowObject): CellValue {
  return readPath(row, property.segments)
}

/** The value in an inserted row, of which only what is stored is known. */
export function valueInInsert({ column, inner }: Property, after: Cells): CellValue {
  if (Object.hasOwn(after, column.path) && after[column.path] !== undefined) return within(after[column.path], inner)
  const { guard } = column
  if (guard && (!Object.hasOwn(after, guard.path) || after[guard.path] === undefined || after[guard.path] === null))
    return undefined
  return within(unstoredValue(column, after), inner)
}

/** The value after an update, in an array of one; `undefined` where the changed cells don't tell it. */
export function valueInUpdate({ column, inner }: Property, after: Cells): readonly [CellValue] | undefined {
  if (!Object.hasOwn(after, column.path)) return undefined
  // A draft may leave a value in an object that is no longer there: its cells can change unseen.
  if (column.guard) return undefined
  const cell = after[column.path]
  return [within(cell === undefined ? unstoredValue(column, after) : cell, inner)]
}

/** What a cell without a value shows: the default, unless the server withholds it. */
function unstoredValue(column: Column, after: Cells): CellValue {
  return column.hiddenMark !== undefined && hiddenPathsOf(after).includes(column.path) ? undefined : absentValue(column)
}

function within(value: CellValue, inner: readonly string[]): CellValue {
  return readPath(value, inner)
}
