import { formatPath, parsePath, setOwn, type CellValue, type Path } from '../../changes/index.ts'
import { NotFoundError } from '../../errors/index.ts'
import {
  isColumn,
  isObject,
  type Column,
  type ObjectNode,
  type RowObject,
  type TableModel,
} from '../../schema/index.ts'

/**
 * Where a property path leads: to a column, to a place within a JSON column (`inner` is the rest of the path), to a
 * nested object, or to a property that the schema does not declare.
 */
export type Place =
  | { readonly kind: 'column'; readonly column: Column; readonly inner: readonly string[]; readonly path: string }
  | { readonly kind: 'object'; readonly node: ObjectNode; readonly path: string }
  | { readonly kind: 'undeclared'; readonly segments: readonly string[]; readonly path: string }

const known = new WeakMap<TableModel, Map<string, Place>>()

/** Finds a place. Throws NotFoundError for a path that the table can't have. */
export function placeOf(table: TableModel, path: Path): Place {
  if (typeof path !== 'string' && !Array.isArray(path))
    throw new NotFoundError(`${table.name}: a property path is a string or an array of segments, not ${String(path)}`)
  if (typeof path !== 'string') return findPlace(table, parsePath(path).map(String))
  let places = known.get(table)
  if (!places) known.set(table, (places = new Map<string, Place>()))
  let place = places.get(path)
  if (!place) {
    place = findPlace(table, parsePath(path).map(String))
    if (places.size < 10_000) places.set(path, place)
  }
  return place
}

function findPlace(table: TableModel, segments: readonly string[]): Place {
  const path = formatPath(segments)
  let node = table.root
  for (const [depth, segment] of segments.entries()) {
    const child = node.properties.get(segment)
    if (!child) {
      if (!table.rest) throw new NotFoundError(`${table.name} has no property '${path}'`)
      return { kind: 'undeclared', segments, path }
    }
    if (isColumn(child)) {
      const inner = segments.slice(depth + 1)
      if (inner.length > 0 && child.kind !== 'json')
        throw new NotFoundError(`${table.name} has no property '${path}': '${child.path}' is ${child.kind}`)
      return { kind: 'column', column: child, inner, path }
    }
    node = child
  }
  return { kind: 'object', node, path }
}

/** The value at a path of a row, arrays and free-form objects included. `undefined` where there is nothing. */
export function readPath(row: CellValue, segments: readonly string[]): CellValue {
  let value = row
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
    if (!Object.hasOwn(value, segment) || (Array.isArray(value) && segment === 'length')) return undefined
    value = (value as RowObject)[segment]
  }
  return value
}

/**
 * A value with the one at a path replaced (removed, for `undefined`); what is not on the way is shared. Objects on the
 * way are made where they are missing. Throws NotFoundError for an index beyond an array's end.
 */
export function replaceAt(
  value: CellValue,
  segments: readonly string[],
  depth: number,
  next: CellValue,
  path: string,
): CellValue {
  if (depth === segments.length) return next
  const segment = segments[depth]!
  // What is not there needs no removing, and nothing on the way to it.
  if (next === undefined && (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)))
    return value
  if (Array.isArray(value)) {
    const list = value as readonly CellValue[]
    const index = Number(segment)
    if (!/^(?:0|[1-9]\d*)$/.test(segment) || index > list.length)
      throw new NotFoundError(
        `there is no '${segment}' in the array of ${list.length} at '${formatPath(segments.slice(0, depth))}' (path '${path}')`,
      )
    const copy = [...list]
    if (next === undefined && depth === segments.length - 1) copy.splice(index, 1)
    else copy[index] = replaceAt(list[index], segments, depth + 1, next, path)
    return copy
  }
  if (value !== undefined && value !== null && !isObject(value))
    throw new NotFoundError(
      `there is nothing to set at '${path}': '${formatPath(segments.slice(0, depth))}' is no object`,
    )
  const copy: Record<string, CellValue> = { ...value }
  const inner = replaceAt(Object.hasOwn(copy, segment) ? copy[segment] : undefined, segments, depth + 1, next, path)
  if (inner === undefined) delete copy[segment]
  else setOwn(copy, segment, inner)
  return copy
}

/** A row with a deep partial one laid over it: objects merge, everything else replaces, `undefined` removes. */
export function mergePatch(row: CellValue, patch: CellValue): CellValue {
  if (!isObject(patch)) return patch
  const merged: Record<string, CellValue> = isObject(row) ? { ...row } : {}
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === undefined) delete merged[name]
    else setOwn(merged, name, mergePatch(Object.hasOwn(merged, name) ? merged[name] : undefined, value))
  }
  return merged
}
